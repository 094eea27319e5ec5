// Small marks used by the lists and the call: always a sign and a word, never a colour alone.
import {
  BellOutlined,
  BranchesOutlined,
  CheckCircleOutlined,
  CloseCircleFilled,
  ClockCircleOutlined,
  CommentOutlined,
  EyeFilled,
  ExclamationCircleOutlined,
  MinusCircleOutlined,
  PlusCircleFilled,
  QuestionCircleOutlined,
  RollbackOutlined,
  SwapOutlined,
  SyncOutlined,
} from "@ant-design/icons";
import { Tooltip } from "antd";
import type { ReactNode } from "react";
import type { CallRow, Flag, Flags, Line, Part, Score, State } from "../api.ts";
import { isZero, oneDecimal, points } from "../format.ts";
import { callAddress } from "../route.ts";
import { follow } from "../shell/follow.ts";
import { useWords, type Key } from "../words.tsx";

export type Shown = "breach" | "review" | "met" | "unknown" | "clear" | "na";

const SIGNS: Record<Shown, ReactNode> = {
  breach: <CloseCircleFilled aria-hidden />,
  review: <EyeFilled aria-hidden />,
  met: <PlusCircleFilled aria-hidden />,
  unknown: <QuestionCircleOutlined aria-hidden />,
  clear: <CheckCircleOutlined aria-hidden />,
  na: <MinusCircleOutlined aria-hidden />,
};

/** A breach that only a person may confirm shows as waiting, not as done. */
export function shown(line: Line): Shown {
  return line.outcome === "breach" && line.decide !== "auto" && !line.counts ? "review" : line.outcome;
}

export function Mark({ kind, children }: { kind: Shown; children: ReactNode }) {
  return (
    <span className={`mark ${kind}`}>
      {SIGNS[kind]} <span>{children}</span>
    </span>
  );
}

function FlagMark({ flag, kind, hint }: { flag: Flag; kind: Shown; hint: string }) {
  const { titled } = useWords();
  return (
    <Tooltip title={`${flag.cite} · ${hint}`}>
      <Mark kind={kind}>
        <b>{flag.rule}</b> {titled(flag.title, "")}
      </Mark>
    </Tooltip>
  );
}

export function FlagMarks({ flags, scored }: { flags: Flags; scored: boolean }) {
  const { t, term } = useWords();
  const causes = Object.entries(flags.unknown);
  if (!flags.breach.length && !flags.review.length && !causes.length) {
    return scored ? <Mark kind="clear">{t("outcome.none")}</Mark> : <span className="faint">{t("none")}</span>;
  }
  return (
    <span className="marks">
      {flags.breach.map((flag) => (
        <FlagMark key={flag.rule} flag={flag} kind="breach" hint={t("outcome.breach")} />
      ))}
      {flags.review.map((flag) => (
        <FlagMark key={flag.rule} flag={flag} kind="review" hint={`${t("outcome.review")} · ${t("counts.waits")}`} />
      ))}
      {causes.map(([cause, count]) => (
        <Tooltip key={cause} title={`${t("outcome.unknown")}: ${term("cause", cause)}`}>
          <Mark kind="unknown">
            {term("cause", cause)}
            {count > 1 && ` ×${count}`}
          </Mark>
        </Tooltip>
      ))}
    </span>
  );
}

interface PointsProps {
  value: string;
  assumed: boolean;
  /** What a person has still to confirm is no deduction yet. */
  waiting?: boolean;
}

export function Points({ value, assumed, waiting = false }: PointsProps) {
  const { t } = useWords();
  const colour = isZero(value) ? "zero" : waiting ? "waiting" : value.startsWith("-") ? "minus" : "plus";
  return (
    <span className={`points ${colour}`}>
      {waiting && !isZero(value) ? t("points.waiting", { points: points(value) }) : points(value)}
      {assumed && (
        <Tooltip title={t("assumed.hint")}>
          <span className="assumedtag">{t("assumed")}</span>
        </Tooltip>
      )}
    </span>
  );
}

export function ScorePair({ score }: { score: Score | null }) {
  const { t } = useWords();
  if (!score) return <span className="faint">{t("none")}</span>;
  return (
    <span className="scorepair">
      <span>
        <Points value={score.automatic} assumed={false} /> <small>{t("column.score.automatic")}</small>
      </span>
      <span>
        <Points value={score.counted} assumed={false} /> <small>{t("column.score.counted")}</small>
      </span>
      {score.assumed && (
        <Tooltip title={t("assumed.hint")}>
          <span className="assumedtag">{t("assumed")}</span>
        </Tooltip>
      )}
    </span>
  );
}

