// Registers: what is not in a connected one did not happen. Only the owner says so, from a day on.
import { useQueryClient } from "@tanstack/react-query";
import { Alert, Button, Input, Modal } from "antd";
import { useState } from "react";
import { post } from "../api.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords, type Key } from "../words.tsx";
import { useMe, useRegisters, type Register } from "./data.ts";
import { useTerms } from "./terms.ts";

function firstOfMonth(): string {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-01`;
}

function One({ register, owner }: { register: Register; owner: boolean }) {
  const { t } = useWords();
  const terms = useTerms();
  const client = useQueryClient();
  const [since, setSince] = useState(register.since ?? firstOfMonth());
  const [asking, ask] = useState<"connect" | "off" | null>(null);
  const [failed, setFailed] = useState<Error | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    setFailed(null);
    try {
      await post("/registers", { name: register.name, since: asking === "off" ? null : since });
      await client.invalidateQueries();
      ask(null);
    } catch (error) {
      setFailed(error as Error);
    } finally {
      setBusy(false);
    }
  };
  const on = register.since !== null;
  return (
    <li className="panel padded register" data-register={register.name}>
      <p className="row">
        <h2>{terms.kind(register.name)}</h2>
        {on ? (
          <span className="mark met">{t("registers.since", { day: register.since! })}</span>
        ) : (
          <span className="mark unknown">{t("registers.off")}</span>
        )}
      </p>
      <p>{t(`registers.${register.name}` as Key)}</p>
      {owner && (
        <p className="row">
          <Input aria-label={t("registers.day")} type="date" className="w-day" value={since} onChange={(event) => setSince(event.target.value)} />
          <Button type={on ? "default" : "primary"} disabled={!since || since === register.since} onClick={() => ask("connect")}>
            {t(on ? "registers.move" : "registers.connect")}
          </Button>
          {on && (
            <Button danger onClick={() => ask("off")}>
              {t("registers.disconnect")}
            </Button>
          )}
        </p>
      )}
      <Modal
        open={asking !== null}
        title={terms.kind(register.name)}
        okText={t(asking === "off" ? "registers.disconnect" : "registers.connect")}
        cancelText={t("entry.cancel")}
        okButtonProps={{ danger: asking === "off", loading: busy }}
        onOk={() => void send()}
        onCancel={() => (ask(null), setFailed(null))}
      >
        <p>{asking === "off" ? t("registers.ask.off") : t("registers.ask.on", { day: since })}</p>
        {failed && <Trouble text={t("entry.failed")} error={failed} />}
      </Modal>
    </li>
  );
}

export function RegistersDesk() {
  const { t } = useWords();
  const registers = useRegisters();
  const me = useMe();
  if (registers.isError) return <Trouble error={registers.error} onRetry={() => void registers.refetch()} />;
  if (!registers.data || !me.data) return <Waiting />;
  const owner = me.data.role === "owner";
  return (
    <div className="desk">
      <h1>{t("records.registers")}</h1>
      <Alert type="info" showIcon title={t("registers.meaning")} description={t("registers.meaning.more")} />
      {!owner && <p className="note">{t("registers.owner")}</p>}
      <ul className="registers">
        {registers.data.items.map((one) => (
          <One key={`${one.name} ${one.since}`} register={one} owner={owner} />
        ))}
      </ul>
    </div>
  );
}
