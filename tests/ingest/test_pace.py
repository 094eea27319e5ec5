"""Rate limits and the audio clock, with seconds as values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.pace import AudioClock, Bucket

FRAME = 160  # 20 ms


def run(clock: AudioClock, start_s: float, seconds: float, pace: float = 1.0) -> int:
    """Frames of 20 ms from *start_s* on; the samples that were found missing."""
    frames = int(seconds * 50)
    return sum(clock.frame(FRAME, start_s + (number + 1) * 0.02 * pace) for number in range(frames))


def test_a_steady_sender_misses_nothing() -> None:
    assert run(AudioClock(8000, 0), 0, 60) == 0


def test_a_lag_that_stays_is_lost_audio() -> None:
    clock = AudioClock(8000, 0)
    run(clock, 0, 10)
    missing = run(clock, 12, 5)

    assert abs(missing - 16000) < 400
    assert run(clock, 17, 30) == 0


@pytest.mark.parametrize("frames", range(450, 502))
def test_a_stall_that_is_caught_up_loses_nothing(frames: int) -> None:
    """Wherever in a window it begins."""
    clock, stall_s = AudioClock(8000, 0), frames * 0.02
    assert sum(clock.frame(FRAME, (number + 1) * 0.02) for number in range(frames)) == 0

    assert sum(clock.frame(FRAME, stall_s + 3 + number * 0.0001) for number in range(150)) == 0
    assert run(clock, stall_s + 3.02, 30) == 0


@settings(max_examples=20)
@given(st.floats(-0.0003, 0.0003))
def test_crystals_that_differ_are_no_loss(skew: float) -> None:
    assert run(AudioClock(8000, 0), 0, 1200, 1 + skew) == 0


def test_a_sender_that_runs_ahead_shows() -> None:
    clock = AudioClock(8000, 0)
    for _ in range(400):
        clock.frame(FRAME, 1.0)

    assert clock.lag_s(1.0) < -5


def test_five_seconds_may_come_at_once_and_then_half_as_much_again() -> None:
    bucket = Bucket(16000)

    assert bucket.wait_s(5 * 16000, 0) == 0
    assert bucket.wait_s(24000, 1) == 0
    assert bucket.wait_s(24000, 1) == 1.0
    assert bucket.wait_s(0, 2) == 0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = Bucket(16000)
    bucket.wait_s(5 * 16000, 100)

    assert bucket.wait_s(24000, 50) == 1.0
