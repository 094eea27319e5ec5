// How far the picture can be trusted: connected, or since when not.
import { DisconnectOutlined, SyncOutlined } from "@ant-design/icons";
import { moment } from "../format.ts";
import { useWords } from "../words.tsx";
import type { Picture } from "./feed.ts";
import { Since } from "./marks.tsx";

export function stale(picture: Picture): string | null {
  return picture.brokenSince ?? picture.awaySince;
}

/** Says nothing while all is well. */
export function Notice({ picture, timezone }: { picture: Picture; timezone: string }) {
  const { t, language } = useWords();
  const since = stale(picture);
  if (!since) return null;
  const time = moment(since, language, timezone, "time");
  return (
    <p className="boardnotice" role="alert">
      {picture.brokenSince ? <DisconnectOutlined aria-hidden /> : <SyncOutlined aria-hidden />}
      <span>{t(picture.brokenSince ? "board.broken" : "board.away", { time })}</span>
      <Since at={since} real />
    </p>
  );
}

export function Heard({ picture, timezone }: { picture: Picture; timezone: string }) {
  const { t, language } = useWords();
  const told = picture.heardAt;
  return (
    <span className={stale(picture) ? "pulse" : "pulse on"} role="status">
      {told ? t("board.heard", { time: moment(told, language, timezone, "time") }) : t(stale(picture) ? "live.off" : "live.on")}
    </span>
  );
}
