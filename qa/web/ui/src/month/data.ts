// The forms of /api/v1/periods, and what the screens ask of them.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, post, type Decide, type Evidence, type Outcome, type Titles } from "../api.ts";

export type Kind = "person" | "team" | "site";
export type Standing = "proposed" | "reviewed" | "approved" | "rejected";
export type Step = "review" | "approve" | "reject";
export type FindingState = "counts" | "waits" | "dismissed" | "superseded" | "told";

export interface ClosedBy {
  by: string;
  at: string;
  cards_sha: string;
  engine: number;
}

export interface Row {
  who: string;
  kind: Kind;
  team: string;
  pack: string;
  score: string | null;
  grade: string | null;
  rank: string | null;
  state: string;
  pay: string | null;
  fine: string | null;
  waiting: number;
  unknown: number;
  assumed: number;
  recommendations: { kind: string; state: Standing }[];
}

export interface Month {
  month: string;
  money: "off" | "record_only" | "payroll_export";
  signed_off_by: string | null;
  closed: ClosedBy | null;
  over: boolean;
  skips: string[];
  as_of: string;
  items: Row[];
}

export interface Clause {
  rule: string;
  cite: string;
  title: Titles;
}

export interface Found {
  subject: string;
  kind: string;
  day: string;
  outcome: Outcome;
  state: FindingState;
  points: string | null;
  fine: string | null;
  amount: string | null;
  assumed: boolean;
  alarm: boolean;
  decided_by: string | null;
  evidence: Evidence[];
}

export interface Line extends Clause {
  quote: string;
  decide: Decide;
  points: string | null;
  count: string;
  assumed: boolean;
  findings: Found[];
}

export interface Recommended {
  kind: string;
  state: Standing;
  caution: string[];
  clauses: Clause[];
  steps: { state: Standing; by: string; at: string; reason: string }[];
}

export interface Sheet extends Omit<Row, "unknown" | "assumed" | "recommendations"> {
  month: string;
  money: Month["money"];
  closed: ClosedBy | null;
  pack_version: string;
  pack_title: Titles;
  raw: string | null;
  pay_note: string | null;
  ledger: string | null;
  amounts: (Clause & { amount: string })[];
  lines: Line[];
  values: (Clause & { value: string | boolean })[];
  unknown: (Clause & { causes: Record<string, number> })[];
  assumed: Clause[];
  alarms: Clause[];
  ladders: (Clause & { window: string; count: string })[];
  recommendations: Recommended[];
  adjusted: { points: string | null; pay: string | null };
  adjustments: ByHand[];
}

export interface ByHand {
  n: number;
  month: string;
  carried: string;
  points: string;
  pay: string | null;
  reason: string;
  by: string;
  at: string;
}

const sheetPath = (month: string, who: string) => `/periods/${month}/${encodeURIComponent(who)}`;

export const useMonths = () =>
  useQuery({ queryKey: ["months"], queryFn: ({ signal }) => get<{ items: { month: string; closed: boolean }[] }>("/periods", signal) });

export const useMonth = (month: string, on: boolean) =>
  useQuery({ queryKey: ["month", month], queryFn: ({ signal }) => get<Month>(`/periods/${month}`, signal), enabled: on });

export const useSheet = (month: string, kind: Kind, who: string) =>
  useQuery({
    queryKey: ["month", month, kind, who],
    queryFn: ({ signal }) => get<Sheet>(`${sheetPath(month, who)}?of=${kind}`, signal),
  });

export function useClose(month: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => post<Month>(`/periods/${month}/close`, {}),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: ["month"] }), client.invalidateQueries({ queryKey: ["months"] })]),
  });
}

export function useDecide(month: string, who: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (told: { kind: string; step: Step; reason: string }) => post<{ state: string }>(`${sheetPath(month, who)}/decide`, told),
    onSettled: () => client.invalidateQueries({ queryKey: ["month", month] }),
  });
}

export function useAdjust(month: string, who: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (told: { points?: string; pay?: string; undo?: number; reason: string }) => post<{ carried: string }>(`${sheetPath(month, who)}/adjust`, told),
    onSettled: () => client.invalidateQueries({ queryKey: ["month"] }),
  });
}
