"""Which clauses can come out otherwise under a draft, cut out of both packs, so that only those are scored. Pure.

A cut pack is an ordinary pack with fewer clauses: what it says of a subject is what the whole pack says in these lines,
because only clauses that may exclude one another look at each other, and those are cut out together.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from scoring.callexpr import CALL_FUNCTIONS
from scoring.canonical import digest
from scoring.overlay import Overlay
from scoring.pack import Check, Pack, Rule
from scoring.predicates import PREDICATES

SHOWN_ONLY = frozenset({"cite", "quote", "quote_ko", "title", "note", "why"})  # words that decide nothing
_TEXT_NAMES = frozenset({"tail_ms", "text"})


@dataclass(frozen=True, slots=True)
class Side:
    """A pack with what the site decided over it."""

    pack: Pack
    overlay: Overlay


@dataclass(frozen=True, slots=True)
class Pair:
    """Before and after, whole and cut to what can differ; ``text``: it asks for speech, ``money``: it costs some."""

    before: Side
    after: Side
    cut_before: Side
    cut_after: Side
    changed: frozenset[str]
    text: bool
    money: bool

    @property
    def same(self) -> bool:
        """Nothing that a call or an absence is judged by can come out otherwise."""
        return not self.changed


def pair(before: Side, after: Side, *, hits_move: bool = False) -> Pair:
    """What is to be scored to see the difference. ``hits_move``: the phrases found may differ too."""
    changed = {rule for rule in before.pack.rules.keys() | after.pack.rules.keys() if _differs(before, after, rule)}
    sides = (before.pack, after.pack)
    if hits_move:
        changed |= {rule for pack in sides for rule in pack.rules if reads_text(pack.rules[rule])}
    changed |= {rule for pack in sides for rule, one in pack.rules.items() if _has_money(one)}
    asked = {rule for pack in sides for rule, one in pack.rules.items() if of_subjects(one)}
    whole = frozenset(_with_rivals(sides, changed & asked) & asked)
    text = any(reads_text(pack.rules[one]) for pack in sides for one in whole if one in pack.rules)
    money = any(_has_money(pack.rules[one]) for pack in sides for one in whole if one in pack.rules)
    return Pair(before, after, _cut(before, whole), _cut(after, whole), whole, text, money)


def of_subjects(rule: Rule) -> bool:
    """Whether the clause is tested on calls or absences one by one."""
    return any(check.that is not None or check.each in ("call", "away") for check in rule.tests)


def _has_money(rule: Rule) -> bool:
    """Its money is no part of a run's totals, so it is always reckoned anew."""
    return of_subjects(rule) and any(one is not None for one in (rule.fine, rule.amount))


def _differs(before: Side, after: Side, rule: str) -> bool:
    one, other = before.pack.rules.get(rule), after.pack.rules.get(rule)
    if one is None or other is None:
        return True
    return (
        one.model_dump(exclude=set(SHOWN_ONLY)) != other.model_dump(exclude=set(SHOWN_ONLY))
        or _decided(before.overlay, rule) != _decided(after.overlay, rule)
        or (one.needs_text and before.overlay.synthetic_ok != after.overlay.synthetic_ok)
        or _groups(before.pack, rule) != _groups(after.pack, rule)
    )


def _decided(overlay: Overlay, rule: str) -> tuple[object, ...]:
    """What the site has decided about one clause."""
    lead = rule + "."
    told = [
        tuple(sorted((name, value) for name, value in part.items() if name.startswith(lead)))
        for part in (overlay.words, overlay.switches)
    ]
    numbers = tuple(sorted((name, one.values) for name, one in overlay.numbers.items() if name.startswith(lead)))
    return (*told, numbers, overlay.trusts(rule))


def _groups(pack: Pack, rule: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.per, one.rules) for one in pack.head.groups if rule in one.rules]


def _with_rivals(packs: Iterable[Pack], rules: Iterable[str]) -> set[str]:
    """The clauses with all that may take an event from them, or lose one to them, over any number of steps."""
    bonds: list[set[str]] = []
    for pack in packs:
        bonds += [set(one.rules) for one in pack.head.groups]
        bonds += [{rule, *one.not_with} for rule, one in pack.rules.items() if one.not_with]
    found, before = set(rules), -1
    while before != len(found):
        before = len(found)
        for bond in bonds:
            if bond & found:
                found |= bond
    return found


def _cut(side: Side, rules: frozenset[str]) -> Side:
    kept = {name: rule for name, rule in side.pack.rules.items() if name in rules}
    sha = digest(" ".join((side.pack.sha, *sorted(kept))).encode())
    pack = Pack(side.pack.head, kept, side.pack.section_of, side.pack.files, sha)
    gone = side.pack.rules.keys() - kept.keys()
    overlay = side.overlay

    def own(part: Mapping[str, object]) -> dict[str, object]:
        return {name: value for name, value in part.items() if name.partition(".")[0] not in gone}

    trust = overlay.trust if isinstance(overlay.trust, str) else tuple(one for one in overlay.trust if one not in gone)
    numbers, words, switches = own(overlay.numbers), own(overlay.words), own(overlay.switches)
    small = Overlay(numbers, words, switches, trust, overlay.synthetic_ok)  # type: ignore[arg-type]
    return Side(pack, small)


def reads_text(rule: Rule) -> bool:
    """Whether a test of the clause looks at what was said."""
    return rule.needs_text or any(_check_reads_text(check) for check in rule.tests)


def _check_reads_text(check: Check) -> bool:
    if check.that is not None:
        predicate = PREDICATES[check.that]
        return predicate.needs_text or bool(predicate.phrases)
    if check.each not in ("call", "away"):
        return False
    texts = (check.where, check.na, check.breach, check.met, check.keep, check.tell, check.alarm, check.times)
    return any(_expression_reads_text(one) for one in (*texts, *check.let.values()) if one is not None)


@cache
def _expression_reads_text(text: str) -> bool:
    for node in ast.walk(ast.parse(" ".join(text.split()), mode="eval")):
        if isinstance(node, ast.Name) and (node.id in CALL_FUNCTIONS or node.id in _TEXT_NAMES):
            return True
    return False
