"""What holds for any month of the shipped packs, over generated books."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.period.card import Card
from scoring.period.close import Closing, close
from scoring.period.world import Who, World
from scoring.records.period import Period
from scoring.records.record import Record
from tests.scoring.elsewhere import told_elsewhere
from tests.scoring.period.build import record
from tests.scoring.period.months import (
    APRIL,
    MANUAL,
    MARCH,
    MAY,
    PACKS,
    PEOPLE,
    build,
    cards,
    loaded,
    written,
)  # fmt: skip

FIRST = date(2026, 3, 1)
FEW = settings(max_examples=10, deadline=None)


# books ----------------------------------------------------------------------------------------------------------------

WHO = st.sampled_from(PEOPLE)
DAYS = st.integers(0, 30).map(lambda n: (FIRST + timedelta(days=n)).isoformat())


@st.composite
def observations(draw: st.DrawFn, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": "observation", "agent": draw(WHO), "day": draw(DAYS), "reason": "seen",
        "rule": draw(st.lists(st.sampled_from(MANUAL[name]), min_size=1, max_size=2, unique=True)),
    }  # fmt: skip
    if draw(st.booleans()):
        found["n"] = draw(st.integers(1, 5))
    if draw(st.integers(0, 3)) == 0:
        found["event"] = draw(st.sampled_from(["desk", "door"]))
    return found


@st.composite
def attendances(draw: st.DrawFn) -> dict[str, Any]:
    found = {"kind": "attendance", "agent": draw(WHO), "day": draw(DAYS)}
    if draw(st.integers(0, 3)) == 0:
        return {**found, "absent": draw(st.sampled_from(["half", "full"]))}
    late = draw(st.sampled_from(["0:00:00", "0:00:01", "0:05:00", "0:05:01", "0:10:00", "0:10:01", "0:31:00"]))
    return {**found, "late": late, "early": "0:00:00", "absent": "none"}


@st.composite
def others(draw: st.DrawFn) -> dict[str, Any]:
    who, day = draw(WHO), draw(DAYS)
    score = str(draw(st.integers(0, 100)))
    rows: list[dict[str, Any]] = [
        {"kind": "leave", "agent": who, "day": day, "leave": "sick", "approved_at": f"{day}T08:00"},
        {"kind": "exam", "agent": who, "day": day, "exam": "service", "score": score, "max": "100"},
        {"kind": "exam", "agent": who, "day": day, "exam": "business", "score": score, "sitting": "s"},
        {"kind": "report", "agent": who, "at": f"{day}T18:30", "report": "shift_handover"},
        {"kind": "report", "agent": who, "period": "2026-W10", "report": "weekly_summary", "chars": 150,
         "submitted_at": "2026-03-07T17:00:01"},
        {"kind": "work_order", "agent": who, "at": f"{day}T09:00", "order_class": "incident",
         "due_at": f"{day}T10:00", "closed_at": f"{day}T10:{draw(st.integers(0, 59)):02}"},
        {"kind": "shift", "agent": who, "day": day, "covers": "Wu", "voluntary": True, "shortage": True,
         "source": "person", "entered_by": "Zhao"},
        {"kind": "figure", "agent": who, "day": day, "name": "answered_in_three_rings",
         "value": str(draw(st.integers(30, 40))), "of": "40"},
    ]  # fmt: skip
    return draw(st.sampled_from(rows))


def books(name: str, most: int = 12) -> st.SearchStrategy[list[Record]]:
    rows = st.lists(st.one_of(observations(name), attendances(), others()), max_size=most)
    return rows.map(lambda found: [record(id=f"r{at}", **one) for at, one in enumerate(found)])


# properties -----------------------------------------------------------------------------------------------------------


def _breach(name: str, number: int = 0) -> Record:
    rule = MANUAL[name][number % len(MANUAL[name])]
    return record("observation", "more", agent="An", day="2026-03-15", rule=[rule], reason="seen")


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_one_breach_more_never_raises_a_score_and_never_lowers_a_fine(name: str, data: st.DataObject) -> None:
    told = data.draw(books(name))
    before = cards(build(name, told))["An"]
    after = cards(build(name, [*told, _breach(name, data.draw(st.integers(0, 5)))]))["An"]

    if isinstance(before.score, Decimal):
        assert after.score <= before.score
    assert sum(after.lines.values()) <= sum(before.lines.values())
    assert before.fine is not None
    assert after.fine is not None
    assert after.fine >= before.fine


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_the_order_of_records_changes_no_byte(name: str, data: st.DataObject) -> None:
    told = data.draw(books(name))
    other = data.draw(st.permutations(told))

    assert written(cards(build(name, told))) == written(cards(build(name, other)))


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_the_score_stays_between_floor_and_cap(name: str, data: st.DataObject) -> None:
    least, most = {"bes": (0, 105), "a80": (None, 110), "pm": (None, None), "sal": (0, 100)}.get(name, (None, None))
    for card in cards(build(name, data.draw(books(name, 25)))).values():
        assert card.score is None or least is None or card.score >= least
        assert card.score is None or most is None or card.score <= most
        if name == "a80" and card.pay is not None:
            assert -300 <= card.pay <= 300


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_the_same_records_again_change_no_byte(name: str, data: st.DataObject) -> None:
    told = data.draw(books(name))

    assert written(cards(build(name, [*told, *told]))) == written(cards(build(name, told)))


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_a_rule_takes_effect_once_for_one_subject_of_one_test(name: str, data: st.DataObject) -> None:
    for card in cards(build(name, data.draw(books(name)))).values():
        for rule in loaded(name).rules:
            found = [one for one in card.findings if one.rule == rule and one.counts]
            tests = max(1, len(loaded(name).rules[rule].tests))
            for subject in {(one.kind, one.subject) for one in found}:
                assert sum((one.kind, one.subject) == subject for one in found) <= tests
            words = [one.event for one in found if one.words]
            assert len(words) == len(set(words))


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_one_event_has_one_effect_in_a_group(name: str, data: st.DataObject) -> None:
    for card in cards(build(name, data.draw(books(name, 25)))).values():
        counted = [one for one in card.findings if one.counts]
        for group in loaded(name).head.groups:
            mine = [one for one in counted if one.rule in group.rules]
            for key in {one.day if group.per == "shift" else one.event for one in mine}:
                rules = {one.rule for one in mine if (one.day if group.per == "shift" else one.event) == key}
                assert len(rules) == 1, (group.per, key, rules)
        words = [one.event for one in counted if one.words]
        assert len(words) == len(set(words))


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_what_is_withdrawn_gives_back_every_byte(name: str, data: st.DataObject) -> None:
    told = data.draw(books(name))
    at = build(name, told)
    more = _breach(name)
    void = record("observation", "void", agent="An", day="2026-03-15", supersedes=more.id, void=True, reason="wrong")
    book, refused = at.book.take([more, void])

    assert not refused
    assert written(cards(at.with_book(book))) == written(cards(at))


def _sum_of(card: Card) -> tuple[Any, Decimal]:
    score = card.score if isinstance(card.score, Decimal) else Decimal(0)
    return score if loaded(card.pack).head.score else sum(card.lines.values(), Decimal(0)), (
        card.pay or Decimal(0)
    ) + sum((one or Decimal(0) for one in card.money.values()), Decimal(0))


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_a_closed_month_and_what_was_adjusted_are_the_month_computed_anew(name: str, data: st.DataObject) -> None:
    told = data.draw(books(name))
    cut, second = sorted((data.draw(st.integers(0, len(told))), data.draw(st.integers(0, len(told)))))
    first = close(build(name, told[:cut]), MARCH)
    frozen = written(cards(first))
    april = replace(first, book=build(name, told[:second]).book, now=first.now.replace(month=5))
    closed = close(april, APRIL)
    last = close(replace(closed, book=build(name, told).book, now=first.now.replace(month=6)), MAY)

    standing, anew = Closing(last), cards(replace(last, closed={}, now=first.now))
    assert written(cards(standing)) == frozen
    march, after = cards(standing), [cards(standing, month) for month in (APRIL, MAY)]
    for who in PEOPLE:
        then, now = _sum_of(march[who]), _sum_of(anew[who])
        news = [month[who].adjusted for month in after]
        assert then[0] + sum(one.points for one in news) == now[0]
        assert then[1] + sum(one.pay for one in news) == now[1]


def knowing(world: World, month: Period) -> World:
    """The world whose closing of that month kept what the months before came to."""
    closing = Closing(world)
    kept = closing.standing([closing.card(Who("person", one), month) for one in PEOPLE])
    return replace(world, closed={**world.closed, month: replace(world.closed[month], stood=kept)})


@pytest.mark.parametrize("name", PACKS)
@FEW
@given(data=st.data())
def test_what_a_closing_keeps_is_what_would_be_computed_again(name: str, data: st.DataObject) -> None:
    told = data.draw(books(name))
    cut, second = sorted((data.draw(st.integers(0, len(told))), data.draw(st.integers(0, len(told)))))
    first = knowing(close(build(name, told[:cut]), MARCH), MARCH)
    april = close(replace(first, book=build(name, told[:second]).book, now=first.now.replace(month=5)), APRIL)
    april = knowing(april, APRIL)
    last = close(replace(april, book=build(name, told).book, now=first.now.replace(month=6)), MAY)

    forgetful = {month: replace(one, stood={}) for month, one in last.closed.items()}
    mindful, anew = Closing(last), Closing(replace(last, closed=forgetful))
    for month in (APRIL, MAY):
        kept, computed = cards(mindful, month), cards(anew, month)
        assert {who: kept[who].adjusted for who in PEOPLE} == {who: computed[who].adjusted for who in PEOPLE}


@FEW
@given(st.integers(0, 8), st.integers(0, 4), st.integers(1, 28))
def test_a_ladder_pays_the_nth_step_whenever_it_comes(number: int, taken: int, day: int) -> None:
    steps = [Decimal(30), Decimal(50), Decimal(80), Decimal(0), Decimal(0)]
    reports = [
        record(
            "report", f"r{at}", agent="An", at=f"2026-03-{(day + at * 3) % 28 + 1:02}T18:30", report="shift_handover"
        )
        for at in range(number)
    ]
    left = max(0, number - taken)
    for one in reports[left:]:
        reports.append(
            record("report", f"v{one.id}", agent="An", report="shift_handover", at=one.fields["at"], void=True,
                   supersedes=one.id, reason="it was handed in")
        )  # fmt: skip
    card = cards(build("ec4", reports))["An"]

    assert card.fine == sum((steps[min(at, 4)] for at in range(left)), Decimal(0))
    assert card.count["EC4-01b"] == left
    kinds = {one.kind for one in card.recommendations if "EC4-01b" in one.rules}
    assert kinds == {kind for at, kind in ((4, "month_pay_withheld"), (5, "separation")) if left >= at}


SCRIPT = """
from hashlib import sha256
from tests.scoring.period.build import record
from tests.scoring.period.months import PACKS, MARCH, build, cards, written, MANUAL
from scoring.period.close import close
for name in PACKS:
    told = [record("observation", f"o{n}{who}", agent=who, day=f"2026-03-{n + 2:02}", rule=[rule], reason="x", n=n + 1)
            for who in ("An", "Bo") for n, rule in enumerate(MANUAL[name])]
    told += [record("attendance", f"a{n}", agent="Cai", day=f"2026-03-{n + 2:02}", late=f"0:0{n}:01") for n in range(9)]
    told += [record("case", "c1", agent="An", at="2026-03-03T09:00", case="c1", case_type="complaint", stage="accepted",
                    cause="service_quality", valid=True)]
    at = close(build(name, told), MARCH)
    print(sha256(written(cards(at))).hexdigest())
"""


def test_hash_seed_locale_and_time_zone_change_no_byte() -> None:
    (told,) = told_elsewhere(SCRIPT)

    assert len(set(told.split())) == len(PACKS)
