"""Answers about calls and seat episodes. What was said leaves only through the store's door, which logs first."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from qa.store import access, calls, recordings, runs, screens, seats
from qa.store import events as stored_events
from qa.store.access import Opened, Purpose, What
from qa.store.screens import Wanted
from qa.web import data, models
from qa.web.context import PRINCIPAL, SERVICES, answer, asked, call_id, no_call, work
from qa.web.problems import Refusal

Why = Literal["listen", "review", "evidence", "appeal", "training", "audit", "check"]
Text = Annotated[str, Field(min_length=1, max_length=128)]


class CallsQuery(BaseModel):
    """Which calls, in which order, from where."""

    model_config = ConfigDict(extra="forbid")

    agent: Text | None = None
    unassigned: bool | None = Field(None, description="only calls that are nobody's, or only those that are somebody's")
    day: date | None = None
    text: Text | None = Field(None, description="a piece of the call's id")
    flagged: bool | None = None
    outcome: screens.Outcome | None = None
    state: screens.Stage | None = None
    kind: screens.Kind | None = Field(
        None,
        description="only missed rings, later parts, or what never came whole; `orphan`: either side of it",
    )
    sort: Literal["newest", "flagged"] = "newest"
    cursor: Annotated[str, Field(max_length=1024)] | None = None
    limit: int = Field(50, ge=1, le=200)


class OpenQuery(BaseModel):
    """Why a call is opened; it stands in the access log."""

    model_config = ConfigDict(extra="forbid")

    purpose: Why = "review"


async def list_calls(request: web.Request) -> web.Response:
    query = asked(request, CallsQuery)
    only = Wanted(
        agent=query.agent,
        unassigned=query.unassigned,
        day=query.day,
        text=query.text,
        flagged=query.flagged,
        outcome=query.outcome,
        stage=query.state,
        kind=query.kind,
    )
    listing = screens.flagged_first if query.sort == "flagged" else screens.newest
    async with work(request) as tx:
        page = await listing(tx, only, query.cursor, query.limit)
    return answer(models.CallPage(items=[data.call_row(row) for row in page.items], next=page.next))


async def open_call(request: web.Request, what: What) -> Opened:
    """Through the one door: the log's row is committed before anything is read."""
    services, principal = request.app[SERVICES], request.app[PRINCIPAL]
    why = asked(request, OpenQuery).purpose
    purpose = Purpose(why=why, place=request.remote or "unknown", what=what)
    return await access.open_call(services.store, services.site, principal.actor, call_id(request), purpose)


async def get_call(request: web.Request) -> web.Response:
    """The call without a word of what was said."""
    id = call_id(request)
    async with work(request) as tx:
        row = await screens.one(tx, id)
        if row is None:
            raise no_call(id)
        run = await runs.current(tx, f"call:{id}")
        kept = await recordings.of_call(tx, id)
        others = await calls.parts(tx, row.conversation or id) if data.parts(row) else []
        over = row.seat is not None and row.ended_at is not None and row.conclusion == "answered"
        wrap_up = await seats.wrap_up(tx, row.seat, row.ended_at) if over and row.seat and row.ended_at else None
    return answer(data.call(row, run, kept, wrap_up, others))


async def get_transcript(request: web.Request) -> web.Response:
    opened = await open_call(request, "transcript")
    heard = opened.transcripts[0] if opened.transcripts else None
    answer_ms = opened.recordings[0].answer_ms if opened.recordings else None
    found = data.transcript(heard, opened.run, answer_ms or 0)
    if found is None:
        raise Refusal(404, "No transcript", f"call {opened.call.id!r} has no transcript; its state says why")
    return answer(found)


async def get_scorecard(request: web.Request) -> web.Response:
    opened = await open_call(request, "card")
    if opened.run is None:
        raise Refusal(404, "Not scored", f"call {opened.call.id!r} is not scored yet; its state says what is under way")
    return answer(data.scorecard(opened.run))


async def get_events(request: web.Request) -> web.Response:
    id = call_id(request)
    async with work(request) as tx:
        row = await screens.one(tx, id)
        found = await stored_events.for_call(tx, row.conversation or id if row is not None else id)
        if not found and row is None:
            raise no_call(id)
    return answer(data.events(found))


async def list_episodes(request: web.Request) -> web.Response:
    async with work(request) as tx:
        found = await screens.episodes(tx)
    return answer(models.Episodes(items=[data.episode(row) for row in found]))
