"""AudioHook clients on real sockets: every byte of theirs is stored, and nobody else's."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from threading import Event
from typing import Any

import aiohttp
import pytest

from ingest import spool
from ingest.audiohook_messages import NULL_ID
from ingest.shell.audiohook_socket import AudioHookConfig, AudioHookWay
from ingest.shell.core import Core
from ingest.shell.faults import Faults
from ingest.sources import Source, Sources
from tests.ingest import lab
from tests.ingest.hook import GENESYS, HookClient
from tests.ingest.test_service import stored
from tests.ingest.test_tail import Kept

CONFIG = AudioHookConfig(failure_seconds=0.05)
FRAME_SAMPLES = 1600


def way(core: Core, sources: Sources) -> AudioHookWay:
    return AudioHookWay(core, sources, CONFIG)


def ingest_at(folder: Path, *sources: Source, **own: Any) -> Any:
    return lab.running(folder, sources=Sources(sources or (GENESYS,)), ways=(way,), **own)


def channel(of: int, samples: int) -> bytes:
    """One channel's bytes, different for each session and party."""
    return bytes((at * 31 + of * 17 + at // 251) % 256 for at in range(samples))


def interleaved(first: bytes, second: bytes) -> bytes:
    both = bytearray(2 * len(first))
    both[::2], both[1::2] = first, second
    return bytes(both)


async def session(url: str, number: int, frames: int) -> HookClient:
    """A whole call: 200 ms frames, as they are."""
    audio = interleaved(*(channel(2 * number + party, frames * FRAME_SAMPLES) for party in (0, 1)))
    async with HookClient(url) as client:
        await client.open()
        for at in range(0, len(audio), 2 * FRAME_SAMPLES):
            await client.send(audio[at : at + 2 * FRAME_SAMPLES])
        await client.say("ping")
        await client.hear("pong")
        await client.finish()
    return client


async def parallel(folder: Path, count: int, frames: int) -> None:
    sink = Kept()
    async with ingest_at(folder, sink=sink) as ingest:
        clients = await asyncio.gather(*(session(lab.url(ingest), number, frames) for number in range(count)))
        for number, client in enumerate(clients):
            for party, name in enumerate(("external", "internal")):
                leg = await stored(folder, *client.leg(name), ended="end")
                assert leg.segments == [(0, channel(2 * number + party, frames * FRAME_SAMPLES))]
                assert (leg.gaps, leg.encoding, leg.rate) == ([], "ulaw", 8000)
                assert leg.role == ("customer", "agent")[party]
        await ingest.flush()
    told = [json.loads(row.payload) for row in sink.rows if row.kind == "event"]
    assert len(told) == 2 * count and {one["source"] for one in told} == {"genesys"}
    assert {(one["call"], one["leg"]) for one in told} == {
        client.leg(name) for client in clients for name in ("external", "internal")
    }


async def test_parallel_sessions_are_stored_byte_for_byte(tmp_path: Path) -> None:
    await parallel(tmp_path, count=5, frames=12)


@pytest.mark.slow
async def test_forty_parallel_sessions_are_stored_byte_for_byte(tmp_path: Path) -> None:
    await parallel(tmp_path, count=40, frames=24)


async def test_what_a_leg_event_says(tmp_path: Path) -> None:
    sink = Kept()
    async with ingest_at(tmp_path, sink=sink) as ingest, HookClient(lab.url(ingest)) as client:
        await client.open(customConfig={"seat": "1001", "agent": "A01"}, language="zh-CN")
        await client.finish()
        await ingest.flush()
    outside, inside = (json.loads(row.payload) for row in sink.rows if row.kind == "event")

    assert (outside["role"], outside["channel"], outside["ani"]) == ("customer", "external", "*******1234")
    assert (inside["role"], inside["seat"], inside["agent"], inside["call"]) == ("agent", "1001", "A01", client.call)
    assert "seat" not in outside and outside["participant"] == inside["participant"] and "aniName" not in outside


async def refused(client: HookClient, headers: dict[str, str] | None = None) -> float:
    """How long a refused handshake took."""
    began_s = time.monotonic()
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await client.connect(headers or client.headers())
    assert error.value.status == 401
    return time.monotonic() - began_s


async def test_who_cannot_sign_is_kept_out_and_kept_waiting(tmp_path: Path) -> None:
    bare = Source("bare", ("bare-key",))
    spoilt = Source("spoilt", ("spoilt-key",), "no base64!")
    elsewhere = Source("elsewhere", ("pbx-key",), ways=frozenset({"events"}))
    async with ingest_at(tmp_path, GENESYS, bare, spoilt, elsewhere) as ingest:
        url = lab.url(ingest)
        for client in (
            HookClient(url, secret="d3Jvbmc="),
            HookClient(url, secret=None),
            HookClient(url, key="unknown"),
            HookClient(url, key="unknown", secret=None),
            HookClient(url, key="bare-key"),
            HookClient(url, key="spoilt-key"),
            HookClient(url, key="spoilt-key", secret=None),
            HookClient(url, key="pbx-key", secret=None),
        ):
            assert await refused(client) >= CONFIG.failure_seconds
        old = HookClient(url)
        assert await refused(old, old.headers(created=time.time() - 12)) >= CONFIG.failure_seconds
        assert ingest.core.counts["audiohook authentication"] == 9
        async with HookClient(url, key="bare-key", secret=None) as client:
            await client.open()


async def test_half_a_second_is_the_floor(tmp_path: Path) -> None:
    ways = (AudioHookWay,)
    async with lab.running(tmp_path, sources=Sources([GENESYS]), ways=ways) as ingest:
        assert await refused(HookClient(lab.url(ingest), key="unknown")) >= 0.5


async def test_a_handshake_cannot_be_sent_again(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest:
        client = HookClient(lab.url(ingest))
        headers = client.headers()
        await client.connect(headers)
        await client.open()
        await refused(HookClient(lab.url(ingest)), headers)
        await client.finish()
        await client.__aexit__()


async def test_a_session_id_opens_legs_once_also_after_a_restart(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as first:
        await first.open()
        await first.send(b"ab")
        await first.finish()
    for _ in range(2):
        async with (
            ingest_at(tmp_path) as ingest,
            HookClient(lab.url(ingest), session=first.session, call=first.call) as again,
        ):
            await again.ask()
            assert (await again.hear("disconnect"))["reason"] == "unauthorized"
    leg = await stored(tmp_path, *first.leg("external"), ended="end")
    assert leg.segments == [(0, b"a")]


async def test_another_process_of_the_machine_knows_the_session_too(tmp_path: Path) -> None:
    async with (
        ingest_at(tmp_path / "a", beside=tmp_path) as here,
        ingest_at(tmp_path / "b", beside=tmp_path) as there,
        HookClient(lab.url(here)) as first,
        HookClient(lab.url(there), session=first.session) as again,
    ):
        await first.open()
        await again.ask()
        assert "was here before" in (await again.hear("disconnect"))["info"]


async def test_behind_a_proxy_the_public_url_is_what_was_signed(tmp_path: Path) -> None:
    config = AudioHookConfig("wss://qa.example.com/audiohook", failure_seconds=0.05)
    ways = (lambda core, sources: AudioHookWay(core, sources, config),)
    async with lab.running(tmp_path, sources=Sources([GENESYS]), ways=ways) as ingest:
        client = HookClient("http://qa.example.com")
        headers = client.headers()
        client.url = lab.url(ingest)
        await client.connect(headers)
        await client.open()
        await client.__aexit__()
        await refused(HookClient(lab.url(ingest)))


async def test_without_sources_this_machine_needs_no_key(tmp_path: Path) -> None:
    async with lab.running(tmp_path, ways=(way,)) as ingest, HookClient(lab.url(ingest), secret=None) as client:
        await client.open()
        await client.send(b"ab")
        await client.finish()
        leg = await stored(tmp_path, *client.leg("internal"), ended="end")
        assert leg.segments == [(0, b"b")]


async def test_a_probe_makes_no_call(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest:
        async with HookClient(lab.url(ingest)) as client:
            await client.probe()
            await client.send(b"")
            await client.finish()
        assert ingest.core.counts["audiohook probes"] == 1
        with pytest.raises(spool.SpoolError):
            spool.read_leg(tmp_path, NULL_ID, client.leg("external")[1])


async def test_paused_and_discarded_time_is_stored_as_such(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as client:
        await client.open()
        await client.send(b"aA" * 800)
        await client.say("paused")
        await client.say("resumed", {"start": "PT0.1S", "discarded": "PT1S"})
        await client.send(b"bB" * 800)
        await client.say("discarded", {"start": "PT1.2S", "discarded": "PT0.5S"})
        await client.send(b"cC" * 800)
        await client.finish()
        leg = await stored(tmp_path, *client.leg("external"), ended="end")

    assert leg.gaps == [(800, 8000, "pause"), (9600, 4000, "discard")]
    assert leg.segments == [(0, b"a" * 800), (8800, b"b" * 800), (13600, b"c" * 800)]


async def test_a_dropped_connection_ends_the_legs(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest:
        async with HookClient(lab.url(ingest)) as client:
            await client.open()
            await client.send(b"ab")
        leg = await stored(tmp_path, *client.leg("external"), ended="disconnected")
        assert leg.segments == [(0, b"a")]


async def test_the_process_goes_with_a_word(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest:
        client = HookClient(lab.url(ingest))
        await client.connect(client.headers())
        await client.open()
        await client.send(b"ab")
        stopping = asyncio.create_task(ingest.stop())
        assert (await client.hear("disconnect"))["reason"] == "completed"
        await client.send(b"cd")
        await client.finish("disconnect")
        await client.__aexit__()
        await stopping
        leg = await stored(tmp_path, *client.leg("internal"), ended="shutdown")
        assert leg.segments == [(0, b"bd")]


async def test_the_largest_frame_is_taken_and_a_larger_one_hurts_nobody_else(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as good:
        await good.open()
        await good.send(b"gG" * 32768)
        async with HookClient(lab.url(ingest)) as bad:
            await bad.open()
            await bad.send(bytes(65538))
            assert await bad.closed() == 1009
        await stored(tmp_path, *bad.leg("external"), ended="error")
        await good.finish()
        leg = await stored(tmp_path, *good.leg("external"), ended="end")
        assert leg.segments == [(0, b"g" * 32768)]


async def test_a_broken_message_is_told_and_the_client_closes(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as client:
        await client.open()
        await client.ws.send_str("[" * 30_000)
        assert (await client.hear("disconnect"))["reason"] == "error"
        await client.send(b"ab")
        await client.finish("disconnect")
        leg = await stored(tmp_path, *client.leg("external"), ended="error")
        assert leg.segments == [] and ingest.core.counts["audiohook message"] == 1


async def test_audio_faster_than_sound_is_cut(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as client:
        await client.open()
        for _ in range(3):
            await client.send(bytes(65536))
        assert "real pace" in (await client.hear("disconnect"))["info"]


async def test_a_source_has_so_many_legs(tmp_path: Path) -> None:
    few = Source("genesys", GENESYS.keys, GENESYS.secret, legs=2)
    async with ingest_at(tmp_path, few) as ingest, HookClient(lab.url(ingest)) as first:
        await first.open()
        async with HookClient(lab.url(ingest)) as second:
            await second.ask()
            assert "2 legs" in (await second.hear("disconnect"))["info"]
        await first.finish()
        async with HookClient(lab.url(ingest)) as third:
            await third.open()


async def test_a_flood_of_messages_is_cut(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as client:
        await client.open()
        for _ in range(1000):
            await client.say("paused")
        await client.closed()
        await stored(tmp_path, *client.leg("external"), ended="error")


@pytest.mark.parametrize("answers", [True, False])
async def test_who_never_opens_is_told_and_let_go(tmp_path: Path, answers: bool) -> None:
    config = AudioHookConfig(open_seconds=0.05, leave_seconds=0.2)
    ways = (lambda core, sources: AudioHookWay(core, sources, config),)
    async with lab.running(tmp_path, ways=ways) as ingest, HookClient(lab.url(ingest), secret=None) as client:
        told = await client.hear("disconnect")
        assert told == {"reason": "error", "info": "no open within 0.05 s; begin a new session"}
        if answers:
            await client.finish()
        assert await client.closed() in (1000, 1006, None)


async def test_who_says_nothing_any_more_is_told_and_let_go(tmp_path: Path) -> None:
    config = AudioHookConfig(idle_seconds=0.2, leave_seconds=0.2)
    ways = (lambda core, sources: AudioHookWay(core, sources, config),)
    async with lab.running(tmp_path, ways=ways) as ingest, HookClient(lab.url(ingest), secret=None) as client:
        await client.open()
        await client.send(b"aA" * 800)
        assert (await client.hear("disconnect"))["info"].startswith("no message within 0.2 s")
        leg = await stored(tmp_path, *client.leg("external"), ended="idle")
        assert await client.closed() in (1000, 1006, None)
    assert leg.segments == [(0, b"a" * 800)]


async def test_ids_that_are_none_are_refused(tmp_path: Path) -> None:
    async with lab.running(tmp_path, ways=(way,)) as ingest:
        client = HookClient(lab.url(ingest), secret=None, session="../../etc")
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await client.connect(client.headers())
        assert error.value.status == 400


async def test_a_key_of_odd_bytes_is_no_traceback(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.http_port)
        writer.write(b"GET /audiohook HTTP/1.1\r\nHost: x\r\nX-API-KEY: \xff\xfe\r\nSignature: \xff\r\n\r\n")
        assert b"401" in await asyncio.wait_for(reader.readline(), lab.WAIT_S)
        await lab.hang_up(writer)


async def test_pings_are_answered_while_the_disk_hangs(tmp_path: Path) -> None:
    """Of audio nothing is lost either: it waits in the queue."""
    hangs, goes_on = Event(), Event()

    def hang() -> None:
        hangs.set()
        goes_on.wait(lab.WAIT_S)

    async with ingest_at(tmp_path, faults=Faults("before-commit", 2, hang)) as ingest:
        async with HookClient(lab.url(ingest)) as client:
            await client.open()
            await client.send(b"ab" * 1600)
            await asyncio.to_thread(hangs.wait, lab.WAIT_S)
            for _ in range(3):
                await client.send(b"ab" * 1600)
                await client.say("ping")
                await client.hear("pong")
            goes_on.set()
            await client.finish()
        leg = await stored(tmp_path, *client.leg("external"), ended="end")
        assert leg.segments == [(0, b"a" * 6400)]
