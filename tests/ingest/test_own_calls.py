"""A source that is kept to its own calls: whatever it sends, by whichever way, speaks of no other call of the site."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.errors import Refused
from ingest.shell.client import post_events
from ingest.shell.pcm_socket import PcmWay
from ingest.shell.service import Ingest
from ingest.shell.twilio_socket import MediaStreamWay
from ingest.sources import Source, Sources
from ingest.stream import TOKEN
from ingest.tokens import audiosocket_uuid, stream_token
from tests.ingest import lab
from tests.ingest.hook import GENESYS, HookClient
from tests.ingest.test_audiohook_socket import way as hook_way
from tests.ingest.test_pcm import START
from tests.ingest.test_pcm_socket import FORK, MEDIA, send
from tests.ingest.test_pcm_socket import stored as heard
from tests.ingest.test_twilio_socket import Provider
from tests.ingest.values import SECRET, raw

NORTH = Source("north", keys=("key-of-north",), calls="north-", call_token=False)
KEY = {"Authorization": "Bearer key-of-north"}


def ingest_at(folder: Path, *sources: Source) -> Any:
    return lab.running(folder, sources=Sources(sources or (NORTH,)), ways=(hook_way, PcmWay, MediaStreamWay))


async def told(ingest: Ingest, *events: dict[str, Any]) -> dict[str, Any]:
    return await post_events(lab.url(ingest), [{**one, "source": "north"} for one in events], key="key-of-north")


async def test_events_are_taken_of_its_own_calls_only(tmp_path: Path) -> None:
    """It ends nobody else's call, puts nobody else in it, and registers no token for it."""
    own = [raw("offered", call="north-1", id="1"), raw("presence", call=None, id="2")]
    others = [
        raw("ended", call="south-1", id="3"),
        raw("transferred", call="south-1", id="4", to="B02"),
        raw("leg", call="south-1", id="5", role="agent", audio={"stream": "one-time"}),
        raw("offered", call="nort", id="6"),
    ]
    async with ingest_at(tmp_path) as ingest:
        answer = await told(ingest, *own, *others)
        found = lab.stored_events(tmp_path)

    assert answer["accepted"] == len(own)
    assert [(one["index"], one["field"]) for one in answer["refused"]] == [(at, "call") for at in (2, 3, 4, 5)]
    assert "'north-' only" in answer["refused"][0]["reason"]
    assert {one.get("call") for one in found} == {"north-1", None}


async def test_who_is_not_kept_to_some_writes_of_any_call(tmp_path: Path) -> None:
    """A second system may know more of a call whose audio another one sends."""
    async with ingest_at(tmp_path, replace(NORTH, calls="")) as ingest:
        assert (await told(ingest, raw("ended", call="south-1")))["accepted"] == 1


@pytest.mark.parametrize(("call", "taken"), [("north-1", True), ("south-1", False)])
async def test_a_stream_is_of_its_own_calls_only(tmp_path: Path, call: str, taken: bool) -> None:
    """Even with a token that the site has signed."""
    async with (
        ingest_at(tmp_path) as ingest,
        lab.client(lab.url(ingest), lab.hello(call, source="north"), key="key-of-north") as sender,
    ):
        if taken:
            await sender.finish()
        else:
            with pytest.raises(Refused, match=f"{TOKEN}.*'north-' only"):
                await sender.finish()


async def test_bare_audio_is_of_its_own_calls_only(tmp_path: Path) -> None:
    token = stream_token(SECRET, "south-1", "agent", "agent", lab.later())
    bound, unbound = (audiosocket_uuid(SECRET, "south-1", leg, "agent", lab.later()) for leg in ("a", "b"))
    async with ingest_at(tmp_path, NORTH, Source("south", keys=("key-of-south",))) as ingest:
        named = raw("leg", source="south", call="south-1", leg="a", role="agent", audio={"audiosocket": str(bound)})
        assert (await post_events(lab.url(ingest), [named], key="key-of-south"))["accepted"] == 1
        for said in ({"call": "south-1", "leg": "a", "role": "agent"}, {"token": token}):
            assert await send(ingest, [FORK], json.dumps(said), headers=KEY) == 1008
        channel = {**START, "channel_id": f"seatwatch-media-c0ffee-{bound}"}
        assert await send(ingest, [MEDIA], json.dumps(channel), headers=KEY) == 1008

        own = json.dumps({"call": "north-1", "leg": "a", "role": "agent"})
        assert await send(ingest, [FORK], own, lab.tone(160), headers=KEY) == 1000
        channel = {**START, "channel_id": f"seatwatch-media-c0ffee-{unbound}"}
        await send(ingest, [MEDIA], json.dumps(channel), lab.tone(160), headers=KEY)
        assert (await heard(ingest, "north-1", "a")).segments == [(0, lab.tone(160))]
        assert (await heard(ingest, str(unbound), "audiosocket")).segments == [(0, lab.tone(160))]


async def test_a_media_stream_is_of_its_own_calls_only(tmp_path: Path) -> None:
    async with ingest_at(tmp_path) as ingest:
        async with Provider(lab.url(ingest), KEY) as other:
            await other.start(call="south-1")
            assert await other.code() == TOKEN
        async with Provider(lab.url(ingest), KEY) as own:
            await own.start("MZ2", call="north-1")
            await own.stop()
        assert ingest.core.counts["media-stream"] == 1


async def test_a_conversation_of_somebody_else_is_not_opened(tmp_path: Path) -> None:
    async with ingest_at(tmp_path, replace(GENESYS, calls="north-")) as ingest, HookClient(lab.url(ingest)) as client:
        await client.ask()
        assert "'north-' only" in (await client.hear("disconnect"))["info"]
