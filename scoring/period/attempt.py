"""What a person tries: add a record, approve, export, close. Taken, perhaps with a caution, or refused with a word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from scoring.errors import PackError
from scoring.expr import ExprError, Scope, truth
from scoring.pack import Rule
from scoring.period import case as cases
from scoring.period import subjects
from scoring.period.close import Closing, close
from scoring.period.context import RuleContext
from scoring.period.evaluate import Evaluator
from scoring.period.program import Ready
from scoring.period.subjects import Row
from scoring.period.world import SITE, Decision, Who, World
from scoring.records.period import Period
from scoring.records.record import Record, Refusal


@dataclass(frozen=True, slots=True)
class Accepted:
    """``caution``: the laws a person should think of before the effect is used."""

    caution: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """``word`` names the refusal, ``why`` says what to do."""

    word: str
    why: str


Outcome = Accepted | Refused


def add(world: World, record: Record, role: str | None = None, by: str | None = None) -> tuple[World, Outcome]:
    """Take a record into the book, if its clauses let it in."""
    refused = observation_fault(world, record)
    refused = refused or _pack_refuses(world, record, role, by)
    if refused is not None:
        return world, refused
    taken = world.book.add(record)
    if isinstance(taken, Refusal):
        return world, Refused(_word(taken), str(taken))
    grown = replace(world, book=taken, now=max(world.now, record.start or world.now))
    return grown, Accepted(_cautions(world, record, role, by))


def _word(refusal: Refusal) -> str:
    text = refusal.reason
    if refusal.field == "reason":
        return "reason_missing"
    if "stage" in refusal.field:
        return "stage_order"
    if refusal.field == "rater":
        return "rater_unknown"
    if refusal.field == "points":
        return "out_of_range"
    return "duplicate" if "other content" in text or refusal.field == "id" else "not_applicable"


def refusal_word(faults: list[Refusal]) -> str:
    """The word for a record that could not be read."""
    return _word(faults[0])


def observation_fault(world: World, record: Record) -> Refused | None:
    """What every observation must keep: rules that exist, are on and take one; points inside the printed range."""
    if record.kind != "observation":
        return None
    for rule_id in record.get("rule") or ():
        rule = _rule(world, rule_id)
        if rule is None:
            return Refused("not_applicable", f"there is no rule {rule_id}; correct the id")
        if rule.never or not world.overlay.switches.get(f"{rule_id}.on", rule.on):
            return Refused("rule_off", f"{rule_id} is switched off here: {rule.why or 'by the site'}")
        fault = _points_fault(rule_id, rule, record)
        if fault is not None:
            return fault
    return _own_call(world, record)


def _rule(world: World, rule_id: str) -> Rule | None:
    return next((pack.rules[rule_id] for pack in world.packs.values() if rule_id in pack.rules), None)


def _points_fault(rule_id: str, rule: Rule, record: Record) -> Refused | None:
    points = record.get("points")
    if points is None:
        return None
    if rule.range and any(Decimal(one.min) <= points <= Decimal(one.max) for one in rule.range):
        return None
    if rule.item is not None:
        weight = Decimal(rule.item.weight)
        if rule.range and not (record.get("outcome") in ("met", None) and 0 <= points <= weight):
            return Refused("out_of_range", f"{rule_id} prints {_printed(rule)}; {points} lies outside")
        earned = record.get("outcome") == "met" or (record.get("outcome") is None and points >= 0)
        if earned and not 0 <= points <= weight:
            return Refused("out_of_range", f"{rule_id} is worth {weight}; {points} lies outside")
        if not earned and not -weight <= points <= 0:
            return Refused("out_of_range", f"{rule_id} is worth {weight}; {points} lies outside")
    elif rule.range:
        return Refused("out_of_range", f"{rule_id} prints {_printed(rule)}; {points} lies outside")
    else:
        return Refused("out_of_range", f"{rule_id} prints no range; leave points out")
    return None


def _printed(rule: Rule) -> str:
    return " or ".join(f"{one.min} to {one.max}" for one in rule.range)


def _own_call(world: World, record: Record) -> Refused | None:
    about = record.get("about")
    item = world.calls.get(about) if about is not None else None
    return judges_own(record, item.agent if item is not None else None)


def judges_own(record: Record, agent: str | None) -> Refused | None:
    """Whether somebody judges a call that was their own."""
    judge = record.get("reviewer") or record.get("entered_by")
    if agent is not None and judge == agent:
        return Refused("own_call", f"{judge} cannot judge an own call; ask another reviewer")
    return None


def _before(world: World, record: Record) -> Row | None:
    """The case as it stood before this record."""
    if record.kind != "case":
        return None
    return cases.fold(one for one in world.book.of_kind("case") if one.get("case") == record.get("case"))


def _asked(world: World, record: Record, role: str | None, by: str | None) -> tuple[Evaluator, Row, Row | None, Who]:
    before = _before(world, record)
    agent = record.get("agent") or (before.agent if before is not None else None)
    row = subjects.plain_row(world, record)
    if before is not None:
        fields = {**{name: value for name, value in before.fields.items() if name not in row.fields}, **row.fields}
        row = replace(row, fields=fields, agent=agent)
    who = Who("person", agent) if agent is not None else Who("site", SITE)
    return Evaluator(replace(world, now=record.start or world.now)), row, before, who


def _pack_refuses(world: World, record: Record, role: str | None, by: str | None) -> Refused | None:
    evaluator, row, before, who = _asked(world, record, role, by)
    for pack_id in (world.pack_of(who.name, row.day), *world.shadow):
        month = evaluator.month(pack_id, who, Period.of(row.day, "month"))
        for ready in month.program.rules.values():
            if not month.on(ready):
                continue
            for each, word, when in ready.refuses:
                if _asked_of(ready, each, record) and _holds(month, ready, when, row, before, role, by):
                    return Refused(word, f"{ready.id} {ready.rule.cite}: {ready.rule.quote}")
    return None


def _cautions(world: World, record: Record, role: str | None, by: str | None) -> tuple[str, ...]:
    evaluator, row, before, who = _asked(world, record, role, by)
    found: dict[str, None] = {}
    for pack_id in (world.pack_of(who.name, row.day), *world.shadow):
        month = evaluator.month(pack_id, who, Period.of(row.day, "month"))
        for ready in month.program.rules.values():
            for each, law, when in ready.cautions:
                if (
                    _asked_of(ready, each, record)
                    and month.on(ready)
                    and _holds(month, ready, when, row, before, role, by)
                ):
                    found[law] = None
    return tuple(found)


def _asked_of(ready: Ready, each: str | None, record: Record) -> bool:
    """Whether an attempt concerns the clause: an observation that names it, or a kind it is decided from."""
    if record.kind == "observation":
        return each == "observation" or ready.id in (record.get("rule") or ())
    return record.kind == each if each is not None else record.kind in ready.rule.needs


def _holds(month: Any, ready: Ready, when: Any, row: Row, before: Row | None, role: str | None, by: str | None) -> bool:
    extra = {"role": role, "by": by, "new": row}
    scope = Scope(row, RuleContext(month, ready, row.day, before, extra), dict(ready.let))
    try:
        return truth(when(scope)) is True
    except ExprError as error:
        raise PackError([f"{month.pack.id}: {ready.id}: {error}"]) from None


def decide(
    world: World, verb: str, agent: str, period: Period, kind: str, by: str, at: datetime
) -> tuple[World, Outcome]:
    """Review, approve or reject a recommendation; it has to be reviewed before it is approved or rejected."""
    card = Closing(world).card(Who("person", agent), period)
    caution = next((one.caution for one in card.recommendations if one.kind == kind), None)
    if caution is None:
        return world, Refused("not_applicable", f"nothing of kind {kind} is recommended for {agent} in {period}")
    key = (agent, period, kind)
    before = world.decisions.get(key, ())
    state = before[-1].state if before else "proposed"
    if state in ("approved", "rejected"):
        return world, Refused("stage_order", f"it is already {state}")
    if verb == "review":
        if state != "proposed":
            return world, Refused("stage_order", f"it is already {state}")
        return _decided(world, key, Decision("reviewed", by, at)), Accepted(caution)
    if state != "reviewed":
        return world, Refused("stage_order", "it has to be reviewed first; the agent is told then and may appeal")
    if verb == "approve" and kind in ("dismissal", "separation") and before[-1].by == by:
        return world, Refused("second_approval_missing", "two different people have to agree; ask a second one")
    state_word = "approved" if verb == "approve" else "rejected"
    return _decided(world, key, Decision(state_word, by, at)), Accepted(caution)  # type: ignore[arg-type]


def _decided(world: World, key: tuple[str, Period, str], decision: Decision) -> World:
    return replace(world, decisions={**world.decisions, key: (*world.decisions.get(key, ()), decision)})


def export(world: World) -> tuple[World, Outcome]:
    """Hand amounts to the pay office: only in that money mode, and only with a stored signature (caution L1)."""
    if world.site.money != "payroll_export":
        return world, Refused("not_applicable", "money mode is not payroll_export; the owner sets it")
    if not world.site.signed_off_by:
        return world, Refused("sign_off_missing", "nobody has signed off the export; store the signature first")
    return world, Accepted(("L1",))


def close_month(world: World, period: Period) -> tuple[World, Outcome]:
    """Close a month once."""
    if period in world.closed:
        return world, Refused("duplicate", f"{period} is closed already; later news becomes an adjustment")
    return close(world, period), Accepted()


def overlay_fault(world: World) -> str | None:
    """The word with which a clause refuses the site's settings."""
    evaluator = Evaluator(world)
    period = Period.of(world.now.date(), "month")
    for pack_id in world.packs:
        month = evaluator.month(pack_id, Who("site", SITE), period)
        for ready in month.program.rules.values():
            for word, when in ready.overlay_faults:
                if truth(when(month.month_scope(ready))) is True:
                    return word
    return None
