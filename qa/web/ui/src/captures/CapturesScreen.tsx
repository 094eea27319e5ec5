// How much of each day was recorded, by an independent list of its calls: the rate over the days, and what is missing.
import { CheckCircleOutlined, WarningFilled } from "@ant-design/icons";
import { Button, Input } from "antd";
import { useEffect, useState } from "react";
import { dayAt } from "../board/data.ts";
import { useSite } from "../data.ts";
import { moment } from "../format.ts";
import { useKeys } from "../keys.ts";
import { callAddress, capturesAddress, go } from "../route.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords, type Key } from "../words.tsx";
import { MISSING, percent, useCapture, useCaptures, wanted, type CaptureDay, type MissingCall, type MissingState } from "./data.ts";
import { MissingTable } from "./MissingTable.tsx";
import { RateChart } from "./RateChart.tsx";
import "./captures.css";

const DAY_MS = 86_400_000;

/** Which command brings a list; without one there is no rate, and nothing is taken for whole. */
function Bring({ day, never }: { day: string; never: boolean }) {
  const { t } = useWords();
  return (
    <section className="panel padded bring">
      <h2>{never ? t("capture.empty") : t("capture.empty.day", { day })}</h2>
      <p>{t("capture.empty.hint")}</p>
      <dl>
        <dt>{t("capture.empty.queue_log")}</dt>
        <dd>
          <code>seatwatch reconcile {day} /var/log/asterisk/queue_log</code>
        </dd>
        <dt>{t("capture.empty.cdr")}</dt>
        <dd>
          <code>seatwatch reconcile {day} /var/log/asterisk/cdr-csv/Master.csv</code>
        </dd>
        <dt>{t("capture.empty.records")}</dt>
        <dd>
          <code>seatwatch reconcile {day} calls.csv</code>
        </dd>
      </dl>
      <p className="faint">{t("capture.empty.daily")}</p>
    </section>
  );
}

function Figure({ one }: { one: CaptureDay }) {
  const { t } = useWords();
  if (one.rate === null) return <p className="ratefigure">{t("capture.norate")}</p>;
  const whole = one.rate >= 1;
  return (
    <p className={whole ? "ratefigure whole" : "ratefigure short"} role={whole ? undefined : "alert"}>
      <b className="num">{percent(one.rate)}</b>
      <span>
        {whole ? <CheckCircleOutlined aria-hidden /> : <WarningFilled aria-hidden />}{" "}
        {whole ? t("capture.whole") : t("capture.short", { count: one.missing.length })}
      </span>
      <small>{t("capture.of", { recorded: one.recorded, wanted: wanted(one) })}</small>
    </p>
  );
}

interface TilesProps {
  one: CaptureDay;
  state: MissingState | null;
  onState: (state: MissingState | null) => void;
}

/** What became of the list's calls; those that are missing can be filtered for. */
function Tiles({ one, state, onState }: TilesProps) {
  const { t } = useWords();
  const plain = ["recorded", "nothing", "excluded", "unlisted", "refused"] as const;
  const shown = plain.filter((name) => name === "recorded" || one[name] > 0);
  return (
    <div className="totals" role="group" aria-label={t("capture.states")}>
      {MISSING.map((name) => (
        <button
          key={name}
          type="button"
          className={one[name] > 0 ? "tile failed" : "tile"}
          title={t(`capture.state.${name}.hint` as Key)}
          aria-pressed={state === name}
          disabled={one[name] === 0 && state !== name}
          onClick={() => onState(state === name ? null : name)}
        >
          <b>{one[name]}</b>
          <span>{t(`capture.state.${name}` as Key)}</span>
        </button>
      ))}
      {shown.map((name) => (
        <div key={name} className="tile" title={t(`capture.state.${name}.hint` as Key)}>
          <b>{one[name]}</b>
          <span>{t(`capture.state.${name}` as Key)}</span>
        </div>
      ))}
    </div>
  );
}

function useChosenRow(rows: MissingCall[], day: string): number {
  const [chosen, choose] = useState(-1);
  useEffect(() => choose(-1), [day, rows.length]);
  useKeys({
    j: () => choose((now) => Math.min(now + 1, rows.length - 1)),
    k: () => choose((now) => Math.max(now - 1, 0)),
    Enter: () => {
      const ours = rows[chosen]?.ours;
      if (ours != null) go(callAddress(ours));
    },
  });
  return chosen;
}

function Day({ one, timezone }: { one: CaptureDay; timezone: string }) {
  const { t, language } = useWords();
  const [state, setState] = useState<MissingState | null>(null);
  const rows = one.missing.filter((missing) => state === null || missing.state === state);
  const chosen = useChosenRow(rows, one.day);
  return (
    <>
      <section className="panel padded captureday">
        <div>
          <h2>{one.day}</h2>
          <Figure one={one} />
        </div>
        <div className="became">
          <Tiles one={one} state={state} onState={setState} />
          <p className="faint">
            {t("capture.by", { files: one.files, actor: one.actor, when: moment(one.made_at, language, timezone), listed: one.listed })}
          </p>
        </div>
      </section>
      <h2 className="above">
        {t("capture.missing")} <small>{rows.length}</small>
        {state !== null && (
          <Button type="link" onClick={() => setState(null)}>
            {t("filter.clear")}
          </Button>
        )}
      </h2>
      {one.missing.length === 0 ? (
        <p className="panel padded nonemissing">
          <CheckCircleOutlined aria-hidden /> {one.rate === null ? t("capture.norate") : t("capture.missing.none")}
        </p>
      ) : (
        <MissingTable rows={rows} chosen={chosen} timezone={timezone} />
      )}
    </>
  );
}

export default function CapturesScreen({ day }: { day: string | null }) {
  const { t } = useWords();
  const timezone = useSite().data?.timezone ?? "UTC";
  const captures = useCaptures();
  const days = captures.data ?? [];
  const yesterday = dayAt(Date.now() - DAY_MS, timezone);
  const shown = day ?? days[0]?.day ?? yesterday;
  const listed = days.find((one) => one.day === shown);
  const other = useCapture(shown, captures.isSuccess && days.length > 0 && !listed);
  const found = listed ?? other.data;
  const choose = (next: string) => go(capturesAddress(next));
  const step = (by: number) => {
    const sorted = days.map((one) => one.day).sort();
    const next = by > 0 ? sorted.find((one) => one > shown) : sorted.filter((one) => one < shown).at(-1);
    if (next) choose(next);
  };
  useKeys({ ArrowLeft: () => step(-1), ArrowRight: () => step(1) });
  if (captures.isPending) return <Waiting />;
  if (captures.isError) return <Trouble error={captures.error} onRetry={() => void captures.refetch()} />;
  return (
    <div className="captures">
      <div className="filters">
        <h1>{t("capture.title")}</h1>
        <span className="stretch" />
        {days.length > 0 && (
          <Input
            aria-label={t("filter.day")}
            type="date"
            className="w-day"
            value={shown}
            max={dayAt(Date.now(), timezone)}
            onChange={(event) => event.target.value && choose(event.target.value)}
          />
        )}
      </div>
      {days.length > 0 && (
        <section className="panel ratepanel">
          <p className="faint">{t("capture.hint")}</p>
          <RateChart days={days} chosen={shown} onChoose={choose} />
        </section>
      )}
      {other.isError ? (
        <Trouble error={other.error} onRetry={() => void other.refetch()} />
      ) : found ? (
        <Day key={found.day} one={found} timezone={timezone} />
      ) : other.isLoading ? (
        <Waiting rows={3} />
      ) : (
        <Bring day={shown} never={days.length === 0} />
      )}
    </div>
  );
}
