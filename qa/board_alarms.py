"""What a supervisor must look at now: alarms over what the board knows of a seat. Pure; it scores nothing.

Kinds are an open list: what hears calls while they go on hands its own alarms over as ``heard``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

EXCUSED = ("busy", "offline", "talking", "hold")  # said so, or somebody is at the phone


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is an alarm."""

    rings: int = 3  # a ring after this one
    ring_period_seconds: Decimal = Decimal(5)  # by the site's cadence
    away_seconds: int = 300
    unreachable_seconds: int = 10
    silent_seconds: int = 30
    wrap_up_seconds: int = 120
    work_minutes: int = 450
    rest_minutes: int = 30


@dataclass(frozen=True, slots=True)
class CallNow:
    """The call at a seat. ``silent_since``: no voice, or no sound at all, since then; None where nothing says so."""

    id: str
    state: str  # offered, ringing, talking, hold
    direction: str | None = None
    queue: str | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    held_at: datetime | None = None
    silent_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeatNow:
    """What is known of a seat at this moment."""

    seat: str
    state: str = "unknown"
    since: datetime | None = None
    reason: str | None = None
    confidence: str = "inferred"
    agent: str | None = None
    name: str | None = None
    team: str | None = None
    present: str = "unknown"
    present_since: datetime | None = None
    present_by: str | None = None
    excused_until: datetime | None = None  # end of the last busy, call or log-off since nobody is there
    work_since: datetime | None = None
    call: CallNow | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to look at. ``since``: it goes on since then; ``due_at``: then its limit was passed."""

    kind: str
    seat: str
    since: datetime
    due_at: datetime
    agent: str | None = None
    team: str | None = None
    call: str | None = None
    inferred: bool = False
    text: str = ""  # key of the words that say it
    values: tuple[tuple[str, str], ...] = field(default=())  # what the words name


def _ringing(seat: SeatNow) -> datetime | None:
    call = seat.call
    if call is not None and call.state == "ringing":
        return call.ringing_at
    return seat.since if seat.state == "ringing" else None


def _away(seat: SeatNow) -> datetime | None:
    seen = seat.present == "no" and seat.present_by in ("sensor", "person")
    if not seen or seat.state in EXCUSED or seat.present_since is None:
        return None
    return max(seat.present_since, seat.excused_until or seat.present_since)


def _unreachable(seat: SeatNow) -> datetime | None:
    return seat.since if seat.state == "unreachable" else None


def _silent(seat: SeatNow) -> datetime | None:
    return seat.call.silent_since if seat.call is not None and seat.call.state == "talking" else None


def _wrap_up(seat: SeatNow) -> datetime | None:
    return seat.since if seat.state == "wrap_up" else None


def _work(seat: SeatNow) -> datetime | None:
    return seat.work_since


CHECKS: dict[str, Callable[[SeatNow], datetime | None]] = {  # since when it goes on; in the order of their weight
    "silent": _silent,
    "ringing": _ringing,
    "unreachable": _unreachable,
    "away": _away,
    "wrap_up": _wrap_up,
    "work": _work,
}
_WEIGHT = {kind: number for number, kind in enumerate(CHECKS)}
_OF_STATE = ("unreachable", "wrap_up")  # these rest on the state alone, and are as sure as it is


def admitted(limits: Limits) -> dict[str, timedelta]:
    """How long each thing may go on before it is an alarm."""
    return {
        "silent": timedelta(seconds=limits.silent_seconds),
        "ringing": timedelta(seconds=float(limits.rings * limits.ring_period_seconds)),
        "unreachable": timedelta(seconds=limits.unreachable_seconds),
        "away": timedelta(seconds=limits.away_seconds),
        "wrap_up": timedelta(seconds=limits.wrap_up_seconds),
        "work": timedelta(minutes=limits.work_minutes),
    }


def alarms(seats: Iterable[SeatNow], now: datetime, limits: Limits, heard: Sequence[Alarm] = ()) -> list[Alarm]:
    """Everything over its limit; what was heard first, then by weight, the oldest first."""
    spans = admitted(limits)
    found = [
        _alarm(kind, seat, since, since + spans[kind], limits)
        for seat in seats
        for kind, check in CHECKS.items()
        if (since := check(seat)) is not None and now - since >= spans[kind]
    ]
    return [*heard, *sorted(found, key=lambda one: (_WEIGHT[one.kind], one.due_at, one.seat))]


def _alarm(kind: str, seat: SeatNow, since: datetime, due_at: datetime, limits: Limits) -> Alarm:
    return Alarm(
        kind=kind,
        seat=seat.seat,
        since=since,
        due_at=due_at,
        agent=seat.agent,
        team=seat.team,
        call=seat.call.id if seat.call and kind in ("ringing", "silent") else None,
        inferred=kind in _OF_STATE and seat.confidence == "inferred",
        text=f"alarm.{kind}.text",
        values=_values(kind, limits),
    )


def _values(kind: str, limits: Limits) -> tuple[tuple[str, str], ...]:
    return (("rings", str(limits.rings)),) if kind == "ringing" else ()
