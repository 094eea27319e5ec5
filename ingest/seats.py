"""One seat as a time line: its states, who was present, and the stretches in which nobody was. Decides no breach.

Which change is taken says the table in ``seat_machine``: what was seen follows anything, what was inferred never
takes its place. What a fold adds is intervals, one per change of state or agent, duplicates of a state taken once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ingest.events import Answered, Event, Presence, Seat
from ingest.order import by_time
from ingest.seat_machine import admits

_OCCUPIED = ("talking", "hold")  # somebody is at the phone


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
    answers: tuple[datetime, ...] = ()  # somebody picked up

    def state_at(self, at: datetime) -> Interval | None:
        """The state that held at an instant, None before the first one."""
        held = bisect_right(self.intervals, at, key=lambda one: one.at)
        return self.intervals[held - 1] if held else None

    def within(self, start: datetime, end: datetime | None) -> Sequence[Interval]:
        """The states that held at some instant of a stretch; a stretch without an end goes on."""
        first = max(0, bisect_right(self.intervals, start, key=lambda one: one.at) - 1)
        last = len(self.intervals) if end is None else bisect_left(self.intervals, end, key=lambda one: one.at)
        return self.intervals[first:last]

    def answers_within(self, start: datetime, end: datetime | None) -> Sequence[datetime]:
        last = len(self.answers) if end is None else bisect_left(self.answers, end)
        return self.answers[bisect_left(self.answers, start) : last]


@dataclass(frozen=True, slots=True)
class Away:
    """Nobody at the seat of one agent, as a sensor or a person saw it. Milliseconds are None while it lasts."""

    seat: str
    agent: str | None  # who was logged on there; None where nobody was, or nothing said who
    at: datetime
    until: datetime | None
    away_ms: int | None
    ready_ms: int | None  # the part with the seat set ready
    status: str  # state when it began; unknown where nothing said so
    source: str  # presence (a sensor) or person
    contradicted: bool = False  # the seat's own phone was in use meanwhile: the witness cannot be right all along


def fold_seat(events: Iterable[Event]) -> SeatLog:
    """All seat and presence events of one seat, and what was answered there; any sources, any order of arrival."""
    told = by_time(events)
    names = {event.seat for event in told}
    if len(names) != 1 or None in names:
        raise ValueError(f"events: one seat is folded at a time, these belong to {sorted(map(str, names))}")
    return fold_onto(SeatLog(str(names.pop())), told)


def fold_onto(before: SeatLog, events: Iterable[Event]) -> SeatLog:
    """Later events of a seat on top of what was folded; of *before* the last stretch of each kind is enough."""
    log = before
    for event in by_time(events):
        log = step(log, event)
    return log


def step(log: SeatLog, event: Event) -> SeatLog:
    match event:
        case Seat():
            return replace(log, intervals=_state(log.intervals, event))
        case Presence():
            return replace(log, presence=_presence(log.presence, event))
        case Answered():
            return replace(log, answers=(*log.answers, event.at))
        case _:
            return log  # calls at this seat are folded with their call


def _state(before: tuple[Interval, ...], event: Seat) -> tuple[Interval, ...]:
    new = Interval(event.status, event.at, None, event.reason, event.confidence, event.agent)
    if not before:
        return (new,)
    last = before[-1]
    if not admits(last.state, last.confidence != "inferred", new.state, new.confidence == "inferred"):
        return before  # a guess does not overrule what was seen
    same = (last.state, last.reason, last.confidence) == (new.state, new.reason, new.confidence)
    if same and _same_agent(last, event):
        return (*before[:-1], replace(last, agent=last.agent or event.agent))
    if new.agent is None and last.state != "offline":  # a log-out ends what is known of the agent
        new = replace(new, agent=last.agent)
    return (*before[:-1], replace(last, until=event.at), new)


def _same_agent(last: Interval | Seen, event: Event) -> bool:
    """Nobody else is named; a name that comes later says nothing of the time before."""
    return event.agent in (None, last.agent) or (last.agent is None and last.at == event.at)


def _presence(before: tuple[Seen, ...], event: Presence) -> tuple[Seen, ...]:
    new = Seen(event.present, event.at, None, event.by, event.agent)
    if not before:
        return (new,)
    last = before[-1]
    if event.by == "inferred" and last.by != "inferred" and last.present != "unknown":
        return before  # a guess does not overrule what was seen
    if (last.present, last.by) == (new.present, new.by) and _same_agent(last, event):
        return (*before[:-1], replace(last, agent=last.agent or event.agent))
    return (*before[:-1], replace(last, until=event.at), new)


def away_episodes(log: SeatLog) -> list[Away]:
    """Every stretch in which a sensor or a person saw nobody, one for each agent whose seat it was meanwhile."""
    return [_away(log, seen) for run in _runs(log.presence) for seen in _shares(log, run)]


def _runs(presence: Iterable[Seen]) -> list[list[Seen]]:
    """Absences, together where one witness follows the other."""
    out: list[list[Seen]] = []
    for seen in presence:
        if seen.present != "no" or seen.by == "inferred":
            continue
        if out and out[-1][-1].until == seen.at:
            out[-1].append(seen)
        else:
            out.append([seen])
    return out


def _shares(log: SeatLog, run: Sequence[Seen]) -> list[Seen]:
    """An absence cut where the seat's agent changes."""
    out: list[Seen] = []
    who = _Whose()
    for piece, begins in _pieces(log, run):
        agent = who.next(piece.agent if begins else None, log.state_at(piece.at))
        if out and out[-1].agent == agent:
            out[-1] = replace(out[-1], until=piece.until)
        else:
            out.append(replace(piece, agent=agent))
    return out


