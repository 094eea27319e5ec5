// Screen one: all calls of the site, newest or flagged first.
import { Button, Empty, type InputRef } from "antd";
import { useEffect, useRef, useState } from "react";
import type { CallRow } from "../api.ts";
import { NO_FILTERS, useCalls, useSite, type Filters } from "../data.ts";
import { useKeys } from "../keys.ts";
import { callAddress, go } from "../route.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { CallTable } from "./CallTable.tsx";
import { FilterBar } from "./FilterBar.tsx";
import { TotalsStrip } from "./TotalsStrip.tsx";

function Nothing({ filtered }: { filtered: boolean }) {
  const { t } = useWords();
  return (
    <div className="panel padded">
      <Empty
        image={Empty.PRESENTED_IMAGE_SIMPLE}
        description={
          <>
            <strong>{t(filtered ? "list.none" : "list.empty")}</strong>
            {!filtered && <p className="faint">{t("list.empty.hint")}</p>}
          </>
        }
      />
    </div>
  );
}

function useChosen(rows: CallRow[], focusSearch: () => void): number {
  const [chosen, choose] = useState(-1);
  const last = rows.length - 1;
  useEffect(() => choose((now) => Math.min(now, last)), [last]);
  useKeys({
    j: () => choose((now) => Math.min(now + 1, last)),
    k: () => choose((now) => Math.max(now - 1, 0)),
    Enter: () => {
      const row = rows[chosen];
      if (row) go(callAddress(row.id));
    },
    "/": focusSearch,
  });
  return chosen;
}

export function CallsScreen({ filters, setFilters }: { filters: Filters; setFilters: (filters: Filters) => void }) {
  const { t } = useWords();
  const site = useSite();
  const calls = useCalls(filters);
  const searchRef = useRef<InputRef>(null);
  const rows = calls.data?.pages.flatMap((page) => page.items) ?? [];
  const chosen = useChosen(rows, () => searchRef.current?.focus());
  const filtered = Object.entries({ ...NO_FILTERS, sort: filters.sort }).some(([name, value]) => filters[name as keyof Filters] !== value);
  return (
    <>
      <TotalsStrip totals={site.data?.totals} filters={filters} setFilters={setFilters} />
      <FilterBar filters={filters} setFilters={setFilters} agents={site.data?.agents ?? []} searchRef={searchRef} />
      {calls.isError && <Trouble error={calls.error} onRetry={() => void calls.refetch()} />}
      {calls.isPending && <Waiting rows={10} />}
      {calls.isSuccess && rows.length === 0 && <Nothing filtered={filtered} />}
      {rows.length > 0 && (
        <>
          <CallTable rows={rows} loading={calls.isPlaceholderData} chosen={chosen} timezone={site.data?.timezone ?? "UTC"} />
          <div className="more">
            {calls.hasNextPage ? (
              <Button loading={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
                {t("list.more")}
              </Button>
            ) : (
              <span className="faint">{t("list.end", { count: rows.length })}</span>
            )}
          </div>
        </>
      )}
    </>
  );
}
