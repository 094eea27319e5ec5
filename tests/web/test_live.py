"""The stream of changes: a snapshot first, then every call that changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from qa.store import calls
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.board_feed import BOARD
from qa.web.live import FEED, PENDING, SCREENS
from tests.postgres import SITE
from tests.web import seed
from tests.web.conftest import CALLS, Running, running

Client = TestClient[Any, Any]
PATIENCE = 10


@pytest.fixture
async def watched(dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Client, Running]]:
    store = await Store.open(dsn)
    services = running(store, tmp_path)
    await seed.put(store, SITE, services.recordings, CALLS[8])
    async with TestClient(TestServer(make_app(services, watch_seconds=0.02))) as client:
        yield client, services
    await store.close()


async def told(stream: ClientResponse, event: str) -> Any:
    """The next message of that name."""
    async with asyncio.timeout(PATIENCE):
        name = ""
        async for raw in stream.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: ") and name == event:
                return json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


async def until(stream: ClientResponse, id: str, state: str) -> Any:
    while True:
        change = await told(stream, "change")
        for row in change["calls"]:
            if (row["id"], row["state"]) == (id, state):
                return change


async def test_a_fresh_screen_is_told_what_there_is(watched: tuple[Client, Running]) -> None:
    client, _ = watched
    async with client.get("/api/v1/stream") as stream:
        first = await told(stream, "snapshot")

    assert stream.content_type == "text/event-stream"
    assert [row["id"] for row in first["calls"]] == ["C-09"]
    assert first["totals"]["live"] == 1


async def test_a_call_that_rings_and_one_that_ends_are_told(watched: tuple[Client, Running]) -> None:
    client, services = watched
    async with client.get("/api/v1/stream") as stream:
        await told(stream, "snapshot")
        await seed.put(services.store, SITE, services.recordings, CALLS[1])
        change = await until(stream, "C-02", "scored")
        assert change["totals"]["flagged"] == 1
        async with services.store.site(SITE, "test") as tx:
            live = await calls.get(tx, "C-09")
            await calls.upsert(tx, replace(live, state="ended", ended_at=live.at, conclusion="abandoned"))
        change = await until(stream, "C-09", "ended")
        assert change["totals"]["live"] == 0


async def test_a_service_that_stops_lets_its_screens_go_at_once(watched: tuple[Client, Running]) -> None:
    client, _ = watched
    async with client.get("/api/v1/stream") as stream:
        await told(stream, "snapshot")
        client.app[FEED].close()
        async with asyncio.timeout(PATIENCE):
            await stream.content.read()
        assert stream.content.at_eof()
    assert not client.app[FEED]._listeners


async def test_more_screens_than_can_be_served_are_asked_to_wait(watched: tuple[Client, Running]) -> None:
    client, _ = watched
    assert client.app is not None
    for feed, path in ((client.app[FEED], "stream"), (client.app[BOARD], "board/events")):
        open_ones = [feed.join() for _ in range(SCREENS)]
        answer = await client.get(f"/api/v1/{path}")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        feed.leave(open_ones[0])
        assert (await client.get(f"/api/v1/{path}")).status == 200
        for one in open_ones:
            feed.leave(one)


async def test_a_screen_that_cannot_keep_up_is_cut_off(watched: tuple[Client, Running]) -> None:
    client, _ = watched
    feed = client.app[FEED]
    listener = feed.join()
    for _number in range(PENDING + 1):
        feed._tell("event: change\ndata: {}\n\n")

    assert listener.lost
    feed.leave(listener)
