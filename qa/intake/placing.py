"""Where an imported recording lies in its call, and the call as events. Pure: a record and lengths in, values out.

A recorder starts when it likes: with the caller in the queue, with the ringing, with the answer. The file's start says
nothing; its length is held against the call's own times. What fits none of them is kept and nothing is judged over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.fields import masked
from qa.assemble import MS
from qa.record import CallRecord

ROUND_MS = 1500  # other systems round times to whole seconds, each of them: so much less is nothing that is missing
NEAR_MS = 3000  # lengths that differ by less are the same length
SOURCE, TOLD = "import", "import-told"  # what stands on the time line, and what does not
BESIDE = ("known_customer", "business", "language", "dialect_asked")


@dataclass(frozen=True, slots=True)
class Placed:
    """``answer_ms``: where in the recording the answer lies; gaps count from the answer. ``doubt`` says what is not
    known of it."""

    origin_at: datetime | None
    answer_ms: int
    gaps: tuple[dict[str, Any], ...]
    doubt: str | None = None


def placed(
    record: CallRecord,
    duration_ms: int,
    holes: Sequence[dict[str, Any]],
    roles: Sequence[str],
    rung: tuple[int, int] | None = None,
) -> Placed:
    """By the call's own times; what is missing of the conversation at its end becomes a gap. ``rung``: rings are heard
    in it, so that an answer that nobody told lies between these two."""
    answered, ended = record.answered_at, record.ended_at
    if answered is None:
        answer_ms, gaps = after_rings(rung, roles)
        return Placed(_inferred(record, duration_ms), answer_ms, (*_said(record, holes, answer_ms), *gaps))
    if ended is None:
        return Placed(answered, 0, _said(record, holes, 0), "ended_at is not said: taken to begin with the answer")
    since = begins(record, duration_ms)
    if since is None:
        told = f"it lasts {duration_ms / 1000:.1f} s, the call {(ended - answered) / timedelta(seconds=1):.1f} s"
        whole = [{"role": role, "start_ms": 0, "end_ms": duration_ms, "cause": "clock"} for role in roles]
        return Placed(answered, 0, tuple(whole), f"{told}: nobody can say where it lies, no rule is decided over it")
    answer_ms, talk_ms = (answered - since) // MS, (ended - answered) // MS
    short_ms = talk_ms - (duration_ms - answer_ms)
    rest = [{"role": role, "start_ms": talk_ms - short_ms, "end_ms": talk_ms, "cause": "short"} for role in roles]
    return Placed(since, answer_ms, (*_said(record, holes, answer_ms), *(rest if short_ms > ROUND_MS else ())))


def after_rings(rung: tuple[int, int] | None, roles: Sequence[str]) -> tuple[int, list[dict[str, Any]]]:
    """The earliest that an answer can lie, and the stretch in which it may: what is said there may be late or not."""
    if rung is None:
        return 0, []
    span = {"start_ms": 0, "end_ms": rung[1] - rung[0], "cause": "answer"}
    return rung[0], [{"role": role, **span} for role in roles]


def begins(record: CallRecord, duration_ms: int) -> datetime | None:
    """The moment of the call from which on it is as long as the recording; the answer, where that may be."""
    assert record.ended_at is not None
    moments = (record.answered_at, record.ringing_at, record.offered_at, record.queued_at)
    apart = [(abs((record.ended_at - at) // MS - duration_ms), at) for at in moments if at is not None]
    if apart and apart[0][0] <= ROUND_MS and record.answered_at is not None:
        return record.answered_at
    nearest = min(apart, key=lambda one: one[0])
    return nearest[1] if nearest[0] <= NEAR_MS else None


def _inferred(record: CallRecord, duration_ms: int) -> datetime | None:
    if record.ended_at is not None:
        return record.ended_at - timedelta(milliseconds=duration_ms)
    return first_moment(record)


def first_moment(record: CallRecord) -> datetime | None:
    moments = (record.queued_at, record.offered_at, record.ringing_at, record.answered_at, record.ended_at)
    return min((at for at in moments if at is not None), default=None)


def _said(record: CallRecord, holes: Sequence[dict[str, Any]], answer_ms: int) -> tuple[dict[str, Any], ...]:
    moved = [{**hole, "start_ms": hole["start_ms"] - answer_ms, "end_ms": hole["end_ms"] - answer_ms} for hole in holes]
    own = [
        {"role": gap.role, "start_ms": gap.start_ms, "end_ms": gap.end_ms, "cause": gap.cause} for gap in record.gaps
    ]
    return (*moved, *own)


def events(call: str, record: CallRecord, duration_ms: int, placed: Placed, digest: str) -> list[dict[str, Any]]:
    """The call as a switchboard would have told it. An answer that nobody said is inferred, and then no ring rests on
    it: it comes as another source than what was said."""
    told = list(_told(call, record, duration_ms, placed))
    return [
        {"source": SOURCE, **one, "id": f"{digest}-{n}", "seq": n, "at": one["at"].isoformat()}
        for n, one in enumerate(told, 1)
    ]


def _told(call: str, record: CallRecord, duration_ms: int, placed: Placed) -> Iterator[dict[str, Any]]:
    own = {name: value for name, value in (("seat", record.seat), ("agent", record.agent)) if value is not None}
    own |= {"call": call}
    talked = record.end in (None, "answered")
    inferred = talked and record.answered_at is None
    yield from _offers(call, record, own, inferred)
    if talked:
        inferred_at = placed.origin_at and placed.origin_at + timedelta(milliseconds=placed.answer_ms)
        answered = record.answered_at or inferred_at
        yield {"type": "answered", "at": answered, **own}
        yield from _turns(record, own)
        ended = record.ended_at or (answered and answered + timedelta(milliseconds=duration_ms - placed.answer_ms))
    else:
        first = first_moment(record)
        ended = record.ended_at or (first and first + timedelta(milliseconds=duration_ms))
        if record.end in ("redirected", "voicemail"):
            yield {
                "type": "redirected",
                "at": ended,
                **own,
                **({"to": "voicemail"} if record.end == "voicemail" else {}),
            }
    rings = {} if record.rings is None else {"rings": record.rings}
    yield {"type": "ended", "at": ended, **own, "by": _by(record), **rings}


def _offers(call: str, record: CallRecord, own: dict[str, Any], inferred: bool) -> Iterator[dict[str, Any]]:
    told: dict[str, Any] = {"queue": record.queue, "direction": record.direction}
    told |= {"number": masked(record.number)} if record.number else {}
    told |= {name: getattr(record, name) for name in BESIDE if getattr(record, name) is not None}
    told |= {"probe": True} if record.end == "probe" else {}
    told = {name: value for name, value in told.items() if value is not None}
    if record.queued_at is not None and not inferred:
        yield {"type": "offered", "at": record.queued_at, "call": call, **told}
    if record.offered_at is not None and not inferred:
        yield {"type": "offered", "at": record.offered_at, **own, **told}
    if record.ringing_at is not None and not inferred:
        yield {"type": "ringing", "at": record.ringing_at, **own}
    if inferred or (record.queued_at is None and record.offered_at is None and told):
        yield {"type": "offered", "at": first_moment(record), **own, **told, "source": TOLD}


def _turns(record: CallRecord, own: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What happened in the conversation."""
    for hold in record.holds:
        yield {"type": "held", "at": hold.at, **own}
        if hold.until is not None:
            yield {"type": "resumed", "at": hold.until, **own}
    for one in record.transfers:
        yield {"type": "transferred", "at": one.at, **own, "how": one.how, **({"to": one.to} if one.to else {})}


def _by(record: CallRecord) -> str:
    usual = {"abandoned": "customer", "no_answer": "system"}
    return record.hung_up_by or usual.get(str(record.end), "unknown")
