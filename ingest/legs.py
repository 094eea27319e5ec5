"""One leg's audio from its stored rows: segments, gaps and how it ended. Reads no files, decodes no sound."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.rows import Row

Gap = tuple[int, int, str]  # start_sample, samples, cause
_MS = timedelta(milliseconds=1)
_RANK = {"start": 0, "gap": 1, "audio": 2, "clock": 3, "end": 4}
WIDTHS = {"slin": 2, "ulaw": 1, "alaw": 1}  # bytes a sample


@dataclass(frozen=True, slots=True)
class LegAudio:
    """What is stored of a leg. Sample positions count from the leg's first sample."""

    rate: int
    encoding: str
    started_at: datetime | None
    segments: list[tuple[int, bytes]]  # (start_sample, bytes), in order, never overlapping
    gaps: list[Gap]  # in order
    ended: str | None  # the cause of the end, None while open
    role: str = "unknown"
    samples: int = 0  # length of the leg, gaps counted
    clock: tuple[int, datetime] | None = None  # the last report: a sample, and when it sounded by the sender's clock

    @property
    def drift_ms(self) -> int | None:
        """How far the samples have run behind the sender's clock since the leg began; None where nothing was told."""
        if self.clock is None or self.started_at is None:
            return None
        sample, at = self.clock
        return (at - self.started_at) // _MS - sample * 1000 // self.rate


@dataclass(slots=True)
class Builder:
    """Takes the rows of one leg in stored order; ``build`` closes it. Where something was heard there is no gap: who
    comes back to another machine declares lost what he has sent to the first one."""

    rate: int = 8000
    encoding: str = "slin"
    role: str = "unknown"
    started_at: datetime | None = None
    ended: str | None = None
    end: int = 0  # the sample after the last one known
    heard: int = 0  # the sample after the last one that sounded
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    clock: tuple[int, datetime] | None = None
    found: bool = False

    def take(self, row: Row, sound: bool) -> None:
        """One row further; *sound* is False when its checksum does not fit."""
        self.found = True
        if row.kind == "audio":
            self._audio(row, sound)
        elif sound:
            self._told(row.kind, json.loads(row.payload))

    def _told(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "start":
            self.rate, self.encoding, self.role = body["rate"], body["encoding"], body["role"]
            self.started_at = self.started_at or datetime.fromisoformat(body["at"])
            self.ended = None
        elif kind == "gap":
            start, samples = body["start_sample"], body["samples"]
            since = min(start, body.get("since", start))
            if since < start:
                self._moved(since, samples)
            self._gap(since, samples, body["cause"])
            self.end = max(self.end, start + samples)
        elif kind == "clock" and "sample" in body:  # else only how loud it was
            self.clock = body["sample"], datetime.fromisoformat(body["at"])
        elif kind == "end":
            self.ended = body["cause"]

    def _audio(self, row: Row, sound: bool) -> None:
        if not sound:
            self._gap(self.end, len(row.payload) // WIDTHS[self.encoding], "corrupt")  # its columns may lie, too
            return
        self.ended = None
        if row.sample > self.end:
            self._gap(self.end, row.sample - self.end, "missing")
        known = max(0, self.heard - row.sample)
        if known < row.samples:
            self.pieces.append((row.sample + known, row.payload[known * WIDTHS[self.encoding] :]))
            self.heard = row.sample + row.samples
            self.end = max(self.end, self.heard)

    def _gap(self, start: int, samples: int, cause: str) -> None:
        if samples > 0:
            self.gaps.append((start, samples, cause))
            self.end = max(self.end, start + samples)

    def _moved(self, since: int, by: int) -> None:
        """A hole was noticed later than it began: what was stored from there on sounded so much later."""
        width, pieces, gaps = WIDTHS[self.encoding], list[tuple[int, bytes]](), list[Gap]()
        while self.pieces and self.pieces[-1][0] + len(self.pieces[-1][1]) // width > since:
            start, data = self.pieces.pop()
            here = max(0, since - start)
            pieces.append((start + here + by, data[here * width :]))
            pieces += [(start, data[: here * width])] if here else []
        while self.gaps and sum(self.gaps[-1][:2]) > since:
            start, samples, cause = self.gaps.pop()
            here = max(0, since - start)
            gaps.append((start + here + by, samples - here, cause))
            gaps += [(start, here, cause)] if here else []
        self.pieces += reversed(pieces)
        self.gaps += reversed(gaps)
        self.heard += by if self.heard > since else 0

    def build(self) -> LegAudio:
        segments = join(self.pieces, WIDTHS[self.encoding])
        gaps = silent(
            sorted(self.gaps), [(start, start + len(data) // WIDTHS[self.encoding]) for start, data in segments]
        )
        return LegAudio(
            self.rate, self.encoding, self.started_at, segments, gaps, self.ended, self.role, self.end, self.clock
        )


def in_order(written: Sequence[Sequence[tuple[Row, bool]]]) -> Iterable[tuple[Row, bool]]:
    """The rows of one leg as several processes wrote them, in the leg's own order; what one wrote stays in its order.

    A client that moves from one process to another and back leaves pieces here and there; its epochs and numbers
    tell how they follow. A row that cannot be trusted stays behind the one before it.
    """
    if len(written) == 1:
        return written[0]
    placed: list[tuple[tuple[int, int, int], tuple[Row, bool]]] = []
    for rows in written:
        key = (0, 0, 0)
        for row, sound in rows:
            key = max(key, (row.epoch, row.seq, _RANK[row.kind])) if sound else key
            placed.append((key, (row, sound)))
    return [one for _, one in sorted(placed, key=lambda pair: pair[0])]


def silent(gaps: Iterable[Gap], sounding: Sequence[tuple[int, int]]) -> list[Gap]:
    """What is left of the gaps where nothing sounds; both in order, *sounding* from a sample up to another."""
    left: list[Gap] = []
    passed = 0  # so many of those that sound end before this gap begins
    for start, samples, cause in gaps:
        end = start + samples
        while passed < len(sounding) and sounding[passed][1] <= start:
            passed += 1
        for at in range(passed, len(sounding)):
            first, last = sounding[at]
            if first >= end:
                break
            left += [(start, first - start, cause)] if first > start else []
            start = last
        left += [(start, end - start, cause)] if start < end else []
    return left


def join(pieces: Iterable[tuple[int, bytes]], width: int) -> list[tuple[int, bytes]]:
    """Adjoining pieces as one segment each."""
    runs: list[tuple[int, list[bytes]]] = []
    end = -1
    for start, data in pieces:
        if start == end:
            runs[-1][1].append(data)
        else:
            runs.append((start, [data]))
        end = start + len(data) // width
    return [(start, b"".join(parts)) for start, parts in runs]
