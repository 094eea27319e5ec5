// One recording as it plays: wavesurfer wrapped so that all times are milliseconds from the answer.
import { useEffect, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import WaveSurfer from "wavesurfer.js";
import RegionsPlugin from "wavesurfer.js/plugins/regions";
import type { Recording } from "../api.ts";
import { COLOUR, styleNonce } from "../theme.ts";

export interface Span {
  from: number;
  to: number;
  role: string;
}

type Regions = ReturnType<typeof RegionsPlugin.create>;

export interface PlayerState {
  ready: boolean;
  failed: boolean;
  playing: boolean;
  rate: number;
  duration: number;
  span: Span | null;
}

export const RATES = [0.75, 1, 1.25, 1.5, 2];
const HEIGHT = 58;
const IDLE: PlayerState = { ready: false, failed: false, playing: false, rate: 1, duration: 0, span: null };

export class Player {
  state = IDLE;
  now = 0;
  private readonly listeners = new Set<() => void>();
  private wave: WaveSurfer | null = null;
  private regions: Regions | null = null;
  private evidence: Span[] = [];

  constructor(private readonly info: Recording) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private tell(part: Partial<PlayerState> = {}): void {
    if (Object.keys(part).length) this.state = { ...this.state, ...part };
    this.listeners.forEach((listener) => listener());
  }

  open(container: HTMLElement, sound: Blob): void {
    this.regions = RegionsPlugin.create();
    this.wave = WaveSurfer.create({
      container,
      height: HEIGHT,
      normalize: true,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      cursorColor: COLOUR.ink,
      cursorWidth: 2,
      cspNonce: styleNonce,
      splitChannels: this.info.roles.map((role) => paint(role)),
      plugins: [this.regions],
    });
    this.listen(this.wave);
    this.wave.loadBlob(sound).catch(() => this.tell({ failed: true }));
  }

  private listen(wave: WaveSurfer): void {
    wave.on("ready", (seconds) => {
      this.markGaps();
      this.tell({ ready: true, duration: seconds * 1000 - this.info.answer_ms });
      this.showEvidence(this.evidence);
    });
    wave.on("error", () => this.tell({ failed: true }));
    wave.on("play", () => this.tell({ playing: true }));
    wave.on("pause", () => this.tell({ playing: false }));
    wave.on("interaction", () => this.setSpan(null));
    wave.on("timeupdate", (seconds) => {
      this.now = seconds * 1000 - this.info.answer_ms;
      this.tell();
    });
  }

  private markGaps(): void {
    for (const gap of this.info.gaps) {
      const region = this.mark(gap.role, gap.start_ms, gap.end_ms);
      region?.element?.setAttribute("part", "region gap");
    }
  }

  private mark(role: string, from: number, to: number, id?: string) {
    const channel = this.info.roles.indexOf(role as "agent");
    return this.regions?.addRegion({
      id,
      start: this.inFile(from),
      end: this.inFile(to),
      drag: false,
      resize: false,
      channelIdx: this.info.roles.length > 1 && channel >= 0 ? channel : undefined,
    });
  }

  /** Outlines the spans that findings rest on; drawn again when the scorecard changes. */
  showEvidence(spans: Span[]): void {
    this.evidence = spans;
    if (!this.state.ready) return;
    this.remove("evidence");
    for (const span of spans) this.mark(span.role, span.from, span.to, "evidence")?.element?.setAttribute("part", "region evidence");
  }

  private remove(id: string): void {
    this.regions
      ?.getRegions()
      .filter((region) => region.id === id)
      .forEach((region) => region.remove());
  }

  private setSpan(span: Span | null): void {
    this.remove("span");
    if (span) this.mark(span.role, span.from, span.to, "span")?.element?.setAttribute("part", "region span");
    this.tell({ span });
  }

  private inFile(ms: number): number {
    const length = this.wave?.getDuration() ?? 0;
    return Math.min(Math.max(0, (ms + this.info.answer_ms) / 1000), length);
  }

  toggle(): void {
    this.setSpan(null);
    void this.wave?.playPause();
  }

  seek(ms: number): void {
    this.wave?.setTime(this.inFile(ms));
  }

  skip(ms: number): void {
    this.setSpan(null);
    this.seek(this.now + ms);
  }

  playFrom(ms: number): void {
    this.setSpan(null);
    this.seek(ms);
    void this.wave?.play();
  }

  /** Plays exactly this span and stops at its end. */
  playSpan(span: Span): void {
    if (!this.state.ready) return;
    this.setSpan(span);
    void this.wave?.play(this.inFile(span.from), this.inFile(span.to));
  }

  faster(steps: number): void {
    const next = RATES[RATES.indexOf(this.state.rate) + steps];
    if (next) this.setRate(next);
  }

  setRate(rate: number): void {
    this.wave?.setPlaybackRate(rate, true);
    this.tell({ rate });
  }

  close(): void {
    this.wave?.destroy();
    this.wave = null;
    this.state = IDLE;
  }
}

function paint(role: string) {
  if (role === "customer") return { waveColor: COLOUR.customerSoft, progressColor: COLOUR.customer };
  if (role === "agent") return { waveColor: COLOUR.agentSoft, progressColor: COLOUR.agent };
  return { waveColor: COLOUR.unknownSoft, progressColor: COLOUR.unknown };
}

export function usePlayer(info: Recording | null, sound: Blob | undefined): [Player | null, RefObject<HTMLDivElement | null>] {
  const place = useRef<HTMLDivElement>(null);
  const [player, setPlayer] = useState<Player | null>(null);
  const shape = JSON.stringify(info);
  useEffect(() => {
    if (!info || !sound || !place.current) return;
    const opened = new Player(info);
    opened.open(place.current, sound);
    setPlayer(opened);
    return () => {
      opened.close();
      setPlayer(null);
    };
  }, [shape, sound]);
  return [player, place];
}

const nothing = () => () => undefined;

export function usePlayerState(player: Player | null): PlayerState {
  return useSyncExternalStore(player?.subscribe ?? nothing, () => player?.state ?? IDLE);
}

/** A value taken from the running time; draws again only when the value changes. */
export function useAt<T>(player: Player | null, pick: (ms: number) => T): T {
  return useSyncExternalStore(player?.subscribe ?? nothing, () => pick(player?.now ?? -1));
}
