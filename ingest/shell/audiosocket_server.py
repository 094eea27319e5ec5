"""AudioSocket over TCP: time limits, rate limits and the audio clock around the parser. Acknowledges nothing.

The sender never resends, so whatever cannot be stored becomes a gap with its cause.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from ingest.admission import Opened
from ingest.audiosocket import HEAD_BYTES, Audio, Dtmf, Event, Fault, Hangup, Ident, Parser, Skipped
from ingest.errors import AudioSocketError, SpoolError, SpoolFull, TokenError
from ingest.pace import BURST_S, AudioClock, Bucket
from ingest.rows import Row, body, micros
from ingest.shell.core import LOG, Core
from ingest.sink import Kind

READ_BYTES = 64 * 1024
WIDTH = 2
CONTROL_BYTES_S = 1000


@dataclass(frozen=True, slots=True)
class SocketLimits:
    ident_seconds: float = 5.0
    idle_seconds: float = 10.0
    connections: int = 2000
    unnamed_per_peer: int = 50  # connections of one address that have not sent their UUID


class Leg:
    """One leg as it grows: rows with their place, gaps where the sender or the disk lost audio."""

    def __init__(self, core: Core, opened: Opened) -> None:
        self._core, self._opened = core, opened
        self._clock: AudioClock | None = None
        self._budget = Bucket(CONTROL_BYTES_S)
        self._start_us = self._seq = self._sample = self._dropped = self._hole = 0
        core.store([opened.admit], force=True)

    def audio(self, audio: Audio) -> list[Row]:
        """The rows of one packet; AudioSocketError when the sender runs ahead of the clock."""
        now_s, samples = self._core.mono(), len(audio.data) // WIDTH
        rows = [] if self._clock else [self._begin(audio.rate, samples)]
        clock = self._clock or self._started(audio.rate, now_s)
        missing = clock.frame(samples, now_s)
        if clock.lag_s(now_s) < -BURST_S:
            raise AudioSocketError("audio: comes faster than it can sound; send at real pace")
        if missing:
            rows.append(self._gap(missing, "loss"))
        rows.append(self._row("audio", audio.data, samples))
        return rows

    def control(self, size: int) -> None:
        """Packets that are no audio have a budget of their own."""
        if self._budget.wait_s(size, self._core.mono()) > 0:
            raise AudioSocketError("control packets: too many; send audio, and digits as they are pressed")

    def _begin(self, rate: int, samples: int) -> Row:
        at = self._core.now() - timedelta(seconds=samples / rate)
        self._start_us = micros(at)
        said = {"role": self._opened.role, "rate": rate, "encoding": "slin", "at": at.isoformat(), "epoch": 0}
        return self._row("start", body(said), 0)

    def _started(self, rate: int, now_s: float) -> AudioClock:
        self._clock = AudioClock(rate, now_s)
        return self._clock

    def store(self, rows: list[Row]) -> None:
        """What does not fit into the queue is dropped, and the hole is declared as soon as there is room."""
        declared = [self._overrun()] if self._dropped else []
        try:
            self._core.store([*declared, *rows], force=any(row.kind == "start" for row in rows))
        except SpoolFull:
            self._core.counts["audiosocket overrun"] += 1
            self._hole = self._hole if self._dropped else rows[0].sample
            self._dropped = self._sample - self._hole
            return
        self._dropped = 0

    def _overrun(self) -> Row:
        said = body({"start_sample": self._hole, "samples": self._dropped, "cause": "overrun"})
        return self._make("gap", said, self._hole, self._dropped)

    def end(self, cause: str) -> None:
        rows = [] if self._clock else [self._begin(8000, 0)]
        rows += [self._overrun()] if self._dropped else []
        self._core.store([*rows, self._row("end", body({"samples": self._sample, "cause": cause}), 0)], force=True)

    def _gap(self, samples: int, cause: str) -> Row:
        said = body({"start_sample": self._sample, "samples": samples, "cause": cause})
        return self._row("gap", said, samples)

    def _row(self, kind: Kind, payload: bytes, samples: int) -> Row:
        row = self._make(kind, payload, self._sample, samples)
        self._sample += samples
        return row

    def _make(self, kind: Kind, payload: bytes, sample: int, samples: int) -> Row:
        self._seq += 1
        rate = self._clock.rate if self._clock else 8000
        at_us = self._start_us + sample * 1_000_000 // rate
        call, leg, mono_us = self._opened.call, self._opened.leg, int(self._core.mono() * 1_000_000)
        return Row(kind, "audiosocket", call, leg, at_us, payload, self._seq, sample, samples,
                   mono_us=mono_us)  # fmt: skip


class AudioSocketServer:
    """The port. Every connection is its own task; what one sends never disturbs another."""

    def __init__(self, core: Core, limits: SocketLimits) -> None:
        self._core, self._limits = core, limits
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unnamed: dict[str, int] = {}
        self._stopping = False

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=READ_BYTES)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    @property
    def open(self) -> int:
        return len(self._tasks)

    async def stop(self) -> None:
        """Close the port and end every leg with the reason."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        peer = str((writer.get_extra_info("peername") or ("?",))[0])
        try:
            crowded = self._unnamed.get(peer, 0) >= self._limits.unnamed_per_peer
            if crowded or len(self._tasks) > self._limits.connections:
                self._core.refuse("audiosocket", f"{peer} has too many connections")
                return
            await self._serve(reader, peer)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        except SpoolError as error:
            self._core.refuse("audiosocket", error)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, peer: str) -> None:
        parser = Parser()
        self._unnamed[peer] = self._unnamed.get(peer, 0) + 1
        try:
            ident, early = await self._ident(reader, parser)
            leg = Leg(self._core, self._open(ident))
        except (AudioSocketError, TokenError, SpoolError, OSError) as error:
            self._core.refuse("audiosocket", error)
            return
        finally:
            self._unnamed[peer] -= 1
            if not self._unnamed[peer]:
                del self._unnamed[peer]
        await self._until_end(reader, parser, leg, early)

    def _open(self, ident: UUID) -> Opened:
        if not self._core.spool.roomy:
            raise SpoolFull("spool: is nearly full, no new call is taken now")
        return self._core.admission.open_audiosocket(ident, self._core.now())

    async def _ident(self, reader: asyncio.StreamReader, parser: Parser) -> tuple[UUID, Iterator[Event]]:
        """The UUID, and what came in the same read behind it, not looked at yet."""
        limit = self._limits.ident_seconds
        try:
            async with asyncio.timeout(limit):
                while data := await reader.read(READ_BYTES):
                    events = parser.feed(data)
                    if isinstance(first := next(events, None), Ident):
                        return first.uuid, events
        except TimeoutError:
            raise AudioSocketError(f"no UUID within {limit:g} s; send it first") from None
        raise AudioSocketError(f"closed after {parser.rest} bytes without a UUID; send it first")

    async def _until_end(self, reader: asyncio.StreamReader, parser: Parser, leg: Leg, early: Iterator[Event]) -> None:
        cause = "error"
        try:
            cause = self._take(leg, early) or await self._read(reader, parser, leg)
        except AudioSocketError as error:
            self._core.refuse("audiosocket packet", error)
        except OSError:
            cause = "reset"
        except asyncio.CancelledError:
            cause = "shutdown"
            raise
        finally:
            self._core.counts["audiosocket skipped"] += parser.skipped
            leg.end(cause)

    async def _read(self, reader: asyncio.StreamReader, parser: Parser, leg: Leg) -> str:
        """Read until the leg is over; says why."""
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                return "idle"
            if not data:
                return "truncated" if parser.rest else "eof"
            if cause := self._take(leg, parser.feed(data)):
                return cause

    def _take(self, leg: Leg, events: Iterable[Event]) -> str:
        """Store what came, up to the first fault; non-empty when the sender hung up."""
        rows: list[Row] = []
        try:
            for event in events:
                match event:
                    case Audio():
                        rows += leg.audio(event)
                    case Hangup():
                        return "hangup"
                    case Fault():
                        leg.control(HEAD_BYTES)
                        LOG.warning("audiosocket: the sender reports error %d %s", event.code, event.names)
                    case Dtmf() | Ident():
                        leg.control(HEAD_BYTES)
                        self._core.counts["audiosocket digits"] += 1  # counted; what was pressed is never kept
                    case Skipped():
                        leg.control(HEAD_BYTES + event.length)
        finally:
            if rows:
                leg.store(rows)
        return ""
