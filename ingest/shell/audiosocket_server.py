"""AudioSocket over TCP: time limits, rate limits and the audio clock around the parser. Acknowledges nothing.

The sender never resends, so whatever cannot be stored becomes a gap with its cause. Packets come fifty times a second
on every leg: a connection is a protocol of the event loop, not a task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from ingest.admission import Opened
from ingest.audiosocket import HEAD_BYTES, Audio, Dtmf, Event, Fault, Hangup, Ident, Parser, Skipped
from ingest.errors import AudioSocketError, ProtocolError, SpoolError, SpoolFull, TokenError
from ingest.shell.core import LOG, Core
from ingest.shell.legs import LegWriter
from ingest.shell.siblings import Siblings
from ingest.sources import Network, inside

NAME = "audiosocket"
# Asterisk 22 may read the socket of a tap's channel just when the channel is joined to its bridge, and waits there, the
# channel locked, for bytes that a listener never sends: one tap of some hundreds is joined without sound. Any packet
# wakes it. What a tap's channel is sent goes to its snoop, which speaks to nobody: no party of the call hears it.
NUDGE = b"\x10\x01\x40" + bytes(320)


@dataclass(frozen=True, slots=True)
class SocketLimits:
    ident_seconds: float = 5.0
    idle_seconds: float = 10.0
    prompt_seconds: float = 2.0  # of a tap of ours without its first audio
    nudge_seconds: float = 0.1  # so often it is woken until then
    connections: int = 2000
    unnamed_per_peer: int = 50  # connections of one address that have not sent their UUID
    networks: tuple[Network, ...] = ()  # where connections come from; none = anywhere


class AudioSocketServer:
    """The port. What one connection sends never disturbs another."""

    def __init__(self, core: Core, limits: SocketLimits, siblings: Siblings) -> None:
        self.core, self.limits, self.siblings = core, limits, siblings
        self._server: asyncio.Server | None = None
        self._lines: set[Line] = set()
        self._unnamed: dict[str, int] = {}

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()
        shared = self.siblings.any or None
        self._server = await loop.create_server(lambda: Line(self), host, port, reuse_port=shared)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    @property
    def open(self) -> int:
        return len(self._lines)

    async def stop(self) -> None:
        """Close the port and end every leg with the reason."""
        if self._server is not None:
            self._server.close()
        for line in list(self._lines):
            line.leave("shutdown")

    def enter(self, line: Line) -> str | None:
        """Why a connection cannot be taken; None when it is."""
        if not inside(self.limits.networks, line.peer):
            return f"{line.peer} is in none of the networks that may send"
        if self._unnamed.get(line.peer, 0) >= self.limits.unnamed_per_peer or self.open >= self.limits.connections:
            return f"{line.peer} has too many connections"
        self._lines.add(line)
        self._unnamed[line.peer] = self._unnamed.get(line.peer, 0) + 1
        return None

    def named(self, peer: str) -> None:
        """One connection of this address has said who it is, or has gone."""
        self._unnamed[peer] -= 1
        if not self._unnamed[peer]:
            del self._unnamed[peer]

    def discard(self, line: Line) -> None:
        self._lines.discard(line)

    def admit(self, ident: UUID) -> Opened:
        """Use up a UUID; SpoolFull or TokenError when it opens nothing."""
        if why := self.core.no_room(None):
            raise SpoolFull(why)
        return self.core.admission.open_audiosocket(ident, self.core.now())


class Line(asyncio.Protocol):
    """One connection: its UUID first, then the audio of one leg until it ends."""

    def __init__(self, server: AudioSocketServer) -> None:
        self._server, self._core = server, server.core
        self._parser = Parser()
        self._leg: LegWriter | None = None
        self._asking: asyncio.Task[None] | None = None
        self._over = self._named = self._prompt = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._loop = cast(asyncio.Transport, transport), asyncio.get_running_loop()
        self.peer = str((transport.get_extra_info("peername") or ("?",))[0])
        if why := self._server.enter(self):
            self._core.refuse(NAME, why)
            self._over = self._named = True
            self._transport.close()
            return
        self._heard_s = self._loop.time()
        self._timer = self._loop.call_later(self._server.limits.ident_seconds, self._look)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        self._heard_s = self._loop.time()
        events = self._parser.feed(data)
        try:
            if self._leg is None:
                if isinstance(first := next(events, None), Ident):
                    self._admit(first.uuid)
            elif cause := self._take(self._leg, events):
                self.leave(cause)
            else:
                self._core.rounds.rest(self._transport)
        except (ProtocolError, SpoolError) as error:
            self._refuse(error)

    def _admit(self, ident: UUID) -> None:
        """Nothing more is read while other processes are asked what they know of the UUID."""
        if not self._server.siblings.any:
            self._begin(ident)
            return
        self._transport.pause_reading()
        self._asking = asyncio.create_task(self._ask(ident), name="audiosocket-uuid")

    async def _ask(self, ident: UUID) -> None:
        try:
            if known := await self._server.siblings.admitted(str(ident)):
                self._core.admission.remember([known])
        except SpoolError as error:
            self._refuse(error)
        if not self._over:
            self._begin(ident)
        if not self._over:
            self._transport.resume_reading()

    def _begin(self, ident: UUID) -> None:
        try:
            self._leg = leg = LegWriter(self._core, self._server.admit(ident), NAME)
            self._prompt = str(ident) in self._core.prompt
            self._known()
            self._timer.cancel()
            self._timer = self._loop.call_later(self._patience_s(leg), self._look)
            if self._prompt:
                self._loop.call_later(self._server.limits.nudge_seconds, self._nudge, leg)
            if cause := self._take(leg, self._parser.feed(b"")):  # what came in the same read
                self.leave(cause)
        except (ProtocolError, TokenError, SpoolError) as error:
            self._refuse(error)

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

    def eof_received(self) -> None:
        """Most senders just close."""
        if self._leg is None and not self._over:
            self._refuse(AudioSocketError(f"closed after {self._parser.rest} bytes without a UUID; send it first"))
        self.leave("truncated" if self._parser.rest else "eof")

    def connection_lost(self, error: Exception | None) -> None:
        self.leave("eof" if error is None else "reset")
        self._known()
        self._server.discard(self)

    def _look(self) -> None:
        """The time for the UUID is over, or nothing may have come for too long."""
        limits = self._server.limits
        if self._leg is None:
            self._refuse(AudioSocketError(f"no UUID within {limits.ident_seconds:g} s; send it first"))
        elif (rest_s := self._heard_s + self._patience_s(self._leg) - self._loop.time()) > 0:
            self._timer = self._loop.call_later(rest_s, self._look)
        else:
            self.leave("idle")

    def _nudge(self, leg: LegWriter) -> None:
        """Wake a tap of ours that has not begun to sound."""
        if not self._over and not leg.samples:
            self._core.counts["audiosocket nudged"] += 1
            self._transport.write(NUDGE)
            self._loop.call_later(self._server.limits.nudge_seconds, self._nudge, leg)

    def _patience_s(self, leg: LegWriter) -> float:
        limits = self._server.limits
        return limits.prompt_seconds if self._prompt and not leg.samples else limits.idle_seconds

    def _refuse(self, error: Exception) -> None:
        self._core.refuse(NAME if self._leg is None else f"{NAME} packet", error)
        self.leave("error")

    def leave(self, cause: str) -> None:
        """End the leg and close; said again it changes nothing."""
        if self._over:
            return
        self._over = True
        self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()
        self._core.counts["audiosocket skipped"] += self._parser.skipped
        if self._leg is not None:
            try:
                self._leg.end(cause)
            except SpoolError as error:
                LOG.error("audiosocket: the end of a leg is not stored: %s", error)
        self._transport.close()

    def _known(self) -> None:
        if not self._named:
            self._named = True
            self._server.named(self.peer)
