"""One event, one effect: clauses exclude one another, ladders count occurrences. It finds no breach."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from scoring.pack import Step
from scoring.period.findings import Finding
from scoring.period.program import Ready
from scoring.scorecard import ZERO, Outcome, Signal, Span

if TYPE_CHECKING:
    from scoring.period.month import Month


def settle(month: Month, ready: Ready) -> tuple[Finding, ...]:
    """A rule's findings after each event was left to its heaviest clause, and after the ladder."""
    found = month.taken(ready.id)
    return found if ready.rule.ladder is None else tuple(climb(month, ready, list(found)))


def take(month: Month, ready: Ready) -> tuple[Finding, ...]:
    """A rule's findings after each event was left to its heaviest clause, before the ladder counts them."""
    found = _one_each(list(month.findings(ready.id)))
    if len(month.overlaps.get(ready.id, ())) > 1:
        found = [month.rivalry(ready.id).get(id(one), one) for one in month.findings(ready.id)]
    return tuple(_once(found) if ready.rule.once == "month" else found)


def rivalry(month: Month, rules: set[str]) -> dict[int, Finding]:
    """All findings of clauses that can meet, the heaviest first: only what takes effect itself excludes another."""
    order = {rule: at for at, rule in enumerate(month.program.rules)}
    decided: dict[int, Finding] = {}
    kept: list[Finding] = []
    raw = [(one, own) for rule in rules for one, own in _each(month, rule)]
    for one, own in sorted(
        raw, key=lambda pair: (-_weight(pair[1]), order[pair[1].rule], pair[1].day, pair[1].subject)
    ):
        taker = next((other for other in kept if other.rule != own.rule and same_event(month, own, other)), None)
        if not own.counts or taker is None:
            kept += [own] if own.counts else []
            decided[id(one)] = own
            continue
        note = (*own.evidence, Signal("taken by", taker.rule))
        decided[id(one)] = replace(_superseded(own), outcome=Outcome.NA, evidence=note)
    return decided


def _each(month: Month, rule: str) -> list[tuple[Finding, Finding]]:
    """The findings of a rule as they were found, each with what is left of it beside those of the same word."""
    found = list(month.findings(rule))
    return list(zip(found, _one_each(found), strict=True))


def _one_each(found: list[Finding]) -> list[Finding]:
    """Of findings that were given the same word of an event the heaviest takes effect, of equal ones the first."""
    best: dict[str, Finding] = {}
    for one in sorted(found, key=lambda each: (-abs(each.points or ZERO), each.day, each.subject)):
        if one.counts and one.words:
            best.setdefault(one.event, one)
    return [_superseded(one) if one.counts and one.words and best[one.event] is not one else one for one in found]


def _superseded(finding: Finding) -> Finding:
    return replace(finding, state="superseded", points=ZERO, fine=ZERO, amount=ZERO, recommends=())


def same_event(month: Month, one: Finding, other: Finding) -> bool:
    if one.words and other.words and one.event == other.event:
        return True
    if one.subject == other.subject and one.kind == other.kind == "observation":
        return True
    for group in month.pack.head.groups:
        if one.rule in group.rules and other.rule in group.rules and _meet(one, other, group.per):
            return True
    pairs = month.program.rules[one.rule].rule.not_with, month.program.rules[other.rule].rule.not_with
    return (other.rule in pairs[0] or one.rule in pairs[1]) and one.event == other.event


def climb(month: Month, ready: Ready, found: list[Finding]) -> list[Finding]:
    """Each finding that counts takes the step of its number within the window; the last step repeats."""
    ladder = ready.rule.ladder
    assert ladder is not None
    before = earlier(month, ready, ladder.window)
    out = []
    done: list[date] = []
    for one in sorted(found, key=lambda each: (each.day, each.subject)):
        if not one.counts:
            out.append(one)
            continue
        steps = next(steps for since, steps in sorted(ladder.values.items(), reverse=True) if since <= one.day)
        stepped = _bare(one, steps)
        for _ in range(max(1, int(one.n))):
            number = sum(1 for day in (*before, *done) if _in_window(ladder.window, day, one.day)) + 1
            done.append(one.day)
            stepped = _stepped(stepped, steps[min(number, len(steps)) - 1], number)
        out.append(stepped)
    return out


def earlier(month: Month, ready: Ready, window: str) -> list[date]:
    if window == "month":
        return []
    first = date(month.period.first.year, 1, 1)
    if window != "year":
        first = month.period.first - timedelta(days=int(window))
    days: list[date] = []
    number = 1
    while (other := month.back(number)) is not None and other.period.last >= first:
        if ready.id in other.program.rules:
            days += [one.day for one in other.taken(ready.id) if one.counts for _ in range(max(1, int(one.n)))]
        number += 1
    return days


def _in_window(window: str, day: date, now: date) -> bool:
    if window == "month":
        return (day.year, day.month) == (now.year, now.month) and day <= now
    if window == "year":
        return day.year == now.year and day <= now
    return now - timedelta(days=int(window)) < day <= now


def _meet(one: Finding, other: Finding, per: str) -> bool:
    """Whether two findings are one event of a group: one shift is one day, one utterance the same stretch of a call."""
    if per == "shift":
        return one.day == other.day
    if one.event != other.event:
        return False
    if per != "utterance" or (one.words and other.words):
        return True
    mine, theirs = _spans(one), _spans(other)
    if not mine or not theirs:
        return one.subject == other.subject
    return any(a[0] <= b[1] and b[0] <= a[1] for a in mine for b in theirs) or bool(_turns(one) & _turns(other))


def _turns(finding: Finding) -> set[int]:
    """The turns the words of a finding stand in; none where a person marked the stretch."""
    spans = () if finding.clip is not None else (one for one in finding.evidence if isinstance(one, Span))
    return {one.turn for one in spans if one.turn is not None}


def _spans(finding: Finding) -> list[tuple[int, int]]:
    """The stretches of audio a finding rests on, in milliseconds from the answer."""
    found = [(one.start_ms, one.end_ms) for one in finding.evidence if isinstance(one, Span)]
    return [*found, finding.clip] if finding.clip is not None else found


def _bare(finding: Finding, steps: tuple[Step, ...]) -> Finding:
    """Without what the ladder's steps decide themselves."""
    money = any(step.fine or step.amount for step in steps)
    return replace(
        finding,
        fine=ZERO if money else finding.fine,
        amount=ZERO if money else finding.amount,
        points=ZERO if any(step.points for step in steps) else finding.points,
    )


def _weight(finding: Finding) -> Decimal:
    """How heavy a finding is: its points, and what it costs."""
    return abs(finding.points or ZERO) + abs(finding.fine)


def _once(found: list[Finding]) -> list[Finding]:
    out: list[Finding] = []
    taken = False
    for one in sorted(found, key=lambda each: (each.day, each.subject)):
        if one.counts and taken:
            one = _superseded(one)
        taken = taken or one.counts
        out.append(one)
    return out


def _stepped(finding: Finding, step: Step, number: int) -> Finding:
    points = finding.points if step.points is None else (finding.points or ZERO) + Decimal(step.points)
    return replace(
        finding,
        points=points,
        fine=finding.fine - abs(Decimal(step.fine or 0)),
        amount=finding.amount + Decimal(step.amount or 0),
        recommends=(*finding.recommends, *([step.recommend] if step.recommend else [])),
        evidence=(*finding.evidence, Signal("occurrence", str(number))),
    )
