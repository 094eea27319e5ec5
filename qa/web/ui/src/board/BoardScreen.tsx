// The floor as it is now: alarms, how many seats are in which state, and every seat.
import { FullscreenOutlined } from "@ant-design/icons";
import { Button, Empty, Select, Tooltip } from "antd";
import { useEffect, useState } from "react";
import { CaptureNotice } from "../captures/CaptureNotice.tsx";
import { useSite } from "../data.ts";
import { useKeys } from "../keys.ts";
import { go, seatAddress } from "../route.ts";
import { Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { AlarmStrip } from "./AlarmStrip.tsx";
import { STATES, type BoardAlarm, type BoardSeat, type SeatState } from "./data.ts";
import { useBoard } from "./feed.ts";
import { SIGNS } from "./marks.tsx";
import { Heard, Notice, stale } from "./Notice.tsx";
import { SeatTile } from "./SeatTile.tsx";
import { bySeat, countsOf, searchOf, shownSeats, teamsOf, useView, type View } from "./view.ts";
import "./board.css";

const NONE: BoardAlarm[] = [];

/** A browser goes full screen only for somebody who pressed something; the wall itself needs nobody. */
export function toWall(view: View): void {
  void document.documentElement.requestFullscreen?.().catch(() => undefined);
  go(`/board/wall${searchOf(view)}`);
}

function StateCounts({ seats, view, set }: { seats: BoardSeat[]; view: View; set: (part: Partial<View>) => void }) {
  const { t, term } = useWords();
  const counts = countsOf(seats);
  const states: SeatState[] = STATES.filter((state) => counts.has(state) || state === view.state);
  return (
    <div className="statecounts" role="group" aria-label={t("board.states")}>
      <button type="button" aria-pressed={!view.state} onClick={() => set({ state: "" })}>
        <b>{seats.length}</b> {t("board.state.all")}
      </button>
      {states.map((state) => (
        <button
          key={state}
          type="button"
          className={`seatstate ${state}`}
          aria-pressed={view.state === state}
          onClick={() => set({ state: view.state === state ? "" : state })}
        >
          {SIGNS[state]} <b>{counts.get(state) ?? 0}</b> {term("seat", state)}
        </button>
      ))}
    </div>
  );
}

function groups(seats: BoardSeat[]): [string | null, BoardSeat[]][] {
  const found = new Map<string | null, BoardSeat[]>();
  for (const seat of seats) found.set(seat.team, [...(found.get(seat.team) ?? []), seat]);
  return [...found];
}

interface GridProps {
  seats: BoardSeat[];
  alarms: Map<string, BoardAlarm[]>;
  ringSeconds: number;
  chosen: string | null;
}

function Grid({ seats, alarms, ringSeconds, chosen }: GridProps) {
  const { t } = useWords();
  const teams = groups(seats);
  return (
    <>
      {teams.map(([team, members]) => (
        <section key={team ?? ""} className="team">
          {(teams.length > 1 || team) && (
            <h2>
              {team ?? t("board.team.none")} <small>{t("board.seats", { count: members.length })}</small>
            </h2>
          )}
          <div className="seatgrid">
            {members.map((seat) => (
              <SeatTile
                key={seat.seat}
                seat={seat}
                alarms={alarms.get(seat.seat) ?? NONE}
                ringSeconds={ringSeconds}
                chosen={seat.seat === chosen}
              />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}

function useChosen(seats: BoardSeat[], onWall: () => void): string | null {
  const [chosen, choose] = useState<string | null>(null);
  const move = (by: number) => {
    const at = seats.findIndex((seat) => seat.seat === chosen);
    const next = seats[Math.min(seats.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next) choose(next.seat);
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    ArrowRight: () => move(1),
    ArrowLeft: () => move(-1),
    Enter: () => chosen && go(seatAddress(chosen)),
    w: onWall,
  });
  useEffect(() => {
    if (chosen) document.querySelector(`[data-seat="${CSS.escape(chosen)}"]`)?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return chosen;
}

function Nothing({ title, hint }: { title: string; hint?: string }) {
  return (
    <div className="panel padded">
      <Empty
        image={Empty.PRESENTED_IMAGE_SIMPLE}
        description={
          <>
            <strong>{title}</strong>
            {hint && <p className="faint">{hint}</p>}
          </>
        }
      />
    </div>
  );
}

export default function BoardScreen() {
  const { t } = useWords();
  const picture = useBoard();
  const timezone = useSite().data?.timezone ?? "UTC";
  const [view, set] = useView();
  const all = picture.seats ? [...picture.seats.values()] : [];
  const ofTeam = shownSeats(all, { team: view.team, state: "" });
  const seats = shownSeats(ofTeam, view);
  const chosen = useChosen(seats, () => toWall(view));
  const alarms = picture.alarms.filter((alarm) => !view.team || alarm.team === view.team);
  const notice = <Notice picture={picture} timezone={timezone} />;
  if (!picture.seats) return stale(picture) ? notice : <Waiting />;
  return (
    <div className={stale(picture) ? "board stale" : "board"}>
      {notice}
      <CaptureNotice />
      <div className="filters">
        <Select
          aria-label={t("board.team")}
          className="w-agent"
          value={view.team}
          onChange={(team) => set({ team })}
          options={[{ value: "", label: t("board.team.all") }, ...teamsOf(all).map((team) => ({ value: team, label: team }))]}
        />
        <StateCounts seats={ofTeam} view={view} set={set} />
        <span className="stretch" />
        <Heard picture={picture} timezone={timezone} />
        <Tooltip title={t("board.wall.hint")}>
          <Button icon={<FullscreenOutlined />} onClick={() => toWall(view)}>
            {t("board.wall")}
          </Button>
        </Tooltip>
      </div>
      <AlarmStrip alarms={alarms} />
      {all.length === 0 ? (
        <Nothing title={t("board.empty")} hint={t("board.empty.hint")} />
      ) : seats.length === 0 ? (
        <Nothing title={t("board.none")} />
      ) : (
        <Grid seats={seats} alarms={bySeat(picture.alarms)} ringSeconds={picture.ringSeconds} chosen={chosen} />
      )}
    </div>
  );
}
