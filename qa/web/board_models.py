"""The forms in which the API speaks of seats: the board, what changes on it, times and time lines. No HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from qa.web.models import Shape

SeatState = Literal[
    "offline", "ready", "busy", "ringing", "talking", "hold", "wrap_up", "off_hook", "unreachable", "unknown"
]
Confidence = Literal["observed", "snapshot", "inferred"]
Present = Literal["yes", "no", "unknown"]


class BoardCall(Shape):
    """The call at a seat, by its own signalling; `silent_since`: nothing was heard since then."""

    id: str
    state: Literal["offered", "ringing", "talking", "hold"]
    direction: Literal["in", "out", "internal"] | None
    queue: str | None
    ringing_at: datetime | None
    answered_at: datetime | None
    held_at: datetime | None
    silent_since: datetime | None


class BoardSeat(Shape):
    """One seat: its state, since when, who is there; `team` as entered for its agent."""

    seat: str
    state: SeatState
    since: datetime | None
    reason: str | None
    confidence: Confidence
    agent: str | None
    name: str | None
    team: str | None
    present: Present
    present_since: datetime | None
    work_since: datetime | None
    call: BoardCall | None


class BoardAlarm(Shape):
    """Something to look at; `kind` is an open list, `text` the key of its words, `values` what they name."""

    kind: str
    seat: str
    agent: str | None
    team: str | None
    call: str | None
    since: datetime
    due_at: datetime
    inferred: bool
    text: str
    values: dict[str, str]


class Board(Shape):
    """Every seat now; `heard_at` is when anything last came from the phones."""

    at: datetime
    heard_at: datetime | None
    ring_seconds: float = Field(description="how long one ring lasts by the site's cadence")
    seats: list[BoardSeat]
    alarms: list[BoardAlarm]


class BoardDelta(Shape):
    """What changed: seats anew and whole, seats that are gone, all alarms where one came or went."""

    at: datetime
    heard_at: datetime | None
    seats: list[BoardSeat]
    gone: list[str]
    alarms: list[BoardAlarm] | None


class SeatTimesRow(Shape):
    """Seconds of one seat or agent within the stretch; what was inferred stands apart."""

    seat: str | None
    agent: str | None
    name: str | None
    team: str | None
    told: dict[str, float] = Field(description="seconds by state, as seen")
    inferred: dict[str, float] = Field(description="seconds by state, as nobody saw them")
    busy: dict[str, float] = Field(description="busy seconds by reason; empty key: no reason was given")
    untold_seconds: float
    absent_seconds: float = Field(description="a sensor or a person saw nobody there")
    longest_work_seconds: float
    occupancy: float | None
    not_ready_share: float | None
    changes: int
    leaps: int


class SeatTimes(Shape):
    """Times of all seats, or of all agents, within a stretch."""

    start: datetime
    until: datetime
    items: list[SeatTimesRow]


class SeatStretch(Shape):
    """A seat in one state."""

    state: SeatState
    at: datetime
    until: datetime | None
    reason: str | None
    confidence: Confidence
    agent: str | None


class SeatSeen(Shape):
    """Somebody, or nobody, at a seat."""

    present: Present
    at: datetime
    until: datetime | None
    by: str
    agent: str | None


class SeatLine(Shape):
    """One seat's time line within a stretch, its times, and those of each agent who was there."""

    seat: str
    start: datetime
    until: datetime
    states: list[SeatStretch]
    presence: list[SeatSeen]
    times: SeatTimesRow
    agents: list[SeatTimesRow]
