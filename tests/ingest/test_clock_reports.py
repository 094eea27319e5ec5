"""How a leg keeps time is told beside its audio: by /stream clients, and by ingest for senders that say nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import spool
from ingest.admission import Opened
from ingest.errors import StreamError
from ingest.shell.legs import LegWriter
from ingest.stream import Clock, read_message, write_clock
from tests.ingest import lab


@given(st.integers(0, 2**40), st.integers(10**9, 2**31).map(lambda second: datetime.fromtimestamp(second, UTC)))
def test_a_report_is_read_as_it_was_written(sample: int, at: datetime) -> None:
    assert read_message(write_clock(Clock(sample, at))) == Clock(sample, at)


@pytest.mark.parametrize("text", ['{"type":"clock"}', '{"type":"clock","sample":-1,"at":"2026-11-21T09:00:00Z"}',
                                  '{"type":"clock","sample":1,"at":"2026-11-21T09:00:00"}'])  # fmt: skip
def test_a_report_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(StreamError):
        read_message(text)


async def test_a_client_that_reports_its_clock_shows_how_far_its_samples_ran_apart(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest:
        greeting = lab.hello()
        async with lab.client(lab.url(ingest), greeting) as sender:
            await sender.send(lab.tone(800))
            sender.clock(greeting.at + timedelta(milliseconds=100 + 350))  # 100 ms of sound took 450 ms of its clock
            await sender.send(lab.tone(800, 800))
            await sender.finish()
        leg = spool.read_leg(tmp_path, "c1", "agent")
    assert leg.segments == [(0, lab.tone(1600))]
    assert leg.drift_ms == 350


class Slow:
    """The clock of a core, moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_sender_with_a_slow_crystal_is_measured_not_blamed(tmp_path: Path) -> None:
    """500 ppm: over an hour nothing is lost, and the leg says how far it ran behind."""
    clock = Slow()
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = clock
        leg = LegWriter(ingest.core, Opened("c1", "agent", "agent"), "media", "ulaw")
        for _ in range(7200):
            clock.now_s += 0.50025
            leg.audio(bytes(4_000))
        leg.end("hangup")
        await ingest.flush()
        found = spool.read_leg(tmp_path, "c1", "agent")
    assert found.gaps == []
    assert found.drift_ms is not None and 1600 <= found.drift_ms <= 1800
