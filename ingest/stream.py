"""The messages of /stream: strict reading, and the words that the server says. No sockets, no state.

Text messages are JSON objects with a ``type``; a binary message is seq (8 bytes), start sample (8 bytes), both
big-endian, then the payload.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest import fields as read
from ingest.body import load
from ingest.errors import StreamError
from ingest.events import ROLES
from ingest.fields import FieldFault
from ingest.legs import WIDTHS

VERSION = 1
HEAD_BYTES = 16
PAYLOAD_BYTES = 64 * 1024
TEXT_BYTES = 4096
MOST_SEQ = 1 << 53  # whole in every JSON reader
RATES = (8000, 16000, 24000, 32000, 44100, 48000)
GAP_CAUSES = ("discard", "pause", "loss", "reconnect", "overrun", "tap_late", "crash", "declared")

# close codes of our own; 1000 = the leg is complete
PROTOCOL, TOKEN, TIMEOUT, FENCED, OVER, BUSY = 4400, 4401, 4408, 4409, 4410, 4503


@dataclass(frozen=True, slots=True)
class Hello:
    """Who writes which leg, and how. ``at`` is the instant of the leg's first sample."""

    call: str
    leg: str
    role: str
    rate: int
    encoding: str
    epoch: int
    token: str
    at: datetime
    source: str = "stream"


@dataclass(frozen=True, slots=True)
class Piece:
    """Audio from *start* on."""

    seq: int
    start: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Hole:
    """The sender says that audio is missing; it stands for every message up to *seq* that was never stored."""

    seq: int
    samples: int
    cause: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The leg is complete; *seq* is its last message."""

    seq: int


@dataclass(frozen=True, slots=True)
class Clock:
    """When a sample sounded, by the sender's clock: what two legs are compared by."""

    sample: int
    at: datetime


Message = Hello | Piece | Hole | Finish | Clock


def read_message(data: str | bytes) -> Message:
    """One message of a client; StreamError says what is wrong with it."""
    return _binary(data) if isinstance(data, bytes) else _text(data)


def _binary(data: bytes) -> Piece:
    size = len(data) - HEAD_BYTES
    if not 0 < size <= PAYLOAD_BYTES:
        raise StreamError(f"binary message: {len(data)} bytes; send {HEAD_BYTES} bytes of head and 1 to "
                          f"{PAYLOAD_BYTES} bytes of audio", PROTOCOL)  # fmt: skip
    seq, start = int.from_bytes(data[:8]), int.from_bytes(data[8:HEAD_BYTES])
    if not 0 < seq < MOST_SEQ or start >= MOST_SEQ:
        raise StreamError(f"binary message: seq {seq}, start sample {start}; count both from the leg's begin, seq "
                          "from 1", PROTOCOL)  # fmt: skip
    return Piece(seq, start, data[HEAD_BYTES:])


def _text(data: str) -> Message:
    if len(data) > TEXT_BYTES:
        raise StreamError(f"text message: {len(data)} characters; send at most {TEXT_BYTES}", PROTOCOL)
    try:
        raw = read.mapping(load(data), "message")
        return _TEXT[read.choice(raw, "type", tuple(_TEXT))](raw)
    except FieldFault as fault:
        raise StreamError(f"text message: {fault}", PROTOCOL) from None
    except ValueError as error:
        raise StreamError(f"text message: is no JSON ({error}); send one JSON object", PROTOCOL) from None


def _hello(raw: Mapping[str, Any]) -> Hello:
    if raw.get("v") != VERSION:
        raise FieldFault("v", f"must be {VERSION}, the version of this protocol")
    rate = read.count(raw, "rate", max(RATES))
    if rate not in RATES:
        raise FieldFault("rate", f"must be one of {', '.join(map(str, RATES))}")
    epoch = read.count(raw, "epoch", MOST_SEQ)
    if epoch == 0:
        raise FieldFault("epoch", "counts from 1")
    return Hello(
        call=read.call(raw) or read.text(raw, "call"),
        leg=read.text(raw, "leg"),
        role=read.choice(raw, "role", ROLES),
        rate=rate,
        encoding=read.choice(raw, "encoding", tuple(WIDTHS)),
        epoch=epoch,
        token=read.text(raw, "token", read.LINE_CHARS),
        at=read.moment(raw, "at"),
        source=read.optional_text(raw, "source") or "stream",
    )


def _hole(raw: Mapping[str, Any]) -> Hole:
    seq, samples = read.count(raw, "seq", MOST_SEQ), read.count(raw, "samples", MOST_SEQ)
    if seq == 0 or samples == 0:
        raise FieldFault("seq" if seq == 0 else "samples", "counts from 1")
    return Hole(seq, samples, read.choice(raw, "cause", GAP_CAUSES))


def _finish(raw: Mapping[str, Any]) -> Finish:
    return Finish(read.count(raw, "seq", MOST_SEQ))


def _clock(raw: Mapping[str, Any]) -> Clock:
    return Clock(read.count(raw, "sample", MOST_SEQ), read.moment(raw, "at"))


_TEXT: dict[str, Callable[[Mapping[str, Any]], Message]] = {
    "hello": _hello,
    "gap": _hole,
    "end": _finish,
    "clock": _clock,
}


def write_hello(hello: Hello) -> str:
    values = {name: getattr(hello, name) for name in hello.__slots__} | {"at": hello.at.isoformat()}
    return _say("hello", v=VERSION, **values)


def write_piece(piece: Piece) -> bytes:
    return piece.seq.to_bytes(8) + piece.start.to_bytes(8) + piece.payload


def write_clock(clock: Clock) -> str:
    return _say("clock", sample=clock.sample, at=clock.at.isoformat())


def write_hole(hole: Hole) -> str:
    return _say("gap", seq=hole.seq, samples=hole.samples, cause=hole.cause)


def write_finish(seq: int) -> str:
    return _say("end", seq=seq)


def welcome(durable: int, sample: int) -> str:
    """Everything up to *durable* is on disk, and the leg stands at *sample*."""
    return _say("welcome", v=VERSION, durable=durable, sample=sample)


def ack(durable: int, final: bool = False) -> str:
    last = ',"final":true' if final else ""
    return f'{{"type":"ack","durable":{durable}{last}}}'


def throttle(wait_ms: int, why: str) -> str:
    return _say("throttle", wait_ms=wait_ms, why=why)


def fault(code: int, why: str) -> str:
    """Said before the connection is closed with *code*."""
    return _say("error", code=code, why=why)


def _say(kind: str, **values: object) -> str:
    return json.dumps({"type": kind, **values}, ensure_ascii=False, separators=(",", ":"))
