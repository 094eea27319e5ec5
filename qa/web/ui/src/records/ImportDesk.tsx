// A file of records: dropped or chosen, sent with progress, refused lines by number; taken in part only when ticked.
import { useQueryClient } from "@tanstack/react-query";
import { InboxOutlined } from "@ant-design/icons";
import { Alert, Button, Checkbox, Select, Table } from "antd";
import { useState, type DragEvent } from "react";
import { ApiError, type Refused } from "../api.ts";
import { useSite } from "../data.ts";
import { moment } from "../format.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { useContract, useDeliveries, type Imported } from "./data.ts";
import { useTerms } from "./terms.ts";
import { MOST_BYTES, upload, type Step } from "./upload.ts";

const ENDINGS = [".jsonl", ".ndjson", ".json", ".yaml", ".yml", ".csv", ".tsv", ".xlsx"];

type State = { step: "idle" } | Step | { step: "done"; taken: Imported } | { step: "failed"; error: Error };

function Drop({ onFile, busy }: { onFile: (file: File) => void; busy: boolean }) {
  const { t } = useWords();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file && !busy) onFile(file);
  };
  return (
    <label
      className={over ? "drop over" : "drop"}
      onDragOver={(event) => (event.preventDefault(), setOver(true))}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <InboxOutlined aria-hidden />
      <strong>{t("import.drop")}</strong>
      <span className="faint">{t("import.forms")}</span>
      <input
        type="file"
        accept={ENDINGS.join(",")}
        disabled={busy}
        aria-label={t("import.choose")}
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) onFile(file);
        }}
      />
    </label>
  );
}

function Progress({ state, lines }: { state: Step; lines: string }) {
  const { t } = useWords();
  const share = state.step === "send" ? state.share : undefined;
  const text = state.step === "send" ? t("import.sending", { percent: Math.round((share ?? 0) * 100) }) : lines;
  return (
    <div className="progress" role="status">
      <progress max={1} value={share === 1 ? undefined : share} aria-label={text} />
      <span>{text}</span>
    </div>
  );
}

