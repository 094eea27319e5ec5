"""Follows the board while anybody looks at it, and tells every open screen the same words about what changed.

Messages are numbered and the last ones kept, so that a screen whose line broke is told what it missed. A database that
is away ends nothing: the last picture stays, and the screens are told that it is old.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from pydantic import BaseModel

from qa.board import Picture, limits
from qa.board_alarms import Alarm, SeatNow, alarms
from qa.store.bell import Bell
from qa.store.errors import StoreError
from qa.web import board_data as data
from qa.web import board_models as models
from qa.web.context import Services

TICK_SECONDS = 0.25  # how late an alarm that time alone raises may be
GATHER_SECONDS = 0.05  # news that come together are told together
ALL_SECONDS = 2.0  # everything is read again, whatever the bell said
AGAIN_SECONDS = 0.5  # after the database was away
PENDING = 200  # messages that a slow screen may lag behind before it must start anew
SAME_PICTURE = timedelta(seconds=0.5)  # it tells the time, too
SCREENS = 500  # at once
KEPT = 2000  # messages that a screen may have missed
log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Listener:
    """One open screen. ``last``: the message that it saw last; ``greeted``: it has the picture, or is about to get it;
    ``lost``: it could not keep up."""

    last: str | None = None
    greeted: bool = False
    pending: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(PENDING))
    lost: bool = False

    def tell(self, message: str) -> None:
        try:
            self.pending.put_nowait(message)
        except asyncio.QueueFull:
            self.lost = True


class BoardFeed:
    """One per process. ``now`` is the clock."""

    def __init__(
        self, services: Services, now: Callable[[], datetime] = lambda: datetime.now(UTC), tick: float = TICK_SECONDS
    ) -> None:
        settings = services.settings
        self._services, self._now, self._tick = services, now, tick
        self._limits = limits(settings)
        self._picture = Picture(settings.zone, timedelta(minutes=settings.alarm_rest_minutes))
        self._listeners: set[Listener] = set()
        self._wanted = asyncio.Event()
        self._epoch = secrets.token_hex(4)
        self._kept: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._number = 0
        self._whole = (-1, datetime.min.replace(tzinfo=UTC), "")
        self._seats: dict[str, SeatNow] = {}
        self._alarms: list[Alarm] = []
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self._follows = False  # the picture is kept up to date at this moment
        self._away_since: datetime | None = None

    def join(self, last: str | None = None) -> Listener:
        """A new screen is told what it missed, or everything, as soon as the picture is up to date."""
        listener = Listener(last)
        self._listeners.add(listener)
        if self._follows:
            self._greet(listener)
        elif self._away_since is not None:
            self._greet_while_away(listener)
        self._wanted.set()
        return listener

    @property
    def full(self) -> bool:
        return len(self._listeners) >= SCREENS

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def close(self) -> None:
        """The service stops: screens come back by themselves when there is a service again."""
        for listener in self._listeners:
            listener.lost = True
            listener.tell("\n")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                await self._follow()
                self._wanted.clear()
            except StoreError as error:
                await self._rest(error)
            except Exception as error:  # a defect must not leave every screen with an old picture for good
                log.exception("board: cannot be followed")
                await self._rest(error)

    async def _rest(self, error: Exception) -> None:
        self._follows = False
        self._lost(error)
        await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self) -> None:
        """While anybody looks."""
        bell, clock = Bell(self._services.store.dsn, self._services.site), asyncio.get_running_loop().time
        try:
            await bell.hang()
            await self._read(None)
            self._found()
            read_all = clock()
            while self._listeners:
                news = await bell.heard(self._tick)
                if everything := clock() - read_all >= ALL_SECONDS:
                    read_all = clock()
                if news or everything or self._picture.work_due(self._now()):
                    await self._read(None if everything else news)
                self._compare()
                if news:
                    await asyncio.sleep(GATHER_SECONDS)
            self._follows = False
        finally:
            bell.close()

    async def _read(self, news: set[tuple[str, str]] | None) -> None:
        now, picture = self._now(), self._picture
        async with self._services.store.site(self._services.site, "board") as tx:
            if news is None:
                await picture.load(tx, now)
            elif news:
                seats = {id for kind, id in news if kind == "seat"}
                await picture.refresh(tx, seats, {id for kind, id in news if kind == "call"}, now)
            if due := picture.work_due(now):
                await picture.look_at_work(tx, due, now)

    def _compare(self) -> None:
        """Tell what reads otherwise than it was told last."""
        now, seats = self._now(), self._picture.seats()
        fresh = [
            one for name, one in seats.items() if self._seats.get(name) is not one and self._seats.get(name) != one
        ]
        gone = sorted(self._seats.keys() - seats.keys())
        found = self._look_for_alarms(seats, now, bool(fresh or gone))
        changed = found != self._alarms
        self._seats, self._alarms = dict(seats), found
        if not (fresh or gone or changed):
            return
        self._number += 1
        delta = models.BoardDelta(
            at=now,
            heard_at=self._picture.heard_at,
            seats=[data.seat(one) for one in fresh],
            gone=gone,
            alarms=[data.alarm(one) for one in found] if changed else None,
        )
        message = self._message("delta", delta)
        self._kept.append((self._number, message))
        for listener in self._listeners:
            if listener.greeted:
                listener.tell(message)

    def _look_for_alarms(self, seats: Mapping[str, SeatNow], now: datetime, news: bool) -> list[Alarm]:
        """Time raises alarms, too, but it need not be asked more often than the tick."""
        if not news and now - self._looked_at < timedelta(seconds=self._tick * 0.9):
            return self._alarms
        self._looked_at = now
        return alarms(seats.values(), now, self._limits)

    def _found(self) -> None:
        """The picture is up to date (again): who had it is told what changed, who waits for it is greeted."""
        self._compare()
        self._follows = True
        for listener in self._listeners:
            if not listener.greeted:
                self._greet(listener)
            if self._away_since is not None:
                listener.tell(_status("here", None))
        self._away_since = None

    def _lost(self, error: Exception) -> None:
        """The last picture stays, and everybody is told once that it is old."""
        if self._away_since is not None:
            return
        log.warning("board: %s", error)
        self._away_since = self._now()
        for listener in self._listeners:
            self._greet_while_away(listener)

    def _greet_while_away(self, listener: Listener) -> None:
        if self._seats and not listener.greeted:
            self._greet(listener)
        listener.tell(_status("away", self._away_since))

    def _greet(self, listener: Listener) -> None:
        listener.greeted = True
        missed = self._missed(listener.last)
        for message in [self._snapshot()] if missed is None else missed:
            listener.tell(message)

    def _snapshot(self) -> str:
        """Many screens come back at once after a restart; they get the same words for as long as those are true."""
        now, (number, at, message) = self._now(), self._whole
        if number != self._number or now - at > SAME_PICTURE:
            message = self._message("snapshot", self.board())
            self._whole = (self._number, now, message)
        return message

    def _missed(self, last: str | None) -> list[str] | None:
        """Messages after the last one seen; None where that cannot be told."""
        epoch, _, number = (last or "").partition("-")
        if epoch != self._epoch or not number.isdecimal() or len(number) > 15:
            return None
        seen = int(number)
        oldest = self._kept[0][0] if self._kept else self._number + 1
        if not oldest - 1 <= seen <= self._number or self._number - seen > PENDING // 2:
            return None
        return [message for n, message in self._kept if n > seen]

    def board(self) -> models.Board:
        """The picture as it was told last."""
        return data.board(self._now(), self._picture.heard_at, self._seats.values(), self._alarms, self._limits)

    def _message(self, event: str, value: BaseModel) -> str:
        return f"event: {event}\nid: {self._epoch}-{self._number}\ndata: {value.model_dump_json()}\n\n"


def _status(database: str, since: datetime | None) -> str:
    when = f'"{since.isoformat()}"' if since else "null"
    return f'event: status\ndata: {{"database": "{database}", "since": {when}}}\n\n'


BOARD: web.AppKey[BoardFeed] = web.AppKey("board", BoardFeed)


async def follow(app: web.Application) -> AsyncIterator[None]:
    """The feed lives as long as the application."""
    task = asyncio.create_task(app[BOARD].run(), name="board")
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def let_screens_go(app: web.Application) -> None:
    app[BOARD].close()
