// One clock for everything that counts up: the server's, once a second, written without drawing the screen anew.
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";

type Hand = () => void;

const hands = new Set<Hand>();
let offset = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** What the server says the time is; counts on from there. */
export function serverTime(at: string | undefined): void {
  if (at) offset = Date.parse(at) - Date.now();
}

export function now(): number {
  return Date.now() + offset;
}

export function secondsSince(at: string): number {
  return Math.max(0, (now() - Date.parse(at)) / 1000);
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
