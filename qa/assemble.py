"""From stored legs to one recording: two channels at 8 kHz on one time line, and the map of what is missing.

Wall clocks only align the legs; inside a leg positions are sample counts. A hole stays a hole: its samples are silence,
and the map says so with its cause. The pure part is ``assemble``; ``write`` makes the file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ingest.legs import LegAudio
from speech.audio import as_float, decode_raw, resample, write_flac

RATE = 8000
CHANNELS = ("customer", "agent")
LATE_MS = 250  # a leg may begin this much after the answer before the head counts as missing
EARLY_MS = 500  # and end this much before the hang-up: its news and the last audio travel different ways
DRIFT_MS = 200  # further apart than this, nobody can say who interrupted whom
APART_MS = 4 * 3600 * 1000  # with more than this between what belongs together, clocks do not tell the same time
LONGEST_MS = 24 * 3600 * 1000  # no call is longer; a sender that declares gap upon gap fills no memory
LAWS = {"slin": "slin", "ulaw": "mulaw", "alaw": "alaw"}
MS = timedelta(milliseconds=1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Assembled:
    """One recording. ``answer_ms``: where in it the answer lies; gaps in milliseconds from the answer."""

    samples: NDArray[np.int16]
    roles: tuple[str, ...]
    channels: Literal["split", "mixed"]
    answer_ms: int
    gaps: tuple[dict[str, Any], ...]
    origin_at: datetime | None

    @property
    def duration_ms(self) -> int:
        return len(self.samples[0]) * 1000 // RATE


def assemble(
    legs: Mapping[str, tuple[str, LegAudio]], answered_at: datetime | None, ended_at: datetime | None
) -> Assembled | None:
    """Legs by name with their roles -> one recording; None when no leg holds a sample.

    Two parties give two channels, customer and agent; a single leg of an unknown role is one mixed channel.
    """
    heard = [(role, leg) for role, leg in legs.values() if leg.started_at is not None and leg.samples]
    if not heard:
        return None
    split = any(role in CHANNELS for role, _ in heard)
    apart = _apart([leg for _, leg in heard], answered_at, ended_at)
    if apart:  # by no clock can they be laid side by side: all begin together, and nothing is sure of its place
        heard = [(role, replace(leg, started_at=EPOCH)) for role, leg in heard]
        answered_at = ended_at = None
    starts = [leg.started_at for _, leg in heard if leg.started_at is not None]
    origin = min([*starts, answered_at] if answered_at else starts)
    answer_ms = (answered_at - origin) // MS if answered_at else 0
    end_ms = max((ended_at - origin) // MS if ended_at else 0, *(_end_ms(leg, origin) for _, leg in heard))
    end_ms = min(end_ms, LONGEST_MS)
    rows = CHANNELS if split else ("unknown",)
    samples = np.zeros((len(rows), sample_at(end_ms)), np.int16)
    gaps: list[dict[str, Any]] = []
    for channel, role in enumerate(rows):
        mine = [leg for its, leg in heard if its == role or not split]
        for leg in mine:
            place(samples[channel], leg, origin)
        holes = [(0, end_ms, "clock")] if apart else _holes(mine, origin, answer_ms, end_ms if ended_at else None)
        gaps += [
            {"role": role, "start_ms": start - answer_ms, "end_ms": min(end, end_ms) - answer_ms, "cause": cause}
            for start, end, cause in holes
            if start < end_ms
        ]
    if _drifted(heard):  # said at the end, with no length: the sound is all there, but not who spoke over whom
        at = end_ms - answer_ms
        gaps += [{"role": role, "start_ms": at, "end_ms": at, "cause": "drift"} for role in rows]
    kind: Literal["split", "mixed"] = "split" if split else "mixed"
    return Assembled(samples, rows, kind, answer_ms, tuple(gaps), None if apart else origin)


def _drifted(heard: Sequence[tuple[str, LegAudio]]) -> bool:
    """Whether the two parties' samples ran apart although no audio is missing: their clocks are not one clock."""
    told = {role: leg.drift_ms for role, leg in heard if leg.drift_ms is not None}
    return all(role in told for role in CHANNELS) and abs(told["customer"] - told["agent"]) > DRIFT_MS


