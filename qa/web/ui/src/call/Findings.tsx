// Every line of a scorecard: what was decided by which clause, on which evidence.
import { CaretRightFilled, DownOutlined, RightOutlined, UnorderedListOutlined } from "@ant-design/icons";
import { Button, Empty } from "antd";
import { useState } from "react";
import type { Evidence, Line } from "../api.ts";
import { Mark, Points, shown, type Shown } from "../calls/cells.tsx";
import { clock } from "../format.ts";
import { useWords, type Key, type Words } from "../words.tsx";
import { nameOf, RINGING, valueOf } from "./evidence.ts";

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

function Pairs({ evidence, timezone, className = "" }: { evidence: Evidence[]; timezone: string; className?: string }) {
  const words = useWords();
  return (
    <dl className={`pairs ${className}`}>
      {evidence.map((one, index) => (
        <div key={index}>
          <dt>{nameOf(one, words)}</dt>
          <dd>{valueOf(one, words, timezone)}</dd>
        </div>
      ))}
    </dl>
  );
}

function Proof({ line, actions, timezone }: { line: Line; actions: Actions | undefined; timezone: string }) {
  const { t } = useWords();
  const signals = line.evidence.filter((one) => one.kind === "signal");
  const settings = line.evidence.filter((one) => one.kind === "setting");
  const others = line.evidence.filter((one) => one.kind === "group");
  return (
    <ul className="evidence" aria-label={t("findings.evidence")}>
      {line.evidence.filter(isSpan).map((one, index) => (
        <li key={index}>
          <Span evidence={one} actions={actions} />
        </li>
      ))}
      {signals.length > 0 && (
        <li>
          <Pairs evidence={signals} timezone={timezone} />
          {actions && signals.some((one) => RINGING.has(one.fact ?? "")) && (
            <Button size="small" icon={<UnorderedListOutlined />} onClick={() => actions.showSignals(signals[0]!)}>
              {t("evidence.show")}
            </Button>
          )}
        </li>
      )}
      {settings.length > 0 && (
        <li>
          <Pairs evidence={settings} timezone={timezone} className="settings" />
        </li>
      )}
      {others.map((one, index) => (
        <li key={index}>{t("evidence.group", { rule: String(one.rule ?? "") })}</li>
      ))}
    </ul>
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

interface FindingProps {
  line: Line;
  actions: Actions | undefined;
  timezone: string;
  current: boolean;
}

function Finding({ line, actions, timezone, current }: FindingProps) {
  const { t, term, titled } = useWords();
  const kind = shown(line);
  return (
    <li className={`finding ${kind}${current ? " chosen" : ""}`} data-rule={line.rule} aria-current={current || undefined}>
      <div className="row">
        <Mark kind={kind}>{t(`outcome.${kind}` as Key)}</Mark>
        <strong className="title">{titled(line.title, line.rule)}</strong>
        <span className="stretch" />
        <Points value={line.points} assumed={line.assumed} waiting={kind === "review"} />
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
      {line.evidence.length > 0 && kind !== "na" && <Proof line={line} actions={actions} timezone={timezone} />}
    </li>
  );
}

interface FindingsProps {
  lines: Line[];
  timezone: string;
  actions?: Actions;
  chosen?: number;
}

export function Findings({ lines, timezone, actions, chosen = -1 }: FindingsProps) {
  const { t } = useWords();
  const [all, setAll] = useState(false);
  const first = asking(lines);
  const rest = ordered(lines).slice(first.length);
  return (
    <>
      {first.length === 0 && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t("findings.none")} />}
      <ul className="findings">
        {[...first, ...(all ? rest : [])].map((line, index) => (
          <Finding key={`${line.rule}-${line.event ?? ""}`} line={line} actions={actions} timezone={timezone} current={index === chosen} />
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
