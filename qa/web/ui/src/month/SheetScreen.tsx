// One sheet: every line with clause, quote, day, evidence and who decided; recommendations to approve or reject.
import { Alert, Button, Input, Modal } from "antd";
import { useState, type MouseEvent, type ReactNode } from "react";
import type { Evidence } from "../api.ts";
import { points } from "../format.ts";
import { callAddress, go, monthAddress } from "../route.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { Adjusted } from "./Adjusted.tsx";
import { Grade, Named, Signed, Standings } from "./cells.tsx";
import { useDecide, useSheet, type Found, type Kind, type Line, type Recommended, type Sheet, type Step } from "./data.ts";

function Proof({ one }: { one: Evidence }) {
  if (one.kind === "span") {
    const seconds = (ms: unknown) => (Number(ms) / 1000).toFixed(1);
    return (
      <li>
        {seconds(one.start_ms)}–{seconds(one.end_ms)} s {one.role} {one.text && <q>{one.text}</q>} ({one.why})
      </li>
    );
  }
  if (one.kind === "setting") {
    return (
      <li>
        {String(one["name"])} = {String(one.value)} {String(one["unit"])} ({String(one["source"])})
      </li>
    );
  }
  if (one.kind === "group") return <li>→ {String(one["rule"])}</li>;
  return (
    <li>
      {one.fact}: {String(one.value)}
    </li>
  );
}

function About({ found }: { found: Found }) {
  const { term } = useWords();
  const name = `${term("about", found.kind)} ${found.subject}`;
  if (found.kind !== "call") return <>{name}</>;
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(callAddress(found.subject));
  };
  return (
    <a href={callAddress(found.subject)} onClick={follow}>
      {name}
    </a>
  );
}

function Once({ found }: { found: Found }) {
  const { t, term } = useWords();
  const money = [found.fine, found.amount].filter((one) => one !== null && one !== "0");
  return (
    <li className={found.state === "counts" ? "once" : "once off"}>
      <span className="when num">{found.day}</span>
      <div>
        <span>
          <About found={found} />
          {found.state !== "counts" && <span className={`mark ${found.state === "waits" ? "review" : "na"}`}>{term("found", found.state)}</span>}
          {found.assumed && <span className="assumedtag">{t("assumed")}</span>}
        </span>
        <ul className="proofs">
          {found.evidence.map((one, at) => (
            <Proof key={at} one={one} />
          ))}
        </ul>
        <small>{t("month.decided", { who: found.decided_by && found.decided_by !== "machine" ? found.decided_by : t("month.machine") })}</small>
      </div>
      <span className="amounts">
        <Signed value={found.points} />
        {money.map((one) => (
          <small key={one}>{t("month.yuan", { amount: points(one!) })}</small>
        ))}
      </span>
    </li>
  );
}

function Clauses({ lines }: { lines: Line[] }) {
  const { t } = useWords();
  if (lines.length === 0) return <p className="faint padded">{t("month.lines.none")}</p>;
  return (
    <ol className="sheetlines">
      {lines.map((line) => (
        <li key={line.rule} data-rule={line.rule}>
          <header>
            <div>
              <Named clause={line} />
              {line.assumed && <span className="assumedtag">{t("assumed")}</span>}
              <blockquote lang="zh">{line.quote}</blockquote>
            </div>
            <Signed value={line.points} />
          </header>
          <ul>
            {line.findings.map((found) => (
              <Once key={`${found.subject} ${found.day} ${found.state}`} found={found} />
            ))}
          </ul>
        </li>
      ))}
    </ol>
  );
}