def _apart(legs: Sequence[LegAudio], answered_at: datetime | None, ended_at: datetime | None) -> bool:
    """Whether the clocks of signalling and media, or of two senders, are hours apart."""
    starts = [leg.started_at for leg in legs if leg.started_at is not None]
    moments = [*starts, *(at for at in (answered_at, ended_at) if at)]
    longest = max(leg.samples * 1000 // leg.rate for leg in legs)
    return (max(moments) - min(moments)) // MS > longest + APART_MS


def sample_at(ms: int) -> int:
    return ms * RATE // 1000


def _end_ms(leg: LegAudio, origin: datetime) -> int:
    assert leg.started_at is not None
    return (leg.started_at - origin) // MS + leg.samples * 1000 // leg.rate


def place(row: NDArray[np.int16], leg: LegAudio, origin: datetime) -> None:
    assert leg.started_at is not None
    begin = sample_at((leg.started_at - origin) // MS)
    for start, data in leg.segments:
        pcm = decode_raw(data, LAWS[leg.encoding], leg.rate).pcm[0]
        if leg.rate != RATE:
            pcm = (np.clip(resample(as_float(pcm), leg.rate, RATE), -1, 32767 / 32768) * 32768).astype(np.int16)
        first = begin + start * RATE // leg.rate
        piece = pcm[: max(0, len(row) - first)]
        row[first : first + len(piece)] = piece


def _holes(
    legs: Sequence[LegAudio], origin: datetime, answer_ms: int, end_ms: int | None
) -> list[tuple[int, int, str]]:
    """(start, end, cause) on the recording's time line where this party's audio is missing."""
    if not legs:
        return [(answer_ms, end_ms if end_ms is not None else answer_ms, "no_leg")] if end_ms is not None else []
    spans = sorted(((leg.started_at - origin) // MS, _end_ms(leg, origin), leg) for leg in legs if leg.started_at)
    holes = [
        (begin + start * 1000 // leg.rate, begin + (start + count) * 1000 // leg.rate, cause)
        for begin, _, leg in spans
        for start, count, cause in leg.gaps
    ]
    if spans[0][0] - answer_ms > LATE_MS:
        holes.append((answer_ms, spans[0][0], "tap_late"))
    for (_, before, leg), (after, _, _) in pairwise(spans):
        if after - before > 0:
            holes.append((before, after, leg.ended or "reconnect"))
    last_end, last = spans[-1][1], spans[-1][2]
    crashed = last.ended not in (None, "hangup", "eof", "end")
    early_ms = EARLY_MS + max(0, last.drift_ms or 0)  # a slow crystal has not heard less
    if end_ms is not None and end_ms - last_end > (0 if crashed else early_ms):
        holes.append((last_end, end_ms, last.ended or "open"))
    return _joined(sorted(holes))


def _joined(holes: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Holes of one cause that touch are one hole."""
    whole: list[tuple[int, int, str]] = []
    for start, end, cause in holes:
        if whole and whole[-1][1] == start and whole[-1][2] == cause:
            whole[-1] = (whole[-1][0], end, cause)
        else:
            whole.append((start, end, cause))
    return whole


def write(one: Assembled, path: Path) -> str:
    """The recording as FLAC, whole or not at all; returns the SHA-256 of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".part")
    write_flac(fresh, one.samples, RATE)
    with fresh.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
    put(fresh, path)
    return sha


def put(fresh: Path, path: Path) -> None:
    """A finished file under its name, on the disk before anything that it replaces may go."""
    for place, move in ((fresh, True), (path.parent, False)):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if move:
            fresh.replace(path)
