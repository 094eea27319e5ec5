// Where the reader is: three addresses, kept in the browser's own history.
import { useSyncExternalStore } from "react";

export type Route = { screen: "calls" } | { screen: "episodes" } | { screen: "call"; id: string } | { screen: "none" };

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export function parse(path: string): Route {
  if (path === "/" || path === "/calls") return { screen: "calls" };
  if (path === "/episodes") return { screen: "episodes" };
  const id = path.startsWith("/calls/") ? decoded(path.slice("/calls/".length)) : null;
  return id ? { screen: "call", id } : { screen: "none" };
}

export function callAddress(id: string): string {
  return `/calls/${encodeURIComponent(id)}`;
}

const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());
window.addEventListener("popstate", tell);

export function go(path: string): void {
  if (path !== location.pathname + location.search) history.pushState(null, "", path);
  tell();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useRoute(): Route {
  return parse(useSyncExternalStore(subscribe, () => location.pathname));
}
