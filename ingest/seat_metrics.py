"""How long a seat was in each state within a stretch of time, and what follows from it. Sums only; it judges nobody.

What was seen (observed, or in a snapshot) and what was inferred are separate sums; ratios rest on what was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from ingest.seat_machine import NO_STATE, change
from ingest.seats import Interval, Seen

T = TypeVar("T", Interval, Seen)
REST = timedelta(minutes=30)  # an interruption this long ends continuous work
_HANDLING = ("talking", "hold", "wrap_up")
_WAITING = ("ready", "ringing")
_OFF = ("offline", NO_STATE)
_AT_WORK = (*_HANDLING, *_WAITING, "off_hook")


@dataclass(frozen=True, slots=True)
class SeatTimes:
    """Milliseconds within ``[start, until)``; states that did not occur are not named."""

    start: datetime
    until: datetime
    told_ms: Mapping[str, int]  # by state, as seen
    inferred_ms: Mapping[str, int]  # by state, as nobody saw it
    busy_ms: Mapping[str, int]  # by reason, "" where none was given; adds up to told_ms["busy"]
    untold_ms: int  # nothing is known, or the state was unknown
    absent_ms: int  # a sensor or a person saw nobody
    longest_work_ms: int
    changes: int
    leaps: int

    @property
    def logged_on_ms(self) -> int:
        return sum(ms for state, ms in self.told_ms.items() if state not in _OFF)

    @property
    def occupancy(self) -> float | None:
        """The share of work in the time in which there could be any; None when there was none."""
        handling = sum(self.told_ms.get(state, 0) for state in _HANDLING)
        return _share(handling, handling + sum(self.told_ms.get(state, 0) for state in _WAITING))

    @property
    def not_ready_share(self) -> float | None:
        return _share(self.told_ms.get("busy", 0), self.logged_on_ms)


def seat_times(
    intervals: Iterable[Interval], presence: Iterable[Seen], start: datetime, until: datetime, rest: timedelta = REST
) -> SeatTimes:
    """The time line of one seat, or of one agent over all seats, between two instants."""
    held = clipped(sorted(intervals, key=_begins), start, until)
    told = Counter[str]()
    inferred = Counter[str]()
    busy = Counter[str]()
    for one in held:
        length = _ms(one.at, one.until)
        (inferred if one.confidence == "inferred" else told)[one.state] += length
        if one.state == "busy" and one.confidence != "inferred":
            busy[one.reason or ""] += length
    known = sum(told.values()) + sum(inferred.values()) - told[NO_STATE] - inferred[NO_STATE]
    changes, leaps = _changes(held, start)
    return SeatTimes(
        start=start,
        until=until,
        told_ms={state: ms for state, ms in told.items() if ms and state != NO_STATE},
        inferred_ms={state: ms for state, ms in inferred.items() if ms and state != NO_STATE},
        busy_ms={reason: ms for reason, ms in busy.items() if ms},
        untold_ms=max(0, _ms(start, until) - known),
        absent_ms=sum(_ms(one.at, one.until) for one in clipped(_absences(presence), start, until)),
        longest_work_ms=max((_ms(*run) for run in work_runs(held, until, rest)), default=0),
        changes=changes,
        leaps=leaps,
    )


def clipped(line: Iterable[T], start: datetime, until: datetime) -> list[T]:
    """The part of a time line within ``[start, until)``; what still goes on ends there."""
    cut = (replace(one, at=max(one.at, start), until=min(one.until or until, until)) for one in line)
    return [one for one in cut if one.until is not None and one.at < one.until]


def agents(intervals: Iterable[Interval]) -> list[str]:
    """Everybody who was logged on there."""
    return sorted({one.agent for one in intervals if one.agent is not None})


def of_agent(
    agent: str, intervals: Sequence[Interval], presence: Iterable[Seen], until: datetime
) -> tuple[list[Interval], list[Seen]]:
    """An agent's share of one seat: their intervals, and what was seen of the seat meanwhile."""
    own = [one for one in intervals if one.agent == agent]
    held = [one for one in own if one.state != "offline"]
    seen = list(presence)
    return own, [part for one in held for part in clipped(seen, one.at, one.until or until)]


def work_runs(
    intervals: Iterable[Interval], until: datetime, rest: timedelta = REST
) -> list[tuple[datetime, datetime]]:
    """Stretches of continuous work, first instant and last, in order of time; what was only inferred is no work."""
    runs: list[tuple[datetime, datetime]] = []
    for one in sorted(intervals, key=_begins):
        end = min(one.until or until, until)
        if one.state not in _AT_WORK or one.confidence == "inferred" or end <= one.at:
            continue
        if runs and one.at - runs[-1][1] < rest:
            runs[-1] = (runs[-1][0], max(runs[-1][1], end))
        else:
            runs.append((one.at, end))
    return runs


def at_work_since(intervals: Iterable[Interval], now: datetime, rest: timedelta = REST) -> datetime | None:
    """When the work began that still goes on; None while there is a rest."""
    runs = work_runs(intervals, now, rest)
    return runs[-1][0] if runs and now - runs[-1][1] < rest else None


def _absences(presence: Iterable[Seen]) -> list[Seen]:
    return [one for one in presence if one.present == "no" and one.by != "inferred"]


def _changes(held: Sequence[Interval], start: datetime) -> tuple[int, int]:
    """Changes of state or reason that began after the start, and those of them that leapt over a step."""
    changes = leaps = 0
    for before, after in zip([None, *held], held, strict=False):
        if after.at == start or (before and (before.state, before.reason) == (after.state, after.reason)):
            continue
        changes += 1
        touching = before is not None and before.until == after.at
        leaps += (
            after.confidence != "inferred"
            and change(before.state if before and touching else None, after.state) == "leap"
        )
    return changes, leaps


def _begins(one: Interval) -> datetime:
    return one.at


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _ms(start: datetime, end: datetime | None) -> int:
    return 0 if end is None else (end.astimezone(UTC) - start.astimezone(UTC)) // timedelta(milliseconds=1)
