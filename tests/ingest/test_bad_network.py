"""Senders over a bad network: whatever it does, all of a leg is stored once, and nothing is left open."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from ingest import spool
from ingest.admission import Opened
from ingest.audiosocket import IDENT, KINDS, packet
from ingest.shell.audiosocket_server import SocketLimits
from ingest.shell.core import utc_now
from ingest.shell.legs import LegWriter
from ingest.shell.service import Ingest
from ingest.shell.stream_client import StreamClient
from ingest.stream import Piece, write_hello, write_piece
from ingest.tokens import audiosocket_uuid
from tests.ingest import lab
from tests.ingest.proxy import Proxy
from tests.ingest.test_service import Socket
from tests.ingest.values import SECRET

CLIENTS = 20
MESSAGE = 800


def sockets() -> int:
    """Open in this process; of files SQLite keeps some for later."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


@asynccontextmanager
async def nothing_left(ingest: Ingest) -> AsyncIterator[None]:
    """As many sockets, tasks and open legs afterwards as before."""

    def open_now() -> tuple[int, int, int, int]:
        legs = ingest.core.open_legs.total() + ingest.streams.open
        return sockets(), len(asyncio.all_tasks()), legs, ingest._audio.open

    before = open_now()
    yield
    try:
        await until(lambda: all(now <= then for now, then in zip(open_now(), before, strict=True)))
    except TimeoutError:
        pytest.fail(f"sockets, tasks, legs and lines: {before} before, {open_now()} afterwards")


@asynccontextmanager
async def network(ingest: Ingest) -> AsyncIterator[tuple[Proxy, AsyncExitStack]]:
    """In front of the HTTP port; who is put on the stack leaves first."""
    async with Proxy(ingest.http_port) as proxy, AsyncExitStack() as stack:
        yield proxy, stack


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(lab.WAIT_S):
        while not ready():
            await lab.tick()


async def talking(proxy: Proxy, stack: AsyncExitStack) -> list[StreamClient]:
    clients = [await stack.enter_async_context(lab.client(proxy.url, lab.hello(f"c{n}"))) for n in range(CLIENTS)]
    await say(clients)
    return clients


async def say(clients: list[StreamClient], messages: int = 1) -> None:
    for _ in range(messages):
        for client in clients:
            await client.send(lab.tone(MESSAGE, client.progress.samples))


async def all_stored(folder: Path, clients: list[StreamClient]) -> None:
    async with asyncio.timeout(60):
        await asyncio.gather(*(client.finish() for client in clients))
    for n, client in enumerate(clients):
        leg = spool.read_leg(folder, f"c{n}", "agent")
        assert (leg.gaps, leg.ended, leg.samples) == ([], "end", client.progress.samples)
        assert leg.segments == [(0, lab.tone(leg.samples))]


