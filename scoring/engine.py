"""``score(pack, overlay, facts, day) -> scorecard``: pure, and the same bytes for the same inputs. It stores nothing.

A pack is made ready once for an overlay and a day (``Programme``); scoring a subject then only calls its tests.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from scoring import overlay as overlays
from scoring.callexpr import Test, away_subject, call_subject, expression_test, once
from scoring.canonical import canonical, digest
from scoring.errors import FactsError
from scoring.exclusive import Exclusive, settle_overlaps
from scoring.facts import Cause, Facts, dump
from scoring.finding import Finding, unknown
from scoring.overlay import Overlay
from scoring.pack import Check, Pack, Rule
from scoring.predicates import PREDICATES
from scoring.scorecard import ZERO, Line, Outcome, Scorecard, Setting
from scoring.values import Known, Settings, Undated, settle, words

ENGINE = 1  # raised with every change of semantics
MOST_HELD = 512  # of what is made ready, until all is made anew
COSTS = ("points", "fine", "amount")  # numbers of a rule that its test does not look at, unless it names them


@dataclass(frozen=True, slots=True)
class _Ready:
    """One test of one rule, ready to run: everything that does not depend on the subject is settled."""

    test: Test
    line: Callable[[Finding, str], Line]  # what was found of an event, as a line of the scorecard
    needs_text: bool


@dataclass(frozen=True, slots=True)
class Programme:
    """A pack made ready for one overlay and the days between two changes of a value."""

    call: tuple[_Ready, ...]
    away: tuple[_Ready, ...]
    exclusive: tuple[Exclusive, ...]
    synthetic_ok: bool


UNDATED = -1  # in place of a stretch of days: the day is not known
_programmes: dict[tuple[str, str, int], Programme] = {}
_changes: dict[tuple[str, str], list[date]] = {}
_tests: dict[object, Test] = {}


def programme(pack: Pack, overlay: Overlay, day: date | None) -> Programme:
    """The ready pack; refuses (PackError) what the overlay sets and the pack does not have."""
    named = (pack.sha, overlay.sha)
    days = _changes.get(named)
    if days is None:
        days = _room(_changes)[named] = _days_of_change(pack, overlay)
    key = (*named, UNDATED if day is None else bisect_right(days, day))
    found = _programmes.get(key)
    if found is None:
        found = _room(_programmes)[key] = _make(pack, overlay, day)
    return found


def _room(held: dict[Any, Any]) -> dict[Any, Any]:
    if len(held) >= MOST_HELD:
        held.clear()
    return held


def _days_of_change(pack: Pack, overlay: Overlay) -> list[date]:
    """The days on which a number of the pack or the site begins; between two of them every day scores alike."""
    days = {day for rule in pack.rules.values() for dated in rule.dated().values() for day in dated.values}
    return sorted(days | {day for one in overlay.numbers.values() for day, _ in one.values})


def _make(pack: Pack, overlay: Overlay, day: date | None) -> Programme:
    overlays.check(overlay, (pack,), only_known=False)
    ready: dict[str, list[_Ready]] = {"call": [], "away": []}
    for rule_id, rule in pack.rules.items():
        if not overlay.switches.get(f"{rule_id}.on", rule.on):
            continue
        for check in rule.tests:
            if check.that is None and check.each not in ("call", "away"):
                continue
            one = _ready(rule_id, rule, check, overlay, day)
            if one is not None:
                ready[PREDICATES[check.that].subject if check.that is not None else check.each].append(one)
    exclusive = [Exclusive(frozenset(group.rules), group.per) for group in pack.head.groups if group.per == "utterance"]
    exclusive += [Exclusive(frozenset((one, other)), "event") for one, r in pack.rules.items() for other in r.not_with]
    return Programme(tuple(ready["call"]), tuple(ready["away"]), tuple(exclusive), overlay.synthetic_ok)


def _ready(rule_id: str, rule: Rule, check: Check, overlay: Overlay, day: date | None) -> _Ready | None:
    """A test with its settings; ``None`` when the rule is not yet in force on that day."""
    numbers: dict[str, Known] | None
    try:
        numbers = settle(rule_id, rule, overlay, day)
    except Undated as setting:
        numbers, test = {}, _undated(str(setting))
    else:
        if numbers is None:
            return None
        test = _test(check, Settings(numbers, words(rule_id, rule, overlay), check.phrases))
    return _Ready(test, _liner(rule_id, rule, check, overlay, numbers), rule.needs_text)


def _test(check: Check, settings: Settings) -> Test:
    """The test itself. Two rules, or a rule and its draft, that ask the same with the same numbers share it."""
    read = _read(check, settings)
    key = (check.model_dump_json(exclude_none=True), tuple(read.numbers.items()), tuple(read.words.items()))
    found = _tests.get(key)
    if found is None:
        test = expression_test(check, read) if check.that is None else _of_body(PREDICATES[check.that].make(read))
        found = _room(_tests)[key] = test
    return found


def _read(check: Check, settings: Settings) -> Settings:
    """The settings without what a finding costs, unless the test itself speaks of that."""
    said = check.model_dump_json(exclude_none=True)
    cost = [name for name in COSTS if re.search(rf"\b{name}\b", said) is None]
    numbers = {name: one for name, one in settings.numbers.items() if name not in cost}
    return Settings(numbers, settings.words, settings.phrases)


def _of_body(test: Callable[[Any], Finding]) -> Test:
    return once(lambda subject: test(subject.body))


def _undated(name: str) -> Test:
    finding = unknown(Cause.MISSING, (Setting(name, "changed over time, and the day is unknown", "day", "site"),))
    return lambda subject: finding


def _liner(
    rule_id: str, rule: Rule, check: Check, overlay: Overlay, numbers: Mapping[str, Known]
) -> Callable[[Finding, str], Line]:
    """What a rule makes of a finding: who decides, what it costs or brings, whether it rests on a lost number."""
    predicate = None if check.that is None else PREDICATES[check.that]
    known = numbers.get("points")
    machine = rule.decide == "auto" and check.decide != "review"
    decides = "auto" if machine and (not rule.needs_text or overlay.trusts(rule_id)) else "review"
    points = known.number if known is not None and known.number is not None else ZERO
    reads_lost = any(one.assumed for name, one in numbers.items() if predicate and name in predicate.numbers)
    costs_lost = (known is not None and known.assumed) or reads_lost
    effect = check.tell is None and check.alarm is None
    cite, quote, new = rule.cite, rule.quote, tuple.__new__
    title = {"zh": rule.title.zh, "ko": rule.title.ko, "en": rule.title.en}

    def line(finding: Finding, event: str) -> Line:
        outcome, evidence, cause, review = finding
        decide, by_machine = ("review", False) if review else (decides, machine)
        told = None if cause is None else cause.value
        if effect and (outcome is _BREACH or outcome is _MET):
            return new(Line, (
                rule_id, cite, outcome, decide, decide == "auto", points, costs_lost, quote, evidence, event, title,
                told, by_machine,
            ))  # fmt: skip
        lost = reads_lost and outcome is _CLEAR
        return new(Line, (
            rule_id, cite, outcome, decide, False, ZERO, lost, quote, evidence, event, title, told, by_machine,
        ))  # fmt: skip

    return line


def score(pack: Pack, overlay: Overlay, facts: Facts, day: date | None) -> Scorecard:
    """Every rule that has a test for this kind of subject, in the regulation's order."""
    ready = programme(pack, overlay, day)
    subject = facts.subject
    if facts.call is not None:
        call = call_subject(facts, facts.call)
        if facts.call.text == "synthetic" and not ready.synthetic_ok:
            lines = [one.line(_silenced(one, one.test(call)), subject) for one in ready.call]
        else:
            lines = [one.line(one.test(call), subject) for one in ready.call]
    elif facts.away is not None:
        away = away_subject(facts, facts.away)
        lines = [one.line(one.test(away), subject) for one in ready.away]
    else:
        raise FactsError(facts.subject, "neither a call nor a stretch away is given", "set exactly one of them")
    outcomes = [line.outcome for line in lines]
    if ready.exclusive and outcomes.count(_BREACH) + outcomes.count(_MET) > 1:
        lines = settle_overlaps(lines, ready.exclusive)
    pointed = [line for line in lines if line.points]
    return Scorecard(
        subject=subject,
        agent=facts.agent,
        pack=pack.id,
        pack_version=pack.version,
        engine=ENGINE,
        day=day,
        lines=tuple(lines),
        automatic=sum([line.points for line in pointed if line.machine], ZERO),
        counted=sum([line.points for line in pointed if line.counts], ZERO),
        assumed=True in [line.assumed for line in lines],
        unknown=outcomes.count(_UNKNOWN),
    )


_BREACH, _MET, _CLEAR, _UNKNOWN = Outcome.BREACH, Outcome.MET, Outcome.CLEAR, Outcome.UNKNOWN


def _silenced(one: _Ready, finding: Finding) -> Finding:
    """Outside the demo site nothing rests on what the bundled test model heard."""
    if one.needs_text and finding.outcome is not Outcome.NA:
        return unknown(Cause.SYNTHETIC, (Setting("synthetic_ok", "false", "word", "site"),))
    return finding


def run_inputs(pack: Pack, overlay: Overlay, facts: Facts, day: date | None) -> str:
    """The name of a run: H(engine, pack, overlay, facts, day). The same inputs again are the same run."""
    return digest(canonical(dict(_inputs(pack, overlay, facts, day))))


def _inputs(pack: Pack, overlay: Overlay, facts: Facts, day: date | None) -> Iterator[tuple[str, Any]]:
    yield "engine", ENGINE
    yield "pack", pack.sha
    yield "overlay", overlay.sha
    yield "facts", digest(dump(facts))
    yield "day", day.isoformat() if day else None
