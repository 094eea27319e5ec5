// One seat's day: its states as a time line, who was seen there, and what the times add up to.
import { DownloadOutlined } from "@ant-design/icons";
import { Input } from "antd";
import { useState } from "react";
import { ROOT } from "../api.ts";
import { useSite } from "../data.ts";
import { minutes } from "../format.ts";
import { useKeys } from "../keys.ts";
import { go } from "../route.ts";
import { follow } from "../shell/follow.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { dayAt, STATES, useSeatLine, type Times } from "./data.ts";
import { SIGNS } from "./marks.tsx";
import { TimeLine } from "./TimeLine.tsx";
import "./board.css";

function percent(share: number | null): string | null {
  return share === null ? null : `${(share * 100).toFixed(1)} %`;
}

function Sums({ times }: { times: Times }) {
  const { t, term } = useWords();
  const states = STATES.filter((state) => state !== "unknown" && (times.told[state] || times.inferred[state]));
  return (
    <dl className="figures sums">
      {states.map((state) => (
        <div key={state} className={state}>
          <dt>
            {SIGNS[state]} {term("seat", state)}
          </dt>
          <dd>
            {minutes(times.told[state] ?? 0)}
            {times.inferred[state] ? <small>{t("seatday.inferred", { time: minutes(times.inferred[state]) })}</small> : null}
          </dd>
        </div>
      ))}
      <div>
        <dt>{t("seatday.absent")}</dt>
        <dd>{minutes(times.absent_seconds)}</dd>
      </div>
      {times.seat !== null && (
        <div>
          <dt>{t("seatday.untold")}</dt>
          <dd>{minutes(times.untold_seconds)}</dd>
        </div>
      )}
      <div>
        <dt>{t("seatday.longest")}</dt>
        <dd>{minutes(times.longest_work_seconds)}</dd>
      </div>
      <div>
        <dt title={t("seatday.occupancy.hint")}>{t("seatday.occupancy")}</dt>
        <dd>{percent(times.occupancy) ?? t("not.known")}</dd>
      </div>
      <div>
        <dt title={t("seatday.notready.hint")}>{t("seatday.notready")}</dt>
        <dd>{percent(times.not_ready_share) ?? t("not.known")}</dd>
      </div>
      <div>
        <dt>{t("seatday.changes")}</dt>
        <dd>
          {times.changes}
          {times.leaps > 0 && <small>{t("seatday.leaps", { count: times.leaps })}</small>}
        </dd>
      </div>
    </dl>
  );
}

function Reasons({ busy }: { busy: Record<string, number> }) {
  const { t, term } = useWords();
  const found = Object.entries(busy).sort((one, other) => other[1] - one[1]);
  if (found.length === 0) return null;
  return (
    <section>
      <h3>{t("seatday.reasons")}</h3>
      <dl className="pairs">
        {found.map(([reason, seconds]) => (
          <div key={reason}>
            <dt>{reason ? term("reason", reason) : t("seatday.reason.none")}</dt>
            <dd>{minutes(seconds)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Agents({ agents }: { agents: Times[] }) {
  const { t } = useWords();
  if (agents.length === 0) return null;
  return (
    <section className="panel padded">
      <h2>{t("seatday.agents")}</h2>
      {agents.map((times) => (
        <div key={times.agent} className="agenttimes">
          <h3>
            {times.name ?? times.agent} {times.name && <small>{times.agent}</small>} {times.team && <small>{times.team}</small>}
          </h3>
          <Sums times={{ ...times, seat: null }} />
        </div>
      ))}
    </section>
  );
}

export default function SeatScreen({ seat }: { seat: string }) {
  const { t } = useWords();
  const site = useSite();
  const timezone = site.data?.timezone ?? "UTC";
  const today = dayAt(Date.now(), timezone);
  const [asked, ask] = useState("");
  const day = asked || today;
  const line = useSeatLine(seat, day, day === today);
  useKeys({ b: () => go("/board") });
  return (
    <div className="board seatday">
      <div className="filters">
        <a href="/board" onClick={follow}>
          ← {t("nav.board")}
        </a>
        <h1>{t("episodes.seat", { seat })}</h1>
        <Input aria-label={t("filter.day")} type="date" className="w-day" value={day} max={today} onChange={(event) => ask(event.target.value)} />
        <span className="stretch" />
        <a href={`${ROOT}/seat-times.csv?day=${day}`} download>
          <DownloadOutlined aria-hidden /> {t("seatday.csv")}
        </a>
      </div>
      {line.isPending ? (
        <Waiting />
      ) : line.isError ? (
        <Trouble error={line.error} onRetry={() => void line.refetch()} />
      ) : (
        <>
          <section className="panel padded">
            <TimeLine line={line.data} timezone={timezone} />
            <Sums times={line.data.times} />
            <Reasons busy={line.data.times.busy} />
          </section>
          <Agents agents={line.data.agents} />
        </>
      )}
    </div>
  );
}
