"""Connections that nobody vouches for: counted by address, the next one is told why; whoever showed who it is stays."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from ingest.shell.door import PER_PEER, _net
from ingest.shell.service import Ingest
from ingest.stream import write_hello
from tests.ingest import lab
from tests.ingest.values import raw

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def idle(stack: AsyncExitStack, ingest: Ingest, count: int, address: str = "127.0.0.2") -> list[Line]:
    """Connections of one address that say nothing."""

    async def one() -> Line:
        return await asyncio.open_connection("127.0.0.1", ingest.http_port, local_addr=(address, 0))

    lines = [await one() for _ in range(count)]
    for _, writer in lines:
        stack.push_async_callback(lab.hang_up, writer)
    return lines


async def answered(line: Line) -> bytes:
    """What a connection is told before it is closed, or after a question of ours."""
    async with asyncio.timeout(lab.WAIT_S):
        return await line[0].read(4096)


async def ask(line: Line) -> bytes:
    line[1].write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return await answered(line)


async def test_an_address_has_only_so_many_connections_that_say_nothing(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest, AsyncExitStack() as stack:
        lines = await idle(stack, ingest, PER_PEER)
        (over,) = await idle(stack, ingest, 1)
        told = await answered(over)
        assert told.startswith(b"HTTP/1.1 503 ") and b"127.0.0.2 has too many open" in told
        assert ingest.core.counts["connection"] == 1

        (other,) = await idle(stack, ingest, 1, "127.0.0.3")
        assert (await ask(other)).startswith(b"HTTP/1.1 200 ")
        await lab.hang_up(lines[0][1])
        (next_one,) = await idle(stack, ingest, 1)
        assert (await ask(next_one)).startswith(b"HTTP/1.1 200 ")


async def test_whoever_showed_what_opens_a_leg_is_not_counted(tmp_path: Path) -> None:
    """Hundreds of legs come through one proxy."""
    async with lab.running(tmp_path) as ingest, AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        sender = await stack.enter_async_context(http.ws_connect(lab.url(ingest) + "/stream"))
        await sender.send_str(write_hello(lab.hello()))
        assert (await sender.receive_json())["type"] == "welcome"
        async with http.post(f"{lab.url(ingest)}/events", json=raw("ringing")) as answer:
            assert answer.status == 200
        lines = await idle(stack, ingest, PER_PEER)
        assert (await ask(lines[-1])).startswith(b"HTTP/1.1 200 ")


async def test_a_stream_that_has_not_said_whose_leg_it_is_counts(tmp_path: Path) -> None:
    async with lab.running(tmp_path) as ingest, AsyncExitStack() as stack:
        await idle(stack, ingest, PER_PEER - 1, "127.0.0.1")
        place = lab.url(ingest) + "/stream"
        async with aiohttp.ClientSession() as http, http.ws_connect(place) as mute:
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                await http.ws_connect(place)
            await mute.send_str(write_hello(lab.hello()))
            assert (await mute.receive_json())["type"] == "welcome"
            async with http.ws_connect(place) as second:
                assert not second.closed


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_of_ipv6_a_whole_network_is_one_address(address: str, whose: str) -> None:
    assert _net(address) == whose
