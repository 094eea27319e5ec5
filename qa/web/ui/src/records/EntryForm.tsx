// A form made from the contract: who and when, what, and what is about the record itself. The server judges; its letters stand at the fields.
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Segmented } from "antd";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { ApiError, post, type Refused } from "../api.ts";
import { Trouble } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { ABOUT, built, newId, OWN, WHO } from "./build.ts";
import { usePeople, type Contract, type Field, type Kind, type Raw } from "./data.ts";
import { FieldInput } from "./FieldInput.tsx";
import { RulePicker } from "./RulePicker.tsx";
import { useTerms } from "./terms.ts";

export interface Saved {
  id: string;
  values: Raw;
  again: boolean;
}

interface Props {
  kind: Kind;
  contract: Contract;
  start: Raw;
  /** The id of the version that this one replaces. */
  supersedes?: string;
  onSaved: (saved: Saved) => void;
  onCancel?: () => void;
}

type Faults = Record<string, string[]>;

const TIMES = ["at", "day", "period"];

/** What is wrong with saying when stands at the field that says it. */
function byField(refused: Refused[], known: Set<string>, when: string): Faults {
  const faults: Faults = {};
  for (const { field, reason } of refused) {
    const said = field.split(".")[0]!;
    const first = TIMES.includes(said) ? when : said;
    const at = known.has(first) ? first : "";
    (faults[at] ??= []).push(field === said || !at ? reason : `${field}: ${reason}`);
  }
  return faults;
}

function saidWhen(kind: Kind, start: Raw): string {
  return kind.when.find((name) => start[name] !== undefined) ?? kind.when.find((name) => name === "day") ?? kind.when[0]!;
}

/** Words that the process of a case narrows. */
function narrowed(name: string, values: Raw, contract: Contract): string[] | undefined {
  const process = contract.case_types[String(values["case_type"] ?? "")];
  if (!process) return undefined;
  return { stage: process.stages, level: process.levels, class: process.classes }[name];
}

function groups(kind: Kind, correcting: boolean): Record<"who" | "what" | "about", Field[]> {
  const shown = kind.fields.filter((one) => !OWN.has(one.name));
  const isAbout = (one: Field) => ABOUT.has(one.name) && !(one.name === "reason" && (one.need || correcting));
  const rest = shown.filter((one) => !WHO.has(one.name) && !isAbout(one));
  const needed = (one: Field) => one.need || one.name === "reason" || one.name === "case_type";
  return {
    who: shown.filter((one) => WHO.has(one.name)),
    what: [...rest.filter(needed), ...rest.filter((one) => !needed(one))],
    about: shown.filter(isAbout),
  };
}

export function EntryForm({ kind, contract, start, supersedes, onSaved, onCancel }: Props) {
  const { t } = useWords();
  const terms = useTerms();
  const client = useQueryClient();
  const people = usePeople().data?.agents ?? [];
  const [values, setValues] = useState<Raw>(() => ({ ...start, id: newId(kind.kind) }));
  const [when, setWhen] = useState(() => saidWhen(kind, start));
  const [faults, setFaults] = useState<Faults>({});
  const [failed, setFailed] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [hint, setHint] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const again = useRef(false);
  const parts = groups(kind, supersedes !== undefined);
  const set = (name: string, value: unknown) => setValues((now) => ({ ...now, [name]: value }));
  useEffect(() => {
    const first = form.current?.querySelector<HTMLElement>(".field.wrong :is(input, textarea, [tabindex])");
    first?.focus();
  }, [faults]);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setFailed(null);
    const fields = kind.fields.filter((one) => !TIMES.includes(one.name) || one.name === when);
    const record: Raw = { kind: kind.kind, ...built(fields, values, contract.parts), ...(supersedes !== undefined && { supersedes }) };
    try {
      await post("/records", { records: [record] });
      await client.invalidateQueries();
      onSaved({ id: String(record["id"]), values, again: again.current });
    } catch (error) {
      const refused = error instanceof ApiError ? error.refused : [];
      setFaults(byField(refused, new Set(kind.fields.map((one) => one.name)), when));
      setFailed(error as Error);
    } finally {
      setBusy(false);
    }
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
  };

  const row = (field: Field) => {
    const id = `f-${field.name}`;
    const letters = faults[field.name] ?? [];
    const value = values[field.name];
    const change = (said: unknown) => set(field.name, said);
    const broad = field.type === "text" || field.name === "rule" || field.type.startsWith("{") || Boolean(contract.parts[field.type.slice(1, -1)]);
    return (
      <div key={field.name} className={`field${broad ? " broad" : ""}${letters.length ? " wrong" : ""}`} data-field={field.name}>
        <label id={`${id}-label`} htmlFor={id}>
          {terms.field(field.name)}
          {(field.need || (supersedes !== undefined && field.name === "reason")) && <b aria-hidden> *</b>}
        </label>
        {field.name === "rule" ? (
          <RulePicker id={id} value={(value as string[] | undefined) ?? []} onChange={change} onPoints={setHint} wrong={letters.length > 0} />
        ) : (
          <FieldInput
            field={field}
            id={id}
            value={value}
            onChange={change}
            contract={contract}
            people={people}
            words={narrowed(field.name, values, contract)}
            wrong={letters.length > 0}
          />
        )}
        {field.name === "points" && hint && <small>{hint}</small>}
        {letters.length > 0 && (
          <p className="letter" id={`${id}-letter`}>
            {letters.join(" ")}
          </p>
        )}
      </div>
    );
  };
  const who = parts.who.filter((one) => !TIMES.includes(one.name) || one.name === when);
  const aboutOpen = parts.about.some((one) => faults[one.name]);
  const unplaced = faults[""] ?? [];
  return (
    <form ref={form} className="entry" onSubmit={(event) => void send(event)} onKeyDown={keys} noValidate>
      {failed && (unplaced.length > 0 || Object.keys(faults).length === 0) && (
        <Trouble text={t("entry.failed")} error={unplaced.length ? new Error(unplaced.join(" ")) : failed} />
      )}
      {failed && unplaced.length === 0 && Object.keys(faults).length > 0 && <Alert className="trouble" type="error" showIcon title={t("entry.faults")} />}
      <section className="panel padded">
        <h2>{t("entry.who")}</h2>
        <div className="fields">
          {kind.when.length > 1 && (
            <div className="field">
              <label id="when-label">{t("entry.when")}</label>
              <Segmented aria-labelledby="when-label" value={when} onChange={setWhen} options={kind.when.map((one) => ({ value: one, label: terms.field(one) }))} />
            </div>
          )}
          {who.map(row)}
        </div>
      </section>
      <section className="panel padded">
        <h2>{terms.kind(kind.kind)}</h2>
        <div className="fields">{parts.what.map(row)}</div>
      </section>
      <details className="panel padded" open={aboutOpen || undefined}>
        <summary>{t("entry.about")}</summary>
        <div className="fields">{parts.about.map(row)}</div>
      </details>
      <p className="buttons">
        <Button type="primary" htmlType="submit" loading={busy} onClick={() => (again.current = false)}>
          {t("entry.save")}
        </Button>
        {supersedes === undefined && (
          <Button htmlType="submit" disabled={busy} onClick={() => (again.current = true)}>
            {t("entry.again")}
          </Button>
        )}
        {onCancel && <Button onClick={onCancel}>{t("entry.cancel")}</Button>}
        <span className="faint">{t("entry.keys")}</span>
      </p>
    </form>
  );
}
