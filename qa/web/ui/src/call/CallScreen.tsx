// Screen two: one call, heard, read and scored side by side.
import { ArrowLeftOutlined, AudioMutedOutlined } from "@ant-design/icons";
import { Alert, Button, Tabs } from "antd";
import { useEffect, useState } from "react";
import { ApiError, type Call, type Evidence, type Line, type PartRow, type Scorecard, type Transcript as Heard } from "../api.ts";
import { Mark, PartMark, Points, StateMark, usePartName } from "../calls/cells.tsx";
import { useCall, useEvents, useRecording, useScorecard, useSite, useTranscript } from "../data.ts";
import { isZero, moment } from "../format.ts";
import { useKeys } from "../keys.ts";
import { callAddress, go } from "../route.ts";
import { follow } from "../shell/follow.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { Figures } from "./Figures.tsx";
import { asking, Findings, isSpan, type Actions } from "./Findings.tsx";
import { usePlayer, type Player, type Span } from "./player.ts";
import { Recording } from "./Recording.tsx";
import { Signalling } from "./Signalling.tsx";
import { Transcript } from "./Transcript.tsx";

type Tab = "findings" | "signalling" | "figures";

function Head({ call, timezone }: { call: Call; timezone: string }) {
  const { t, term, language } = useWords();
  const score = call.score;
  return (
    <div className="callhead">
      <Button icon={<ArrowLeftOutlined />} onClick={() => go("/")}>
        {t("nav.back")}
      </Button>
      <div className="names">
        <h1>{t("unit.call", { id: call.id })}</h1>
        <p>
          {call.at && <span>{moment(call.at, language, timezone)}</span>}
          <span>{call.agent ?? t("not.known")}</span>
          <span>{call.seat ?? t("not.known")}</span>
          <span>{term("direction", call.direction)}</span>
          <span>{term("end", call.end)}</span>
          <StateMark state={call.state} />
          <PartMark row={call} />
        </p>
      </div>
      <span className="stretch" />
      {score && (
        <dl className="scores">
          <div>
            <dt>{t("score.automatic")}</dt>
            <dd>
              <Points value={score.automatic} assumed={score.assumed && !isZero(score.automatic)} />
            </dd>
          </div>
          <div>
            <dt>{t("score.counted")}</dt>
            <dd>
              <Points value={score.counted} assumed={score.assumed && !isZero(score.counted)} />
            </dd>
          </div>
          {score.unknown > 0 && <Mark kind="unknown">{t("score.unknown", { count: score.unknown })}</Mark>}
        </dl>
      )}
    </div>
  );
}

function PartLink({ part }: { part: PartRow }) {
  const { t, language } = useWords();
  const timezone = useSite().data?.timezone ?? "UTC";
  const name = usePartName();
  return (
    <>
      <b>{name(part)}</b> {part.seat ?? t("not.known")} · {part.agent ?? t("unassigned")}{" "}
      <small className="num">{moment(part.at, language, timezone, "time")}</small>
    </>
  );
}

/** The other parts of the conversation in the order of their rings, or the call that took this audio. */
function Parts({ call }: { call: Call }) {
  const { t } = useWords();
  const taken = call.orphan === "adopted" ? call.parts[0] : undefined;
  if (taken === undefined && call.conversation.length < 2) return null;
  return (
    <nav className="parts" aria-label={t("parts.title")}>
      {taken !== undefined && (
        <a href={callAddress(taken)} onClick={follow}>
          {t("part.taken", { id: taken })}
        </a>
      )}
      {call.conversation.map((part) =>
        part.id === call.id ? (
          <strong key={part.id} aria-current="page">
            <PartLink part={part} />
          </strong>
        ) : (
          <a key={part.id} href={callAddress(part.id)} onClick={follow}>
            <PartLink part={part} />
          </a>
        ),
      )}
    </nav>
  );
}

function spanOf(one: Evidence): Span {
  return { from: one.start_ms ?? 0, to: one.end_ms ?? 0, role: one.role ?? "unknown" };
}

function Silent({ call }: { call: Call }) {
  const { t } = useWords();
  const unanswered = call.end !== null && call.end !== "answered";
  const missed = call.part?.kind === "missed";
  const text = missed ? "part.missed.hint" : call.state === "live" ? "player.none.live" : unanswered ? "player.none.unanswered" : "player.none.missing";
  return (
    <section className="panel silent" aria-label={t("player.label")}>
      <AudioMutedOutlined aria-hidden />
      <p>
        <strong>{t("player.none.title")}</strong> {t(text)}
      </p>
    </section>
  );
}

