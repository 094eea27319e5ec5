// What was said, in step with the audio: the turn that plays is marked, a click on a turn plays it.
import { Checkbox, Empty, Tooltip } from "antd";
import { useEffect, useRef, useState } from "react";
import type { Hit, Transcript as Heard, Turn } from "../api.ts";
import { clock } from "../format.ts";
import { useWords } from "../words.tsx";
import { useAt, type Player } from "./player.ts";

const DOUBT_BELOW = 0.6;

/** The turn's text cut at its hits; a hit whose words are not found as they stand marks nothing. */
function Cut({ turn, hits }: { turn: Turn; hits: Hit[] }) {
  const { term } = useWords();
  const parts: React.ReactNode[] = [];
  let at = 0;
  const placed = hits
    .map((hit) => ({ hit, from: turn.text.indexOf(hit.text) }))
    .filter(({ from, hit }) => from >= 0 && hit.text.length > 0)
    .sort((a, b) => a.from - b.from || b.hit.text.length - a.hit.text.length);
  for (const { hit, from } of placed) {
    if (from < at) continue;
    parts.push(turn.text.slice(at, from));
    parts.push(
      <Tooltip key={`${from}-${hit.entry}`} title={`${term("why", hit.category)} · ${hit.entry}`}>
        <mark className={`hit ${hit.category}`}>
          {hit.text}
          <small>{term("why", hit.category)}</small>
        </mark>
      </Tooltip>,
    );
    at = from + hit.text.length;
  }
  parts.push(turn.text.slice(at));
  return <>{parts}</>;
}

function Sureness({ turn }: { turn: Turn }) {
  const { t } = useWords();
  const low = turn.confidence !== null && Number(turn.confidence) < DOUBT_BELOW;
  return (
    <>
      {turn.doubted && <span className="doubt">{t("transcript.doubted")}</span>}
      {low && <span className="doubt">{t("transcript.confidence", { value: Math.round(Number(turn.confidence) * 100) })}</span>}
    </>
  );
}

interface Props {
  heard: Heard;
  player: Player | null;
}

export function Transcript({ heard, player }: Props) {
  const { t, term } = useWords();
  const [follow, setFollow] = useState(true);
  const list = useRef<HTMLOListElement>(null);
  const speaking = useAt(player, (ms) =>
    heard.turns.flatMap((turn, index) => (turn.start_ms <= ms && ms < turn.end_ms ? [index] : [])).join(","),
  );
  useEffect(() => {
    const item = speaking && list.current?.children[Number(speaking.split(",")[0])];
    if (follow && item instanceof HTMLElement) {
      const box = list.current!;
      const outside = item.offsetTop < box.scrollTop || item.offsetTop + item.offsetHeight > box.scrollTop + box.clientHeight;
      if (outside) box.scrollTo({ top: item.offsetTop - box.clientHeight / 3, behavior: "smooth" });
    }
  }, [speaking, follow]);
  if (heard.turns.length === 0) return <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t("transcript.empty")} />;
  const current = new Set(speaking.split(",").filter(Boolean).map(Number));
  return (
    <>
      <div className="panelhead">
        <h2>{t("transcript.title")}</h2>
        {heard.synthetic && (
          <Tooltip title={t("synthetic.hint")}>
            <span className="tag">{t("synthetic")}</span>
          </Tooltip>
        )}
        <span className="stretch" />
        <Checkbox checked={follow} onChange={(event) => setFollow(event.target.checked)}>
          {t("player.follow")}
        </Checkbox>
      </div>
      <ol className="turns" ref={list} lang={heard.language ?? undefined}>
        {heard.turns.map((turn, index) => (
          <li key={index} className={turn.role} aria-current={current.has(index) || undefined}>
            <button
              type="button"
              aria-label={t("transcript.turn", { role: term("role", turn.role), time: clock(turn.start_ms) })}
              onClick={() => player?.playFrom(turn.start_ms)}
            >
              <span className="who">
                {term("role", turn.role)} <span className="num">{clock(turn.start_ms)}</span>
              </span>
            </button>
            <p dir="auto" onClick={() => player?.playFrom(turn.start_ms)}>
              <Cut turn={turn} hits={heard.hits.filter((hit) => hit.turn === index)} /> <Sureness turn={turn} />
            </p>
          </li>
        ))}
      </ol>
    </>
  );
}
