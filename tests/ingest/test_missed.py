"""Rings that nobody took: which offers are missed calls of a seat, under which names, and with whose ring time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.callvalue import Call
from ingest.events import Event
from ingest.missed import FIRST, MOST_MISSED, missed, missed_call
from ingest.parts import MOST_PARTS, part_ids
from ingest.session import fold_call
from tests.ingest.values import CALL_KINDS, event, events_of, moment


def rung(seat: str, at: float, until: float | None = None, what: str = "redirected") -> list[Event]:
    told = [
        event("offered", at, id=f"o-{seat}-{at}", seat=seat, direction="in"),
        event("ringing", at, id=f"r-{seat}-{at}", seat=seat),
    ]
    return told if until is None else [*told, event(what, until, id=f"u-{seat}-{until}", seat=seat)]


def seats(call: Call, over: bool = False) -> list[tuple[str, str | None]]:
    return [(one.id, one.offer.seat) for one in missed(call, over)]


def test_a_seat_that_let_it_ring_has_a_part_with_its_own_ring_once_another_one_took_it() -> None:
    call = fold_call([*rung("s1", 0, 20), *rung("s2", 21, 24, "answered"), event("ended", 60, by="customer")])
    (one,) = missed(call)
    part = missed_call(call, one)

    assert (one.id, part.id, part.seat, part.end, part.direction) == ("c1~101", "c1~101", "s1", "redirected", "in")
    assert (part.ringing_at, part.answered_at, part.ended_at, part.alert_ended_at) == (
        moment(0), None, moment(20), moment(20),
    )  # fmt: skip
    assert (part.parts, part.legs, part.holds, part.rings) == ((), {}, (), None)
    assert (call.seat, part_ids(call)) == ("s2", ("c1",))


def test_the_offer_that_concludes_the_call_is_the_call_itself() -> None:
    assert seats(fold_call([*rung("s1", 0, 20), event("ended", 21, by="customer")])) == []
    assert seats(fold_call([*rung("s1", 0), event("ended", 21, by="system")])) == []
    abandoned = [*rung("s1", 0, 15), *rung("s2", 20), event("ended", 30, by="customer")]
    assert seats(fold_call(abandoned)) == [("c1~101", "s1")]


def test_each_offer_rang_by_itself() -> None:
    told = [*rung("s1", 0, 12), *rung("s1", 17, 29), *rung("s1", 34, 36, "answered"), event("ended", 50)]
    call = fold_call(told)

    assert [(one.id, one.offer.ringing_at, one.until) for one in missed(call)] == [
        ("c1~101", moment(0), moment(12)), ("c1~102", moment(17), moment(29)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        [*rung("s1", 0), *rung("s2", 0.1, 9, "answered"), event("redirected", 9.1, seat="s1")],
        [event("offered", 0, seat="s1"), event("redirected", 15, seat="s1"), *rung("s2", 16, 18, "answered")],
        [*rung("s1", 0), *rung("s2", 1), event("ended", 30, id="gone", by="customer")],
        [event("offered", 0, queue="q", direction="in"), *rung("s2", 16, 18, "answered")],
        [*rung("s1", 0, 15), *rung("s2", 16), event("offered", 17, seat="s2", probe=True)],
    ],
    ids=["another seat was faster", "its phone is dead", "the caller gave up", "only the queue", "a test of the line"],
)
def test_what_is_no_missed_ring(told: list[Event]) -> None:
    assert seats(fold_call([*told, event("ended", 60, by="customer")]), over=True) == []


def test_all_that_rang_until_the_switchboard_ended_it_missed_it() -> None:
    call = fold_call([*rung("s1", 0), *rung("s2", 1), event("ended", 40, by="system")])
    (one,) = missed(call)
    part = missed_call(call, one)

    assert (part.seat, part.end, part.ended_at, part.clock_doubted) == ("s1", "no_answer", moment(40), False)
    other = fold_call([*rung("s1", 0), *rung("s2", 1, 30), event("ended", 40, source="crm", by="system")])
    assert [missed_call(other, one).clock_doubted for one in missed(other)] == [True]


def test_a_call_that_goes_on_has_missed_rings_as_soon_as_no_race_can_be_won_any_more() -> None:
    told = [*rung("s1", 0), *rung("s2", 0.5), event("redirected", 15, seat="s1")]

    assert seats(fold_call(told)) == []
    assert seats(fold_call(told), over=True) == seats(fold_call([*told, *rung("s3", 20)])) == [("c1~101", "s1")]


def test_a_transfer_that_is_not_taken_is_missed_by_whom_it_was_sent_to() -> None:
    told = [*rung("s1", 0, 4, "answered"), event("transferred", 20, seat="s1", how="blind"), *rung("s2", 20, 45)]
    back = [*told, event("resumed", 45.5, seat="s1"), event("ended", 60, by="customer")]
    taken = [*told, *rung("s3", 46, 50, "answered"), event("ended", 60, by="customer")]
    for one in (fold_call(back), fold_call(taken)):
        assert [(part.seat, part.direction) for part in (missed_call(one, it) for it in missed(one))] == [("s2", "in")]


def test_a_colleague_who_does_not_pick_up_missed_no_customer() -> None:
    told = [*rung("s1", 0, 4, "answered"), event("held", 10, seat="s1"), *rung("s2", 11, 40)]
    call = fold_call([*told, event("resumed", 41, seat="s1"), event("ended", 60, by="customer")])

    assert [missed_call(call, one).direction for one in missed(call)] == ["internal"]


def test_a_seat_that_another_source_saw_answer_missed_nothing() -> None:
    pbx = [*rung("s1", 0, 10, "answered"), *rung("s2", 20, 30), event("ended", 60, by="customer")]
    crm = [
        event("answered", 10, id="1", source="crm", seat="s1"), event("transferred", 20, source="crm", seat="s1"),
        event("answered", 25, id="2", source="crm", seat="s2"),
    ]  # fmt: skip

    assert (seats(fold_call(pbx)), seats(fold_call([*pbx, *crm]))) == ([("c1~101", "s2")], [])


def test_a_wait_without_end_makes_no_more_rows_than_are_kept() -> None:
    told = [one for n in range(MOST_MISSED + 20) for one in rung(f"s{n}", 10 * n, 10 * n + 9)]

    found = missed(fold_call(told))
    assert (len(found), found[-1].id) == (MOST_MISSED, f"c1~{FIRST + MOST_MISSED - 1}")


FLOOR = events_of(CALL_KINDS, sources=("pbx", "crm"), most=16)


@st.composite
def rings(draw: st.DrawFn) -> list[Event]:
    """One switchboard's rings and answers at three seats, each with its seat, in tenths of a second."""
    out = []
    for number in range(draw(st.integers(4, 24))):
        kind = draw(st.sampled_from(["offered", "ringing", "ringing", "redirected", "redirected", "answered"]))
        out.append(event(kind, draw(st.integers(0, 300)) / 10, id=f"e{number}", seat=draw(st.sampled_from("abc"))))
    if draw(st.booleans()):
        out.append(event("ended", 31, by=draw(st.sampled_from(["customer", "system"]))))
    return out


