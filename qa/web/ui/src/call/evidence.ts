// Facts and settings that a finding rests on, in the reader's words; pure.
import type { Evidence } from "../api.ts";
import { minutes, moment, oneDecimal } from "../format.ts";
import type { Words } from "../words.tsx";

/** Facts that the signalling shows. */
export const RINGING = new Set(["ring_count", "ring_seconds", "ring_source", "end", "hung_up_by", "direction", "transfers"]);

/** Which family of words the value of a fact or setting belongs to. */
const FAMILY: Record<string, string> = {
  end: "end",
  direction: "direction",
  hung_up_by: "party",
  ring_source: "ring_source",
  ring_policy: "ring_policy",
  status: "seat",
  source: "source",
  channels: "channels",
};

const UNKNOWN = /^unknown \((\w+)\)$/;
const INSTANT = /^\d{4}-\d\d-\d\dT/;

export function nameOf(evidence: Evidence, { term, known }: Words): string {
  const name = evidence.fact ?? String(evidence.name ?? evidence.kind);
  return known("fact", name) ? term("fact", name) : term("why", name);
}

function measured(name: string, text: string, { t }: Words): string | null {
  const number = Number(text);
  if (text === "" || Number.isNaN(number)) return null;
  if (name === "ring_count") return t(number === 1 ? "unit.ring" : "unit.rings", { count: text });
  const seconds = name.endsWith("_ms") ? number / 1000 : name.endsWith("_seconds") || name.endsWith("_s") ? number : null;
  if (seconds === null) return null;
  return seconds >= 60 ? minutes(seconds) : t("unit.seconds", { seconds: oneDecimal(seconds) });
}

function unit(evidence: Evidence, text: string, { t }: Words): string {
  if (evidence.unit === "ring") return t(text === "1" ? "unit.ring" : "unit.rings", { count: text });
  if (evidence.unit === "decibel") return `${text} dB`;
  return text;
}

/** Who wrote a setting, where it is not simply printed in the regulation. */
function whose(evidence: Evidence, { t }: Words): string {
  if (evidence.kind !== "setting") return "";
  if (evidence.source === "lost") return ` (${t("assumed")})`;
  return evidence.source === "site" ? ` (${t("setting.site")})` : "";
}

export function valueOf(evidence: Evidence, words: Words, timezone: string): string {
  const name = evidence.fact ?? String(evidence.name ?? "");
  const text = String(evidence.value ?? "");
  const cause = UNKNOWN.exec(text)?.[1];
  if (cause) return `${words.t("not.known")} (${words.term("cause", cause)})`;
  const family = FAMILY[name];
  if (family) return words.term(family, text);
  if (text === "yes" || text === "no") return words.t(text === "yes" ? "value.true" : "value.false");
  if (INSTANT.test(text)) return moment(text, words.language, timezone);
  return (measured(name, text, words) ?? unit(evidence, text, words)) + whose(evidence, words);
}
