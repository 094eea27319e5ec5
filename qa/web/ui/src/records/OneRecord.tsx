// One record with all its versions: who entered each and why; corrected, withdrawn and taken back by new versions only.
import { useQueryClient } from "@tanstack/react-query";
import { ArrowLeftOutlined } from "@ant-design/icons";
import { Button, Input, Modal } from "antd";
import { useState } from "react";
import { ApiError, post } from "../api.ts";
import { useSite } from "../data.ts";
import { moment } from "../format.ts";
import { useKeys } from "../keys.ts";
import { go, recordAddress } from "../route.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords, type Key } from "../words.tsx";
import { content, filled, newId } from "./build.ts";
import { useContract, useMe, useVersions, type Contract, type Kept, type Kind, type Raw } from "./data.ts";
import { EntryForm } from "./EntryForm.tsx";
import { useText } from "./show.tsx";
import { useTerms } from "./terms.ts";

type Act = { what: "withdraw" | "restore" | "undo"; record: Raw };

function Fields({ kind, now, before }: { kind: Kind | undefined; now: Raw; before: Raw | undefined }) {
  const terms = useTerms();
  const shown = useText();
  const { t } = useWords();
  const fields = (kind?.fields ?? []).filter(({ name }) => name in content(now) || (before && name in content(before) && !now["void"]));
  return (
    <dl className="facts">
      {fields.map((field) => {
        const changed = before !== undefined && JSON.stringify(before[field.name]) !== JSON.stringify(now[field.name]);
        return (
          <div key={field.name} className={changed ? "changed" : undefined}>
            <dt>{terms.field(field.name)}</dt>
            <dd>
              {changed && before[field.name] !== undefined && <del>{shown(field, field.name, before[field.name])}</del>}{" "}
              {now[field.name] === undefined ? t("none") : shown(field, field.name, now[field.name])}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

interface VersionProps {
  kept: Kept;
  before: Kept | undefined;
  last: boolean;
  kind: Kind | undefined;
  timezone: string;
  onRestore?: () => void;
}

function Version({ kept, before, last, kind, timezone, onRestore }: VersionProps) {
  const { t, language } = useWords();
  const terms = useTerms();
  const { record } = kept;
  const void_ = record["void"] === true;
  return (
    <li className={`panel version${last ? " last" : ""}${void_ ? " void" : ""}`}>
      <p className="row">
        <strong>{t("records.version", { number: kept.version })}</strong>
        {void_ ? <span className="mark breach">{t("records.withdrawn")}</span> : last && <span className="mark met">{t("records.holds")}</span>}
        <span>{t("records.by", { name: kept.actor, time: moment(kept.made_at, language, timezone) })}</span>
        <span className="faint">{terms.value("source", String(record["source"]))}</span>
        {record["entered_by"] !== undefined && record["entered_by"] !== kept.actor && (
          <span className="faint">
            {terms.field("entered_by")}: {String(record["entered_by"])}
          </span>
        )}
        <span className="rule">{record.id}</span>
        <span className="stretch" />
        {onRestore && (
          <Button size="small" onClick={onRestore}>
            {t("records.restore")}
          </Button>
        )}
      </p>
      {record["reason"] !== undefined && <blockquote>{String(record["reason"])}</blockquote>}
      <Fields kind={kind} now={record} before={void_ || before?.record["void"] ? undefined : before?.record} />
    </li>
  );
}

function Ask({ act, of, close }: { act: Act; of: Kept; close: () => void }) {
  const { t } = useWords();
  const client = useQueryClient();
  const me = useMe();
  const [reason, setReason] = useState("");
  const [failed, setFailed] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async () => {
    const kind = of.record.kind;
    const about = { kind, id: newId(kind), source: "person", entered_by: me.data?.actor, reason: reason.trim() || undefined, supersedes: of.record.id };
    const record = act.what === "withdraw" ? { ...about, void: true } : { ...content(act.record), ...about };
    setBusy(true);
    try {
      await post("/records", { records: [record] });
    } catch (error) {
      setFailed(error as Error);
      setBusy(false);
      return;
    }
    close();
    await client.invalidateQueries();
  };
  const letters = failed instanceof ApiError ? failed.refused.map((one) => one.reason) : [];
  return (
    <Modal
      open
      title={t(`records.${act.what}` as Key)}
      okText={t(`records.${act.what}` as Key)}
      cancelText={t("entry.cancel")}
      okButtonProps={{ loading: busy, danger: act.what === "withdraw" }}
      mask={{ closable: false }}
      onOk={() => void send()}
      onCancel={close}
    >
      <p className="note">{t(`records.${act.what}.hint` as Key)}</p>
      <div className={failed ? "field wrong" : "field"}>
        <label htmlFor="why">{t("records.why")}</label>
        <Input.TextArea id="why" autoFocus rows={3} value={reason} onChange={(event) => setReason(event.target.value)} maxLength={10_000} />
        {failed && <p className="letter">{letters.join(" ") || failed.message}</p>}
      </div>
    </Modal>
  );
}

function Correction({ kept, kind, contract, close }: { kept: Kept; kind: Kind; contract: Contract; close: () => void }) {
  const { t } = useWords();
  const me = useMe();
  if (!me.data) return <Waiting />;
  return (
    <>
      <h2>{t("records.correct")}</h2>
      <p className="note">{t("records.correct.hint")}</p>
      <EntryForm
        kind={kind}
        contract={contract}
        supersedes={kept.record.id}
        start={{ ...filled(kind, kept.record), source: "person", entered_by: me.data.actor }}
        onSaved={({ id }) => (close(), go(recordAddress(id)))}
        onCancel={close}
      />
    </>
  );
}

export function OneRecord({ id }: { id: string }) {
  const { t } = useWords();
  const terms = useTerms();
  const versions = useVersions(id);
  const contract = useContract();
  const timezone = useSite().data?.timezone ?? "UTC";
  const [act, setAct] = useState<Act | null>(null);
  const [correcting, correct] = useState(false);
  const all = versions.data?.items ?? [];
  const last = all.at(-1);
  const gone = last?.record["void"] === true;
  useKeys({ b: () => go("/records"), e: () => last && !gone && correct(true) });
  if (versions.isError) return <Trouble error={versions.error} text={versions.error instanceof ApiError && versions.error.status === 404 ? t("records.unknown") : undefined} />;
  if (!last || !contract.data) return <Waiting />;
  const kind = contract.data.kinds.find((one) => one.kind === last.record.kind);
  const content_ = all.findLast((one) => one.record["void"] !== true);
  return (
    <div className="desk">
      <div className="deskhead">
        <Button icon={<ArrowLeftOutlined />} onClick={() => go("/records")}>
          {t("records.back")}
        </Button>
        <h1>
          {terms.kind(last.record.kind)} · {String(content_?.record["agent"] ?? content_?.record["team"] ?? all[0]!.record.id)}
        </h1>
        {gone ? <span className="mark breach">{t("records.withdrawn")}</span> : <span className="mark met">{t("records.holds")}</span>}
        <span className="stretch" />
        {!correcting && !gone && (
          <>
            <Button type="primary" onClick={() => correct(true)}>
              {t("records.correct")}
            </Button>
            <Button danger onClick={() => setAct({ what: "withdraw", record: last.record })}>
              {t("records.withdraw")}
            </Button>
          </>
        )}
        {gone && content_ && (
          <Button type="primary" onClick={() => setAct({ what: "undo", record: content_.record })}>
            {t("records.undo")}
          </Button>
        )}
      </div>
      {correcting && kind && <Correction kept={last} kind={kind} contract={contract.data} close={() => correct(false)} />}
      <ol className="versions" aria-label={t("records.versions")}>
        {all
          .map((kept, at) => (
            <Version
              key={kept.version}
              kept={kept}
              before={all[at - 1]}
              last={kept === last}
              kind={kind}
              timezone={timezone}
              onRestore={kept === last || kept.record["void"] === true || gone ? undefined : () => setAct({ what: "restore", record: kept.record })}
            />
          ))
          .reverse()}
      </ol>
      {act && <Ask act={act} of={last} close={() => setAct(null)} />}
    </div>
  );
}
