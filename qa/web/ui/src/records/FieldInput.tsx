// One field of the contract as something to fill in, by the name of its type.
import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { AutoComplete, Button, Input, Segmented, Select } from "antd";
import type { ReactNode } from "react";
import { useWords } from "../words.tsx";
import type { Contract, Field, Raw } from "./data.ts";
import { useTerms } from "./terms.ts";

export interface Props {
  field: Field;
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
  contract: Contract;
  people: string[];
  /** Words instead of those of the contract, where another field narrows them. */
  words?: string[];
  wrong?: boolean;
}

const PEOPLE = new Set(["agent", "covers", "proxy_by", "reviewer", "rater_id"]);
const CROWDS = new Set(["present", "absent"]);
const FORMS: Record<string, string> = { duration: "0:05:00", period: "2026-03 · 2026-W10 · 2026Q1 · 2026" };
// What the browser's own field can hold; a finer or stranger moment is shown as text and kept.
const MOMENT = /^$|^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?$/;

function Truth({ id, value, onChange }: Pick<Props, "id" | "value" | "onChange">) {
  const { t } = useWords();
  return (
    <Segmented
      id={id}
      aria-labelledby={`${id}-label`}
      value={value === true ? "yes" : value === false ? "no" : "none"}
      onChange={(said) => onChange(said === "none" ? undefined : said === "yes")}
      options={[
        { value: "yes", label: t("value.true") },
        { value: "no", label: t("value.false") },
        { value: "none", label: t("entry.notsaid") },
      ]}
    />
  );
}

function useOptions(field: Field, contract: Contract, words?: string[]) {
  const terms = useTerms();
  const figures = field.name === "name" ? contract.figures : {};
  return (words ?? field.values).map((value) => {
    const unit = figures[value];
    const label = terms.value(field.name, value);
    return { value, label: unit ? `${label} · ${terms.unit(unit)}` : label };
  });
}

function Word({ field, id, value, onChange, contract, words, wrong }: Props) {
  const { t } = useWords();
  const options = useOptions(field, contract, words);
  const shared = { id, options, status: wrong ? ("error" as const) : undefined, "aria-labelledby": `${id}-label`, allowClear: true, className: "wide" };
  if (field.type === "[enum]") {
    return <Select {...shared} mode="multiple" value={(value as string[]) ?? []} onChange={(all: string[]) => onChange(all)} />;
  }
  if (field.open) {
    const held = typeof value === "string" && value ? [value] : [];
    return (
      <Select
        {...shared}
        mode="tags"
        maxCount={1}
        showSearch={{ optionFilterProp: "label" }}
        placeholder={t("entry.open")}
        value={held}
        onChange={(all: string[]) => onChange(all.at(-1))}
      />
    );
  }
  return <Select {...shared} showSearch={{ optionFilterProp: "label" }} value={(value as string) || undefined} onChange={(one?: string) => onChange(one)} />;
}

function Rows({ add, children }: { add: () => void; children: ReactNode }) {
  const { t } = useWords();
  return (
    <div className="pieces">
      {children}
      <Button size="small" icon={<PlusOutlined />} onClick={add}>
        {t("entry.add")}
      </Button>
    </div>
  );
}

function Pieces({ field, id, value, onChange, contract, people }: Props) {
  const { t } = useWords();
  const terms = useTerms();
  const fields = contract.parts[field.type.slice(1, -1)] ?? [];
  const rows = (value as Raw[] | undefined) ?? [];
  const set = (at: number, name: string, one: unknown) => onChange(rows.map((row, n) => (n === at ? { ...row, [name]: one } : row)));
  return (
    <Rows add={() => onChange([...rows, {}])}>
      {rows.map((row, at) => (
        <fieldset key={at} className="piece">
          <legend>
            {terms.field(field.name)} {at + 1}
          </legend>
          {fields.map((one) => (
            <div key={one.name} className={one.type === "text" ? "field broad" : "field"}>
              <label id={`${id}-${at}-${one.name}-label`} htmlFor={`${id}-${at}-${one.name}`}>
                {terms.field(one.name)}
                {one.need && <b aria-hidden> *</b>}
              </label>
              <FieldInput
                field={one}
                id={`${id}-${at}-${one.name}`}
                value={row[one.name]}
                onChange={(said) => set(at, one.name, said)}
                contract={contract}
                people={people}
              />
            </div>
          ))}
          <Button
            size="small"
            type="text"
            icon={<DeleteOutlined />}
            aria-label={t("entry.remove", { number: at + 1 })}
            onClick={() => onChange(rows.filter((_, n) => n !== at))}
          />
        </fieldset>
      ))}
    </Rows>
  );
}

