"""One number held against a setting: the short way says what the long one says, whatever the facts are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from qa.bench.forty import forty_pack
from scoring import callexpr
from scoring.callexpr import CallSubject, expression_test
from scoring.facts import Facts
from scoring.overlay import Overlay
from scoring.pack import Check
from scoring.values import Settings, settle
from tests.scoring.strategies import CALL_FACTS

PACK = forty_pack()
FORMS = (
    "{fact} > limit", "{fact} >= limit", "{fact} < limit", "{fact} <= limit", "{fact} == limit", "{fact} != limit",
)  # fmt: skip


def every_form(short: bool) -> list[Any]:
    """Every rule in every form and with every verdict, made the short way or the long one."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        if not short:
            patch.setattr(callexpr, "_plain", lambda *_: None)
        for at, (rule_id, rule) in enumerate(PACK.rules.items()):
            numbers = settle(rule_id, rule, Overlay(), None)
            assert numbers is not None
            fact = str(rule.tests[0].breach).partition(" ")[0]
            for verdict in ("breach", "met", "keep", "tell"):
                where = {"where": ("conversation", "known_customer", "business")[at % 3]} if at % 4 else {}
                check = Check(each="call", **{verdict: FORMS[at % len(FORMS)].format(fact=fact)}, **where)
                found.append(expression_test(check, Settings(numbers, {}, {})))
    return found


SHORT, LONG = every_form(True), every_form(False)


@given(CALL_FACTS)
def test_the_short_way_says_what_the_long_one_says(facts: Facts) -> None:
    for short, long in zip(SHORT, LONG, strict=True):
        assert short(CallSubject(facts, facts.call)) == long(CallSubject(facts, facts.call))


def test_the_short_way_is_really_taken() -> None:
    assert all(one.__qualname__.startswith("_plain") for one in SHORT)
    assert all(one.__qualname__.startswith("once") for one in LONG)


@pytest.mark.parametrize(
    "text", ["ring_count > talk_ms", "ring_count + 1 > limit", "limit > ring_count", "1 < ring_count"]
)
def test_everything_else_goes_the_long_way(text: str) -> None:
    rule = PACK.rules["FORTY-01"]
    numbers = settle("FORTY-01", rule, Overlay(), None)
    assert numbers is not None
    test = expression_test(Check(each="call", breach=text), Settings(numbers, {}, {}))
    assert test.__qualname__.startswith("once")
