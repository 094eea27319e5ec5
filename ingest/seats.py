"""One seat as a time line: its states, who was present, and the stretches in which nobody was. Decides no breach.

The state machine of a seat has no forbidden step (a PBX may report any state after any other); what a fold adds is
intervals, one per change, with duplicates of the same state taken once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ingest.events import Event, Presence, Seat
from ingest.order import by_time


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch in one state; ``until`` is None while it lasts."""

    state: str
    at: datetime
    until: datetime | None
    reason: str | None
    confidence: str
    agent: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A stretch in which somebody was present (yes), nobody was (no), or nothing could tell (unknown)."""

    present: str
    at: datetime
    until: datetime | None
    by: str  # sensor, person or inferred
    agent: str | None


@dataclass(frozen=True, slots=True)
class SeatLog:
    seat: str
    intervals: tuple[Interval, ...] = ()
    presence: tuple[Seen, ...] = ()

    def state_at(self, at: datetime) -> Interval | None:
        """The state that held at an instant, None before the first one."""
        held = [one for one in self.intervals if one.at <= at and (one.until is None or at < one.until)]
        return held[-1] if held else None


@dataclass(frozen=True, slots=True)
class Away:
    """Nobody at the seat, as a sensor or a person saw it. Milliseconds are None while it lasts."""

    seat: str
    agent: str | None
    at: datetime
    until: datetime | None
    away_ms: int | None
    ready_ms: int | None  # the part with the seat set ready
    status: str  # state when it began; unknown where nothing said so
    source: str  # presence (a sensor) or person


def fold_seat(events: Iterable[Event]) -> SeatLog:
    """All seat and presence events of one seat, from any sources in any order of arrival."""
    told = by_time(events)
    names = {event.seat for event in told}
    if len(names) != 1 or None in names:
        raise ValueError(f"events: one seat is folded at a time, these belong to {sorted(map(str, names))}")
    log = SeatLog(str(names.pop()))
    for event in told:
        log = step(log, event)
    return log


def step(log: SeatLog, event: Event) -> SeatLog:
    match event:
        case Seat():
            return replace(log, intervals=_state(log.intervals, event))
        case Presence():
            return replace(log, presence=_presence(log.presence, event))
        case _:
            return log  # calls at this seat are folded with their call


def _state(before: tuple[Interval, ...], event: Seat) -> tuple[Interval, ...]:
    new = Interval(event.status, event.at, None, event.reason, event.confidence, event.agent)
    if not before:
        return (new,)
    last = before[-1]
    if (last.state, last.reason, last.confidence) == (new.state, new.reason, new.confidence):
        return (*before[:-1], replace(last, agent=event.agent or last.agent))
    new = replace(new, agent=new.agent or last.agent)
    return (*before[:-1], replace(last, until=event.at), new)


def _presence(before: tuple[Seen, ...], event: Presence) -> tuple[Seen, ...]:
    new = Seen(event.present, event.at, None, event.by, event.agent)
    if not before:
        return (new,)
    last = before[-1]
    if event.by == "inferred" and last.by != "inferred" and last.present != "unknown":
        return before  # a guess does not overrule what was seen
    if (last.present, last.by) == (new.present, new.by):
        return (*before[:-1], replace(last, agent=last.agent or event.agent))
    return (*before[:-1], replace(last, until=event.at), new)


def away_episodes(log: SeatLog) -> list[Away]:
    """Every stretch in which a sensor or a person saw nobody, joined where one witness follows the other."""
    return [_away(log, seen) for seen in _joined(log.presence)]


def _joined(presence: Iterable[Seen]) -> list[Seen]:
    out: list[Seen] = []
    for seen in presence:
        if seen.present != "no" or seen.by == "inferred":
            continue
        if out and out[-1].until == seen.at:
            out[-1] = replace(out[-1], until=seen.until)
        else:
            out.append(seen)
    return out


def _away(log: SeatLog, seen: Seen) -> Away:
    state = log.state_at(seen.at)
    return Away(
        seat=log.seat,
        agent=seen.agent or (state.agent if state else None),
        at=seen.at,
        until=seen.until,
        away_ms=None if seen.until is None else _ms(seen.at, seen.until),
        ready_ms=None if seen.until is None else _ready_ms(log.intervals, seen.at, seen.until),
        status=state.state if state else "unknown",
        source="person" if seen.by == "person" else "presence",
    )


def _ready_ms(intervals: Iterable[Interval], start: datetime, end: datetime) -> int:
    """Observed readiness inside a stretch; an inferred state never counts against anybody."""
    ready = (one for one in intervals if one.state == "ready" and one.confidence != "inferred")
    return sum(max(0, _ms(max(start, one.at), min(end, one.until or end))) for one in ready)


def _ms(start: datetime, end: datetime) -> int:
    return (end.astimezone(UTC) - start.astimezone(UTC)) // timedelta(milliseconds=1)
