"""One RTP stream as audio in its order, with what is missing: datagrams in, pieces out. No sockets; seconds come in.

What a stranger may inject is refused here: other addresses, stream after stream, floods. Nothing is concealed: what did
not come is a hole with its cause.
"""

from __future__ import annotations

import struct
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.errors import RtpError
from ingest.g711 import convert
from ingest.pace import Bucket

RATE = 8000
WINDOW_S = 0.08  # a packet out of order may be that late
PAYLOAD_BYTES = RATE // 5  # 200 ms
RESTART = 1000  # packets; a jump beyond this is another stream, not a loss
SHORT_HOLE = RATE // 100  # shorter holes are a sender's rounding
EARLY = 3  # packets that may come behind the first one and belong before it
STRAY_S = 2.0  # time stamps may run ahead of the wall clock by this much
STRAY_PAUSED_S = 0.2  # over a pause they are trusted less: some senders stop their clock
STREAMS = 2  # that may begin within STREAMS_S
STREAMS_S = 10.0
HELD = 64  # packets that wait for one that is missing
FLOOD_BYTES_S = 20_000  # twice 10 ms packets sent twice
OVERHEAD_BYTES = 40
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """``kind`` is the payload type, ``stamp`` the sender's clock in samples, ``source`` the SSRC."""

    kind: int
    seq: int
    stamp: int
    source: int
    payload: bytes


def parse(data: bytes) -> Packet:
    """A datagram. RtpError for what is no RTP, RTCP on the same port among it."""
    if len(data) < 12 or data[0] >> 6 != 2:
        raise RtpError("datagram: is no RTP packet")
    first, second, seq, stamp, source = struct.unpack_from(">BBHII", data)
    if 192 <= second <= 223:
        raise RtpError("datagram: is RTCP")
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise RtpError("packet: ends within its header")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > end or (first & 0x20 and not data[-1]):
        raise RtpError("packet: ends within its header, or is all padding")
    return Packet(second & 0x7F, seq, stamp, source, data[start:end])


@dataclass(frozen=True, slots=True)
class Sound:
    data: bytes


@dataclass(frozen=True, slots=True)
class Hole:
    samples: int
    cause: str  # loss | pause | discard


Piece = Sound | Hole


