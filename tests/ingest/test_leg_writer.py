"""A leg written by a sender that never resends: places, gaps of the sender's own telling, limits."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from ingest import spool
from ingest.admission import Opened
from ingest.errors import PaceError
from ingest.shell.faults import Faults
from ingest.shell.legs import LegWriter
from ingest.shell.writer import SpoolLimits
from ingest.sources import Source
from tests.ingest import lab
from tests.ingest.lab import tone

OPENED = Opened("c1", "inbound", "customer")


async def test_what_the_sender_tells_stands_where_it_was_told(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        leg = LegWriter(ingest.core, OPENED, "media", "ulaw", clocked=False)
        leg.gap(80, "pause")
        leg.audio(b"\x11" * 160)
        leg.gap(40, "loss")
        leg.audio(b"\x22" * 160)
        leg.end("hangup")
        leg.end("shutdown")
        await ingest.flush()
        found = spool.read_leg(tmp_path, "c1", "inbound")
    assert found.segments == [(80, b"\x11" * 160), (280, b"\x22" * 160)]
    assert found.gaps == [(0, 80, "pause"), (240, 40, "loss")]
    assert (found.encoding, found.role, found.ended, found.samples) == ("ulaw", "customer", "hangup", 440)


async def test_nothing_but_an_end_is_a_leg_without_a_sample(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        LegWriter(ingest.core, OPENED, "media").end("eof")
        await ingest.flush()
        found = spool.read_leg(tmp_path, "c1", "inbound")
    assert (found.samples, found.segments, found.ended) == (0, [], "eof")


class Clock:
    """The clock of a core, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


# seconds of sound and of nothing behind it -> the leg's holes in milliseconds
STALLS = [
    ([(1.0, 4.0), (1.0, 0.0)], [(1000, 4000)]),  # it ends before the lag was lasting
    ([(1.0, 1.5), (3.0, 0.0)], [(1000, 1500)]),
    ([(1.0, 0.6), (0.5, 0.6), (2.0, 0.0)], [(1000, 600), (2100, 600)]),
]


@pytest.mark.parametrize(("talks", "holes"), STALLS)
async def test_a_hole_lies_where_nothing_came(
    tmp_path: Path, talks: list[tuple[float, float]], holes: list[tuple[int, int]]
) -> None:
    """What is read is stored at once all the same: the clock decides later, and says since when."""
    clock, said = Clock(), 0
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = clock
        leg = LegWriter(ingest.core, OPENED, "media")
        for talk_s, stall_s in talks:
            for _ in range(round(talk_s * 10)):
                clock.now_s += 0.1
                leg.audio(tone(800, said))
                said += 800
                ingest.core.flush_legs()
                assert not leg.gathered()
            clock.now_s += stall_s
        leg.end("eof")
        await ingest.flush()
        found = spool.read_leg(tmp_path, "c1", "inbound")
    assert [(start // 8, count // 8, cause) for start, count, cause in found.gaps] == [
        (pytest.approx(start, abs=2), pytest.approx(ms, abs=2), "loss") for start, ms in holes
    ]
    assert b"".join(data for _, data in found.segments) == tone(said)
    assert found.samples == said + sum(count for _, count, _ in found.gaps)


async def test_a_sender_that_only_comes_late_has_no_hole(tmp_path: Path) -> None:
    clock = Clock()
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = clock
        leg = LegWriter(ingest.core, OPENED, "media")
        for wait_s in [0.1] * 10 + [2.1] + [0.0] * 20 + [0.1] * 5:
            clock.now_s += wait_s
            leg.audio(tone(800, leg.samples))
        leg.end("eof")
        await ingest.flush()
        found = spool.read_leg(tmp_path, "c1", "inbound")
    assert (found.gaps, found.segments) == ([], [(0, tone(36 * 800))])


@pytest.mark.parametrize("clocked", [True, False])
async def test_audio_that_runs_ahead_of_the_clock_is_refused(tmp_path: Path, clocked: bool) -> None:
    async with lab.running(tmp_path) as ingest:
        leg = LegWriter(ingest.core, OPENED, "media", clocked=clocked)
        with pytest.raises(PaceError, match="faster than it can sound"):
            for second in range(10):
                leg.audio(tone(8000, second * 8000))


async def test_words_beside_the_audio_have_a_limit(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        leg = LegWriter(ingest.core, OPENED, "media")
        with pytest.raises(PaceError, match="no audio"):
            for _ in range(10):
                leg.control(1000)


async def test_a_source_has_as_many_legs_at_once_as_it_may(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        source = Source("pbx", legs=2)
        legs = [LegWriter(ingest.core, Opened("c1", name, "customer"), "pbx") for name in ("a", "b")]
        assert "its limit" in str(ingest.core.no_room(source))
        legs[0].end("hangup")
        assert ingest.core.no_room(source) is None and ingest.core.no_room(source, legs=2)


async def test_what_the_queue_has_no_room_for_is_declared(tmp_path: Path) -> None:
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(lab.WAIT_S)

    faults, limits = Faults("before-commit", 1, hold), SpoolLimits(queue_bytes=20_000)
    async with lab.running(tmp_path, faults=faults, spool=limits) as ingest:
        leg = LegWriter(ingest.core, OPENED, "media", clocked=False)
        ingest.core.mono = lambda: leg.samples / 8000
        for _ in range(50):
            leg.audio(tone(800, leg.samples))
            ingest.core.flush_legs()
        assert held.wait(lab.WAIT_S) and not leg.whole
        go.set()
        async with asyncio.timeout(lab.WAIT_S):
            while ingest.spool.fill:
                await lab.tick()
        leg.audio(tone(800, leg.samples))
        leg.end("hangup")
        await ingest.flush()
        found = spool.read_leg(tmp_path, "c1", "inbound")
    (start, lost, cause), (tail, data) = found.gaps[0], found.segments[-1]
    assert (len(found.gaps), cause, tail) == (1, "overrun", start + lost)
    assert data == tone(800, tail) and found.samples == leg.samples == 51 * 800
