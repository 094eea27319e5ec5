// The table of people: an empty one to fill in, one to choose, and its refused lines by number, column and reason.
import { Button, Table } from "antd";
import { useRef } from "react";
import { useWords } from "../words.tsx";
import type { Fault } from "./data.ts";
import { useLetter } from "./Field.tsx";

export interface Sheet {
  name: string;
  text: string;
}

interface Props {
  sheet: Sheet | null;
  count: number | null;
  faults: Fault[];
  disabled: boolean;
  onSheet: (sheet: Sheet | null) => void;
}

export function PeopleField({ sheet, count, faults, disabled, onSheet }: Props) {
  const { t } = useWords();
  const letter = useLetter();
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (file) onSheet({ name: file.name, text: await file.text() });
  };
  return (
    <div className="field broad" data-field="people">
      <span className="buttons">
        <Button onClick={() => input.current?.click()} disabled={disabled}>
          {t("setup.people.choose")}
        </Button>
        <a href="/api/v1/setup/people.csv" download>
          {t("setup.people.template")}
        </a>
      </span>
      <input
        ref={input}
        type="file"
        hidden
        accept=".csv,.tsv,.txt"
        aria-label={t("setup.q.people")}
        onChange={(event) => {
          void take(event.target.files?.[0]);
          event.target.value = "";
        }}
      />
      {sheet && (
        <p className="buttons">
          <span>{count === null ? sheet.name : t("setup.people.count", { count, name: sheet.name })}</span>
          <Button type="link" onClick={() => onSheet(null)}>
            {t("setup.people.remove")}
          </Button>
        </p>
      )}
      {faults.length > 0 && (
        <Table<Fault>
          aria-label={t("import.refused")}
          size="small"
          tableLayout="fixed"
          rowKey={(one) => `${one.line} ${one.field} ${one.code}`}
          pagination={faults.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
          dataSource={faults}
          columns={[
            { title: t("import.line"), width: 80, align: "right", dataIndex: "line" },
            { title: t("import.field"), width: 150, render: (_: unknown, one: Fault) => <code>{one.field}</code> },
            { title: t("import.reason"), render: (_: unknown, one: Fault) => letter(one) },
          ]}
        />
      )}
    </div>
  );
}
