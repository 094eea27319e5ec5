"""Streams a recording or a live source into ingest: one leg a channel, durable when it returns. Decodes WAV only.

What is no plain 16-bit WAV goes through the *decode* callable that the caller hands in.
"""

from __future__ import annotations

import asyncio
import secrets
import wave
from array import array
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.errors import ClientError
from ingest.legs import WIDTHS
from ingest.shell.client import post_events
from ingest.shell.stream_client import Progress, StreamClient
from ingest.stream import RATES, Hello

CLOCK_S = 10  # between two reports of this machine's clock
CHUNK_MS = 100
ROLES = ("customer", "agent")  # by channel of a stereo recording


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples on their way: interleaved by channel, in pieces of any length."""

    rate: int
    encoding: str
    channels: int
    pieces: AsyncIterable[bytes]
    seconds: float | None = None  # None where nobody knows yet
    live: bool = False  # cannot wait: what does not fit into the ring is dropped, and declared as a gap


@dataclass(frozen=True, slots=True)
class LegReport:
    leg: str
    role: str
    messages: int
    durable: int
    samples: int
    connects: int


@dataclass(frozen=True, slots=True)
class Report:
    call: str
    seconds: float
    legs: tuple[LegReport, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, and as what. ``signal`` also says answered and ended, for a call that nobody else tells about."""

    url: str
    call: str
    roles: tuple[str, ...] = ROLES
    key: str | None = None
    signal: bool = True
    fast: bool = False  # as fast as the server takes it, instead of at real pace
    source: str = "push"
    seat: str | None = None
    agent: str | None = None


Decode = Callable[[Path], Sound]


