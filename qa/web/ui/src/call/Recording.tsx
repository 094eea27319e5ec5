// The waveform of both parties with its controls.
import { BackwardOutlined, CaretRightFilled, ForwardOutlined, PauseOutlined } from "@ant-design/icons";
import { Alert, Button, Select, Spin, Tooltip } from "antd";
import type { RefObject } from "react";
import type { Gap, Recording as Info } from "../api.ts";
import { clock } from "../format.ts";
import { useWords, type Key } from "../words.tsx";
import { RATES, useAt, usePlayerState, type Player } from "./player.ts";

function Position({ player, duration }: { player: Player | null; duration: number }) {
  const { t } = useWords();
  const now = useAt(player, (ms) => clock(Math.max(0, ms)));
  return (
    <span className="position num" role="timer" aria-label={t("player.position")}>
      {now} / {clock(duration)}
    </span>
  );
}

function gapList(gaps: Gap[], term: (family: string, member: string) => string): string {
  return gaps.map((gap) => `${term("role", gap.role)} ${clock(gap.start_ms)}–${clock(gap.end_ms)}`).join(" · ");
}

function Controls({ player }: { player: Player | null }) {
  const { t } = useWords();
  const state = usePlayerState(player);
  const play = t(state.playing ? "player.pause" : "player.play");
  return (
    <div className="controls">
      <Tooltip title={t("player.back")}>
        <Button disabled={!state.ready} aria-label={t("player.back")} icon={<BackwardOutlined />} onClick={() => player?.skip(-5000)} />
      </Tooltip>
      <Button
        type="primary"
        disabled={!state.ready}
        aria-label={play}
        icon={state.playing ? <PauseOutlined /> : <CaretRightFilled />}
        onClick={() => player?.toggle()}
      >
        {play}
      </Button>
      <Tooltip title={t("player.forward")}>
        <Button disabled={!state.ready} aria-label={t("player.forward")} icon={<ForwardOutlined />} onClick={() => player?.skip(5000)} />
      </Tooltip>
      <Position player={player} duration={state.duration} />
      <Select
        aria-label={t("player.speed")}
        value={state.rate}
        disabled={!state.ready}
        onChange={(rate) => player?.setRate(rate)}
        options={RATES.map((rate) => ({ value: rate, label: `${rate}×` }))}
        className="w-rate"
      />
      <span className="spanplaying" role="status" data-testid="span">
        {state.span && t("player.span", { from: clock(state.span.from), to: clock(state.span.to) })}
      </span>
    </div>
  );
}

interface Props {
  info: Info;
  player: Player | null;
  place: RefObject<HTMLDivElement | null>;
  error: Error | null;
}

export function Recording({ info, player, place, error }: Props) {
  const { t, term } = useWords();
  const state = usePlayerState(player);
  const failed = error !== null || state.failed;
  return (
    <section className="panel recording" aria-label={t("player.label")}>
      <div className="waves">
        <div className="lanes" aria-hidden="true">
          {info.roles.map((role) => (
            <span key={role} className={`lane ${role}`}>
              {t(`role.${role}` as Key)}
            </span>
          ))}
        </div>
        <div className="wave" ref={place} data-lanes={info.roles.length} />
        {!state.ready && !failed && (
          <div className="waveload">
            <Spin size="small" /> {t("player.loading")}
          </div>
        )}
        {failed && <Alert className="waveload" type="warning" showIcon title={t("player.failed")} description={error?.message} />}
      </div>
      <Controls player={player} />
      {info.gaps.length > 0 && (
        <p className="note">
          <span className="hatch" aria-hidden="true" /> <strong>{t("player.gap.list", { list: gapList(info.gaps, term) })}</strong>{" "}
          {t("player.gaps")}
        </p>
      )}
      {info.channels === "mixed" && <p className="note">{t("player.mixed")}</p>}
    </section>
  );
}
