"""A call is what its events say, in any order of arrival; nothing is lost and nothing raises."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Event
from ingest.session import State, fold_call
from tests.ingest.values import CALL_KINDS, event, events_of, moment


def answered() -> list[Event]:
    return [
        event("offered", 0, direction="in", seat="s1", agent="A01", queue="q", number="138****0000"),
        event("ringing", 1, seat="s1"),
        event("answered", 8, seat="s1"),
        event("held", 20),
        event("resumed", 25),
        event("leg", 8, leg="agent", role="agent"),
        event("ended", 60, by="customer"),
    ]


def test_an_answered_call_has_its_moments() -> None:
    call = fold_call(answered())

    assert (call.state, call.end, call.hung_up_by) == (State.ENDED, "answered", "customer")
    assert (call.direction, call.seat, call.agent, call.queue) == ("in", "s1", "A01", "q")
    assert (call.ringing_at, call.answered_at, call.ended_at) == (moment(1), moment(8), moment(60))
    assert [(hold.at, hold.until) for hold in call.holds] == [(moment(20), moment(25))]
    assert call.legs == {"agent": "agent"}
    assert not call.out_of_turn


@given(st.randoms())
def test_the_order_of_arrival_means_nothing(shuffle: random.Random) -> None:
    events = answered()
    shuffle.shuffle(events)

    assert fold_call(events) == fold_call(answered())


def test_an_event_that_comes_twice_counts_once() -> None:
    assert fold_call(answered() * 2) == fold_call(answered())


@pytest.mark.parametrize(
    ("by", "end"),
    [("customer", "abandoned"), ("unknown", "abandoned"), ("agent", "no_answer"), ("system", "no_answer")],
)
def test_who_ends_an_unanswered_call_names_its_end(by: str, end: str) -> None:
    call = fold_call([event("offered"), event("ringing", 1), event("ended", 9, by=by, rings=2)])

    assert (call.end, call.rings, call.answered_at) == (end, 2, None)


def test_a_call_that_goes_on_has_no_end_yet() -> None:
    assert fold_call(answered()[:-1]).end is None


def test_a_call_taken_away_from_the_seat_is_redirected() -> None:
    events = [event("offered", seat="s1"), event("ringing", 1, seat="s1"), event("redirected", 20, seat="s1", to="s2")]

    assert fold_call(events).end == "redirected"
    assert fold_call([*events, event("ended", 21, by="customer")]).end == "redirected"


def test_voicemail_and_probe_are_no_conversations() -> None:
    voicemail = [event("offered"), event("redirected", 20, to="voicemail"), event("ended", 40)]

    assert fold_call(voicemail).end == "voicemail"
    assert fold_call([event("offered", probe=True)]).end == "probe"


def test_a_redirected_call_that_somebody_else_answers_is_answered_there() -> None:
    call = fold_call(
        [
            event("offered", 0, seat="s1", agent="A01"),
            event("ringing", 1, seat="s1"),
            event("redirected", 21, seat="s1", to="s2"),
            event("offered", 21, seat="s2", agent="A02"),
            event("ringing", 22, seat="s2"),
            event("answered", 25, seat="s2"),
            event("ended", 60, by="agent"),
        ]
    )

    assert (call.end, call.seat, call.agent, call.ringing_at) == ("answered", "s2", "A02", moment(22))
    assert [offer.redirected_at for offer in call.offers] == [moment(21), None]


def test_when_two_seats_ring_the_one_that_answers_has_the_call() -> None:
    call = fold_call(
        [
            event("offered", 0, id="o1", seat="s1"),
            event("offered", 0, id="o2", seat="s2"),
            event("ringing", 1, id="r1", seat="s1"),
            event("ringing", 2, id="r2", seat="s2"),
            event("answered", 5, seat="s1"),
        ]
    )

    assert (call.seat, call.ringing_at, len(call.offers)) == ("s1", moment(1), 2)


def redirected_to_b(*after: Event) -> list[Event]:
    """A rang for 19 s; then the call was offered to B, whose phone tells no ringing."""
    return [
        event("offered", 0, seat="s1", agent="A01"),
        event("ringing", 0.2, seat="s1"),
        event("redirected", 19, seat="s1", to="s2"),
        event("offered", 19.1, seat="s2", agent="A02"),
        *after,
    ]


@pytest.mark.parametrize(
    ("last", "end"),
    [
        (event("answered", 21, seat="s2"), None),
        (event("answered", 21), None),
        (event("ended", 21, by="customer"), "abandoned"),
        (event("ended", 21, by="system"), "no_answer"),
    ],
)
def test_what_rang_at_one_seat_is_no_ring_time_of_the_next(last: Event, end: str | None) -> None:
    call = fold_call(redirected_to_b(last))

    assert (call.seat, call.agent, call.end) == ("s2", "A02", end)
    assert (call.offered_at, call.ringing_at, call.alert_ended_at) == (moment(19.1), None, moment(21))
    assert call.first_offered_at == moment(0)


def test_a_seat_that_answers_without_an_offer_of_its_own_has_no_ring_time() -> None:
    call = fold_call([*redirected_to_b()[:-1], event("answered", 21, seat="s2", agent="A02")])

    assert (call.agent, call.offered_at, call.ringing_at, call.first_offered_at) == ("A02", None, None, moment(0))


def test_an_offer_that_names_nobody_is_not_charged_to_who_had_the_one_before() -> None:
    call = fold_call([*redirected_to_b()[:-1], event("answered", 21)])

    assert (call.seat, call.agent) == (None, None)


def test_agents_tell_offers_apart_where_seats_are_not_named() -> None:
    call = fold_call(
        [event("offered", 0, agent="A01"), event("offered", 19, agent="A02"), event("answered", 21, agent="A02")]
    )

    assert (call.agent, call.offered_at) == ("A02", moment(19))


def test_the_wait_in_a_queue_is_no_ring_of_the_seat_that_took_the_call() -> None:
    call = fold_call([event("offered", 0, queue="q"), event("answered", 31, seat="s1")])

    assert (call.seat, call.offered_at, call.ringing_at, call.answered_at) == ("s1", None, None, moment(31))
    assert call.first_offered_at == moment(0)
    assert fold_call([event("offered", 0), event("answered", 31, seat="s1")]).offered_at == moment(0)


def test_an_offer_to_a_queue_lends_its_time_until_the_seat_has_its_own() -> None:
    queued, rang = event("offered", 0, queue="q"), event("ringing", 31, seat="s1")
    own = event("offered", 30, seat="s1")

    assert fold_call([queued, rang]).offered_at == moment(0)
    assert fold_call([queued, own, rang]).offered_at == moment(30)
    assert fold_call([queued, own, rang]).first_offered_at == moment(0)


def test_a_redirected_call_rang_until_it_was_redirected() -> None:
    events = [event("offered"), event("ringing", 0, seat="s1"), event("redirected", 9, seat="s1")]
    call = fold_call([*events, event("ended", 55, by="customer")])

    assert (call.end, call.alert_ended_at, call.ended_at) == ("redirected", moment(9), moment(55))


def test_a_redirected_call_needs_no_end() -> None:
    call = fold_call([event("offered"), event("ringing", 1), event("redirected", 22)])

    assert (call.end, call.alert_ended_at, call.ended_at) == ("redirected", moment(22), None)


def test_an_alert_ends_with_the_answer_else_with_the_call() -> None:
    assert fold_call(answered()).alert_ended_at == moment(8)
    assert fold_call([event("ringing"), event("ended", 30)]).alert_ended_at == moment(30)
    assert fold_call([event("ringing")]).alert_ended_at is None


def test_one_seat_of_two_that_gives_up_is_no_end() -> None:
    both = [event("offered", 0, id="o1", seat="s1"), event("offered", 0, id="o2", seat="s2")]
    call = fold_call([*both, event("redirected", 20, seat="s1")])

    assert call.end is None
    assert fold_call([*both, event("redirected", 20, seat="s1"), event("answered", 22, seat="s2")]).seat == "s2"


def test_another_phones_count_is_not_this_seats() -> None:
    assert fold_call(redirected_to_b(event("ended", 30, seat="s1", rings=4))).rings is None
    assert fold_call(redirected_to_b(event("ended", 30, seat="s2", rings=2))).rings == 2


def test_ringing_told_twice_begins_once() -> None:
    call = fold_call([event("offered"), event("ringing", 1), event("ringing", 4), event("answered", 9)])

    assert call.ringing_at == moment(1)


def test_an_answer_without_a_ring_is_an_answer() -> None:
    call = fold_call([event("offered"), event("answered", 1), event("ended", 9)])

    assert (call.end, call.ringing_at) == ("answered", None)


def test_a_resume_without_a_hold_changes_nothing() -> None:
    call = fold_call([event("answered"), event("resumed", 2, id="odd"), event("ended", 9)])

    assert call.out_of_turn == ("odd",)
    assert call.holds == ()


def test_a_clock_that_went_back_between_ring_and_answer_is_doubted() -> None:
    call = fold_call([event("offered", 0), event("ringing", 30), event("answered", 5), event("ended", 60)])

    assert call.clock_doubted
    assert call.ringing_at is None


def test_a_second_source_fills_in_but_never_lends_its_clock() -> None:
    pbx = [event("offered", 0, direction="in"), event("answered", 9), event("ended", 60, by="customer")]
    crm = [event("ringing", 3, source="crm"), event("leg", 9, source="crm", role="agent")]
    call = fold_call([*crm, event("ended", 61, source="crm"), *pbx])

    assert (call.ringing_at, call.answered_at, call.ended_at) == (None, moment(9), moment(60))
    assert call.legs == {"agent": "agent"}


def test_an_end_from_another_source_mixes_two_clocks() -> None:
    pbx = [event("offered"), event("ringing", 1), event("answered", 9)]
    call = fold_call([*pbx, event("ended", 5, source="crm")])

    assert (call.answered_at, call.ended_at, call.clocks_mixed) == (moment(9), moment(5), True)
    assert not call.clock_doubted
    assert not fold_call([*pbx, event("ended", 60)]).clocks_mixed
    assert not fold_call([*pbx, event("ended", 60), event("ended", 61, source="crm")]).clocks_mixed


def test_an_offer_is_never_lent_to_another_source() -> None:
    acd, pbx = [event("offered", source="acd")], [event("answered", 9), event("ended", 60)]
    call = fold_call([*acd, *pbx])

    assert (call.offered_at, call.first_offered_at) == (None, moment(0))


def test_a_ring_that_one_source_began_and_another_ended_is_doubted() -> None:
    rang = [event("offered"), event("ringing", 1)]

    assert fold_call([*rang, event("ended", 30, source="crm")]).clock_doubted
    assert not fold_call([*rang, event("redirected", 9), event("ended", 30, source="crm")]).clock_doubted
    assert not fold_call([*rang, event("ended", 30)]).clock_doubted


def test_a_second_source_names_the_seat_only_of_the_same_offer() -> None:
    pbx = [event("offered"), event("answered", 21), event("ended", 60)]
    told = [event("ringing", 1, source="acd", seat="s1", agent="A01")]

    assert fold_call([*pbx, *told]).agent == "A01"
    assert fold_call([*pbx, *told, event("redirected", 19, source="acd", seat="s1")]).agent is None
    assert fold_call([*pbx, event("ringing", 1, seat="s2"), *told]).agent is None


def test_a_transferred_call_keeps_its_first_answer() -> None:
    call = fold_call(
        [
            event("answered", 1, seat="s1"),
            event("transferred", 20, to="s2", how="blind"),
            event("offered", 20, id="o2", seat="s2"),
            event("ringing", 21, seat="s2"),
            event("answered", 24, seat="s2"),
            event("ended", 60),
        ]
    )

    assert (call.answered_at, call.seat) == (moment(1), "s1")
    assert [(one.to, one.how) for one in call.transfers] == [("s2", "blind")]
    assert not call.out_of_turn


def test_two_calls_are_not_folded_into_one() -> None:
    with pytest.raises(ValueError, match="one call is folded at a time"):
        fold_call([event("offered"), event("offered", 1, call="c2")])


@given(events_of(CALL_KINDS, sources=("pbx", "crm", "sensor")), st.randoms())
def test_any_events_make_a_call_and_none_is_lost(events: list[Event], shuffle: random.Random) -> None:
    call = fold_call(events)
    shuffled = events[:]
    shuffle.shuffle(shuffled)

    assert fold_call(shuffled) == call
    ids = {one.id for one in events}
    assert set(call.out_of_turn) <= ids
    if any(one.type == "answered" for one in events) and call.answered_at is None:
        assert call.out_of_turn
    assert {one.leg for one in events if one.type == "leg"} == set(call.legs)


@given(events_of(CALL_KINDS))
def test_an_event_changes_the_call_or_stands_out_of_turn(events: list[Event]) -> None:
    told = sum(one.type != "leg" for one in events)
    call = fold_call(events)

    assert len(call.out_of_turn) <= told
    if told:
        assert call.out_of_turn or call.offers or call.ended_at or call.holds or call.transfers
