"""Times of a seat within a stretch: they add up, and what nobody saw stands apart."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import STATES
from ingest.seat_metrics import agents, at_work_since, of_agent, seat_times, work_runs
from ingest.seats import Interval, SeatLog, fold_seat
from tests.ingest.values import event, moment

MINUTE = 60.0
HOUR = 3600.0


def log(*told: tuple[float, str], **more: str) -> SeatLog:
    return fold_seat([event("seat", at, status=status, **more) for at, status in told])


def test_a_shift_is_summed_by_state_and_reason() -> None:
    day = fold_seat(
        [
            event("seat", 0, status="ready", agent="A01"),
            event("seat", 100, status="ringing"),
            event("seat", 110, status="talking"),
            event("seat", 200, status="hold"),
            event("seat", 230, status="talking"),
            event("seat", 260, status="wrap_up"),
            event("seat", 300, status="busy", reason="tea"),
            event("seat", 900, status="busy", reason="training"),
            event("seat", 960, status="busy"),
            event("seat", 1000, status="offline"),
            event("presence", 310, present="no"),
            event("presence", 880, present="yes"),
        ]
    )
    times = seat_times(day.intervals, day.presence, moment(0), moment(2000))

    assert {state: ms / 1000 for state, ms in times.told_ms.items()} == {
        "ready": 100, "ringing": 10, "talking": 120, "hold": 30, "wrap_up": 40, "busy": 700, "offline": 1000,
    }  # fmt: skip
    assert {reason: ms / 1000 for reason, ms in times.busy_ms.items()} == {"tea": 600, "training": 60, "": 40}
    assert (times.absent_ms, times.untold_ms, times.logged_on_ms) == (570_000, 0, 1_000_000)
    assert times.occupancy == pytest.approx(190 / 300)
    assert times.not_ready_share == pytest.approx(0.7)
    assert (times.changes, times.leaps, times.longest_work_ms) == (9, 0, 300_000)


def test_what_still_goes_on_is_counted_up_to_the_end_and_what_began_before_from_the_start() -> None:
    line = log((0, "ready"), (50, "talking"))

    times = seat_times(line.intervals, (), moment(40), moment(70))
    assert times.told_ms == {"ready": 10_000, "talking": 20_000}
    assert times.changes == 1
    assert seat_times(line.intervals, (), moment(-20), moment(0)).untold_ms == 20_000


def test_what_was_inferred_stands_apart_and_moves_no_ratio() -> None:
    line = fold_seat(
        [
            event("seat", 0, status="talking"),
            event("seat", 60, status="wrap_up", confidence="inferred"),
            event("seat", 90, status="ready"),
        ]
    )
    times = seat_times(line.intervals, (), moment(0), moment(120))

    assert (times.told_ms, times.inferred_ms) == ({"talking": 60_000, "ready": 30_000}, {"wrap_up": 30_000})
    assert times.occupancy == pytest.approx(60 / 90)


def test_a_state_that_is_unknown_is_not_told() -> None:
    times = seat_times(log((0, "unknown"), (60, "ready")).intervals, (), moment(0), moment(100))

    assert (times.untold_ms, times.told_ms, times.occupancy) == (60_000, {"ready": 40_000}, 0.0)
    assert seat_times((), (), moment(0), moment(1)).occupancy is None


def test_a_step_that_was_not_told_is_counted_as_a_leap() -> None:
    times = seat_times(log((0, "offline"), (10, "talking"), (20, "ready")).intervals, (), moment(-1), moment(30))

    assert (times.changes, times.leaps) == (3, 1)


@pytest.mark.parametrize(("rest_s", "since"), [(29 * MINUTE, 0), (30 * MINUTE, 4 * HOUR)])
def test_half_an_hour_of_rest_ends_continuous_work(rest_s: float, since: float) -> None:
    line = log((0, "ready"), (4 * HOUR - rest_s, "busy"), (4 * HOUR, "talking"))

    assert at_work_since(line.intervals, moment(6 * HOUR)) == moment(since)
    assert work_runs(line.intervals, moment(6 * HOUR))[-1] == (moment(since), moment(6 * HOUR))


def test_who_is_resting_is_not_at_work() -> None:
    line = log((0, "ready"), (HOUR, "busy"))

    assert at_work_since(line.intervals, moment(HOUR + 29 * MINUTE)) == moment(0)
    assert at_work_since(line.intervals, moment(HOUR + 30 * MINUTE)) is None
    assert at_work_since((), moment(0)) is None


def test_an_agents_share_of_a_seat() -> None:
    day = fold_seat(
        [
            event("seat", 0, status="ready", agent="A01"),
            event("seat", 100, status="offline"),
            event("seat", 200, status="ready", agent="A02"),
            event("presence", 50, present="no"),
            event("presence", 250, present="yes"),
        ]
    )
    end = moment(300)

    assert agents(day.intervals) == ["A01", "A02"]
    shares = {}
    for name in ("A01", "A02"):
        shares[name] = seat_times(*of_agent(name, day.intervals, day.presence, end), moment(0), end)
    assert [one.absent_ms for one in shares.values()] == [50_000, 50_000]
    assert [one.told_ms["ready"] for one in shares.values()] == [100_000, 100_000]


LINES = st.lists(
    st.tuples(
        st.integers(0, 500),
        st.sampled_from(STATES),
        st.sampled_from(["observed", "snapshot", "inferred"]),
        st.sampled_from([None, "tea", "training"]),
    ),
    min_size=1,
    max_size=15,
)


@given(LINES, st.integers(-50, 400), st.integers(1, 300))
def test_the_times_of_a_stretch_add_up_to_it(
    told: list[tuple[int, str, str, str | None]], start: int, length: int
) -> None:
    line = fold_seat(
        [
            event("seat", at, id=f"e{number}", status=status, confidence=how, **({"reason": why} if why else {}))
            for number, (at, status, how, why) in enumerate(told)
        ]
    )
    first, last = moment(start), moment(start + length)
    times = seat_times(line.intervals, (), first, last)

    known = sum(times.told_ms.values()) + sum(times.inferred_ms.values())
    assert known + times.untold_ms == length * 1000
    assert sum(times.busy_ms.values()) == times.told_ms.get("busy", 0)
    assert times.longest_work_ms <= length * 1000
    assert all(share is None or 0 <= share <= 1 for share in (times.occupancy, times.not_ready_share))
    assert 0 <= times.leaps <= times.changes <= len(line.intervals)
    middle = first + (last - first) / 2
    halves = [seat_times(line.intervals, (), first, middle), seat_times(line.intervals, (), middle, last)]
    for state in STATES:
        assert times.told_ms.get(state, 0) == sum(half.told_ms.get(state, 0) for half in halves)


@given(LINES)
def test_guesses_add_nothing_to_what_was_seen(told: list[tuple[int, str, str, str | None]]) -> None:
    """Dropping every guess from the events leaves no less seen time in any state."""
    events = [
        event("seat", at, id=f"e{n}", status=status, confidence=how) for n, (at, status, how, _) in enumerate(told)
    ]
    seen = [one for one in events if one.confidence != "inferred"]  # type: ignore[attr-defined]
    whole = seat_times(fold_seat(events).intervals, (), moment(0), moment(600)).told_ms
    without = seat_times(fold_seat(seen).intervals, (), moment(0), moment(600)).told_ms if seen else {}

    assert all(ms <= without.get(state, 0) for state, ms in whole.items())


def test_a_run_of_work_is_bound_by_the_stretch() -> None:
    one = Interval("ready", moment(0), None, None, "observed", None)

    assert work_runs([one], moment(10), timedelta(minutes=30)) == [(moment(0), moment(10))]
