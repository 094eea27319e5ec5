"""Tells open screens what changed: one watcher for all of them, asking the database while anybody listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp import hdrs, web

from qa.store import screens
from qa.store.errors import StoreError
from qa.store.pool import Tx
from qa.web import data, models
from qa.web.context import Services, work
from qa.web.problems import MANY, Refusal
from qa.web.site import totals

SNAPSHOT = 50  # calls that a fresh screen is told at once
SCREENS = 500  # at once
PENDING = 100  # messages that a slow screen may lag behind before it must start anew
BEAT_SECONDS = 15.0
BEAT = ": still here\n\n"
OVERLAP_SECONDS = 10.0  # rows show up when their transaction ends, later than the time they carry
REMEMBERED = 2000
log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Listener:
    """One open screen; ``lost`` is set when it could not keep up."""

    pending: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(PENDING))
    lost: bool = False


class Feed:
    """Looks for news once per interval while there are listeners, and hands each the same words."""

    def __init__(self, services: Services, every_seconds: float = 1.0) -> None:
        self._services = services
        self._every = every_seconds
        self._listeners: set[Listener] = set()
        self._wanted = asyncio.Event()
        self._told: dict[str, str] = {}
        self._totals: models.Totals | None = None

    def join(self) -> Listener:
        listener = Listener()
        self._listeners.add(listener)
        self._wanted.set()
        return listener

    @property
    def full(self) -> bool:
        return len(self._listeners) >= SCREENS

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        if not self._listeners:
            self._wanted.clear()

    async def run(self) -> None:
        """Until cancelled."""
        clock = asyncio.get_running_loop().time
        looked = clock()
        while True:
            await self._wanted.wait()
            began = clock()
            try:
                await self._look(began - looked + OVERLAP_SECONDS)
                looked = began
            except StoreError as error:
                log.warning("stream: %s", error)
            await asyncio.sleep(self._every)

    async def _look(self, seconds: float) -> None:
        async with self._services.store.site(self._services.site, "stream") as tx:
            rows = await self._news(tx, await screens.moved(tx, seconds))
            now = totals(await screens.totals(tx))
        if rows or now != self._totals:
            self._totals = now
            self._tell(_message("change", models.Change(calls=rows, totals=now)))

    async def _news(self, tx: Tx, ids: list[str]) -> list[models.CallRow]:
        """Rows that read otherwise than when they were told last."""
        fresh = []
        for id in ids:
            found = await screens.one(tx, id)
            row = data.call_row(found) if found else None
            text = row.model_dump_json() if row else ""
            if row and self._told.pop(id, None) != text:
                fresh.append(row)
            self._told[id] = text
        while len(self._told) > REMEMBERED:
            self._told.pop(next(iter(self._told)))
        return fresh

    def _tell(self, message: str) -> None:
        for listener in self._listeners:
            try:
                listener.pending.put_nowait(message)
            except asyncio.QueueFull:
                listener.lost = True

    def close(self) -> None:
        """The service stops: every screen is let go, and comes back by itself when there is a service again."""
        for listener in self._listeners:
            listener.lost = True
        self._tell(BEAT)


FEED: web.AppKey[Feed] = web.AppKey("feed", Feed)


async def watch(app: web.Application) -> AsyncIterator[None]:
    """The watcher lives as long as the application."""
    task = asyncio.create_task(app[FEED].run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def let_go(app: web.Application) -> None:
    app[FEED].close()


def _message(event: str, change: models.Change) -> str:
    return f"event: {event}\ndata: {change.model_dump_json()}\n\n"


async def stream(request: web.Request) -> web.StreamResponse:
    """A snapshot, then changes as they come; a comment now and then shows that the line still stands."""
    feed = request.app[FEED]
    if feed.full:
        raise Refusal(503, "Busy", MANY, {hdrs.RETRY_AFTER: "5"})
    listener = feed.join()
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", "X-Accel-Buffering": "no"})
    try:
        first = await _snapshot(request)
        await response.prepare(request)
        await response.write(f"retry: 2000\n{first}".encode())
        while not listener.lost:
            try:
                message = await asyncio.wait_for(listener.pending.get(), BEAT_SECONDS)
            except TimeoutError:
                message = BEAT
            await response.write(message.encode())
    except ConnectionResetError:
        log.debug("stream: a screen was closed")
    finally:
        feed.leave(listener)
    return response


async def _snapshot(request: web.Request) -> str:
    async with work(request) as tx:
        page = await screens.newest(tx, limit=SNAPSHOT)
        now = totals(await screens.totals(tx))
    return _message("snapshot", models.Change(calls=[data.call_row(row) for row in page.items], totals=now))
