"""The sender of the load bench: many legs at real pace over all three transports, from one process. Judges nothing.

``python -m qa.bench.load_sender JSON`` plays what the JSON asks for (``Asked``) and prints ``Told`` as JSON. It counts
how late it was itself: a late sender measures itself, not the server.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import uvloop

from ingest.audiosocket import IDENT, KINDS, packet
from ingest.stream import Hello, Piece, write_hello, write_piece
from ingest.tokens import audiosocket_uuid, stream_token
from qa.bench.stats import percentile

FRAME_S, MESSAGE_S = 0.02, 0.1
SLOTS = 10  # of a frame's time: legs are spread over it as real ones are
TEXT, BINARY, PING, PONG = 0x1, 0x2, 0x9, 0xA


@dataclass(frozen=True, slots=True)
class Asked:
    http_port: int
    audio_port: int
    secret: str
    legs: Sequence[int]  # AudioSocket legs of 20 ms, WebSocket legs of 20 ms, /stream clients of 100 ms
    seconds: float
    name: str  # begins the names of its calls


@dataclass(slots=True)
class Told:
    frames: int = 0
    late_p99_s: float = 0.0
    late_worst_s: float = 0.0
    wall_s: float = 0.0
    acks_ms: list[float] = field(default_factory=list)
    lost: int = 0  # connections that the server closed before everything was sent


def websocket_frame(opcode: int, payload: bytes) -> bytes:
    """One client frame; its mask is zero, which leaves the payload as it is (RFC 6455, 5.3)."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


class Line(asyncio.Protocol):
    """One connection. ``ready`` is set once it may send; acknowledgements are timed against ``sent``."""

    def __init__(self, told: Told, opening: bytes, greeting: bytes = b"") -> None:
        self.told, self._opening, self._greeting = told, opening, greeting
        self.ready = asyncio.Event()
        self.sent: deque[tuple[int, float]] = deque()
        self._buffer = b""
        self._open = not greeting
        self.over = False
        self.refused = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._opening)
        if self._open:
            self.ready.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.refused = head.decode(errors="replace")
                self.ready.set()
                return
            self._open, self._buffer = True, rest
            self.transport.write(self._greeting)
            self.ready.set()
        while frame := self._next():
            self._take(*frame)

    def _next(self) -> tuple[int, bytes] | None:
        data = self._buffer
        if len(data) < 2:
            return None
        size, head = data[1] & 0x7F, 2
        if size == 126:
            size, head = int.from_bytes(data[2:4]), 4
        if len(data) < head + size:
            return None
        self._buffer = data[head + size :]
        return data[0] & 0xF, data[head : head + size]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.transport.write(websocket_frame(PONG, payload))
        elif opcode == TEXT and b'"ack"' in payload:
            durable, now = json.loads(payload)["durable"], asyncio.get_running_loop().time()
            while self.sent and self.sent[0][0] <= durable:
                self.told.acks_ms.append((now - self.sent.popleft()[1]) * 1000)

    def connection_lost(self, error: Exception | None) -> None:
        self.told.lost += not self.over


@dataclass(slots=True)
class Leg:
    """A line and what it sends next."""

    line: Line
    frame: bytes = b""  # the same each time; empty for /stream, whose pieces are numbered
    seq: int = 0

    def send(self, now: float) -> None:
        if self.frame:
            self.line.transport.write(self.frame)
            return
        self.seq += 1
        piece = write_piece(Piece(self.seq, (self.seq - 1) * 800, _SOUND[:800]))
        self.line.sent.append((self.seq, now))
        self.line.transport.write(websocket_frame(BINARY, piece))


_SOUND = os.urandom(1600)


def _upgrade(path: str, protocol: str = "") -> bytes:
    key = base64.b64encode(b"seatwatch-bench1").decode()
    extra = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
    return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n").encode()  # fmt: skip


async def _legs(asked: Asked, told: Told) -> tuple[list[Leg], list[Leg]]:
    """Those of 20 ms, and those of 100 ms; all connected and greeted."""
    secret, until = asked.secret.encode(), datetime.now(UTC) + timedelta(minutes=30)
    loop, fast, slow = asyncio.get_running_loop(), [], []

    async def connect(port: int, opening: bytes, greeting: bytes = b"") -> Line:
        _, line = await loop.create_connection(lambda: Line(told, opening, greeting), "127.0.0.1", port)
        await asyncio.wait_for(line.ready.wait(), 20)
        if line.refused:
            raise ConnectionError(line.refused)
        return line

    for n in range(asked.legs[0]):
        ident = audiosocket_uuid(secret, f"{asked.name}-a{n}", "agent", "agent", until)
        line = await connect(asked.audio_port, packet(IDENT, ident.bytes))
        fast.append(Leg(line, packet(KINDS[8000], _SOUND[:320])))
    for n in range(asked.legs[1]):
        call = f"{asked.name}-w{n}"
        token = stream_token(secret, call, "agent", "agent", until)
        start = {"event": "MEDIA_START", "connection_id": call, "channel": call, "channel_id": call, "format": "ulaw",
                 "optimal_frame_size": 160, "ptime": 20,
                 "channel_variables": {"call": call, "leg": "agent", "role": "agent", "token": token}}  # fmt: skip
        greeting = websocket_frame(TEXT, json.dumps(start).encode())
        fast.append(Leg(await connect(asked.http_port, _upgrade("/pcm", "media"), greeting),
                        websocket_frame(BINARY, _SOUND[:160])))  # fmt: skip
    for n in range(asked.legs[2]):
        call = f"{asked.name}-s{n}"
        token = stream_token(secret, call, "agent", "agent", until)
        hello = write_hello(Hello(call, "agent", "agent", 8000, "alaw", 1, token, datetime.now(UTC)))
        slow.append(Leg(await connect(asked.http_port, _upgrade("/stream"), websocket_frame(TEXT, hello.encode()))))
    return fast, slow


async def _play(asked: Asked) -> Told:
    told = Told()
    fast, slow = await _legs(asked, told)
    loop, step = asyncio.get_running_loop(), FRAME_S / SLOTS
    turns = round(MESSAGE_S / step)  # after so many steps every leg has had its turn, the slow ones once
    late: list[float] = []
    began = loop.time() + step
    for at in range(int(asked.seconds / step)):
        due = began + at * step
        if (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        now = loop.time()
        late.append(now - due)
        for leg in fast[at % SLOTS :: SLOTS]:
            leg.send(now)
            told.frames += 1
        for leg in slow[at % turns :: turns]:
            leg.send(now)
            told.frames += 1
    told.wall_s = loop.time() - began
    told.late_p99_s, told.late_worst_s = percentile(late, 0.99), max(late)
    for leg in (*fast, *slow):
        leg.line.over = True
    for leg in slow:
        leg.line.transport.write(websocket_frame(TEXT, json.dumps({"type": "end", "seq": leg.seq}).encode()))
    await asyncio.sleep(1.0)  # the last acknowledgements
    for leg in (*fast, *slow):
        leg.line.transport.close()
    return told


def main(args: Sequence[str]) -> None:
    told = uvloop.run(_play(Asked(**json.loads(args[0]))))
    sys.stdout.write(json.dumps(asdict(told)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
