// The forms of /api/v1 and the one way of asking for them.

export type Role = "agent" | "customer" | "unknown";
export type State = "live" | "ended" | "recorded" | "transcribed" | "scored" | "failed";
export type Outcome = "na" | "clear" | "breach" | "met" | "unknown";
export type Decide = "auto" | "review" | "manual" | "norm";

export interface Totals {
  calls: number;
  live: number;
  scored: number;
  flagged: number;
  unknown: number;
  assumed: number;
  failed: number;
  unassigned: number;
  orphans: number;
  episodes: number;
}

export interface Site {
  site: string;
  version: string;
  timezone: string;
  language: string;
  pack: string;
  pack_version: string | null;
  loopback_only: true;
  text_trusted: boolean;
  synthetic_trusted: boolean;
  agents: string[];
  totals: Totals;
}

export interface Score {
  automatic: string;
  counted: string;
  assumed: boolean;
  unknown: number;
}

export interface Titles {
  zh: string | null;
  ko: string | null;
  en: string | null;
}

export interface Flag {
  rule: string;
  cite: string;
  title: Titles;
}

export interface Flags {
  breach: Flag[];
  review: Flag[];
  unknown: Record<string, number>;
}

export interface Part {
  kind: "first" | "later" | "transferred" | "consulted" | "missed";
  number: number;
}

export interface PartRow extends Part {
  id: string;
  seat: string | null;
  agent: string | null;
  at: string;
}

export interface CallRow {
  id: string;
  state: State;
  at: string | null;
  agent: string | null;
  seat: string | null;
  direction: "in" | "out" | "internal" | null;
  end: string | null;
  ring_count: number | null;
  ring_seconds: number | null;
  answer_seconds: number | null;
  talk_seconds: number | null;
  score: Score | null;
  flags: Flags;
  recording: boolean;
  synthetic: boolean;
  /** Ids of all parts of the conversation; empty where it has one. */
  parts: string[];
  part: Part | null;
  orphan: "no signalling" | "no media" | "adopted" | null;
  concluded: "legs_over" | "silent" | "withdrawn" | null;
  warnings: string[];
}

export interface CallPage {
  items: CallRow[];
  next: string | null;
}

export interface Metrics {
  ring_count: number | null;
  ring_seconds: number | null;
  ring_period_seconds: number | null;
  ring_source: string | null;
  queue_seconds: number | null;
  wrap_up_seconds: number | null;
  answer_seconds: number | null;
  talk_seconds: number | null;
  hold_seconds: number | null;
  silence_seconds: number | null;
  talk_over_seconds: number | null;
  agent_share: number | null;
  hung_up_by: string | null;
}

export interface Offer {
  seat: string | null;
  agent: string | null;
  ring_seconds: number | null;
  end: "answered" | "lost" | "no_answer" | "cancelled" | null;
}

export interface Gap {
  role: Role;
  start_ms: number;
  end_ms: number;
  cause: string;
}

export interface Recording {
  duration_ms: number | null;
  answer_ms: number;
  channels: "split" | "mixed";
  roles: Role[];
  content_type: string;
  bytes: number | null;
  gaps: Gap[];
}

export interface Run {
  pack: string;
  pack_version: string;
  engine: number;
  day: string;
  inputs: string;
  sequence: number | null;
  at: string | null;
}

export interface Call extends CallRow {
  offers: Offer[];
  conversation: PartRow[];
  queue: string | null;
  metrics: Metrics;
  recording_info: Recording | null;
  gaps: Gap[];
  run: Run | null;
  channels: "split" | "mixed" | "none";
}

export interface Turn {
  role: Role;
  start_ms: number;
  end_ms: number;
  text: string;
  confidence: string | null;
  doubted: boolean;
}

export interface Hit {
  category: string;
  entry: string;
  role: Role;
  start_ms: number;
  end_ms: number;
  text: string;
  how: string;
  turn: number;
  severity: string;
}

export interface Transcript {
  engine: string | null;
  model: string | null;
  language: string | null;
  synthetic: boolean;
  turns: Turn[];
  hits: Hit[];
}

export interface Evidence {
  kind: string;
  fact?: string | null;
  value?: unknown;
  role?: Role | null;
  start_ms?: number | null;
  end_ms?: number | null;
  why?: string | null;
  text?: string | null;
  [extra: string]: unknown;
}

export interface Line {
  rule: string;
  cite: string;
  title: Titles;
  outcome: Outcome;
  decide: Decide;
  counts: boolean;
  points: string;
  assumed: boolean;
  quote: string;
  cause: string | null;
  event: string | null;
  evidence: Evidence[];
}

export interface Scorecard {
  subject: string;
  agent: string | null;
  run: Run;
  lines: Line[];
  total: Score;
}

export interface EventRow {
  id: string;
  source: string;
  at: string;
  offset_ms: number;
  type: string;
  leg: string | null;
  seat: string | null;
  agent: string | null;
  detail: Record<string, unknown>;
}

export interface Episode {
  subject: string;
  seat: string | null;
  agent: string | null;
  at: string | null;
  until: string | null;
  away_seconds: number | null;
  ready_seconds: number | null;
  status: string | null;
  source: string | null;
  flags: Flags;
  scorecard: Scorecard | null;
}

export interface Refused {
  index: number;
  sheet?: string | null;
  id?: string | null;
  field: string;
  reason: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly refused: Refused[] = [],
  ) {
    super(message);
  }
}

export const ROOT = "/api/v1";

async function ask(path: string, signal?: AbortSignal, send?: RequestInit): Promise<Response> {
  let answer: Response;
  const headers = { ...send?.headers, "Accept-Language": document.documentElement.lang };
  try {
    answer = await fetch(ROOT + path, { ...send, headers, signal });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "");
  }
  if (!answer.ok) {
    const problem = (await answer.json().catch(() => null)) as { title?: string; detail?: string; refused?: Refused[] } | null;
    throw new ApiError(answer.status, problem?.detail ?? problem?.title ?? answer.statusText, problem?.refused);
  }
  return answer;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await ask(path, signal)).json() as Promise<T>;
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const send = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return (await ask(path, undefined, send)).json() as Promise<T>;
}

/** The whole recording in one request: one opening, one row in the access log. */
export async function recording(id: string, signal?: AbortSignal): Promise<Blob> {
  return (await ask(`${callPath(id)}/recording?purpose=listen`, signal)).blob();
}

export function callPath(id: string): string {
  return `/calls/${encodeURIComponent(id)}`;
}
