"""Alarms rise at their limits, not before, and rest on what the board knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from qa.board_alarms import CHECKS, Alarm, CallNow, Limits, SeatNow, admitted, alarms

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
LIMITS = Limits()


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def seat(**own: Any) -> SeatNow:
    return SeatNow("S01", **{"state": "ready", "since": T0, "confidence": "observed", "agent": "A01", **own})


def of_seat(who: SeatNow, now: datetime, limits: Limits) -> list[Alarm]:
    return alarms([who], now, limits)


def test_every_check_has_its_limit() -> None:
    assert admitted(LIMITS).keys() == CHECKS.keys()


def call(state: str, **own: Any) -> CallNow:
    return CallNow("c1", state, ringing_at=T0, **own)


CASES = [
    ("ringing", seat(state="ringing"), 15),
    ("ringing", seat(call=call("ringing")), 15),
    ("away", seat(present="no", present_since=T0, present_by="sensor"), 300),
    ("away", seat(present="no", present_since=at(-900), present_by="person", excused_until=T0), 300),
    ("unreachable", seat(state="unreachable"), 10),
    ("silent", seat(state="talking", call=call("talking", answered_at=T0, silent_since=T0)), 30),
    ("wrap_up", seat(state="wrap_up"), 120),
    ("work", seat(work_since=T0), 450 * 60),
]


@pytest.mark.parametrize(("kind", "who", "limit_s"), CASES)
def test_an_alarm_rises_at_its_limit_and_not_before(kind: str, who: SeatNow, limit_s: int) -> None:
    assert of_seat(who, at(limit_s - 0.001), LIMITS) == []
    (alarm,) = of_seat(who, at(limit_s), LIMITS)
    assert (alarm.kind, alarm.seat, alarm.since, alarm.due_at) == (kind, "S01", T0, at(limit_s))
    assert alarm.text == f"alarm.{kind}.text"


@pytest.mark.parametrize(
    "quiet",
    [
        seat(state="busy", present="no", present_since=T0, present_by="sensor"),
        seat(state="offline", present="no", present_since=T0, present_by="sensor"),
        seat(state="talking", present="no", present_since=T0, present_by="sensor"),
        seat(present="no", present_since=T0, present_by="inferred"),
        seat(present="unknown", present_since=T0, present_by="sensor"),
        seat(state="hold", call=call("hold", silent_since=T0)),
        seat(state="talking", call=call("talking", answered_at=T0)),
        seat(state="talking", call=call("talking", answered_at=T0), since=T0),
    ],
)
def test_what_is_excused_or_nobody_saw_raises_none(quiet: SeatNow) -> None:
    assert of_seat(quiet, at(7000), LIMITS) == []


def test_the_cadence_of_the_country_counts_the_rings() -> None:
    korean = Limits(rings=3, ring_period_seconds=Decimal(3))

    assert of_seat(seat(state="ringing"), at(8.9), korean) == []
    assert [one.kind for one in of_seat(seat(state="ringing"), at(9), korean)] == ["ringing"]


def test_an_inferred_state_makes_an_inferred_alarm() -> None:
    (alarm,) = of_seat(seat(state="wrap_up", confidence="inferred"), at(200), LIMITS)

    assert alarm.inferred


def test_what_was_heard_comes_first_then_by_weight_and_age() -> None:
    heard = Alarm("said", "S09", T0, T0)
    who = [
        SeatNow("S03", "wrap_up", T0),
        SeatNow("S02", "ringing", at(10)),
        SeatNow("S01", "ringing", T0),
    ]

    found = alarms(who, at(200), LIMITS, [heard])
    assert [(one.kind, one.seat) for one in found] == [
        ("said", "S09"), ("ringing", "S01"), ("ringing", "S02"), ("wrap_up", "S03"),
    ]  # fmt: skip