def _pieces(log: SeatLog, run: Sequence[Seen]) -> Iterator[tuple[Seen, bool]]:
    """What each witness saw, cut at every change of the seat's state; whether the piece is a witness's first."""
    for seen in run:
        inside = {one.at for one in log.within(seen.at, seen.until) if seen.at < one.at}
        marks = [seen.at, *sorted(inside)]
        ends = [*marks[1:], seen.until]
        for start, end in zip(marks, ends, strict=True):
            if start != end:
                yield replace(seen, at=start, until=end), start == seen.at


@dataclass(slots=True)
class _Whose:
    """Whose absence it is: the agent logged on there; where none is known, the one whom the witness named."""

    named: str | None = None
    disputed: str | None = None  # logged on while the witness named somebody else: then it is nobody's

    def next(self, named: str | None, state: Interval | None) -> str | None:
        self.named = named or self.named
        agent = state.agent if state else None
        if state is not None and state.state == "offline":
            self.named = self.disputed = None
            return None
        if agent is None:
            return self.named
        if self.named not in (None, agent):  # another one than the witness named
            self.disputed = agent if named else None
            self.named = None
        return None if agent == self.disputed else agent


def _away(log: SeatLog, seen: Seen) -> Away:
    state = log.state_at(seen.at)
    return Away(
        seat=log.seat,
        agent=seen.agent,
        at=seen.at,
        until=seen.until,
        away_ms=None if seen.until is None else _ms(seen.at, seen.until),
        ready_ms=None if seen.until is None else _ready_ms(log, seen.at, seen.until),
        status=state.state if state else "unknown",
        source="person" if seen.by == "person" else "presence",
        contradicted=_contradicted(log, seen),
    )


def _ready_ms(log: SeatLog, start: datetime, end: datetime) -> int:
    """Observed readiness inside a stretch, up to an answer; an inferred state never counts against anybody."""
    total = 0
    for one in log.within(start, end):
        if one.state == "ready" and one.confidence != "inferred":
            first, last = max(start, one.at), min(end, one.until or end)
            total += _ms(first, min((last, *log.answers_within(first, last))))
    return total


def _contradicted(log: SeatLog, seen: Seen) -> bool:
    """A call taken or going on at this seat. Wrap-up that began before is how an agent leaves, and no contradiction."""
    used = (
        one.confidence != "inferred"
        and (one.state in _OCCUPIED or (one.state == "wrap_up" and one.at > seen.at))
        and one.at != one.until
        for one in log.within(seen.at, seen.until)
    )
    return bool(log.answers_within(seen.at, seen.until)) or any(used)


def _ms(start: datetime, end: datetime) -> int:
    return (end.astimezone(UTC) - start.astimezone(UTC)) // timedelta(milliseconds=1)
