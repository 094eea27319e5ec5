"""Answers about how much of each day was recorded, as other systems' lists of calls showed. It reconciles nothing."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from qa.store import captures
from qa.web.context import answer, asked, work
from qa.web.models import Shape

LONGEST = timedelta(days=366)
WHY = {  # what `seatwatch reconcile` says, under the names that the catalogues know; what it names stands beside
    "never_seen": r"neither signalling nor audio of it came here",
    "pending": r"seen; its recording is not put together yet",
    "untapped": r"seen, and no leg of it was ever announced: nothing tapped it",
    "unheard": r"seen, (?P<legs>\d+) legs announced, and not a sample of them came",
    "unkept": r"seen, and no sample of it was kept",
    "lost": r"(?P<seconds>[\d.]+) s of a party's audio are missing \((?P<causes>.+)\)",
    "short": r"the recording lasts (?P<ours>[\d.]+) s, the list says (?P<theirs>-?\d+) s",
}


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
    reason: str = Field(description="in English, as `seatwatch reconcile` prints it")
    why: Literal["never_seen", "pending", "untapped", "unheard", "unkept", "lost", "short"] | None = Field(
        None, description="the reason's name, for other languages; null: only `reason` says it"
    )
    values: dict[str, str] = Field({}, description="what the reason names: legs, seconds, causes, ours, theirs")
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
    missing = [Missing(**line, **why(line["reason"])) for line in one.missing]
    return CaptureDay(**{name: getattr(one, name) for name in names}, files=one.list, rate=one.rate, missing=missing)


def why(reason: str) -> dict[str, Any]:
    """A reason's name and what it names."""
    for name, pattern in WHY.items():
        if found := re.fullmatch(pattern, reason):
            return {"why": name, "values": found.groupdict()}
    return {}