async def test_resets_again_and_again(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest, nothing_left(ingest), network(ingest) as (proxy, stack):
        clients = await talking(proxy, stack)
        resets = 0
        while resets < 200:
            await say(clients)
            await lab.tick()
            resets += proxy.reset()
        await all_stored(tmp_path, clients)


@pytest.mark.slow
async def test_connections_that_are_cut_short(tmp_path: Path) -> None:
    dice = random.Random(6)
    async with lab.running(tmp_path) as ingest, nothing_left(ingest), network(ingest) as (proxy, stack):
        proxy.latency_s, proxy.cut_after = 0.005, lambda: dice.randint(200, 20_000)
        clients = await talking(proxy, stack)
        while proxy.connects < 3 * CLIENTS:
            await say(clients)
            await lab.tick()
        proxy.cut_after = None
        await all_stored(tmp_path, clients)


async def test_two_hundred_connections_in_a_second(tmp_path: Path) -> None:
    """One after the other for each of twenty legs; what a welcome says to be durable never goes back."""
    async with lab.running(tmp_path) as ingest, nothing_left(ingest):

        async def comes_back(name: str) -> None:
            greeting, last = write_hello(lab.hello(name)), 0
            for n in range(1, 11):
                async with Socket(lab.url(ingest)) as socket:
                    await socket.say(greeting)
                    durable = (await socket.hear())["durable"]
                    assert durable >= last
                    last = durable
                    await socket.say(
                        write_piece(Piece(durable + 1, durable * MESSAGE, lab.tone(MESSAGE, durable * MESSAGE)))
                    )
                    if n % 2:
                        socket.ws._response.connection.transport.abort()  # type: ignore[union-attr]

        await asyncio.gather(*(comes_back(f"c{n}") for n in range(CLIENTS)))
        await ingest.flush()
        for n in range(CLIENTS):
            leg = spool.read_leg(tmp_path, f"c{n}", "agent")
            assert leg.gaps == [] and leg.segments == [(0, lab.tone(leg.samples))]


@pytest.mark.slow
async def test_five_seconds_of_silence_between(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest, nothing_left(ingest), network(ingest) as (proxy, stack):
        clients = await talking(proxy, stack)
        proxy.stand_still()
        began = asyncio.get_running_loop().time()
        while (passed := asyncio.get_running_loop().time() - began) < 5:
            if clients[0].progress.samples < passed * 8000:
                await say(clients)
            await lab.tick()
        proxy.flow()
        await all_stored(tmp_path, clients)


@pytest.mark.slow
async def test_half_open_connections_are_let_go_and_lose_nothing(tmp_path: Path) -> None:
    """Neither side hears that the other is gone."""
    limits = SocketLimits(idle_seconds=1.0)
    async with lab.running(tmp_path, sockets=limits) as ingest, nothing_left(ingest), network(ingest) as (proxy, stack):
        wire = await stack.enter_async_context(Proxy(ingest.audiosocket_port))
        clients = await talking(proxy, stack)
        idents = [audiosocket_uuid(SECRET, f"p{n}", "agent", "agent", lab.later()) for n in range(CLIENTS)]
        for ident in idents:
            _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
            stack.push_async_callback(lab.hang_up, writer)
            writer.write(packet(IDENT, ident.bytes) + packet(KINDS[8000], lab.tone(160)))
        await until(lambda: ingest.core.open_legs.total() == CLIENTS and ingest.streams.open == CLIENTS)
        proxy.stand_still()
        wire.stand_still()
        await say(clients, 5)
        await until(lambda: not ingest.core.open_legs.total() and not ingest.streams.open)
        proxy.flow()
        wire.flow()
        await all_stored(tmp_path, clients)
        for ident in idents:
            assert spool.read_leg(tmp_path, str(ident), "audiosocket").ended == "idle"


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_set_changes_no_sound(tmp_path: Path, hours: int) -> None:
    """By an hour, while two legs talk; then the process starts again, on the new time."""
    step = timedelta()

    def now() -> datetime:
        return utc_now() + step

    async with lab.running(tmp_path, now=now) as ingest, lab.client(lab.url(ingest), lab.hello()) as sender:
        leg = LegWriter(ingest.core, Opened("c1", "customer", "customer"), "pbx", clocked=False)
        for half in range(2):
            step = timedelta(hours=hours * half)
            leg.audio(lab.tone(MESSAGE, leg.samples))
            await sender.send(lab.tone(MESSAGE, half * MESSAGE))
            await sender.durable()
        leg.end("hangup")
        await sender.finish()
    async with lab.running(tmp_path, now=now):
        for name in ("customer", "agent"):
            found = spool.read_leg(tmp_path, "c1", name)
            assert (found.segments, found.gaps) == ([(0, lab.tone(2 * MESSAGE))], [])
        assert found.started_at is not None and abs(found.started_at - utc_now()) < timedelta(minutes=1)


async def test_a_silent_stranger_by_the_hundred(tmp_path: Path) -> None:
    """They connect and say nothing: those beyond the limit are closed at once, the others in time."""
    limits = SocketLimits(ident_seconds=0.5, unnamed_per_peer=50)
    async with lab.running(tmp_path, sockets=limits) as ingest, nothing_left(ingest), AsyncExitStack() as stack:
        for _ in range(100):
            reader, writer = await asyncio.open_connection("127.0.0.1", ingest.audiosocket_port)
            stack.push_async_callback(lab.hang_up, writer)
        async with aiohttp.ClientSession() as http, http.get(f"{lab.url(ingest)}/healthz") as answer:
            assert answer.status == 200
        await until(lambda: ingest._audio.open == 0)
        with suppress(ConnectionError):
            assert await reader.read() == b""
