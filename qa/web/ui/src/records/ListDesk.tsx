// All records that hold now, or what was withdrawn, the last taken first.
import { Button, Checkbox, Empty, Grid, Input, Select, Table } from "antd";
import type { TableColumnsType } from "antd";
import { useEffect, useRef, useState } from "react";
import { useSite } from "../data.ts";
import { useKeys } from "../keys.ts";
import { go, recordAddress } from "../route.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords, type Words } from "../words.tsx";
import { ANY, useContract, usePeople, useRecords, type Contract, type Kept, type Wanted } from "./data.ts";
import { Entered, Summary, when } from "./show.tsx";
import { useTerms, type Terms } from "./terms.ts";

let remembered: Wanted = ANY; // the filter survives a look at one record

function Filters({ wanted, set, contract }: { wanted: Wanted; set: (wanted: Wanted) => void; contract: Contract | undefined }) {
  const { t } = useWords();
  const terms = useTerms();
  const people = usePeople();
  const sources = [...new Set(contract?.kinds.flatMap((one) => one.sources))].sort();
  const change = (part: Partial<Wanted>) => set({ ...wanted, ...part });
  const dirty = JSON.stringify(wanted) !== JSON.stringify(ANY);
  const all = (key: "records.kind.all" | "records.agent.all" | "records.source.all") => ({ value: "", label: t(key) });
  return (
    <div className="filters" role="search">
      <Select
        aria-label={t("records.kind")}
        className="w-kind"
        value={wanted.kind}
        showSearch={{ optionFilterProp: "label" }}
        onChange={(kind) => change({ kind })}
        options={[all("records.kind.all"), ...(contract?.kinds ?? []).map(({ kind }) => ({ value: kind, label: terms.kind(kind) }))]}
      />
      <Select
        aria-label={t("records.agent")}
        className="w-agent"
        value={wanted.agent}
        showSearch
        onChange={(agent) => change({ agent })}
        options={[all("records.agent.all"), ...(people.data?.agents ?? []).map((agent) => ({ value: agent, label: agent }))]}
      />
      <Input
        aria-label={t("records.month")}
        type="month"
        className="w-day"
        value={wanted.month}
        onChange={(event) => change({ month: event.target.value })}
      />
      <Select
        aria-label={t("records.source")}
        className="w-outcome"
        value={wanted.source}
        onChange={(source) => change({ source })}
        options={[all("records.source.all"), ...sources.map((source) => ({ value: source, label: terms.value("source", source) }))]}
      />
      <Checkbox checked={wanted.withdrawn} onChange={(event) => change({ withdrawn: event.target.checked })}>
        {t("records.withdrawn.only")}
      </Checkbox>
      {dirty && (
        <Button type="link" onClick={() => set(ANY)}>
          {t("filter.clear")}
        </Button>
      )}
    </div>
  );
}

function columns(words: Words, terms: Terms, contract: Contract | undefined, timezone: string, wide: boolean): TableColumnsType<Kept> {
  const { t } = words;
  const kindOf = (kept: Kept) => contract?.kinds.find((one) => one.kind === kept.record.kind);
  const who = ({ record }: Kept) => (record["agent"] ?? record["team"] ?? t("none")) as string;
  const opener = (kept: Kept) => (
    <a
      href={recordAddress(kept.record.id)}
      aria-label={t("records.open", { id: kept.record.id })}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return event.stopPropagation();
        event.preventDefault();
      }}
    >
      {when(kept.record) || t(kept.record["void"] ? "records.withdrawn" : "none")}
    </a>
  );
  const version = (kept: Kept) => kept.version > 1 && <span className="tag quiet">{t("records.version", { number: kept.version })}</span>;
  const first = {
    title: t("records.when"),
    width: wide ? 190 : "46%",
    render: (_: unknown, kept: Kept) => (
      <span className="stack">
        {opener(kept)}
        <small className="id" title={kept.record.id}>
          {kept.record.id}
        </small>
        {!wide && (
          <span>
            {terms.kind(kept.record.kind)} · {who(kept)}
          </span>
        )}
        {!wide && version(kept)}
      </span>
    ),
  };
  const said = { title: t("records.said"), render: (_: unknown, kept: Kept) => <Summary record={kept.record} kind={kindOf(kept)} /> };
  if (!wide) return [first, said];
  return [
    first,
    { title: t("records.kind"), width: 130, render: (_, kept) => terms.kind(kept.record.kind) },
    { title: t("records.who"), width: 120, render: (_, kept) => who(kept) },
    said,
    { title: t("records.source"), width: 130, render: (_, kept) => terms.value("source", String(kept.record["source"])) },
    {
      title: t("records.entered"),
      width: 160,
      render: (_, kept) => (
        <span className="stack">
          <Entered kept={kept} timezone={timezone} />
          {version(kept)}
        </span>
      ),
    },
  ];
}

