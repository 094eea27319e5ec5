// The forms of the board and of a seat's day, and what the screens ask for beside the stream.
import { useQuery } from "@tanstack/react-query";
import { get } from "../api.ts";

export const STATES = ["ready", "ringing", "talking", "hold", "wrap_up", "busy", "off_hook", "unreachable", "unknown", "offline"] as const;
export type SeatState = (typeof STATES)[number];
export type Confidence = "observed" | "snapshot" | "inferred";

export interface BoardCall {
  id: string;
  state: "offered" | "ringing" | "talking" | "hold";
  direction: "in" | "out" | "internal" | null;
  queue: string | null;
  ringing_at: string | null;
  answered_at: string | null;
  held_at: string | null;
  silent_since: string | null;
}

export interface BoardSeat {
  seat: string;
  state: SeatState;
  since: string | null;
  reason: string | null;
  confidence: Confidence;
  agent: string | null;
  name: string | null;
  team: string | null;
  present: "yes" | "no" | "unknown";
  present_since: string | null;
  work_since: string | null;
  call: BoardCall | null;
}

export interface BoardAlarm {
  kind: string;
  seat: string;
  agent: string | null;
  team: string | null;
  call: string | null;
  since: string;
  due_at: string;
  inferred: boolean;
  text: string;
  values: Record<string, string>;
}

export interface Snapshot {
  at: string;
  heard_at: string | null;
  ring_seconds: number;
  seats: BoardSeat[];
  alarms: BoardAlarm[];
}

export interface Delta {
  at: string;
  heard_at: string | null;
  seats: BoardSeat[];
  gone: string[];
  alarms: BoardAlarm[] | null;
}

export interface Times {
  seat: string | null;
  agent: string | null;
  name: string | null;
  team: string | null;
  told: Partial<Record<SeatState, number>>;
  inferred: Partial<Record<SeatState, number>>;
  busy: Record<string, number>;
  untold_seconds: number;
  absent_seconds: number;
  longest_work_seconds: number;
  occupancy: number | null;
  not_ready_share: number | null;
  changes: number;
  leaps: number;
}

export interface Stretch {
  state: SeatState;
  at: string;
  until: string | null;
  reason: string | null;
  confidence: Confidence;
  agent: string | null;
}

export interface Seen {
  present: "yes" | "no" | "unknown";
  at: string;
  until: string | null;
  by: string;
  agent: string | null;
}

export interface SeatLine {
  seat: string;
  start: string;
  until: string;
  states: Stretch[];
  presence: Seen[];
  times: Times;
  agents: Times[];
}

const AGAIN_MS = 10_000;

export const useSeatLine = (seat: string, day: string, moving: boolean) =>
  useQuery({
    queryKey: ["seat", seat, day],
    queryFn: ({ signal }) => get<SeatLine>(`/seats/${encodeURIComponent(seat)}?day=${day}`, signal),
    refetchInterval: moving ? AGAIN_MS : false,
    placeholderData: (before) => before,
  });

/** The day of an instant where the site is, as 2026-11-22. */
export function dayAt(instant: number, timezone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit" }).format(instant);
}
