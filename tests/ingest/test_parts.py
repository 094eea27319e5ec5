"""Several seats in one call: each has its own offer, ring, answer, holds and end, and only its own talk."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.callvalue import Call, Part
from ingest.events import Event
from ingest.parts import MOST_PARTS, part_call, part_ids
from ingest.session import State, fold_call
from ingest.whose import asked, assigned
from tests.ingest.values import CALL_KINDS, event, events_of, moment


def first(held: float | None = None) -> list[Event]:
    """s1 rings for 7 s and answers; perhaps it holds the customer."""
    told = [
        event("offered", 0, seat="s1", agent="A01", direction="in"),
        event("ringing", 1, seat="s1"),
        event("answered", 8, seat="s1"),
    ]
    return told if held is None else [*told, event("held", held, seat="s1")]


def second(at: float, answered: float | None) -> list[Event]:
    told = [
        event("offered", at, id=f"o2-{at}", seat="s2", agent="A02"),
        event("ringing", at + 1, id=f"r2-{at}", seat="s2"),
    ]
    return told if answered is None else [*told, event("answered", answered, id=f"a2-{answered}", seat="s2")]


def spans(call: Call) -> list[tuple[str | None, datetime | None, datetime | None]]:
    """Who had the customer from when until when."""
    return [(part.seat, part.met_at, part.left_at) for part in call.parts]


def test_a_blind_transfer_has_two_parts_each_with_its_own_ring() -> None:
    told = [*first(), event("transferred", 60, seat="s1", to="s2", how="blind"), *second(60, 76)]
    call = fold_call([*told, event("ended", 100, by="customer")])

    assert spans(call) == [("s1", moment(8), moment(60)), ("s2", moment(76), moment(100))]
    one, two = (part_call(call, number) for number in (1, 2))
    assert (one.id, one.agent, one.ringing_at, one.answered_at, one.ended_at) == (
        "c1", "A01", moment(1), moment(8), moment(60),
    )  # fmt: skip
    assert (two.id, two.agent, two.ringing_at, two.answered_at, two.ended_at) == (
        "c1~2", "A02", moment(61), moment(76), moment(100),
    )  # fmt: skip
    assert (one.hung_up_by, two.hung_up_by) == ("unknown", "customer")
    assert [(gone.to, gone.how) for gone in one.transfers] == [("s2", "blind")]
    assert two.transfers == ()
    assert not call.out_of_turn


def test_an_attended_transfer_gives_the_customer_over_when_it_is_done() -> None:
    told = [*first(held=20), *second(22, 30), event("transferred", 40, seat="s1", to="s2", how="attended")]
    call = fold_call([*told, event("ended", 90, by="agent")])

    assert spans(call) == [("s1", moment(8), moment(40)), ("s2", moment(40), moment(90))]
    assert [(aside.at, aside.until) for aside in call.parts[0].asides] == [(moment(30), moment(40))]
    assert (part_call(call, 2).answered_at, part_call(call, 2).direction) == (moment(30), "in")
    assert (call.state, call.out_of_turn) == (State.ENDED, ())


def test_who_hangs_up_in_a_consult_hands_the_customer_over() -> None:
    told = [*first(held=20), *second(22, 30), event("ended", 40, id="own", seat="s1", by="agent")]
    call = fold_call([*told, event("ended", 90, by="customer")])

    assert spans(call) == [("s1", moment(8), moment(40)), ("s2", moment(40), moment(90))]
    assert part_call(call, 1).hung_up_by == "agent"


def test_a_consulted_agent_who_leaves_never_had_the_customer() -> None:
    told = [*first(held=20), *second(22, 30), event("ended", 40, id="own", seat="s2"), event("resumed", 42, seat="s1")]
    call = fold_call([*told, event("ended", 90, by="customer")])

    assert spans(call) == [("s1", moment(8), moment(90)), ("s2", None, moment(40))]
    assert [(hold.at, hold.until) for hold in call.parts[0].holds] == [(moment(20), moment(42))]
    assert [(aside.at, aside.until) for aside in call.parts[0].asides] == [(moment(30), moment(40))]
    assert part_call(call, 2).direction == "internal"
    assert not call.out_of_turn


def test_a_consult_becomes_a_conference_when_the_customer_is_taken_back() -> None:
    told = [*first(held=20), *second(22, 30), event("resumed", 35, seat="s1")]
    leaves = event("ended", 50, id="own", seat="s1", by="agent")
    call = fold_call([*told, leaves, event("ended", 70, by="customer")])

    assert spans(call) == [("s1", moment(8), moment(50)), ("s2", moment(35), moment(70))]
    assert (call.ended_at, call.hung_up_by) == (moment(70), "customer")


def test_in_a_conference_one_holds_and_the_others_go_on() -> None:
    told = [*first(), *second(10, 20), event("held", 30, seat="s2"), event("resumed", 40, seat="s2")]
    call = fold_call(told)

    assert call.state is State.TALKING
    assert [len(part.holds) for part in call.parts] == [0, 1]
    assert all(part.met_at is not None for part in call.parts)


def test_the_customer_ends_it_for_everybody_whichever_seat_tells() -> None:
    call = fold_call([*first(), *second(10, 20), event("ended", 50, seat="s1", by="customer")])

    assert [part.left_at for part in call.parts] == [moment(50), moment(50)]
    assert call.state is State.ENDED


def test_a_transfer_that_nobody_takes_comes_back_as_a_hold() -> None:
    told = [*first(), event("transferred", 60, seat="s1", to="s2", how="blind"), *second(60, None)]
    back = [event("redirected", 80, seat="s2"), event("resumed", 80, seat="s1"), event("ended", 90, by="customer")]
    call = fold_call([*told, *back])

    assert spans(call) == [("s1", moment(8), moment(90))]
    assert [(hold.at, hold.until) for hold in call.parts[0].holds] == [(moment(60), moment(80))]
    assert [call.concluded(offer) for offer in call.offers] == ["answered", "no_answer"]


def test_the_phone_that_transferred_may_end_before_the_other_seat_answers() -> None:
    told = [*first(), event("transferred", 60, seat="s1", how="blind"), event("ended", 60.1, id="own", seat="s1")]
    call = fold_call([*told, *second(60, 70), event("ended", 100, by="customer")])

    assert spans(call) == [("s1", moment(8), moment(60)), ("s2", moment(70), moment(100))]


def test_each_seat_that_rang_has_its_own_ring_and_its_own_end() -> None:
    call = fold_call(
        [
            event("offered", 0, queue="sales"),
            *(event("ringing", 1 + n, id=f"r{n}", seat=f"s{n}") for n in range(3)),
            event("redirected", 16, seat="s0"),
            event("answered", 20, seat="s1"),
            event("redirected", 20.05, id="lost", seat="s2"),
            event("ended", 60, by="customer"),
        ]
    )

    assert [(offer.seat, call.concluded(offer)) for offer in call.offers] == [
        ("s0", "no_answer"), ("s1", "answered"), ("s2", "lost"),
    ]  # fmt: skip
    assert call.ringing_at == moment(2)
    assert call.out_of_turn == ()


@pytest.mark.parametrize(("by", "end"), [("customer", "cancelled"), ("system", "no_answer")])
def test_an_offer_that_was_open_when_the_call_ended(by: str, end: str) -> None:
    call = fold_call([event("ringing", 1, seat="s1"), event("ended", 9, by=by)])

    assert [call.concluded(offer) for offer in call.offers] == [end]


def test_abandoned_in_the_queue_no_seat_had_it() -> None:
    call = fold_call([event("offered", 0, queue="sales"), event("ended", 60, by="customer")])

    assert (call.end, call.seat, call.queued_only) == ("abandoned", None, True)
    assert not fold_call([event("offered", 0, queue="q"), event("ringing", 3, seat="s1")]).queued_only
    assert not fold_call([event("offered", 0), event("ended", 60)]).queued_only


def test_one_seat_on_two_phones_rings_once() -> None:
    told = [
        event("offered", 0, seat="s1"),
        event("ringing", 1, id="r1", seat="s1", leg="desk"),
        event("ringing", 2, id="r2", seat="s1", leg="soft"),
        event("redirected", 6, id="dead", seat="s1", leg="soft"),
        event("answered", 9, seat="s1", leg="desk"),
    ]
    call = fold_call(told)

    assert [(offer.seat, offer.ringing_at, offer.answered_at) for offer in call.offers] == [
        ("s1", moment(1), moment(9))
    ]
    assert (len(call.parts), call.out_of_turn) == (1, ())
    late = [*told[:3], told[4], event("redirected", 9.1, id="dead", seat="s1", leg="soft")]
    assert (len(fold_call(late).parts), fold_call(late).out_of_turn) == (1, ())


def test_a_phone_belongs_to_the_seat_that_rang_on_it() -> None:
    call = fold_call([event("ringing", 1, seat="s1", leg="ch1"), event("leg", 1, leg="ch1", role="agent")])

    assert (call.legs, call.leg_seats) == ({"ch1": "agent"}, {"ch1": "s1"})


def test_the_agent_is_whom_the_event_names_else_whom_the_lookup_knows() -> None:
    told = [event("ringing", 1, seat="s1"), event("answered", 8, seat="s1"), event("transferred", 20)]
    call = fold_call([*told, *second(20, 30)])
    found = assigned(call, lambda seat, at: f"{seat} at {at:%S}")

    assert [part.agent for part in found.parts] == ["s1 at 08", "A02"]
    assert (found.agent, assigned(call).agent) == ("s1 at 08", None)


def test_a_returned_call_is_a_new_part_of_the_same_seat() -> None:
    told = [*first(), event("transferred", 20, id="t1", seat="s1"), *second(20, 30)]
    again = [event("transferred", 40, id="t2", seat="s2"), event("answered", 50, id="a3", seat="s1", agent="A09")]
    call = fold_call([*told, *again, event("ended", 60)])

    assert [(part.seat, part.agent) for part in call.parts] == [("s1", "A01"), ("s2", "A02"), ("s1", "A09")]
    assert part_ids(call) == ("c1", "c1~2", "c1~3")


FLOOR = events_of(CALL_KINDS, sources=("pbx", "crm"), most=16)


@given(FLOOR, st.randoms())
def test_the_order_of_arrival_means_nothing_to_the_parts(events: list[Event], shuffle: random.Random) -> None:
    shuffled = events[:]
    shuffle.shuffle(shuffled)

    assert fold_call(shuffled).parts == fold_call(events).parts


@given(FLOOR)
def test_no_seat_is_in_a_call_twice_at_once(events: list[Event]) -> None:
    by_seat: dict[str | None, list[Part]] = {}
    for part in fold_call(events).parts:
        by_seat.setdefault(part.seat, []).append(part)
    for seat, own in by_seat.items():
        if seat is None:
            continue
        assert all(one.left_at is not None and one.left_at <= two.answered_at for one, two in pairwise(own))


@given(FLOOR)
def test_every_part_is_a_stretch_with_its_holds_inside(events: list[Event]) -> None:
    call = fold_call(events)
    for part in call.parts:
        assert part.met_at is None or part.met_at >= part.answered_at
        assert part.left_at is None or part.left_at >= (part.met_at or part.answered_at)
        for one in (*part.holds, *part.asides):
            assert one.at >= part.answered_at
            assert one.until is None or one.at <= one.until
    if call.state is State.ENDED and len({one.source for one in events}) == 1:
        assert all(part.left_at is not None for part in call.parts)


@given(FLOOR)
def test_a_seat_has_one_open_offer_and_so_one_ring(events: list[Event]) -> None:
    open_seats = [offer.seat for offer in fold_call(events).offers if offer.open and offer.seat is not None]

    assert len(open_seats) == len(set(open_seats))


def test_a_sender_that_claims_answer_upon_answer_makes_no_more_parts_than_are_kept() -> None:
    told = [event("answered", n, seat=f"s{n}") for n in range(MOST_PARTS + 20)]

    assert len(fold_call(told).parts) == MOST_PARTS


def test_the_source_that_tells_more_parts_tells_all_of_them() -> None:
    crm = [event("answered", 7, source="crm", seat="s1", agent="A01"), event("ended", 99, source="crm")]
    told = [event("answered", 8, seat="s1"), event("transferred", 20, seat="s1"), event("answered", 30, seat="s2")]
    call = fold_call([*crm, *told])

    assert [(part.seat, part.agent, part.answered_at) for part in call.parts] == [
        ("s1", "A01", moment(8)), ("s2", None, moment(30)),
    ]  # fmt: skip
    assert (part_call(call, 2).ended_at, call.clocks_mixed) == (moment(99), True)
    assert not fold_call([*crm, *told, event("ended", 98)]).clocks_mixed


def leg(name: str, at: float = 8, role: str = "agent", **who: Any) -> Event:
    return event("leg", at, id=f"leg-{name}-{at}", source="audiohook", leg=name, role=role, **who)


def whose_parts(*told: Event) -> list[tuple[str | None, str | None]]:
    return [(part.seat, part.agent) for part in fold_call(told).parts]


UNNAMED = [event("offered", 0, seat="s1", direction="in"), event("ringing", 1, seat="s1"), event("answered", 8)]


def test_an_agent_whom_the_leg_of_the_seat_names_has_the_part() -> None:
    call = fold_call(
        [*UNNAMED, event("ended", 60), leg("external", role="customer"), leg("in", seat="s1", agent="A01")]
    )

    assert (call.seat, call.agent, call.end) == ("s1", "A01", "answered")
    assert [(part.seat, part.agent) for part in call.parts] == [("s1", "A01")]
    assert [(offer.seat, offer.agent) for offer in call.offers] == [("s1", "A01")]


@pytest.mark.parametrize(
    ("said", "is_of"),
    [
        ({"seat": "s2", "agent": "A02"}, ("s1", None)),  # signalling named another seat
        ({"agent": "A02"}, ("s1", "A02")),
        ({"seat": "s1"}, ("s1", None)),
        ({}, ("s1", None)),
    ],
)
def test_what_a_leg_says_never_moves_what_signalling_said(said: dict[str, Any], is_of: tuple[str, str | None]) -> None:
    assert whose_parts(*UNNAMED, leg("in", **said)) == [is_of]
    named = [event("answered", 8, seat="s1", agent="A01")]
    assert whose_parts(*named, leg("in", **said)) == [("s1", "A01")]


def test_an_answer_without_a_seat_is_that_of_the_only_seat_that_a_leg_names() -> None:
    answer = [event("offered", 0, queue="q"), event("answered", 8)]

    assert whose_parts(*answer, leg("in", seat="s1", agent="A01")) == [("s1", "A01")]
    assert whose_parts(*answer, leg("in", seat="s1"), leg("in2", seat="s2")) == [(None, None)]
    assert whose_parts(event("answered", 8, agent="A01"), leg("in", seat="s1")) == [("s1", "A01")]
    assert whose_parts(event("answered", 8, agent="A01"), leg("in", seat="s1", agent="A02")) == [(None, "A01")]


def test_a_ring_is_not_charged_to_a_seat_that_only_a_leg_names() -> None:
    call = fold_call([event("offered", 0, queue="q"), leg("in", seat="s1", agent="A01"), event("ended", 9)])

    assert (call.seat, call.agent, call.queued_only) == (None, None, True)


def test_a_call_that_nobody_signalled_is_that_of_its_only_leg() -> None:
    alone = fold_call([leg("in", seat="s1", agent="A01"), leg("out", role="customer")])
    assert (alone.seat, alone.agent, alone.parts) == ("s1", "A01", ())
    two = fold_call([leg("in", seat="s1", agent="A01"), leg("in2", seat="s2", agent="A02")])
    assert (two.seat, two.agent) == (None, None)

    only_seat = fold_call([leg("in", 4, seat="s1"), leg("in", 9, seat="s1")])
    assert list(asked(only_seat)) == [("s1", moment(4))]
    assert assigned(only_seat, lambda seat, at: {"s1": "A07"}[seat]).agent == "A07"
    assert fold_call([leg("in", seat="s1", agent="A01"), event("answered", 8, seat="s2")]).agent is None


def test_two_legs_with_different_seats_are_parts_where_signalling_says_so() -> None:
    told = [event("answered", 8, seat="s1"), event("transferred", 20, seat="s1"), event("answered", 30, seat="s2")]
    legs = [leg("one", seat="s1", agent="A01"), leg("two", 30, seat="s2", agent="A02")]

    assert whose_parts(*told, *legs) == [("s1", "A01"), ("s2", "A02")]
    assert whose_parts(told[0], *legs) == [("s1", "A01")]
    assert whose_parts(*told, legs[0]) == [("s1", "A01"), ("s2", None)]


def test_of_a_leg_that_says_two_things_the_earlier_one_stands() -> None:
    told = [leg("in", 8, seat="s1"), leg("in", 9, seat="s1", agent="A01"), leg("in", 10, seat="s1", agent="A02")]

    assert whose_parts(*UNNAMED, *told) == whose_parts(*told[::-1], *UNNAMED) == [("s1", "A01")]


SAID = st.lists(
    st.builds(
        lambda at, name, seat, agent: leg(
            name, at, **{key: value for key, value in (("seat", seat), ("agent", agent)) if value}
        ),
        st.integers(0, 9), st.sampled_from(["one", "two"]), st.sampled_from([None, "s1", "s2"]),
        st.sampled_from([None, "A01", "A02"]),
    ),
    max_size=4, unique_by=lambda one: one.id,
)  # fmt: skip


@given(FLOOR, SAID, st.randoms())
def test_what_legs_say_means_the_same_in_any_order_and_moves_nothing(
    events: list[Event], said: list[Event], shuffle: random.Random
) -> None:
    told = [one for one in events if one.type != "leg"]
    if not told:
        return
    shuffled = [*told, *said]
    shuffle.shuffle(shuffled)
    call, bare = fold_call([*told, *said]), fold_call(told)

    assert fold_call(shuffled) == call
    pairs = [*zip(call.offers, bare.offers, strict=True)]
    pairs += [(one.offer, other.offer) for one, other in zip(call.parts, bare.parts, strict=True)]
    assert (call.end, len(call.parts)) == (bare.end, len(bare.parts))
    for said_more, without in pairs:
        assert without.seat in (None, said_more.seat)
        assert without.agent in (None, said_more.agent)
        assert replace(said_more, seat=None, agent=None) == replace(without, seat=None, agent=None)
