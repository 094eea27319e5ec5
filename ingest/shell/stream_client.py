"""A sender for /stream that survives lost connections: a ring of unacknowledged audio, resume, jittered reconnect."""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import aiohttp

from ingest.errors import ClientError, Refused
from ingest.legs import WIDTHS
from ingest.stream import (
    PAYLOAD_BYTES,
    TIMEOUT,
    Clock,
    Hello,
    Hole,
    Piece,
    write_clock,
    write_finish,
    write_hello,
    write_hole,
    write_piece,
)

RING_S = 30.0  # audio that is kept until it is acknowledged
NOT_HERE = (401, 403, 421)  # answers to a hello that never comes through
JITTER_S = (3.0, 30.0)  # the first reconnect comes within this time, later ones within this at most
HEARTBEAT_S = 5.0


@dataclass(slots=True)
class Progress:
    """How far a leg has come."""

    messages: int = 0
    samples: int = 0
    durable: int = 0  # messages that are on the server's disk
    dropped: int = 0  # samples that were given up because nobody took them
    connects: int = 0
    throttled: int = 0


@dataclass(frozen=True, slots=True)
class _Item:
    seq: int
    start: int
    samples: int
    size: int
    message: Piece | Hole


class StreamClient:
    """One leg. ``send`` audio, then ``finish``; both wait for the server, and raise Refused when it will never take it.

    A *live* source cannot wait: when its ring is full the oldest audio is dropped, and declared as a gap.
    """

    def __init__(
        self,
        url: str,
        hello: Hello,
        *,
        key: str | None = None,
        live: bool = False,
        ring_seconds: float = RING_S,
        jitter: Callable[[float], float] | None = None,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self.hello, self.progress = hello, Progress()
        self._url = url.rstrip("/") + "/stream"
        self._headers = {"Authorization": f"Bearer {key}"} if key else None
        self._live, self._told = live, on_progress
        self._jitter = jitter or (lambda most: random.uniform(0, most))
        self._width = WIDTHS[hello.encoding]
        self._limit = int(ring_seconds * hello.rate) * self._width
        self._ring: deque[_Item] = deque()
        self._held = 0
        self._report: Clock | None = None
        self._finishing = self._complete = False
        self._error: ClientError | None = None
        self._why = ""
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="stream-client")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def send(self, data: bytes) -> None:
        """Whole samples, of any length; 100 ms or more at a time serve best."""
        step = PAYLOAD_BYTES // self._width * self._width
        for at in range(0, len(data), step):
            payload = data[at : at + step]
            await self._put(payload, len(payload) // self._width)

    async def gap(self, samples: int, cause: str = "loss") -> None:
        """The source itself has lost audio."""
        await self._put(Hole(self.progress.messages + 1, samples, cause), samples)

    def clock(self, at: datetime) -> None:
        """The next sample sounds at *at*, by this sender's clock; said when something is sent. Not repeated."""
        self._report = Clock(self.progress.samples, at)

    async def finish(self) -> None:
        """The leg is complete; returns once all of it is durable."""
        self._finishing = True
        await self._until(lambda: self._complete, notify=True)

    async def durable(self) -> None:
        """Returns once everything sent so far is durable."""
        upto = self.progress.messages
        await self._until(lambda: self.progress.durable >= upto)

    async def _put(self, what: bytes | Hole, samples: int) -> None:
        size = len(what) if isinstance(what, bytes) else 0
        if self._live:
            self._drop(size)
        else:
            await self._until(lambda: not self._ring or self._held + size <= self._limit)
        at, seq = self.progress.samples, self.progress.messages + 1
        message = Piece(seq, at, what) if isinstance(what, bytes) else what
        self._ring.append(_Item(seq, at, samples, size, message))
        self._held += size
        self.progress.messages, self.progress.samples = seq, at + samples
        async with self._changed:
            self._changed.notify_all()

    def _drop(self, size: int) -> None:
        while self._ring and self._held + size > self._limit:
            item = self._ring.popleft()
            self._held -= item.size
            self.progress.dropped += item.samples

    async def _until(self, ready: Callable[[], bool], notify: bool = False) -> None:
        async with self._changed:
            if notify:
                self._changed.notify_all()
            await self._changed.wait_for(lambda: ready() or self._error is not None or self._over())
        if self._error is not None:
            raise self._error
        if not ready():
            raise ClientError(f"{self._url}: the sender was closed before everything was durable")

    def _settled(self) -> bool:
        return self._complete or self._error is not None

    def _over(self) -> bool:
        return self._task is None or self._task.done()

    async def _run(self) -> None:
        """Connect, and connect again, until the leg is complete or refused."""
        wait_s = JITTER_S[0]
        while not self._settled():
            before = self.progress.durable
            try:
                async with aiohttp.ClientSession() as http:
                    await self._connection(http)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self._why = str(error) or type(error).__name__
                if isinstance(error, aiohttp.WSServerHandshakeError) and error.status in NOT_HERE:
                    self._error = Refused(f"{self._url}: {error.status}: not from here; use the server's own address")
            if self._settled():
                break
            wait_s = JITTER_S[0] if self.progress.durable > before else min(JITTER_S[1], wait_s * 2)
            await asyncio.sleep(self._jitter(wait_s))
        async with self._changed:
            self._changed.notify_all()

    async def _connection(self, http: aiohttp.ClientSession) -> None:
        own: dict[str, Any] = {"heartbeat": HEARTBEAT_S, "compress": 0, "max_msg_size": PAYLOAD_BYTES}
        async with http.ws_connect(self._url, headers=self._headers, **own) as ws:
            await ws.send_str(write_hello(self.hello))
            writer: asyncio.Task[None] | None = None
            try:
                async for frame in ws:
                    if frame.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    told = json.loads(frame.data)
                    if told["type"] == "welcome" and writer is None:
                        self.progress.connects += 1
                        await self._acknowledged(told["durable"])
                        writer = asyncio.create_task(self._write(ws, told["durable"], told["sample"]))
                    else:
                        await self._hear(told)
            finally:
                if writer is not None:
                    await _stop(writer)
            await self._closed(ws.close_code)

    async def _hear(self, told: dict[str, Any]) -> None:
        if told["type"] == "ack":
            self._complete = self._complete or told.get("final", False)
            await self._acknowledged(told["durable"])
        elif told["type"] == "throttle":
            self.progress.throttled += 1
        elif told["type"] == "error":
            self._why = told["why"]

    async def _acknowledged(self, durable: int) -> None:
        while self._ring and self._ring[0].seq <= durable:
            self._held -= self._ring.popleft().size
        self.progress.durable = max(self.progress.durable, durable)
        self._told(self.progress)
        async with self._changed:
            self._changed.notify_all()

    async def _closed(self, code: int | None) -> None:
        """4400 to 4499 say that this leg will never be taken; everything else may be better the next time."""
        if code is not None and 4400 <= code < 4500 and code != TIMEOUT and not self._complete:
            self._error = Refused(f"{self._url}: {code}: {self._why or 'refused'}")

    async def _write(self, ws: aiohttp.ClientWebSocketResponse, last: int, sample: int) -> None:
        """Everything behind *last*, in order; what was dropped meanwhile is declared."""
        while True:
            item = await self._following(last)
            if item is None:
                if last < self.progress.messages:  # all of it is durable where the leg was before
                    lost = self.progress.samples - sample
                    last = self.progress.messages
                    await ws.send_str(write_hole(Hole(last, lost, "overrun")))
                await ws.send_str(write_finish(last))
                return
            if item.seq > last + 1:
                await ws.send_str(write_hole(Hole(item.seq - 1, item.start - sample, "overrun")))
            if isinstance(item.message, Piece):
                await ws.send_bytes(write_piece(item.message))
            else:
                await ws.send_str(write_hole(item.message))
            if self._report is not None:
                report, self._report = self._report, None
                await ws.send_str(write_clock(report))
            last, sample = item.seq, item.start + item.samples

    async def _following(self, last: int) -> _Item | None:
        """The next message to send; None when the leg is complete."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._behind(last) or self._finishing)
            return self._behind(last)

    def _behind(self, last: int) -> _Item | None:
        """Found from the ring's ends: its numbers have no holes."""
        if not self._ring or self._ring[-1].seq <= last:
            return None
        return self._ring[max(0, last + 1 - self._ring[0].seq)]


async def _stop(writer: asyncio.Task[None]) -> None:
    """End a task whose connection is gone; what the connection broke is no news."""
    writer.cancel()
    (result,) = await asyncio.gather(writer, return_exceptions=True)
    if isinstance(result, Exception) and not isinstance(result, aiohttp.ClientError | OSError):
        raise result