@dataclass(slots=True)
class Receiver:
    """One m-line. ``hosts`` are the addresses that may send; the first that does keeps the port."""

    hosts: frozenset[str]
    codecs: Mapping[int, str]  # payload type -> law
    law: str  # of what comes out
    counts: Counter[str] = field(default_factory=Counter)
    heard_s: float | None = None  # when a packet of this stream came last, audio or not
    _latched: Address | None = None
    _source: int | None = None
    _next: int = 0  # the unwrapped number of the packet that is due
    _due: int = 0  # the time stamp that would follow without a hole
    _after_s: float = 0.0  # when the last sound came
    _held_back: bool = False  # the sender has said that it sends nothing
    _paused: bool = False  # it had said so, and no sound has come since it took that back
    _fresh: bool = False  # the stream is another one than before the last sound
    _lost: bool = False  # numbers are missing since the last sound
    _begun: bool = False
    _held: dict[int, tuple[Packet, float]] = field(default_factory=dict)
    _candidate: tuple[Packet, float] | None = None
    _starts: deque[float] = field(default_factory=deque)
    _flood: Bucket = field(default_factory=lambda: Bucket(FLOOD_BYTES_S))

    def feed(self, data: bytes, address: Address, now_s: float) -> list[Piece]:
        """What this datagram completes."""
        if address != self._latched and (self._latched is not None or address[0] not in self.hosts):
            self.counts["foreign"] += 1
            return []
        if self._flood.wait_s(len(data) + OVERHEAD_BYTES, now_s) > 0:
            self._flood.level -= len(data) + OVERHEAD_BYTES  # what is refused does not count against what follows
            self.counts["flood"] += 1
            return []
        try:
            packet = parse(data)
        except RtpError:
            self.counts["malformed"] += 1
            return []
        if self._latched is None and packet.kind not in self.codecs:
            self.counts["not audio"] += 1  # nothing but audio takes the port
            return []
        self._latched = address
        return self._take(packet, now_s)

    def flush(self, now_s: float) -> list[Piece]:
        """What has waited for a missing packet long enough."""
        out: list[Piece] = []
        while self._held and self._waited(now_s):
            self._next, self._lost = min(self._held), True
            out += self._ready()
        return out

    def drain(self) -> list[Piece]:
        """Everything that still waits: nothing more will come."""
        return self.flush(float("inf"))

    @property
    def waits(self) -> bool:
        return bool(self._held)

    def pause(self, held: bool) -> None:
        """Time without sound is meant from here on, until this is taken back and sound comes again."""
        self._held_back = held
        self._paused = self._paused or held

    def renew(self, hosts: frozenset[str], codecs: Mapping[int, str], moved: bool) -> None:
        """A new offer for this m-line; *moved*: it names another address, so another source may come."""
        self.hosts, self.codecs = hosts, codecs
        self._starts.clear()
        if moved:
            self._latched = None

    def _take(self, packet: Packet, now_s: float) -> list[Piece]:
        out: list[Piece] = []
        if packet.source != self._source or abs(self._distance(packet.seq)) > RESTART:
            out += self._other(packet, now_s)
        else:
            self._hold(self._next + self._distance(packet.seq), packet, now_s)
        return [*out, *self._ready(), *self.flush(now_s)]

    def _distance(self, seq: int) -> int:
        """How far a 16-bit number is from the one that is due."""
        return (seq - self._next + 0x8000) % 0x10000 - 0x8000

    def _other(self, packet: Packet, now_s: float) -> list[Piece]:
        """Another stream than the one that is heard: the first is taken at once, a later one when two packets agree."""
        if self._source is None:
            if packet.kind in self.codecs:
                self._start(packet, now_s)
                self._next -= EARLY
            return []
        before, self._candidate = self._candidate, (packet, now_s)
        if before is None or before[0].source != packet.source or (before[0].seq + 1) % 0x10000 != packet.seq:
            self.counts["stray"] += 1
            return []
        while self._starts and now_s - self._starts[0] > STREAMS_S:
            self._starts.popleft()
        if len(self._starts) >= STREAMS:
            self.counts["too many streams"] += 1
            return []
        out = self.drain()
        self.counts["stray"] -= 1  # the first of the two is audio after all
        self._start(*before)
        self._hold(self._next + 1, packet, now_s)
        return out

    def _start(self, packet: Packet, now_s: float) -> None:
        self._candidate, self._fresh = None, self._begun
        self._starts.append(now_s)
        self._source, self._next, self._due = packet.source, packet.seq, packet.stamp
        self._hold(packet.seq, packet, now_s)

    def _hold(self, number: int, packet: Packet, now_s: float) -> None:
        self.heard_s = now_s
        if number < self._next or number in self._held:
            self.counts["late or twice"] += 1
            return
        if self._held and number < max(self._held):
            self.counts["out of order"] += 1
        self._held[number] = (packet, now_s)

    def _waited(self, now_s: float) -> bool:
        first = min(at_s for _, at_s in self._held.values())
        return now_s - first >= WINDOW_S or len(self._held) > HELD

    def _ready(self) -> list[Piece]:
        """Every packet that is due, one after the other."""
        out: list[Piece] = []
        while (found := self._held.pop(self._next, None)) is not None:
            self._next += 1
            out += self._sound(*found)
        return out

    def _sound(self, packet: Packet, now_s: float) -> list[Piece]:
        if packet.kind not in self.codecs or not 0 < len(packet.payload) <= PAYLOAD_BYTES:
            self.counts["not audio"] += 1
            return []
        size = len(packet.payload)
        hole = self._hole(packet, size, now_s) if self._begun else []
        self._due = (packet.stamp + size) & 0xFFFFFFFF
        self._after_s, self._begun = now_s, True
        self._paused, self._fresh, self._lost = self._held_back, False, False
        return [*hole, Sound(convert(packet.payload, self.codecs[packet.kind], self.law))]

    def _hole(self, packet: Packet, size: int, now_s: float) -> list[Piece]:
        """What is missing before this packet: by the sender's clock, or by ours where the sender's cannot be right.

        Nothing lost and yet a hole is a sender that leaves silence out.
        """
        told = (packet.stamp - self._due + 0x80000000) % 0x100000000 - 0x80000000
        passed = max(0, round((now_s - self._after_s) * RATE) - size)
        if self._paused:
            found, cause = told if abs(told - passed) <= STRAY_PAUSED_S * RATE else passed, "pause"
        elif self._fresh or not -STRAY_S * RATE <= told <= passed + STRAY_S * RATE:
            found, cause = passed, "loss"
        else:
            found, cause = told, "loss" if self._lost else "discard"
        return [Hole(found, cause)] if found >= SHORT_HOLE else []
