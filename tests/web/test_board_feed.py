"""The board's stream: a snapshot, then changes at once; what was missed is told again; a database may go away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from qa.store.errors import StoreAway
from qa.store.pool import Store
from qa.web import board, board_feed
from qa.web.app import make_app
from qa.web.board_feed import BOARD, PENDING, Listener
from tests.ingest.lab import tick
from tests.postgres import SITE
from tests.web.conftest import running
from tests.web.floor import Floor, ago, call

Client = TestClient[Any, Any]
PATIENCE_S = 10
EVENTS = "/api/v1/board/events"
Message = tuple[str, str | None, dict[str, Any]]


@dataclass(slots=True)
class Screen:
    """An open screen that holds the picture as it is told."""

    stream: ClientResponse
    seats: dict[str, dict[str, Any]] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)
    last: str | None = None
    database: str = "here"
    kinds: list[str] = field(default_factory=list)

    async def hear(self) -> Message:
        """The next message, taken into the picture."""
        event, ident, data = "", None, {}
        async for raw in self.stream.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("id: "):
                ident = line.removeprefix("id: ")
            elif line.startswith("data: "):
                data = json.loads(line.removeprefix("data: "))
            elif not line and event:
                break
        else:
            raise AssertionError("the stream ended")
        self.kinds.append(event)
        self.last = ident or self.last
        self.database = data.get("database", self.database)
        if event == "snapshot":
            self.seats = {}
        self.seats |= {one["seat"]: one for one in data.get("seats", ())}
        for name in data.get("gone", ()):
            del self.seats[name]
        if data.get("alarms") is not None:
            self.alarms = [one["kind"] for one in data["alarms"]]
        return event, ident, data

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await self.hear()

    async def until_state(self, seat: str, state: str) -> None:
        await self.until(lambda: self.seats.get(seat, {}).get("state") == state)

    async def until_kind(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while (message := await self.hear())[0] != kind:
                pass
            return message[2]


@pytest.fixture
async def floor(store: Store, tmp_path: Path) -> Floor:
    made = Floor(store, tmp_path)
    await made.seat("S01", "ready", ago(60), agent="A01")
    return made


@pytest.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(running(store, tmp_path)))) as one:
        yield one


async def test_a_screen_is_told_everything_and_then_what_changes(client: Client, floor: Floor) -> None:
    async with client.get(EVENTS) as stream:
        screen = Screen(stream)
        await screen.until_kind("snapshot")
        assert screen.seats["S01"]["state"] == "ready"
        await floor.seat("S02", "busy", reason="tea")
        await screen.until_state("S02", "busy")
        await floor.tell(call("ringing", "c1", "S01"))
        await screen.until(lambda: screen.seats["S01"]["call"] is not None)

    assert stream.content_type == "text/event-stream"
    assert set(screen.kinds) <= {"snapshot", "delta", "beat"}
    assert screen.kinds.count("snapshot") == 1


async def test_every_change_reaches_the_socket_and_how_soon_is_said(
    client: Client, floor: Floor, record_property: Callable[[str, object], None]
) -> None:
    """From before the event is stored, over the fold, to the client's socket."""
    took_ms = []
    async with client.get(EVENTS) as stream:
        screen = Screen(stream)
        await screen.until_kind("snapshot")
        for number in range(40):
            state = ("busy", "ready")[number % 2]
            began = monotonic()
            await floor.seat("S01", state)
            await screen.until_state("S01", state)
            took_ms.append((monotonic() - began) * 1000)
    took_ms.sort()
    p50, p99 = took_ms[len(took_ms) // 2], took_ms[-1]
    record_property("summary", f"board: event to socket p50 {p50:.0f} ms, worst of 40 {p99:.0f} ms")

    assert screen.kinds.count("delta") >= 40


async def test_an_alarm_rises_by_itself_when_its_time_has_come(client: Client, floor: Floor) -> None:
    async with client.get(EVENTS) as stream:
        screen = Screen(stream)
        await screen.until_kind("snapshot")
        await floor.tell(call("offered", "c1", "S01", ago(14.5)), call("ringing", "c1", "S01", ago(14.5)))
        await screen.until(lambda: screen.seats["S01"]["state"] == "ringing")
        await screen.until(lambda: screen.alarms == ["ringing"])
        await floor.tell(call("answered", "c1", "S01"))
        await screen.until(lambda: screen.alarms == [])


async def test_a_screen_that_comes_back_is_told_only_what_it_missed(client: Client, floor: Floor) -> None:
    async with client.get(EVENTS) as stream, client.get(EVENTS) as other:
        screen, second = Screen(stream), Screen(other)
        await screen.until_kind("snapshot")
        await second.until_kind("snapshot")
        stream.close()
        await floor.seat("S02", "busy")
        await second.until_state("S02", "busy")
        async with client.get(EVENTS, headers={"Last-Event-ID": screen.last or ""}) as again:
            screen = Screen(again, screen.seats)
            await screen.until_state("S02", "busy")
            assert "snapshot" not in screen.kinds
            assert screen.seats == second.seats


async def test_a_screen_that_comes_back_after_all_were_gone_is_told_what_it_missed(
    client: Client, floor: Floor
) -> None:
    async with client.get(EVENTS) as stream:
        screen = Screen(stream)
        await screen.until_kind("snapshot")
    await floor.seat("S01", "busy")
    async with client.get(f"{EVENTS}?last={screen.last}") as again:
        screen = Screen(again, screen.seats)
        await screen.until_state("S01", "busy")
        assert "snapshot" not in screen.kinds


@pytest.mark.parametrize("last", ["", "x", "0-1", "00000000-99", "-", "{epoch}-999999", "{epoch}-x", "{epoch}--1"])
async def test_an_id_that_is_not_known_brings_everything(client: Client, floor: Floor, last: str) -> None:
    epoch = client.app[BOARD]._epoch
    async with client.get(EVENTS, headers={"Last-Event-ID": last.format(epoch=epoch)}) as stream:
        screen = Screen(stream)
        async with asyncio.timeout(PATIENCE_S):
            event, _, _ = await screen.hear()
        assert event == "snapshot"
        assert "S01" in screen.seats


async def cut(dsn: str) -> None:
    """Every connection of the service dies, as when the server goes away."""
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'seatwatch%'"
    )
    await conn.close()


