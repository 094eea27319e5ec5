// What the screen of first set-up asks for and sends, and the answers as a form holds them: text, by name of the question.
import { useQuery } from "@tanstack/react-query";
import { get, post } from "../api.ts";

export type StepName = "site" | "rules" | "model" | "pbx" | "people" | "recording" | "sources";
export type Value = string | number | boolean | string[] | Record<string, string> | null;

export interface Question {
  name: string;
  kind: "text" | "secret" | "choice" | "number" | "day" | "switch" | "seats" | "names" | "people" | "paragraph";
  need: boolean;
  choices: string[];
  value: Value;
  set: boolean;
}

export interface SetupState {
  file: string;
  exists: boolean;
  records: boolean;
  countries: Record<string, [string, string]>;
  steps: { step: StepName; questions: Question[] }[];
}

export interface Fault {
  field: string;
  code: string;
  values: Record<string, string | number>;
  text: string;
  line: number | null;
}

export interface Finding {
  check: string;
  code: string;
  what: string;
  found: string;
  seen: string;
  values: Record<string, string | number>;
  advice: string | null;
  bad: boolean;
}

export interface Change {
  what: string;
  new: string;
  old: string | null;
}

export interface Tried {
  faults: Fault[];
  findings: Finding[];
  people: number;
}

export interface Wrote {
  written: boolean;
  faults: Fault[];
  changes: Change[];
  overridden: string[];
}

export type Answers = Record<string, string>;

export interface Given {
  answers: Answers;
  people: string | null;
}

export const useSetup = () => useQuery({ queryKey: ["setup"], queryFn: ({ signal }) => get<SetupState>("/setup", signal) });

export const tryStep = (step: StepName | "call", given: Given, seconds = 30) => post<Tried>("/setup/try", { ...given, step, seconds });

export const send = (given: Given, write: boolean) => post<Wrote>("/setup", { ...given, write });

function typed(value: Value): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "object") return Object.entries(value).map((pair) => pair.join("=")).join("\n");
  return String(value);
}

export function begun(state: SetupState): Answers {
  const all = state.steps.flatMap((one) => one.questions).filter((one) => one.kind !== "people");
  return Object.fromEntries(all.map((one) => [one.name, typed(one.value)]));
}

/** A time zone tells how phones ring there and what is spoken, where nothing else was said of that. */
export function inZone(state: SetupState, answers: Answers, zone: string): Answers {
  const [cadence, language] = state.countries[zone] ?? [];
  const known = new Set(state.steps.flatMap((one) => one.questions).filter((one) => one.set).map((one) => one.name));
  const own: Answers = { ...answers, timezone: zone };
  if (cadence && !known.has("cadence")) own["cadence"] = cadence;
  if (language && !known.has("language")) own["language"] = language;
  return own;
}

/** Questions that are asked after the answers so far; the same as the server leaves out. */
export function asked(questions: Question[], answers: Answers): Question[] {
  const pbx = answers["pbx.host"]?.trim();
  const taps = answers["pbx.ari_url"]?.trim();
  return questions.filter(({ name }) => {
    if (name.startsWith("pbx.") && name !== "pbx.host" && !pbx) return false;
    return taps || !["pbx.ari_user", "pbx.ari_secret", "pbx.media_host"].includes(name);
  });
}

/** What is sent: questions that are not asked are not answered. */
export function told(state: SetupState, answers: Answers): Answers {
  const names = state.steps.flatMap((one) => asked(one.questions, answers)).map((one) => one.name);
  return Object.fromEntries(Object.entries(answers).filter(([name]) => names.includes(name)));
}
