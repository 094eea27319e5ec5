"""Answers about how much of each day was recorded, as other systems' lists of calls showed. It reconciles nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from qa.store import captures
from qa.web.context import answer, asked, work
from qa.web.models import Shape

LONGEST = timedelta(days=366)


class CapturesQuery(BaseModel):
    """Which days; the last 31 that there are, if nothing is said."""

    model_config = ConfigDict(extra="forbid")

    first: date | None = Field(None, description="first day")
    last: date | None = Field(None, description="last day")


class Missing(Shape):
    """A call of the list that is not recorded whole."""

    call: str = Field(description="its id in the list")
    at: datetime
    state: Literal["gaps", "no_audio", "never_seen"]
    reason: str
    ours: str | None = Field(description="the call here, if it was seen")


class CaptureDay(Shape):
    """One day: `listed` is the sum of the six states; the rate is of `recorded` among the first four."""

    day: date
    files: str = Field(description="the list that was held against the calls")
    listed: int
    recorded: int
    gaps: int
    no_audio: int
    never_seen: int
    nothing: int = Field(description="nobody talked, so there was nothing to record")
    excluded: int
    refused: int = Field(description="lines of the list that could not be read")
    unlisted: int = Field(description="calls here that the list has not")
    rate: float | None = Field(description="null: no call should have been recorded")
    missing: list[Missing]
    actor: str
    made_at: datetime


class Captures(Shape):
    items: list[CaptureDay]


async def get_captures(request: web.Request) -> web.Response:
    """The newest finding of each day, newest day first."""
    query = asked(request, CapturesQuery)
    last = query.last or (query.first + LONGEST if query.first and query.first < date.max - LONGEST else date.max)
    async with work(request) as tx:
        found = await captures.days(tx, query.first or date.min, last)
    if query.first is None and query.last is None:
        found = found[:31]
    return answer(Captures(items=[_day(one) for one in found[: LONGEST.days]]))


def _day(one: captures.Capture) -> CaptureDay:
    names = CaptureDay.model_fields.keys() - {"rate", "missing", "files"}
    missing = [Missing.model_validate(line) for line in one.missing]
    return CaptureDay(**{name: getattr(one, name) for name in names}, files=one.list, rate=one.rate, missing=missing)
