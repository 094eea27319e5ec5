"""/pcm over real sockets: the three dialects to stored legs, tokens once, limits, and what the end was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ingest import spool
from ingest.legs import LegAudio
from ingest.shell.pcm_socket import PcmWay
from ingest.shell.service import Ingest
from ingest.sources import Source, Sources
from ingest.tokens import audiosocket_uuid, stream_token
from tests.ingest import lab
from tests.ingest.lab import later, tone
from tests.ingest.test_pcm import LISTEN, START
from tests.ingest.values import SECRET

FORK, JAMBONZ, MEDIA = "audio.drachtio.org", "audio.jambonz.org", "media"


@asynccontextmanager
async def running(folder: Path, **own: Any) -> AsyncIterator[Ingest]:
    async with lab.running(folder, ways=[PcmWay], **own) as ingest:
        yield ingest


@asynccontextmanager
async def connected(
    ingest: Ingest, *protocols: str, query: str = "", **own: Any
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{lab.url(ingest)}/pcm{query}", protocols=protocols, **own) as ws,
    ):
        yield ws


async def send(ingest: Ingest, protocols: Sequence[str], *messages: str | bytes, query: str = "", **own: Any) -> int:
    """A whole connection; the code that it was closed with, by whichever side."""
    async with connected(ingest, *protocols, query=query, **own) as ws:
        for message in messages:
            await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
        if messages and isinstance(messages[-1], bytes):
            await ws.close()
        else:
            await ws.receive(10)
        return ws.close_code or 0


async def stored(ingest: Ingest, call: str, leg: str) -> LegAudio:
    async with asyncio.timeout(10):
        while ingest.core.open_legs.total():
            await lab.tick()
    await ingest.flush()
    return spool.read_leg(ingest.config.folder, call, leg)


async def test_asterisk_sends_a_leg_that_we_asked_for(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "lab-17.0", "17.1", "agent", later())
    start = json.dumps({**START, "channel_id": f"seatwatch-media-c0ffee-{ident}"})
    async with running(tmp_path) as ingest:
        told = [{"source": "lab", "id": "t1", "at": later().isoformat(), "type": "leg", "call": "lab-17.0",
                 "leg": "17.1", "role": "agent", "audio": {"audiosocket": str(ident)}}]  # fmt: skip
        await ingest.core.take_events(told)
        assert await send(ingest, [MEDIA], start, *[b"\xd5" * 160] * 50) == 1000
        leg = await stored(ingest, "lab-17.0", "17.1")
        again = await send(ingest, [MEDIA], start)

    assert (leg.encoding, leg.rate, leg.role, leg.samples, leg.ended) == ("ulaw", 8000, "agent", 8000, "end")
    assert again == 1008


async def test_a_tap_of_ours_that_brings_no_audio_is_let_go_soon(tmp_path: Path) -> None:
    """Its bridge has no sound: made anew at once, little of the greeting is missing."""
    ident = audiosocket_uuid(SECRET, "lab-17.0", "17.1", "agent", later())
    start = json.dumps({**START, "channel_id": f"seatwatch-media-c0ffee-{ident}"})
    async with lab.running(tmp_path, ways=[partial(PcmWay, prompt_seconds=0.05)]) as ingest:
        ingest.core.prompt.add(str(ident))
        assert await send(ingest, [MEDIA], start) == 1001
        leg = await stored(ingest, str(ident), "audiosocket")

    assert (leg.samples, leg.ended) == (0, "idle")


async def test_a_tap_of_ours_that_has_begun_may_be_silent(tmp_path: Path) -> None:
    ident = audiosocket_uuid(SECRET, "lab-17.0", "17.1", "agent", later())
    start = json.dumps({**START, "channel_id": f"seatwatch-media-c0ffee-{ident}"})
    async with lab.running(tmp_path, ways=[partial(PcmWay, prompt_seconds=0.3)]) as ingest:
        ingest.core.prompt.add(str(ident))
        async with connected(ingest, MEDIA) as ws:
            await ws.send_str(start)
            await ws.send_bytes(b"\xd5" * 160)
            with pytest.raises(TimeoutError):
                await ws.receive(0.6)


async def test_a_fork_sends_both_parties_in_large_messages(tmp_path: Path) -> None:
    said = json.dumps({"call": "fs-1", "rate": 16000, "mix": "stereo", "seat": "1001", "agent": "A01"})
    caller, callee = tone(80_000), tone(80_000, 80_000)
    pairs = b"".join(caller[at : at + 2] + callee[at : at + 2] for at in range(0, len(caller), 2))
    async with running(tmp_path) as ingest:
        assert len(pairs) == 320_000
        assert await send(ingest, [FORK], said, pairs) == 1000
        legs = [await stored(ingest, "fs-1", name) for name in ("caller", "callee")]
        found = lab.stored_events(tmp_path)

    assert [(leg.role, leg.rate, leg.segments) for leg in legs] == [
        ("customer", 16000, [(0, caller)]),
        ("agent", 16000, [(0, callee)]),
    ]
    assert [(one["leg"], one["role"], one.get("seat"), one.get("agent")) for one in found] == [
        ("caller", "customer", None, None),
        ("callee", "agent", "1001", "A01"),
    ]


async def test_a_stream_module_without_a_subprotocol_is_a_fork(tmp_path: Path) -> None:
    async with running(tmp_path) as ingest:
        await send(ingest, [], tone(160), query="?call=fs-2&role=customer", headers={"Authorization": "Bearer any"})
        leg = await stored(ingest, "fs-2", "customer")

    assert leg.segments == [(0, tone(160))]


async def test_jambonz_sends_digits_between_its_audio(tmp_path: Path) -> None:
    said, digit = (
        json.dumps({**LISTEN, "mixType": "mono", "role": "customer"}),
        json.dumps({"event": "dtmf", "dtmf": "5"}),
    )
    async with running(tmp_path) as ingest:
        await send(ingest, [JAMBONZ], said, tone(320), digit, tone(320, 320))
        leg = await stored(ingest, str(LISTEN["callSid"]), "customer")

    assert leg.segments == [(0, tone(640))]
    assert b'"5"' not in b"".join(path.read_bytes() for path in spool.all_files(tmp_path))


async def test_a_fork_that_comes_back_writes_a_leg_of_its_own(tmp_path: Path) -> None:
    said = json.dumps({"call": "fs-3", "leg": "a", "role": "agent"})
    async with running(tmp_path) as ingest:
        await send(ingest, [FORK], said, tone(160))
        await send(ingest, [FORK], said, tone(160, 160))
        first, second = [await stored(ingest, "fs-3", name) for name in ("a", "a+2")]
    async with running(tmp_path) as ingest:
        await send(ingest, [FORK], said, tone(160, 320))
        third = await stored(ingest, "fs-3", "a+3")

    assert [leg.segments for leg in (first, second, third)] == [[(0, tone(160, at))] for at in (0, 160, 320)]


async def test_a_token_opens_its_leg_once(tmp_path: Path) -> None:
    said = json.dumps({"token": stream_token(SECRET, "c9", "x", "agent", later())})
    async with running(tmp_path) as ingest:
        await send(ingest, [FORK], said, tone(160))
        leg = await stored(ingest, "c9", "x")
        assert await send(ingest, [FORK], said) == 1008

    assert (leg.role, leg.samples) == ("agent", 160)


async def test_a_stranger_is_turned_away_and_the_next_one_is_not(tmp_path: Path) -> None:
    sources = Sources([Source("fs", keys=("k1",)), Source("elsewhere", keys=("k2",), ways=frozenset({"events"}))])
    async with running(tmp_path, sources=sources) as ingest:
        for headers, status in (({}, 401), ({"Authorization": "Bearer k2"}, 403)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await send(ingest, [FORK], headers=headers)
            assert refused.value.status == status
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await send(ingest, ["chat"], headers={"Authorization": "Bearer k1"})
        assert refused.value.status == 400
        basic = {"Authorization": aiohttp.encode_basic_auth("any", "k1")}
        await send(ingest, [FORK], json.dumps({"call": "c", "role": "agent"}), tone(160), headers=basic)
        leg = await stored(ingest, "c", "agent")

    assert leg.samples == 160


async def test_a_source_has_its_number_of_legs(tmp_path: Path) -> None:
    sources, key = Sources([Source("fs", keys=("k1",), legs=1)]), {"Authorization": "Bearer k1"}
    async with running(tmp_path, sources=sources) as ingest:
        assert await send(ingest, [FORK], json.dumps({"call": "c", "mix": "stereo"}), headers=key) == 1013


@pytest.mark.parametrize(
    ("protocol", "messages", "code"),
    [
        (FORK, ["nonsense"], 1002),
        (MEDIA, [json.dumps({**START, "format": "opus"})], 1002),
        (MEDIA, [json.dumps({**START, "channel_id": "x-0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11"})], 1008),
        (JAMBONZ, ["x" * 16385], 1009),
    ],
)
async def test_what_cannot_be_is_closed_with_a_reason(
    tmp_path: Path, protocol: str, messages: list[str], code: int
) -> None:
    async with running(tmp_path) as ingest:
        assert await send(ingest, [protocol], *messages) == code
        assert ingest.core.open_legs.total() == 0


async def test_audio_that_comes_faster_than_it_sounds_is_cut(tmp_path: Path) -> None:
    async with running(tmp_path) as ingest:
        async with connected(ingest, FORK) as ws:
            await ws.send_str(json.dumps({"call": "c", "role": "agent"}))
            for _ in range(4):
                await ws.send_bytes(bytes(32_000))
            await ws.receive(10)
            assert ws.close_code == 1002
        leg = await stored(ingest, "c", "agent")

    assert (leg.ended, leg.samples) == ("error", 48_000)


async def test_the_longest_message_passes_and_one_byte_more_does_not(tmp_path: Path) -> None:
    start = json.dumps({**START, "channel_id": "mine", "channel_variables": {"role": "agent"}, "format": "slin48"})
    async with running(tmp_path) as ingest:
        assert await send(ingest, [MEDIA], start, bytes(65536)) == 1000
        assert (await stored(ingest, "mine", "agent")).samples == 32768
        async with connected(ingest, MEDIA) as ws:
            await ws.send_str(start)
            await ws.send_bytes(bytes(65537))
            await ws.receive(10)
            assert ws.close_code == 1009


async def test_a_broken_connection_a_half_sample_and_a_shutdown_are_told_apart(tmp_path: Path) -> None:
    async with running(tmp_path) as ingest:
        async with connected(ingest, FORK, query="?call=half&role=agent") as ws:
            await ws.send_bytes(b"\0\0\0")
        async with connected(ingest, FORK, query="?call=broken&role=agent") as ws:
            await ws.send_bytes(b"\0\0")
            async with asyncio.timeout(10):
                while ingest.core.open_legs.total() < 1:
                    await lab.tick()
            assert ws._response.connection is not None and ws._response.connection.transport is not None
            ws._response.connection.transport.abort()
        ends = {call: (await stored(ingest, call, "agent")).ended for call in ("half", "broken")}
        async with connected(ingest, FORK, query="?call=last&role=agent") as ws:
            await ws.send_bytes(b"\0\0")
            async with asyncio.timeout(10):
                while ingest.core.open_legs.total() < 1:
                    await lab.tick()
            told = asyncio.create_task(ws.receive(10))
            await ingest.stop()
            await told
            assert ws.close_code == 1001
        ends["last"] = spool.read_leg(tmp_path, "last", "agent").ended
        await ingest.start()

    assert ends == {"half": "truncated", "broken": "reset", "last": "shutdown"}
