"""Openings of /pcm and news of ARI under half a minute of variations each, then bad senders by the hundred."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ingest.ari import Ask
from ingest.body import load
from ingest.errors import PcmError
from ingest.pcm import Pcm, Sound, Words
from ingest.pcm_dialects import DIALECTS, FORK, Opening
from tests.ingest.fuzz import mutants
from tests.ingest.test_ari import RUN, entered, heard, started
from tests.ingest.test_pcm import LISTEN, PLAIN, START
from tests.ingest.test_pcm_socket import connected, running, stored

pytestmark = pytest.mark.slow
BAD_SENDERS = 500
OPENINGS = [
    PLAIN,
    json.dumps(START),
    json.dumps(LISTEN),
    json.dumps({"call": "c", "rate": "16k", "mix": "stereo", "roles": ["agent", "customer"], "tokens": "a,b"}),
]


def test_openings() -> None:
    met: Counter[str] = Counter()
    for text in mutants(OPENINGS, seed=11):
        for dialect in DIALECTS.values():
            pcm = Pcm(dialect, {})
            try:
                told = [*pcm.feed(text), *pcm.feed(text.encode("utf-8", "replace")), *pcm.feed(text)]
            except PcmError as error:
                assert str(error) and error.code in (1002, 1009)
                met["refused"] += 1
                continue
            assert isinstance(told[0], Opening) and isinstance(told[-1], Words)
            sounds = [one for one in told if isinstance(one, Sound)]
            assert all(len(one.parts) == len(told[0].tracks) for one in sounds)
            met["taken"] += 1
    assert met["taken"] > 100 and met["refused"] > 100, met


def test_news_of_ari() -> None:
    """Whatever it says of channels, nothing is asked that is not about ours."""
    taps, idents = started()
    ident = heard(taps, idents)
    kinds = ("StasisStart", "StasisEnd", "ChannelDestroyed", "ChannelDtmfReceived")
    corpus = [
        json.dumps({"type": kind, "application": "sw", "channel": {"id": f"sw-{part}-{RUN}-{ident}", "state": "Up"}})
        for kind in kinds
        for part in ("snoop", "media", "mix")
    ]
    for text in mutants(corpus, seed=12):
        try:
            told: Any = load(text)
        except ValueError:
            continue
        if isinstance(told, dict):
            for effect in taps.event(told):
                assert not isinstance(effect, Ask) or effect.path.split("/")[2].startswith(("sw-", "17.1"))
        if not taps.heard:
            taps, idents = started()
            ident = heard(taps, idents)
    assert entered(taps, "snoop", ident, "StasisEnd")


async def test_bad_senders_hurt_nobody(tmp_path: Path) -> None:
    dice, texts = random.Random(13), list(mutants(OPENINGS, seed=13, seconds=1.0))
    async with running(tmp_path) as ingest, connected(ingest, FORK.name, query="?call=good&role=agent") as good:

        async def bad() -> None:
            async with connected(ingest, dice.choice([*DIALECTS, FORK.name])) as ws:
                await ws.send_str(dice.choice(texts))
                await ws.send_bytes(dice.randbytes(dice.randint(0, 70_000)))
                await ws.send_str(dice.choice(texts))

        for number in range(BAD_SENDERS // 10):
            many = await asyncio.gather(*(bad() for _ in range(10)), return_exceptions=True)
            assert all(one is None or isinstance(one, aiohttp.ClientError | ConnectionError) for one in many), many
            await good.send_bytes(bytes([number, 0]) * 160)
        await good.close()
        leg = await stored(ingest, "good", "agent")
        assert ingest.core.open_legs.total() == 0

    told = b"".join(bytes([number, 0]) * 160 for number in range(BAD_SENDERS // 10))
    assert b"".join(data for _, data in leg.segments) == told  # a slow machine makes a slow sender: gaps between them
