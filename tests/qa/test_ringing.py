"""What the caller heard ring, held against signalling: agreement changes nothing, contradiction leaves it unknown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qa.facts import call_facts
from qa.record import CallRecord
from qa.ringing import answer_after, before, cross_checked, listened
from qa.spot import beside, spot_of
from scoring.facts import CallFacts, Cause, Unknown
from speech.audio import write_flac
from tests.ingest.values import T0
from tests.speech.test_rings import call, ringing, voice

DOUBTED = Unknown(Cause.CLOCK)


def record(ring_s: float, queue_s: float | None = None, **own: Any) -> CallRecord:
    """A call that rang so long by its signalling and was talked for a minute."""
    answered = T0 + timedelta(seconds=ring_s)
    queued = None if queue_s is None else T0 - timedelta(seconds=queue_s)
    return CallRecord(direction="in", queued_at=queued, ringing_at=T0, answered_at=answered,
                      ended_at=answered + timedelta(seconds=60)).model_copy(update=own)  # fmt: skip


def rang(seconds: float, answer_ms: int) -> dict[str, Any]:
    """Chinese rings in the sound, so long before the answer."""
    first = answer_ms - int(seconds * 1000)
    starts = range(first, answer_ms, 5000)
    return {"cadence": "cn", "count": len(starts), "unknown": None, "bursts": [[at, at + 1000] for at in starts]}


def checked(told: CallRecord, heard_s: float | None, answer_ms: int = 60_000) -> CallFacts:
    rings = None if heard_s is None else rang(heard_s, answer_ms)
    origin = told.answered_at and told.answered_at - timedelta(milliseconds=answer_ms)
    call = cross_checked(call_facts("c1", told), told, rings, answer_ms, origin).call
    assert call is not None
    return call


@pytest.mark.parametrize(("said", "heard"), [(12, 12), (12, 7), (12, 16.9), (9.9, 5.1), (4, 8), (31, 27)])
def test_up_to_a_ring_or_a_period_apart_is_agreement(said: float, heard: float) -> None:
    assert checked(record(said), heard) == checked(record(said), None)


@pytest.mark.parametrize(("said", "heard"), [(4, 16), (31, 12), (12, 40)])
def test_more_than_a_ring_and_a_period_apart_is_unknown(said: float, heard: float) -> None:
    call = checked(record(said), heard)

    assert (call.ring_count, call.ring_seconds, call.answer_seconds) == (DOUBTED, DOUBTED, DOUBTED)
    assert call.talk_ms == 60_000


def test_ringing_that_began_in_the_queue_is_agreement_too() -> None:
    assert checked(record(4, queue_s=26), 30).ring_count == 1


def test_sound_that_begins_behind_the_ringing_contradicts_only_by_more() -> None:
    assert checked(record(31), 9, answer_ms=9000).ring_count == 7
    assert checked(record(2), 19, answer_ms=19_000).ring_count == DOUBTED


def test_the_phones_own_count_stands() -> None:
    call = checked(record(4, rings=1), 16)

    assert (call.ring_count, call.ring_seconds, call.ring_source) == (1, DOUBTED, "phone")


def test_a_call_out_rings_somewhere_else() -> None:
    assert checked(record(4, direction="out"), 30).ring_count == 1


def test_music_says_nothing_against_signalling() -> None:
    told = record(12)
    music: dict[str, Any] = {"cadence": "cn", "count": None, "unknown": "music", "bursts": []}

    assert cross_checked(call_facts("c1", told), told, music, 60_000, T0) == call_facts("c1", told)


def test_sound_alone_tells_no_ring() -> None:
    told = CallRecord(direction="in")
    facts = cross_checked(call_facts("c1", told), told, rang(12, 60_000), 60_000, None).call

    assert facts is not None
    assert (facts.ring_count, facts.ring_source) == (Unknown(Cause.MISSING), "none")


def test_rings_after_the_answer_are_another_call() -> None:
    rings = {"cadence": "cn", "count": 3, "unknown": None, "bursts": [[0, 1000], [5000, 6000], [10_000, 11_000]]}

    assert before(rings, 7000) == (2, 7000)
    assert before(rings, 200) is None
    assert answer_after(rings) == (11_000, 15_000)


def test_british_pairs_are_one_ring() -> None:
    rings = {"cadence": "uk", "count": 2, "unknown": None,
             "bursts": [[0, 400], [600, 1000], [3000, 3400], [3600, 4000]]}  # fmt: skip

    assert before(rings, 5000) == (2, 5000)


# --- a single recording


@pytest.fixture
def waited(tmp_path: Path) -> Path:
    """Rings for 10.4 s on the agent's channel, then talk, 16 s in all."""
    path = tmp_path / "c1.flac"
    line = np.concatenate([call("cn", 10.4), voice(16)])[: 16 * 8000]
    write_flac(path, (np.stack([np.zeros_like(line), line]) * 32767).astype(np.int16))
    return path


