"""One event, one effect: the heavier clause keeps the event, whatever the order in which the two were found."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from scoring.engine import score
from scoring.exclusive import Exclusive, settle_overlaps
from scoring.load import load_pack, shipped
from scoring.overlay import from_mapping
from scoring.scorecard import Line, Outcome, Superseded
from tests.scoring.build import call

PACK = load_pack(shipped("bes"))


def _pair(first: str, second: str) -> list[Line]:
    card = score(PACK, from_mapping({"trust": "all"}), call({"hits": [], "ring_count": 4}), date(2026, 11, 21))
    lines = {line.rule: line for line in card.lines}
    return [
        lines["BES-13a"]._replace(points=Decimal(first)),
        lines["BES-16"]._replace(points=Decimal(second)),
    ]


BOTH = Exclusive(frozenset({"BES-13a", "BES-16"}), "event")


def test_of_two_clauses_that_exclude_one_another_the_heavier_stays() -> None:
    light, heavy = settle_overlaps(_pair("-1", "-2"), [BOTH])

    assert (light.outcome, light.points, light.counts) == (Outcome.NA, Decimal(0), False)
    assert light.evidence[-1] == Superseded("BES-16", "event")
    assert (heavy.outcome, heavy.points, heavy.counts) == (Outcome.BREACH, Decimal(-2), True)


def test_of_two_equal_clauses_the_first_in_the_regulation_stays() -> None:
    first, second = settle_overlaps(_pair("-1", "-1"), [BOTH])

    assert [first.outcome, second.outcome] == [Outcome.BREACH, Outcome.NA]


def test_clauses_of_no_group_both_stay() -> None:
    lines = _pair("-1", "-2")

    assert settle_overlaps(lines, [Exclusive(frozenset({"BES-14", "BES-15"}), "utterance")]) == lines
