"""One WebSocket of /stream: reads messages, writes acknowledgements after COMMIT. Keeps no leg's progress."""

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType, web

from ingest.errors import ProtocolError, SpoolError, StreamError, TokenError
from ingest.legs import WIDTHS
from ingest.pace import Bucket
from ingest.rows import Row
from ingest.shell.core import LOG, Core
from ingest.shell.streams import Live, Streams
from ingest.stream import (
    BUSY,
    HEAD_BYTES,
    PAYLOAD_BYTES,
    PROTOCOL,
    TIMEOUT,
    TOKEN,
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
from ingest.streamleg import LegState

HELLO_S = 5.0
HEARTBEAT_S = 5.0
FULL_WAIT_S = 0.25
GOING_AWAY = 1001


class StreamSocket:
    """One connection, from its hello to its close."""

    def __init__(self, core: Core, streams: Streams) -> None:
        self._core, self._streams = core, streams
        self._ws = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=HEAD_BYTES + PAYLOAD_BYTES + 1, compress=False, timeout=2.0
        )
        self.progress = asyncio.Event()
        self._kicked: asyncio.Task[None] | None = None
        self._told_throttle = self._final = False

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        await self._ws.prepare(request)
        try:
            await self._talk(await self._hello())
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
                message = await self._receive()
        except TimeoutError:
            raise StreamError(f"no hello within {HELLO_S:.0f} s; send it first", TIMEOUT) from None
        if not isinstance(message, Hello):
            raise StreamError("first message: is no hello; send it first", PROTOCOL)
        return message

    async def _talk(self, hello: Hello) -> None:
        await self._streams.catch_up(hello)
        live = self._streams.enter(hello, self)
        sender = asyncio.create_task(self._acknowledge(live), name="stream-acks")
        try:
            await self._take(live)
        finally:
            if not self._final:
                sender.cancel()
            self._streams.leave(live, self)
            await asyncio.gather(sender, return_exceptions=True)

    async def _take(self, live: Live) -> None:
        leg = live.leg
        bucket = Bucket(leg.hello.rate * WIDTHS[leg.hello.encoding])
        while (message := await self._receive()) is not None:
            if live.writer is not self:
                return  # fenced while this message was on its way
            rows = self._rows(live, message)
            if rows:
                self._streams.store(live, rows)
            elif isinstance(message, Finish):
                self.progress.set()  # said again: the answer is the same
            await self._slow_down(bucket, message)

    def _rows(self, live: Live, message: Message) -> list[Row]:
        match message:
            case Piece():
                return live.leg.piece(message)
            case Hole():
                return live.leg.hole(message)
            case Finish():
                return live.leg.finish(message)
            case Hello():
                raise StreamError("hello: comes once a connection", PROTOCOL)

    async def _slow_down(self, bucket: Bucket, message: Message) -> None:
        """Our own senders are slowed by not reading; nothing of theirs is dropped."""
        if isinstance(message, Piece):
            wait_s = bucket.wait_s(len(message.payload), self._core.mono())
            if wait_s > 0:
                await asyncio.sleep(min(wait_s, HEARTBEAT_S / 2))
        spool = self._core.spool
        while spool.state == "full" or spool.fill >= 1:
            if not self._told_throttle:
                self._told_throttle = True
                await self._ws.send_str(throttle(int(FULL_WAIT_S * 1000), f"spool is {spool.state}"))
            await asyncio.sleep(FULL_WAIT_S)
        self._told_throttle = False

    async def _receive(self) -> Message | None:
        """The next message, None when the connection is over."""
        frame = await self._ws.receive()
        if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            return read_message(frame.data)
        if frame.type is WSMsgType.ERROR:
            raise StreamError(f"message: {frame.data}; send at most {HEAD_BYTES + PAYLOAD_BYTES} bytes", 1009)
        return None

    async def _acknowledge(self, live: Live) -> None:
        """Welcome once everything taken is durable, then one ack a commit, the final one last."""
        told = -1
        while True:
            leg, asked = live.leg, self.progress.is_set()
            self.progress.clear()  # before anything is said: what happens meanwhile is looked at again
            if told < 0 and leg.drained:
                told = leg.durable
                await self._ws.send_str(welcome(leg.durable, leg.sample))
            if told >= 0 and leg.state is LegState.OVER and asked:
                self._final = True
                await self._ws.send_str(ack(leg.durable, final=True))
                self._core.faults("after-ack")
                await self._ws.close(code=1000)
                return
            if told >= 0 and leg.state is not LegState.OVER and leg.durable > told:
                told = leg.durable
                await self._ws.send_str(ack(told))
                self._core.faults("after-ack")
            await self.progress.wait()

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
