// One clock for everything that counts up: the server's, once a second, written without drawing the screen anew.
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

type Hand = () => void;

const hands = new Set<Hand>();
let offset = 0;
let held: number | null = null;
let timer: ReturnType<typeof setInterval> | undefined;

/** What the server says the time is; counts on from there. */
export function serverTime(at: string | undefined): void {
  if (at) offset = Date.parse(at) - Date.now();
}

/** A picture that is no longer kept up to date ages no further than it was known to hold. */
export function holdTime(since: string | null): void {
  held = since === null ? null : Date.parse(since);
}

export function now(): number {
  return held ?? Date.now() + offset;
}

export function secondsSince(at: string, moment = now()): number {
  return Math.max(0, (moment - Date.parse(at)) / 1000);
}

/** An element whose text is kept at what `text` says now. */
export function useTicking<T extends Element>(text: () => string): RefObject<T | null> {
  const element = useRef<T>(null);
  const latest = useRef(text);
  latest.current = text;
  const write = () => {
    const said = latest.current();
    if (element.current && element.current.textContent !== said) element.current.textContent = said;
  };
  useLayoutEffect(write);
  useEffect(() => {
    hands.add(write);
    timer ??= setInterval(() => hands.forEach((hand) => hand()), 1000);
    return () => {
      hands.delete(write);
      if (hands.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  return element;
}
