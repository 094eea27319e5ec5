// A link inside the screens: no page is loaded, unless the reader wants it in another tab.
import type { MouseEvent } from "react";
import { go } from "../route.ts";

export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(event.currentTarget.pathname + event.currentTarget.search);
}
