"""Reading in rounds: what comes in between waits, comes whole, and no end of a connection is missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from ingest.shell import rounds
from ingest.shell.rounds import Rounds
from tests.ingest.lab import hang_up


class Reader(asyncio.Protocol):
    """Rests after each read."""

    def __init__(self, paced: Rounds) -> None:
        self._paced, self.read, self.news, self.over = paced, list[bytes](), asyncio.Event(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.read.append(data)
        self._paced.rest(self.transport)
        self.news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.over.set()


@asynccontextmanager
async def joined(paced: Rounds) -> AsyncIterator[tuple[Reader, asyncio.StreamWriter]]:
    reader = Reader(paced)
    server = await asyncio.get_running_loop().create_server(lambda: reader, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        reader.transport.close()
        await reader.over.wait()
        await hang_up(writer)
        server.close()


async def test_what_comes_between_two_rounds_is_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ROUND_S", 3600)
    stored = asyncio.Event()
    paced = Rounds(stored.set)
    async with joined(paced) as (reader, writer):
        writer.write(b"first")
        await reader.news.wait()
        for part in (b"a", b"b", b"c"):
            writer.write(part)
            await writer.drain()
        assert reader.read == [b"first"] and not reader.transport.is_reading()
        reader.news.clear()
        paced.begin()
        await asyncio.wait_for(reader.news.wait(), 5)
        assert reader.read == [b"first", b"abc"]
        await asyncio.wait_for(stored.wait(), 5)


async def test_rounds_go_on_by_themselves_up_to_the_end_of_the_connection() -> None:
    paced = Rounds(lambda: None)
    async with joined(paced) as (reader, writer):
        for part in (b"one", b"two", b"three"):
            reader.news.clear()
            writer.write(part)
            await asyncio.wait_for(reader.news.wait(), 5)
        writer.write(b"last")
        writer.close()
        await asyncio.wait_for(reader.over.wait(), 5)
    assert b"".join(reader.read) == b"onetwothreelast"


async def test_a_connection_that_closed_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "ROUND_S", 3600)
    paced = Rounds(lambda: None)
    async with joined(paced) as (reader, writer):
        writer.write(b"first")
        await reader.news.wait()
        reader.transport.close()
        await asyncio.wait_for(reader.over.wait(), 5)
        paced.rest(reader.transport)
        paced.begin()
    assert reader.read == [b"first"]
