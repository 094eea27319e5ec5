"""What all transports of one ingest process share: admission, events, the way into the spool. Opens no sockets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from ingest.admission import Admission
from ingest.errors import SpoolFailed, SpoolFull
from ingest.events import Event, Leg, Refusal, parse_event
from ingest.fields import NAME_CHARS
from ingest.quiet import Quiet, spelt
from ingest.rows import Admit, Row, content_key, event_key, event_row
from ingest.shell.faults import Faults
from ingest.shell.rounds import Rounds
from ingest.shell.writer import Spool
from ingest.sources import Source
from ingest.spool import LegName
from ingest.waiting import Done

Fresh = tuple[bytes, list[Row | Admit]]  # a new event's key, and what to store of it
LOG = logging.getLogger("seatwatch.ingest")
RECENT_KEYS = 200_000
COMMIT_WAIT_S = 5.0
GATHER_S = 0.1  # what is lost in a crash: this, and what waits for the next commit
EASY = 0.5  # of the queue: below it there is room for whatever was gathered


class Flushed(Protocol):
    """A leg that gathers audio."""

    @property
    def whole(self) -> bool: ...

    def gathered(self) -> list[Row]: ...

    def flush(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to a request of events."""

    accepted: int
    duplicates: int
    refused: tuple[tuple[int, Refusal], ...]

    def to_json(self) -> dict[str, Any]:
        refused = [{"index": index, "field": one.field, "reason": one.reason} for index, one in self.refused]
        return {"accepted": self.accepted, "duplicates": self.duplicates, "refused": refused}


def utc_now() -> datetime:
    return datetime.now(UTC)


