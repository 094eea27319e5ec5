"""Seats, alarms and times as the forms that the API speaks. Values in, values out; nothing is read here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from ingest.seat_metrics import SeatTimes
from qa.board import Who
from qa.board_alarms import Alarm, CallNow, Limits, SeatNow
from qa.store.seats import Stretch
from qa.web import board_models as models


def seat(one: SeatNow) -> models.BoardSeat:
    return models.BoardSeat(
        seat=one.seat,
        state=one.state,  # type: ignore[arg-type]  # the events and the table of the machine know the same words
        since=one.since,
        reason=one.reason,
        confidence=one.confidence,  # type: ignore[arg-type]
        agent=one.agent,
        name=one.name,
        team=one.team,
        present=one.present,  # type: ignore[arg-type]
        present_since=one.present_since,
        work_since=one.work_since,
        call=_call(one.call) if one.call else None,
    )


def _call(one: CallNow) -> models.BoardCall:
    return models.BoardCall(
        id=one.id,
        state=one.state,  # type: ignore[arg-type]
        direction=one.direction,  # type: ignore[arg-type]
        queue=one.queue,
        ringing_at=one.ringing_at,
        answered_at=one.answered_at,
        held_at=one.held_at,
        silent_since=one.silent_since,
    )


def alarm(one: Alarm) -> models.BoardAlarm:
    return models.BoardAlarm(
        kind=one.kind,
        seat=one.seat,
        agent=one.agent,
        team=one.team,
        call=one.call,
        since=one.since,
        due_at=one.due_at,
        inferred=one.inferred,
        text=one.text,
        values=dict(one.values),
    )


def board(
    at: datetime, heard_at: datetime | None, seats: Iterable[SeatNow], found: Iterable[Alarm], limits: Limits
) -> models.Board:
    return models.Board(
        at=at,
        heard_at=heard_at,
        ring_seconds=float(limits.ring_period_seconds),
        seats=[seat(one) for one in seats],
        alarms=[alarm(one) for one in found],
    )


def times(seat_name: str | None, agent: str | None, found: SeatTimes, who: Mapping[str, Who]) -> models.SeatTimesRow:
    known = who.get(agent or "", Who())
    return models.SeatTimesRow(
        seat=seat_name,
        agent=agent,
        name=known.name,
        team=known.team,
        told=_seconds(found.told_ms),
        inferred=_seconds(found.inferred_ms),
        busy=_seconds(found.busy_ms),
        untold_seconds=found.untold_ms / 1000,
        absent_seconds=found.absent_ms / 1000,
        longest_work_seconds=found.longest_work_ms / 1000,
        occupancy=found.occupancy,
        not_ready_share=found.not_ready_share,
        changes=found.changes,
        leaps=found.leaps,
    )


def _seconds(by: Mapping[str, int]) -> dict[str, float]:
    return {name: ms / 1000 for name, ms in by.items()}


def stretch(one: Stretch) -> models.SeatStretch:
    return models.SeatStretch(
        state=one.value,  # type: ignore[arg-type]
        at=one.at,
        until=one.until_at,
        reason=one.reason,
        confidence=one.confidence,  # type: ignore[arg-type]
        agent=one.agent,
    )


def seen(one: Stretch) -> models.SeatSeen:
    present = one.value
    return models.SeatSeen(
        present=present,  # type: ignore[arg-type]
        at=one.at,
        until=one.until_at,
        by=one.source,
        agent=one.agent,
    )
