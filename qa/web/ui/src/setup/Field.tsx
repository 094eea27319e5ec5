// One question of first set-up as a field, with its hint, and its letter where the answer cannot be taken.
import { Input, Select } from "antd";
import { useWords, type Key } from "../words.tsx";
import type { Fault, Question } from "./data.ts";

interface Props {
  question: Question;
  value: string;
  fault: Fault | undefined;
  disabled: boolean;
  onChange: (value: string) => void;
}

export function useLetter(): (fault: Fault) => string {
  const { t, known } = useWords();
  return (fault) => (known("setup.fault", fault.code) ? t(`setup.fault.${fault.code}` as Key, fault.values) : fault.text);
}

function useOptions(question: Question): { value: string; label: string }[] {
  const { t, known, language } = useWords();
  const country = new Intl.DisplayNames([language], { type: "region" });
  const label = (one: string) => {
    if (known("setup.choice", one)) return t(`setup.choice.${one}` as Key);
    return question.name === "cadence" ? `${country.of(one === "uk" ? "GB" : one.toUpperCase()) ?? one} (${one})` : one;
  };
  const choices = question.kind === "switch" ? ["yes", "no"] : question.choices;
  return choices.map((one) => ({ value: one, label: label(one) }));
}

function Control({ question, value, fault, disabled, onChange }: Props) {
  const { t } = useWords();
  const options = useOptions(question);
  const id = `q-${question.name}`;
  const status = fault ? ("error" as const) : undefined;
  const own = { id, value, disabled, status, "aria-invalid": Boolean(fault), "aria-describedby": `${id}-more` };
  const typed = { ...own, onChange: (event: { target: { value: string } }) => onChange(event.target.value) };
  switch (question.kind) {
    case "choice":
    case "switch":
      return <Select {...own} showSearch allowClear={!question.need} onChange={(one?: string) => onChange(one ?? "")} options={options} />;
    case "secret":
      return <Input.Password {...typed} autoComplete="new-password" placeholder={question.set ? t("setup.hint.secret") : undefined} />;
    case "seats":
      return <Input.TextArea {...typed} rows={5} spellCheck={false} />;
    case "paragraph":
      return <Input.TextArea {...typed} rows={4} />;
    case "day":
      return <Input {...typed} type="date" />;
    case "number":
      return <Input {...typed} inputMode="numeric" autoComplete="off" />;
    default:
      return <Input {...typed} autoComplete="off" spellCheck={false} />;
  }
}

export function Field(props: Props) {
  const { t, known } = useWords();
  const letter = useLetter();
  const { question, fault } = props;
  const hint = known("setup.hint", question.name) ? t(`setup.hint.${question.name}` as Key) : null;
  const broad = question.kind === "seats" || question.kind === "paragraph";
  return (
    <div className={broad ? "field broad" : "field"} data-field={question.name}>
      <label htmlFor={`q-${question.name}`}>
        {t(`setup.q.${question.name}` as Key)}
        {question.need && <b aria-hidden> *</b>}
      </label>
      <Control {...props} />
      <span id={`q-${question.name}-more`}>
        {hint && <small>{hint}</small>}
        {fault && (
          <span className="letter" role="alert">
            {letter(fault)}
          </span>
        )}
      </span>
    </div>
  );
}