function Answers({ id, value, onChange }: Props) {
  const { t } = useWords();
  const pairs = (value as [string, string][] | undefined) ?? [];
  const set = (at: number, pair: [string, string]) => onChange(pairs.map((one, n) => (n === at ? pair : one)));
  return (
    <Rows add={() => onChange([...pairs, ["", ""]])}>
      {pairs.map(([name, answer], at) => (
        <div key={at} className="pair">
          <Input id={at === 0 ? id : undefined} aria-label={t("entry.item")} placeholder={t("entry.item")} value={name} onChange={(event) => set(at, [event.target.value, answer])} />
          <Input aria-label={t("entry.answer")} placeholder={t("entry.answer")} value={answer} onChange={(event) => set(at, [name, event.target.value])} />
          <Button type="text" icon={<DeleteOutlined />} aria-label={t("entry.remove", { number: at + 1 })} onClick={() => onChange(pairs.filter((_, n) => n !== at))} />
        </div>
      ))}
    </Rows>
  );
}

export function FieldInput(props: Props) {
  const { field, id, value, onChange, contract, people, wrong } = props;
  const { t } = useWords();
  const text = (value as string | undefined) ?? "";
  const status = wrong ? ("error" as const) : undefined;
  const tell = wrong ? { "aria-invalid": true, "aria-describedby": `${id}-letter` } : {};
  if (field.type === "bool") return <Truth id={id} value={value} onChange={onChange} />;
  if (field.type === "enum" || field.type === "[enum]" || props.words?.length) return <Word {...props} />;
  if (field.type.startsWith("{")) return <Answers {...props} />;
  if (contract.parts[field.type.slice(1, -1)]) return <Pieces {...props} />;
  if (field.type === "[str]") {
    const options = CROWDS.has(field.name) ? people.map((one) => ({ value: one, label: one })) : [];
    return (
      <Select
        id={id}
        aria-labelledby={`${id}-label`}
        className="wide"
        mode="tags"
        status={status}
        tokenSeparators={[";", "；", "\n"]}
        placeholder={t("entry.list")}
        open={options.length ? undefined : false}
        options={options}
        value={(value as string[] | undefined) ?? []}
        onChange={(all: string[]) => onChange(all)}
      />
    );
  }
  if (PEOPLE.has(field.name)) {
    return (
      <AutoComplete
        id={id}
        className="wide"
        status={status}
        value={text}
        onChange={onChange}
        options={people.map((one) => ({ value: one }))}
        showSearch={{ filterOption: (typed, option) => String(option?.value).toLowerCase().includes(typed.toLowerCase()) }}
      />
    );
  }
  const shared = { id, status, ...tell, value: text };
  if (field.type === "text") {
    return <Input.TextArea {...shared} rows={3} maxLength={10_000} onChange={(event) => onChange(event.target.value)} />;
  }
  const type = field.type === "date" ? "date" : field.type === "datetime" && MOMENT.test(text) ? "datetime-local" : "text";
  return (
    <Input
      {...shared}
      type={type}
      step={type === "datetime-local" ? 1 : undefined}
      inputMode={field.type === "int" ? "numeric" : undefined}
      placeholder={field.name === "points" ? "-0.5" : FORMS[field.type]}
      autoComplete="off"
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
