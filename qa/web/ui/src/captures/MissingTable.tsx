// Calls of the day's list that are not recorded whole, each with its reason and, where it was seen, its call here.
import { DisconnectOutlined, ScissorOutlined, AudioMutedOutlined } from "@ant-design/icons";
import { Grid, Table } from "antd";
import type { TableColumnsType } from "antd";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { moment } from "../format.ts";
import { callAddress, go } from "../route.ts";
import { follow } from "../shell/follow.ts";
import { useWords, type Key, type Words } from "../words.tsx";
import type { MissingCall, MissingState } from "./data.ts";

const PAGE = 100;
const SIGNS: Record<MissingState, ReactNode> = {
  never_seen: <DisconnectOutlined aria-hidden />,
  no_audio: <AudioMutedOutlined aria-hidden />,
  gaps: <ScissorOutlined aria-hidden />,
};

export function StateSign({ state }: { state: MissingState }) {
  const { t } = useWords();
  return (
    <span className="mark breach">
      {SIGNS[state]} <span>{t(`capture.state.${state}` as Key)}</span>
    </span>
  );
}

/** Why, in the reader's language; a reason that is new to the catalogue shows as it was stored. */
function said(one: MissingCall, { t, term, known, language }: Words): string {
  if (one.why === null || !known("capture.why", one.why)) return one.reason;
  const causes = (one.values.causes ?? "").split(", ").filter(Boolean);
  return t(`capture.why.${one.why}` as Key, { ...one.values, causes: new Intl.ListFormat(language).format(causes.map((cause) => term("gap", cause))) });
}

function Ours({ one }: { one: MissingCall }) {
  const { t } = useWords();
  if (one.ours === null) return <span className="faint">{t("capture.ours.none")}</span>;
  return (
    <a href={callAddress(one.ours)} onClick={follow}>
      {t("capture.ours", { id: one.ours })}
    </a>
  );
}

function columns(words: Words, timezone: string, wide: boolean): TableColumnsType<MissingCall> {
  const { t, language } = words;
  const time = (one: MissingCall) => <span className="num">{moment(one.at, language, timezone, "time")}</span>;
  const id = (one: MissingCall) => <span className="id">{one.call}</span>;
  const ours = (one: MissingCall) => <Ours one={one} />;
  const sign = (one: MissingCall) => <StateSign state={one.state} />;
  if (!wide) {
    return [
      {
        title: t("column.call"),
        render: (_, one) => (
          <span className="stack gapped">
            <span>
              {time(one)} {sign(one)}
            </span>
            <span>{said(one, words)}</span>
            <small>{id(one)}</small>
            {ours(one)}
          </span>
        ),
      },
    ];
  }
  return [
    { title: t("column.time"), width: 100, render: (_, one) => time(one) },
    { title: t("capture.column.listed"), width: 220, render: (_, one) => id(one) },
    { title: t("capture.column.state"), width: 180, render: (_, one) => sign(one) },
    { title: t("capture.column.reason"), render: (_, one) => said(one, words) },
    { title: t("capture.column.ours"), width: 220, render: (_, one) => ours(one) },
  ];
}

interface Props {
  rows: MissingCall[];
  chosen: number;
  timezone: string;
}

export function MissingTable({ rows, chosen, timezone }: Props) {
  const words = useWords();
  const place = useRef<HTMLDivElement>(null);
  const wide = Grid.useBreakpoint().lg !== false;
  const [page, turnTo] = useState(1);
  useEffect(() => turnTo(Math.floor(Math.max(0, chosen) / PAGE) + 1), [chosen, rows.length]);
  useEffect(() => {
    place.current?.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
  }, [chosen, page]);
  return (
    <div ref={place} className="panel list missingcalls">
      <Table<MissingCall>
        aria-label={words.t("capture.missing")}
        rowKey={(one) => `${one.call} ${one.at}`}
        size="middle"
        tableLayout="fixed"
        pagination={rows.length > PAGE && { pageSize: PAGE, current: page, onChange: turnTo, showSizeChanger: false }}
        dataSource={rows}
        columns={columns(words, timezone, wide)}
        rowClassName={(one) => `${one.ours === null ? "noway" : ""} ${rows.indexOf(one) === chosen ? "chosen" : ""}`}
        onRow={(one) => ({ onClick: () => one.ours !== null && go(callAddress(one.ours)) })}
      />
    </div>
  );
}