async def patiently(write: Callable[[], Awaitable[None]]) -> None:
    """As the folds do: what met a connection that was just cut is tried again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await write()
            except StoreAway:
                await tick()


async def test_a_database_that_goes_away_and_comes_back_costs_nobody_a_change(
    client: Client, floor: Floor, dsn: str
) -> None:
    async with client.get(EVENTS) as stream:
        screen = Screen(stream)
        await screen.until_kind("snapshot")
        await cut(dsn)
        told = await screen.until_kind("status")
        assert told["database"] == "away"
        assert datetime.fromisoformat(told["since"])
        await patiently(lambda: floor.seat("S01", "busy"))
        await screen.until_state("S01", "busy")
        await screen.until(lambda: screen.database == "here")
        await patiently(lambda: floor.seat("S01", "ready"))
        await screen.until_state("S01", "ready")
        assert screen.kinds.count("snapshot") == 1


async def test_a_screen_that_comes_while_the_database_is_away_is_told_so(store: Store, tmp_path: Path) -> None:
    async with TestClient(TestServer(make_app(running(store, tmp_path)))) as client:
        await store.close()
        store.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
        async with client.get(EVENTS) as stream:
            assert stream.status == 200
            told = await Screen(stream).until_kind("status")
        assert told["database"] == "away"


async def test_a_beat_tells_the_servers_time(client: Client, floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "BEAT_SECONDS", 0.05)
    async with client.get(EVENTS) as stream:
        told = await Screen(stream).until_kind("beat")
    assert datetime.fromisoformat(told["at"])


async def test_news_that_nobody_rang_for_are_found_all_the_same(
    client: Client, floor: Floor, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_feed, "ALL_SECONDS", 0.1)
    async with client.get(EVENTS) as stream:
        screen = Screen(stream)
        await screen.until_kind("snapshot")
        conn = await asyncpg.connect(dsn)
        async with conn.transaction():
            await conn.execute("SELECT set_config('seatwatch.site', $1, true)", SITE)
            await conn.execute("UPDATE seat_state SET value = 'unreachable' WHERE seat = 'S01'")
        await conn.close()
        await screen.until_state("S01", "unreachable")


async def test_a_screen_that_cannot_keep_up_is_cut_off() -> None:
    slow = Listener()
    for _ in range(PENDING + 1):
        slow.tell("event: delta\ndata: {}\n\n")

    assert slow.lost


async def test_a_service_that_stops_lets_its_screens_go(client: Client, floor: Floor) -> None:
    async with client.get(EVENTS) as stream:
        await Screen(stream).until_kind("snapshot")
        client.app[BOARD].close()
        async with asyncio.timeout(PATIENCE_S):
            await stream.content.read()
        assert stream.content.at_eof()
    assert not client.app[BOARD]._listeners
