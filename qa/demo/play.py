"""Plays the bundled calls as a telephone system would: events by POST /events, audio by AudioSocket and /stream.

``fast`` sends ring times as event times and lets all calls talk at once; otherwise phones really ring. Audio always
goes at real pace. It waits for no score.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from ingest.shell.client import AudioSocketClient, StreamClient, post_events
from ingest.stream import Hello
from ingest.tokens import audiosocket_uuid, stream_token
from qa.demo.script import DemoCall, DemoSeat, Events, seat_events
from qa.services import now
from speech.audio import Audio, decode

PIECE_MS = {"audiosocket": 20, "stream": 100}
RATE = 8000
VALID = timedelta(minutes=10)
SETTLE = timedelta(milliseconds=600)  # between the tap of a line and its answer
ROLES = ("customer", "agent")


@dataclass(frozen=True, slots=True)
class Line:
    """Where the sockets are and what signs the one-time names."""

    url: str
    audiosocket: tuple[str, int]
    secret: bytes
    run: str
    key: str | None = None

    def call_id(self, call: DemoCall) -> str:
        return f"{call.id}-{self.run}"

    async def send(self, *events: dict[str, Any]) -> None:
        await post_events(self.url, events, self.key)


async def play_call(line: Line, call: DemoCall, fast: bool) -> None:
    """One call from the first ring to the hang-up; the line is tapped before the answer, so that no word is lost."""
    audio = await asyncio.to_thread(decode, call.audio) if call.audio else None
    name = line.call_id(call)
    events = Events(line.run, call.id, call=name, seat=call.seat, agent=call.agent)
    rang = now()
    if not fast:
        await line.send(*_offer(events, call, rang))
    if audio is None:
        await _silence(line, events, call, rang, fast)
        return
    if not fast:
        await asyncio.sleep(max(0.0, (rang + call.ring - SETTLE - now()).total_seconds()))
    answered = now() + SETTLE if fast else rang + call.ring
    legs = _legs(line, call, audio, answered)
    told = [events.make("leg", answered - SETTLE, **leg.event) for leg in legs]
    await line.send(*(_offer(events, call, answered - call.ring) if fast else ()), *told)
    await asyncio.gather(line.send(events.make("answered", answered)), *(leg.play(line) for leg in legs))
    await line.send(events.make("ended", answered + call.length, by=call.hung_up_by))


def _offer(events: Events, call: DemoCall, rang: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    offer = {"direction": call.direction, "known_customer": call.known_customer}
    return events.make("offered", rang, **offer), events.make("ringing", rang)


async def _silence(line: Line, events: Events, call: DemoCall, rang: datetime, fast: bool) -> None:
    """A call that nobody answered."""
    if fast:
        rang -= call.ring
        await line.send(*_offer(events, call, rang))
    else:
        await asyncio.sleep(call.ring.total_seconds())
    await line.send(events.make("ended", rang + call.ring, by=call.hung_up_by))


@dataclass(frozen=True, slots=True)
class PlayedLeg:
    """One party's audio on its way."""

    call: str
    name: str
    role: str
    via: str
    once: str
    begins: datetime
    pcm: Any
    gap: tuple[int, int] | None

    @property
    def event(self) -> dict[str, Any]:
        return {"leg": self.name, "role": self.role, "audio": {self.via: self.once}}

    async def play(self, line: Line) -> None:
        await (self._audiosocket(line) if self.via == "audiosocket" else self._stream(line))

    async def _audiosocket(self, line: Line) -> None:
        async with AudioSocketClient(*line.audiosocket, UUID(self.once)) as client:
            async for piece in self._paced(PIECE_MS["audiosocket"]):
                await client.send(piece.astype("<i2").tobytes())

    async def _stream(self, line: Line) -> None:
        hello = Hello(self.call, self.name, self.role, RATE, "slin", 1, self.once, self.begins, "demo")
        async with StreamClient(line.url, hello, live=True) as client:
            at_ms = 0
            async for piece in self._paced(PIECE_MS["stream"]):
                length_ms = len(piece) * 1000 // RATE
                if self.gap and at_ms < self.gap[1] and at_ms + length_ms > self.gap[0]:
                    await client.gap(len(piece), "loss")
                else:
                    await client.send(piece.astype("<i2").tobytes())
                at_ms += length_ms
            await client.finish()

    async def _paced(self, piece_ms: int) -> AsyncIterator[Any]:
        """The samples piece by piece from the answer on, each when it has been spoken."""
        loop = asyncio.get_running_loop()
        began = loop.time() + (self.begins - now()).total_seconds()
        size = RATE * piece_ms // 1000
        for at in range(0, len(self.pcm), size):
            await asyncio.sleep(max(0.0, began + (at + size) / RATE - loop.time()))
            yield self.pcm[at : at + size]


def _legs(line: Line, call: DemoCall, audio: Audio, begins: datetime) -> list[PlayedLeg]:
    name, until = line.call_id(call), now() + VALID
    sides = [("unknown", _mixed(audio))] if call.mixed else list(zip(ROLES, audio.pcm, strict=True))
    legs = []
    for role, pcm in sides:
        leg = "line" if role == "unknown" else role
        if call.via == "audiosocket":
            once = str(audiosocket_uuid(line.secret, name, leg, role, until))
        else:
            once = stream_token(line.secret, name, leg, role, until)
        gap = (call.gap["start_ms"], call.gap["end_ms"]) if call.gap and call.gap["role"] == role else None
        legs.append(PlayedLeg(name, leg, role, call.via, once, begins, pcm, gap))
    return legs


def _mixed(audio: Audio) -> Any:
    """Both parties on one wire, as a speakerphone recording has them."""
    return np.clip(audio.pcm.astype(np.int32).sum(axis=0), -32768, 32767).astype(np.int16)


async def play_seat(line: Line, seat: DemoSeat, end: datetime) -> None:
    """The whole story of an empty seat, in one request."""
    await line.send(*seat_events(seat, line.run, end))
