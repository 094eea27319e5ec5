// Between what a form holds and a record of the contract; pure. What it cannot mean is sent as typed, for the server to refuse.
import type { Contract, Field, Kind, Raw } from "./data.ts";

/** What the form does not show as fields of its own. */
export const OWN = new Set(["supersedes", "void"]);
export const WHO = new Set(["agent", "team", "at", "day", "period"]);
export const ABOUT = new Set(["id", "source", "entered_by", "reason", "evidence"]);

export function newId(kind: string): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return `${kind}-${[...random].map((one) => one.toString(36)).join("").slice(0, 10)}`;
}

function typed(field: Field, value: unknown, parts: Contract["parts"]): unknown {
  const part = parts[field.type.slice(1, -1)];
  if (part && Array.isArray(value)) {
    const rows = (value as Raw[]).map((row) => built(part, row, parts)).filter((row) => Object.keys(row).length > 0);
    return rows.length ? rows : undefined;
  }
  if (field.type.startsWith("{")) {
    const pairs = (value as [string, string][]).filter(([name, answer]) => name || answer);
    return pairs.length ? Object.fromEntries(pairs) : undefined;
  }
  if (Array.isArray(value)) return value.length ? value : undefined;
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (text === "") return undefined;
  return field.type === "int" && /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

export function built(fields: Field[], values: Raw, parts: Contract["parts"]): Raw {
  const record: Raw = {};
  for (const field of fields) {
    const value = values[field.name] === undefined ? undefined : typed(field, values[field.name], parts);
    if (value !== undefined) record[field.name] = value;
  }
  return record;
}

/** A record as the form holds it; what only the envelope of the old version said is left behind. */
export function filled(kind: Kind, record: Raw): Raw {
  const values: Raw = {};
  for (const { name, type } of kind.fields) {
    const value = record[name];
    if (value === undefined || OWN.has(name) || (ABOUT.has(name) && name !== "evidence")) continue;
    values[name] = type.startsWith("{") ? Object.entries(value as Raw).map(([key, one]) => [key, String(one)]) : asHeld(value);
  }
  return values;
}

function asHeld(value: unknown): unknown {
  if (typeof value === "string" && /T\d\d:\d\d:\d\d\.\d+$/.test(value)) return value.replace(/\.?0+$/, "");
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map((one) => (one !== null && typeof one === "object" ? held(one as Raw) : one));
  return value;
}

function held(row: Raw): Raw {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asHeld(value)]));
}

/** Content of a record without what belongs to one version of it. */
export function content(record: Raw): Raw {
  const own = ["id", "supersedes", "void", "reason", "entered_by", "source"];
  return Object.fromEntries(Object.entries(record).filter(([name]) => !own.includes(name)));
}
