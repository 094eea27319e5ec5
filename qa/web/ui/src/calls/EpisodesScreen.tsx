// Stretches in which nobody was at a seat, each with its scorecard.
import { Empty } from "antd";
import type { Episode } from "../api.ts";
import { Findings } from "../call/Findings.tsx";
import { useEpisodes, useSite } from "../data.ts";
import { minutes, moment } from "../format.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { FlagMarks, ScorePair } from "./cells.tsx";

function Away({ episode }: { episode: Episode }) {
  const { t, term } = useWords();
  const ready = episode.ready_seconds;
  const share = episode.away_seconds && ready !== null ? Math.min(100, (ready / episode.away_seconds) * 100) : 0;
  return (
    <dl className="figures">
      <div>
        <dt>{t("episodes.away")}</dt>
        <dd>{episode.away_seconds === null ? t("episodes.ongoing") : minutes(episode.away_seconds)}</dd>
      </div>
      <div>
        <dt>{t("episodes.ready")}</dt>
        <dd>
          {ready === null ? t("not.known") : minutes(ready)}
          <svg className="share" aria-hidden="true">
            <rect width={`${share}%`} height="100%" rx={3} />
          </svg>
        </dd>
      </div>
      <div>
        <dt>{t("episodes.status")}</dt>
        <dd>{term("seat", episode.status)}</dd>
      </div>
      <div>
        <dt>{t("episodes.source")}</dt>
        <dd>{term("source", episode.source)}</dd>
      </div>
    </dl>
  );
}

function Card({ episode, timezone }: { episode: Episode; timezone: string }) {
  const { t, language } = useWords();
  const time = (at: string | null) => (at ? moment(at, language, timezone) : t("not.known"));
  return (
    <article className="panel episode">
      <header>
        <h2>{t("episodes.seat", { seat: episode.seat ?? t("not.known") })}</h2>
        <span>{episode.agent ?? t("none")}</span>
        <span className="faint">
          {time(episode.at)} – {episode.until ? moment(episode.until, language, timezone, "time") : t("episodes.ongoing")}
        </span>
        <FlagMarks flags={episode.flags} scored={episode.scorecard !== null} />
        <span className="stretch" />
        <ScorePair score={episode.scorecard?.total ?? null} />
      </header>
      <Away episode={episode} />
      {episode.scorecard ? <Findings lines={episode.scorecard.lines} timezone={timezone} /> : <p className="faint">{t("findings.waiting")}</p>}
    </article>
  );
}

export function EpisodesScreen() {
  const { t } = useWords();
  const site = useSite();
  const episodes = useEpisodes();
  if (episodes.isPending) return <Waiting />;
  if (episodes.isError) return <Trouble error={episodes.error} onRetry={() => void episodes.refetch()} />;
  if (episodes.data.items.length === 0) {
    return (
      <div className="panel padded">
        <Empty
          image={Empty.PRESENTED_IMAGE_SIMPLE}
          description={
            <>
              <strong>{t("episodes.empty")}</strong>
              <p className="faint">{t("episodes.empty.hint")}</p>
            </>
          }
        />
      </div>
    );
  }
  return (
    <div className="episodes">
      {episodes.data.items.map((episode) => (
        <Card key={episode.subject} episode={episode} timezone={site.data?.timezone ?? "UTC"} />
      ))}
    </div>
  );
}
