"""One Asterisk's manager port: logged in for as long as the process runs, and again whenever the line breaks.

What ``ingest.ami_calls`` makes of it goes into the spool, its taps to whoever taps. AMI repeats nothing: after a
reconnection the PBX is asked what stands, the time between is marked unknown at every seat, and Asterisk's queue_log,
where it can be read, tells the calls of that time. It asks for lists and pings; it changes nothing at the PBX.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.ami import Block, stamp
from ingest.ami_calls import AmiCalls
from ingest.ami_names import AmiConfig
from ingest.errors import AmiError, SpoolFailed, SpoolFull
from ingest.queue_log import fill
from ingest.shell.ami_line import AmiLine, log_in, opened
from ingest.shell.core import LOG, Core
from ingest.shell.last_word import LastWord
from ingest.taps import Tap

JITTER_S = (3.0, 30.0)  # the first reconnect comes within this time, later ones within this at most
TICK_S = 1.0
PING_AFTER_S, DEAD_AFTER_S = 10.0, 25.0  # of silence
LISTS_WITHIN_S = 10.0
EARLY_TRIES = 10
WAITING_EVENTS = 20_000
BATCH = 500
RETRY_S = 1.0
LOG_TAIL_BYTES = 8 * 1024 * 1024
FIRST_LOOK_BACK = timedelta(hours=1)
LISTS = {"QueueStatus": "QueueMember", "CoreShowChannels": "CoreShowChannel", "DeviceStateList": "DeviceStateChange"}


class AmiClient:
    """A part of an ingest process. ``up`` is set while the PBX is heard and its lists are in."""

    def __init__(
        self,
        config: AmiConfig,
        core: Core,
        want: Callable[[Tap], None] = lambda tap: None,
        jitter: Callable[[float], float] | None = None,
        kept: Path | None = None,
    ) -> None:
        self.config, self.calls = config, AmiCalls(config)
        self.up = asyncio.Event()
        self.connects = 0
        self._core, self._want = core, want
        self._jitter = jitter or (lambda most: random.uniform(0, most))
        self._waiting: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._stored = asyncio.Event()
        self._ahead = timedelta(0)  # of the PBX's clock before ours
        self._heard_at: datetime | None = None  # by the PBX's clock; None while nothing of it counts as known
        self._hole: datetime | None = None
        self._last_word = LastWord(kept)
        self._tasks: list[asyncio.Task[None]] = []
        self._said = ""
        self._early = 0

    async def start(self) -> None:
        """Returns at once; the PBX may be away for as long as it likes."""
        self._tasks = [
            asyncio.create_task(self._stay(), name=f"ami-{self.config.pbx}"),
            asyncio.create_task(self._carry(), name=f"ami-store-{self.config.pbx}"),
        ]

    async def stop(self) -> None:
        """Nothing is known of the seats any more; what was heard is stored."""
        if not self._tasks:
            return
        listening, carrying = self._tasks
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        self._heard_at = self._heard_at and self._pbx_now()  # silence up to here was silence of the PBX
        self._lose()
        await self.flush()
        self._last_word.forget()
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
        self._tasks = []

    async def flush(self) -> None:
        """Returns when everything heard so far is on disk, or the spool takes nothing for a while."""
        try:
            async with asyncio.timeout(5 * RETRY_S):
                while self._waiting:
                    self._stored.clear()
                    await self._stored.wait()
        except TimeoutError:
            self._core.refuse("AMI events", f"{self.config.pbx}: {len(self._waiting)} could not be stored at the end")

    # --- the line

    async def _stay(self) -> None:
        failed = 0
        while True:
            try:
                await self._talk()
                why = "the PBX closed the connection"
            except (AmiError, OSError, TimeoutError) as error:
                why = str(error) or type(error).__name__
            failed = 0 if self.up.is_set() else failed + 1
            self.up.clear()
            self._lose()
            first, most = JITTER_S
            wait = self._jitter(min(most, first * 2 ** max(0, min(failed, 8) - 1)))
            self._say(f"AMI {self.config.pbx}: {why}; trying again")
            await asyncio.sleep(wait)

    async def _talk(self) -> None:
        self._check_room()
        line = await opened(self.config)
        try:
            welcome = await log_in(line, self.config)
            self._clock(welcome.pinged_at)
            for warning in welcome.warnings:
                LOG.warning("AMI %s: %s", self.config.pbx, warning)
            await self._lists(line)
            self.connects += 1
            self._said, self._early = "", 0
            LOG.info("AMI %s: logged in, %s", self.config.pbx, welcome.banner)
            self.up.set()
            await self._listen(line)
        finally:
            line.close()

    async def _lists(self, line: AmiLine) -> None:
        """What stands now. What happens while the lists come is told after them."""
        found: dict[str, list[Block]] = {name: [] for name in LISTS}
        live: list[Block] = []
        refused = set()
        waits = {line.send(name): name for name in LISTS}
        async with asyncio.timeout(LISTS_WITHIN_S):
            while waits:
                if (blocks := await line.read()) is None:
                    raise AmiError("the PBX closed the connection while it was asked what stands")
                for block in blocks:
                    name = waits.get(block.get("ActionID", ""))
                    if name is None:
                        live.append(block)
                    elif block.get("Event") == LISTS[name]:
                        found[name].append(block)
                    elif block.get("EventList") == "Complete" or block.get("Response") == "Error":
                        del waits[block["ActionID"]]
                        if block.get("Response") == "Error":
                            self._refused(name, block.get("Message", ""))
                            refused.add(name)
        members, channels, devices = (None if name in refused else found[name] for name in LISTS)
        at = self._pbx_now()
        self._take(self.calls.restore(members, channels, devices, at))
        self._look_back(at)
        await self._fill(at)
        self._heard_at, self._hole = at, None
        self._hear(live)

    def _look_back(self, at: datetime) -> None:
        """At the first connection: a process before this one may have been killed while it listened."""
        before = self._last_word.read() if self.connects == 0 and self._hole is None else None
        if before is not None and before < at:
            self._hole = before
            self._take(self.calls.unheard(before))

    def _refused(self, name: str, message: str) -> None:
        """A PBX that has just started does not know all its lists yet: nothing may be concluded from that."""
        if "denied" not in message.lower() and self._early < EARLY_TRIES:
            self._early += 1
            raise AmiError(f"{name} is not known there yet ({message[:60]}); the PBX may be starting")
        LOG.warning("AMI %s: %s refused (%s); set write=reporting for this user", self.config.pbx, name, message[:60])

    async def _listen(self, line: AmiLine) -> None:
        silent_s = 0.0
        while True:
            try:
                async with asyncio.timeout(TICK_S):
                    blocks = await line.read()
            except TimeoutError:
                silent_s += TICK_S
                self._take(self.calls.tick(self._pbx_now()))
                if silent_s >= DEAD_AFTER_S:
                    raise AmiError(f"nothing heard for {silent_s:.0f} s, no answer to a ping") from None
                if silent_s >= PING_AFTER_S and silent_s % PING_AFTER_S < TICK_S:
                    line.send("Ping")
                continue
            if blocks is None:
                return
            silent_s = 0.0
            self._hear(blocks)
            await asyncio.sleep(0)  # a flood from here leaves the others their turn

    def _hear(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            if "Event" in block:
                self._take(self.calls.feed(block, self._pbx_now()))
                self._check_time()
            elif block.get("Ping") == "Pong":
                self._clock(stamp(block))
        self._heard_at = self._pbx_now()
        self._last_word.keep(max(self._heard_at, self.calls.seats.after_latest or self._heard_at))
        self._check_room()

    def _check_room(self) -> None:
        if len(self._waiting) > WAITING_EVENTS:
            raise AmiError(
                f"the spool takes nothing, and {len(self._waiting)} events wait; not listening until it does"
            )

    def _check_time(self) -> None:
        if self.calls.counts["without a time"] == 1:
            self.calls.counts["without a time"] += 1
            LOG.warning(
                "AMI %s: events carry no time, so ours is taken, late by what the network takes; "
                "set timestampevents=yes in manager.conf",
                self.config.pbx,
            )

    # --- time

    def _clock(self, pbx_at: datetime | None) -> None:
        if pbx_at is not None:
            self._ahead = pbx_at - self._core.now()

    def _pbx_now(self) -> datetime:
        return self._core.now() + self._ahead

    def _lose(self) -> None:
        """From the last word on nothing is known; the hole begins once, however often a reconnection fails."""
        if self._heard_at is not None:
            self._hole, self._heard_at = self._heard_at, None
            self._take(self.calls.lost(self._hole))

    # --- what is told

    def _take(self, told: Iterable[dict[str, Any] | Tap]) -> None:
        for one in told:
            if isinstance(one, Tap):
                self._want(one)
            else:
                self._waiting.append(one)
        self._news.set()

    async def _carry(self) -> None:
        """Into the spool, in order, again and again until it takes them."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = [self._waiting[at] for at in range(min(BATCH, len(self._waiting)))]
                try:
                    taken = await self._core.take_events(batch)
                except SpoolFull as error:
                    self._core.refuse("AMI events (waiting)", error)
                    await asyncio.sleep(RETRY_S)
                    continue
                except SpoolFailed:
                    return  # the process ends and says so
                for _ in batch:
                    self._waiting.popleft()
                for index, why in taken.refused:
                    self._core.refuse("AMI event", f"{batch[index].get('type')}: {why.field}: {why.reason}")
            self._stored.set()

    async def _fill(self, until: datetime) -> None:
        """What Asterisk's own log says of the time in which nobody listened."""
        if self.config.queue_log is None:
            return
        since = self._hole or until - FIRST_LOOK_BACK
        try:
            lines = await asyncio.to_thread(_tail, Path(self.config.queue_log))
        except OSError as error:
            self._core.refuse("queue_log", f"{self.config.queue_log}: {error}; the time from {since} stays unknown")
            return
        self._take(fill(lines, self.config, self.calls.names, since, until))

    def _say(self, what: str) -> None:
        """Once, however often it happens."""
        if what != self._said:
            self._said = what
            LOG.warning("%s", what)


def _tail(path: Path) -> list[str]:
    """The end of the log, from a whole line on."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - LOG_TAIL_BYTES))
        lines = file.read(LOG_TAIL_BYTES).decode("utf-8", "replace").splitlines()
    return lines[1:] if size > LOG_TAIL_BYTES else lines


async def greet(config: AmiConfig) -> str:
    """Log in once and leave: what answered, and what to put right. Raises AmiError, OSError or TimeoutError."""
    line = await opened(config)
    try:
        welcome = await log_in(line, config)
    finally:
        line.close()
    return "; ".join([welcome.banner, *welcome.warnings])
