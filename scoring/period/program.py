"""A pack made ready for months: every expression compiled once, its names checked against what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scoring.callexpr import CALL_FUNCTIONS, names_for
from scoring.errors import PackError
from scoring.expr import ExprError, Fn, Function, Names, compile_expression
from scoring.functions import FUNCTIONS
from scoring.pack import Check, Pack, Rule
from scoring.period.subjects import KINDS, fields_of

GENERAL = frozenset({
    "now", "month", "first_day", "last_day", "score", "raw", "rank", "grade", "employed_month", "served_ms", "person",
    "me", "team", "money_mode", "jurisdiction", "pack", "case", "new", "role", "by",
})  # fmt: skip
ENGINE_KINDS = ("call", "away")  # judged one by one where they are scored, not in the month


@dataclass(frozen=True, slots=True)
class Test:
    """One expression test, compiled; ``verdict`` names the part that decides."""

    check: Check
    let: Mapping[str, Fn]
    parts: Mapping[str, Fn]
    verdict: str | None


@dataclass(frozen=True, slots=True)
class Ready:
    """One rule, compiled: its tests over records and months, and its figures."""

    id: str
    rule: Rule
    tests: tuple[Test, ...]
    parts: Mapping[str, Fn]  # value, raw, year, money, zero_if
    recommends: tuple[Fn | None, ...]
    refuses: tuple[tuple[str, str, Fn], ...]  # each, word, when
    cautions: tuple[tuple[str, str, Fn], ...]
    overlay_faults: tuple[tuple[str, Fn], ...]

    @property
    def scores(self) -> bool:
        """Whether it can have points at all."""
        rule = self.rule
        steps = [step for one in (rule.ladder.values.values() if rule.ladder else ()) for step in one]
        return bool(
            rule.points or rule.range or rule.item or any(step.points for step in steps)
            or any("points" in one.parts for one in self.tests)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    pack: Pack
    rules: Mapping[str, Ready]


_programs: dict[str, Program] = {}


def program(pack: Pack) -> Program:
    """The compiled pack; refuses (PackError) every expression that cannot be read, with its place."""
    found = _programs.get(pack.sha)
    if found is None:
        if len(_programs) >= 256:
            _programs.clear()
        found = _programs[pack.sha] = make(pack)
    return found


def make(pack: Pack) -> Program:
    faults: list[str] = []
    rules = {rule_id: _ready(rule_id, rule, faults) for rule_id, rule in pack.rules.items()}
    if faults:
        raise PackError(faults)
    return Program(pack, rules)


def functions() -> Mapping[str, Function]:
    from scoring.period.forms import FORMS

    return {**FUNCTIONS, **CALL_FUNCTIONS, **FORMS}


def _names(rule: Rule, each: str) -> Names:
    settings = frozenset({*rule.dated(), *rule.choices()})
    rows = {kind: fields_of(kind) for kind in KINDS}
    return Names(fields_of(each), frozenset(), GENERAL | settings, rows, functions())


def _ready(rule_id: str, rule: Rule, faults: list[str]) -> Ready:
    def compiled(place: str, text: str, names: Names) -> Fn:
        try:
            return compile_expression(text, names)
        except ExprError as error:
            faults.append(f"{rule_id}.{place}: {error}")
            return _never

    month = _names(rule, "month")
    parts = {
        name: compiled(name, text, month)
        for name in ("value", "raw", "year", "money")
        if (text := getattr(rule, name)) is not None
    }
    if rule.item is not None and rule.item.zero_if is not None:
        parts["zero_if"] = compiled("item.zero_if", rule.item.zero_if, month)
    tests = tuple(
        _test(rule, check, at, compiled, faults, rule_id)
        for at, check in enumerate(rule.tests)
        if check.that is None and check.each not in ENGINE_KINDS
    )
    for at, check in enumerate(rule.tests):
        if check.that is None and check.each in ENGINE_KINDS:
            _test(rule, check, at, compiled, faults, rule_id)

    def attempts(name: str, word: str) -> tuple[tuple[str, str, Fn], ...]:
        return tuple(
            (one.each, getattr(one, word), compiled(f"{name}.{at}", one.when, _names(rule, one.each)))
            for at, one in enumerate(getattr(rule, name))
        )

    return Ready(
        rule_id, rule, tests, parts,
        tuple(None if one.when is None else compiled("recommend", one.when, month) for one in rule.recommend),
        attempts("refuses", "word"), attempts("cautions", "law"),
        tuple((one.word, compiled("overlay_faults", one.when, month)) for one in rule.overlay_faults),
    )  # fmt: skip


def _test(
    rule: Rule, check: Check, at: int, compiled: Callable[[str, str, Names], Fn], faults: list[str], rule_id: str
) -> Test:  # fmt: skip
    if check.each not in KINDS:
        faults.append(f"{rule_id}.tests.{at}.each: there is no {check.each!r}; known are {', '.join(sorted(KINDS))}")
        return Test(check, {}, {}, None)
    settings = frozenset({*rule.dated(), *rule.choices()})
    names = names_for(check.each, settings) if check.each in ENGINE_KINDS else _names(rule, check.each)
    let: dict[str, Fn] = {}
    for name, text in check.let.items():
        let[name] = compiled(f"tests.{at}.let.{name}", text, names)
        names = names.with_local([name])
    keys = ("where", "na", "breach", "met", "keep", "tell", "alarm", "at", "points", "times", "event", "value")
    parts = {key: compiled(f"tests.{at}.{key}", getattr(check, key), names) for key in keys if getattr(check, key)}
    if check.due is not None:
        parts["due"] = compiled(f"tests.{at}.due.at", check.due.at, names)
        if check.due.done is not None:
            parts["done"] = compiled(f"tests.{at}.due.done", check.due.done, names)
    verdict = next((key for key in ("breach", "met", "keep", "tell") if key in parts), None)
    return Test(check, let, parts, verdict)


def _never(scope: Any) -> Any:
    return None
