"""Ten thousand bad inputs for the sockets, as a generator and a seed. Each is what one connection sends, in bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from ingest.audiosocket import IDENT, KINDS, packet
from ingest.stream import Piece, write_piece
from ingest.tokens import audiosocket_uuid, stream_token
from tests.ingest.values import SECRET, raw

SEED, COUNT = 20_260_301, 10_000
TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9
FINAL, MASKED = 0x80, 0x80
ODD: tuple[Any, ...] = (None, -1, 0, 2**63, 2**64, 1e308, "", "x" * 70_000, "\ud800", "\0", [], {}, [[]] * 50, True)


@dataclass(frozen=True, slots=True)
class Bad:
    """What is wrong, the port it goes to, and the bytes."""

    what: str
    port: Literal["http", "audiosocket"]
    data: bytes


def bad_inputs(until: datetime, seed: int = SEED, count: int = COUNT) -> Iterator[Bad]:
    """The same seed gives the same inputs; *until* is how long their tokens are good."""
    dice = random.Random(seed)
    for n in range(count):
        what = dice.choice(list(WAYS))
        yield Bad(what, "audiosocket" if what.startswith("packet") else "http", WAYS[what](dice, f"bad-{n}", until))


def frame(opcode: int, payload: bytes, final: bool = True, claims: int | None = None) -> bytes:
    """A client's frame; its mask is zero, which leaves the payload as it is. *claims*: the length that it says."""
    size = len(payload) if claims is None else claims
    if size < 126:
        length = bytes([MASKED | size])
    elif size < 2**16:
        length = bytes([MASKED | 126]) + size.to_bytes(2)
    else:
        length = bytes([MASKED | 127]) + size.to_bytes(8)
    return bytes([FINAL * final | opcode]) + length + bytes(4) + payload


def upgrade(path: str, protocol: str = "") -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: c2VhdHdhdGNoLWJlbmNoMQ==", "Sec-WebSocket-Version: 13"]  # fmt: skip
    lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
    return "\r\n".join([*lines, "", ""]).encode()


def greeting(call: str, until: datetime) -> dict[str, Any]:
    token, at = stream_token(SECRET, call, "agent", "agent", until), datetime(2026, 3, 1, tzinfo=UTC).isoformat()
    leg = {"call": call, "leg": "agent", "role": "agent", "rate": 8000, "encoding": "slin", "epoch": 1}
    return {"type": "hello", "v": 1, **leg, "token": token, "source": "bad", "at": at}


def _text(value: Any) -> bytes:
    return frame(TEXT, json.dumps(value).encode("utf-8", "surrogatepass"))


def _hello(dice: random.Random, call: str, until: datetime) -> bytes:
    good = greeting(call, until)
    return upgrade("/stream") + _text(good | {dice.choice(list(good)): dice.choice(ODD)})


def _open(call: str, until: datetime) -> bytes:
    return upgrade("/stream") + _text(greeting(call, until))


def _numbers(dice: random.Random, call: str, until: datetime) -> bytes:
    """Numbers that jump, wrap or go back; audio of half a sample; nothing at all."""
    seq, start = (dice.choice((0, 1, 2, 7, 2**32, 2**53, 2**63, 2**64 - 1)) for _ in range(2))
    good = frame(BINARY, write_piece(Piece(1, 0, bytes(800))))
    wrong = frame(BINARY, write_piece(Piece(seq, start, bytes(dice.choice((0, 1, 3, 800))))))
    return _open(call, until) + good * dice.randint(0, 2) + wrong + good


def _words(dice: random.Random, call: str, until: datetime) -> bytes:
    """What no client says in the middle of a leg."""
    said = dice.choice((
        {"type": "end", "seq": dice.choice(ODD)}, {"type": dice.choice(ODD)}, greeting(call, until), ODD, None,
        {"type": "gap", "seq": dice.choice(ODD), "samples": dice.choice(ODD), "cause": dice.choice(("loss", "no", 7))},
    ))  # fmt: skip
    return _open(call, until) + _text(said)


def _nested(dice: random.Random, call: str, until: datetime) -> bytes:
    deep = dice.choice((b"[", b'{"a":')) * 10_000
    return dice.choice((_open(call, until), upgrade("/pcm", "media"), upgrade("/stream"))) + frame(TEXT, deep)


