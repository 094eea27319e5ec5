"""Rate limits and the audio clock, with seconds as values."""

from __future__ import annotations

from itertools import accumulate
from math import ceil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.legs import Builder
from ingest.pace import AudioClock, Bucket, Hole
from ingest.rows import Row, body

FRAME = 160  # 20 ms


def run(clock: AudioClock, start_s: float, seconds: float, pace: float = 1.0) -> int:
    """Frames of 20 ms from *start_s* on; the samples that were found missing."""
    frames = int(seconds * 50)
    return sum(lost(clock.frame(FRAME, start_s + (number + 1) * 0.02 * pace)) for number in range(frames))


def lost(holes: list[Hole]) -> int:
    return sum(one.samples for one in holes)


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
    assert run(clock, 0, stall_s) == 0

    assert sum(lost(clock.frame(FRAME, stall_s + 3 + number * 0.0001)) for number in range(150)) == 0
    assert clock.over() == []
    assert run(clock, stall_s + 3.02, 30) == 0


Told = list[tuple[int, int]]  # (after which sample, how many)


def placed(arrivals: list[float], clock: AudioClock) -> tuple[Told, list[int]]:
    """Holes where they lie, and where each frame of 20 ms does; *arrivals* are the instants at which they came."""
    row, samples = Builder(), 0

    def hole(one: Hole) -> None:
        nonlocal samples
        said = {"start_sample": samples, "samples": one.samples, "cause": "loss"}
        said |= {"since": one.since} if one.since is not None else {}
        row.take(Row("gap", "s", "c", "l", 0, body(said), 0, samples, one.samples), True)
        samples += one.samples

    for number, at_s in enumerate(arrivals):
        for one in clock.frame(FRAME, at_s):
            hole(one)
        data = number.to_bytes(2, "little") * FRAME
        row.take(Row("audio", "s", "c", "l", 0, data, 0, samples, FRAME), True)
        samples += FRAME
    for one in clock.over():
        hole(one)
    leg, place = row.build(), dict[int, int]()
    assert leg.samples == samples == clock.sample
    for start, data in leg.segments:
        for at in range(0, len(data), 2):
            place.setdefault(int.from_bytes(data[at : at + 2], "little"), start + at // 2)
    return [(start, count) for start, count, _ in leg.gaps], [place[number] for number in range(len(arrivals))]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(10, 120), st.floats(0.35, 9.0)), max_size=6),
    st.integers(10, 120), st.sampled_from([0.0, 0.02, 0.06]), st.sampled_from([0.0, 0.1]),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_each_sample_lies_where_it_sounded_and_the_holes_where_nothing_came(
    talks: list[tuple[int, float]], last: int, jitter_s: float, round_s: float, dice: Random
) -> None:
    """Frames that sounded in a stall never come. The others come late by the network, and are read in rounds: all in
    all up to 160 ms."""
    sounded, stalls, now_s = list[float](), list[tuple[float, float]](), 0.0
    for frames, stall_s in [*talks, (last, 0.0)]:
        sounded += [now_s + (number + 1) * 0.02 for number in range(frames)]
        now_s += frames * 0.02
        stalls += [(now_s, stall_s)] if stall_s else []
        now_s += stall_s
    came = [at_s + dice.uniform(0, jitter_s) for at_s in sounded]
    if round_s:
        came = [ceil(at_s / round_s) * round_s for at_s in came]
    came = list(accumulate(came, max))

    holes, places = placed(came, AudioClock(8000, 0))

    assert len(holes) == len(stalls)
    for (start, samples), (at_s, stall_s) in zip(holes, stalls, strict=True):
        assert abs(start / 8000 - at_s) < 0.17 and abs(samples / 8000 - stall_s) < 0.17
    for place, at_s in zip(places, sounded, strict=True):
        assert abs(place / 8000 - (at_s - 0.02)) < 0.17


@pytest.mark.parametrize(
    ("groups", "holes"),
    [
        ([(50, 4.0), (50, 0)], [(1.0, 4.0)]),  # it ends before a window could tell
        ([(50, 1.5), (150, 0)], [(1.0, 1.5)]),
        ([(50, 0.5), (40, 0.5), (10, 0)], [(1.0, 0.5), (2.3, 0.5)]),  # two in one window, and the end
        ([(50, 4.0), (2, 0)], []),  # next to nothing came after it
        ([(50, 0.15), (200, 0)], []),
    ],
)
def test_a_stall_lies_where_it_began(groups: list[tuple[int, float]], holes: list[tuple[float, float]]) -> None:
    came, now_s = list[float](), 0.0
    for frames, stall_s in groups:
        came += [now_s + (number + 1) * 0.02 for number in range(frames)]
        now_s += frames * 0.02 + stall_s
    told, _ = placed(came, AudioClock(8000, 0))

    assert [(pytest.approx(start / 8000, abs=0.01), pytest.approx(n / 8000, abs=0.01)) for start, n in told] == holes


def test_of_a_stall_that_is_half_caught_up_the_rest_is_missing() -> None:
    """3 s of nothing, then 2 s of what was held back, at once."""
    came = [(number + 1) * 0.02 for number in range(100)] + [5.0] * 100 + [5 + (n + 1) * 0.02 for n in range(100)]
    told, _ = placed(came, AudioClock(8000, 0))

    assert told == [(16000, pytest.approx(8000, abs=200))]


def test_a_loss_that_is_spread_lies_where_it_was_noticed() -> None:
    """Every second frame."""
    told, _ = placed([(number + 1) * 0.04 for number in range(200)], AudioClock(8000, 0))

    assert sum(count for _, count in told) == pytest.approx(32000, abs=8000)
    assert len(told) < 9


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
