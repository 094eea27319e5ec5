// What the phones signalled, as a bar of phases and as a list.
import { Empty } from "antd";
import type { EventRow, Metrics } from "../api.ts";
import { clock, moment } from "../format.ts";
import { useWords, type Key } from "../words.tsx";

interface Phase {
  kind: "ringing" | "talking" | "hold";
  from: number;
  to: number;
}

const NEXT: Record<string, Phase["kind"] | null> = {
  offered: "ringing",
  ringing: "ringing",
  answered: "talking",
  held: "hold",
  resumed: "talking",
  redirected: null,
  ended: null,
};

/** Phases between events; an event that opens no phase of its own leaves the running one as it is. */
export function phases(events: EventRow[]): Phase[] {
  const list: Phase[] = [];
  let open: Phase | null = null;
  for (const event of events) {
    if (!(event.type in NEXT)) continue;
    const kind = NEXT[event.type] ?? null;
    if (open && open.kind === kind) continue;
    if (open) list.push({ ...open, to: event.offset_ms });
    open = kind && { kind, from: event.offset_ms, to: event.offset_ms };
  }
  const last = events.at(-1)?.offset_ms ?? 0;
  if (open) list.push({ ...open, to: last });
  return list.filter((phase) => phase.to > phase.from);
}

function Bar({ events, metrics }: { events: EventRow[]; metrics: Metrics }) {
  const { t } = useWords();
  const list = phases(events);
  const from = list[0]?.from ?? 0;
  const length = (list.at(-1)?.to ?? 0) - from;
  if (length <= 0) return null;
  const period = (metrics.ring_period_seconds ?? 0) * 1000;
  return (
    <div className="phases" role="img" aria-label={t("signalling.bar")}>
      {list.map((phase) => (
        <svg
          key={phase.from}
          className={phase.kind}
          x={0}
          width={`${((phase.to - phase.from) / length) * 100}%`}
          height={40}
          aria-hidden="true"
        >
          <rect width="100%" height={14} y={4} rx={3} />
          {phase.kind === "ringing" &&
            period > 0 &&
            Array.from({ length: Math.min(metrics.ring_count ?? 0, 60) }, (_, ring) => (
              <text key={ring} x={`${((ring * period) / (phase.to - phase.from)) * 100}%`} y={15} dx={3}>
                {ring + 1}
              </text>
            ))}
          <text className="name" y={34}>
            {t(`phase.${phase.kind}` as Key)} {clock(phase.to - phase.from)}
          </text>
        </svg>
      ))}
    </div>
  );
}

function detail(event: EventRow, term: (family: string, member: string) => string, by: (party: string) => string): string {
  const parts: string[] = [];
  const read = (name: string) => (typeof event.detail[name] === "string" ? (event.detail[name] as string) : null);
  if (read("by")) parts.push(by(term("party", read("by")!)));
  if (read("status")) parts.push(term("seat", read("status")!));
  if (read("reason")) parts.push(read("reason")!);
  if (read("role")) parts.push(term("role", read("role")!));
  if (read("to")) parts.push(`→ ${read("to")}`);
  return parts.join(" · ");
}

interface Props {
  events: EventRow[];
  metrics: Metrics;
  timezone: string;
  marked: boolean;
}

/** Signalling that ring evidence rests on: from the offer to the answer or the end. */
const RING = new Set(["offered", "ringing", "answered", "redirected", "ended"]);

export function Signalling({ events, metrics, timezone, marked }: Props) {
  const { t, term, language } = useWords();
  if (events.length === 0) return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t("signalling.empty")} />;
  return (
    <>
      <Bar events={events} metrics={metrics} />
      <ol className="events">
        {events.map((event) => (
          <li key={`${event.source} ${event.id}`} className={marked && RING.has(event.type) ? "marked" : ""}>
            <time dateTime={event.at} className="num">
              {moment(event.at, language, timezone, "time")}
            </time>
            <span className="num faint">+{clock(event.offset_ms)}</span>
            <strong>{term("event", event.type)}</strong>
            <span>{detail(event, term, (party) => t("event.by", { party }))}</span>
            <span className="faint">{event.source}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
