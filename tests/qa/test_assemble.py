"""Legs become one recording: aligned by the clock, positions by samples, every hole in the map with its cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.legs import LegAudio
from qa.assemble import Assembled, assemble, write
from speech.audio import decode

ANSWER = datetime(2026, 11, 21, 9, 0, 0, tzinfo=UTC)


def at(ms: int) -> datetime:
    return ANSWER + timedelta(milliseconds=ms)


def leg(start_ms: int = 0, ms: int = 1000, value: int = 1000, role: str = "agent", **other: object) -> LegAudio:
    """A leg of one constant value, 8 kHz, that began ``start_ms`` after the answer."""
    data = np.full(ms * 8, value, "<i2").tobytes()
    told: dict[str, object] = {
        "rate": 8000, "encoding": "slin", "started_at": at(start_ms), "segments": [(0, data)], "gaps": [],
        "ended": "eof", "role": role, "samples": ms * 8,
    }  # fmt: skip
    return LegAudio(**{**told, **other})  # type: ignore[arg-type]


def put(legs: dict[str, tuple[str, LegAudio]], end_ms: int | None) -> Assembled:
    one = assemble(legs, ANSWER, None if end_ms is None else at(end_ms))
    assert one is not None
    return one


def test_a_customer_and_an_agent_are_channels_0_and_1() -> None:
    one = put({"a": ("agent", leg(value=500)), "c": ("customer", leg(value=-700, role="customer"))}, 1000)

    assert (one.roles, one.channels, one.answer_ms, one.gaps) == (("customer", "agent"), "split", 0, ())
    assert one.samples[0].tolist() == [-700] * 8000
    assert one.samples[1].tolist() == [500] * 8000


def test_a_leg_that_began_before_the_answer_moves_the_answer_into_the_recording() -> None:
    one = put({"a": ("agent", leg(-300, 1300)), "c": ("customer", leg(0, 1000))}, 1000)

    assert one.answer_ms == 300
    assert one.samples[0, : 300 * 8].any() == np.False_
    assert one.gaps == ()


def test_a_declared_gap_is_on_the_call_s_time_line_and_its_samples_are_silent() -> None:
    data = np.full(8000, 9, "<i2").tobytes()
    broken = leg(100, segments=[(0, data), (16000, data)], gaps=[(8000, 8000, "loss")], samples=24000)
    one = put({"a": ("agent", broken), "c": ("customer", leg(0, 3100))}, 3100)

    assert one.gaps == ({"role": "agent", "start_ms": 1100, "end_ms": 2100, "cause": "loss"},)
    assert not one.samples[1, 1100 * 8 : 2100 * 8].any()
    assert one.samples[1, 2100 * 8] == 9


def test_a_tap_that_came_late_is_a_gap_but_a_tick_of_the_clock_is_none() -> None:
    late = put({"a": ("agent", leg(800, 1000)), "c": ("customer", leg(100, 1700))}, 1800)

    assert [gap["cause"] for gap in late.gaps] == ["tap_late"]
    assert late.gaps[0] == {"role": "agent", "start_ms": 0, "end_ms": 800, "cause": "tap_late"}


@pytest.mark.parametrize(("early_ms", "gaps"), [(500, []), (501, [(9499, 10000)]), (1000, [(9000, 10000)])])
def test_what_nobody_heard_at_the_end_is_missing_beyond_half_a_second(early_ms: int, gaps: list) -> None:
    """News of the hang-up and the last audio travel different ways; a goodbye takes longer than they differ."""
    one = put({"a": ("agent", leg(0, 10000 - early_ms)), "c": ("customer", leg(0, 10000))}, 10000)

    assert [(gap["start_ms"], gap["end_ms"]) for gap in one.gaps] == gaps
    assert {(gap["role"], gap["cause"]) for gap in one.gaps} <= {("agent", "eof")}


def test_a_slow_crystal_has_not_missed_the_end() -> None:
    """300 ms behind the clock after hours: its last sample sounded later than its number says."""
    slow = leg(0, 9300, clock=(72000, at(9300)))
    assert put({"a": ("agent", slow), "c": ("customer", leg(0, 10000))}, 10000).gaps == ()


def test_a_leg_cut_off_by_a_crash_is_missing_up_to_the_hang_up() -> None:
    one = put({"a": ("agent", leg(0, 1000, ended="crash")), "c": ("customer", leg(0, 4000))}, 4000)

    assert one.gaps == ({"role": "agent", "start_ms": 1000, "end_ms": 4000, "cause": "crash"},)


def test_a_leg_that_came_again_has_a_gap_between_its_two_pieces() -> None:
    pieces = {"a": ("agent", leg(0, 1000, ended="crash")), "a2": ("agent", leg(3000, 1000))}
    one = put({**pieces, "c": ("customer", leg(0, 4000))}, 4000)

    assert one.gaps == ({"role": "agent", "start_ms": 1000, "end_ms": 3000, "cause": "crash"},)


def test_a_party_without_any_audio_is_missing_for_the_whole_call() -> None:
    one = put({"c": ("customer", leg(0, 2000))}, 2000)

    assert one.gaps == ({"role": "agent", "start_ms": 0, "end_ms": 2000, "cause": "no_leg"},)


def test_one_leg_of_nobody_in_particular_is_one_mixed_channel() -> None:
    one = put({"line": ("unknown", leg(0, 2000))}, 2000)

    assert (one.channels, one.roles, one.samples.shape) == ("mixed", ("unknown",), (1, 16000))


def test_without_a_sample_there_is_no_recording() -> None:
    assert assemble({"a": ("agent", leg(samples=0, segments=[]))}, ANSWER, at(1000)) is None
    assert assemble({}, ANSWER, at(1000)) is None


def test_the_file_holds_the_same_samples_and_names_itself_by_its_hash(tmp_path: Path) -> None:
    one = put({"a": ("agent", leg(value=123)), "c": ("customer", leg(value=-5))}, 1000)

    sha = write(one, tmp_path / "x" / "y.flac")

    assert len(sha) == 64
    assert np.array_equal(decode(tmp_path / "x" / "y.flac").pcm, one.samples)
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["y.flac"]


def test_clocks_that_are_days_apart_give_the_words_and_no_place_for_them() -> None:
    """A telephone system with a wrong date must not make a recording of days."""
    legs = {"a": ("agent", leg(86_400_000, 1000, 5)), "c": ("customer", leg(86_400_100, 2000, 6))}
    one = put(legs, 2000)

    assert (one.duration_ms, one.answer_ms) == (2000, 0)
    assert one.gaps == tuple(
        {"role": role, "start_ms": 0, "end_ms": 2000, "cause": "clock"} for role in ("customer", "agent")
    )
    assert (one.samples[1, :8000] == 5).all()


def test_gaps_of_days_end_with_the_day() -> None:
    week = 7 * 86_400 * 8000
    silent = leg(samples=8000 + week, gaps=[(8000, week, "loss")])
    one = put({"a": ("agent", silent)}, None)

    assert one.duration_ms == 86_400_000
    assert one.gaps == ({"role": "agent", "start_ms": 1000, "end_ms": 86_400_000, "cause": "loss"},)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["agent", "customer", "unknown"]), st.integers(-2000, 5000), st.integers(1, 3000)),
        min_size=1, max_size=4,
    ),
    st.one_of(st.none(), st.integers(0, 9000)),
)  # fmt: skip
def test_any_legs_give_one_time_line_with_its_gaps_inside_the_call(legs: list, end_ms: int | None) -> None:
    """Whatever arrives: no exception, gaps of positive length, and every channel as long as the recording."""
    named = {str(n): (role, leg(start, ms, role=role)) for n, (role, start, ms) in enumerate(legs)}
    one = put(named, end_ms)

    assert one.samples.shape[0] == len(one.roles)
    for gap in one.gaps:
        assert gap["start_ms"] < gap["end_ms"]
        assert gap["end_ms"] + one.answer_ms <= one.duration_ms


def test_legs_whose_clocks_ran_apart_lose_no_audio_but_say_so() -> None:
    """200 ms apart nobody can say who interrupted whom; everything else in the call is judged as usual."""
    for apart_ms, causes in ((200, []), (201, ["drift", "drift"])):
        slow = leg(0, 5000, clock=(8000, at(1000 + apart_ms)))
        one = put({"a": ("agent", slow), "c": ("customer", leg(0, 5000, clock=(8000, at(1000))))}, 5000)
        assert [gap["cause"] for gap in one.gaps] == causes
        assert all(gap["start_ms"] == gap["end_ms"] == 5000 for gap in one.gaps)
    alone = put({"a": ("agent", slow), "c": ("customer", leg(0, 5000))}, 5000)
    assert alone.gaps == ()
