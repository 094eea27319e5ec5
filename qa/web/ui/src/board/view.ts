// Which seats are shown, in which order, and what the address says of it; pure but for the address.
import { useSyncExternalStore } from "react";
import { go, onMove } from "../route.ts";
import type { BoardAlarm, BoardSeat, SeatState } from "./data.ts";

export interface View {
  team: string;
  state: SeatState | "";
}

/** Filters stand in the address, so that a wall keeps them over a restart. */
export function useView(): [View, (view: Partial<View>) => void] {
  const search = useSyncExternalStore(onMove, () => location.search);
  const query = new URLSearchParams(search);
  const view: View = { team: query.get("team") ?? "", state: (query.get("state") ?? "") as View["state"] };
  return [view, (part) => go(location.pathname + searchOf({ ...view, ...part }))];
}

export function searchOf(view: View): string {
  const query = new URLSearchParams(Object.entries(view).filter(([, value]) => value));
  return query.size ? `?${query.toString()}` : "";
}

export function bySeat(alarms: BoardAlarm[]): Map<string, BoardAlarm[]> {
  const found = new Map<string, BoardAlarm[]>();
  for (const alarm of alarms) found.set(alarm.seat, [...(found.get(alarm.seat) ?? []), alarm]);
  return found;
}

/** Seats of a view, teams together, names as a person counts: S2 before S10. */
export function shownSeats(seats: Iterable<BoardSeat>, view: View): BoardSeat[] {
  return [...seats]
    .filter((seat) => (!view.team || seat.team === view.team) && (!view.state || seat.state === view.state))
    .sort((one, other) => order(one.team ?? "\uffff", other.team ?? "\uffff") || order(one.seat, other.seat));
}

export const order = new Intl.Collator(undefined, { numeric: true }).compare;

export function teamsOf(seats: Iterable<BoardSeat>): string[] {
  return [...new Set([...seats].flatMap((seat) => (seat.team ? [seat.team] : [])))].sort(order);
}

export function countsOf(seats: Iterable<BoardSeat>): Map<SeatState, number> {
  const found = new Map<SeatState, number>();
  for (const seat of seats) found.set(seat.state, (found.get(seat.state) ?? 0) + 1);
  return found;
}
