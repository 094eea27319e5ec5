"""A year of 200 people in five systems, closed month by month, against the same year counted by plain loops."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from scoring import overlay as overlays
from scoring.load import load_pack, shipped
from scoring.period.card import Card, to_json
from scoring.period.close import Closing, close, names
from scoring.period.world import Site, Who, World
from scoring.records.admit import parse
from scoring.records.book import Book
from scoring.records.period import Period
from scoring.records.record import Record
from tests.acceptance import year_by_hand as hand
from tests.acceptance.year import SYSTEMS, YEAR, Year, invent

EACH = int(os.environ.get("SEATWATCH_TEST_YEAR_EACH", "40"))  # people in every system
ZERO = Decimal(0)
LOST = {  # what the text of the broadband seats lost and a site has to decide
    "BES-O3.cap": "105", "BES-01.points": "0.5", "BES-22.weight": "5", "BES-24.weight": "10", "BES-27.cap": "10",
    **{f"BES-{rule}.points": "-0.5" for rule in ("07", "08", "13b", "19", "27")},
    "BES-I1.target": "95", **{f"BES-I{n}.target": "100" for n in (2, 3, 4)}, "BES-I5.target": "95",
}  # fmt: skip
KINDS = {"a80": {"dismissal"}, "pm": {"separation"}, "ec4": {"month_pay_withheld", "separation"}}


def _period(month: int) -> Period:
    return Period(f"{YEAR}-{month:02}")


def _admitted(made: Year, month: int) -> list[Record]:
    found = [parse(raw, ZoneInfo("Asia/Shanghai")) for raw in made.known[month]]
    refused = [one for one in found if not isinstance(one, Record)]
    assert not refused, refused[:3]
    return [one for one in found if isinstance(one, Record)]


def _world(made: Year) -> World:
    registers = dict.fromkeys(("leave", "attendance", "case"), date(2020, 1, 1))
    return World(
        packs={name: load_pack(shipped(name)) for name in SYSTEMS}, pack="bes", book=Book.of(_admitted(made, 0)),
        now=datetime.fromisoformat(f"{YEAR}-01-01T00:00"), site=Site(money="record_only", registers=registers),
        overlay=overlays.from_mapping(LOST),
    )  # fmt: skip


class ByHand:
    """The plain loops over the records that were known at one closing or another."""

    def __init__(self, made: Year) -> None:
        self.made = made
        self.people = [name for system in SYSTEMS for name in made.names[system]]
        self.result = cache(self._result)
        self.month = cache(self._month)
        self.held = cache(self._held)

    def _held(self, known: int) -> list[dict[str, object]]:
        return hand.holds(raw for month in range(known + 1) for raw in self.made.known[month])

    def _month(self, month: int, known: int) -> hand.Month:
        return hand.Month(self.held(known), month)

    def _result(self, name: str, month: int, known: int) -> hand.Result:
        at = self.month(month, known)

        def before(one: str) -> tuple[bool, bool]:
            if month == 1:
                return False, False
            return hand.a80_last(self.month(month - 1, month - 1), one, self.made.names["a80"])

        steps = [day for one in range(1, month) for day in self.result(name, one, one).steps]
        return hand.count(
            at.person(name)["pack"], at, name, everybody=self.made.names["a80"], before=before, climbed=steps
        )

    def adjusted(self, name: str, month: int) -> tuple[Decimal, Decimal]:
        """What became known since the closing before, of all months before."""
        points, pay = ZERO, ZERO
        for one in range(1, month):
            new, old = self.result(name, one, month).sums(), self.result(name, one, month - 1).sums()
            points, pay = points + new[0] - old[0], pay + new[1] - old[1]
        return points, pay


def _differences(card: Card, wanted: hand.Result, adjusted: tuple[Decimal, Decimal]) -> list[str]:
    kinds = KINDS.get(card.pack, set())
    pairs: list[tuple[str, object, object]] = [
        ("pay", card.pay, wanted.pay),
        ("kinds", {one.kind for one in card.recommendations} & kinds, wanted.kinds),
        ("adjusted points", card.adjusted.points, adjusted[0]),
        ("adjusted pay", card.adjusted.pay, adjusted[1]),
        *((rule, card.lines.get(rule, ZERO), cost) for rule, cost in wanted.lines.items()),
        *((f"money {rule}", card.money.get(rule) or ZERO, cost) for rule, cost in wanted.money.items()),
    ]
    if card.pack != "ec4":  # it has no score
        pairs.append(("score", card.score, wanted.score))
    return [f"{card.who.name} {card.period} {what}: engine {a}, by hand {b}" for what, a, b in pairs if a != b]


@pytest.mark.slow
def test_a_year_closed_month_by_month_agrees_with_plain_loops(
    record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    made = invent(EACH)
    by_hand = ByHand(made)
    world = _world(made)
    wrong: list[str] = []
    taken, frozen = [], {}
    adjusted = 0
    for month in range(1, 13):
        book, refused = world.book.take(_admitted(made, month))
        assert not refused, refused[:3]
        now = datetime.combine(_period(month).last + timedelta(days=1), datetime.min.time())
        world = close(replace(world, book=book, now=now), _period(month))
        begun = time.process_time()
        closing = Closing(world)
        cards = {who: closing.card(who, _period(month)) for who in names(world, _period(month))}
        kept = replace(world.closed[_period(month)], stood=closing.standing(cards.values()))
        taken.append(time.process_time() - begun)
        world = replace(world, closed={**world.closed, _period(month): kept})
        for name in by_hand.people:
            card = cards[Who("person", name)]
            change = by_hand.adjusted(name, month)
            adjusted += change != (0, 0)
            wrong += _differences(card, by_hand.result(name, month, month), change)
        frozen[month] = {name: to_json(cards[Who("person", name)]) for name in by_hand.people[:: max(1, EACH // 4)]}
    says = f"a year of {len(by_hand.people)} people, {len(world.book.all())} records: closing took "
    says += f"{', '.join(f'{one:.1f}' for one in taken)} s of a core; {adjusted} adjustments"
    record_property("summary", says)

    assert not wrong, "\n".join([f"{len(wrong)} differences", *wrong[:60]])
    assert adjusted > EACH // 4
    last = Closing(replace(world, closed={one: replace(each, stood={}) for one, each in world.closed.items()}))
    for month, cards_then in frozen.items():
        for name, found in cards_then.items():
            assert to_json(last.card(Who("person", name), _period(month))) == found, (name, month)
