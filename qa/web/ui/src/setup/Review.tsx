// The last step: what will be otherwise, and the word to write it; then what to do next.
import { Alert, Button } from "antd";
import { useEffect, useState } from "react";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords, type Key } from "../words.tsx";
import { send, type Change, type Fault, type Given, type Wrote } from "./data.ts";
import { useLetter } from "./Field.tsx";

function What({ what }: { what: string }) {
  const { t, known } = useWords();
  const [family, ...name] = what.split(".");
  if (known("setup.q", what)) return t(`setup.q.${what}` as Key);
  return known("setup.q", family!) ? `${t(`setup.q.${family}` as Key)}: ${name.join(".")}` : what;
}

function useSaid(): (change: Change, text: string) => string {
  const { t, known } = useWords();
  return (change, text) => {
    if (change.what.endsWith("_secret")) return "••••••";
    if (change.what.startsWith("sources.")) return t("setup.key");
    return known("setup.choice", text) ? t(`setup.choice.${text}` as Key) : text;
  };
}

function Changes({ changes }: { changes: Change[] }) {
  const { t } = useWords();
  const said = useSaid();
  if (changes.length === 0) return <Alert type="success" showIcon title={t("setup.nothing")} />;
  return (
    <dl className="changes">
      {changes.map((one) => (
        <div key={one.what} data-change={one.what}>
          <dt>
            <What what={one.what} />
          </dt>
          <dd>
            {said(one, one.new)} {one.old !== null && <small>{t("setup.was", { old: said(one, one.old) })}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Refused({ faults }: { faults: Fault[] }) {
  const { t } = useWords();
  const letter = useLetter();
  const told = faults.map((one, at) => (
    <li key={at}>
      <What what={one.field} />: {letter(one)}
    </li>
  ));
  return <Alert type="error" showIcon title={t("setup.wrong", { count: faults.length })} description={<ul>{told}</ul>} />;
}

export function Review({ given, owner, onBack }: { given: Given; owner: boolean; onBack: () => void }) {
  const { t } = useWords();
  const [shown, setShown] = useState<Wrote | null>(null);
  const [failed, setFailed] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async (write: boolean) => {
    setBusy(true);
    setFailed(null);
    try {
      setShown(await send(given, write));
    } catch (error) {
      setFailed(error as Error);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (owner) void ask(false);
  }, []); // once: this step is made anew whenever it is come to
  if (!shown) return failed ? <Trouble text={t("setup.failed")} error={failed} onRetry={() => void ask(false)} /> : <Waiting rows={4} />;
  return (
    <>
      {shown.faults.length > 0 ? <Refused faults={shown.faults} /> : <Changes changes={shown.changes} />}
      {failed && <Trouble text={t("setup.failed")} error={failed} />}
      {shown.written ? (
        <Alert className="done" type="success" showIcon title={t("setup.done")} description={t("setup.done.next")} />
      ) : (
        <p className="buttons">
          <Button onClick={onBack}>{t("setup.back")}</Button>
          {shown.faults.length === 0 && shown.changes.length > 0 && (
            <Button type="primary" loading={busy} onClick={() => void ask(true)}>
              {t("setup.write")}
            </Button>
          )}
        </p>
      )}
      {shown.overridden.length > 0 && <Alert type="warning" showIcon title={t("setup.overridden", { names: shown.overridden.join(", ") })} />}
    </>
  );
}