class Core:
    """Lives on one event loop. Rows leave through ``store``; callbacks come back on the loop after COMMIT."""

    def __init__(self, spool: Spool, admission: Admission, keys: dict[bytes, bytes], faults: Faults,
                 now: Callable[[], datetime] = utc_now) -> None:  # fmt: skip
        self.spool, self.admission, self.faults, self.now = spool, admission, faults, now
        self.mono = time.monotonic
        self.counts: Counter[str] = Counter()
        self._quiet = Quiet()
        self.prompt: set[str] = set()  # UUIDs of our own taps, whose audio comes at once or not at all
        self.open_legs: Counter[str] = Counter()  # by source, of senders that never resend
        self.elsewhere: Callable[[str], Awaitable[Admit | None]] = _nowhere
        self._waiting: set[asyncio.Future[None]] = set()
        self._heard: list[Flushed] = []
        self._flush: asyncio.TimerHandle | None = None
        self.rounds = Rounds(self.flush_legs)
        self._keys = keys
        self._legs: dict[LegName, None] = {}  # that hold audio, as far back as this process knows

    def legs_before(self, known: Iterable[LegName]) -> None:
        """Legs that an earlier process wrote."""
        self._legs |= dict.fromkeys(known)

    def fresh_leg(self, call: str, leg: str) -> str:
        """A leg id of this call that holds no audio yet: who comes back writes beside what it wrote, not into it."""
        name, count = leg, 1
        while (call, name) in self._legs:
            count += 1
            name = f"{leg[: NAME_CHARS - 8]}+{count}"
        self._legs[call, name] = None
        if len(self._legs) > RECENT_KEYS:
            del self._legs[next(iter(self._legs))]
        return name

    def store(self, items: Sequence[Row | Admit], done: Done | None = None, force: bool = False) -> None:
        self.spool.put(items, done, force)

    def gather(self, leg: Flushed) -> None:
        """Have ``leg.flush`` called soon: one row for what a leg says in a while, not one for each of its frames."""
        self._heard.append(leg)
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(GATHER_S, self.flush_legs)

    def flush_legs(self) -> None:
        """Everything that was gathered goes to the spool."""
        heard, self._heard = self._heard, []
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        if heard:
            self.faults("gathered")
        try:
            easy = self.spool.fill < EASY
            whole = [leg for leg in heard if easy and leg.whole]
            if whole:
                self.store([row for leg in whole for row in leg.gathered()], force=True)
            for leg in heard:
                leg.flush()  # nothing is left of those above
        except SpoolFailed as error:  # the process is about to end; what is on disk tells where each leg stopped
            LOG.error("audio is not stored: %s", error)

    def refuse(self, what: str, why: object) -> None:
        """Count what was turned away, each time, and log it: not a flood of it, nor what a stranger wrote in full."""
        self.counts[what] += 1
        left = self._quiet.left_out(what, self.mono())
        if left is not None:
            LOG.warning("%s refused: %s%s", what, spelt(str(why)), f" (and {left} more of these)" if left else "")

    def no_room(self, source: Source | None, legs: int = 1) -> str | None:
        """Why no new leg can be taken from this source now; None if it can. Legs that run are never touched."""
        if not self.spool.roomy:
            return "spool: is nearly full, no new call is taken now"
        if source is not None and self.open_legs[source.name] + legs > source.legs:
            return f"source {source.name!r}: has {source.legs} legs open, which is its limit"
        return None

    async def learn(self, name: str) -> None:
        """Before a UUID, token or session is used: another process of this machine may know it."""
        if name not in self.admission and (known := await self.elsewhere(name)) is not None:
            self.admission.remember([known])

    async def take_events(self, values: Sequence[object], source: str | None = None, calls: str = "") -> Taken:
        """Store what is an event; returns after COMMIT. *source* is the only one that this sender may write, *calls*
        how the names of the calls begin that it may write about."""
        refused: list[tuple[int, Refusal]] = []
        fresh: list[Fresh] = []
        duplicates = 0
        for index, value in enumerate(values):
            event = value if isinstance(value, Refusal) else parse_event(value)
            if isinstance(event, Event):
                checked = self._check(event, source, calls)
                if checked is None:
                    duplicates += 1
                    continue
                if isinstance(checked, tuple):
                    fresh.append(checked)
                    continue
                event = checked
            refused.append((index, event))
        await self._commit(fresh)
        self.counts["events"] += len(fresh)
        self.counts["event refused"] += len(refused)
        return Taken(len(fresh), duplicates, tuple(refused))

    def _check(self, event: Event, source: str | None, calls: str) -> Fresh | Refusal | None:
        """A new event, a refusal, or None for one that is stored already. What it registers counts from here on."""
        if source is not None and event.source != source:
            return Refusal("source", f"this key may write as {source!r} only")
        if event.call is not None and not event.call.startswith(calls):
            return Refusal("call", f"this key may write about calls whose names begin with {calls!r} only")
        row = event_row(event, int(self.mono() * 1_000_000))
        key, content = event_key(event.source, event.id), content_key(row.payload)
        known = self._keys.get(key)
        if known is not None:
            return None if known == content else Refusal("id", "was sent before with other content; use a new id")
        stored: list[Row | Admit] = [row]
        if isinstance(event, Leg):
            if fault := self.admission.fault(event, self.now()):
                return Refusal("audio", fault)
            stored += self.admission.register(event, self.now())
        self._keys[key] = content
        if len(self._keys) > RECENT_KEYS:
            del self._keys[next(iter(self._keys))]
        return key, stored

    async def _commit(self, fresh: Sequence[Fresh]) -> None:
        """Wait for the disk, also when there is nothing new: a duplicate's first copy may still be on its way."""
        loop = asyncio.get_running_loop()
        durable: asyncio.Future[None] = loop.create_future()
        try:
            self.store([item for _, items in fresh for item in items], lambda: _resolve(durable))
        except SpoolFull:
            for key, _ in fresh:
                self._keys.pop(key, None)
            raise
        self._waiting.add(durable)
        try:
            async with asyncio.timeout(COMMIT_WAIT_S):
                await durable
        except TimeoutError:
            raise SpoolFull("spool: the disk did not take the events in time; send the same events again") from None
        finally:
            self._waiting.discard(durable)

    def fail(self, error: SpoolFailed) -> None:
        """Nothing will be durable any more: whoever waits hears why."""
        for durable in self._waiting:
            if not durable.done():
                durable.set_exception(error)


async def _nowhere(name: str) -> Admit | None:
    """This process is alone."""
    return None


def _resolve(durable: asyncio.Future[None]) -> None:
    if not durable.done():
        durable.set_result(None)
