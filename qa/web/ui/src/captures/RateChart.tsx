// The share of each day that was recorded: a mark a day, by height, by sign and by word; each is a button.
import { useEffect, useRef } from "react";
import { useWords } from "../words.tsx";
import { calendar, percent, type CaptureDay } from "./data.ts";

const FLOORS = [90, 80, 50, 0];
const HEIGHT = 120;
const EDGE = 10; // above the highest and below the lowest mark

/** From where the scale begins: most days lie close below 100. */
function floorOf(days: CaptureDay[]): number {
  const least = Math.min(100, ...days.flatMap((one) => (one.rate === null ? [] : [one.rate * 100])));
  return FLOORS.find((floor) => floor <= least) ?? 0;
}

function heightOf(rate: number, floor: number): number {
  return EDGE + ((100 - rate * 100) / (100 - floor)) * (HEIGHT - 2 * EDGE);
}

function Sign({ one, y }: { one: CaptureDay; y: number }) {
  if (one.rate === null) return <circle className="norate" cx="50%" cy={HEIGHT - EDGE} r="4" />;
  return (
    <>
      <line className="stem" x1="50%" x2="50%" y1={y} y2={HEIGHT} />
      {one.rate >= 1 ? (
        <circle className="whole" cx="50%" cy={y} r="4.5" />
      ) : (
        <svg x="50%" y={y} overflow="visible">
          <path className="short" d="M0 -6 L6.5 5.5 L-6.5 5.5 Z" />
        </svg>
      )}
    </>
  );
}

interface Props {
  days: CaptureDay[];
  chosen: string;
  onChoose: (day: string) => void;
}

export function RateChart({ days, chosen, onChoose }: Props) {
  const { t, language } = useWords();
  const place = useRef<HTMLDivElement>(null);
  const all = calendar(days);
  const floor = floorOf(days);
  const short = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { month: "numeric", day: "numeric", timeZone: "UTC" });
  useEffect(() => {
    const held = place.current;
    const mark = held?.querySelector<HTMLElement>("[aria-pressed='true']");
    if (held && mark) held.scrollLeft = mark.offsetLeft - held.clientWidth / 2;
  }, [chosen, days]);
  const label = (day: string, found: CaptureDay | null) => {
    if (!found) return t("capture.chart.nolist", { day });
    if (found.rate === null) return t("capture.chart.nothing", { day });
    if (found.rate >= 1) return t("capture.chart.whole", { day, rate: percent(found.rate) });
    return t("capture.chart.short", { day, rate: percent(found.rate), count: found.missing.length });
  };
  return (
    <div className="ratechart" role="group" aria-label={t("capture.chart")}>
      <div className="ratescale num" aria-hidden="true">
        <span>100 %</span>
        <span>{floor} %</span>
      </div>
      <div className="ratedays" ref={place}>
        {all.map(({ day, found }, number) => (
          <button
            key={day}
            type="button"
            data-day={day}
            className={number % 7 === (all.length - 1) % 7 ? "week" : ""}
            aria-pressed={day === chosen}
            aria-label={label(day, found)}
            title={label(day, found)}
            onClick={() => onChoose(day)}
          >
            <svg height={HEIGHT} width="100%" aria-hidden="true">
              {found && <Sign one={found} y={heightOf(found.rate ?? 0, floor)} />}
            </svg>
            <small className="num">{short.format(new Date(day))}</small>
          </button>
        ))}
      </div>
    </div>
  );
}
