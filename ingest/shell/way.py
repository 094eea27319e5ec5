"""What the WebSocket routes share that carry legs nobody resumes: connections, refusals, the end. Knows no protocol.

A route makes a ``LegSocket`` of every connection that it lets in. What comes over it, and which code a refusal has, is
the protocol's own.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aiohttp import WSMessage, WSMsgType, web

from ingest.errors import PaceError, ProtocolError, SignatureError, SpoolError, TokenError
from ingest.shell.core import LOG, Core
from ingest.shell.door import DOOR
from ingest.shell.legs import LegWriter
from ingest.sources import ANY, Source

GOODBYE_S = 2.0
REASON_BYTES = 100  # of the letter that a close carries; WebSocket takes 123
GOING_AWAY, POLICY, BUSY = 1001, 1008, 1013


class Route:
    """One path. Every connection is its own task; what one sends never disturbs another."""

    path: str

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sockets: set[LegSocket] = set()

    @property
    def open(self) -> int:
        """Legs that are open now."""
        return sum(len(socket.legs) for socket in self._sockets)

    async def talk(self, socket: LegSocket, request: web.Request) -> web.WebSocketResponse:
        """One connection from beginning to end; its sender has been let in."""
        request.app[DOOR].vouch(request)
        self._sockets.add(socket)
        try:
            return await socket.serve(request)
        finally:
            self._sockets.discard(socket)

    async def stranger(self, request: web.Request, error: SignatureError, until_s: float, letter: str) -> web.Response:
        """Refused, but not before *until_s*: how long it took must not say what was wrong."""
        self._core.refuse(f"{self.path.strip('/')} authentication", f"from {request.remote}: {error}")
        await asyncio.sleep(until_s - self._core.mono())
        return problem(401, letter)

    async def go_away(self) -> None:
        """The process stops."""
        await asyncio.gather(*(socket.go_away() for socket in self._sockets))


class LegSocket(ABC):
    """One connection and its legs. A protocol says what ``_talk`` does, and what it refuses otherwise than here."""

    def __init__(self, name: str, core: Core, source: Source | None, ws: web.WebSocketResponse, cause: str) -> None:
        """*cause*: why the legs end where nothing better is known."""
        self._name, self._core, self._source, self._ws, self._cause = name, core, source, ws, cause
        self._writes = name if source is None or source.name == ANY else source.name
        self._telling: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self.legs: list[LegWriter] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Until the client has closed, was refused, or is lost."""
        await self._ws.prepare(request)
        assert request.transport is not None
        self._in = cast(asyncio.ReadTransport, request.transport)
        try:
            await self._heard(request)
        except (ConnectionError, RuntimeError) as error:  # aiohttp says RuntimeError for a socket closed under a send
            LOG.info("%s: connection lost: %s", self._name, error)
        except asyncio.CancelledError:
            self._cause = "shutdown"
            raise
        finally:
            self._end()
            self._gone.set()
        await asyncio.gather(*self._telling)
        return self._ws

    async def _heard(self, request: web.Request) -> None:
        try:
            await self._talk(request)
        except (ProtocolError, TokenError, SpoolError) as error:
            self._cause = "error"
            await self._refuse(error)

    @abstractmethod
    async def _talk(self, request: web.Request) -> None:
        """All that the client says."""

    async def go_away(self) -> None:
        """The process stops: the client is told, and the legs end."""
        self._cause = "shutdown"
        await self._ws.close(code=GOING_AWAY)

    async def _next(self, seconds: float) -> str | bytes | None:
        """What the client says within so long; TimeoutError when it says nothing."""
        async with asyncio.timeout(seconds):
            return self._data(await self._ws.receive())

    def _data(self, frame: WSMessage) -> str | bytes | None:
        """What a message holds; None when the connection is over."""
        if frame.type in (WSMsgType.BINARY, WSMsgType.TEXT):
            data: str | bytes = frame.data
            return data
        if frame.type is WSMsgType.ERROR:
            raise self._broken(frame.data)
        return None

    @abstractmethod
    def _broken(self, error: BaseException) -> ProtocolError:
        """What to say of a message that the library has not taken."""

    def _code(self, error: Exception) -> int:
        """How a refused connection is closed."""
        if isinstance(error, ProtocolError):
            return error.code
        return POLICY if isinstance(error, TokenError) else BUSY

    async def _refuse(self, error: Exception) -> None:
        """The legs end before the client has its letter, which it may be slow to take."""
        self._core.refuse(f"{self._name} pace" if isinstance(error, PaceError) else self._name, error)
        self._end()
        if not self._ws.closed:
            reason = str(error).encode()[:REASON_BYTES].decode(errors="ignore")  # no half of a character
            await self._ws.close(code=self._code(error), message=reason.encode())

    def _own(self, call: str) -> str:
        """The call, if this sender may speak of it; else TokenError."""
        if self._source is not None and (why := self._source.no_business(call)):
            raise TokenError(why)
        return call

    def _event(self, ident: str, call: str, leg: str, role: str, **more: Any) -> dict[str, Any]:
        """Whose audio a leg is; what is None is not said."""
        said = {name: value for name, value in more.items() if value is not None}
        at = self._core.now().isoformat()
        return {"source": self._writes, "id": ident, "at": at, "type": "leg", "call": call, "leg": leg, "role": role,
                **said}  # fmt: skip

    def _tell(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Beside the audio: what reads the socket does not wait for the disk."""
        if events:
            self._telling.add(asyncio.create_task(self._store(events), name=f"{self._name}-events"))

    async def _store(self, events: Sequence[Mapping[str, Any]]) -> None:
        try:
            taken = await self._core.take_events(events)
        except SpoolError as error:
            self._core.refuse(f"{self._name} event", error)
            return
        for _, refused in taken.refused:
            self._core.refuse(f"{self._name} event", f"{refused.field}: {refused.reason}")

    def _end(self) -> None:
        """End what is open; said again it changes nothing."""
        try:
            for leg in self.legs:
                leg.end(self._cause)
        except SpoolError as error:
            LOG.error("%s: the end of a leg is not stored: %s", self._name, error)
        self.legs.clear()


def problem(status: int, why: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A refusal before any WebSocket: a letter as JSON."""
    return web.json_response({"error": why}, status=status, headers=headers)
