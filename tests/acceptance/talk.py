"""Two parties on the line at real pace: the customer over /stream, the agent over AudioSocket, and what became of it.

Every sample says where it stands, so a recording can be compared with what was sent, to the bit.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np

from ingest.errors import ClientError
from ingest.shell.client import AudioSocketClient, StreamClient
from ingest.stream import Hello
from ingest.tokens import audiosocket_uuid, stream_token
from speech.audio import decode
from tests.acceptance.house import House, eventually

RATE = 8000
PIECE, FRAME = 800, 160  # samples: 100 ms over /stream, 20 ms over AudioSocket
RING_S = 21  # five rings of five seconds
NUMBERS = count(1)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


@dataclass(slots=True)
class Outage:
    """A break of the phone's line: from which sample on, and when another leg stood."""

    leg: str
    sample: int
    began_at: float
    until: float = 0.0


@dataclass(slots=True)
class Talk:
    """One call. ``spoken`` and ``sent`` grow until ``over`` is set."""

    house: House
    name: str
    exchange: House | None = None  # where the phone's audio goes, if that is another process
    number: int = field(default_factory=lambda: next(NUMBERS))
    answered: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime = field(default_factory=lambda: datetime.now(UTC))
    over: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0  # samples given to /stream
    acked: int = 0  # samples that /stream acknowledged as durable
    connects: int = 0
    spoken: int = 0  # samples that the phone would have sent had the line never broken
    outages: list[Outage] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def event(self, kind: str, at: datetime, what: str = "", **own: Any) -> dict[str, Any]:
        return {"source": "pbx", "id": f"{self.name}-{what or kind}", "at": at.isoformat(), "type": kind,
                "call": self.name, **own}  # fmt: skip

    async def begin(self, phone: bool = True) -> None:
        """It rings, is answered, and both parties talk; the phone may stay silent. The line is tapped before."""
        rang, who = self.answered - timedelta(seconds=RING_S), {"seat": "s1", "agent": "A01"}
        token = stream_token(self.house.secret, self.name, "customer", "customer", later())
        await self.house.tell(
            self.event("offered", rang, direction="in", **who),
            self.event("ringing", rang, **who),
            self.event("leg", self.answered, "customer", leg="customer", role="customer", audio={"stream": token}),
        )
        self.answered = datetime.now(UTC)
        self.tasks = [asyncio.create_task(self._stream(token))]
        if phone:
            self.tasks.append(asyncio.create_task(self._phone()))
        await self.house.tell(self.event("answered", self.answered, **who))

    async def on(self, seconds: float) -> None:
        """Both parties have talked so much longer, and the phone's line stands."""
        goal = self.sent + int(seconds * RATE)

        async def look() -> bool:
            self._fault()
            return self.sent >= goal and not (self.outages and not self.outages[-1].until)

        await eventually(look, f"{self.name}: {seconds} s of talk more")

    async def end(self) -> None:
        """They hang up; returns when everything that can be durable is."""
        await self.fall_silent()
        await self.hang_up()

    async def fall_silent(self) -> None:
        """Nobody speaks any more, and what was said is durable."""
        self.ended = datetime.now(UTC)
        self.over.set()
        await asyncio.wait_for(asyncio.gather(*self.tasks), 120)

    async def hang_up(self, house: House | None = None) -> None:
        await (house or self.house).tell(self.event("ended", self.ended, by="customer"))

    def _fault(self) -> None:
        for task in self.tasks:
            if task.done():
                task.result()

    async def _stream(self, token: str) -> None:
        greeting = Hello(self.name, "customer", "customer", RATE, "slin", 1, token, self.answered, "pbx")
        clock, began = asyncio.get_running_loop().time, asyncio.get_running_loop().time()
        client = StreamClient(self.house.http, greeting, jitter=lambda most: 0.1)
        async with client:
            while not self.over.is_set():
                await client.send(voice(PIECE, self._first + self.sent))
                self.sent += PIECE
                self.acked = client.progress.durable * PIECE
                await self._wait(began + self.sent / RATE - clock())
            await client.finish()
            self.acked, self.connects = client.progress.durable * PIECE, client.progress.connects

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.wait([asyncio.ensure_future(self.over.wait())], timeout=seconds)

    @property
    def _first(self) -> int:
        return self.number * 20011

    async def _phone(self) -> None:
        """One leg after another: a broken line comes again under a new name and a new UUID."""
        began = asyncio.get_running_loop().time()
        for number in count(1):
            leg = "agent" if number == 1 else f"agent-{number}"
            if not await self._leg(leg, began):
                return
            self.outages.append(Outage(leg, self.spoken, asyncio.get_running_loop().time()))

    async def _leg(self, leg: str, began: float) -> bool:
        """Speak until the line breaks (True) or the call is over."""
        ident = audiosocket_uuid(self.house.secret, self.name, leg, "agent", later())
        bound = self.event("leg", datetime.now(UTC), leg, leg=leg, role="agent", audio={"audiosocket": str(ident)})
        await self.house.tell(bound)
        clock = asyncio.get_running_loop().time
        try:
            async with AudioSocketClient("127.0.0.1", (self.exchange or self.house).ports[1], ident) as line:
                if self.outages:
                    self.outages[-1].until = clock()
                    self.spoken = max(self.spoken, int((clock() - began) * RATE) // FRAME * FRAME)
                while not self.over.is_set():
                    await line.send(voice(FRAME, self._first + self.spoken))
                    self.spoken += FRAME
                    await self._wait(began + self.spoken / RATE - clock())
                await line.hang_up()
        except (ClientError, OSError):
            return True
        return False

    # -- afterwards

    async def checked(self, died_at: float | None = None) -> Checked:
        """Compare the recording with what was sent; assertions say what is missing."""
        rows = await self.house.ask("SELECT path, format, gaps FROM recording WHERE call = $1", self.name)
        assert [row["format"] for row in rows] == ["flac"], (self.name, rows)
        pcm = decode(self.house.home / "recordings" / rows[0]["path"]).pcm
        gaps = json.loads(rows[0]["gaps"])
        customer, agent = (np.ascontiguousarray(channel, "<i2").tobytes() for channel in pcm)
        assert self.acked == self.sent
        found = stored(agent, self._first, self.spoken) if len(self.tasks) > 1 else 0
        return Checked(
            sent=self.sent,
            lost=0 if whole(customer, voice(self.sent, self._first)) else self.sent,
            customer_gaps=[gap for gap in gaps if gap["role"] == "customer"],
            phone_lost_ms=(self.spoken - found) / 8 if len(self.tasks) > 1 else 0.0,
            phone_gap_ms=sum(gap["end_ms"] - gap["start_ms"] for gap in gaps if gap["role"] == "agent"),
            outage_ms=sum((one.until - min(one.began_at, died_at or one.began_at)) * 1000 for one in self.outages),
        )


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a talk."""

    sent: int
    lost: int  # acknowledged samples of /stream that the recording lacks
    customer_gaps: list[dict[str, Any]]
    phone_lost_ms: float
    phone_gap_ms: float
    outage_ms: float

    def holds(self) -> None:
        assert (self.lost, self.customer_gaps) == (0, [])
        assert self.phone_lost_ms <= 250 + self.outage_ms, self
        assert self.phone_gap_ms >= self.phone_lost_ms - 100, self  # two clocks, and 20 ms to a frame


def voice(samples: int, first: int) -> bytes:
    """16-bit samples that repeat themselves within no call that a test can hold."""
    at = np.arange(first, first + samples, dtype=np.uint64)
    return (at * np.uint64(2654435761) >> np.uint64(13)).astype("<u2").tobytes()


def whole(channel: bytes, samples: bytes) -> bool:
    """Whether these samples stand in the channel in one piece."""
    at = channel.find(samples)
    while at >= 0 and at % 2:
        at = channel.find(samples, at + 1)
    return at >= 0


def stored(channel: bytes, first: int, spoken: int) -> int:
    """How many of the spoken samples the channel holds, frame by frame and in their order."""
    at = found = 0
    for start in range(0, spoken, FRAME):
        frame = voice(FRAME, first + start)
        if channel[at : at + len(frame)] != frame:
            where = channel.find(frame, at)
            if where < 0 or where % 2:
                continue
            at = where
        at += len(frame)
        found += FRAME
    return found


async def short_call(house: House, name: str, seconds: int = 1) -> Talk:
    """An answered call after too many rings; both parties over /stream, said in one go."""
    one = Talk(house, name, answered=datetime.now(UTC) - timedelta(seconds=seconds))
    rang, who = one.answered - timedelta(seconds=RING_S), {"seat": "s1", "agent": "A01"}
    tokens = {role: stream_token(house.secret, name, role, role, later()) for role in ("customer", "agent")}
    await house.tell(
        one.event("offered", rang - timedelta(minutes=5), direction="in", **who),
        one.event("ringing", rang, **who),
        one.event("answered", one.answered, **who),
        *(one.event("leg", one.answered, role, leg=role, role=role, audio={"stream": token})
          for role, token in tokens.items()),
    )  # fmt: skip
    for role, token in tokens.items():
        greeting = Hello(name, role, role, RATE, "slin", 1, token, one.answered, "pbx")
        async with StreamClient(house.http, greeting, jitter=lambda most: 0.1) as client:
            await client.send(voice(seconds * RATE, one.number * 20011))
            await client.finish()
    await house.tell(one.event("ended", one.answered + timedelta(seconds=seconds), by="customer"))
    return one


async def rang_before(house: House, one: Talk, seconds: int) -> None:
    """A late word: the phone had begun to ring so much earlier. Other facts, so another run."""
    at = one.answered - timedelta(seconds=RING_S + seconds)
    await house.tell(one.event("ringing", at, f"late-{seconds}", seat="s1", agent="A01"))


def abandoned(house: House, name: str) -> list[dict[str, Any]]:
    """A call that nobody answered in five rings."""
    one = Talk(house, name)
    rang, who = one.answered - timedelta(seconds=RING_S), {"seat": "s1", "agent": "A01"}
    return [
        one.event("offered", rang, direction="in", **who),
        one.event("ringing", rang, **who),
        one.event("ended", one.answered, by="customer"),
    ]

