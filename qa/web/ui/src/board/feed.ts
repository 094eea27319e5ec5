// Follows /api/v1/board/events: the picture, how old it is, and the server's clock. Comes back by itself, whatever broke.
import { useEffect, useState } from "react";
import type { BoardAlarm, BoardSeat, Delta, Snapshot } from "./data.ts";
import { holdTime, now, serverTime } from "./tick.ts";

const SILENT_MS = 12_000; // the server beats every 5 s: a line that says nothing for longer is dead
const AGAIN_MS = 2_000;

export interface Picture {
  /** null before the first snapshot. */
  seats: ReadonlyMap<string, BoardSeat> | null;
  alarms: BoardAlarm[];
  ringSeconds: number;
  heardAt: string | null;
  /** Since when there is no connection; null while there is one. */
  brokenSince: string | null;
  /** Since when the server has no database; null while it has. */
  awaySince: string | null;
}

const NOTHING: Picture = { seats: null, alarms: [], ringSeconds: 5, heardAt: null, brokenSince: null, awaySince: null };

function whole(before: Picture, told: Snapshot): Picture {
  const seats = new Map(told.seats.map((seat) => [seat.seat, seat]));
  return { ...before, seats, alarms: told.alarms, ringSeconds: told.ring_seconds, heardAt: told.heard_at };
}

function changed(before: Picture, told: Delta): Picture {
  const seats = new Map(before.seats);
  for (const seat of told.seats) seats.set(seat.seat, seat);
  for (const name of told.gone) seats.delete(name);
  return { ...before, seats, alarms: told.alarms ?? before.alarms, heardAt: told.heard_at };
}

/** One line to the server; a new one where it ended, failed, or fell silent. */
function follow(set: (change: (before: Picture) => Picture) => void): () => void {
  let source: EventSource;
  let last = "";
  let heard = Date.now();
  const broken = () => set((before) => (before.brokenSince ? before : { ...before, brokenSince: new Date(Date.now()).toISOString() }));
  const take = <T,>(name: string, merge: (before: Picture, told: T) => Picture) =>
    source.addEventListener(name, (message: MessageEvent<string>) => {
      const told = JSON.parse(message.data) as T;
      heard = Date.now();
      last = message.lastEventId || last;
      serverTime((told as { at?: string }).at);
      set((before) => ({ ...merge(before, told), brokenSince: null }));
    });
  const open = () => {
    heard = Date.now();
    source = new EventSource(`/api/v1/board/events${last ? `?last=${encodeURIComponent(last)}` : ""}`);
    source.addEventListener("error", broken);
    take<Snapshot>("snapshot", whole);
    take<Delta>("delta", changed);
    take<object>("beat", (before) => before);
    take<{ database: string; since: string | null }>("status", (before, told) => ({
      ...before,
      awaySince: told.database === "away" ? told.since : null,
    }));
  };
  open();
  const watch = setInterval(() => {
    const silent = Date.now() - heard > SILENT_MS;
    if (silent) broken();
    if (silent || source.readyState === EventSource.CLOSED) {
      source.close();
      open();
    }
  }, AGAIN_MS);
  return () => {
    clearInterval(watch);
    source.close();
  };
}

export function useBoard(): Picture {
  const [picture, set] = useState<Picture>(NOTHING);
  useEffect(() => follow(set), []);
  useEffect(() => {
    holdTime(picture.brokenSince || picture.awaySince ? new Date(now()).toISOString() : null);
    return () => holdTime(null);
  }, [picture.brokenSince, picture.awaySince]);
  return picture;
}
