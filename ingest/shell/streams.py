"""The legs of /stream over all their connections: who writes, what is durable, who stayed away. Reads no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from ingest.errors import SpoolError, SpoolFailed, StreamError
from ingest.pace import BURST_S, FACTOR
from ingest.reach import Reach
from ingest.rows import Row, body, micros
from ingest.shell.core import LOG, Core
from ingest.shell.siblings import Siblings
from ingest.spool import LegName, LegTrace
from ingest.stream import BUSY, FENCED, TOKEN, Hello
from ingest.streamleg import LegState, StreamLeg

GATHER_S = 0.01
FORGET_S = 4 * 3600.0  # a leg that is over answers a late client this long


class Writer(Protocol):
    """The connection that writes a leg."""

    def moved(self) -> None:
        """More of the leg is durable, or all of it."""
        ...

    def kick(self, error: StreamError) -> None: ...


@dataclass(slots=True, eq=False)
class Live:
    """A leg, its present writer, and the timer that runs while it has none."""

    leg: StreamLeg
    token: str
    reach: Reach
    writer: Writer | None = None
    timer: asyncio.TimerHandle | None = None
    cause: str = "disconnected"


class Streams:
    """All legs that this process knows."""

    def __init__(self, core: Core, reap_seconds: float, siblings: Siblings) -> None:
        self._core, self._reap_s, self._siblings = core, reap_seconds, siblings
        self._legs: dict[LegName, Live] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._batch: list[Row] = []
        self._moved: dict[Live, tuple[int, bool]] = {}  # up to which number, and whether that is all

    @property
    def open(self) -> int:
        return sum(live.writer is not None for live in self._legs.values())

    @property
    def known(self) -> frozenset[LegName]:
        return frozenset(self._legs)

    def restore(self, traces: Iterable[LegTrace], elsewhere: bool = False) -> None:
        """Legs that an earlier process left, or another one: the open ones wait for their client as after any lost
        connection."""
        for trace in traces:
            before = self._legs.get((trace.call, trace.leg))
            if before is not None and before.timer is not None:
                before.timer.cancel()
            leg = _left(trace, elsewhere)
            live = self._legs[trace.call, trace.leg] = Live(leg, "", self._reach(leg), cause="crash")
            self._wait(live) if live.leg.state is LegState.AWAY else self._forget(live)

    async def catch_up(self, hello: Hello) -> None:
        """Before a client may write: what another process of this machine has of its leg and its token. Files are read
        for who may open the leg; TokenError for others."""
        admission, named = self._core.admission, (hello.token, hello.call, hello.leg, hello.role)
        admission.prove(*named)
        if hello.token not in admission and (known := await self._siblings.admitted(hello.token)):
            admission.remember([known])
        admission.fits(*named, self._core.now())
        trace = await self._siblings.leg(hello.call, hello.leg)
        live = self._legs.get((hello.call, hello.leg))
        if trace is None:
            return
        if live is None or (trace.end is not None and live.leg.state is LegState.AWAY):
            trace.start = trace.start or (_started(live.leg.hello) if live else {})
            self.restore([trace] if trace.start else [], elsewhere=True)
        elif trace.seq > live.leg.taken:
            live.leg.overtaken(trace.seq, trace.samples)
            live.reach.found(trace.samples / live.leg.hello.rate, self._core.mono())

    def enter(self, hello: Hello, writer: Writer) -> Live:
        """Let a client write, and close the one before it. TokenError or StreamError when it may not."""
        core, name = self._core, (hello.call, hello.leg)
        live = self._legs.get(name)
        if live is None and not core.spool.roomy:
            raise StreamError("spool: is nearly full, no new call is taken now; try again later", BUSY)
        opened = core.admission.open_stream(hello.token, hello.call, hello.leg, hello.role, core.now())
        if live is None:
            live = self._legs[name] = Live(leg := StreamLeg(hello), hello.token, self._reach(leg))
        elif live.token not in ("", hello.token) and hello.epoch <= live.leg.hello.epoch:
            raise StreamError("token: another token writes this leg; take it over with a greater epoch", TOKEN)
        self.send()  # before the row of a new writer
        rows = live.leg.greet(hello)
        self._core.store([*opened.admits, *rows], force=True)
        self._hand_over(live, writer)
        live.token, live.cause = hello.token, "disconnected"
        return live

    def _reach(self, leg: StreamLeg) -> Reach:
        """How far a leg can be that is new to this process: as far as its sender says, which did not begin in the
        future, or as far as it is. Beyond that stand a burst of audio, as fast as it is read here, and our slack."""
        said_s = (self._core.now() - leg.hello.at).total_seconds()
        return Reach(self._core.mono(), max(0.0, said_s, leg.sample / leg.hello.rate), FACTOR, 2 * BURST_S)

    def _hand_over(self, live: Live, writer: Writer) -> None:
        if live.timer is not None and live.leg.state is LegState.OPEN:
            live.timer.cancel()
        if live.writer is not None:
            from_now = f"epoch {live.leg.hello.epoch} writes leg {live.leg.hello.leg!r} now; this connection is closed"
            live.writer.kick(StreamError(from_now, FENCED))
        live.writer = writer

    def store(self, live: Live, rows: list[Row]) -> None:
        """Rows of the leg's writer; its progress is told after COMMIT. What comes close together is stored together."""
        if not self._batch:
            asyncio.get_running_loop().call_later(GATHER_S, self.send)
        self._batch += rows
        ends = rows[-1].kind == "end" or self._moved.get(live, (0, False))[1]
        self._moved[live] = live.leg.taken, ends

    def send(self) -> None:
        """What was gathered goes to the spool."""
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        moved, self._moved = self._moved, {}
        self._core.faults("gathered")
        try:
            self._core.store(batch, lambda: self._durable(moved), force=True)
        except SpoolFailed as error:  # never acknowledged: the clients still have it
            LOG.error("stream: %s", error)

    def _durable(self, moved: Mapping[Live, tuple[int, bool]]) -> None:
        for live, (seq, ends) in moved.items():
            live.leg.committed(seq)
            if ends:
                self._over(live)
            if live.writer is not None:
                live.writer.moved()

    def leave(self, live: Live, writer: Writer) -> None:
        """A connection is gone; that is not the end of its leg."""
        if live.writer is not writer:
            return
        live.writer = None
        live.leg.lost()
        if live.leg.state is LegState.AWAY:
            self._wait(live)

    def _wait(self, live: Live) -> None:
        live.timer = asyncio.get_running_loop().call_later(self._reap_s, self._reap, live)

    def _reap(self, live: Live) -> None:
        task = asyncio.create_task(self._end(live), name="stream-reap")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _end(self, live: Live) -> None:
        """Nobody came back in time: the leg ends with the reason, unless its client writes to another process."""
        try:
            trace = await self._siblings.leg(*live.leg.name)
        except SpoolError as error:  # not to be looked at now: so later, before anything is said of the leg
            LOG.info("siblings: %s", error)
            self._wait(live)
            return
        if live.leg.state is not LegState.AWAY:
            return
        if trace is not None and _goes_on(trace, live.leg):
            self._legs.pop(live.leg.name, None)
            return
        rows = live.leg.reap(live.cause)
        LOG.warning("call %r leg %r ended: %s", live.leg.hello.call, live.leg.hello.leg, live.cause)
        self._forget(live)
        try:
            self._core.store(rows, force=True)
        except SpoolError as error:
            LOG.error("call %r leg %r: its end is not stored: %s", live.leg.hello.call, live.leg.hello.leg, error)

    def _over(self, live: Live) -> None:
        if live.leg.state is LegState.ENDING:
            live.leg.ended()
        self._forget(live)

    def _forget(self, live: Live) -> None:
        live.leg.digests.clear()
        live.timer = asyncio.get_running_loop().call_later(FORGET_S, self._legs.pop, live.leg.name, None)

    def close(self) -> None:
        """Stop the timers; legs without a writer wait for the next process."""
        self.send()
        for task in self._looking:
            task.cancel()
        for live in self._legs.values():
            if live.timer is not None:
                live.timer.cancel()


