"""The media side of recording sessions: ports, and one stream on each. Knows no SIP and no metadata."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from datetime import datetime

from ingest.errors import PaceError, SipError, SpoolError
from ingest.rtp import Hole, Piece, Receiver
from ingest.sdp import Offered
from ingest.shell.core import Core
from ingest.shell.legs import LegWriter

RECEIVE_BYTES = 512 * 1024  # the kernel keeps this much of a stream while we are busy: 20 s
QUEUED = 4000  # datagrams that the kernel may hold of one stream
DATAGRAM_BYTES = 4096


class Ports:
    """The media ports of one server, each in use once; the one that was free longest is next."""

    def __init__(self, host: str, ports: tuple[int, int]) -> None:
        self._host = host
        self._even = list(range(ports[0] + ports[0] % 2, ports[1] + 1, 2))
        self._next = 0

    def take(self) -> socket.socket:
        """A bound socket; SipError 503 when none is free."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        for step in range(len(self._even)):
            one = socket.socket(family, socket.SOCK_DGRAM)
            one.setblocking(False)
            try:
                one.bind((self._host, self._even[(self._next + step) % len(self._even)]))
            except OSError:
                one.close()
                continue
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            self._next = (self._next + step + 1) % len(self._even)
            return one
        raise SipError("media ports: all are in use; set a wider range", 503)


class MediaLeg(asyncio.DatagramProtocol):
    """One m-line: datagrams to a leg."""

    def __init__(self, core: Core, writer: LegWriter, receiver: Receiver) -> None:
        self._core, self.writer, self.receiver = core, writer, receiver
        self._transport: asyncio.DatagramTransport | None = None
        self._bound: socket.socket
        self.port = 0
        self.sends = True
        self.since_s = core.mono()  # when it was last expected to begin
        self.first_at: datetime | None = None  # when its first sound came
        self.over = False
        self.broken = False  # the sender went wrong, not the call

    async def listen(self, bound: socket.socket) -> None:
        self.port, self._bound = bound.getsockname()[1], bound
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=bound)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self.over:
            self._write(self.receiver.feed(data, (addr[0], addr[1]), self._core.mono()))

    def error_received(self, exc: Exception) -> None:
        self._core.counts["rtp socket error"] += 1

    def tick(self, now_s: float) -> None:
        if self.receiver.waits:
            self._write(self.receiver.flush(now_s))

    def change(self, offered: Offered, before: Offered, hosts: frozenset[str]) -> None:
        """What a new offer says of this m-line."""
        self._read_rest()
        self.receiver.pause(not offered.sends)
        moved = (offered.address, offered.port) != (before.address, before.port)
        self.receiver.renew(hosts, dict(offered.codecs), moved)
        if offered.sends and not self.sends:
            self.since_s = self._core.mono()
        self.sends = offered.sends

    def hand_over(self, writer: LegWriter) -> None:
        """What came so far is one leg, what comes from here on another."""
        self._read_rest()
        self._write(self.receiver.drain())
        self.writer.end("end")
        self.writer, self.first_at = writer, None

    @property
    def heard_s(self) -> float:
        return max(self.since_s, self.receiver.heard_s or 0.0)

    def end(self, cause: str) -> None:
        """Close the port and the leg; said again it changes nothing."""
        if not self.over:
            self._read_rest()
            self._write(self.receiver.drain())
        self.over = True
        if self._transport is None:
            return
        self._transport.close()
        self._transport = None
        for what, count in self.receiver.counts.items():
            self._core.counts[f"rtp {what}"] += count
        self.writer.end(cause)

    def _read_rest(self) -> None:
        """What the kernel holds came before the end that was said elsewhere."""
        for _ in range(QUEUED):
            try:
                data, address = self._bound.recvfrom(DATAGRAM_BYTES)
            except OSError:
                return
            self.datagram_received(data, address)

    def _write(self, pieces: Sequence[Piece]) -> None:
        try:
            for piece in pieces:
                if isinstance(piece, Hole):
                    self.writer.gap(piece.samples, piece.cause)
                else:
                    self.writer.audio(piece.data)
                    self.first_at = self.first_at or self._core.now()
        except (PaceError, SpoolError) as error:
            self._core.refuse("siprec audio", error)
            self.over = self.broken = True  # nothing more is taken; the port stays until the session ends
            self.writer.end("error")
