"""How far a pack's months look: which kinds of records are read beyond the month, and whether other people are.

Read from the written expressions, so that a closed month is computed anew only for whom news can concern.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from scoring.pack import Pack, Rule
from scoring.period.subjects import KINDS

CALENDAR = frozenset({"month", "week", "day"})
NEAR = ("month", "week", "day", "shift")
BACK = frozenset({"previous", "streak", "months_mean", "months_sum", "months_known"})
PEOPLE = frozenset({"rank", "rank_from_last", "tied", "people", "everyone", "people_mean", "people_sum"})
RECORDS_OF = {"candidate": "exam", "question": "chat", "call_record": "call", "stretch": "attendance"}


class Reach(NamedTuple):
    """``far``: kinds read in windows wider than the month; ``moving``: kinds that a clause gives another day than
    their own; ``shared``: a person's month may rest on other people; ``back``: it may rest on earlier months.
    """

    far: frozenset[str]
    moving: frozenset[str]
    shared: bool
    back: bool
    teams: bool  # a clause is about teams or the whole site
    asked: frozenset[str]  # kinds that clauses are about one by one
    admitting: Mapping[str, frozenset[str]]  # clause -> kinds it looks far for when an observation names it


def reach(pack: Pack) -> Reach:
    far: set[str] = set()
    moving: set[str] = {"case"}
    shared = back = False
    for rule in pack.rules.values():
        for test in rule.tests:
            if test.at is not None or test.due is not None:
                moving.add(test.each)
            if test.each == "candidate":  # ranked among all who sat that exam, whenever they did
                shared, far = True, far | {"exam"}
        shared |= rule.admits is not None and "whose" in rule.admits
        back |= rule.ladder is not None and rule.ladder.window != "month"
        for call in _calls(_texts(rule)):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            shared |= name in PEOPLE or any(one.arg == "whose" for one in call.keywords)
            back |= name in BACK
            kind = _kind(call)
            if kind is not None and (kind == "candidate" or not _near(call)):
                shared |= kind == "candidate"
                far.add(kind)
    admitting = {name: _of_records(_admits(rule)) for name, rule in pack.rules.items() if rule.admits is not None}
    teams = any(set(rule.of) - {"person"} for rule in pack.rules.values())
    asked = frozenset(test.each for rule in pack.rules.values() for test in rule.tests if test.that is None)
    return Reach(_of_records(far), _of_records(moving), shared, back, teams, asked - CALENDAR, admitting)


def _admits(rule: Rule) -> set[str]:
    kinds = [kind for call in _calls([rule.admits or "True"]) if not _near(call) and (kind := _kind(call))]
    return set(kinds)


def _of_records(kinds: set[str]) -> frozenset[str]:
    """The kinds of record that these subjects are made of."""
    return frozenset(RECORDS_OF.get(one, one) for one in kinds)


def _texts(rule: Rule) -> Iterator[str]:
    """Every expression that a month's result may rest on; what only answers an attempt does not."""
    yield from rule.let.values()
    yield from (one for one in (rule.value, rule.raw, rule.year, rule.money, rule.pay) if one)
    yield from (one.when for one in rule.recommend if one.when)
    if rule.item is not None and rule.item.zero_if is not None:
        yield rule.item.zero_if
    for test in rule.tests:
        yield from test.let.values()
        texts = (
            test.where, test.na, test.breach, test.met, test.keep, test.tell, test.alarm, test.at, test.points,
            test.times, test.event, test.value, test.approver,
        )  # fmt: skip
        yield from (one for one in texts if one)
        if test.due is not None:
            yield from (one for one in (test.due.at, test.due.done) if one)


def _calls(texts: Iterable[str]) -> Iterator[ast.Call]:
    for text in texts:
        tree = ast.parse(" ".join(text.split()), mode="eval")
        yield from (one for one in ast.walk(tree) if isinstance(one, ast.Call))


def _kind(call: ast.Call) -> str | None:
    """The kind of record that an aggregate runs over."""
    if not call.args:
        return None
    first = call.args[0]
    name = first.value if isinstance(first, ast.Constant) else first.id if isinstance(first, ast.Name) else None
    return name if isinstance(name, str) and name in KINDS else None


def _near(call: ast.Call) -> bool:
    within = next((one.value for one in call.keywords if one.arg == "within"), None)
    return within is None or (isinstance(within, ast.Constant) and within.value in NEAR)
