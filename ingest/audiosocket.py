"""AudioSocket, Asterisk's audio over TCP, as a sans-I/O parser: bytes in, events out. No sockets, no clock.

A packet is kind (1 byte), length (2 bytes, big-endian), payload; samples are little-endian. The UUID comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from ingest.errors import AudioSocketError

HANGUP, IDENT, DTMF, ERROR = 0x00, 0x01, 0x03, 0xFF
RATES = {
    0x10: 8000,
    0x11: 12000,
    0x12: 16000,
    0x13: 24000,
    0x14: 32000,
    0x15: 44100,
    0x16: 48000,
    0x17: 96000,
    0x18: 192000,
}
KINDS = {rate: kind for kind, rate in RATES.items()}
LONGEST_MS = 200  # of audio in one packet
HEAD_BYTES = 3
_FAULTS = {1: "hangup", 2: "forwarding", 4: "memory"}


@dataclass(frozen=True, slots=True)
class Ident:
    """The first packet: which leg this is."""

    uuid: UUID


@dataclass(frozen=True, slots=True)
class Audio:
    """Signed 16-bit little-endian samples, mono."""

    rate: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Dtmf:
    digit: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """A clean end; most senders just close instead."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The sender reports an error of its own; names of the bits that are set."""

    code: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A packet of a kind that this version does not know."""

    kind: int
    length: int


Event = Ident | Audio | Dtmf | Hangup | Fault | Skipped


class Parser:
    """One connection. ``feed`` raises AudioSocketError at the first packet that cannot be, after what came before."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ident: UUID | None = None
        self._rate = 0
        self._over = False
        self._head, self._usual = b"", -1  # of the last audio packet: its head, and its length with it
        self.skipped = 0

    @property
    def rest(self) -> int:
        """Bytes of a packet that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that these bytes complete; equal packets in a row are one event. What comes after a hangup is not
        read."""
        if not self._buffer and (heard := self._same(data)):
            return iter((Audio(self._rate, heard),))
        if not self._over:
            self._buffer += data
        return self._events()

    def _same(self, data: bytes) -> bytes:
        """What whole packets hold that are all just as the one before them; empty when one is not."""
        usual, head = self._usual, self._head
        if len(data) == usual:
            return data[HEAD_BYTES:] if data.startswith(head) else b""
        if usual <= 0 or len(data) % usual or any(not data.startswith(head, at) for at in range(0, len(data), usual)):
            return b""
        return b"".join([data[at + HEAD_BYTES : at + usual] for at in range(0, len(data), usual)])

    def _events(self) -> Iterator[Event]:
        while not self._over and len(self._buffer) >= HEAD_BYTES:
            kind, length = self._buffer[0], int.from_bytes(self._buffer[1:HEAD_BYTES])
            self._check(kind, length)
            if len(self._buffer) < HEAD_BYTES + length:
                return
            payload = bytes(self._buffer[HEAD_BYTES : HEAD_BYTES + length])
            del self._buffer[: HEAD_BYTES + length]
            yield self._event(kind, payload)

    def _check(self, kind: int, length: int) -> None:
        """Before a byte of the payload is waited for: the length is the sender's claim, not ours."""
        if self._ident is None and kind != IDENT:
            raise AudioSocketError(f"first packet: kind 0x{kind:02x}; the UUID (kind 0x01) comes first")
        if kind == IDENT and (self._ident is not None or length != 16):
            raise AudioSocketError(f"UUID packet: {length} bytes; send 16 bytes, once, at the begin")
        if kind == DTMF and length != 1:
            raise AudioSocketError(f"DTMF packet: {length} bytes; send one digit a packet")
        if kind in (ERROR, HANGUP) and length > 16:
            raise AudioSocketError(f"packet of kind 0x{kind:02x}: {length} bytes; send at most 16")
        if kind in RATES:
            self._check_audio(RATES[kind], length)

    def _check_audio(self, rate: int, length: int) -> None:
        most = rate * LONGEST_MS // 1000 * 2
        if length == 0 or length % 2 or length > most:
            raise AudioSocketError(f"audio packet: {length} bytes; send whole 16-bit samples, 2 to {most} bytes")
        if self._rate not in (0, rate):
            raise AudioSocketError(f"audio packet: {rate} Hz after {self._rate} Hz; keep one rate a connection")

    def _event(self, kind: int, payload: bytes) -> Event:
        if kind == IDENT:
            self._ident = UUID(bytes=payload)
            return Ident(self._ident)
        if kind in RATES:
            self._rate = RATES[kind]
            self._head, self._usual = bytes([kind]) + len(payload).to_bytes(2), HEAD_BYTES + len(payload)
            return Audio(self._rate, payload)
        if kind == DTMF:
            return Dtmf(chr(payload[0]) if 32 < payload[0] < 127 else "?")
        if kind == HANGUP:
            self._over, self._usual = True, -1
            return Hangup()
        if kind == ERROR:
            code = int.from_bytes(payload)
            return Fault(code, tuple(name for bit, name in _FAULTS.items() if code & bit))
        self.skipped += 1
        return Skipped(kind, len(payload))


def packet(kind: int, payload: bytes = b"") -> bytes:
    """One packet as it goes over the wire."""
    return bytes([kind]) + len(payload).to_bytes(2) + payload
