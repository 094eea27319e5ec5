// Keys of a screen; silent while the reader types or a dialog is open.
import { useEffect, useRef } from "react";

type Actions = Record<string, (event: KeyboardEvent) => void>;

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function pressing(target: EventTarget | null, key: string): boolean {
  return (key === " " || key === "Enter") && target instanceof HTMLElement && target.closest("button, a, [role=tab], [role=button]") !== null;
}

export function useKeys(actions: Actions, on = true): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    if (!on) return;
    const listen = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || pressing(event.target, event.key)) return;
      if (document.querySelector(".ant-modal-wrap:not([style*='none'])")) return;
      const action = latest.current[event.key];
      if (!action) return;
      event.preventDefault();
      action(event);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [on]);
}