/** Keys of this screen; `chosen` is the finding that Enter plays. */
function useCallKeys(player: Player | null, heard: Heard | undefined, lines: Line[], actions: Actions): number {
  const [chosen, choose] = useState(-1);
  const turn = (step: number) => {
    const starts = heard?.turns.map((one) => one.start_ms) ?? [];
    const now = player?.now ?? 0;
    const next = step > 0 ? starts.find((start) => start > now + 50) : starts.filter((start) => start < now - 800).at(-1);
    if (next !== undefined) player?.playFrom(next);
  };
  useKeys({
    " ": () => player?.toggle(),
    ArrowLeft: () => player?.skip(-5000),
    ArrowRight: () => player?.skip(5000),
    ArrowUp: () => turn(-1),
    ArrowDown: () => turn(1),
    "[": () => player?.faster(-1),
    "]": () => player?.faster(1),
    j: () => choose((now) => Math.min(now + 1, lines.length - 1)),
    k: () => choose((now) => Math.max(now - 1, 0)),
    b: () => go("/"),
    Enter: () => {
      const evidence = lines[chosen]?.evidence ?? [];
      const span = evidence.find(isSpan);
      const signal = evidence.find((one) => one.kind === "signal");
      if (span) actions.play(span);
      else if (signal) actions.showSignals(signal);
    },
  });
  return chosen;
}

function Body({ call, card, heard, timezone }: { call: Call; card: Scorecard | undefined; heard: Heard | undefined; timezone: string }) {
  const { t } = useWords();
  const [tab, setTab] = useState<Tab>("findings");
  const [marked, mark] = useState(false);
  const events = useEvents(call.id);
  const sound = useRecording(call.id, call.recording_info !== null);
  const [player, place] = usePlayer(call.recording_info, sound.data);
  const lines = asking(card?.lines ?? []);
  useEffect(() => player?.showEvidence(lines.flatMap((line) => line.evidence.filter(isSpan)).map(spanOf)), [player, card]);
  const actions: Actions = {
    canPlay: player !== null,
    play: (one) => player?.playSpan(spanOf(one)),
    showSignals: () => {
      mark(true);
      setTab("signalling");
    },
  };
  const chosen = useCallKeys(player, heard, lines, actions);
  const signalling = (
    <Signalling events={events.data?.items ?? []} metrics={call.metrics} timezone={timezone} marked={marked && tab === "signalling"} />
  );
  const spoken = call.channels !== "none" || heard !== undefined;
  return (
    <>
      {call.recording_info ? <Recording info={call.recording_info} player={player} place={place} error={sound.error} /> : <Silent call={call} />}
      <div className={spoken ? "split" : "split single"}>
        {spoken && (
          <section className="panel column" aria-label={t("transcript.title")}>
            {heard ? <Transcript heard={heard} player={player} /> : <p className="faint padded">{t("transcript.waiting")}</p>}
          </section>
        )}
        <section className="panel column">
          <Tabs
            activeKey={tab}
            onChange={(key) => {
              setTab(key as Tab);
              mark(false);
            }}
            items={[
              {
                key: "findings",
                label: `${t("findings.title")} (${lines.length})`,
                children: card ? <Findings lines={card.lines} timezone={timezone} actions={actions} chosen={chosen} /> : <p className="faint">{t("findings.waiting")}</p>,
              },
              { key: "signalling", label: t("signalling.title"), children: signalling },
              { key: "figures", label: t("figures.title"), children: <Figures call={call} heard={heard} /> },
            ]}
          />
        </section>
      </div>
    </>
  );
}

export default function CallScreen({ id }: { id: string }) {
  const { t, term } = useWords();
  const site = useSite();
  const call = useCall(id);
  const scored = call.data?.score != null;
  const card = useScorecard(id, scored);
  const heard = useTranscript(id, call.data !== undefined && ["transcribed", "scored"].includes(call.data.state) && call.data.channels !== "none");
  if (call.isPending) return <Waiting rows={10} />;
  if (call.isError) {
    const unknown = call.error instanceof ApiError && call.error.status === 404;
    return <Trouble error={unknown ? null : call.error} text={unknown ? t("error.unknown.call") : undefined} onRetry={() => void call.refetch()} />;
  }
  const timezone = site.data?.timezone ?? "UTC";
  return (
    <article className="call">
      <Head call={call.data} timezone={timezone} />
      <Parts call={call.data} />
      {call.data.warnings.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t("warnings.title")}
          description={
            <ul className="plain">
              {call.data.warnings.map((warning) => (
                <li key={warning}>{term("warning", warning)}</li>
              ))}
            </ul>
          }
        />
      )}
      <Body call={call.data} card={card.data} heard={heard.data} timezone={timezone} />
    </article>
  );
}
