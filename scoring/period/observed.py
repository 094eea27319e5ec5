"""What people saw and answered: observations become findings, and flags are confirmed or dismissed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from scoring.expr import Scope, truth
from scoring.period import judge, subjects
from scoring.period.context import RuleContext
from scoring.period.findings import Finding, State
from scoring.period.judge import CALENDAR, Flag
from scoring.period.program import Ready
from scoring.records.record import Record
from scoring.scorecard import ZERO, Outcome, Signal

if TYPE_CHECKING:
    from scoring.period.month import Month


def with_observations(month: Month, ready: Ready, flags: list[Flag]) -> Iterable[Finding]:
    """Flags that a person answered, then what a person saw without a flag."""
    rule = ready.rule
    takes = rule.decide in ("manual", "review") or "observation" in rule.needs
    own = month.who.kind in rule.of  # else only what names nobody: a person's observation stands under the person
    left = [
        (day, one)
        for day, one in month.observations
        if takes and ready.id in (one.get("rule") or ()) and (own or one.get("agent") is None)
    ]
    for flag in flags:
        finding = flag.finding
        answer = next(((day, one) for day, one in left if _answers(month, one, finding)), None)
        if answer is None:
            yield finding
            continue
        left.remove(answer)
        yield answered(month, ready, finding, answer[1])
    if rule.item is not None:
        left = [(day, one) for day, one in left if not gives(one)]
    for day, record in left:
        belongs = moved(month, ready, record) or day
        if belongs in month.period:
            yield seen(month, ready, record, belongs)


def moved(month: Month, ready: Ready, record: Record) -> date | None:
    """The day of an answer is that of the finding it answers, deadlines included."""
    about = record.get("about")
    if about is None:
        return None
    for test in ready.tests:
        if "at" not in test.parts and "due" not in test.parts:
            continue
        row = next((one for one in month.evaluator.rows.of(test.check.each, month.who) if one.id == about), None)
        if row is not None:
            scope = judge.scope_of(month, ready, test, row)
            return judge.day_of(month, test, scope, row, judge.deadline(month, test, scope))
    return None


def answered(month: Month, ready: Ready, finding: Finding, record: Record) -> Finding:
    evidence = (*finding.evidence, *spoken(record))
    if not _says_so(record):
        return replace(finding, outcome=Outcome.CLEAR, state="dismissed", points=ZERO, fine=ZERO, amount=ZERO,
                       recommends=(), evidence=evidence, decided_by=by(record))  # fmt: skip
    own = seen(month, ready, record, finding.day)
    proposed = finding.points if finding.outcome in (Outcome.BREACH, Outcome.MET) else own.points
    points = record.get("points") if record.get("points") is not None else proposed
    if not (own.counts or own.waits):
        return replace(own, subject=finding.subject, kind=finding.kind, evidence=evidence)
    state: State = "waits" if points is None and ready.rule.range else "counts"
    return replace(own, state=state, subject=finding.subject, kind=finding.kind, points=points, evidence=evidence,
                   assumed=own.assumed or finding.assumed, value=finding.value, due=finding.due,
                   recommends=_recommended(ready, finding, own, record),
                   event=record.get("event") or finding.event)  # fmt: skip


def _recommended(ready: Ready, finding: Finding, own: Finding, record: Record) -> tuple[str, ...]:
    """What the flag or its answer leads to; how severe it was says the answer, and where it does not, the flag."""
    if finding.outcome not in (Outcome.BREACH, Outcome.MET):
        return own.recommends
    graded = {one.kind for one in ready.rule.recommend if one.when is not None and "severity" in one.when}
    says, adds = (own, finding) if record.get("severity") is not None else (finding, own)
    return tuple(dict.fromkeys((*says.recommends, *(kind for kind in adds.recommends if kind not in graded))))


def seen(month: Month, ready: Ready, record: Record, day: date) -> Finding:
    """One observation as one finding."""
    rule = ready.rule
    n = record.get("n") or Decimal(1)
    known = month.settings(ready, day) or {}
    per = known.get("points")
    outcome = Outcome(record.get("outcome") or ("met" if per and per.number and per.number > 0 else "breach"))
    row = subjects.plain_row(month.world, record)
    scope = Scope(row, RuleContext(month, ready, day), dict(ready.let))
    if record.get("confirmed") is False:
        outcome = Outcome.CLEAR
    if "admits" in ready.parts and truth(ready.parts["admits"](scope)) is False:
        outcome = Outcome.NA
    effect = outcome in (Outcome.BREACH, Outcome.MET)
    if rule.item is not None and outcome is Outcome.MET and record.get("points") is None:
        effect = False  # an item found met without points has lost nothing
    points: Decimal | None = ZERO
    if effect:
        points = record.get("points")
        if points is None:
            points = per.number * n if per is not None and per.number is not None else None if rule.range else ZERO
        elif rule.range:
            points *= n  # what is set inside the printed range is for each
    state: State = "told" if not effect else "waits" if points is None and rule.range else "counts"
    named = tuple(record.get("rule") or ())
    finding = Finding(
        ready.id, record.id, "observation", day, outcome, state, points,
        assumed=effect and per is not None and per.assumed and record.get("points") is None,
        evidence=spoken(record), event=str(record.get("event") or record.get("about") or record.id),
        words=record.get("event") is not None or len(named) > 1, decided_by=by(record), n=n, clip=_clip(record),
    )  # fmt: skip
    return judge.priced(month, ready, finding, scope)


def _answers(month: Month, record: Record, finding: Finding) -> bool:
    """Whether an observation is about that finding; an answer stands for what replaced the record it was about too."""
    about = record.get("about")
    if about is None:
        return finding.kind in CALENDAR
    standing = month.world.book.get(about)
    named = {about} if standing is None else {about, standing.id}
    return not named.isdisjoint((finding.subject, finding.event, finding.subject.partition("#")[0]))


def gives(record: Record) -> bool:
    """Points of an item as what was earned; a deduction of its printed range is negative."""
    points = record.get("points")
    return points is not None and (record.get("outcome") == "met" or points >= 0)


def _says_so(record: Record) -> bool:
    return record.get("confirmed") is not False and record.get("outcome") != "clear"


def _clip(record: Record) -> tuple[int, int] | None:
    start, end = record.get("start_ms"), record.get("end_ms")
    return None if start is None else (int(start), int(end if end is not None else start))


def by(record: Record) -> str:
    return str(record.get("reviewer") or record.get("entered_by") or "person")


def spoken(record: Record) -> tuple[Signal, ...]:
    said = [Signal("observation", record.id), Signal("reason", str(record.get("reason") or ""))]
    said += [Signal("seen by", by(record))]
    if record.get("start_ms") is not None:
        said.append(Signal("clip", f"{record.get('about')} {record.get('start_ms')}-{record.get('end_ms')} ms"))
    return (*said, *(Signal("evidence", str(one)) for one in record.get("evidence") or ()))
