"""One WebSocket of /stream: reads messages, writes acknowledgements after COMMIT. Keeps no leg's progress."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import WSMessage, WSMsgType, web

from ingest.errors import ProtocolError, SpoolError, StreamError, TokenError
from ingest.legs import WIDTHS
from ingest.pace import Bucket
from ingest.rows import ROW_OVERHEAD, Row
from ingest.shell.core import LOG, Core
from ingest.shell.streams import Live, Streams
from ingest.sources import Source
from ingest.stream import (
    BUSY,
    HEAD_BYTES,
    PAYLOAD_BYTES,
    PROTOCOL,
    TIMEOUT,
    TOKEN,
    Clock,
    Finish,
    Hello,
    Hole,
    Message,
    Piece,
    ack,
    fault,
    read_message,
    throttle,
    welcome,
)
from ingest.streamleg import LegState, StreamLeg

HELLO_S = 5.0
HEARTBEAT_S = 5.0
FULL_WAIT_S = 0.25
LEAST_BYTES = 64  # as much as the smallest piece counts for
GOING_AWAY = 1001
UNREAD_BYTES = 64 * 1024  # of acknowledgements, beside what the system's own buffers hold
TEXT_FRAME = 0x81  # whole and unmasked


class StreamSocket:
    """One connection, from its hello to its close."""

    def __init__(
        self, core: Core, streams: Streams, source: Source | None, names: frozenset[str],
        vouch: Callable[[web.Request], None],
    ) -> None:  # fmt: skip
        """*source*: who has shown a key; without one nobody writes under the *names* of those who have one. *vouch* is
        told when a token has opened a leg."""
        self._core, self._streams, self._vouch = core, streams, vouch
        self.source, self._names = source, names
        self._ws = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=HEAD_BYTES + PAYLOAD_BYTES + 1, compress=False, timeout=2.0
        )
        self.progress = asyncio.Event()
        self._kicked: asyncio.Task[None] | None = None
        self._told_throttle = self._final = False
        self._told = -1  # what the client knows to be durable; -1 before its welcome
        self._live: Live | None = None

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        await self._ws.prepare(request)
        assert request.transport is not None
        self._out = cast(asyncio.WriteTransport, request.transport)
        try:
            await self._talk(await self._hello(), request)
        except ProtocolError as error:
            await self._refuse(error)
        except TokenError as error:
            await self._refuse(StreamError(str(error), TOKEN))
        except SpoolError as error:
            await self._refuse(StreamError(str(error), BUSY))
        except (ConnectionError, RuntimeError) as error:  # aiohttp says RuntimeError for a socket closed under a send
            LOG.info("stream: connection lost: %s", error)
        if self._kicked is not None:
            await self._kicked
        return self._ws

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(HELLO_S):
                message = self._read(await self._ws.receive())
        except TimeoutError:
            raise StreamError(f"no hello within {HELLO_S:.0f} s; send it first", TIMEOUT) from None
        if not isinstance(message, Hello):
            raise StreamError("first message: is no hello; send it first", PROTOCOL)
        if self.source is None and message.source in self._names:
            raise StreamError(f"source: {message.source!r} has a key; send it as a bearer token", TOKEN)
        if self.source is not None and self.source.writes not in (None, message.source):
            raise StreamError(f"source: this key may write as {self.source.writes!r} only", TOKEN)
        if self.source is not None and (why := self.source.no_business(message.call)):
            raise StreamError(why, TOKEN)
        return message

    async def _talk(self, hello: Hello, request: web.Request) -> None:
        await self._streams.catch_up(hello)
        live = self._live = self._streams.enter(hello, self)
        self._vouch(request)
        sender = asyncio.create_task(self._acknowledge(live), name="stream-acks")
        try:
            await self._take(live)
        finally:
            if not self._final:
                sender.cancel()
            self._streams.leave(live, self)
            await asyncio.gather(sender, return_exceptions=True)

    async def _take(self, live: Live) -> None:
        leg, spool, mono = live.leg, self._core.spool, self._core.mono
        bucket = Bucket(leg.hello.rate * WIDTHS[leg.hello.encoding])
        while (message := self._read(await self._ws.receive())) is not None:
            if live.writer is not self:
                return  # fenced while this message was on its way
            rows = self._rows(live, message)
            if rows:
                self._streams.store(live, rows)
            elif isinstance(message, Finish):
                self.progress.set()  # said again: the answer is the same
            size = max(len(message.payload), LEAST_BYTES) if isinstance(message, Piece) else ROW_OVERHEAD
            now_s = mono()
            wait_s = max(bucket.wait_s(size, now_s), live.reach.wait_s(leg.sample / leg.hello.rate, now_s))
            if wait_s > 0 or spool.state == "full" or spool.fill >= 1:
                await self._slow_down(wait_s)
            elif self._told_throttle:
                self._told_throttle = False

    def _rows(self, live: Live, message: Message) -> list[Row]:
        match message:
            case Piece():
                return live.leg.piece(message, live.reach.most_s(self._core.mono()))
            case Hole():
                return live.leg.hole(message, live.reach.most_s(self._core.mono()))
            case Clock():
                return live.leg.clock(message)
            case Finish():
                return live.leg.finish(message)
            case Hello():
                raise StreamError("hello: comes once a connection", PROTOCOL)

    async def _slow_down(self, wait_s: float) -> None:
        """Our own senders are slowed by not reading; nothing of theirs is dropped."""
        if wait_s > 0:
            await asyncio.sleep(min(wait_s, HEARTBEAT_S / 2))
        spool = self._core.spool
        while spool.state == "full" or spool.fill >= 1:
            if not self._told_throttle:
                self._told_throttle = True
                await self._ws.send_str(throttle(int(FULL_WAIT_S * 1000), f"spool is {spool.state}"))
            await asyncio.sleep(FULL_WAIT_S)
        self._told_throttle = False

    def _read(self, frame: WSMessage) -> Message | None:
        """What a frame says, None when the connection is over."""
        if frame.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            return read_message(frame.data)
        if frame.type is WSMsgType.ERROR:
            raise StreamError(f"message: {frame.data}; send at most {HEAD_BYTES + PAYLOAD_BYTES} bytes", 1009)
        return None

    async def _acknowledge(self, live: Live) -> None:
        """Welcome once everything taken is durable, then one ack a commit, the final one last."""
        while True:
            leg, asked = live.leg, self.progress.is_set()
            self.progress.clear()  # before anything is said: what happens meanwhile is looked at again
            if self._told < 0 and leg.drained:
                self._told = leg.durable
                await self._ws.send_str(welcome(leg.durable, leg.sample))
            if self._told >= 0 and leg.state is LegState.OVER and asked:
                self._final = True
                await self._ws.send_str(ack(leg.durable, final=True))
                self._core.faults("after-ack")
                await self._ws.close(code=1000)
                return
            self._say(leg)
            await self.progress.wait()

    def moved(self) -> None:
        """A commit took more of the leg: said at once, or by the task where there is more to say."""
        leg = self._live.leg if self._live else None
        if leg is None or self._told < 0 or leg.state is LegState.OVER:
            self.progress.set()
        else:
            self._say(leg)

    def _say(self, leg: StreamLeg) -> None:
        """One acknowledgement as the short text frame that it is (RFC 6455, 5.2): no coroutine, ten times a second
        and leg."""
        if self._told < 0 or leg.state is LegState.OVER or leg.durable <= self._told:
            return
        if self._ws.closed or self._out.is_closing():
            return  # nothing follows a close
        if self._out.get_write_buffer_size() > UNREAD_BYTES:
            self._core.refuse("stream", f"leg {leg.name}: its sender reads no acknowledgement")
            self._out.abort()
            return
        self._told = leg.durable
        text = ack(leg.durable).encode()
        self._out.write(bytes((TEXT_FRAME, len(text))) + text)
        self._core.faults("after-ack")

    def kick(self, error: StreamError) -> None:
        """Another connection writes the leg now."""
        self._kicked = asyncio.create_task(self._refuse(error), name="stream-kick")

    async def go_away(self) -> None:
        """The process stops; the client comes back to the next one."""
        await self._ws.close(code=GOING_AWAY)

    async def _refuse(self, error: ProtocolError) -> None:
        self._core.refuse("stream", error)
        if self._ws.closed:
            return
        try:
            await self._ws.send_str(fault(error.code, str(error)))
            await self._ws.close(code=error.code, message=str(error).encode()[:100])
        except (ConnectionError, RuntimeError) as lost:
            LOG.info("stream: connection lost before it was told why: %s", lost)
