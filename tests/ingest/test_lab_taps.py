"""Taps on a real Asterisk with real phones: both legs whole from the first ring on, and nothing left behind."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest import spool
from ingest.errors import AriError
from ingest.legs import WIDTHS, LegAudio
from ingest.shell.ari_client import AriTaps, greet
from ingest.shell.pcm_socket import PcmWay
from ingest.sources import Source, Sources
from speech.audio import decode_raw
from tests.ingest import lab
from tests.ingest.values import SECRET
from tests.lab import phones
from tests.lab.ami import listening
from tests.lab.asterisk import Asterisk, held, why_not
from tests.lab.tapping import ARI_CONFIG, tapping, taps_of

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]
RATE = 8000
RING_S, TALK_S = 3.0, 14.0


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


def heard(leg: LegAudio) -> NDArray[np.int16]:
    """All samples, holes as silence."""
    whole, width = np.zeros(leg.samples, np.int16), WIDTHS[leg.encoding]
    for start, data in leg.segments:
        law = "mulaw" if leg.encoding == "ulaw" else "slin"
        whole[start : start + len(data) // width] = decode_raw(data, law, leg.rate).pcm[0]
    return whole


def begins_s(leg: LegAudio) -> float:
    """Where the party begins to speak."""
    return float(np.flatnonzero(np.abs(heard(leg).astype(int)) > 1000)[0] / RATE)


def hertz(leg: LegAudio, seconds: float) -> float:
    """The loudest tone from the first word on."""
    first = round((begins_s(leg) + 0.1) * RATE)
    piece = heard(leg)[first : first + round(seconds * RATE)].astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(piece * np.hanning(len(piece))))) * RATE / len(piece))


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
        assert abs(begins_s(leg) - RING_S) < 0.7
        assert abs(hertz(leg, TALK_S - 1) - phones.HZ[tap.role]) < 1


@pytest.mark.parametrize("form", ["json", "plain-text"])
async def test_both_legs_come_by_the_switchboards_media_websocket(
    asterisk: Asterisk, tmp_path: Path, record_property: Callable[[str, object], None], form: str
) -> None:
    sources = Sources([Source("lab-pbx", keys=("lab-key",))])
    config = replace(ARI_CONFIG, connection="seatwatch_pcm")
    ways = [partial(PcmWay, heartbeat_seconds=1)]  # pings within the short call; Asterisk answers them
    async with listening() as ami, tapping(tmp_path, config, ways=ways, sources=sources) as hearing:
        await asterisk.send_audio_to(hearing.ingest.http_port, "lab-key", form)
        async with phones.answered(1, 5):
            wanted = taps_of(await ami.rings())
            for tap in wanted:
                hearing.taps.want(tap)
            await hearing.until_heard(2)
        await hearing.until_quiet()
        legs = [spool.read_leg(tmp_path, tap.call, tap.leg) for tap in wanted]
        assert await left_behind(asterisk) == []

    record_property(
        "summary", f"taps by WebSocket, {form}: ring 1 s, talk 5 s: {[leg.samples / 160 for leg in legs]} frames"
    )
    for tap, leg in zip(wanted, legs, strict=True):
        assert (leg.role, leg.encoding, leg.ended, leg.gaps) == (tap.role, "ulaw", "end", [])
        assert abs(leg.samples / RATE - 6) < 0.7
        assert abs(hertz(leg, 4) - phones.HZ[tap.role]) < 1


async def test_while_ari_is_away_the_call_goes_on_and_the_missing_leg_is_named(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    async with lab.running(tmp_path) as ingest:
        taps = AriTaps(replace(ARI_CONFIG, url="http://127.0.0.1:9"), ingest.core, SECRET)
        await taps.start()
        try:
            async with listening() as ami, phones.answered(1, 5):
                for tap in taps_of(await ami.rings()):
                    taps.want(tap)
        finally:
            await taps.stop()
        await ingest.flush()

    assert [(one["type"], one["role"], one["gap"], one["why"]) for one in lab.stored_events(tmp_path)] == [
        ("leg", "customer", "no_tap", "ARI was away"),
        ("leg", "agent", "no_tap", "ARI was away"),
    ]


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
