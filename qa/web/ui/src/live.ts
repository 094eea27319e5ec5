// Changes as the server tells them: rows already shown are replaced, new ones make the list ask again.
import { useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { CallPage, CallRow, Site, Totals } from "./api.ts";

interface Change {
  calls: CallRow[];
  totals: Totals;
}

type Pages = InfiniteData<CallPage, string | null>;

function patched(pages: Pages, rows: Map<string, CallRow>): Pages {
  return { ...pages, pages: pages.pages.map((page) => ({ ...page, items: page.items.map((row) => rows.get(row.id) ?? row) })) };
}

function take(client: QueryClient, change: Change): void {
  const rows = new Map(change.calls.map((row) => [row.id, row]));
  client.setQueryData<Site>(["site"], (site) => site && { ...site, totals: change.totals });
  if (rows.size === 0) return;
  client.setQueriesData<Pages>({ queryKey: ["calls"] }, (pages) => pages && patched(pages, rows));
  void client.invalidateQueries({ queryKey: ["calls"] });
  void client.invalidateQueries({ queryKey: ["site"] });
  void client.invalidateQueries({ queryKey: ["episodes"] });
  for (const id of rows.keys()) void client.invalidateQueries({ queryKey: ["call", id], refetchType: "active" });
}

/** Follows /api/v1/stream while it is on; true while connected. The browser reconnects by itself. */
export function useLive(on: boolean): boolean {
  const client = useQueryClient();
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    if (!on) return;
    const source = new EventSource("/api/v1/stream");
    const listen = (message: MessageEvent<string>) => take(client, JSON.parse(message.data) as Change);
    source.addEventListener("open", () => setConnected(true));
    source.addEventListener("error", () => setConnected(false));
    source.addEventListener("snapshot", listen);
    source.addEventListener("change", listen);
    return () => source.close();
  }, [client, on]);
  return connected;
}
