"""Answers about seats over time: the time line of one, and the times of all as JSON or as a table. It sums nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ingest.events import STATES
from ingest.seat_metrics import SeatTimes, agents, of_agent, seat_times
from ingest.seats import Interval, Seen
from qa.board import interval, teams
from qa.store import board, people, seats
from qa.store.pool import Tx
from qa.store.seats import Stretch
from qa.web import board_data as data
from qa.web import board_models as models
from qa.web.context import SERVICES, answer, asked, work
from qa.web.problems import Refusal

FORMULA = "=+-@|\t\r\n＝＋－＠"
LONGEST = timedelta(days=31)
MOST_NAME = 200
CSV = "text/csv"
_COLUMNS = (
    "seat", "agent", "name", "team", "start", "until", *(f"{state}_seconds" for state in STATES if state != "unknown"),
    "inferred_seconds", "untold_seconds", "absent_seconds", "longest_work_seconds", "occupancy", "not_ready_share",
    "changes", "leaps", "busy_reasons",
)  # fmt: skip


class StretchQuery(BaseModel):
    """A day of the site, today if nothing is said; or two instants."""

    model_config = ConfigDict(extra="forbid")

    day: date | None = Field(None, description="a day of the site")
    start: AwareDatetime | None = Field(None, description="an instant with its offset, instead of a day")
    until: AwareDatetime | None = Field(None, description="an instant with its offset; now, if nothing is said")


class TimesQuery(StretchQuery):
    """Which times: one line per seat, or per agent over all seats."""

    by: Literal["seat", "agent"] = Field("seat", description="one line per seat, or per agent")


@dataclass(slots=True)
class Line:
    """What is stored of one seat within a stretch."""

    states: list[Interval] = field(default_factory=list)
    presence: list[Seen] = field(default_factory=list)

    def add(self, one: Stretch) -> None:
        if one.kind == "status":
            self.states.append(interval(one))
        else:
            self.presence.append(Seen(one.value, one.at, one.until_at, one.source, one.agent))


async def get_seat_line(request: web.Request) -> web.Response:
    name = request.match_info["seat"]
    start, until = _stretch(request, asked(request, StretchQuery))
    async with work(request) as tx:
        if len(name) > MOST_NAME or "\0" in name:
            raise _no_seat(name)
        told = await seats.history(tx, name, start, until)
        if not told and not await board.held(tx, [name]) and name not in await board.fixed(tx, _today(request)):
            raise _no_seat(name)
        who = teams(await people.everybody(tx))
    line, rest = Line(), _rest(request)
    for one in told:
        line.add(one)
    return answer(
        models.SeatLine(
            seat=name,
            start=start,
            until=until,
            states=[data.stretch(one) for one in told if one.kind == "status"],
            presence=[data.seen(one) for one in told if one.kind == "presence"],
            times=data.times(name, None, seat_times(line.states, line.presence, start, until, rest), who),
            agents=[
                data.times(name, agent, _of_agent(agent, [line], start, until, rest), who)
                for agent in agents(line.states)
            ],
        )
    )


async def get_seat_times(request: web.Request) -> web.Response:
    start, until, rows = await _times(request)
    return answer(models.SeatTimes(start=start, until=until, items=rows))


async def get_seat_times_table(request: web.Request) -> web.Response:
    """The same as a table for spreadsheets: one column per state, seconds."""
    start, until, rows = await _times(request)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows(_row(one, start, until) for one in rows)
    name = f"seat-times-{start:%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(text="\ufeff" + text.getvalue(), content_type=CSV, charset="utf-8", headers=headers)


async def _times(request: web.Request) -> tuple[datetime, datetime, list[models.SeatTimesRow]]:
    query = asked(request, TimesQuery)
    start, until = _stretch(request, query)
    async with work(request) as tx:
        lines = await _lines(tx, start, until)
        who = teams(await people.everybody(tx))
    rest = _rest(request)
    if query.by == "seat":
        found = [(name, None, seat_times(one.states, one.presence, start, until, rest)) for name, one in lines.items()]
        return start, until, [data.times(*row, who) for row in found]
    names = sorted({agent for one in lines.values() for agent in agents(one.states)})
    times = ((agent, _of_agent(agent, lines.values(), start, until, rest)) for agent in names)
    return start, until, [data.times(None, agent, one, who) for agent, one in times]


async def _lines(tx: Tx, start: datetime, until: datetime) -> Mapping[str, Line]:
    found: dict[str, Line] = {}
    for one in await board.lines(tx, start, until):
        found.setdefault(one.seat, Line()).add(one)
    return found


def _of_agent(agent: str, lines: Iterable[Line], start: datetime, until: datetime, rest: timedelta) -> SeatTimes:
    """An agent's times over every seat where they were; what is not told of them is somebody else's time."""
    states: list[Interval] = []
    presence: list[Seen] = []
    for line in lines:
        own, seen = of_agent(agent, line.states, line.presence, until)
        states += own
        presence += seen
    return seat_times(states, presence, start, until, rest)


def _stretch(request: web.Request, query: StretchQuery) -> tuple[datetime, datetime]:
    """From when until when, never into the future."""
    now, zone = datetime.now(UTC), request.app[SERVICES].settings.zone
    if query.day is not None and (query.start or query.until):
        raise Refusal(400, "Bad request", "day, start: give one of them")
    start = query.start or datetime.combine(query.day or _today(request), time(), zone)
    until = query.until or (now if query.start else start + timedelta(days=1))
    if query.start is None and query.until is None:
        until = datetime.combine(start.date() + timedelta(days=1), time(), zone)
    until = max(start, min(until, now))
    if until - start > LONGEST:
        raise Refusal(400, "Bad request", f"start, until: at most {LONGEST.days} days at once")
    return start, until


def _today(request: web.Request) -> date:
    return datetime.now(request.app[SERVICES].settings.zone).date()


def _rest(request: web.Request) -> timedelta:
    return timedelta(minutes=request.app[SERVICES].settings.alarm_rest_minutes)


def _no_seat(name: str) -> Refusal:
    return Refusal(404, "Not found", f"seat {name[:MOST_NAME]!r}: not at this site; /api/v1/board lists them")


def _row(one: models.SeatTimesRow, start: datetime, until: datetime) -> list[object]:
    reasons = "; ".join(f"{reason or '-'} {seconds:g}" for reason, seconds in sorted(one.busy.items()))
    texts = [_plain(text) for text in (one.seat, one.agent, one.name, one.team)]
    states = [one.told.get(state, 0.0) for state in STATES if state != "unknown"]
    sums = [sum(one.inferred.values()), one.untold_seconds, one.absent_seconds, one.longest_work_seconds]
    shares = ["" if share is None else round(share, 4) for share in (one.occupancy, one.not_ready_share)]
    when = [start.isoformat(), until.isoformat()]
    return [*texts, *when, *states, *sums, *shares, one.changes, one.leaps, _plain(reasons)]


def _plain(text: str | None) -> str:
    """No cell is a formula, whoever named the seat."""
    return f"'{text}" if text and text[0] in FORMULA else text or ""
