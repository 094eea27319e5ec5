// The board for a wall: nothing but seats and alarms, as large as fits; turns its pages by itself, needs no mouse.
import { useEffect, useState } from "react";
import { useSite } from "../data.ts";
import { useKeys } from "../keys.ts";
import { go } from "../route.ts";
import { useWords } from "../words.tsx";
import { AlarmStrip } from "./AlarmStrip.tsx";
import { STATES, type BoardAlarm, type BoardSeat } from "./data.ts";
import { useBoard } from "./feed.ts";
import { Clock, SIGNS } from "./marks.tsx";
import { Notice, stale } from "./Notice.tsx";
import { SeatTile } from "./SeatTile.tsx";
import { bySeat, countsOf, searchOf, shownSeats, useView } from "./view.ts";
import "./board.css";

const MOST_ON_PAGE = 48;
const PAGE_MS = 10_000;
const MOST_ALARMS = 6;
const WIDE = 1.7; // a tile is so many times as wide as it is high
const NONE: BoardAlarm[] = [];

/** Columns and rows in which so many tiles fill the room best. */
export function shape(count: number, width: number, height: number): [columns: number, rows: number] {
  const columns = Math.max(1, Math.min(count, Math.round(Math.sqrt((count * width) / (height * WIDE)))));
  return [columns, Math.max(1, Math.ceil(count / columns))];
}

function useRoom(): [number, number] {
  const [room, set] = useState<[number, number]>([innerWidth, innerHeight]);
  useEffect(() => {
    const measure = () => set([innerWidth, innerHeight]);
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  return room;
}

function usePage(pages: number): number {
  const [page, turn] = useState(0);
  useEffect(() => {
    if (pages < 2) return;
    const timer = setInterval(() => turn((now) => now + 1), PAGE_MS);
    return () => clearInterval(timer);
  }, [pages]);
  return page % Math.max(1, pages);
}

/** The screen of a wall does not fall asleep, where the browser lets us ask. */
function useAwake(): void {
  useEffect(() => {
    let held: WakeLockSentinel | undefined;
    const hold = () => {
      if (document.visibilityState !== "visible") return;
      navigator.wakeLock?.request("screen").then((lock) => (held = lock), () => undefined);
    };
    hold();
    document.addEventListener("visibilitychange", hold);
    return () => {
      document.removeEventListener("visibilitychange", hold);
      void held?.release();
    };
  }, []);
}

function Tiles({ seats, alarms, ringSeconds }: { seats: BoardSeat[]; alarms: Map<string, BoardAlarm[]>; ringSeconds: number }) {
  const [width, height] = useRoom();
  const [columns, rows] = shape(seats.length, width, height * 0.85);
  const tracks = { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gridTemplateRows: `repeat(${rows}, minmax(0, 1fr))` };
  return (
    <div className="walltiles" style={tracks}>
      {seats.map((seat) => (
        <div key={seat.seat} className="wallcell">
          <SeatTile seat={seat} alarms={alarms.get(seat.seat) ?? NONE} ringSeconds={ringSeconds} plain />
        </div>
      ))}
    </div>
  );
}

export default function WallScreen() {
  const { t, term, language } = useWords();
  const picture = useBoard();
  const site = useSite().data;
  const timezone = site?.timezone ?? "UTC";
  const [view] = useView();
  const leave = () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    go(`/board${searchOf(view)}`);
  };
  useKeys({ Escape: leave, w: leave });
  useAwake();
  const seats = shownSeats(picture.seats?.values() ?? [], view);
  const pages = Math.max(1, Math.ceil(seats.length / MOST_ON_PAGE));
  const page = usePage(pages);
  const onPage = Math.ceil(seats.length / pages);
  const counts = countsOf(seats);
  const alarms = picture.alarms.filter((alarm) => !view.team || alarm.team === view.team);
  return (
    <div className={stale(picture) ? "wall board stale" : "wall board"}>
      <header className="wallhead">
        <h1>{view.team || site?.site}</h1>
        <p className="statecounts">
          {STATES.filter((state) => counts.has(state)).map((state) => (
            <span key={state} className={`seatstate ${state}`}>
              {SIGNS[state]} <b>{counts.get(state)}</b> {term("seat", state)}
            </span>
          ))}
        </p>
        {pages > 1 && <span className="num">{t("board.page", { page: page + 1, pages })}</span>}
        <Clock language={language} timezone={timezone} />
      </header>
      <Notice picture={picture} timezone={timezone} />
      <AlarmStrip alarms={alarms} plain most={MOST_ALARMS} />
      {seats.length === 0 ? (
        <p className="wallempty">{picture.seats ? t(picture.seats.size ? "board.none" : "board.empty") : t("board.waiting")}</p>
      ) : (
        <Tiles seats={seats.slice(page * onPage, (page + 1) * onPage)} alarms={bySeat(picture.alarms)} ringSeconds={picture.ringSeconds} />
      )}
    </div>
  );
}
