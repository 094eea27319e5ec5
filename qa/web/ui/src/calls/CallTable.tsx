// The list itself: one call a row, two columns where the window is narrow.
import { InfoCircleOutlined } from "@ant-design/icons";
import { Grid, Table, Tooltip } from "antd";
import type { TableColumnsType } from "antd";
import { useEffect, useRef } from "react";
import type { CallRow } from "../api.ts";
import { minutes, moment } from "../format.ts";
import { callAddress, go } from "../route.ts";
import { useWords, type Words } from "../words.tsx";
import { FlagMarks, PartMark, Rings, ScorePair, StateMark } from "./cells.tsx";

interface Props {
  rows: CallRow[];
  loading: boolean;
  chosen: number;
  timezone: string;
}

type Columns = TableColumnsType<CallRow>;

function Opener({ row, text }: { row: CallRow; text: string }) {
  const { t } = useWords();
  return (
    <a
      href={callAddress(row.id)}
      aria-label={t("list.open", { id: row.id })}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return event.stopPropagation();
        event.preventDefault();
      }}
    >
      {text}
    </a>
  );
}

function When({ row, words, timezone }: { row: CallRow; words: Words; timezone: string }) {
  return (
    <span className="stack">
      <Opener row={row} text={row.at ? moment(row.at, words.language, timezone) : words.t("not.known")} />
      <small className="id" title={row.id}>
        {row.id}
      </small>
      <PartMark row={row} />
    </span>
  );
}

function Who({ row, none }: { row: CallRow; none: string }) {
  return (
    <span className="stack">
      <span>{row.agent ?? none}</span>
      <small>{row.seat ?? none}</small>
    </span>
  );
}

function wide(words: Words, timezone: string): Columns {
  const { t, term } = words;
  return [
    { title: t("column.time"), width: 190, render: (_, row) => <When row={row} words={words} timezone={timezone} /> },
    { title: t("column.agent"), width: 124, render: (_, row) => <Who row={row} none={t("none")} /> },
    { title: t("column.direction"), width: 106, render: (_, row) => term("direction", row.direction) },
    { title: t("column.rings"), width: 160, render: (_, row) => <Rings row={row} /> },
    {
      title: t("column.talk"),
      width: 92,
      align: "right",
      render: (_, row) => <span className="num">{row.talk_seconds === null ? t("none") : minutes(row.talk_seconds)}</span>,
    },
    {
      title: (
        <Tooltip title={t("column.score.hint")}>
          <span>
            {t("column.score")} <InfoCircleOutlined aria-hidden className="faint" />
          </span>
        </Tooltip>
      ),
      width: 212,
      render: (_, row) => <ScorePair score={row.score} />,
    },
    { title: t("column.flags"), render: (_, row) => <FlagMarks flags={row.flags} scored={row.state === "scored"} /> },
    { title: t("column.state"), width: 176, render: (_, row) => <StateMark state={row.state} /> },
  ];
}

function narrow(words: Words, timezone: string): Columns {
  const { t, term } = words;
  return [
    {
      title: t("column.call"),
      width: "44%",
      render: (_, row) => (
        <span className="stack">
          <When row={row} words={words} timezone={timezone} />
          <span>
            {row.agent ?? t("none")} · {row.seat ?? t("none")} · {term("direction", row.direction)}
          </span>
          <Rings row={row} />
        </span>
      ),
    },
    {
      title: t("column.result"),
      render: (_, row) => (
        <span className="stack">
          <ScorePair score={row.score} />
          <FlagMarks flags={row.flags} scored={row.state === "scored"} />
          <StateMark state={row.state} />
        </span>
      ),
    },
  ];
}

export function CallTable({ rows, loading, chosen, timezone }: Props) {
  const words = useWords();
  const place = useRef<HTMLDivElement>(null);
  const isWide = Grid.useBreakpoint().lg !== false;
  useEffect(() => {
    place.current?.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <div ref={place} className={loading ? "panel list stale" : "panel list"}>
      <Table<CallRow>
        aria-label={words.t("list.label")}
        rowKey="id"
        size="middle"
        tableLayout="fixed"
        pagination={false}
        dataSource={rows}
        columns={isWide ? wide(words, timezone) : narrow(words, timezone)}
        rowClassName={(_, index) => (index === chosen ? "chosen" : "")}
        onRow={(row) => ({ onClick: () => go(callAddress(row.id)) })}
      />
    </div>
  );
}
