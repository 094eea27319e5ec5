// What the screens of records ask for, each under one query key.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get, type Refused, type Titles } from "../api.ts";

export type Raw = Record<string, unknown>;

export interface Kept {
  record: Raw & { kind: string; id: string };
  version: number;
  actor: string;
  made_at: string;
}

export interface Field {
  name: string;
  type: string;
  need: boolean;
  values: string[];
  open: boolean;
}

export interface Kind {
  kind: string;
  when: string[];
  sources: string[];
  fields: Field[];
}

export interface Contract {
  kinds: Kind[];
  parts: Record<string, Field[]>;
  case_types: Record<string, { stages: string[]; levels: string[]; classes: string[] }>;
  figures: Record<string, string>;
}

export interface ObservedRule {
  rule: string;
  cite: string;
  title: Titles;
  quote: string;
  quote_ko: string | null;
  decide: string;
  per: string;
  on: boolean;
  why: string | null;
  points: string | null;
  assumed: boolean;
  ranges: { min: string; max: string }[];
  worth: string | null;
}

export interface ObservedRules {
  pack: string;
  title: Titles;
  packs: string[];
  items: ObservedRule[];
}

export type RegisterName = "leave" | "attendance" | "case";

export interface Register {
  name: RegisterName;
  since: string | null;
}

export interface Delivery {
  id: string;
  name: string;
  accepted: number;
  duplicates: number;
  refused: number;
  actor: string;
  made_at: string;
}

export interface Imported {
  file: string;
  accepted: number;
  duplicates: number;
  refused: Refused[];
  refused_lines: number;
  kinds: Record<string, number>;
}

export interface Wanted {
  kind: string;
  agent: string;
  month: string;
  source: string;
  withdrawn: boolean;
}

export const ANY: Wanted = { kind: "", agent: "", month: "", source: "", withdrawn: false };

function lastDay(month: string): string {
  const [year, number] = month.split("-").map(Number);
  return `${month}-${new Date(Date.UTC(year!, number!, 0)).getUTCDate()}`;
}

export function search(wanted: Wanted, cursor: string | null): string {
  const query = new URLSearchParams({ limit: "50" });
  for (const name of ["kind", "agent", "source"] as const) if (wanted[name]) query.set(name, wanted[name]);
  if (/^\d{4}-\d\d$/.test(wanted.month)) {
    query.set("from", `${wanted.month}-01`);
    query.set("to", lastDay(wanted.month));
  }
  if (wanted.withdrawn) query.set("withdrawn", "true");
  if (cursor) query.set("cursor", cursor);
  return query.toString();
}

export const useRecords = (wanted: Wanted) =>
  useInfiniteQuery({
    queryKey: ["records", wanted],
    queryFn: ({ pageParam, signal }) => get<{ items: Kept[]; next: string | null }>(`/records?${search(wanted, pageParam)}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: (previous) => previous,
  });

export const useVersions = (id: string) =>
  useQuery({
    queryKey: ["records", "versions", id],
    queryFn: ({ signal }) => get<{ items: Kept[] }>(`/records/${encodeURIComponent(id)}`, signal),
  });

export const useContract = () =>
  useQuery({ queryKey: ["kinds"], queryFn: ({ signal }) => get<Contract>("/kinds", signal), staleTime: Infinity });

export const useRules = (pack: string | null, on: boolean) =>
  useQuery({
    queryKey: ["rules", pack],
    queryFn: ({ signal }) => get<ObservedRules>(pack ? `/rules?pack=${pack}` : "/rules", signal),
    staleTime: 60_000,
    enabled: on,
  });

export const usePeople = () =>
  useQuery({ queryKey: ["records", "people"], queryFn: ({ signal }) => get<{ agents: string[] }>("/people", signal) });

export const useMe = () =>
  useQuery({ queryKey: ["me"], queryFn: ({ signal }) => get<{ actor: string; role: string }>("/me", signal), staleTime: 60_000 });

export const useRegisters = () =>
  useQuery({ queryKey: ["registers"], queryFn: ({ signal }) => get<{ items: Register[] }>("/registers", signal) });

export const useDeliveries = () =>
  useQuery({ queryKey: ["records", "deliveries"], queryFn: ({ signal }) => get<{ items: Delivery[] }>("/deliveries", signal) });
