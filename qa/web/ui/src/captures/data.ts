// What other systems' lists of calls showed of each day, and how a share is written.
import { useQuery } from "@tanstack/react-query";
import { get } from "../api.ts";

export type MissingState = "gaps" | "no_audio" | "never_seen";
export const MISSING: MissingState[] = ["never_seen", "no_audio", "gaps"];

export interface MissingCall {
  call: string;
  at: string;
  state: MissingState;
  reason: string;
  why: string | null;
  values: Record<string, string>;
  ours: string | null;
}

export interface CaptureDay {
  day: string;
  files: string;
  listed: number;
  recorded: number;
  gaps: number;
  no_audio: number;
  never_seen: number;
  nothing: number;
  excluded: number;
  refused: number;
  unlisted: number;
  rate: number | null;
  missing: MissingCall[];
  actor: string;
  made_at: string;
}

const AGAIN_MS = 60_000;

/** The last days that there are, newest first. */
export const useCaptures = () =>
  useQuery({
    queryKey: ["captures"],
    queryFn: ({ signal }) => get<{ items: CaptureDay[] }>("/captures", signal),
    refetchInterval: AGAIN_MS,
    select: (found) => found.items,
  });

/** One day that is not among those. */
export const useCapture = (day: string, on: boolean) =>
  useQuery({
    queryKey: ["captures", day],
    queryFn: ({ signal }) => get<{ items: CaptureDay[] }>(`/captures?first=${day}&last=${day}`, signal),
    enabled: on,
    select: (found) => found.items[0] ?? null,
  });

export function wanted(one: CaptureDay): number {
  return one.recorded + one.missing.length;
}

/** Two places, rounded down: what is not whole never reads as 100 %. */
export function percent(rate: number): string {
  if (rate >= 1) return "100 %";
  return `${(Math.floor(rate * 10_000 + 1e-6) / 100).toFixed(2)} %`;
}

const DAY_MS = 86_400_000;
const MOST_DAYS = 62;

/** Every day from the first to the last, those without a list too; too long a stretch shows those that have one. */
export function calendar(days: CaptureDay[]): { day: string; found: CaptureDay | null }[] {
  const sorted = [...days].sort((one, other) => one.day.localeCompare(other.day));
  const first = sorted[0] && Date.parse(sorted[0].day);
  const last = Date.parse(sorted.at(-1)?.day ?? "");
  if (first === undefined || (last - first) / DAY_MS >= MOST_DAYS) return sorted.map((found) => ({ day: found.day, found }));
  const known = new Map(sorted.map((one) => [one.day, one]));
  const all = [];
  for (let at = first; at <= last; at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    all.push({ day, found: known.get(day) ?? null });
  }
  return all;
}
