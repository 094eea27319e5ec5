// Measures of the call, what was heard by which engine, and what names the run.
import type { Call, Transcript } from "../api.ts";
import { minutes, oneDecimal } from "../format.ts";
import { useWords } from "../words.tsx";

type Row = [label: string, value: string];

function List({ rows }: { rows: Row[] }) {
  return (
    <dl className="facts">
      {rows.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Figures({ call, heard }: { call: Call; heard: Transcript | undefined }) {
  const { t, term } = useWords();
  const none = t("not.known");
  const seconds = (value: number | null) => (value === null ? none : t("unit.seconds", { seconds: oneDecimal(value) }));
  const m = call.metrics;
  const run = call.run;
  return (
    <>
      <List
        rows={[
          [t("figures.rings"), m.ring_count === null ? none : String(m.ring_count)],
          [t("figures.ring_seconds"), seconds(m.ring_seconds)],
          [t("figures.ring_source"), term("ring_source", m.ring_source ?? "none")],
          [t("figures.answer"), seconds(m.answer_seconds)],
          [t("figures.talk"), m.talk_seconds === null ? none : minutes(m.talk_seconds)],
          [t("figures.hold"), seconds(m.hold_seconds)],
          [t("figures.queue_wait"), seconds(m.queue_seconds)],
          [t("figures.wrap_up"), seconds(m.wrap_up_seconds)],
          [t("figures.silence"), seconds(m.silence_seconds)],
          [t("figures.talk_over"), seconds(m.talk_over_seconds)],
          [t("figures.agent_share"), m.agent_share === null ? none : `${Math.round(m.agent_share * 100)} %`],
          [t("figures.hung_up_by"), term("party", m.hung_up_by ?? "unknown")],
          [t("figures.queue"), call.queue ?? t("none")],
        ]}
      />
      {call.offers.length > 1 && (
        <>
          <h3>{t("offers.title")}</h3>
          <List
            rows={call.offers.map((one) => [
              `${one.seat ?? none} · ${one.agent ?? none}`,
              `${seconds(one.ring_seconds)} · ${one.end === null ? t("offer.open") : term("offer", one.end)}`,
            ])}
          />
        </>
      )}
      {heard && (
        <List
          rows={[
            [t("speech.engine"), heard.engine ?? none],
            [t("speech.model"), heard.model ?? none],
            [t("speech.language"), term("language", heard.language)],
          ]}
        />
      )}
      {run && (
        <>
          <h3>{t("run.title")}</h3>
          <List
            rows={[
              [t("run.pack"), `${run.pack} · ${run.pack_version}`],
              [t("run.engine"), String(run.engine)],
              [t("run.day"), run.day],
              [t("run.sequence"), run.sequence === null ? none : String(run.sequence)],
              [t("run.inputs"), run.inputs],
            ]}
          />
          <p className="faint">{t("run.hint")}</p>
        </>
      )}
    </>
  );
}
