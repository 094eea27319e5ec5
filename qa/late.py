"""What comes after a recording was made: audio that was missing, or signalling that moves the answer. Pure.

Only what the gap map says is missing is ever filled; sound that stands is never replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.legs import WIDTHS, LegAudio
from qa.assemble import CHANNELS, LATE_MS, MS, Assembled, place, sample_at


def add(stored: Assembled, legs: Mapping[str, tuple[str, LegAudio]]) -> Assembled | None:
    """A recording with audio that came after it was made; None when nothing of it was missing.

    Only what the gap map says is missing is filled: sound that stands is never replaced.
    """
    origin, gaps, samples = stored.origin_at, list(stored.gaps), stored.samples.copy()
    if origin is None:
        return None
    filled = False
    for role, leg in legs.values():
        if role not in stored.roles or leg.started_at is None:
            continue
        row = samples[stored.roles.index(role)]
        begin = (leg.started_at - origin) // MS - stored.answer_ms
        for start, data in leg.segments:
            first = begin + start * 1000 // leg.rate
            last = first + len(data) // WIDTHS[leg.encoding] * 1000 // leg.rate
            parts = [gap for gap in gaps if gap["role"] == role and gap["start_ms"] < last and gap["end_ms"] > first]
            for gap in parts:
                there = max(first, gap["start_ms"]), min(last, gap["end_ms"])
                _fill(row, leg, origin, tuple(sample_at(ms + stored.answer_ms) for ms in there))
                gaps.remove(gap)
                gaps += _without(gap, *there)
                filled = True
    if not filled:
        return None
    return replace(stored, samples=samples, gaps=tuple(sorted(gaps, key=lambda gap: (gap["role"], gap["start_ms"]))))


def _fill(row: NDArray[np.int16], leg: LegAudio, origin: datetime, there: tuple[int, ...]) -> None:
    whole = np.zeros_like(row)
    place(whole, leg, origin)
    row[there[0] : there[1]] = whole[there[0] : there[1]]


def _without(gap: dict[str, Any], start_ms: int, end_ms: int) -> list[dict[str, Any]]:
    """What is left of a gap around a stretch that came after all."""
    left = [{**gap, "end_ms": start_ms}, {**gap, "start_ms": end_ms}]
    return [one for one in left if one["start_ms"] < one["end_ms"]]


def aligned(
    origin_at: datetime, answer_ms: int, gaps: Sequence[dict[str, Any]], answered_at: datetime
) -> tuple[int, tuple[dict[str, Any], ...]]:
    """Where the answer lies by later signalling, and the gaps moved with it; negative = before the first sample."""
    now_ms = (answered_at - origin_at) // MS
    moved = answer_ms - now_ms
    shifted = [{**gap, "start_ms": gap["start_ms"] + moved, "end_ms": gap["end_ms"] + moved} for gap in gaps]
    if -now_ms > LATE_MS:
        head = {"start_ms": 0, "end_ms": -now_ms, "cause": "tap_late"}
        shifted += [{"role": role, **head} for role in CHANNELS]
    return now_ms, tuple(shifted)
