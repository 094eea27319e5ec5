"""A seat's history from its stored events, kept as stretches: from a checkpoint on, whole only when older news came.

The checkpoint is an instant. While no news is about a time before it, the stretches before it stand and only what is
since then is folded. No absence is cut by a checkpoint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from ingest.events import Event, Seat, parse_event
from ingest.seats import Away, Interval, SeatLog, Seen, away_episodes, fold_onto
from qa.jobs import SCORE_AWAY
from qa.store import calls, events, queue, seats
from qa.store.pool import Tx

BEHIND = timedelta(minutes=5)  # this near to the newest event, events still come out of order
KINDS = ("seat", "presence", "answered")
NO_REASONS: Mapping[str, str] = {}
MICROSECOND = timedelta(microseconds=1)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Folded:
    """How a fold went: from which instant (None = whole), and over how many events."""

    since: datetime | None
    events: int


async def fold(
    tx: Tx, seat: str, zone: ZoneInfo, from_at: datetime | None = None, reasons: Mapping[str, str] = NO_REASONS
) -> Folded:
    """Fold what is new at a seat, nothing of it older than ``from_at`` (None = of any time).

    ``reasons`` are the site's words for the reasons of its switchboard, told by their lower case.
    Calls there are due again where somebody else turns out to have sat there.
    """
    since = await seats.checkpoint(tx, seat)
    if since is not None and (from_at is None or from_at < since):
        since = None
    stored = await events.for_seat(tx, seat, since)
    told = [_named(one, reasons) for one in parsed(_believed(stored, since is None)) if one.type in KINDS]
    before = await _before(tx, seat, since)
    if not told and not before.intervals and not before.presence:
        return Folded(since, 0)
    folded = fold_onto(before, told)
    await _rename(tx, seat, since, folded)
    await seats.replace(tx, seat, stretches(folded), since)
    await _episodes(tx, seat, since, folded, zone)
    await _checkpoint(tx, seat, told, folded, since)
    return Folded(since, len(told))


def _believed(stored: Iterable[events.StoredEvent], tell: bool) -> Iterator[events.StoredEvent]:
    """Without what a clock that was ahead said of a time to come, once later news say how the seat really is."""
    for one in stored:
        if not one.taken_back:
            yield one
        elif tell:
            log.warning("event.ahead", source=one.source, id=one.id, seat=one.seat, at=one.at.isoformat())


def _named(event: Event, reasons: Mapping[str, str]) -> Event:
    if not isinstance(event, Seat) or event.reason is None:
        return event
    return replace(event, reason=reasons.get(event.reason.strip().lower(), event.reason))


async def _before(tx: Tx, seat: str, since: datetime | None) -> SeatLog:
    """The last stretch of each kind that began before an instant, as the fold would have left it."""
    if since is None:
        return SeatLog(seat)
    last = {one.kind: one for one in await seats.last_before(tx, seat, since)}
    state, seen = last.get("status"), last.get("presence")
    return SeatLog(
        seat,
        (Interval(state.value, state.at, None, state.reason, state.confidence, state.agent),) if state else (),
        (Seen(seen.value, seen.at, None, seen.source, seen.agent),) if seen else (),
    )


async def _rename(tx: Tx, seat: str, since: datetime | None, folded: SeatLog) -> None:
    """Where the seat's agent is another one than was stored, calls there look again whose they are."""
    first = since or datetime.min.replace(tzinfo=UTC)
    stored = {one.at: one.agent for one in await seats.since(tx, seat, first) if one.kind == "status"}
    told = {one.at: one.agent for one in folded.intervals if one.at >= first}
    moved = [at for at in stored.keys() | told.keys() if stored.get(at) != told.get(at)]
    if moved:
        for name in await calls.at_seat(tx, seat, min(moved)):
            await events.mark_due(tx, "call", name)


async def _episodes(tx: Tx, seat: str, since: datetime | None, folded: SeatLog, zone: ZoneInfo) -> None:
    found = [_episode(one, zone) for one in away_episodes(folded) if since is None or one.at >= since]
    before = {one.id: one for one in await _stored_away(tx, seat, since)}
    await seats.replace_away(tx, seat, found, since)
    for one in found:
        if one.until_at is not None and before.get(one.id) != one:
            await queue.enqueue(tx, SCORE_AWAY, {"episode": one.id}, f"{one.id}/{digest(asdict(one))}")
    for gone in before.keys() - {one.id for one in found}:
        withdrawn = before[gone]
        if withdrawn.until_at is not None:  # it may have been scored: what no longer stands must not cost anything
            job = {"episode": gone, "withdrawn": _withdrawn(withdrawn)}
            await queue.enqueue(tx, SCORE_AWAY, job, f"{gone}/withdrawn")


async def _checkpoint(tx: Tx, seat: str, told: Sequence[Event], folded: SeatLog, since: datetime | None) -> None:
    """Some minutes behind the newest event, and never inside an absence."""
    if not told:
        return
    at = max(one.at for one in told) - BEHIND
    for seen in reversed(folded.presence):
        absent = seen.present == "no" and seen.by != "inferred"
        if seen.at < at and absent and (seen.until is None or seen.until >= at):
            at = seen.at
    if since is None or since < at:
        await seats.check(tx, seat, at)


def digest(*values: object) -> str:
    """One name for these contents, so that a job for other contents is another job."""
    told = json.dumps(values, default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def parsed(stored: Iterable[events.StoredEvent]) -> list[Event]:
    """Stored events were checked when they came in; one that an older release took and this one refuses is left out."""
    read = [(one, parse_event(one.body)) for one in stored]
    for one, event in read:
        if not isinstance(event, Event):
            log.warning("event.unreadable", source=one.source, id=one.id, field=event.field, reason=event.reason)
    return [event for _, event in read if isinstance(event, Event)]


async def _stored_away(tx: Tx, seat: str, since: datetime | None) -> list[seats.AwayEpisode]:
    found: list[seats.AwayEpisode] = []
    after: str | None = None
    while True:
        page = await seats.page_away(tx, seat, after, 200)
        found += [one for one in page.items if since is None or one.at >= since]
        if (after := page.next) is None or (since is not None and page.items[-1].at < since):
            return found


def _withdrawn(one: seats.AwayEpisode) -> dict[str, str | None]:
    """What a worker needs to say of an episode that later news have taken back."""
    return {"seat": one.seat, "agent": one.agent, "at": one.at.isoformat(), "status": one.status, "source": one.source}


def _episode(one: Away, zone: ZoneInfo) -> seats.AwayEpisode:
    return seats.AwayEpisode(
        id=f"{one.seat}:{one.at.astimezone(UTC).isoformat()}",
        seat=one.seat,
        at=one.at,
        agent=one.agent,
        until_at=one.until,
        day=one.at.astimezone(zone).date(),
        away_ms=one.away_ms,
        ready_ms=one.ready_ms,
        status=one.status,
        source=one.source,
        contradicted=one.contradicted,
    )


def stretches(folded: SeatLog) -> list[seats.Stretch]:
    states = [
        seats.Stretch(
            seat=folded.seat,
            kind="status",
            at=one.at,
            until_at=one.until,
            value=one.state,
            reason=one.reason,
            confidence=one.confidence,
            agent=one.agent,
        )
        for one in folded.intervals
    ]
    seen = [
        seats.Stretch(
            seat=folded.seat,
            kind="presence",
            at=one.at,
            until_at=one.until,
            value=one.present,
            source=one.by,
            agent=one.agent,
        )
        for one in folded.presence
    ]
    return states + seen
