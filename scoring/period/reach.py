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
    """``far``: kinds read in windows wider than the month, by the subject of the test that reads them ("" = always);
    ``moving``: kinds that a clause gives another day than their own; ``people``: a person's month may rest on other
    people's; ``common``: kinds of which it reads everybody's records; ``back``: it may rest on earlier months.
    """

    far: Mapping[str, frozenset[str]]
    moving: frozenset[str]
    people: bool
    common: frozenset[str]
    back: bool
    teams: bool  # a clause is about teams or the whole site
    asked: frozenset[str]  # kinds that clauses are about one by one
    admitting: Mapping[str, frozenset[str]]  # clause -> kinds it looks far for when an observation names it


def reach(pack: Pack) -> Reach:
    far: dict[str, set[str]] = {}
    moving, common = {"case"}, set()
    people = back = False
    for rule in pack.rules.values():
        for test in rule.tests:
            if test.at is not None or test.due is not None:
                moving.add(test.each)
            if test.each == "candidate":  # ranked among all who sat that exam
                common.add("exam")
        back |= rule.ladder is not None and rule.ladder.window != "month"
        for each, call in _calls(rule):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            people |= name in PEOPLE and "person" in rule.of
            back |= name in BACK
            kind, shared = _kind(call), any(one.arg == "whose" for one in call.keywords)
            if kind is not None and (shared or kind == "candidate"):
                common.add(kind)
            if shared:
                common.add("person")  # who belongs to the team
            if name.startswith("figure") and shared:
                common.add("figure")
            elif shared and kind is None:
                people = True
            if kind is not None and not _near(call):
                far.setdefault(each, set()).add(kind)
    asked = {test.each for rule in pack.rules.values() for test in rule.tests if test.that is None}
    return Reach(
        far={each: _of_records(kinds) for each, kinds in far.items()},
        moving=_of_records(moving),
        people=people,
        common=_of_records(common),
        back=back,
        teams=any(set(rule.of) - {"person"} for rule in pack.rules.values()),
        asked=frozenset(asked) - CALENDAR,
        admitting={name: _admits(rule) for name, rule in pack.rules.items() if rule.admits is not None},
    )


def _admits(rule: Rule) -> frozenset[str]:
    found = ((kind, call) for call in _parsed([rule.admits or "True"]) if (kind := _kind(call)))
    return _of_records({kind for kind, call in found if not _near(call)})


def _of_records(kinds: set[str]) -> frozenset[str]:
    """The kinds of record that these subjects are made of."""
    return frozenset(RECORDS_OF.get(one, one) for one in kinds)


def _calls(rule: Rule) -> Iterator[tuple[str, ast.Call]]:
    """Every call that a month's result may rest on, with the subject of its test; what answers an attempt does not."""
    texts = [*rule.let.values(), rule.value, rule.raw, rule.year, rule.money, rule.pay]
    texts += [one.when for one in rule.recommend]
    texts += [None if rule.item is None else rule.item.zero_if]
    yield from (("", one) for one in _parsed(texts))
    for test in rule.tests:
        own = [
            *test.let.values(), test.where, test.na, test.breach, test.met, test.keep, test.tell, test.alarm, test.at,
            test.points, test.times, test.event, test.value, test.approver,
        ]  # fmt: skip
        own += [] if test.due is None else [test.due.at, test.due.done]
        yield from (("" if test.each in CALENDAR else test.each, one) for one in _parsed(own))
    if rule.admits is not None:  # whose records it reads matters, how far is asked for by name
        yield from (("", one) for one in _parsed([rule.admits]) if _near(one) or _kind(one) is None)
        yield from (
            ("observation", one) for one in _parsed([rule.admits]) if any(o.arg == "whose" for o in one.keywords)
        )


def _parsed(texts: Iterable[str | None]) -> Iterator[ast.Call]:
    for text in texts:
        if text is not None:
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
