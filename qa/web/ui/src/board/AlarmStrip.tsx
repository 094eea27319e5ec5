// Everything that must be looked at, above all seats, the weightiest first.
import { CheckCircleOutlined } from "@ant-design/icons";
import { seatAddress } from "../route.ts";
import { follow } from "../shell/follow.ts";
import { useWords } from "../words.tsx";
import type { BoardAlarm } from "./data.ts";
import { AlarmName, AlarmSign, Since } from "./marks.tsx";

function One({ alarm, plain }: { alarm: BoardAlarm; plain?: boolean }) {
  const { t } = useWords();
  const inside = (
    <>
      <AlarmSign kind={alarm.kind} />
      <b>{alarm.seat}</b>
      <span>
        <AlarmName alarm={alarm} />
        {alarm.inferred && <small className="guess">{t("board.inferred")}</small>}
      </span>
      <Since at={alarm.since} />
    </>
  );
  return (
    <li className={`alarm ${alarm.kind}`} data-alarm={alarm.kind}>
      {plain ? (
        <span className="alarmbody">{inside}</span>
      ) : (
        <a className="alarmbody" href={seatAddress(alarm.seat)} onClick={follow}>
          {inside}
        </a>
      )}
    </li>
  );
}

export function AlarmStrip({ alarms, plain, most = 200 }: { alarms: BoardAlarm[]; plain?: boolean; most?: number }) {
  const { t } = useWords();
  return (
    <section className="alarms" aria-label={t("board.alarms")}>
      {alarms.length === 0 ? (
        <p className="noalarm">
          <CheckCircleOutlined aria-hidden /> {t("board.alarms.none")}
        </p>
      ) : (
        <ul aria-live="polite">
          {alarms.slice(0, most).map((alarm) => (
            <One key={`${alarm.kind} ${alarm.seat}`} alarm={alarm} plain={plain} />
          ))}
          {alarms.length > most && <li className="alarm more">{t("board.alarms.more", { count: alarms.length - most })}</li>}
        </ul>
      )}
    </section>
  );
}
