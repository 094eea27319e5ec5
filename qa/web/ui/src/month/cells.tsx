// Small marks of the month: always a word, never a colour alone.
import { points } from "../format.ts";
import { useWords } from "../words.tsx";
import type { Clause, Standing } from "./data.ts";

const LOOK: Record<Standing, string> = { proposed: "review", reviewed: "review", approved: "breach", rejected: "na" };

export function Standings({ found }: { found: { kind: string; state: Standing }[] }) {
  const { t, term } = useWords();
  if (found.length === 0) return <span className="faint">{t("none")}</span>;
  return (
    <span className="marks">
      {found.map((one) => (
        <span key={one.kind} className={`mark ${LOOK[one.state]}`}>
          <b>{term("recommend", one.kind)}</b> {term("standing", one.state)}
        </span>
      ))}
    </span>
  );
}

export function Grade({ grade }: { grade: string | null }) {
  const { t } = useWords();
  if (grade === null) return <span className="faint">{t("none")}</span>;
  return grade === "ungraded" ? <span className="faint">{t("month.ungraded")}</span> : <b>{grade}</b>;
}

export function Named({ clause }: { clause: Clause }) {
  const { titled } = useWords();
  return (
    <>
      <b>{clause.cite}</b> {titled(clause.title, "")} <small>{clause.rule}</small>
    </>
  );
}

export function Signed({ value }: { value: string | null }) {
  const { t } = useWords();
  if (value === null) return <span className="faint">{t("none")}</span>;
  const look = value.startsWith("-") ? "minus" : value === "0" ? "zero" : "plus";
  return <span className={`points ${look}`}>{points(value)}</span>;
}
