// Screen three: what comes from outside the phones. A list, one record, entry by hand, import, registers.
import type { MouseEvent } from "react";
import { go, type Desk } from "../route.ts";
import "./records.css";
import { useWords } from "../words.tsx";
import { EntryDesk } from "./EntryDesk.tsx";
import { ImportDesk } from "./ImportDesk.tsx";
import { ListDesk } from "./ListDesk.tsx";
import { OneRecord } from "./OneRecord.tsx";
import { RegistersDesk } from "./RegistersDesk.tsx";

const DESKS: [Desk, string][] = [
  ["list", "/records"],
  ["new", "/records/new"],
  ["import", "/records/import"],
  ["registers", "/records/registers"],
];
const WORDS = { list: "records.list", new: "records.new", import: "records.import", registers: "records.registers" } as const;

function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  go(event.currentTarget.pathname);
}

export default function RecordsScreen({ desk, id }: { desk?: Desk; id?: string }) {
  const { t } = useWords();
  return (
    <>
      <nav className="subnav" aria-label={t("nav.records")}>
        {DESKS.map(([name, path]) => (
          <a key={name} href={path} onClick={follow} aria-current={name === desk ? "page" : undefined}>
            {t(WORDS[name])}
          </a>
        ))}
      </nav>
      {id !== undefined && <OneRecord id={id} />}
      {desk === "list" && <ListDesk />}
      {desk === "new" && <EntryDesk />}
      {desk === "import" && <ImportDesk />}
      {desk === "registers" && <RegistersDesk />}
    </>
  );
}
