// Where the reader is: a few addresses, kept in the browser's own history.
import { useSyncExternalStore } from "react";

export type Desk = "list" | "new" | "import" | "registers";
export type Route =
  | { screen: "calls" }
  | { screen: "episodes" }
  | { screen: "call"; id: string }
  | { screen: "records"; desk: Desk }
  | { screen: "record"; id: string }
  | { screen: "month"; month: string | null; kind: "person" | "team" | "site"; who: string | null }
  | { screen: "board" }
  | { screen: "wall" }
  | { screen: "seat"; seat: string }
  | { screen: "setup" }
  | { screen: "captures"; day: string | null }
  | { screen: "none" };

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export function parse(path: string): Route {
  if (path === "/" || path === "/calls") return { screen: "calls" };
  if (path === "/board") return { screen: "board" };
  if (path === "/board/wall") return { screen: "wall" };
  const seat = path.startsWith("/seats/") ? decoded(path.slice("/seats/".length)) : null;
  if (seat) return { screen: "seat", seat };
  if (path === "/setup") return { screen: "setup" };
  const day = /^\/captures(?:\/(\d{4}-\d{2}-\d{2}))?$/.exec(path);
  if (day) return { screen: "captures", day: day[1] ?? null };
  if (path === "/episodes") return { screen: "episodes" };
  const desk = /^\/records(?:\/(new|import|registers))?$/.exec(path);
  if (desk) return { screen: "records", desk: (desk[1] as Desk | undefined) ?? "list" };
  const record = path.startsWith("/records/id/") ? decoded(path.slice("/records/id/".length)) : null;
  if (record) return { screen: "record", id: record };
  const month = /^\/months(?:\/(\d{4}-\d{2})(?:\/(person|team|site)\/([^/]+))?)?$/.exec(path);
  if (month) {
    const who = month[3] ? decoded(month[3]) : null;
    return { screen: "month", month: month[1] ?? null, kind: (month[2] as "person" | "team" | "site" | undefined) ?? "person", who };
  }
  const id = path.startsWith("/calls/") ? decoded(path.slice("/calls/".length)) : null;
  return id ? { screen: "call", id } : { screen: "none" };
}

export function callAddress(id: string): string {
  return `/calls/${encodeURIComponent(id)}`;
}

export function seatAddress(seat: string): string {
  return `/seats/${encodeURIComponent(seat)}`;
}

export function capturesAddress(day: string): string {
  return `/captures/${day}`;
}

export function recordAddress(id: string): string {
  return `/records/id/${encodeURIComponent(id)}`;
}

export function monthAddress(month: string, kind?: string, who?: string): string {
  return who === undefined ? `/months/${month}` : `/months/${month}/${kind}/${encodeURIComponent(who)}`;
}

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());
window.addEventListener("popstate", tell);

export function go(path: string): void {
  if (path !== location.pathname + location.search) history.pushState(null, "", path);
  tell();
}

export function onMove(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useRoute(): Route {
  return parse(useSyncExternalStore(onMove, () => location.pathname));
}
