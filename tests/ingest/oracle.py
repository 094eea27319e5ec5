"""A witness beside an ingest that is killed: sends legs of every kind, and writes what was acknowledged to a file that
it syncs. It runs in a process of its own, ends when standard input ends, and reads nobody's spool."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from ingest.audiosocket import IDENT, KINDS, packet
from ingest.shell.stream_client import Progress
from ingest.tokens import audiosocket_uuid
from tests.ingest import lab
from tests.ingest.values import SECRET

MESSAGE, FRAME = 800, 160  # samples
GIVEN_UP_S = 60.0  # nobody starts ingest again
FORK = "audio.drachtio.org"
Line = tuple[Callable[[bytes], Awaitable[None]], Awaitable[object], Callable[[], Awaitable[None]]]  # send, gone, close


class Book:
    """Lines of JSON, each on the disk before anything else happens."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._took: deque[tuple[float, float]] = deque(maxlen=1000)

    def note(self, **told: Any) -> None:
        began = time.monotonic()
        self._file.write(json.dumps(told).encode() + b"\n")
        os.fsync(self._file.fileno())
        self._took.append((began, time.monotonic() - began))

    def slow_ms(self) -> int:
        """How long a sync took at most of late: what the disk does to everybody."""
        lately = time.monotonic() - 2
        return round(1000 * max((took for began, took in self._took if began > lately), default=0.0))


async def until(stop: asyncio.Event, due_s: float) -> None:
    """Real pace; at once when it is over."""
    wait_s = due_s - asyncio.get_running_loop().time()
    if wait_s > 0:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await stop.wait()


async def streams(url: str, call: str, book: Book, stop: asyncio.Event) -> None:
    """A /stream leg: it comes back, and sends again what was never acknowledged."""

    def told(progress: Progress) -> None:
        book.note(kind="ack", call=call, leg="agent", durable=progress.durable)

    began = asyncio.get_running_loop().time()
    async with lab.client(url, lab.hello(call), on_progress=told, ring_seconds=120) as client:
        while not stop.is_set():
            await client.send(lab.tone(MESSAGE, client.progress.samples))
            await until(stop, began + client.progress.samples / 8000)
        async with asyncio.timeout(GIVEN_UP_S):
            await client.finish()
        book.note(kind="done", call=call, leg="agent", samples=client.progress.samples)


async def socket(port: int, name: str) -> tuple[str, str, Line]:
    until_ = datetime.now(UTC) + timedelta(minutes=30)
    ident = audiosocket_uuid(SECRET, name, "agent", "agent", until_)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(packet(IDENT, ident.bytes))

    async def send(data: bytes) -> None:
        writer.write(packet(KINDS[8000], data))

    async def gone() -> None:
        with suppress(OSError):
            await reader.read()

    return str(ident), "audiosocket", (send, gone(), lambda: lab.hang_up(writer))


async def fork(http: aiohttp.ClientSession, url: str, name: str) -> tuple[str, str, Line]:
    ws = await http.ws_connect(f"{url}/pcm?call={name}&role=agent", protocols=(FORK,))

    async def close() -> None:
        await ws.close()

    return name, "agent", (ws.send_bytes, ws.receive(), close)


async def phone(connect: Callable[[str], Awaitable[tuple[str, str, Line]]], name: str, book: Book,
                stop: asyncio.Event) -> None:  # fmt: skip
    """A leg that never sends anything again; when it is lost, a new one begins."""
    loop, count = asyncio.get_running_loop(), 0
    while not stop.is_set():
        count += 1
        try:
            call, leg, (send, reading, close) = await connect(f"{name}-{count}")
        except (OSError, aiohttp.ClientError):
            await until(stop, loop.time() + 0.02)
            continue
        gone, sent, began, late_s = asyncio.ensure_future(reading), 0, loop.time(), 0.0
        while not stop.is_set() and not gone.done():
            with suppress(ConnectionError, aiohttp.ClientError):
                await send(lab.tone(FRAME, sent))
            sent += FRAME
            late_s = max(late_s, loop.time() - began - sent / 8000)
            await asyncio.wait([gone], timeout=max(0, began + sent / 8000 - loop.time()))
        slow_ms = round(late_s * 1000) + book.slow_ms()
        book.note(kind="phone", call=call, leg=leg, sent=sent, lost=gone.done(), slow_ms=slow_ms)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await close()


async def main(http_port: str, audio_port: str, path: str, count: str) -> None:
    url, book, stop = f"http://127.0.0.1:{http_port}", Book(Path(path)), asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stop.set)
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        for n in range(int(count)):
            group.create_task(streams(url, f"stream-{n}", book, stop))
            group.create_task(phone(lambda name: socket(int(audio_port), name), f"socket-{n}", book, stop))
            group.create_task(phone(lambda name: fork(http, url, name), f"fork-{n}", book, stop))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