function Nothing({ wanted }: { wanted: Wanted }) {
  const { t } = useWords();
  const filtered = JSON.stringify(wanted) !== JSON.stringify(ANY);
  return (
    <div className="panel padded">
      <Empty
        image={Empty.PRESENTED_IMAGE_SIMPLE}
        description={
          <>
            <strong>{t(filtered ? "records.none" : "records.empty")}</strong>
            {!filtered && <p className="faint">{t("records.empty.hint")}</p>}
          </>
        }
      >
        {!filtered && (
          <p className="buttons centre">
            <Button type="primary" onClick={() => go("/records/new")}>
              {t("records.new")}
            </Button>
            <Button onClick={() => go("/records/import")}>{t("records.import")}</Button>
          </p>
        )}
      </Empty>
    </div>
  );
}

export function ListDesk() {
  const words = useWords();
  const terms = useTerms();
  const { t } = words;
  const [wanted, set] = useState(remembered);
  remembered = wanted;
  const contract = useContract();
  const records = useRecords(wanted);
  const timezone = useSite().data?.timezone ?? "UTC";
  const wide = Grid.useBreakpoint().lg !== false;
  const rows = records.data?.pages.flatMap((page) => page.items) ?? [];
  const [chosen, choose] = useState(-1);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => choose((now) => Math.min(now, rows.length - 1)), [rows.length]);
  useEffect(() => place.current?.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" }), [chosen]);
  useKeys({
    j: () => choose((now) => Math.min(now + 1, rows.length - 1)),
    k: () => choose((now) => Math.max(now - 1, 0)),
    n: () => go("/records/new"),
    i: () => go("/records/import"),
    Enter: () => rows[chosen] && go(recordAddress(rows[chosen].record.id)),
  });
  return (
    <>
      <Filters wanted={wanted} set={set} contract={contract.data} />
      {records.isError && <Trouble error={records.error} onRetry={() => void records.refetch()} />}
      {records.isPending && <Waiting rows={8} />}
      {records.isSuccess && rows.length === 0 && <Nothing wanted={wanted} />}
      {rows.length > 0 && (
        <>
          <div ref={place} className={records.isPlaceholderData ? "panel list stale" : "panel list"}>
            <Table<Kept>
              aria-label={t("records.list")}
              rowKey={(kept) => `${kept.record.id} ${kept.version}`}
              size="middle"
              tableLayout="fixed"
              pagination={false}
              dataSource={rows}
              columns={columns(words, terms, contract.data, timezone, wide)}
              rowClassName={(_, index) => (index === chosen ? "chosen" : "")}
              onRow={(kept) => ({ onClick: () => go(recordAddress(kept.record.id)) })}
            />
          </div>
          <div className="more">
            {records.hasNextPage ? (
              <Button loading={records.isFetchingNextPage} onClick={() => void records.fetchNextPage()}>
                {t("list.more")}
              </Button>
            ) : (
              <span className="faint">{t("records.end", { count: rows.length })}</span>
            )}
          </div>
        </>
      )}
    </>
  );
}
