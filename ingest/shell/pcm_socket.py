"""/pcm: bare audio over WebSocket from Asterisk, FreeSWITCH and jambonz. Admits, limits, stores; answers nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC
from typing import Any, cast
from uuid import uuid4

from aiohttp import WSMessage, WSMsgType, web

from ingest.admission import Opened
from ingest.errors import PaceError, PcmError, ProtocolError, SpoolError, TokenError
from ingest.fields import NAME_CHARS
from ingest.pcm import Pcm, Sound, Words
from ingest.pcm_dialects import Dialect, Opening, Track, choose
from ingest.shell.core import LOG, Core
from ingest.shell.legs import LegWriter
from ingest.sources import ANY, Source, Sources

NAME = "pcm"
OPENING_S = 5.0  # a sender says at once what it sends
HEARTBEAT_S = 20.0
GOODBYE_S = 2.0
MOST_RETURNS = 200  # of one leg within a call
GOING_AWAY, POLICY, BUSY = 1001, 1008, 1013
ENDS = (1000, 1001)


class PcmWay:
    """The route. The server has looked at key and address; what opens a leg is looked at here."""

    path = "/pcm"
    checks_itself = False

    def __init__(self, core: Core, sources: Sources, heartbeat_seconds: float = HEARTBEAT_S) -> None:
        self._core, self._heartbeat_s = core, heartbeat_seconds
        self._sockets: set[PcmSocket] = set()

    @property
    def open(self) -> int:
        return sum(len(socket.legs) for socket in self._sockets)

    async def serve(self, request: web.Request, source: Source | None) -> web.StreamResponse:
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        try:
            dialect = choose([name for name in offered if name])
        except PcmError as error:
            self._core.refuse(NAME, error)
            return web.json_response({"error": str(error)}, status=400)
        if why := self._core.no_room(source):
            self._core.refuse(NAME, why)
            return web.json_response({"error": f"{why}; try again later"}, status=503, headers={"Retry-After": "1"})
        socket = PcmSocket(self._core, source, dialect, bool(offered[0]), self._heartbeat_s)
        self._sockets.add(socket)
        try:
            return await socket.serve(request)
        finally:
            self._sockets.discard(socket)

    async def go_away(self) -> None:
        await asyncio.gather(*(socket.go_away() for socket in self._sockets))


class PcmSocket:
    """One connection and its legs."""

    def __init__(self, core: Core, source: Source | None, dialect: Dialect, named: bool, heartbeat_s: float) -> None:
        self._core, self._source, self._dialect = core, source, dialect
        self._writes = NAME if source is None or source.name == ANY else source.name
        self._ws = web.WebSocketResponse(
            protocols=(dialect.name,) if named else (),
            max_msg_size=dialect.message_bytes + 1,  # aiohttp refuses a message of exactly its limit
            compress=False, heartbeat=heartbeat_s, timeout=GOODBYE_S,
        )  # fmt: skip
        self._cause = "reset"
        self._gone = asyncio.Event()
        self._binding: asyncio.Task[None] | None = None
        self.legs: list[LegWriter] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        await self._ws.prepare(request)
        assert request.transport is not None
        self._in = cast(asyncio.ReadTransport, request.transport)
        try:
            await self._talk(Pcm(self._dialect, dict(request.query)))
        except ProtocolError as error:
            await self._refuse(error, error.code)
        except TokenError as error:
            await self._refuse(error, POLICY)
        except SpoolError as error:
            await self._refuse(error, BUSY)
        except (ConnectionError, RuntimeError) as error:  # aiohttp says RuntimeError for a socket closed under a send
            LOG.info("pcm: connection lost: %s", error)
        except asyncio.CancelledError:
            self._cause = "shutdown"
            raise
        finally:
            self._end()
            self._gone.set()
        if self._binding is not None:
            await self._binding
        return self._ws

    async def go_away(self) -> None:
        """The process stops: legs end here, whatever the client still has."""
        self._cause = "shutdown"
        self._end()
        await self._ws.close(code=GOING_AWAY)

    async def _talk(self, pcm: Pcm) -> None:
        """Until the client has closed."""
        message = await self._first()
        while message is not None:
            for event in pcm.feed(message):
                match event:
                    case Sound(parts):
                        for leg, part in zip(self.legs, parts, strict=False):  # none once the process has ended them
                            leg.audio(part)
                        self._core.rounds.rest(self._in)
                    case Opening():
                        await self._begin(event)
                    case Words(size):
                        self._words(size)
            message = self._data(await self._ws.receive())
        if self._cause == "reset" and self._ws.close_code in ENDS:
            self._cause = "truncated" if pcm.rest else "end"

    async def _first(self) -> str | bytes | None:
        try:
            async with asyncio.timeout(OPENING_S):
                return self._data(await self._ws.receive())
        except TimeoutError:
            raise PcmError(f"nothing within {OPENING_S:g} s; say first what you send", POLICY) from None

    def _data(self, frame: WSMessage) -> str | bytes | None:
        """What a message holds; None when the connection is over."""
        if frame.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            data: str | bytes = frame.data
            return data
        if frame.type is WSMsgType.ERROR:
            raise PcmError(f"message: {frame.data}; send at most {self._dialect.message_bytes} bytes", 1009)
        return None

    def _words(self, size: int) -> None:
        self._core.counts["pcm words"] += 1  # counted; what was pressed is never kept
        for leg in self.legs[:1]:
            leg.control(size)

    async def _begin(self, opening: Opening) -> None:
        if why := self._core.no_room(self._source, len(opening.tracks)):
            raise PcmError(f"{why}; try again later", BUSY)
        opened = await self._admit(opening)
        for one in opened:
            self.legs.append(LegWriter(self._core, one, self._writes, opening.encoding, opening.rate))
        if opening.ident is None:
            self._binding = asyncio.create_task(self._bind(opening, opened), name="pcm-bind")

    async def _admit(self, opening: Opening) -> list[Opened]:
        """All tracks or none."""
        if opening.ident is not None:
            await self._core.learn(str(opening.ident))
            return [self._core.admission.open_audiosocket(opening.ident, self._core.now())]
        return [await self._admit_track(opening, track) for track in opening.tracks]

    async def _admit_track(self, opening: Opening, track: Track) -> Opened:
        if track.token is not None:
            await self._core.learn(track.token)
            return self._core.admission.open_token(track.token, self._core.now())
        if opening.call is None:
            raise PcmError('first message: names no call; send {"call": …}, or a token for each leg')
        return await self._admit_named(opening.call, track)

    async def _admit_named(self, call: str, track: Track) -> Opened:
        """Who was let in by a key, or is on this machine, names its legs itself; who comes back gets a further one."""
        for count in range(1, MOST_RETURNS):
            leg = track.leg if count == 1 else f"{track.leg[: NAME_CHARS - 8]}+{count}"
            name = f"{NAME} {call} {leg}"
            await self._core.learn(name)
            if name not in self._core.admission:
                return Opened(call, leg, track.role, self._core.admission.open_once(name, call, self._core.now()))
        raise PcmError(f"leg: came {MOST_RETURNS} times; begin a new call", POLICY)

    async def _bind(self, opening: Opening, opened: Sequence[Opened]) -> None:
        """What the connection said of its legs, as events; its audio does not wait for them."""
        session, at = uuid4().hex, self._core.now().astimezone(UTC).isoformat()
        told: list[dict[str, Any]] = []
        for one in opened:
            agent = one.role == "agent"
            event = {"source": self._writes, "id": f"pcm-{session}-{len(told)}", "at": at, "type": "leg",
                     "call": one.call, "leg": one.leg, "role": one.role, "dialect": self._dialect.name,
                     "seat": opening.seat if agent else None, "agent": opening.agent if agent else None}  # fmt: skip
            told.append({name: value for name, value in event.items() if value is not None})
        try:
            taken = await self._core.take_events(told)
        except SpoolError as error:
            self._core.refuse("pcm event", error)
            return
        for _, refusal in taken.refused:
            self._core.refuse("pcm event", f"{refusal.field}: {refusal.reason}")

    async def _refuse(self, error: Exception, code: int) -> None:
        self._core.refuse("pcm pace" if isinstance(error, PaceError) else NAME, error)
        self._cause = "error"
        self._end()
        if not self._ws.closed:
            reason = str(error).encode()[:100].decode(errors="ignore")  # no half of a character
            await self._ws.close(code=code, message=reason.encode())

    def _end(self) -> None:
        try:
            for leg in self.legs:
                leg.end(self._cause)
        except SpoolError as error:
            LOG.error("pcm: the end of a leg is not stored: %s", error)
        self.legs.clear()
