"""One leg as it grows, for senders that never resend: rows with their place, gaps where sender or disk lost audio.

Never blocks. What does not fit into the queue is dropped, and the hole is declared as soon as there is room.
"""

from __future__ import annotations

from datetime import timedelta

from ingest.admission import Opened
from ingest.errors import PaceError, SpoolFull
from ingest.legs import WIDTHS
from ingest.level import EVERY_S, Meter
from ingest.pace import BURST_S, AudioClock, Bucket, Hole
from ingest.reach import Reach
from ingest.rows import Row, body, micros, moment
from ingest.shell.core import Core
from ingest.sink import Kind

CONTROL_BYTES_S = 1000  # what a sender may say beside its audio


class LegWriter:
    """Mono audio of one leg. ``clocked``: a lasting lag against the wall clock is lost audio; without it the sender's
    own positions tell (``gap``), and only audio that runs ahead of the clock is refused."""

    def __init__(
        self, core: Core, opened: Opened, source: str, encoding: str = "slin", rate: int = 8000, clocked: bool = True
    ) -> None:
        self._core, self._opened, self._source = core, opened, source
        self.rate = rate  # may be set until the first sample
        self._encoding, self._clocked = encoding, clocked
        self._width = WIDTHS[encoding]
        self._clock: AudioClock | None = None
        self._opened_s = core.mono()
        self._meter = Meter(encoding)
        self._gathered: list[bytes] = []
        self._budget = Bucket(CONTROL_BYTES_S)
        self._start_us = self._seq = self._dropped = self._hole = self._told = 0
        self._over = False
        self.samples = 0  # from the leg's begin, gaps counted
        core.open_legs[source] += 1
        if opened.admits:
            core.store(opened.admits, force=True)

    @property
    def name(self) -> tuple[str, str]:
        return self._opened.call, self._opened.leg

    def audio(self, data: bytes) -> None:
        """The next samples; PaceError when the sender runs ahead of the clock."""
        now_s, samples = self._core.mono(), len(data) // self._width
        rows = self._begun(samples, now_s)
        clock = self._clock
        assert clock is not None
        holes = clock.frame(samples, now_s) if self._clocked else []
        if not self._clocked:
            clock.sample += samples
        if clock.lag_s(now_s) < -BURST_S:
            raise PaceError("audio: comes faster than it can sound; send at real pace")
        if holes:
            self.flush()
            rows += self._lost(holes)
        if rows:
            self._store(rows)
        if not self._gathered:
            self._core.gather(self)
        self._gathered.append(data)
        self.samples += samples
        if self.samples - self._told >= EVERY_S * self.rate:
            self._tell(clock)

    @property
    def whole(self) -> bool:
        """Nothing was dropped that is not declared yet."""
        return not self._dropped

    def _tell(self, clock: AudioClock) -> None:
        """How loud it was since the last report, and by our own clock when the next sample is due, known lag included:
        two legs are compared by it."""
        self._told = self.samples
        self.flush()
        said = self._meter.report(self.rate)
        if self._clocked:
            at = moment(self._start_us + self.samples * 1_000_000 // self.rate + int(clock.base_s * 1_000_000))
            said |= {"sample": self.samples, "at": at.isoformat()}
        self._store([self._row("clock", body(said), 0)])

    def flush(self) -> None:
        """Store what was gathered; the core asks for it after a while."""
        if rows := self.gathered():
            self._store(rows)

    def gathered(self) -> list[Row]:
        """What was heard since the last time, as one row, for whoever stores it now."""
        if not self._gathered:
            return []
        data = b"".join(self._gathered)
        self._gathered.clear()
        samples = len(data) // self._width
        self._meter.hear(data, samples)
        return [self._make("audio", data, self.samples - samples, samples)]

    def gap(self, samples: int, cause: str) -> None:
        """Time that passed without sound: paused, discarded or lost on the way. PaceError for time to come."""
        if samples <= 0:
            return
        now_s, clock = self._core.mono(), self._clock
        most_s = Reach(self._opened_s if clock is None else clock.start_s).most_s(now_s)
        reached_s = (self.samples + samples) / self.rate
        if reached_s > most_s:
            raise PaceError(f"gap: reaches second {reached_s:.0f}, and second {most_s:.0f} is as far as the leg can be "
                            "by now; declare time that has passed")  # fmt: skip
        rows = self._begun(samples, now_s)
        assert self._clock is not None
        self._clock.sample += samples
        self.flush()
        self._store([*rows, self._hole_row(samples, cause)])

    def control(self, size: int) -> None:
        """What is no audio has a budget of its own; PaceError beyond it."""
        if self._budget.wait_s(size, self._core.mono()) > 0:
            raise PaceError("messages that are no audio: too many; send audio, and digits as they are pressed")

    def end(self, cause: str) -> None:
        """The leg is over; said again it changes nothing."""
        if self._over:
            return
        self._over = True
        self._core.open_legs[self._source] -= 1
        self.flush()
        rows = self._begun(0, self._core.mono())
        rows += [self._overrun()] if self._dropped else []
        rows += self._lost(self._clock.over()) if self._clock is not None and self._clocked else []
        self._core.store([*rows, self._row("end", body({"samples": self.samples, "cause": cause}), 0)], force=True)

    def _begun(self, samples: int, now_s: float) -> list[Row]:
        if self._clock is not None:
            return []
        self._clock = AudioClock(self.rate, now_s - samples / self.rate)
        at = self._core.now() - timedelta(seconds=samples / self.rate)
        self._start_us = micros(at)
        said = {"role": self._opened.role, "rate": self.rate, "encoding": self._encoding}
        once = {"once": self._opened.once} if self._opened.once else {}  # for whoever finds it used elsewhere, too
        return [self._row("start", body({**said, **once, "at": at.isoformat(), "epoch": 0}), 0)]

    def _store(self, rows: list[Row]) -> None:
        declared = [self._overrun()] if self._dropped else []
        try:
            self._core.store([*declared, *rows], force=any(row.kind == "start" for row in rows))
        except SpoolFull:
            self._core.counts[f"{self._source} overrun"] += 1
            self._hole = self._hole if self._dropped else rows[0].sample
            self._dropped = self.samples - self._hole
            return
        self._dropped = 0

    def _overrun(self) -> Row:
        said = body({"start_sample": self._hole, "samples": self._dropped, "cause": "overrun"})
        return self._make("gap", said, self._hole, self._dropped)

    def _lost(self, holes: list[Hole]) -> list[Row]:
        """Stored where they were noticed; what was stored since they began sounded so much later."""
        return [self._hole_row(one.samples, "loss", one.since) for one in holes]

    def _hole_row(self, samples: int, cause: str, since: int | None = None) -> Row:
        said = {"start_sample": self.samples, "samples": samples, "cause": cause}
        return self._row("gap", body(said if since is None else said | {"since": since}), samples)

    def _row(self, kind: Kind, payload: bytes, samples: int) -> Row:
        row = self._make(kind, payload, self.samples, samples)
        self.samples += samples
        return row

    def _make(self, kind: Kind, payload: bytes, sample: int, samples: int) -> Row:
        self._seq += 1
        at_us = self._start_us + sample * 1_000_000 // self.rate
        call, leg, mono_us = self._opened.call, self._opened.leg, int(self._core.mono() * 1_000_000)
        return Row(kind, self._source, call, leg, at_us, payload, self._seq, sample, samples, mono_us=mono_us)
