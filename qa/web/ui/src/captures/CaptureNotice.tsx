// For the floor's supervisor: the newest day of which not all was recorded, as a thing to look at.
import { WarningFilled } from "@ant-design/icons";
import { capturesAddress } from "../route.ts";
import { follow } from "../shell/follow.ts";
import { useWords } from "../words.tsx";
import { percent, useCaptures } from "./data.ts";
import "./captures.css";

export function CaptureNotice() {
  const { t } = useWords();
  const newest = useCaptures().data?.[0];
  if (!newest || newest.rate === null || newest.rate >= 1) return null;
  return (
    <a className="capturenotice" href={capturesAddress(newest.day)} onClick={follow}>
      <WarningFilled aria-hidden /> <b>{t("capture.notice", { day: newest.day, rate: percent(newest.rate) })}</b>
      <span>{t("capture.short", { count: newest.missing.length })}</span>
    </a>
  );
}
