"""Answers about the board: the picture once, or as a stream of what changes on it. What it shows is made elsewhere."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from qa.board import Picture, limits
from qa.board_alarms import alarms
from qa.web import board_data as data
from qa.web.board_feed import BOARD
from qa.web.context import SERVICES, answer, asked, work
from qa.web.problems import MANY, Refusal

BEAT_SECONDS = 5.0  # a screen that hears nothing for longer knows that its line is dead
log = logging.getLogger(__name__)


class FeedQuery(BaseModel):
    """Where a screen stopped, for one that cannot send the header `Last-Event-ID`."""

    model_config = ConfigDict(extra="forbid")

    last: str | None = Field(None, max_length=64, description="id of the last message that was seen")


async def get_board(request: web.Request) -> web.Response:
    settings, now = request.app[SERVICES].settings, datetime.now(UTC)
    picture = Picture(settings.zone, timedelta(minutes=settings.alarm_rest_minutes))
    async with work(request) as tx:
        await picture.load(tx, now)
        while due := picture.work_due(now):
            await picture.look_at_work(tx, due, now)
    seats, admitted = picture.seats().values(), limits(settings)
    return answer(data.board(now, picture.heard_at, seats, alarms(seats, now, admitted), admitted))


async def board_events(request: web.Request) -> web.StreamResponse:
    """A snapshot or what was missed, then changes as they come; a beat now and then tells the server's time."""
    last = request.headers.get("Last-Event-ID") or asked(request, FeedQuery).last
    feed = request.app[BOARD]
    if feed.full:
        raise Refusal(503, "Busy", MANY, {hdrs.RETRY_AFTER: "5"})
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    listener = feed.join(last)
    try:
        await response.write(b"retry: 1000\n\n")
        while not listener.lost:
            try:
                message = await asyncio.wait_for(listener.pending.get(), BEAT_SECONDS)
            except TimeoutError:
                message = f'event: beat\ndata: {{"at": "{datetime.now(UTC).isoformat()}"}}\n\n'
            await response.write(message.encode())
    except ConnectionResetError:
        log.debug("board: a screen was closed")
    finally:
        feed.leave(listener)
    return response
