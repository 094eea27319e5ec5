"""A pack made ready for months: every expression compiled once, its names checked against what it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
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
    parts: Mapping[str, Fn]  # value, raw, year, money, pay, zero_if, admits
    let: Mapping[str, Fn]
    recommends: tuple[Fn | None, ...]
    refuses: tuple[tuple[str | None, str, Fn], ...]  # each, word, when
    cautions: tuple[tuple[str | None, str, Fn], ...]
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
    _matched: dict[tuple[str, ...], list[str]] = field(default_factory=dict, compare=False, repr=False)

    def matching(self, wanted: tuple[str, ...]) -> list[str]:
        """Rule ids by name or pattern, in the pack's order."""
        if wanted not in self._matched:
            missing = [one for one in wanted if "*" not in one and one not in self.rules]
            if missing:
                raise ExprError(f"there is no rule {missing[0]} in {self.pack.id}; correct the id")
            self._matched[wanted] = [one for one in self.rules if any(fnmatchcase(one, each) for each in wanted)]
        return self._matched[wanted]


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


def _names(rule: Rule, each: str | None) -> Names:
    """``each`` None: any kind of record that the rule is decided from, as an attempt or an observation brings it."""
    settings = frozenset({*rule.dated(), *rule.choices()})
    rows = {kind: fields_of(kind) for kind in KINDS}
    own = fields_of(each) if each is not None else fields_of("observation").union(*map(fields_of, _kinds(rule)))
    return Names(own, frozenset(), GENERAL | settings, rows, functions())


def _kinds(rule: Rule) -> set[str]:
    return {one for one in (*rule.needs, *(test.each for test in rule.tests)) if one in KINDS}


def _ready(rule_id: str, rule: Rule, faults: list[str]) -> Ready:
    def compiled(place: str, text: str, names: Names) -> Fn:
        try:
            return compile_expression(text, names)
        except ExprError as error:
            faults.append(f"{rule_id}.{place}: {error}")
            return _never

    month = _names(rule, "month")
    let: dict[str, Fn] = {}
    for name, text in rule.let.items():
        let[name] = compiled(f"let.{name}", text, month)
        month = month.with_local([name])
    texts = {name: getattr(rule, name) for name in ("value", "raw", "year", "money", "pay")}
    if rule.item is not None:
        texts["zero_if"] = rule.item.zero_if
    parts = {name: compiled(name, text, month) for name, text in texts.items() if text is not None}
    anything = _names(rule, None).with_local(let)
    if rule.admits is not None:
        parts["admits"] = compiled("admits", rule.admits, anything)
    all_tests = [_test(rule, check, at, compiled, faults, rule_id, let) for at, check in enumerate(rule.tests)]
    tests = tuple(one for one in all_tests if one.check.that is None and one.check.each not in ENGINE_KINDS)

    def attempts(name: str, word: str) -> tuple[tuple[str | None, str, Fn], ...]:
        return tuple(
            (one.each, getattr(one, word), compiled(f"{name}.{at}", one.when, _names(rule, one.each).with_local(let)))
            for at, one in enumerate(getattr(rule, name))
        )

    return Ready(
        rule_id, rule, tests, parts, let,
        tuple(None if one.when is None else compiled("recommend", one.when, anything) for one in rule.recommend),
        attempts("refuses", "word"), attempts("cautions", "law"),
        tuple((one.word, compiled("overlay_faults", one.when, month)) for one in rule.overlay_faults),
    )  # fmt: skip


def _test(
    rule: Rule, check: Check, at: int, compiled: Callable[[str, str, Names], Fn], faults: list[str], rule_id: str,
    shared: Mapping[str, Fn],
) -> Test:  # fmt: skip
    if check.that is not None:
        return Test(check, {}, {}, None)
    if check.each not in KINDS:
        faults.append(f"{rule_id}.tests.{at}.each: there is no {check.each!r}; known are {', '.join(sorted(KINDS))}")
        return Test(check, {}, {}, None)
    settings = frozenset({*rule.dated(), *rule.choices()})
    names = names_for(check.each, settings) if check.each in ENGINE_KINDS else _names(rule, check.each)
    let: dict[str, Fn] = {}
    if check.each not in ENGINE_KINDS:
        let.update(shared)
        names = names.with_local(shared)
    for name, text in check.let.items():
        let[name] = compiled(f"tests.{at}.let.{name}", text, names)
        names = names.with_local([name])
    keys = (
        "where",
        "na",
        "breach",
        "met",
        "keep",
        "tell",
        "alarm",
        "at",
        "points",
        "times",
        "event",
        "value",
        "approver",
    )
    parts = {key: compiled(f"tests.{at}.{key}", getattr(check, key), names) for key in keys if getattr(check, key)}
    if check.due is not None:
        parts["due"] = compiled(f"tests.{at}.due.at", check.due.at, names)
        if check.due.done is not None:
            parts["done"] = compiled(f"tests.{at}.due.done", check.due.done, names)
    verdict = next((key for key in ("breach", "met", "keep", "tell") if key in parts), None)
    return Test(check, let, parts, verdict)


def _never(scope: Any) -> Any:
    return None
