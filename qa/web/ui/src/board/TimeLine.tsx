// A seat's stretch as a plot: one row for each state that occurred, one for presence; time runs to the right.
import { Empty } from "antd";
import { minutes, moment } from "../format.ts";
import { useWords } from "../words.tsx";
import { STATES, type SeatLine, type Seen, type Stretch } from "./data.ts";
import { SIGNS } from "./marks.tsx";

const HOUR_MS = 3_600_000;

interface Span {
  from: number; // share of the whole, 0 to 1
  width: number;
  label: string;
  kind: string;
}

function ticks(start: number, end: number): number[] {
  const hours = Math.max(1, Math.ceil((end - start) / HOUR_MS / 12));
  const step = hours * HOUR_MS;
  const found = [];
  for (let at = start; at <= end; at += step) found.push(at);
  return found;
}

function useSpans(line: SeatLine, timezone: string) {
  const { t, term, language } = useWords();
  const start = Date.parse(line.start);
  const end = Math.max(start + 1, Date.parse(line.until));
  const span = (one: { at: string; until: string | null }, kind: string, what: string): Span => {
    const from = Math.max(start, Date.parse(one.at));
    const until = one.until ? Math.min(end, Date.parse(one.until)) : end;
    const when = [from, until].map((at) => moment(new Date(at).toISOString(), language, timezone, "time")).join("–");
    return { from: (from - start) / (end - start), width: (until - from) / (end - start), kind, label: `${what} · ${when} · ${minutes((until - from) / 1000)}` };
  };
  const said = (one: Stretch) => [term("seat", one.state), one.reason && term("reason", one.reason), one.agent, one.confidence === "inferred" && t("board.inferred")].filter(Boolean).join(" · ");
  const state = (one: Stretch) => span(one, one.confidence === "inferred" ? `${one.state} inferred` : one.state, said(one));
  const seen = (one: Seen) => span(one, `present-${one.present}`, `${t(`board.present.${one.present}`)} · ${term("source", one.by)}`);
  return { start, end, state, seen };
}

function Row({ spans, marks }: { spans: Span[]; marks: number[] }) {
  return (
    <svg className="lane" height="22" width="100%" aria-hidden="true">
      {marks.map((share) => (
        <line key={share} x1={`${share * 100}%`} x2={`${share * 100}%`} y1="0" y2="22" />
      ))}
      {spans.map((one, number) => (
        <rect key={number} className={one.kind} x={`${one.from * 100}%`} width={`${Math.max(one.width * 100, 0.08)}%`} y="2" height="18" rx="1.5">
          <title>{one.label}</title>
        </rect>
      ))}
    </svg>
  );
}

/** The same for whoever cannot see the plot. */
function Told({ spans }: { spans: Span[] }) {
  const { t } = useWords();
  return (
    <details className="told">
      <summary>{t("seatday.list", { count: spans.length })}</summary>
      <ol>
        {spans.map((one, number) => (
          <li key={number} className="num">
            {one.label}
          </li>
        ))}
      </ol>
    </details>
  );
}

export function TimeLine({ line, timezone }: { line: SeatLine; timezone: string }) {
  const { t, term, language } = useWords();
  const { start, end, state, seen } = useSpans(line, timezone);
  if (line.states.length === 0 && line.presence.length === 0) {
    return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t("seatday.empty")} />;
  }
  const hour = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: timezone });
  const times = ticks(start, end);
  const marks = times.map((at) => (at - start) / (end - start));
  const states = STATES.filter((name) => line.states.some((one) => one.state === name));
  return (
    <figure className="timeline" aria-label={t("seatday.line")}>
      {states.map((name) => (
        <div key={name} className="timerow">
          <span className={`seatstate ${name}`}>
            {SIGNS[name]} {term("seat", name)}
          </span>
          <Row spans={line.states.filter((one) => one.state === name).map(state)} marks={marks} />
        </div>
      ))}
      {line.presence.length > 0 && (
        <div className="timerow">
          <span>{t("seatday.presence")}</span>
          <Row spans={line.presence.map(seen)} marks={marks} />
        </div>
      )}
      <div className="timerow axis" aria-hidden="true">
        <span />
        <svg height="20" width="100%">
          {times.map((at) => {
            const share = (at - start) / (end - start);
            return (
              <text key={at} x={`${share * 100}%`} y="14" textAnchor={share < 0.02 ? "start" : share > 0.97 ? "end" : "middle"}>
                {hour.format(at)}
              </text>
            );
          })}
        </svg>
      </div>
      <Told spans={[...line.states.map(state), ...line.presence.map(seen)]} />
    </figure>
  );
}