const STATE_SIGNS: Record<State, ReactNode> = {
  live: <SyncOutlined spin aria-hidden />,
  ended: <ClockCircleOutlined aria-hidden />,
  recorded: <ClockCircleOutlined aria-hidden />,
  transcribed: <ClockCircleOutlined aria-hidden />,
  scored: <CheckCircleOutlined aria-hidden />,
  failed: <ExclamationCircleOutlined aria-hidden />,
};

export function StateMark({ state }: { state: State }) {
  const { t } = useWords();
  return (
    <span className={`state ${state}`}>
      {STATE_SIGNS[state]} {t(`state.${state}` as Key)}
    </span>
  );
}

/** What a part of a conversation is called; `answered`: how many seats answered, where that is known. */
export function usePartName(): (part: Part, answered?: number) => string {
  const { t } = useWords();
  return (part, answered) => {
    if (part.kind === "missed") return t("part.missed");
    if (part.kind === "first" && answered !== undefined) return t("part.of", { number: 1, count: answered });
    return t(`part.${part.kind}` as Key, { number: part.number });
  };
}

const MISSED = /~[1-9]\d{2}$/; // answers are numbered below 101

/** Parts that answered; the others of a conversation are rings that nobody took. */
function answeredOf(row: CallRow): number {
  return row.parts.filter((id) => !MISSED.test(id)).length;
}

function PartName({ row, part }: { row: CallRow; part: Part }) {
  const { t } = useWords();
  const name = usePartName();
  const count = answeredOf(row);
  if (part.kind === "first") return count > 1 ? <small>{name(part, count)}</small> : null;
  const first = row.parts[0];
  const hint = part.kind === "missed" || part.kind === "consulted" ? part.kind : "later";
  return (
    <span className="partname">
      <Tooltip title={t(`part.${hint}.hint` as Key)}>
        <span className={`mark part ${part.kind}`}>
          {PART_SIGNS[part.kind]} <span>{name(part)}</span>
        </span>
      </Tooltip>
      {first && (
        <a
          href={callAddress(first)}
          aria-label={t("part.opens", { id: first })}
          onClick={(event) => {
            event.stopPropagation();
            follow(event);
          }}
        >
          <RollbackOutlined aria-hidden />
        </a>
      )}
    </span>
  );
}

const PART_SIGNS: Record<Part["kind"], ReactNode> = {
  first: null,
  later: <BranchesOutlined aria-hidden />,
  transferred: <SwapOutlined aria-hidden />,
  consulted: <CommentOutlined aria-hidden />,
  missed: <BellOutlined aria-hidden />,
};

/** What of the call never came, under its name in the catalogues. */
function missingOf(row: CallRow): string | null {
  if (row.orphan) return row.orphan.replace(" ", "_");
  return row.concluded === null ? null : "unended";
}

/** Which part of a conversation, what of the call never came, and whether it is nobody's. */
export function PartMark({ row }: { row: CallRow }) {
  const { t, term } = useWords();
  const missing = missingOf(row);
  return (
    <>
      {row.part && <PartName row={row} part={row.part} />}
      {missing && (
        <Tooltip title={term("warning", missing)}>
          <Mark kind="unknown">{term("missing", missing)}</Mark>
        </Tooltip>
      )}
      {row.agent === null && row.state !== "live" && row.orphan !== "adopted" && (
        <Tooltip title={t("unassigned.hint")}>
          <Mark kind="unknown">{t("unassigned")}</Mark>
        </Tooltip>
      )}
    </>
  );
}

export function Rings({ row }: { row: CallRow }) {
  const { t } = useWords();
  if (row.ring_count === null && row.answer_seconds === null && row.ring_seconds === null) return <span className="faint">{t("none")}</span>;
  const count = row.ring_count === null ? null : t(row.ring_count === 1 ? "unit.ring" : "unit.rings", { count: row.ring_count });
  const seconds = row.answer_seconds ?? row.ring_seconds;
  const unanswered = row.end !== null && row.end !== "answered";
  return (
    <span className="stack">
      {count && <span>{count}</span>}
      <small>
        {seconds !== null && t("unit.seconds", { seconds: oneDecimal(seconds) })}
        {unanswered && ` · ${t(`end.${row.end}` as Key)}`}
      </small>
    </span>
  );
}
