// Signs of the board: a shape and a word for each state and alarm, and times that count up.
import {
  BellFilled,
  CheckCircleFilled,
  ClockCircleFilled,
  CoffeeOutlined,
  DisconnectOutlined,
  EditFilled,
  ExclamationCircleFilled,
  HourglassFilled,
  MessageFilled,
  PauseCircleFilled,
  PhoneOutlined,
  PoweroffOutlined,
  QuestionCircleOutlined,
  SoundOutlined,
  UserDeleteOutlined,
} from "@ant-design/icons";
import type { ReactNode } from "react";
import { minutes } from "../format.ts";
import { useWords, type Key } from "../words.tsx";
import type { BoardAlarm, Confidence, SeatState } from "./data.ts";
import { secondsSince, useTicking } from "./tick.ts";

export const SIGNS: Record<SeatState, ReactNode> = {
  ready: <CheckCircleFilled aria-hidden />,
  ringing: <BellFilled aria-hidden />,
  talking: <MessageFilled aria-hidden />,
  hold: <PauseCircleFilled aria-hidden />,
  wrap_up: <EditFilled aria-hidden />,
  busy: <CoffeeOutlined aria-hidden />,
  off_hook: <PhoneOutlined aria-hidden />,
  unreachable: <DisconnectOutlined aria-hidden />,
  unknown: <QuestionCircleOutlined aria-hidden />,
  offline: <PoweroffOutlined aria-hidden />,
};

const ALARMS: Record<string, ReactNode> = {
  ringing: <BellFilled aria-hidden />,
  away: <UserDeleteOutlined aria-hidden />,
  unreachable: <DisconnectOutlined aria-hidden />,
  silent: <SoundOutlined aria-hidden />,
  wrap_up: <EditFilled aria-hidden />,
  work: <HourglassFilled aria-hidden />,
};

/** `real` goes on while the rest of the picture stands still. */
export function Since({ at, real }: { at: string; real?: boolean }) {
  const element = useTicking<HTMLTimeElement>(() => minutes(Math.floor(real ? secondsSince(at, Date.now()) : secondsSince(at))));
  return <time ref={element} dateTime={at} aria-live="off" className="num" />;
}

/** The ring that sounds now, counted from one. */
export function Ring({ at, period }: { at: string; period: number }) {
  const { t } = useWords();
  const element = useTicking<HTMLSpanElement>(() => t("board.ring", { count: Math.floor(secondsSince(at) / period) + 1 }));
  return <span ref={element} className="num" />;
}

export function StateMark({ state, confidence }: { state: SeatState; confidence: Confidence }) {
  const { t, term } = useWords();
  return (
    <span className={`seatstate ${state}`}>
      {SIGNS[state]} <b>{term("seat", state)}</b>
      {confidence === "inferred" && state !== "unknown" && <small className="guess">{t("board.inferred")}</small>}
    </span>
  );
}

export function AlarmSign({ kind }: { kind: string }) {
  return <>{ALARMS[kind] ?? <ExclamationCircleFilled aria-hidden />}</>;
}

export function AlarmName({ alarm }: { alarm: BoardAlarm }) {
  const { t, term, known } = useWords();
  const told = known("alarm", `${alarm.kind}.text`) ? t(`alarm.${alarm.kind}.text` as Key, alarm.values) : term("alarm", alarm.kind);
  return <>{told}</>;
}

export function Clock({ language, timezone }: { language: string; timezone: string }) {
  const format = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: timezone,
  });
  const element = useTicking<HTMLTimeElement>(() => format.format(Date.now()));
  return (
    <span className="wallclock">
      <ClockCircleFilled aria-hidden /> <time ref={element} className="num" />
    </span>
  );
}
