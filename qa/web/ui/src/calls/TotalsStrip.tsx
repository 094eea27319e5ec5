// The few numbers above the list; those that can be filtered for are buttons.
import { Skeleton, Tooltip } from "antd";
import type { Totals } from "../api.ts";
import type { Filters } from "../data.ts";
import { useWords, type Key } from "../words.tsx";

interface Tile {
  name: keyof Totals & ("calls" | "live" | "scored" | "flagged" | "unknown" | "assumed" | "failed");
  filter?: Partial<Filters>;
}

const TILES: Tile[] = [
  { name: "calls", filter: { flagged: false, outcome: "", state: "" } },
  { name: "live", filter: { flagged: false, outcome: "", state: "live" } },
  { name: "scored", filter: { flagged: false, outcome: "", state: "scored" } },
  { name: "flagged", filter: { flagged: true, outcome: "", state: "" } },
  { name: "unknown", filter: { flagged: false, outcome: "unknown", state: "" } },
  { name: "assumed" },
  { name: "failed", filter: { flagged: false, outcome: "", state: "failed" } },
];

function chosen(filters: Filters, tile: Tile): boolean {
  if (!tile.filter) return false;
  return Object.entries(tile.filter).every(([name, value]) => filters[name as keyof Filters] === value);
}

export function TotalsStrip({ totals, filters, setFilters }: { totals?: Totals; filters: Filters; setFilters: (filters: Filters) => void }) {
  const { t } = useWords();
  const tiles = TILES.filter((tile) => tile.name !== "failed" || (totals && totals.failed > 0));
  return (
    <section className="totals" aria-label={t("totals.label")}>
      {tiles.map((tile) => {
        const inside = (
          <>
            <b>{totals ? totals[tile.name] : <Skeleton.Node active className="number" />}</b>
            <span>{t(`totals.${tile.name}` as Key)}</span>
          </>
        );
        return (
          <Tooltip key={tile.name} title={t(`totals.${tile.name}.hint` as Key)} mouseEnterDelay={0.5}>
            {tile.filter ? (
              <button
                type="button"
                className={`tile ${tile.name}`}
                aria-pressed={chosen(filters, tile)}
                onClick={() => setFilters({ ...filters, ...tile.filter })}
              >
                {inside}
              </button>
            ) : (
              <div className={`tile ${tile.name}`}>{inside}</div>
            )}
          </Tooltip>
        );
      })}
    </section>
  );
}
