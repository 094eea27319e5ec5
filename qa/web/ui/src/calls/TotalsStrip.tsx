// The few numbers above the list; those that can be filtered for are buttons.
import { Skeleton, Tooltip } from "antd";
import type { Totals } from "../api.ts";
import { NOBODY, type Filters } from "../data.ts";
import { useWords, type Key } from "../words.tsx";

interface Tile {
  name: keyof Totals & ("calls" | "live" | "scored" | "flagged" | "unknown" | "assumed" | "failed" | "unassigned" | "orphans");
  filter?: Partial<Filters>;
}

const ALL = { flagged: false, outcome: "", state: "", kind: "" };

const TILES: Tile[] = [
  { name: "calls", filter: ALL },
  { name: "live", filter: { ...ALL, state: "live" } },
  { name: "scored", filter: { ...ALL, state: "scored" } },
  { name: "flagged", filter: { ...ALL, flagged: true } },
  { name: "unknown", filter: { ...ALL, outcome: "unknown" } },
  { name: "assumed" },
  { name: "unassigned", filter: { ...ALL, agent: NOBODY } },
  { name: "orphans", filter: { ...ALL, kind: "orphan" } },
  { name: "failed", filter: { ...ALL, state: "failed" } },
];
const RARE = ["failed", "unassigned", "orphans"]; // shown where there is one, or while they are asked for

function chosen(filters: Filters, tile: Tile): boolean {
  if (!tile.filter) return false;
  return Object.entries(tile.filter).every(([name, value]) => filters[name as keyof Filters] === value);
}

export function TotalsStrip({ totals, filters, setFilters }: { totals?: Totals; filters: Filters; setFilters: (filters: Filters) => void }) {
  const { t } = useWords();
  const tiles = TILES.filter((tile) => !RARE.includes(tile.name) || (totals && totals[tile.name] > 0) || chosen(filters, tile));
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
                onClick={() => setFilters({ ...filters, agent: filters.agent === NOBODY ? "" : filters.agent, ...tile.filter })}
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
