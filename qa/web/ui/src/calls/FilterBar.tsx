// Narrows and orders the list.
import { SearchOutlined } from "@ant-design/icons";
import { Button, Checkbox, Input, Segmented, Select } from "antd";
import { useEffect, useState, type Ref } from "react";
import type { InputRef } from "antd";
import { NOBODY, NO_FILTERS, type Filters } from "../data.ts";
import { useWords, type Key } from "../words.tsx";

const OUTCOMES = ["breach", "review", "unknown", "met", "clear"] as const;
const KINDS = ["missed", "later", "orphan", "no_signalling", "no_media", "adopted", "unended"] as const;
const PAUSE_MS = 250;

/** Typing asks the server when the reader pauses, not at each key. */
function useTyped(value: string, send: (value: string) => void): [string, (value: string) => void] {
  const [typed, type] = useState(value);
  useEffect(() => type(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => send(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return [typed, type];
}

interface Props {
  filters: Filters;
  setFilters: (filters: Filters) => void;
  agents: string[];
  searchRef: Ref<InputRef>;
}

export function FilterBar({ filters, setFilters, agents, searchRef }: Props) {
  const { t } = useWords();
  const set = (part: Partial<Filters>) => setFilters({ ...filters, ...part });
  const [typed, type] = useTyped(filters.text, (text) => set({ text: text.trim() }));
  const dirty = (Object.keys(NO_FILTERS) as (keyof Filters)[]).some((name) => name !== "sort" && filters[name] !== NO_FILTERS[name]);
  return (
    <div className="filters" role="search">
      <Select
        aria-label={t("filter.agent")}
        value={filters.agent}
        onChange={(agent) => set({ agent })}
        showSearch
        className="w-agent"
        options={[
          { value: "", label: t("filter.agent.all") },
          { value: NOBODY, label: t("filter.agent.none") },
          ...agents.map((agent) => ({ value: agent, label: agent })),
        ]}
      />
      <Input aria-label={t("filter.day")} type="date" className="w-day" value={filters.day} onChange={(event) => set({ day: event.target.value })} />
      <Select
        aria-label={t("filter.outcome")}
        className="w-outcome"
        value={filters.outcome}
        onChange={(outcome) => set({ outcome })}
        options={[
          { value: "", label: t("filter.outcome.all") },
          ...OUTCOMES.map((outcome) => ({ value: outcome, label: t(`outcome.${outcome}` as Key) })),
        ]}
      />
      <Select
        aria-label={t("filter.kind")}
        className="w-outcome"
        popupMatchSelectWidth={false}
        value={filters.kind}
        onChange={(kind) => set({ kind })}
        options={[{ value: "", label: t("filter.kind.all") }, ...KINDS.map((kind) => ({ value: kind, label: t(`filter.kind.${kind}` as Key) }))]}
      />
      <Input
        ref={searchRef}
        aria-label={t("filter.id")}
        className="w-id"
        prefix={<SearchOutlined aria-hidden />}
        placeholder={t("filter.id.placeholder")}
        allowClear
        maxLength={128}
        value={typed}
        onChange={(event) => type(event.target.value)}
      />
      <Checkbox checked={filters.flagged} onChange={(event) => set({ flagged: event.target.checked })}>
        {t("filter.flagged")}
      </Checkbox>
      {dirty && (
        <Button type="link" onClick={() => setFilters({ ...NO_FILTERS, sort: filters.sort })}>
          {t("filter.clear")}
        </Button>
      )}
      <span className="stretch" />
      <Segmented<Filters["sort"]>
        aria-label={t("filter.sort")}
        value={filters.sort}
        onChange={(sort) => set({ sort })}
        options={[
          { value: "newest", label: t("filter.sort.newest") },
          { value: "flagged", label: t("filter.sort.flagged") },
        ]}
      />
    </div>
  );
}
