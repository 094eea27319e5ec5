"""One leg out of pieces of several machines: nothing twice, nothing mixed, whatever each of them was told."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.pieces import OTHER_SOUND, USED_TWICE, uses
from ingest.rows import Row, body, micros
from tests.ingest.lab import tone
from tests.ingest.values import T0

Rows = list[tuple[Row, bool]]


def begin(sample: int = 0, epoch: int = 1, late_s: float = 0, once: str = "") -> tuple[Row, bool]:
    at = T0 + timedelta(seconds=late_s)
    said = {"role": "agent", "rate": 8000, "encoding": "slin", "at": at.isoformat(), "epoch": epoch}
    said |= {"once": once} if once else {}
    return Row("start", "pbx", "c1", "agent", micros(at), body(said), 0, sample, epoch=epoch), True


def sound(seq: int, first: int, samples: int = 800, data: bytes = b"", epoch: int = 1) -> tuple[Row, bool]:
    pcm = data or tone(samples, first)
    return Row("audio", "pbx", "c1", "agent", 0, pcm, seq, first, samples, epoch), True


def hole(seq: int, first: int, samples: int, cause: str = "overrun", epoch: int = 1) -> tuple[Row, bool]:
    said = body({"start_sample": first, "samples": samples, "cause": cause})
    return Row("gap", "pbx", "c1", "agent", 0, said, seq, first, samples, epoch), True


def over(seq: int, sample: int, cause: str, epoch: int = 1) -> tuple[Row, bool]:
    return Row(
        "end", "pbx", "c1", "agent", 0, body({"samples": sample, "cause": cause}), seq, sample, epoch=epoch
    ), True


def test_a_client_that_moved_to_another_machine_has_one_leg() -> None:
    """The second machine knew nothing of it: the client declared what it no longer had, and sent some again."""
    left = [begin(), *(sound(n, (n - 1) * 800) for n in range(1, 6)), over(5, 4000, "disconnected")]
    came = [begin(), hole(3, 0, 2400), *(sound(n, (n - 1) * 800) for n in range(4, 9)), over(8, 6400, "end")]
    for found in ({("a/1", "c1"): left, ("b/1", "c1"): came}, {("b/1", "c1"): came, ("a/1", "c1"): left}):
        whole = uses(found)
        assert whole.audio is not None
        assert (whole.audio.segments, whole.audio.gaps) == ([(0, tone(6400))], [])
        assert (whole.audio.ended, whole.beside, whole.refused) == ("end", (), ())


def test_what_no_machine_has_stays_a_gap_with_its_cause() -> None:
    left = [begin(), sound(1, 0)]
    came = [begin(), hole(3, 0, 2400), sound(4, 2400)]
    whole = uses({("a/1", "c1"): left, ("b/1", "c1"): came}).audio
    assert whole is not None
    assert (whole.segments, whole.gaps) == ([(0, tone(800)), (2400, tone(800, 2400))], [(800, 1600, "overrun")])


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(0, 3))
def test_wherever_each_message_went_the_leg_is_whole(machines: list[str], kept: int) -> None:
    """At each move the client still has some of what it sent before, and sends it again."""
    found: dict[tuple[str, str], Rows] = {}
    at = dict.fromkeys(machines, 0)  # how far each machine knows the leg
    for n, name in enumerate(machines):
        rows = found.setdefault((f"{name}/1", "c1"), [begin(0)])
        again = n if n and machines[n - 1] == name else max(at[name], n - kept)
        if again > at[name]:
            rows.append(hole(again, at[name] * 800, (again - at[name]) * 800))
        rows += [sound(seq + 1, seq * 800) for seq in range(again, n + 1)]
        at[name] = n + 1
    whole = uses(found)
    assert whole.audio is not None
    assert (whole.audio.segments, whole.audio.gaps) == ([(0, tone(len(machines) * 800))], [])
    assert whole.refused == ()
    assert all(a < b for a, b in pairwise(start for start, _ in whole.audio.segments))


def test_other_sound_at_the_same_samples_is_kept_out_and_said() -> None:
    whole = uses({("a/1", "c1"): [begin(), sound(1, 0)], ("b/1", "c1"): [begin(), sound(1, 0, data=bytes(1600))]})
    assert whole.audio is not None
    assert whole.audio.segments == [(0, tone(800))]
    assert [(one.process, one.why) for one in whole.refused] == [("b/1", OTHER_SOUND)]


def test_a_one_time_name_that_was_used_on_two_machines_is_heard_once() -> None:
    first = [begin(epoch=0, once="uuid-1"), sound(1, 0, epoch=0)]
    second = [begin(epoch=0, once="uuid-1", late_s=3), sound(1, 0, data=bytes(1600), epoch=0)]
    whole = uses({("b/1", "c1"): second, ("a/1", "c1"): first})
    assert whole.audio is not None
    assert (whole.audio.segments, whole.beside) == ([(0, tone(800))], ())
    assert [(one.process, one.why) for one in whole.refused] == [("b/1", USED_TWICE)]


def test_a_sender_that_came_back_to_another_machine_has_a_leg_beside_the_first() -> None:
    """Let in by its key, or by another one-time name: nothing is wrong, and nothing may be laid over the first."""
    first = [begin(epoch=0, once="uuid-1"), sound(1, 0, epoch=0), over(2, 800, "reset", epoch=0)]
    second = [begin(epoch=0, once="uuid-2", late_s=3), sound(1, 0, data=bytes(1600), epoch=0)]
    whole = uses({("a/1", "c1"): first, ("b/1", "c1"): second})
    assert whole.audio is not None
    assert (whole.audio.segments, whole.audio.ended) == ([(0, tone(800))], "reset")
    assert [(one.started_at, one.segments) for one in whole.beside] == [(T0 + timedelta(seconds=3), [(0, bytes(1600))])]
    assert whole.refused == ()


def test_another_client_that_takes_a_leg_over_elsewhere_lies_beside_it() -> None:
    """It counts its samples from a begin of its own."""
    took = [begin(epoch=2, late_s=9), sound(1, 0, epoch=2)]
    whole = uses({("a/1", "c1"): [begin(), sound(1, 0)], ("b/1", "c1"): took})
    assert [one.started_at for one in whole.beside] == [T0 + timedelta(seconds=9)]