function RefusedTable({ refused }: { refused: Refused[] }) {
  const { t } = useWords();
  const sheets = refused.some((one) => one.sheet);
  return (
    <div className="panel list refused">
      <Table<Refused>
        aria-label={t("import.refused")}
        size="small"
        tableLayout="fixed"
        rowKey={(one) => `${one.sheet} ${one.index} ${one.field} ${one.reason}`}
        pagination={refused.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
        dataSource={refused}
        columns={[
          ...(sheets ? [{ title: t("import.sheet"), width: 110, dataIndex: "sheet" }] : []),
          { title: t("import.line"), width: 80, align: "right" as const, dataIndex: "index" },
          { title: t("import.field"), width: 150, render: (_: unknown, one: Refused) => <code>{one.field}</code> },
          { title: t("import.reason"), dataIndex: "reason" },
        ]}
      />
    </div>
  );
}

function Deliveries() {
  const { t, language } = useWords();
  const deliveries = useDeliveries();
  const timezone = useSite().data?.timezone ?? "UTC";
  const items = deliveries.data?.items ?? [];
  if (deliveries.isError) return <Trouble error={deliveries.error} onRetry={() => void deliveries.refetch()} />;
  return (
    <section className="panel padded">
      <h2>{t("import.last")}</h2>
      {items.length === 0 && <p className="faint">{t("import.last.none")}</p>}
      <ul className="deliveries">
        {items.slice(0, 12).map((one) => (
          <li key={one.id}>
            <span className="num">{moment(one.made_at, language, timezone)}</span>
            <span className="name">{one.name}</span>
            <span>{one.actor}</span>
            <span className="faint">{t("import.counts", { taken: one.accepted, known: one.duplicates, refused: one.refused })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function ImportDesk() {
  const { t } = useWords();
  const terms = useTerms();
  const client = useQueryClient();
  const contract = useContract();
  const [file, setFile] = useState<File | null>(null);
  const [kind, setKind] = useState("");
  const [partial, setPartial] = useState(false);
  const [state, setState] = useState<State>({ step: "idle" });
  const kinds = contract.data?.kinds.map((one) => one.kind) ?? [];
  const busy = ["send", "read", "store"].includes(state.step);

  const send = async (one: File, of: string, part: boolean) => {
    if (one.size > MOST_BYTES) return setState({ step: "failed", error: new ApiError(413, t("import.large")) });
    setState({ step: "send", share: 0 });
    try {
      const taken = await upload(one, { kind: of, partial: part, tell: setState });
      setState({ step: "done", taken });
      await client.invalidateQueries();
    } catch (error) {
      setState({ step: "failed", error: error as Error });
    }
  };
  const take = (one: File) => {
    const table = /\.(csv|tsv)$/i.test(one.name);
    const guess = table ? (kinds.find((name) => one.name.toLowerCase().startsWith(name)) ?? kind) : "";
    setFile(one);
    setKind(guess);
    setPartial(false);
    setState({ step: "idle" });
    if (!table || guess) void send(one, guess, false); // a table that does not say what it holds waits for the reader
  };
  if (contract.isError) return <Trouble error={contract.error} onRetry={() => void contract.refetch()} />;
  if (!contract.data) return <Waiting />;
  const refused = state.step === "failed" && state.error instanceof ApiError ? state.error.refused : state.step === "done" ? state.taken.refused : [];
  const told = state.step === "done" ? state.taken : null;
  const options = kinds.map((one) => ({ value: one, label: terms.kind(one) }));
  return (
    <div className="desk">
      <h1>{t("records.import")}</h1>
      <div className="importing">
        <Drop onFile={take} busy={busy} />
        <section className="panel padded template">
          <h2>{t("import.template.title")}</h2>
          <p className="faint">{t("import.template.hint")}</p>
          <ul>
            {kinds.map((one) => (
              <li key={one}>
                <a href={`/api/v1/kinds/${one}/template`} download>
                  {terms.kind(one)}
                </a>
              </li>
            ))}
          </ul>
        </section>
      </div>
      {file && (
        <section className="panel padded sending" aria-live="polite">
          <p className="row">
            <strong>{file.name}</strong>
            <span className="faint">{t("import.size", { kilobytes: Math.max(1, Math.round(file.size / 1024)) })}</span>
            <Select
              aria-label={t("import.kind")}
              className="w-kind"
              value={kind}
              disabled={busy}
              onChange={(one: string) => setKind(one)}
              options={[{ value: "", label: t("import.kind.own") }, ...options]}
            />
            <Button type={state.step === "done" ? "default" : "primary"} loading={busy} onClick={() => void send(file, kind, partial)}>
              {t(state.step === "idle" ? "import.start" : "import.again")}
            </Button>
          </p>
          {busy && <Progress state={state as Step} lines={"lines" in state ? t(state.step === "store" ? "import.storing" : "import.reading", { lines: state.lines }) : ""} />}
          {told && (
            <Alert
              type={told.refused_lines ? "warning" : "success"}
              showIcon
              title={t("import.done", { taken: told.accepted, known: told.duplicates, refused: told.refused_lines })}
              description={Object.entries(told.kinds)
                .map(([one, count]) => `${terms.kind(one)} ${count}`)
                .join(" · ")}
            />
          )}
          {state.step === "failed" && refused.length === 0 && <Trouble text={t("import.failed")} error={state.error} />}
          {state.step === "failed" && refused.length > 0 && (
            <>
              <Alert type="error" showIcon title={t("import.nothing")} description={t("import.nothing.hint")} />
              <Checkbox checked={partial} onChange={(event) => setPartial(event.target.checked)}>
                {t("import.partial")}
              </Checkbox>
            </>
          )}
        </section>
      )}
      {refused.length > 0 && <RefusedTable refused={refused} />}
      <Deliveries />
    </div>
  );
}
