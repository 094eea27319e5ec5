// What a test found: each thing with its mark, what was seen there, and what to do about it.
import { CheckCircleFilled, CloseCircleFilled, ExclamationCircleFilled } from "@ant-design/icons";
import { useWords, type Key } from "../words.tsx";
import type { Finding } from "./data.ts";

const ICONS = { good: CheckCircleFilled, warn: ExclamationCircleFilled, bad: CloseCircleFilled };

export function markOf(finding: Finding): keyof typeof ICONS {
  return finding.bad ? "bad" : finding.advice ? "warn" : "good";
}

export function Results({ findings }: { findings: Finding[] }) {
  const { t, known } = useWords();
  if (findings.length === 0) return null;
  return (
    <section className="results" role="status" aria-label={t("setup.results")}>
      <h3>{t("setup.results")}</h3>
      <ul>
        {findings.map((one, at) => {
          const mark = markOf(one);
          const Icon = ICONS[mark];
          const advice = known("setup.advice", one.code) ? t(`setup.advice.${one.code}` as Key) : one.advice;
          return (
            <li key={`${one.what} ${at}`} className={mark} data-check={one.check} data-mark={mark}>
              <Icon aria-hidden />
              <div>
                <strong>{known("setup.check", one.check) ? t(`setup.check.${one.check}` as Key) : one.what}</strong>{" "}
                <span className="found">{one.seen && known("setup.seen", one.seen) ? t(`setup.seen.${one.seen}` as Key, one.values) : one.found}</span>
                {one.advice && <p>{advice}</p>}
                {one.bad && advice !== one.advice && <small lang="en">{one.advice}</small>}
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