def test_rings_without_a_word_of_the_answer_leave_the_beginning_open(waited: Path) -> None:
    spot = spot_of(waited, CallRecord(direction="in"), 16_000, "cn")
    (gap, _) = spot.gaps(("customer", "agent"))

    assert spot.answer_ms == pytest.approx(10_400, abs=60)
    assert (gap["start_ms"], gap["end_ms"], gap["cause"]) == (0, 4000, "answer")
    assert "3 rings are heard" in spot.warnings[0]
    assert beside(CallRecord(direction="in"), spot)["heard_rings"] == 3


def test_times_that_fit_the_whole_recording_place_the_answer_in_it(waited: Path) -> None:
    told = record(10.4, queue_s=8).model_copy(update={"ended_at": T0 + timedelta(seconds=16)})
    spot = spot_of(waited, told, 16_000, "cn")

    assert (spot.answer_ms, spot.gaps(("agent",)), spot.warnings) == (10_400, [], ())
    assert beside(told, spot) == {"queue_seconds": 8.0, "heard_rings": 3}


def test_a_recording_from_the_answer_on_is_taken_as_it_is(waited: Path) -> None:
    told = record(4).model_copy(update={"ended_at": T0 + timedelta(seconds=20)})
    spot = spot_of(waited, told, 16_000, "cn")

    assert (spot.answer_ms, spot.rings) == (0, None)


def test_where_nothing_can_be_heard_nothing_is_listened_for(waited: Path) -> None:
    assert listened(waited, "5", 10_000) is None  # a cadence in seconds has no tone
    assert listened(waited, "cn", 900) is None
    assert spot_of(waited, CallRecord(end="voicemail"), 16_000, "cn").rings is None


def test_rings_that_nobody_answered_place_no_answer(tmp_path: Path) -> None:
    """A busy tone follows them: what is heard is told, and nothing is concluded from it."""
    path = tmp_path / "c3.flac"
    busy = np.tile(np.concatenate([ringing("cn", 0.35), np.zeros(2800)]), 12)
    sound = np.concatenate([ringing("cn", 15), busy])
    write_flac(path, (sound.reshape(1, -1) * 32767).astype(np.int16))
    found = listened(path, "cn", None)

    assert found is not None and "3 clear rings" in found["unknown"]
    assert answer_after(found) is None
    assert spot_of(path, CallRecord(direction="in"), 23_400, "cn").answer_ms == 0


def test_nothing_rings_in_speech(tmp_path: Path) -> None:
    path = tmp_path / "c2.flac"
    write_flac(path, (voice(8).reshape(1, -1) * 32767).astype(np.int16))
    found = listened(path, "cn", 8000)

    assert found is not None and found["count"] is None and found["unknown"]
    assert before(found, 8000) is None
    assert len(ringing("cn", 1)) == 8000