function Part({ title, children, label }: { title: string; children: ReactNode; label?: string }) {
  return (
    <section className="panel sheetpart" aria-label={label ?? title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

const STEPS: Record<Recommended["state"], Step[]> = { proposed: ["review", "reject"], reviewed: ["approve", "reject"], approved: [], rejected: [] };

function Advice({ sheet, one }: { sheet: Sheet; one: Recommended }) {
  const { t, term } = useWords();
  const [step, choose] = useState<Step | null>(null);
  const [reason, say] = useState("");
  const decide = useDecide(sheet.month, sheet.who);
  const done = () => {
    choose(null);
    say("");
  };
  return (
    <li className="advice" data-kind={one.kind}>
      <span className="marks">
        <Standings found={[one]} />
        {one.caution.length > 0 && <small>{t("month.caution", { laws: one.caution.join(", ") })}</small>}
      </span>
      {one.clauses.map((clause) => (
        <p key={clause.rule}>
          <Named clause={clause} />
        </p>
      ))}
      {one.steps.map((each) => (
        <p key={each.state} className="faint">
          {t("month.step", { state: term("standing", each.state), by: each.by, at: each.at.slice(0, 10), reason: each.reason })}
        </p>
      ))}
      {sheet.kind === "person" && (
        <span className="marks">
          {STEPS[one.state].map((each) => (
            <Button key={each} size="small" danger={each === "approve"} onClick={() => choose(each)}>
              {term("step", each)}
            </Button>
          ))}
        </span>
      )}
      {decide.isError && <Alert type="error" showIcon title={decide.error.message} />}
      <Modal
        open={step !== null}
        title={`${term("step", step)}: ${term("recommend", one.kind)} · ${sheet.who}`}
        okText={term("step", step)}
        cancelText={t("month.cancel")}
        okButtonProps={{ disabled: reason.trim() === "" }}
        confirmLoading={decide.isPending}
        mask={{ closable: false }}
        onCancel={done}
        onOk={() => step && decide.mutate({ kind: one.kind, step, reason }, { onSettled: done })}
      >
        <p>{t("month.step.text")}</p>
        <label htmlFor="reason">{t("month.reason")}</label>
        <Input.TextArea id="reason" rows={3} maxLength={2000} value={reason} onChange={(event) => say(event.target.value)} />
      </Modal>
    </li>
  );
}

function Figures({ sheet }: { sheet: Sheet }) {
  const { t } = useWords();
  const none = t("none");
  const money: [string, ReactNode][] =
    sheet.money === "off"
      ? []
      : [
          [t("month.pay"), <Signed value={sheet.pay} />],
          [t("month.fine"), sheet.fine ?? none],
          [t("month.ledger"), <Signed value={sheet.ledger} />],
        ];
  const person: [string, ReactNode][] =
    sheet.kind === "person"
      ? [
          [t("month.grade"), <Grade grade={sheet.grade} />],
          [t("month.rank"), sheet.rank ?? none],
        ]
      : [];
  const rows: [string, ReactNode][] = [[t("month.score"), sheet.score ?? none], ...person, ...money, [t("month.waiting"), sheet.waiting]];
  return (
    <dl className="figures">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Body({ sheet }: { sheet: Sheet }) {
  const { t, term, titled } = useWords();
  return (
    <>
      <section className="panel sheethead">
        <header>
          <h1>{sheet.kind === "site" ? t("month.site") : sheet.who}</h1>
          <span>{sheet.kind === "person" ? sheet.team : null}</span>
          <span className="faint">
            {titled(sheet.pack_title, sheet.pack)} ({sheet.pack} {sheet.pack_version})
          </span>
          <span className="stretch" />
          {sheet.closed ? (
            <span className="faint">{t("month.closed", { by: sheet.closed.by, at: sheet.closed.at.replace("T", " ") })}</span>
          ) : (
            <span className="mark unknown">{t("month.open")}</span>
          )}
        </header>
        <Figures sheet={sheet} />
      </section>
      {sheet.recommendations.length > 0 && (
        <Part title={t("month.recommendations")}>
          <ul>
            {sheet.recommendations.map((one) => (
              <Advice key={one.kind} sheet={sheet} one={one} />
            ))}
          </ul>
        </Part>
      )}
      <Part title={t("month.lines")}>
        <Clauses lines={sheet.lines} />
      </Part>
      <Adjusted sheet={sheet} part={(children) => <Part title={t("month.adjusted")}>{children}</Part>} />
      {sheet.amounts.length > 0 && (
        <Part title={t("month.amounts")}>
          <ul className="plainlist">
            {sheet.amounts.map((one) => (
              <li key={one.rule}>
                <Named clause={one} /> <Signed value={one.amount} />
              </li>
            ))}
          </ul>
        </Part>
      )}
      {sheet.ladders.length > 0 && (
        <Part title={t("month.ladders")}>
          <ul className="plainlist">
            {sheet.ladders.map((one) => (
              <li key={one.rule}>
                <Named clause={one} /> {t("month.ladder", { count: one.count, window: term("window", one.window) })}
              </li>
            ))}
          </ul>
        </Part>
      )}
      {sheet.values.length > 0 && (
        <Part title={t("month.values")}>
          <ul className="plainlist">
            {sheet.values.map((one) => (
              <li key={one.rule}>
                <Named clause={one} /> <b className="num">{one.value === "ungraded" ? t("month.ungraded") : String(one.value)}</b>
              </li>
            ))}
          </ul>
        </Part>
      )}
      {sheet.unknown.length > 0 && (
        <Part title={t("month.unknown.title")}>
          <ul className="plainlist">
            {sheet.unknown.map((one) => (
              <li key={one.rule}>
                <Named clause={one} />
                {Object.entries(one.causes).map(([cause, times]) => (
                  <span key={cause} className="mark unknown">
                    {term("cause", cause)}
                    {times > 1 && ` ×${times}`}
                  </span>
                ))}
              </li>
            ))}
          </ul>
        </Part>
      )}
      {sheet.assumed.length > 0 && (
        <Part title={t("month.assumed.title")}>
          <ul className="plainlist">
            {sheet.assumed.map((one) => (
              <li key={one.rule}>
                <Named clause={one} />
              </li>
            ))}
          </ul>
        </Part>
      )}
    </>
  );
}

export function SheetScreen({ month, kind, who }: { month: string; kind: Kind; who: string }) {
  const { t } = useWords();
  const sheet = useSheet(month, kind, who);
  const back = (event: MouseEvent) => {
    event.preventDefault();
    go(monthAddress(month));
  };
  return (
    <div className="sheet">
      <p className="sheetback">
        <a href={monthAddress(month)} onClick={back}>
          ← {t("month.back", { month })}
        </a>
      </p>
      {sheet.isPending && <Waiting />}
      {sheet.isError && <Trouble error={sheet.error} onRetry={() => void sheet.refetch()} />}
      {sheet.data && <Body sheet={sheet.data} />}
    </div>
  );
}
