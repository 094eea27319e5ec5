// Every line of a scorecard: what was decided by which clause, on which evidence.
import { CaretRightFilled, DownOutlined, RightOutlined } from "@ant-design/icons";
import { Button, Empty } from "antd";
import { useState } from "react";
import type { Evidence, Line } from "../api.ts";
import { Mark, Points, shown, type Shown } from "../calls/cells.tsx";
import { clock } from "../format.ts";
import { useWords, type Key, type Words } from "../words.tsx";

export interface Actions {
  canPlay: boolean;
  play: (evidence: Evidence) => void;
  showSignals: (evidence: Evidence) => void;
}

const ORDER: Shown[] = ["breach", "review", "unknown", "met", "clear", "na"];

export function ordered(lines: Line[]): Line[] {
  return [...lines].sort((a, b) => ORDER.indexOf(shown(a)) - ORDER.indexOf(shown(b)));
}

export function asking(lines: Line[]): Line[] {
  return ordered(lines).filter((line) => ORDER.indexOf(shown(line)) <= ORDER.indexOf("met"));
}

export function isSpan(evidence: Evidence): boolean {
  return evidence.kind === "span" && typeof evidence.start_ms === "number" && typeof evidence.end_ms === "number";
}

function titleOf(line: Line, language: Words["language"]): string {
  const short = language === "zh-CN" ? "zh" : language;
  return line.title[short] ?? line.title.en ?? line.title.zh ?? line.rule;
}

function worth(evidence: Evidence, { term, known }: Words): string {
  const value = evidence.value;
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
  for (const family of ["value", "direction", "end", "party", "seat", "source", "cause"]) if (known(family, text)) return term(family, text);
  return text;
}

function why(evidence: Evidence, { term }: Words): string {
  return evidence.why ? term("why", evidence.why.trim().replaceAll(" ", "_")) : "";
}

function Span({ evidence, actions }: { evidence: Evidence; actions: Actions | undefined }) {
  const words = useWords();
  const { t, term } = words;
  const times = { from: clock(evidence.start_ms ?? 0), to: clock(evidence.end_ms ?? 0) };
  return (
    <>
      <Button
        size="small"
        icon={<CaretRightFilled />}
        disabled={!actions?.canPlay}
        onClick={() => actions?.play(evidence)}
        className="playspan"
      >
        {t("evidence.play", times)}
      </Button>
      <span className="what">
        <span className={`who ${evidence.role ?? "unknown"}`}>{term("role", evidence.role ?? "unknown")}</span>
        {evidence.text && <q lang="zh">{evidence.text}</q>}
        {evidence.why && <span>{why(evidence, words)}</span>}
      </span>
    </>
  );
}

function Fact({ evidence, actions }: { evidence: Evidence; actions: Actions | undefined }) {
  const words = useWords();
  const { t, term } = words;
  const name = term("fact", evidence.fact ?? (typeof evidence.name === "string" ? evidence.name : evidence.kind));
  return (
    <>
      <span className="what">
        {evidence.kind === "setting" && <span className="tag">{t("evidence.setting")}</span>}
        <span>{t("evidence.signal", { fact: name, value: worth(evidence, words) })}</span>
        {evidence.why && <span>{why(evidence, words)}</span>}
      </span>
      {evidence.kind === "signal" && actions && (
        <Button size="small" type="link" onClick={() => actions.showSignals(evidence)}>
          {t("evidence.show")}
        </Button>
      )}
    </>
  );
}

function Standing({ line }: { line: Line }) {
  const { t } = useWords();
  const kind = shown(line);
  const waits = kind === "review" ? t("counts.waits") : line.outcome === "breach" || line.outcome === "met" ? t(line.counts ? "counts.yes" : "counts.no") : "";
  return (
    <span className="standing">
      {t(`decide.${line.decide}` as Key)}
      {waits && ` · ${waits}`}
    </span>
  );
}

function Finding({ line, actions, current }: { line: Line; actions: Actions | undefined; current: boolean }) {
  const { t, term, language } = useWords();
  const kind = shown(line);
  return (
    <li className={`finding ${kind}${current ? " chosen" : ""}`} data-rule={line.rule} aria-current={current || undefined}>
      <div className="row">
        <Mark kind={kind}>{t(`outcome.${kind}` as Key)}</Mark>
        <strong className="title">{titleOf(line, language)}</strong>
        <span className="stretch" />
        <Points value={line.points} assumed={line.assumed} />
      </div>
      <div className="row cite">
        <span lang="zh">{line.cite}</span>
        <span className="rule">{line.rule}</span>
        <Standing line={line} />
      </div>
      {line.cause && (
        <p className="because">
          {t("findings.cause")}: <strong>{term("cause", line.cause)}</strong>
        </p>
      )}
      {kind !== "na" && line.quote && (
        <blockquote lang="zh" title={t("findings.quote")}>
          {line.quote}
        </blockquote>
      )}
      {line.evidence.length > 0 && kind !== "na" && (
        <ul className="evidence" aria-label={t("findings.evidence")}>
          {line.evidence.map((evidence, index) => (
            <li key={index}>
              {isSpan(evidence) ? <Span evidence={evidence} actions={actions} /> : <Fact evidence={evidence} actions={actions} />}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

export function Findings({ lines, actions, chosen = -1 }: { lines: Line[]; actions?: Actions; chosen?: number }) {
  const { t } = useWords();
  const [all, setAll] = useState(false);
  const first = asking(lines);
  const rest = ordered(lines).slice(first.length);
  return (
    <>
      {first.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t("findings.none")} />}
      <ul className="findings">
        {[...first, ...(all ? rest : [])].map((line, index) => (
          <Finding key={`${line.rule}-${line.event ?? ""}`} line={line} actions={actions} current={index === chosen} />
        ))}
      </ul>
      {rest.length > 0 && (
        <Button type="text" size="small" icon={all ? <DownOutlined /> : <RightOutlined />} onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? t("findings.rest.hide") : t("findings.rest", { count: rest.length })}
        </Button>
      )}
    </>
  );
}
