"""One leg out of what several processes and machines hold of it. Pure; reads no files.

A /stream client that wanders from machine to machine is told nothing of what the last one took: it declares what it no
longer has, and its pieces are laid side by side by their samples. Whoever cannot resume has written a leg of its own at
each machine: legs beside one another, and of a one-time name only the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ingest.legs import WIDTHS, Builder, LegAudio, in_order, join
from ingest.rows import Row, start_of

Written = tuple[str, str]  # by which process (MACHINE/PROCESS, or a folder's name), under which call or one-time name
Read = Sequence[tuple[Row, bool]]
USED_TWICE = "a one-time name was used before"
OTHER_SOUND = "other sound at samples that were there before"
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Refused:
    """Audio that is stored and belongs to no leg."""

    process: str
    began_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Uses:
    """What is stored of a leg: ``audio`` is the first that came, ``beside`` what came under the same name elsewhere."""

    audio: LegAudio | None
    beside: tuple[LegAudio, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(slots=True)
class _Piece:
    process: str
    once: str | None
    resumed: bool  # by /stream: positions are the sender's own
    audio: LegAudio
    refused: list[Refused] = field(default_factory=list)

    @property
    def began_at(self) -> datetime:
        return self.audio.started_at or datetime.max.replace(tzinfo=UTC)


def machine(process: str) -> str:
    return process.partition("/")[0]


def uses(found: Mapping[Written, Read]) -> Uses:
    """All pieces of one leg; in which order they are given changes nothing."""
    pieces = sorted(_pieces(found), key=lambda one: (one.began_at, one.process))
    whole: list[_Piece] = []
    refused: list[Refused] = []
    seen: set[str] = set()
    for piece in pieces:
        if piece.once is not None and piece.once in seen:
            refused.append(Refused(piece.process, piece.began_at, USED_TWICE))
            continue
        seen |= {piece.once} if piece.once is not None else set()
        same = next((one for one in whole if _continues(one, piece)), None)
        if same is None:
            whole.append(piece)
        else:
            same.audio, clash = joined(same.audio, piece.audio)
            refused += [Refused(piece.process, piece.began_at, OTHER_SOUND)] if clash else []
    if not whole:
        return Uses(None)
    return Uses(whole[0].audio, tuple(one.audio for one in whole[1:]), tuple(refused))


def _pieces(found: Mapping[Written, Read]) -> Iterable[_Piece]:
    """What each process wrote by itself; processes of one machine know of each other, and go on where one stopped."""
    together: dict[Written, list[tuple[str, Read]]] = {}
    for (process, name), rows in found.items():
        resumed = any(row.epoch > 0 for row, sound in rows if sound)
        together.setdefault((machine(process) if resumed else process, name), []).append((process, rows))
    for parts in together.values():
        build, once, resumed = Builder(), None, False
        for row, sound in in_order([rows for _, rows in parts]):
            build.take(row, sound)
            resumed = resumed or (sound and row.epoch > 0)
            if sound and row.kind == "start":
                once = once or start_of(row).get("once")
        if build.found:
            yield _Piece(parts[0][0], once, resumed, build.build())


def _continues(first: _Piece, other: _Piece) -> bool:
    """Whether both are one client's leg: it says when its first sample sounded, and says it again elsewhere."""
    a, b = first.audio, other.audio
    same = (a.started_at, a.rate, a.encoding) == (b.started_at, b.rate, b.encoding)
    return first.resumed and other.resumed and a.started_at is not None and same


def joined(first: LegAudio, other: LegAudio) -> tuple[LegAudio, bool]:
    """Both on one line of samples, and whether they contradict each other: then *first* stands."""
    width = WIDTHS[first.encoding]
    there = [(start, start + len(data) // width) for start, data in first.segments]
    segments, clash = list(first.segments), False
    for start, data in other.segments:
        end = start + len(data) // width
        segments += [(a, data[(a - start) * width : (b - start) * width]) for a, b in _without((start, end), there)]
        clash = clash or _differs(first.segments, start, data, width)
    segments.sort(key=lambda one: one[0])
    heard = [(start, start + len(data) // width) for start, data in segments]
    gaps = _gaps(first.gaps, heard)
    gaps += _gaps(other.gaps, [*heard, *((start, start + count) for start, count, _ in gaps)])
    last = max((first, other), key=lambda one: (one.samples, one.ended == "end", one.ended is None))
    clocks = [one.clock for one in (first, other) if one.clock is not None]
    return replace(
        first,
        segments=join(segments, width),
        gaps=sorted(gaps),
        ended=last.ended,
        role=first.role if first.role != "unknown" else other.role,
        samples=last.samples,
        clock=max(clocks, default=None),
    ), clash  # fmt: skip


def _gaps(gaps: Iterable[tuple[int, int, str]], covered: Sequence[Span]) -> list[tuple[int, int, str]]:
    """What of the gaps nothing covers."""
    return [
        (first, last - first, cause)
        for start, count, cause in gaps
        for first, last in _without((start, start + count), covered)
    ]


def _without(span: Span, covered: Iterable[Span]) -> list[Span]:
    """What is left of a span outside of others."""
    left, at = [], span[0]
    for first, last in sorted(covered):
        if first > at:
            left.append((at, min(first, span[1])))
        at = max(at, last)
        if at >= span[1]:
            return [one for one in left if one[0] < one[1]]
    return [one for one in [*left, (at, span[1])] if one[0] < one[1]]


def _differs(segments: Iterable[tuple[int, bytes]], start: int, data: bytes, width: int) -> bool:
    """Whether a segment says something else than those that stand, where both have sound."""
    end = start + len(data) // width
    for at, stands in segments:
        first, last = max(at, start), min(at + len(stands) // width, end)
        if first < last and (
            stands[(first - at) * width : (last - at) * width] != data[(first - start) * width : (last - start) * width]
        ):
            return True
    return False
