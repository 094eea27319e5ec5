"""One leg's audio inside a window of wall-clock time: how a part of a conversation gets its own sound and no other's.

Pure. What is cut away is no gap: it was heard by somebody else. What nobody can tell apart is a gap with its cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingest.callvalue import Call, Hold, Part
from ingest.legs import WIDTHS, LegAudio

SECOND = timedelta(seconds=1)
NOT_TOLD_APART = "not_told_apart"  # several agents in one leg at once
Legs = Mapping[str, tuple[str, LegAudio]]


@dataclass(frozen=True, slots=True)
class Span:
    """Samples of a leg, first to last, last not included."""

    first: int
    last: int


def position(leg: LegAudio, at: datetime) -> int:
    """The sample of a leg at an instant; before its beginning 0, after its end its length."""
    assert leg.started_at is not None
    return min(max(0, int((at - leg.started_at) / SECOND * leg.rate)), leg.samples)


def clipped(leg: LegAudio, since: datetime | None, until: datetime | None) -> LegAudio:
    """The leg from an instant to another; None leaves that side as it is."""
    if leg.started_at is None:
        return leg
    span = Span(position(leg, since) if since else 0, position(leg, until) if until else leg.samples)
    if span == Span(0, leg.samples):
        return leg
    if span.first >= span.last:
        return replace(leg, segments=[], gaps=[], samples=0)
    cut = [(start - span.first, data) for start, data in _inside(leg, [span])]
    gaps = [(max(start, span.first) - span.first, min(start + count, span.last) - max(start, span.first), cause)
            for start, count, cause in leg.gaps if start < span.last and start + count > span.first]  # fmt: skip
    ended = leg.ended if span.last == leg.samples else "end"  # it was cut off here by us, not by its sender
    begun = leg.started_at + span.first * SECOND / leg.rate
    return replace(
        leg, started_at=begun, segments=cut, gaps=gaps, samples=span.last - span.first, ended=ended
    )  # fmt: skip


def silenced(leg: LegAudio, stretches: Iterable[Hold], cause: str | None = None) -> LegAudio:
    """The leg without its sound in some stretches; with a *cause* they are gaps, without one nothing was lost."""
    if leg.started_at is None:
        return leg
    spans = [Span(position(leg, one.at), position(leg, one.until) if one.until else leg.samples) for one in stretches]
    spans = [span for span in spans if span.first < span.last]
    if not spans:
        return leg
    kept = _inside(leg, _without(spans, leg.samples))
    lost = [] if cause is None else [(span.first, span.last - span.first, cause) for span in spans]
    return replace(leg, segments=kept, gaps=sorted([*leg.gaps, *lost]))


def _without(spans: Sequence[Span], samples: int) -> list[Span]:
    """What is left of a leg outside some stretches."""
    left, now = [], 0
    for span in sorted(spans, key=lambda one: one.first):
        if span.first > now:
            left.append(Span(now, span.first))
        now = max(now, span.last)
    return [*left, Span(now, samples)] if now < samples else left


def _inside(leg: LegAudio, spans: Iterable[Span]) -> list[tuple[int, bytes]]:
    width = WIDTHS[leg.encoding]
    found = []
    for span in spans:
        for start, data in leg.segments:
            first, last = max(start, span.first), min(start + len(data) // width, span.last)
            if first < last:
                found.append((first, data[(first - start) * width : (last - start) * width]))
    return sorted(found, key=lambda one: one[0])


def of_part(call: Call, number: int, legs: Legs) -> dict[str, tuple[str, LegAudio]]:
    """The sound of one part (counted from 1): its seat's own legs and the customer's, while it had the customer.

    A call with one part keeps everything as it came. A leg that no event gave to a seat is that of whoever has the
    customer; while several have him, nobody can say whose words they are.
    """
    if len(call.parts) < 2:
        return dict(legs)
    part = call.parts[number - 1]
    if part.met_at is None:
        return {}
    others = [one for at, one in enumerate(call.parts, 1) if at != number and one.met_at is not None]
    found = {}
    for name, (role, leg) in legs.items():
        seat = call.leg_seats.get(name) if role == "agent" else None
        if seat is not None and seat != part.seat:
            continue
        cut = clipped(leg, part.met_at if number > 1 else None, part.left_at)
        if role != "customer":
            cut = silenced(cut, part.asides)
        if role == "agent" and seat is None:
            cut = silenced(cut, _together(part, others), NOT_TOLD_APART)
        found[name] = (role, cut)
    return found


def _together(part: Part, others: Iterable[Part]) -> list[Hold]:
    """When this part and another one had the customer at the same time."""
    found = []
    for one in others:
        assert part.met_at is not None and one.met_at is not None
        first = max(part.met_at, one.met_at)
        ends = [at for at in (part.left_at, one.left_at) if at is not None]
        last = min(ends, default=None)
        if last is None or first < last:
            found.append(Hold(first, last))
    return found
