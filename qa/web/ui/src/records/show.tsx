// One value of a record, and a record in a line.
import { moment } from "../format.ts";
import type { Field, Kept, Kind, Raw } from "./data.ts";
import type { Terms } from "./terms.ts";
import { useTerms } from "./terms.ts";
import { useWords } from "../words.tsx";

const NARROWED = new Set(["level", "class"]); // their words belong to the process of a case

export function plainTime(value: string): string {
  return value.replace("T", " ").replace(/(\.\d*?)0+$/, "$1");
}

export function text(field: Field | undefined, name: string, value: unknown, terms: Terms, yes: string, no: string): string {
  if (typeof value === "boolean") return value ? yes : no;
  if (Array.isArray(value)) return value.map((one) => text(undefined, name, one, terms, yes, no)).join(", ");
  if (value !== null && typeof value === "object") {
    return Object.entries(value as Raw)
      .map(([key, one]) => `${terms.field(key)}: ${text(undefined, key, one, terms, yes, no)}`)
      .join("; ");
  }
  const said = String(value);
  if (field?.type === "datetime" || /^\d{4}-\d\d-\d\dT/.test(said)) return plainTime(said);
  return field && field.values.length === 0 && !NARROWED.has(name) ? said : terms.value(name, said);
}

export function useText(): (field: Field | undefined, name: string, value: unknown) => string {
  const terms = useTerms();
  const { t } = useWords();
  return (field, name, value) => text(field, name, value, terms, t("value.true"), t("value.false"));
}

export function when(record: Raw): string {
  const said = record["at"] ?? record["offered_at"] ?? record["day"] ?? record["period"];
  return said === undefined ? "" : plainTime(String(said));
}

const QUIET = new Set([
  "kind", "id", "agent", "team", "at", "day", "period", "offered_at", "source", "entered_by", "supersedes", "void", "evidence", "turns", "hits",
]);

/** The first few things that a record says. */
export function Summary({ record, kind }: { record: Raw; kind: Kind | undefined }) {
  const shown = useText();
  const terms = useTerms();
  const fields = [...(kind?.fields ?? [])].sort((one, other) => Number(other.need) - Number(one.need));
  const names = fields.map((one) => one.name).filter((name) => name in record && !QUIET.has(name));
  return (
    <span className="said">
      {names.slice(0, 5).map((name) => (
        <span key={name}>
          <span className="faint">{terms.field(name)}</span> {shown(kind?.fields.find((one) => one.name === name), name, record[name])}
        </span>
      ))}
    </span>
  );
}

export function Entered({ kept, timezone }: { kept: Kept; timezone: string }) {
  const { language } = useWords();
  return (
    <span className="stack">
      <span>{kept.actor}</span>
      <small>{moment(kept.made_at, language, timezone)}</small>
    </span>
  );
}
