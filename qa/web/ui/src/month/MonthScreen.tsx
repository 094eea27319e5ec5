// The month of everybody: score, grade, rank, pay, what is open; closing it; one sheet behind each name.
import { Alert, Button, Empty, Grid, Modal, Select, Table } from "antd";
import type { TableColumnsType } from "antd";
import { useState, type MouseEvent } from "react";
import { points } from "../format.ts";
import { go, monthAddress, type Route } from "../route.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords, type Words } from "../words.tsx";
import { Grade, Standings } from "./cells.tsx";
import { useClose, useMonth, useMonths, type Month, type Row } from "./data.ts";
import { SheetScreen } from "./SheetScreen.tsx";
import "./month.css";

function Opener({ month, row }: { month: string; row: Row }) {
  const { t } = useWords();
  const address = monthAddress(month, row.kind, row.who);
  const follow = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(address);
  };
  return (
    <a href={address} onClick={follow}>
      {row.kind === "site" ? t("month.site") : row.who}
    </a>
  );
}

const count = (value: number) => <span className={value ? "num" : "num faint"}>{value}</span>;

function columns(month: Month, words: Words, wide: boolean, people: boolean): TableColumnsType<Row> {
  const { t } = words;
  const none = <span className="faint">{t("none")}</span>;
  const money: TableColumnsType<Row> =
    month.money === "off"
      ? []
      : [{ title: t("month.pay"), align: "right", width: 110, render: (_, row) => (row.pay === null ? none : <span className="num">{points(row.pay)}</span>) }];
  const own: TableColumnsType<Row> = people
    ? [
        { title: t("month.rank"), align: "right", width: 76, render: (_, row) => row.rank ?? none },
        { title: t("month.grade"), width: 96, render: (_, row) => <Grade grade={row.grade} /> },
      ]
    : [];
  const more: TableColumnsType<Row> = wide
    ? [
        { title: t("month.waiting"), align: "right", width: 108, render: (_, row) => count(row.waiting) },
        { title: t("month.unknown"), align: "right", width: 108, render: (_, row) => count(row.unknown) },
        { title: t("month.assumed"), align: "right", width: 96, render: (_, row) => count(row.assumed) },
      ]
    : [];
  return [
    {
      title: t(people ? "month.agent" : "month.team"),
      render: (_, row) => (
        <span className="stack">
          <Opener month={month.month} row={row} />
          {people && <small>{wide ? row.team : `${row.team} · ${t("month.open.count", { count: row.waiting + row.unknown })}`}</small>}
        </span>
      ),
    },
    { title: t("month.score"), align: "right", width: 92, render: (_, row) => (row.score === null ? none : <b className="num">{row.score}</b>) },
    ...own,
    ...money,
    ...more,
    { title: t("month.recommendations"), render: (_, row) => <Standings found={row.recommendations} /> },
  ];
}

function People({ month }: { month: Month }) {
  const words = useWords();
  const { t } = words;
  const wide = Grid.useBreakpoint().lg !== false;
  const people = month.items.filter((row) => row.kind === "person");
  const others = month.items.filter((row) => row.kind !== "person");
  if (people.length === 0) {
    return (
      <div className="panel padded">
        <Empty
          image={Empty.PRESENTED_IMAGE_SIMPLE}
          description={
            <>
              <strong>{t("month.empty")}</strong>
              <p className="faint">{t("month.empty.hint")}</p>
            </>
          }
        />
      </div>
    );
  }
  return (
    <>
      <section className="panel monthtable" aria-label={t("month.people")}>
        <Table<Row> rowKey={(row) => row.who} columns={columns(month, words, wide, true)} dataSource={people} pagination={false} size="middle" />
      </section>
      {others.length > 0 && (
        <section className="panel monthtable" aria-label={t("month.teams")}>
          <Table<Row> rowKey={(row) => `${row.kind}/${row.who}`} columns={columns(month, words, wide, false)} dataSource={others} pagination={false} size="middle" />
        </section>
      )}
    </>
  );
}

function Closing({ month }: { month: Month }) {
  const { t } = useWords();
  const [asked, ask] = useState(false);
  const close = useClose(month.month);
  const some = month.items.some((row) => row.kind === "person");
  const waiting = month.items.reduce((sum, row) => sum + (row.kind === "person" ? row.waiting : 0), 0);
  if (month.closed) {
    return (
      <span className="faint" title={month.closed.cards_sha}>
        {t("month.closed", { by: month.closed.by, at: month.closed.at.replace("T", " ") })}
      </span>
    );
  }
  return (
    <>
      <span className="mark unknown">{t("month.open")}</span>
      <span className="faint">{t("month.asof", { at: month.as_of.replace("T", " ") })}</span>
      {month.over && some && (
        <Button type="primary" onClick={() => ask(true)}>
          {t("month.close")}
        </Button>
      )}
      <Modal
        open={asked}
        title={t("month.close.title", { month: month.month })}
        okText={t("month.close")}
        cancelText={t("month.cancel")}
        confirmLoading={close.isPending}
        onCancel={() => ask(false)}
        onOk={() => close.mutate(undefined, { onSettled: () => ask(false) })}
      >
        <p>{t("month.close.text")}</p>
        {month.skips.length > 0 && <Alert type="warning" showIcon title={t("month.close.skips", { months: month.skips.join(", ") })} />}
        {waiting > 0 && <Alert type="warning" showIcon title={t("month.close.waiting", { count: waiting })} />}
      </Modal>
      {close.isError && <Alert type="error" showIcon title={close.error.message} />}
    </>
  );
}

function Overview({ chosen }: { chosen: string | null }) {
  const { t } = useWords();
  const names = useMonths();
  const listed = names.data?.items.map((one) => one.month) ?? [];
  const open = names.data?.items.filter((one) => !one.closed) ?? [];
  const name = chosen ?? open[0]?.month ?? listed.at(-1) ?? "";
  const month = useMonth(name, name !== "");
  if (names.isPending) return <Waiting />;
  if (names.isError) return <Trouble error={names.error} onRetry={() => void names.refetch()} />;
  const options = [...new Set([...listed, name])].sort().reverse();
  return (
    <>
      <div className="monthbar">
        <h1>{t("nav.month")}</h1>
        <Select
          aria-label={t("month.choose")}
          value={name}
          onChange={(next) => go(monthAddress(next))}
          options={options.map((value) => ({ value, label: value }))}
        />
        {month.data && <Closing month={month.data} />}
        <span className="stretch" />
        {month.data && <span className="faint">{t(`month.money.${month.data.money}`)}</span>}
      </div>
      {month.isPending && <Waiting />}
      {month.isError && <Trouble error={month.error} onRetry={() => void month.refetch()} />}
      {month.data && <People month={month.data} />}
    </>
  );
}

export default function MonthScreen({ route }: { route: Extract<Route, { screen: "month" }> }) {
  if (route.month && route.who) return <SheetScreen month={route.month} kind={route.kind} who={route.who} />;
  return <Overview chosen={route.month} />;
}
