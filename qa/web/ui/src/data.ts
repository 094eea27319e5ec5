// What the screens ask for, each under one query key.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import {
  callPath,
  get,
  recording,
  type Call,
  type CallPage,
  type Episode,
  type EventRow,
  type Scorecard,
  type Site,
  type Transcript,
} from "./api.ts";

export interface Filters {
  agent: string;
  day: string;
  outcome: string;
  flagged: boolean;
  text: string;
  state: string;
  kind: string;
  sort: "newest" | "flagged";
}

/** Stands in the agent filter for calls that are nobody's; no agent's code holds a space. */
export const NOBODY = " nobody";
export const NO_FILTERS: Filters = { agent: "", day: "", outcome: "", flagged: false, text: "", state: "", kind: "", sort: "newest" };

export function search(filters: Filters, cursor: string | null): string {
  const query = new URLSearchParams({ sort: filters.sort, limit: "50" });
  if (filters.agent === NOBODY) query.set("unassigned", "true");
  else if (filters.agent) query.set("agent", filters.agent);
  for (const name of ["day", "outcome", "text", "state", "kind"] as const) if (filters[name]) query.set(name, filters[name]);
  if (filters.flagged) query.set("flagged", "true");
  if (cursor) query.set("cursor", cursor);
  return query.toString();
}

export const useSite = () => useQuery({ queryKey: ["site"], queryFn: ({ signal }) => get<Site>("/site", signal) });

export const useCalls = (filters: Filters) =>
  useInfiniteQuery({
    queryKey: ["calls", filters],
    queryFn: ({ pageParam, signal }) => get<CallPage>(`/calls?${search(filters, pageParam)}`, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: (previous) => previous,
  });

export const useCall = (id: string) =>
  useQuery({ queryKey: ["call", id, "call"], queryFn: ({ signal }) => get<Call>(callPath(id), signal) });

export const useTranscript = (id: string, on: boolean) =>
  useQuery({
    queryKey: ["call", id, "transcript"],
    queryFn: ({ signal }) => get<Transcript>(`${callPath(id)}/transcript?purpose=review`, signal),
    enabled: on,
  });

export const useScorecard = (id: string, on: boolean) =>
  useQuery({ queryKey: ["call", id, "scorecard"], queryFn: ({ signal }) => get<Scorecard>(`${callPath(id)}/scorecard`, signal), enabled: on });

export const useEvents = (id: string) =>
  useQuery({ queryKey: ["call", id, "events"], queryFn: ({ signal }) => get<{ items: EventRow[] }>(`${callPath(id)}/events`, signal) });

export const useRecording = (id: string, on: boolean) =>
  useQuery({ queryKey: ["recording", id], queryFn: ({ signal }) => recording(id, signal), enabled: on, staleTime: Infinity, gcTime: 60_000 });

export const useEpisodes = () =>
  useQuery({ queryKey: ["episodes"], queryFn: ({ signal }) => get<{ items: Episode[] }>("/episodes", signal) });