def read_wav(path: Path) -> Sound:
    """A plain WAV file; ClientError names what it is instead."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width, frames = (
                file.getframerate(),
                file.getnchannels(),
                file.getsampwidth(),
                file.getnframes(),
            )
    except (wave.Error, EOFError) as error:
        raise ClientError(f"{path}: is no plain WAV ({error}); convert it to 16-bit WAV at 8 or 16 kHz") from None
    except OSError as error:
        raise ClientError(f"{path}: cannot be read ({error.strerror})") from None
    if width != 2 or channels > 2 or rate not in RATES or not frames:
        raise ClientError(f"{path}: {channels} channels, {width * 8} bits, {rate} Hz, {frames} samples; convert it to "
                          "16-bit WAV, one or two channels, at 8 or 16 kHz")  # fmt: skip
    return Sound(rate, "slin", channels, _wav_pieces(path, rate), frames / rate)


async def _wav_pieces(path: Path, rate: int) -> AsyncIterator[bytes]:
    with wave.open(str(path), "rb") as file:
        while data := file.readframes(rate * CHUNK_MS // 1000):
            yield data


async def push(
    source: Path | Sound,
    target: Target,
    decode: Decode | None = None,
    on_progress: Callable[[float, float | None], None] = lambda seconds, total: None,
    now: datetime | None = None,
) -> Report:
    """Send it; returns once every leg is durable. ClientError says what stopped it."""
    sound = _sound(source, decode)
    roles = target.roles if sound.channels == 2 or len(target.roles) == 1 else ("unknown",)
    if len(roles) != sound.channels:
        raise ClientError(f"roles: {len(roles)} for {sound.channels} channels; give one for each")
    if len(set(roles) - {"unknown"}) < len([role for role in roles if role != "unknown"]):
        raise ClientError(f"roles: {', '.join(roles)}; give each party one channel")
    legs = [role if role != "unknown" else f"channel-{at}" for at, role in enumerate(roles)]
    tokens = [secrets.token_urlsafe(24) for _ in legs]
    at = now or datetime.now(UTC)
    await _tell(target, _leg_events(target, legs, roles, tokens, at))
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                StreamClient(target.url, Hello(target.call, leg, role, sound.rate, sound.encoding, 1, token, at,
                                               target.source), key=target.key, live=sound.live)
            )
            for leg, role, token in zip(legs, roles, tokens, strict=True)
        ]  # fmt: skip
        seconds = await _stream(sound, clients, target.fast, on_progress)
        await asyncio.gather(*(client.finish() for client in clients))
        told = [client.progress for client in clients]
    if target.signal:
        ended = _event(target, "ended", at + timedelta(seconds=seconds), by="unknown")
        await _tell(target, [ended])
    return Report(target.call, seconds, tuple(map(_leg_report, legs, roles, told)))


def _sound(source: Path | Sound, decode: Decode | None) -> Sound:
    if isinstance(source, Sound):
        return source
    try:
        return read_wav(source)
    except ClientError:
        if decode is None or not source.is_file():
            raise
        return decode(source)


async def _stream(
    sound: Sound, clients: Sequence[StreamClient], fast: bool, on_progress: Callable[[float, float | None], None]
) -> float:
    """Every piece to its legs, at the pace at which it sounds."""
    loop = asyncio.get_running_loop()
    began, sent, told = loop.time(), 0, 0
    async for piece in _whole(sound):
        if not fast and sent - told >= CLOCK_S * sound.rate:
            told = sent
            for client in clients:
                client.clock(datetime.now(UTC))
        for channel, client in enumerate(clients):
            await client.send(split(piece, sound.encoding, sound.channels, channel))
        sent += len(piece) // (WIDTHS[sound.encoding] * sound.channels)
        on_progress(sent / sound.rate, sound.seconds)
        ahead_s = sent / sound.rate - (loop.time() - began)
        if ahead_s > 0 and not (fast or sound.live):
            await asyncio.sleep(ahead_s)
    return sent / sound.rate


async def _whole(sound: Sound) -> AsyncIterator[bytes]:
    """The pieces cut at whole samples of all channels, CHUNK_MS at a time."""
    frame = WIDTHS[sound.encoding] * sound.channels
    step, rest = sound.rate * CHUNK_MS // 1000 * frame, b""
    async for piece in sound.pieces:
        rest += piece
        while len(rest) >= step:
            yield rest[:step]
            rest = rest[step:]
    if whole := len(rest) // frame * frame:
        yield rest[:whole]


def split(data: bytes, encoding: str, channels: int, channel: int) -> bytes:
    """One channel of interleaved samples."""
    if channels == 1:
        return data
    if WIDTHS[encoding] == 1:
        return data[channel::channels]
    samples = array("H", data)
    return samples[channel::channels].tobytes()


def _leg_events(
    target: Target, legs: Sequence[str], roles: Sequence[str], tokens: Sequence[str], at: datetime
) -> Iterator[dict[str, Any]]:
    if target.signal:
        who = {"seat": target.seat, "agent": target.agent}
        yield _event(target, "answered", at, **{key: name for key, name in who.items() if name is not None})
    for channel, (leg, role, token) in enumerate(zip(legs, roles, tokens, strict=True)):
        audio = {"stream": token}
        yield _event(target, "leg", at, leg=leg, role=role, audio=audio, channel=str(channel))


def _event(target: Target, kind: str, at: datetime, **own: object) -> dict[str, Any]:
    ident = f"{target.call}-{kind}-{own.get('leg', '')}"[:128]
    return {"source": target.source, "id": ident, "at": at.isoformat(), "type": kind, "call": target.call, **own}


async def _tell(target: Target, events: Iterator[dict[str, Any]] | Sequence[dict[str, Any]]) -> None:
    told = await post_events(target.url, list(events), target.key)
    if told["refused"]:
        first = told["refused"][0]
        raise ClientError(f"{target.url}/events: refused the {target.call!r} call: {first['field']} {first['reason']}")


def _leg_report(leg: str, role: str, told: Progress) -> LegReport:
    return LegReport(leg, role, told.messages, told.durable, told.samples, told.connects)