@given(st.one_of(FLOOR, rings()), st.randoms())
def test_the_order_of_arrival_means_nothing_to_missed_rings(events: list[Event], shuffle: random.Random) -> None:
    shuffled = events[:]
    shuffle.shuffle(shuffled)

    assert missed(fold_call(shuffled)) == missed(fold_call(events))


@given(st.one_of(FLOOR, rings()), st.booleans())
def test_missed_are_those_that_rang_were_not_taken_and_are_not_the_call(events: list[Event], over: bool) -> None:
    call = fold_call(events)
    found = missed(call, over)

    assert [one.id for one in found] == [f"c1~{FIRST + n}" for n in range(len(found))]
    assert FIRST > MOST_PARTS and not {one.id for one in found} & set(part_ids(call))
    for one in found:
        assert (call.concluded(one.offer), one.offer.answered_at) == ("no_answer", None)
        assert one.offer is not call.concluding and one.offer.ringing_at is not None
        part = missed_call(call, one)
        assert (part.end, part.answered_at, part.ended_at) in (
            ("redirected", None, one.offer.redirected_at), ("no_answer", None, call.ended_at),
        )  # fmt: skip
    if {one.source for one in events} == {"pbx"} and (over or call.ended_at) and not call.probe:
        assert len(found) == sum(
            call.concluded(offer) == "no_answer" and offer.ringing_at is not None and offer is not call.concluding
            for offer in call.offers
            if offer.seat or offer.agent
        )


@given(rings(), st.integers(0, 310))
def test_what_comes_in_the_order_of_its_clock_only_adds_to_them(events: list[Event], until: int) -> None:
    """A name that was given stays, while the call goes on."""
    told = [one for one in events if one.at <= moment(until / 10)]
    before = seats(fold_call(told)) if told else []
    after = fold_call(events)

    assert seats(after)[: len(before)] == before


@given(rings(), rings())
def test_late_news_of_rings_never_moves_the_name_of_an_answer(events: list[Event], late: list[Event]) -> None:
    before = fold_call(events)
    only = [one for one in late if one.type in ("offered", "ringing")]
    names = {part.answered_at: id for id, part in zip(part_ids(before), before.parts, strict=True)}
    after = fold_call([*events, *(event(one.type, 40, id=f"late-{one.id}", seat="z") for one in only)])

    assert {part.answered_at: id for id, part in zip(part_ids(after), after.parts, strict=True)} == names