def _goes_on(trace: LegTrace, leg: StreamLeg) -> bool:
    """Whether another process has more of a leg, or its end: an end stands once."""
    return trace.end is not None or (trace.epoch, trace.seq) > (leg.hello.epoch, leg.taken)


def _started(hello: Hello) -> dict[str, Any]:
    """What a start row said of a leg that is known here."""
    return {"role": hello.role, "rate": hello.rate, "encoding": hello.encoding, "at": hello.at.isoformat()}


def _left(trace: LegTrace, elsewhere: bool) -> StreamLeg:
    """A leg as another process left it."""
    hello = Hello(
        call=trace.call, leg=trace.leg, role=trace.start["role"], rate=trace.start["rate"],
        encoding=trace.start["encoding"], epoch=trace.epoch, token="",
        at=datetime.fromisoformat(trace.start["at"]), source=trace.source,
    )  # fmt: skip
    state = LegState.AWAY if trace.end is None else LegState.OVER
    return StreamLeg(hello, state, trace.seq, trace.seq, trace.samples, elsewhere)


def crashed(trace: LegTrace, now: datetime, mono_s: float) -> list[Row]:
    """The end of a leg whose sender cannot come back (AudioSocket): a gap up to now, and the cause."""
    rate = trace.start.get("rate", 8000)
    heard_us = trace.samples * 1_000_000 // rate
    last_us = micros(datetime.fromisoformat(trace.start["at"])) + heard_us if trace.start else trace.at_us
    away_us = int(mono_s * 1_000_000) - trace.mono_us if trace.mono_us else micros(now) - last_us
    lost = max(rate // 4, away_us * rate // 1_000_000)
    after = trace.samples + lost
    row = Row("gap", trace.source, trace.call, trace.leg, last_us, b"", trace.seq + 1, trace.samples, epoch=trace.epoch)
    gap = body({"start_sample": trace.samples, "samples": lost, "cause": "crash"})
    end = body({"samples": after, "cause": "crash"})
    return [replace(row, samples=lost, payload=gap), replace(row, kind="end", sample=after, payload=end)]
