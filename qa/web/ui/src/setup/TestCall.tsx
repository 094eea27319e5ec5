// Waits for one call: whether it is seen, and whether a leg of it is heard. It can be skipped.
import { Button } from "antd";
import { useEffect, useRef, useState } from "react";
import { Trouble } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { tryStep, type Finding, type Given } from "./data.ts";
import { Results } from "./Results.tsx";

const SECONDS = 30;

export function TestCall({ given }: { given: Given }) {
  const { t } = useWords();
  const [left, setLeft] = useState(0);
  const [findings, setFindings] = useState<Finding[]>([]);
  const [failed, setFailed] = useState<Error | null>(null);
  const turn = useRef(0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(timer);
  }, [left]);
  const wait = async () => {
    const mine = ++turn.current;
    setFindings([]);
    setFailed(null);
    setLeft(SECONDS);
    try {
      const found = await tryStep("call", given, SECONDS);
      if (mine === turn.current) setFindings(found.findings);
    } catch (error) {
      if (mine === turn.current) setFailed(error as Error);
    }
    if (mine === turn.current) setLeft(0);
  };
  const skip = () => {
    turn.current += 1;
    setLeft(0);
  };
  return (
    <div className="testcall">
      {left > 0 ? (
        <p className="buttons" role="status">
          <span className="waiting">{t("setup.calling", { seconds: left })}</span>
          <Button onClick={skip}>{t("setup.skip")}</Button>
        </p>
      ) : (
        <Button onClick={() => void wait()}>{t("setup.call")}</Button>
      )}
      {failed && <Trouble text={t("setup.failed")} error={failed} />}
      <Results findings={findings} />
    </div>
  );
}
