"""Taps on a real Asterisk with real phones: both legs whole from the first ring on, and nothing left behind."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest import spool
from ingest.errors import AriError
from ingest.legs import LegAudio
from ingest.shell.ari_client import greet
from tests.ingest import lab
from tests.lab import phones
from tests.lab.ami import listening
from tests.lab.asterisk import Asterisk, held, why_not
from tests.lab.tapping import ARI_CONFIG, tapping, taps_of

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]
RATE = 8000
RING_S, TALK_S = 3.0, 14.0
SETTLE_S = 0.35  # a phone speaks this much after its answer


@pytest.fixture(scope="module")
async def asterisk() -> AsyncIterator[Asterisk]:
    async with held() as one:
        yield one


async def left_behind(asterisk: Asterisk) -> list[str]:
    """Channels and bridges that are there; waits a while for the switchboard to put a call away."""
    left: list[str] = []
    for _ in range(100):
        bridges = (await asterisk.cli("bridge show all")).splitlines()
        channels = (await asterisk.cli("core show channels concise")).splitlines()
        left = [line for line in [*bridges, *channels] if line.strip() and "Bridge-ID" not in line]
        if not left:
            return []
        await lab.tick()
    return left


def hertz(leg: LegAudio, from_s: float, to_s: float) -> float:
    """The loudest tone of a stretch."""
    whole = np.zeros(leg.samples, np.int16)
    for start, data in leg.segments:
        whole[start : start + len(data) // 2] = np.frombuffer(data, "<i2")
    piece = whole[round(from_s * RATE) : round(to_s * RATE)].astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(piece * np.hanning(len(piece))))) * RATE / len(piece))


def begins_s(leg: LegAudio) -> float:
    """Where the party begins to speak."""
    for start, data in leg.segments:
        loud = np.flatnonzero(np.abs(np.frombuffer(data, "<i2").astype(int)) > 1000)
        if len(loud):
            return float((start + loud[0]) / RATE)
    raise AssertionError("silence")


async def test_both_legs_are_whole_from_the_first_ring_on(
    asterisk: Asterisk, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with listening() as ami, tapping(tmp_path) as hearing:
        async with phones.answered(RING_S, TALK_S):
            wanted = taps_of(await ami.rings())
            for tap in wanted:
                hearing.taps.want(tap)
            await hearing.until_heard(2)
        await hearing.until_quiet()
        legs = [spool.read_leg(tmp_path, tap.call, tap.leg) for tap in wanted]
        assert await left_behind(asterisk) == []

    told = [
        f"{tap.role} {leg.samples} samples ({leg.samples / 160:.1f} frames), speaks at {begins_s(leg):.2f} s"
        for tap, leg in zip(wanted, legs, strict=True)
    ]
    record_property("summary", f"taps: ring {RING_S} s, talk {TALK_S} s: {'; '.join(told)}")
    for tap, leg in zip(wanted, legs, strict=True):
        assert leg.role == tap.role
        assert leg.ended == "eof"
        assert leg.gaps == []
        assert abs(leg.samples / RATE - RING_S - TALK_S) < 0.7
        begin = begins_s(leg)
        assert abs(begin - RING_S) < 0.7
        assert abs(hertz(leg, begin + 0.1, begin + 13) - phones.HZ[tap.role]) < 1


async def test_ingest_is_killed_in_mid_call_and_the_call_goes_on(asterisk: Asterisk, tmp_path: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.lab.tapping", str(tmp_path), stdin=pipe, stdout=pipe, cwd=lab.ROOT
    )
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), 20) == b"up\n"
    async with listening() as ami, phones.answered(1, 6):
        wanted = taps_of(await ami.rings())
        assert await asyncio.wait_for(child.stdout.readline(), 20) == b"heard\n"
        child.kill()
        await child.communicate()
        async with tapping(tmp_path) as hearing:
            for tap in wanted:
                hearing.taps.want(tap)
            await hearing.until_heard(2)
            await ami.until(lambda event: event.get("Event") == "AgentComplete")
            await hearing.until_quiet()
            for tap in wanted:
                before, after = (spool.read_leg(tmp_path, tap.call, leg) for leg in (tap.leg, f"{tap.leg}+2"))
                assert (before.ended, after.ended) == ("crash", "eof")
                assert after.started_at is not None and before.started_at is not None
                assert after.started_at > before.started_at
                assert after.role == tap.role
    assert await left_behind(asterisk) == []


async def test_a_wrong_password_is_named(asterisk: Asterisk) -> None:
    assert (await greet(ARI_CONFIG)).startswith("Asterisk ")
    with pytest.raises(AriError, match="password is wrong"):
        await greet(replace(ARI_CONFIG, secret="no"))
