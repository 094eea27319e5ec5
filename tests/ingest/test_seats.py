"""A seat's time line, and the stretches in which nobody was seen there."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Event
from ingest.seats import away_episodes, fold_seat
from tests.ingest.values import event, events_of, moment


def seat(at: float, status: str, **own: object) -> Event:
    return event("seat", at, status=status, **own)


def present(at: float, value: str, **own: object) -> Event:
    return event("presence", at, present=value, **own)


def test_the_same_state_told_per_queue_is_one_interval() -> None:
    log = fold_seat([seat(0, "ready", id="q1"), seat(0, "ready", id="q2"), seat(9, "busy", reason="tea")])

    assert [(one.state, one.at, one.until, one.reason) for one in log.intervals] == [
        ("ready", moment(0), moment(9), None),
        ("busy", moment(9), None, "tea"),
    ]


def test_nobody_there_while_ready_is_counted_to_the_millisecond() -> None:
    log = fold_seat(
        [seat(0, "ready", agent="A01"), present(10, "no"), seat(45.5, "busy", reason="meeting"), present(100, "yes")]
    )
    (away,) = away_episodes(log)

    assert (away.away_ms, away.ready_ms, away.status, away.source) == (90_000, 35_500, "ready", "presence")
    assert (away.seat, away.agent, away.at, away.until) == ("s1", "A01", moment(10), moment(100))


def test_a_seat_of_unknown_state_is_not_ready() -> None:
    log = fold_seat([present(0, "no"), present(60, "yes")])
    (away,) = away_episodes(log)

    assert (away.ready_ms, away.status) == (0, "unknown")


def test_an_inferred_readiness_counts_against_nobody() -> None:
    log = fold_seat([seat(0, "ready", confidence="inferred"), present(0, "no"), present(60, "yes")])

    assert away_episodes(log)[0].ready_ms == 0


def test_an_inferred_absence_is_no_episode_and_overrules_nobody() -> None:
    guess = present(0, "no", by="inferred")

    assert away_episodes(fold_seat([guess, present(60, "yes", by="inferred")])) == []
    assert away_episodes(fold_seat([present(0, "yes", id="seen"), guess, present(60, "yes")])) == []


def test_sensor_and_person_one_after_the_other_are_one_stretch() -> None:
    log = fold_seat([present(0, "no"), present(30, "no", by="person"), present(60, "yes")])

    assert [(one.away_ms, one.source) for one in away_episodes(log)] == [(60_000, "presence")]


def test_an_open_stretch_has_no_length_yet() -> None:
    (away,) = away_episodes(fold_seat([seat(0, "ready"), present(5, "no")]))

    assert (away.until, away.away_ms, away.ready_ms) == (None, None, None)


def test_a_sensor_that_fails_ends_the_stretch() -> None:
    (away,) = away_episodes(fold_seat([present(0, "no"), present(20, "unknown")]))

    assert away.away_ms == 20_000


def shares(*events: Event) -> list[tuple[str | None, int | None, int | None]]:
    return [(one.agent, one.away_ms, one.ready_ms) for one in away_episodes(fold_seat(events))]


def test_who_logs_on_later_has_no_part_in_what_was_before() -> None:
    a, b = seat(0, "ready", agent="A01"), seat(4000, "ready", agent="A02")

    assert shares(a, present(3000, "no"), present(3600, "yes"), b) == [("A01", 600_000, 600_000)]
    assert [one.agent for one in fold_seat([a, b]).intervals] == ["A01", "A02"]


def test_a_log_out_ends_what_is_known_of_the_agent() -> None:
    events = seat(0, "ready", agent="A01"), seat(10, "offline"), seat(20, "ready")

    assert shares(*events, present(30, "no"), present(90, "yes")) == [(None, 60_000, 60_000)]
    named = present(5, "no", agent="A01")
    assert shares(*events, named, present(90, "yes")) == [("A01", 5_000, 5_000), (None, 80_000, 70_000)]


def test_each_agent_has_a_share_of_an_absence_and_of_the_readiness_in_it() -> None:
    told = [seat(0, "ready", agent="A01"), seat(600, "offline"), seat(630, "ready", agent="A02")]

    assert shares(*told, present(590, "no"), present(900, "yes")) == [
        ("A01", 10_000, 10_000), (None, 30_000, 0), ("A02", 270_000, 270_000),
    ]  # fmt: skip


def test_an_agents_change_of_state_cuts_nothing() -> None:
    told = [seat(0, "ready", agent="A01"), seat(20, "busy"), seat(40, "ready"), seat(50, "ready", agent="A01")]

    assert shares(*told, present(10, "no"), present(60, "yes")) == [("A01", 50_000, 30_000)]


def test_a_name_that_comes_later_says_nothing_of_the_time_before() -> None:
    told = [present(0, "no"), present(100, "no", agent="A02"), present(160, "yes")]

    assert shares(*told) == [(None, 100_000, 0), ("A02", 60_000, 0)]
    at_once = [seat(0, "ready", id="q1"), seat(0, "ready", id="q2", agent="A01")]
    assert [one.agent for one in fold_seat(at_once).intervals] == ["A01"]


def test_a_witness_who_names_another_than_is_logged_on_charges_nobody() -> None:
    told = [seat(0, "busy", agent="A02"), seat(20, "ready")]

    assert shares(*told, present(10, "no", agent="A01"), present(60, "yes")) == [(None, 50_000, 40_000)]
    follows = [seat(0, "ready", agent="A01"), seat(20, "ready", agent="A02")]
    assert shares(*follows, present(10, "no", agent="A01"), present(60, "yes")) == [
        ("A01", 10_000, 10_000), ("A02", 40_000, 40_000),
    ]  # fmt: skip


def test_an_open_stretch_is_open_for_the_last_agent_only() -> None:
    told = [seat(0, "ready", agent="A01"), present(5, "no"), seat(30, "ready", agent="A02")]

    assert shares(*told) == [("A01", 25_000, 25_000), ("A02", None, None)]


@pytest.mark.parametrize(
    ("inside", "contradicted"),
    [
        (seat(20, "talking"), True),
        (seat(20, "hold"), True),
        (seat(20, "wrap_up"), True),
        (seat(20, "talking", confidence="snapshot"), True),
        (event("answered", 20, seat="s1"), True),
        (seat(5, "talking"), True),
        (seat(20, "talking", confidence="inferred"), False),
        (seat(20, "ringing"), False),
        (seat(5, "wrap_up"), False),
        (seat(61, "talking"), False),
        (event("answered", 60, seat="s1"), False),
        (event("ended", 20, seat="s1"), False),
    ],
)
def test_a_phone_in_use_contradicts_an_empty_seat(inside: Event, contradicted: bool) -> None:
    told = [seat(0, "ready"), inside, seat(30, "ready", id="on"), present(10, "no"), present(60, "yes")]
    (away,) = away_episodes(fold_seat(told))

    assert away.contradicted == contradicted


def test_after_an_answer_readiness_is_not_counted() -> None:
    told = [seat(0, "ready"), present(10, "no"), event("answered", 20, seat="s1"), present(60, "yes")]

    assert shares(*told) == [(None, 50_000, 10_000)]


def test_events_of_two_seats_are_not_one_seat() -> None:
    with pytest.raises(ValueError, match="one seat is folded at a time"):
        fold_seat([seat(0, "ready"), seat(1, "ready", seat="s2")])


@given(events_of(("seat", "presence"), sources=("pbx", "door")), st.randoms())
def test_any_events_make_a_time_line_in_order(events: list[Event], shuffle: random.Random) -> None:
    log = fold_seat(events)
    shuffled = events[:]
    shuffle.shuffle(shuffled)

    assert fold_seat(shuffled) == log
    for line in (log.intervals, log.presence):
        for before, after in pairwise(line):
            assert before.until == after.at
    shared = away_episodes(log)
    for away in shared:
        assert away.ready_ms is None or 0 <= away.ready_ms <= (away.away_ms or 0)
        held = log.within(away.at, away.until)
        assert away.agent is None or all(one.agent in (None, away.agent) and one.state != "offline" for one in held)
    for before, after in pairwise(shared):
        assert before.until is not None
        assert before.until < after.at or (before.until == after.at and before.agent != after.agent)
    empty = [one for one in log.presence if one.present == "no" and one.by != "inferred"]
    if empty and empty[-1].until is not None:
        lasted = sum((one.until - one.at for one in empty if one.until), timedelta())
        assert timedelta(milliseconds=sum(one.away_ms or 0 for one in shared)) == lasted
