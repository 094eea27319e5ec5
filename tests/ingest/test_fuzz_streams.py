"""AudioHook, its signatures and media streams under half a minute of variations each: taken, or the documented error.

Then bad clients by the hundred on real sockets, beside a good one that must not notice.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ingest.audiohook import Broken, Outcome, Over, Say, Session, State, Wanted
from ingest.errors import MediaStreamError, SignatureError
from ingest.http_signature import Nonces
from ingest.twilio import MediaStream
from ingest.twilio import State as Stream
from tests.ingest import lab, test_audiohook_socket, test_twilio_socket
from tests.ingest.fuzz import mutants
from tests.ingest.hook import HookClient
from tests.ingest.test_audiohook import ORGANIZATION, SESSION, opening
from tests.ingest.test_http_signature import CREATED, EXAMPLE, check
from tests.ingest.test_service import stored
from tests.ingest.test_twilio import EXOTEL, SID, START, TELNYX, frame, media
from tests.ingest.test_twilio_socket import LOOSE, Provider, token

pytestmark = pytest.mark.slow
BAD_CLIENTS = 500


def hook_messages() -> list[str]:
    span = {"start": "PT0.1S", "discarded": "PT1.5S"}
    parameters: dict[str, dict[str, Any]] = {
        "open": opening(customConfig={"seat": "1"}, continuedSessions=[{"id": SESSION, "serverseq": 1}]),
        "ping": {"rtt": "PT0.1S"}, "paused": {}, "resumed": span, "discarded": span, "update": {"language": "zh-CN"},
        "error": {"code": 408, "message": "late"}, "close": {"reason": "end"},
    }  # fmt: skip
    base = {"version": "2", "id": SESSION, "serverseq": 0, "position": "PT0S"}
    return [json.dumps({**base, "type": kind, "seq": 1, "parameters": told}) for kind, told in parameters.items()]


def test_audiohook_messages() -> None:
    met: Counter[str] = Counter()
    good = hook_messages()
    for text in mutants(good, seed=1):
        fresh, open_one = Session(SESSION, ORGANIZATION), Session(SESSION, ORGANIZATION)
        open_one.feed(good[0])
        open_one.accept()
        found: list[Outcome] = fresh.feed(text) + open_one.feed(text.replace('"seq": 1', '"seq": 2', 1))
        for outcome in found:
            met[type(outcome).__name__] += 1
            if isinstance(outcome, Say):
                assert json.loads(outcome.text)["type"] in ("pong", "closed", "disconnect", "updated")
            if isinstance(outcome, Broken):
                assert str(outcome.error) and State.LEAVING in (fresh.state, open_one.state)
    assert all(met[kind.__name__] for kind in (Say, Wanted, Broken, Over)), met


def test_signatures() -> None:
    taken = 0
    good = f"{EXAMPLE.headers['signature-input']}\n{EXAMPLE.headers['signature']}"
    for text in mutants([good], seed=2):
        claim, _, signature = text.partition("\n")
        request = replace(EXAMPLE, headers={**EXAMPLE.headers, "signature-input": claim, "signature": signature})
        try:
            check(request, CREATED + 1, Nonces())
        except SignatureError as error:
            assert str(error)
            continue
        said = [part.strip().partition("=")[2] for part in (claim, signature)]  # behind the label, which nobody signs
        assert said == [part.partition("=")[2] for part in good.split("\n")], text
        taken += 1
    assert taken


def test_media_streams() -> None:
    met: Counter[str] = Counter()
    starts = [json.dumps(start) for start in (START, TELNYX, EXOTEL)]
    corpus = [*starts, media("inbound", 1, frame(1)), '{"event": "stop"}', '{"event": "dtmf"}', '{"event": "mark"}']
    stream = MediaStream()
    for text in mutants(corpus, seed=3):
        try:
            met.update(type(outcome).__name__ for outcome in stream.feed(text))
        except MediaStreamError as error:
            assert str(error)
            met["refused"] += 1
            stream.finish()
        if stream.state is Stream.OVER:
            stream = MediaStream()
            if met["refused"] % 2:
                stream.feed(starts[met["refused"] % 3])
    assert all(met[kind] for kind in ("Start", "Sound", "Over", "Digit", "refused")), met


async def test_bad_audiohook_clients_hurt_nobody(tmp_path: Path) -> None:
    dice, texts = random.Random(4), list(mutants(hook_messages(), seed=4, seconds=1.0))
    async with test_audiohook_socket.ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as good:
        await good.open()

        async def bad() -> None:
            async with HookClient(lab.url(ingest)) as client:
                if dice.random() < 0.5:
                    await client.open()
                await client.ws.send_str(dice.choice(texts).replace(SESSION, client.session))
                await client.ws.send_bytes(dice.randbytes(dice.randrange(9)))

        for number in range(BAD_CLIENTS // 10):
            await asyncio.gather(*(bad() for _ in range(10)))
            await good.send(bytes([number]) * 320)
        await good.say("ping")
        await good.hear("pong")
        await good.finish()
        leg = await stored(tmp_path, *good.leg("internal"), ended="end")
        assert leg.segments == [(0, b"".join(bytes([n]) * 160 for n in range(BAD_CLIENTS // 10)))]
        await nothing_open(ingest, "genesys", "audiohook")


async def test_bad_media_streams_hurt_nobody(tmp_path: Path) -> None:
    starts = [json.dumps(start) for start in (START, TELNYX, EXOTEL)]
    dice, texts = random.Random(5), list(mutants([*starts, media("inbound", 1, frame(1))], seed=5, seconds=1.0))
    async with test_twilio_socket.ingest_at(tmp_path, LOOSE) as ingest:
        async with Provider(lab.url(ingest)) as good:
            await good.start(call="good", token=token("good"))

            async def bad(number: int) -> None:
                async with Provider(lab.url(ingest)) as client:
                    if dice.random() < 0.5:
                        await client.start(f"MZ{number}")
                    for text in dice.sample(texts, 3):
                        await client.ws.send_str(text)

            for number in range(BAD_CLIENTS // 10):
                many = await asyncio.gather(*(bad(number * 10 + n) for n in range(10)), return_exceptions=True)
                assert all(one is None or isinstance(one, aiohttp.ClientError | ConnectionError) for one in many), many
                await good.ws.send_str(media("inbound", number + 1, frame(number + 1)))
            await good.stop()
            leg = await stored(tmp_path, "good", f"inbound-{SID[-8:]}", ended="end")
            assert leg.segments == [(0, b"".join(frame(n + 1) for n in range(BAD_CLIENTS // 10)))]
        await nothing_open(ingest, "twilio", "media-stream")


async def nothing_open(ingest: Any, source: str, way: str) -> None:
    """Every leg has found its end, and the server is well."""
    async with asyncio.timeout(lab.WAIT_S), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{lab.url(ingest)}/healthz") as answer:
                told = await answer.json()
            if told[way] == 0 and ingest.core.open_legs[source] == 0:
                assert told["status"] == "ok"
                return
            await lab.tick()
