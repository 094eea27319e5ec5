// One seat on the board: state and since when, who, the call that is there, and what must be looked at.
import { memo } from "react";
import { HourglassOutlined, TeamOutlined, UserDeleteOutlined } from "@ant-design/icons";
import { follow } from "../shell/follow.ts";
import { seatAddress } from "../route.ts";
import { useWords } from "../words.tsx";
import type { BoardAlarm, BoardCall, BoardSeat } from "./data.ts";
import { AlarmName, AlarmSign, Ring, Since, StateMark } from "./marks.tsx";

function CallLine({ call, ringSeconds }: { call: BoardCall; ringSeconds: number }) {
  const { t, term } = useWords();
  const queue = call.queue ?? (call.direction ? term("direction", call.direction) : null);
  return (
    <p className="tilecall">
      {call.answered_at ? (
        <span>
          {t("board.talk")} <Since at={call.answered_at} />
        </span>
      ) : call.ringing_at ? (
        <span>
          <Ring at={call.ringing_at} period={ringSeconds} /> · <Since at={call.ringing_at} />
        </span>
      ) : (
        <span>{t("board.offered")}</span>
      )}
      {queue && <span className="faint cut">{queue}</span>}
    </p>
  );
}

const MILD = new Set(["wrap_up", "work"]); // to look at, not to run for

interface Props {
  seat: BoardSeat;
  alarms: BoardAlarm[];
  ringSeconds: number;
  chosen?: boolean;
  plain?: boolean;
}

/** `plain` has no link: nobody clicks on a wall. */
function Tile({ seat, alarms, ringSeconds, chosen, plain }: Props) {
  const { t, term } = useWords();
  const who = seat.name ?? seat.agent;
  const marked = alarms.length === 0 ? "" : alarms.every((alarm) => MILD.has(alarm.kind)) ? " alarmed mild" : " alarmed";
  return (
    <article className={`seattile ${seat.state}${marked}${chosen ? " chosen" : ""}`} data-seat={seat.seat}>
      <header>
        {plain ? (
          <strong className="cut">{seat.seat}</strong>
        ) : (
          <a className="cut" href={seatAddress(seat.seat)} onClick={follow} aria-label={t("board.open", { seat: seat.seat })}>
            {seat.seat}
          </a>
        )}
        {who && <span className="cut tilewho">{who}</span>}
      </header>
      <p className="tilestate">
        <StateMark state={seat.state} confidence={seat.confidence} />
        {seat.since && <Since at={seat.since} />}
      </p>
      {seat.reason && <p className="cut tilereason">{term("reason", seat.reason)}</p>}
      {seat.call && <CallLine call={seat.call} ringSeconds={ringSeconds} />}
      {seat.present === "no" && seat.state !== "offline" && (
        <p className="tilenote">
          <UserDeleteOutlined aria-hidden /> {t("board.present.no")} {seat.present_since && <Since at={seat.present_since} />}
        </p>
      )}
      {alarms.map((alarm) => (
        <p key={alarm.kind} className={MILD.has(alarm.kind) ? "tilealarm mild" : "tilealarm"}>
          <AlarmSign kind={alarm.kind} /> <AlarmName alarm={alarm} />
        </p>
      ))}
      <footer className="faint">
        {seat.team && (
          <span className="cut">
            <TeamOutlined aria-hidden /> {seat.team}
          </span>
        )}
        {seat.work_since && (
          <span title={t("board.work")} className="tilework">
            <HourglassOutlined aria-hidden /> <Since at={seat.work_since} />
          </span>
        )}
      </footer>
    </article>
  );
}

export const SeatTile = memo(Tile);
