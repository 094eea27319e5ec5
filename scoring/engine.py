"""``score(pack, overlay, facts, day) -> scorecard``: pure, and the same bytes for the same inputs. It stores nothing.

A pack is made ready once for an overlay and a day (``Programme``); scoring a subject then only calls its tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from scoring import overlay as overlays
from scoring.callexpr import expression_test
from scoring.canonical import canonical, digest
from scoring.errors import FactsError
from scoring.exclusive import Exclusive, settle_overlaps
from scoring.facts import Cause, Facts, dump
from scoring.finding import NA, Finding, unknown
from scoring.overlay import Overlay
from scoring.pack import Check, Pack, Rule
from scoring.predicates import PREDICATES
from scoring.scorecard import ZERO, Line, Outcome, Scorecard, Setting, made_line
from scoring.values import Known, Settings, Undated, settle, words

ENGINE = 1  # raised with every change of semantics


@dataclass(frozen=True, slots=True)
class _Ready:
    """One test of one rule, ready to run: everything that does not depend on the subject is settled."""

    rule: str
    cite: str
    quote: str
    title: dict[str, str]
    test: Callable[[Facts, Any], Finding]
    decide: str
    machine: bool
    needs_text: bool
    points: Decimal
    points_lost: bool
    setting_lost: bool
    reads_lost: bool  # an expression: whether it read a lost number shows in its evidence
    effect: bool  # false: the outcome is told and takes no effect


@dataclass(frozen=True, slots=True)
class Programme:
    """A pack made ready for one overlay and one day."""

    call: tuple[_Ready, ...]
    away: tuple[_Ready, ...]
    exclusive: tuple[Exclusive, ...]
    synthetic_ok: bool


_programmes: dict[tuple[str, str, date | None], Programme] = {}


def programme(pack: Pack, overlay: Overlay, day: date | None) -> Programme:
    """The ready pack; refuses (PackError) what the overlay sets and the pack does not have."""
    key = (pack.sha, overlay.sha, day)
    found = _programmes.get(key)
    if found is None:
        if len(_programmes) >= 512:
            _programmes.clear()
        found = _programmes[key] = _make(pack, overlay, day)
    return found


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
    predicate = None if check.that is None else PREDICATES[check.that]
    numbers: dict[str, Known] | None
    try:
        numbers = settle(rule_id, rule, overlay, day)
    except Undated as setting:
        numbers, test = {}, _undated(str(setting))
    else:
        if numbers is None:
            return None
        settings = Settings(numbers, words(rule_id, rule, overlay), check.phrases)
        test = expression_test(check, settings) if predicate is None else _of_body(predicate.make(settings))
    points = numbers.get("points")
    machine = rule.decide == "auto" and check.decide != "review"
    trusted = not rule.needs_text or overlay.trusts(rule_id)
    return _Ready(
        rule=rule_id,
        cite=rule.cite,
        quote=rule.quote,
        title={"zh": rule.title.zh, "ko": rule.title.ko, "en": rule.title.en},
        test=test,
        decide="auto" if machine and trusted else "review",
        machine=machine,
        needs_text=rule.needs_text,
        points=points.number if points is not None and points.number is not None else ZERO,
        points_lost=points is not None and points.assumed,
        setting_lost=any(one.assumed for name, one in numbers.items() if predicate and name in predicate.numbers),
        reads_lost=predicate is None,
        effect=check.tell is None and check.alarm is None,
    )


def _of_body(test: Callable[[Any], Finding]) -> Callable[[Facts, Any], Finding]:
    return lambda facts, body: test(body)


def _undated(name: str) -> Callable[[Facts, Any], Finding]:
    finding = unknown(Cause.MISSING, (Setting(name, "changed over time, and the day is unknown", "day", "site"),))
    return lambda facts, body: finding


def score(pack: Pack, overlay: Overlay, facts: Facts, day: date | None) -> Scorecard:
    """Every rule that has a test for this kind of subject, in the regulation's order."""
    ready = programme(pack, overlay, day)
    if facts.call is not None:
        silenced = facts.call.text == "synthetic" and not ready.synthetic_ok
        subject, call = facts.subject, facts.call
        lines = [_line(one, one.test(facts, call), subject, silenced) for one in ready.call]
    elif facts.away is not None:
        lines = [_line(one, one.test(facts, facts.away), facts.subject, False) for one in ready.away]
    else:
        raise FactsError(facts.subject, "neither a call nor a stretch away is given", "set exactly one of them")
    if ready.exclusive and len([line for line in lines if line.takes_effect]) > 1:
        lines = settle_overlaps(lines, ready.exclusive)
    pointed = [line for line in lines if line.points]
    doubtful = [line.outcome for line in lines].count(_UNKNOWN)
    return Scorecard(
        subject=facts.subject,
        agent=facts.agent,
        pack=pack.id,
        pack_version=pack.version,
        engine=ENGINE,
        day=day,
        lines=tuple(lines),
        automatic=sum([line.points for line in pointed if line.machine], ZERO),
        counted=sum([line.points for line in pointed if line.counts], ZERO),
        assumed=True in [line.assumed for line in lines],
        unknown=doubtful,
    )


_BREACH, _MET, _CLEAR = Outcome.BREACH, Outcome.MET, Outcome.CLEAR
_UNKNOWN, _NA = Outcome.UNKNOWN, Outcome.NA


def _line(one: _Ready, finding: Finding, event: str, silenced: bool) -> Line:
    if silenced and one.needs_text and finding.outcome is not Outcome.NA:
        finding = unknown(Cause.SYNTHETIC, (Setting("synthetic_ok", "false", "word", "site"),))
    if finding is NA:
        return made_line(
            one.rule, one.cite, _NA, one.decide, False, ZERO, False, one.quote, (), event, one.title, None, one.machine
        )  # fmt: skip
    outcome = finding.outcome
    effect = one.effect and (outcome is _BREACH or outcome is _MET)
    decide = "review" if finding.review else one.decide
    lost = (effect and (one.points_lost or one.setting_lost)) or (one.setting_lost and outcome is _CLEAR)
    cause = None if finding.cause is None else finding.cause.value
    return made_line(
        one.rule, one.cite, outcome, decide, effect and decide == "auto", one.points if effect else ZERO, lost,
        one.quote, finding.evidence, event, one.title, cause, one.machine and not finding.review,
    )  # fmt: skip


def _read_lost(finding: Finding) -> bool:
    return any(isinstance(one, Setting) and one.source == "lost" for one in finding.evidence)


def run_inputs(pack: Pack, overlay: Overlay, facts: Facts, day: date | None) -> str:
    """The name of a run: H(engine, pack, overlay, facts, day). The same inputs again are the same run."""
    return digest(canonical(dict(_inputs(pack, overlay, facts, day))))


def _inputs(pack: Pack, overlay: Overlay, facts: Facts, day: date | None) -> Iterator[tuple[str, Any]]:
    yield "engine", ENGINE
    yield "pack", pack.sha
    yield "overlay", overlay.sha
    yield "facts", digest(dump(facts))
    yield "day", day.isoformat() if day else None
