"""A seat's time line, and the stretches in which nobody was seen there."""

from __future__ import annotations

import random
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
    for away in away_episodes(log):
        assert away.ready_ms is None or 0 <= away.ready_ms <= (away.away_ms or 0)
