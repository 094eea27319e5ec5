"""Ingest killed at named points: nothing acknowledged is lost, AudioSocket loses a blink and says so."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from ingest import spool
from ingest.errors import ClientError
from ingest.shell.client import AudioSocketClient, post_events
from ingest.shell.core import utc_now
from ingest.shell.faults import POINTS
from ingest.tokens import audiosocket_uuid
from tests.ingest import lab
from tests.ingest.values import SECRET, raw

KILLS = (1, pytest.param(3, marks=pytest.mark.slow))
MESSAGE = 800  # samples, 100 ms


@pytest.mark.parametrize("kills", KILLS)
@pytest.mark.parametrize("point", POINTS)
async def test_what_was_acknowledged_is_stored_whenever_the_process_dies(
    tmp_path: Path, point: str, kills: int
) -> None:
    rotate = 20_000 if point == "during-rotate" else 1 << 28
    nth = 2 if point == "during-rotate" else 4
    process = await lab.start(tmp_path, f"{point}:{nth}", rotate_bytes=rotate)
    ports, sent = (process.http, process.audio), 0
    async with lab.client(process.url, lab.hello()) as sender:
        for kill in range(kills):
            death = asyncio.create_task(process.killed())
            while not death.done():
                await sender.send(lab.tone(MESSAGE, sent))
                sent += MESSAGE
                await asyncio.wait([death], timeout=0.01)
            assert f"killed at {point}" in death.result()
            acked, stored = sender.progress.durable, stored_samples(tmp_path)
            assert stored >= acked * MESSAGE, f"kill {kill + 1}: {acked} messages acknowledged, {stored} samples stored"
            last = kill == kills - 1
            process = await lab.start(tmp_path, "" if last else f"{point}:{nth}", ports, rotate)
        await asyncio.wait_for(sender.finish(), lab.WAIT_S)
    assert await process.stop() == 0

    leg = spool.read_leg(tmp_path, "c1", "agent")
    assert (leg.gaps, leg.ended, leg.samples) == ([], "end", sent)
    assert leg.segments == [(0, lab.tone(sent))]


def stored_samples(folder: Path) -> int:
    try:
        leg = spool.read_leg(folder, "c1", "agent")
    except spool.SpoolError:
        return 0
    assert leg.gaps == []
    assert b"".join(data for _, data in leg.segments) == lab.tone(leg.samples)
    return leg.samples


@pytest.mark.parametrize("kills", KILLS)
async def test_audiosocket_loses_at_most_a_quarter_of_a_second_and_the_hole_is_a_gap(
    tmp_path: Path, kills: int
) -> None:
    for kill in range(kills):
        folder, ident = tmp_path / str(kill), audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
        process = await lab.start(folder, f"before-commit:{8 + kill}")
        sent = await play_until_death(process, ident)
        process = await lab.start(folder)
        assert await process.stop() == 0

        leg = spool.read_leg(folder, str(ident), "audiosocket")
        (start, data), (at, lost, cause) = leg.segments[0], leg.gaps[-1]
        assert (start, at, cause, leg.ended) == (0, len(data) // 2, "crash", "crash")
        assert data == lab.tone(len(data) // 2)
        assert sent - at <= 2000
        assert lost >= sent - at


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_was_set_makes_no_longer_hole(tmp_path: Path, hours: int) -> None:
    """How long nobody listened is told by the clock that nobody sets."""
    ident, began = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later()), time.monotonic()
    process = await lab.start(tmp_path, "before-commit:6")
    sent = await play_until_death(process, ident)
    async with lab.running(tmp_path, now=lambda: utc_now() + timedelta(hours=hours)) as ingest:
        await ingest.flush()
        leg = spool.read_leg(tmp_path, str(ident), "audiosocket")
    (at, lost, cause), passed_s = leg.gaps[-1], time.monotonic() - began
    assert (cause, leg.ended) == ("crash", "crash")
    assert sent - at <= lost <= passed_s * 8000


async def play_until_death(process: lab.Process, ident: object) -> int:
    """20 ms frames at real pace; the samples that went out while the process lived."""
    loop, death = asyncio.get_running_loop(), asyncio.create_task(process.killed())
    try:
        async with AudioSocketClient("127.0.0.1", process.audio, ident) as phone:  # type: ignore[arg-type]
            began = loop.time()
            while not death.done():
                await phone.send(lab.tone(160, phone.sent))
                await asyncio.wait([death], timeout=max(0, began + phone.sent / 8000 - loop.time()))
    except ClientError:
        assert "killed at before-commit" in await death
    return phone.sent


async def test_events_answered_with_200_are_there_after_a_kill_and_known_again(tmp_path: Path) -> None:
    process = await lab.start(tmp_path, "after-commit-before-ack:2")
    first = [raw("offered", 0), raw("ringing", 1)]
    assert (await post_events(process.url, first))["accepted"] == 2
    with pytest.raises(ClientError):
        await post_events(process.url, [raw("answered", 2)])
    assert "killed at after-commit-before-ack" in await process.killed()

    process = await lab.start(tmp_path)
    again = await post_events(process.url, [*first, raw("answered", 2), raw("ended", 9)])
    assert (again["accepted"], again["duplicates"]) == (1, 3)
    assert await process.stop() == 0


async def test_a_token_that_was_used_stays_used_after_a_kill(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "c1", "agent", "agent", lab.later())
    process = await lab.start(tmp_path, "before-commit:6")
    await play_until_death(process, ident)

    process = await lab.start(tmp_path)
    reader, writer = await asyncio.open_connection("127.0.0.1", process.audio)
    writer.write(b"\x01\x00\x10" + ident.bytes)
    assert await asyncio.wait_for(reader.read(), lab.WAIT_S) == b""
    await lab.hang_up(writer)
    async with aiohttp.ClientSession() as http, http.get(f"{process.url}/healthz") as answer:
        assert (await answer.json())["counts"]["audiosocket"] == 1  # refused, not let go after a silence
    assert await process.stop() == 0


async def test_two_processes_never_write_one_folder(tmp_path: Path) -> None:
    process = await lab.start(tmp_path)

    with pytest.raises(AssertionError, match="another ingest process writes here"):
        await lab.start(tmp_path)
    assert await process.stop() == 0
