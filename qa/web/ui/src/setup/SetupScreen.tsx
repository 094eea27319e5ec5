// First set-up: a step at a time, each tried on the real thing, and at the end what will be written.
import { Alert, Button } from "antd";
import { useState } from "react";
import { useMe } from "../records/data.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords, type Key } from "../words.tsx";
import { asked, begun, inZone, told, tryStep, useSetup, type Answers, type SetupState, type StepName, type Tried } from "./data.ts";
import { Field } from "./Field.tsx";
import { PeopleField, type Sheet } from "./PeopleField.tsx";
import { markOf, Results } from "./Results.tsx";
import { Review } from "./Review.tsx";
import "./setup.css";
import { TestCall } from "./TestCall.tsx";

const TESTED: StepName[] = ["site", "model", "pbx"];

function verdict(tried: Tried | undefined): "todo" | "good" | "warn" | "bad" {
  if (!tried) return "todo";
  if (tried.faults.length > 0 || tried.findings.some((one) => one.bad)) return "bad";
  return tried.findings.some((one) => markOf(one) === "warn") ? "warn" : "good";
}

function Steps({ names, at, of, onStep }: { names: string[]; at: number; of: (name: string) => string; onStep: (at: number) => void }) {
  const { t } = useWords();
  return (
    <nav aria-label={t("setup.steps")} className="steps">
      <ol>
        {names.map((name, number) => (
          <li key={name} className={of(name)}>
            <button type="button" onClick={() => onStep(number)} aria-current={number === at ? "step" : undefined}>
              <span className="dot" aria-hidden>
                {number + 1}
              </span>
              {t(`setup.step.${name}` as Key)}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Form({ state, owner }: { state: SetupState; owner: boolean }) {
  const { t } = useWords();
  const [answers, setAnswers] = useState<Answers>(() => begun(state));
  const [sheet, setSheet] = useState<Sheet | null>(null);
  const [tried, setTried] = useState<Partial<Record<StepName, Tried>>>({});
  const [failed, setFailed] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [at, setAt] = useState(0);
  const names: (StepName | "review")[] = [...state.steps.map((one) => one.step), "review"];
  const given = { answers: told(state, answers), people: sheet?.text ?? null };
  const current = state.steps[at];
  const result = current && tried[current.step];
  const passed = verdict(result);

  const forget = (step: StepName) => setTried(({ [step]: _, ...rest }) => rest);
  const change = (step: StepName, name: string, value: string) => {
    setAnswers((before) => (name === "timezone" ? inZone(state, before, value) : { ...before, [name]: value }));
    forget(step);
  };
  const test = async (step: StepName) => {
    setBusy(true);
    setFailed(null);
    try {
      const found = await tryStep(step, given);
      setTried((before) => ({ ...before, [step]: found }));
      if (found.faults.length === 0 && found.findings.length === 0) setAt(at + 1);
      const first = found.faults.find((one) => one.line === null);
      if (first) document.getElementById(`q-${first.field}`)?.focus();
    } catch (error) {
      setFailed(error as Error);
    } finally {
      setBusy(false);
    }
  };
  const next = () => (result && passed !== "bad" ? setAt(at + 1) : void test(current!.step));
  return (
    <div className="setup">
      <Steps names={names} at={at} of={(name) => verdict(tried[name as StepName])} onStep={setAt} />
      <section className="panel padded" data-step={names[at]}>
        <p className="faint">{t("setup.progress", { at: at + 1, count: names.length })}</p>
        <h2>{t(`setup.step.${names[at]}` as Key)}</h2>
        <p className="about">{t(`setup.about.${names[at]}` as Key)}</p>
        {current ? (
          <form
            key={current.step}
            onSubmit={(event) => {
              event.preventDefault();
              next();
            }}
          >
            <div className="fields">
              {asked(current.questions, answers).map((one) =>
                one.kind === "people" ? (
                  <PeopleField
                    key={one.name}
                    sheet={sheet}
                    count={result && passed !== "bad" ? result.people : null}
                    faults={result?.faults ?? []}
                    disabled={!owner}
                    onSheet={(chosen) => (setSheet(chosen), forget("people"))}
                  />
                ) : (
                  <Field
                    key={one.name}
                    question={one}
                    value={answers[one.name] ?? ""}
                    fault={result?.faults.find((fault) => fault.field === one.name)}
                    disabled={!owner}
                    onChange={(value) => change(current.step, one.name, value)}
                  />
                ),
              )}
            </div>
            {failed && <Trouble text={t("setup.failed")} error={failed} />}
            {result && <Results findings={result.findings} />}
            {current.step === "pbx" && result && passed !== "bad" && answers["pbx.host"]?.trim() && <TestCall given={given} />}
            <p className="buttons">
              {at > 0 && <Button onClick={() => setAt(at - 1)}>{t("setup.back")}</Button>}
              {owner && (
                <Button type="primary" htmlType="submit" loading={busy}>
                  {busy ? t("setup.testing") : t(TESTED.includes(current.step) && (!result || passed === "bad") ? "setup.test" : "setup.next")}
                </Button>
              )}
              {owner && result && result.faults.length === 0 && passed === "bad" && <Button onClick={() => setAt(at + 1)}>{t("setup.anyway")}</Button>}
              {!owner && at < names.length - 2 && <Button onClick={() => setAt(at + 1)}>{t("setup.next")}</Button>}
            </p>
          </form>
        ) : (
          <Review given={given} owner={owner} onBack={() => setAt(at - 1)} />
        )}
      </section>
    </div>
  );
}

export default function SetupScreen() {
  const { t } = useWords();
  const setup = useSetup();
  const me = useMe();
  if (setup.isError) return <Trouble error={setup.error} onRetry={() => void setup.refetch()} />;
  if (!setup.data || !me.data) return <Waiting />;
  const owner = me.data.role === "owner";
  return (
    <div className="desk">
      <h1>{t("setup.title")}</h1>
      <p className="faint">
        {t("setup.intro")} {t("setup.file", { file: setup.data.file })}
      </p>
      {!setup.data.records && <Alert type="warning" showIcon title={t("setup.off")} />}
      {!owner && <p className="note">{t("setup.owner")}</p>}
      <Form state={setup.data} owner={owner} />
    </div>
  );
}