def _frames(dice: random.Random, call: str, until: datetime) -> bytes:
    """WebSocket as nobody should speak it."""
    return dice.choice((_open(call, until), upgrade("/stream"), upgrade("/pcm", "audio.drachtio.org"))) + dice.choice((
        frame(TEXT, b"\xff\xfe\xc0\xaf"), frame(TEXT, b"{", final=False) * 20, frame(BINARY, bytes(9), claims=2**40),
        frame(PING, b"x" * 100) * 200, frame(PING, bytes(126)), frame(0x3, b"?"), frame(CLOSE, b"\x00\x01"),
        frame(BINARY, bytes(70_000)), frame(BINARY, bytes(70_000))[: dice.randint(1, 70_000)],
        bytes([FINAL | 0x70 | TEXT, MASKED]) + bytes(4), dice.randbytes(dice.randint(1, 2000)),
    ))  # fmt: skip


def _pcm(dice: random.Random, call: str, until: datetime) -> bytes:
    start = {"event": "MEDIA_START", "connection_id": call, "channel": call, "channel_id": call, "format": "ulaw",
             "optimal_frame_size": 160, "ptime": 20, "channel_variables": {"call": call}}  # fmt: skip
    start[dice.choice(list(start))] = dice.choice(ODD)
    protocol = dice.choice(("media", "audio.drachtio.org", "audio.jambonz.org", "nobody"))
    said = [_text(start), frame(BINARY, dice.randbytes(dice.randint(0, 999))), _text(dice.choice(ODD))]
    name = dice.choice((call, "", "%00", "%ff", "x" * 300))
    return upgrade(f"/pcm?call={name}", protocol) + b"".join(dice.sample(said, 3))


def _events(dice: random.Random, call: str, until: datetime) -> bytes:
    event = raw(dice.choice(("offered", "ringing", "leg", "seat", "presence", "ended")), call=call, id=call)
    event[dice.choice(list(event))] = dice.choice(ODD)
    body = dice.choice((json.dumps(event).encode(), json.dumps([event] * 3).encode(), b"\xff" * 99, b"[" * 30_000, b""))
    size = dice.choice((len(body), len(body), len(body) + 7, -1, "x", 2**70))
    return f"POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\n\r\n".encode() + body


def _http(dice: random.Random, call: str, until: datetime) -> bytes:
    good = upgrade(dice.choice(("/stream", "/pcm", "/events", "/healthz", "/nowhere", "/../etc/passwd")))
    at = dice.randrange(len(good))
    return dice.choice((good[:at], good[:at] + dice.randbytes(3) + good[at:], good.replace(b"13", b"99"),
                        b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 20_000, dice.randbytes(400)))  # fmt: skip


def _stranger(dice: random.Random, call: str, until: datetime) -> bytes:
    """A UUID that opens nothing, or none."""
    ident = audiosocket_uuid(SECRET, call, "agent", "agent", until).bytes
    at = dice.randrange(16)
    flipped = ident[:at] + bytes([ident[at] ^ (1 << dice.randrange(8))]) + ident[at + 1 :]
    sound = packet(KINDS[8000], bytes(320))
    return dice.choice((packet(IDENT, UUID(int=dice.getrandbits(128)).bytes) + sound, packet(IDENT, flipped) + sound,
                        packet(IDENT, ident[:at]), sound, packet(IDENT, ident)[:at], dice.randbytes(99)))  # fmt: skip


def _packets(dice: random.Random, call: str, until: datetime) -> bytes:
    """A leg that begins as it should."""
    sound = packet(KINDS[8000], dice.randbytes(320))
    wrong = dice.choice((
        packet(KINDS[8000], bytes(321)), packet(KINDS[8000], b""), packet(KINDS[8000], bytes(40_000)), sound * 600,
        packet(IDENT, bytes(16)), packet(0x03, b"12"), packet(0x77, bytes(500)) * 9, sound[: dice.randint(1, 322)],
        packet(0xFF, b""), b"\x10\xff\xff" + bytes(100), dice.randbytes(dice.randint(1, 999)),
    ))  # fmt: skip
    ident = audiosocket_uuid(SECRET, call, "agent", "agent", until)
    return packet(IDENT, ident.bytes) + sound * dice.randint(0, 3) + wrong + sound


WAYS: dict[str, Callable[[random.Random, str, datetime], bytes]] = {
    "hello": _hello, "numbers": _numbers, "words": _words, "nested": _nested, "frames": _frames, "pcm": _pcm,
    "events": _events, "http": _http, "packets of a stranger": _stranger, "packets": _packets,
}  # fmt: skip
