"""AudioSocket over TCP: time limits, rate limits and the audio clock around the parser. Acknowledges nothing.

The sender never resends, so whatever cannot be stored becomes a gap with its cause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from ingest.admission import Opened
from ingest.audiosocket import HEAD_BYTES, Audio, Dtmf, Event, Fault, Hangup, Ident, Parser, Skipped
from ingest.errors import AudioSocketError, ProtocolError, SpoolError, SpoolFull, TokenError
from ingest.shell.core import LOG, Core
from ingest.shell.legs import LegWriter
from ingest.shell.siblings import Siblings
from ingest.sources import Network, inside

READ_BYTES = 64 * 1024
NAME = "audiosocket"


@dataclass(frozen=True, slots=True)
class SocketLimits:
    ident_seconds: float = 5.0
    idle_seconds: float = 10.0
    connections: int = 2000
    unnamed_per_peer: int = 50  # connections of one address that have not sent their UUID
    networks: tuple[Network, ...] = ()  # where connections come from; none = anywhere


class AudioSocketServer:
    """The port. Every connection is its own task; what one sends never disturbs another."""

    def __init__(self, core: Core, limits: SocketLimits, siblings: Siblings) -> None:
        self._core, self._limits, self._siblings = core, limits, siblings
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unnamed: dict[str, int] = {}
        self._stopping = False

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(
            self._accept, host, port, limit=READ_BYTES, reuse_port=self._siblings.any or None
        )
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    @property
    def open(self) -> int:
        return len(self._tasks)

    async def stop(self) -> None:
        """Close the port and end every leg with the reason."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = str((writer.get_extra_info("peername") or ("?",))[0])
        try:
            if not inside(self._limits.networks, peer):
                self._core.refuse("audiosocket", f"{peer} is in none of the networks that may send")
                return
            crowded = self._unnamed.get(peer, 0) >= self._limits.unnamed_per_peer
            if crowded or len(self._tasks) > self._limits.connections:
                self._core.refuse("audiosocket", f"{peer} has too many connections")
                return
            await self._serve(reader, peer)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        except SpoolError as error:
            self._core.refuse("audiosocket", error)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, peer: str) -> None:
        parser = Parser()
        self._unnamed[peer] = self._unnamed.get(peer, 0) + 1
        try:
            ident, early = await self._ident(reader, parser)
            leg = LegWriter(self._core, await self._open(ident), NAME)
        except (AudioSocketError, TokenError, SpoolError, OSError) as error:
            self._core.refuse("audiosocket", error)
            return
        finally:
            self._unnamed[peer] -= 1
            if not self._unnamed[peer]:
                del self._unnamed[peer]
        await self._until_end(reader, parser, leg, early)

    async def _open(self, ident: UUID) -> Opened:
        if not self._core.spool.roomy:
            raise SpoolFull("spool: is nearly full, no new call is taken now")
        if known := await self._siblings.admitted(str(ident)):
            self._core.admission.remember([known])
        return self._core.admission.open_audiosocket(ident, self._core.now())

    async def _ident(self, reader: asyncio.StreamReader, parser: Parser) -> tuple[UUID, Iterator[Event]]:
        """The UUID, and what came in the same read behind it, not looked at yet."""
        limit = self._limits.ident_seconds
        try:
            async with asyncio.timeout(limit):
                while data := await reader.read(READ_BYTES):
                    events = parser.feed(data)
                    if isinstance(first := next(events, None), Ident):
                        return first.uuid, events
        except TimeoutError:
            raise AudioSocketError(f"no UUID within {limit:g} s; send it first") from None
        raise AudioSocketError(f"closed after {parser.rest} bytes without a UUID; send it first")

    async def _until_end(
        self, reader: asyncio.StreamReader, parser: Parser, leg: LegWriter, early: Iterator[Event]
    ) -> None:
        cause = "error"
        try:
            cause = self._take(leg, early) or await self._read(reader, parser, leg)
        except ProtocolError as error:
            self._core.refuse("audiosocket packet", error)
        except OSError:
            cause = "reset"
        except asyncio.CancelledError:
            cause = "shutdown"
            raise
        finally:
            self._core.counts["audiosocket skipped"] += parser.skipped
            leg.end(cause)

    async def _read(self, reader: asyncio.StreamReader, parser: Parser, leg: LegWriter) -> str:
        """Read until the leg is over; says why."""
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                return "idle"
            if not data:
                return "truncated" if parser.rest else "eof"
            if cause := self._take(leg, parser.feed(data)):
                return cause

    def _take(self, leg: LegWriter, events: Iterable[Event]) -> str:
        """Store what came, up to the first fault; non-empty when the sender hung up."""
        for event in events:
            match event:
                case Audio():
                    leg.rate = event.rate
                    leg.audio(event.data)
                case Hangup():
                    return "hangup"
                case Fault():
                    leg.control(HEAD_BYTES)
                    LOG.warning("audiosocket: the sender reports error %d %s", event.code, event.names)
                case Dtmf() | Ident():
                    leg.control(HEAD_BYTES)
                    self._core.counts["audiosocket digits"] += 1  # counted; what was pressed is never kept
                case Skipped():
                    leg.control(HEAD_BYTES + event.length)
        return ""
