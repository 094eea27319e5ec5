// Entry by hand: a kind, then its form.
import { Alert, Select } from "antd";
import { useState } from "react";
import { useSite } from "../data.ts";
import { go, recordAddress } from "../route.ts";
import { Trouble, Waiting } from "../shell/States.tsx";
import { useWords } from "../words.tsx";
import { useContract, useMe, type Raw } from "./data.ts";
import { EntryForm, type Saved } from "./EntryForm.tsx";
import { useTerms } from "./terms.ts";

function today(timezone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: timezone }).format(new Date());
}

const KEPT = ["agent", "team", "day", "at", "period"]; // what the next record of a pile shares with the last

export function EntryDesk() {
  const { t } = useWords();
  const terms = useTerms();
  const contract = useContract();
  const me = useMe();
  const site = useSite();
  const [name, choose] = useState(() => new URLSearchParams(location.search).get("kind") ?? "observation");
  const [start, setStart] = useState<Raw>({});
  const [done, setDone] = useState<string[]>([]);
  if (contract.isError) return <Trouble error={contract.error} onRetry={() => void contract.refetch()} />;
  if (!contract.data || !me.data || !site.data) return <Waiting />;
  const kind = contract.data.kinds.find((one) => one.kind === name) ?? contract.data.kinds[0]!;
  const saved = ({ id, values, again }: Saved) => {
    if (!again) return go(recordAddress(id));
    setStart(Object.fromEntries(KEPT.map((one) => [one, values[one]])));
    setDone([id, ...done]);
  };
  return (
    <div className="desk">
      <div className="deskhead">
        <h1>{t("records.new")}</h1>
        <label id="kind-label" htmlFor="kind">
          {t("records.kind")}
        </label>
        <Select
          id="kind"
          aria-labelledby="kind-label"
          className="w-kind"
          value={kind.kind}
          showSearch={{ optionFilterProp: "label" }}
          onChange={(next: string) => choose(next)}
          options={contract.data.kinds.map((one) => ({ value: one.kind, label: terms.kind(one.kind) }))}
        />
        <a href={`/api/v1/kinds/${kind.kind}/template`} download>
          {t("import.template")}
        </a>
      </div>
      {done.length > 0 && <Alert className="trouble" type="success" showIcon title={t("entry.saved", { id: done[0]!, count: done.length })} />}
      <EntryForm
        key={`${kind.kind} ${done.length}`}
        kind={kind}
        contract={contract.data}
        start={{ source: "person", entered_by: me.data.actor, day: today(site.data.timezone), ...start }}
        onSaved={saved}
      />
    </div>
  );
}
