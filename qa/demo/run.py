"""The main job in one process: database, ingest, worker and web; the bundled calls are played, heard, scored and shown.

What is measured is printed: start (until the sockets are open) and first score (of a call that was heard).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import uvloop

from qa.demo.play import Line, play_call, play_seat
from qa.demo.script import DemoCall, DemoSeat, calls, seats
from qa.logs import to_stderr
from qa.private import keep_private
from qa.report import scored, text
from qa.serve import check_addresses
from qa.services import (
    Services,
    fixture_model,
    now,
    opened,
    start_folds,
    start_ingest,
    start_web,
    start_worker,
    until_stopped,
)
from qa.settings import Settings, load_settings
from qa.site import DEMO
from qa.store import events, runs
from scoring.facts import load

GIVE_UP = 180.0  # seconds without a new score after the last hang-up
NICENESS = 10  # of the recogniser: somebody waits for the scores, but the sockets come first
STAGGER = 2.0  # seconds between two calls when phones really ring
LOOK = 0.2
ACTOR = "demo"
Say = Callable[[str], None]


@dataclass(slots=True)
class Demo:
    """One run of the demo and what came of it."""

    services: Services
    line: Line
    as_json: bool
    say: Say
    began: float
    fast: bool
    wanted: dict[str, DemoCall | DemoSeat] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    heard_first: bool = False
    since: datetime = field(default_factory=lambda: now() - max(seat.length for seat in seats()))

    async def play(self) -> None:
        """All calls and seats; returns when the last phone is hung up."""
        ended = now()
        async with asyncio.TaskGroup() as group:
            for seat in seats():
                mine = await self._free(seat, ended)
                self.wanted[f"away:{mine.seat}"] = mine
                group.create_task(play_seat(self.line, mine, ended))
            for number, call in enumerate(sorted(calls(), key=lambda one: one.length)):
                self.wanted[f"call:{self.line.call_id(call)}"] = call
                group.create_task(self._later(call, 0.0 if self.fast else number * STAGGER))

    async def _later(self, call: DemoCall, wait: float) -> None:
        await asyncio.sleep(wait)
        await play_call(self.line, call, self.fast)

    async def _free(self, seat: DemoSeat, end: datetime) -> DemoSeat:
        """The seat, or one of another name where an earlier run's story is still within this one's time."""
        async with self.services.store.site(DEMO, ACTOR) as tx:
            told = await events.for_seat(tx, seat.seat, end - seat.length - timedelta(minutes=1))
        name = f"{seat.seat}-{self.line.run}" if told else seat.seat
        return DemoSeat(seat.id, seat.title, name, seat.agent, seat.events, seat.expect)

    async def collect(self, played: asyncio.Task[None]) -> None:
        """Print each scorecard as it comes, until all are there or none can come any more."""
        missing: list[str] | None = None
        deadline = 0.0
        while missing is None or missing:
            before, missing = missing, await self._look() if self.wanted else None
            if played.done():
                played.result()
                if not deadline or missing != before:
                    deadline = time.monotonic() + GIVE_UP
                if missing and time.monotonic() > deadline:
                    self._give_up(missing)
                    self.faults += [f"{name}: no score within {GIVE_UP:.0f} s" for name in missing]
                    return
            await asyncio.sleep(LOOK)

    def _give_up(self, missing: list[str]) -> None:
        """Say of each call that has no score that it has none."""
        for name in missing:
            lost = {"call": name.partition(":")[2], "error": f"no score within {GIVE_UP:.0f} s; see the log"}
            self.say(json.dumps(lost, ensure_ascii=False) if self.as_json else text(lost) + "\n")

    async def _look(self) -> list[str]:
        """Show what is newly scored; the subjects that are still waited for."""
        missing = []
        for name, script in list(self.wanted.items()):
            run = await self._run(name)
            if run is None:
                missing.append(name)
            else:
                self._show(script, run)
                del self.wanted[name]
        return missing

    async def _run(self, name: str) -> runs.Run | None:
        async with self.services.store.site(DEMO, ACTOR) as tx:
            if name.startswith("call:"):
                return await runs.current(tx, name)
            async for run in runs.every(tx):
                mine = run.at is not None and run.at >= self.since
                if run.is_current and mine and run.subject.startswith(f"{name}:"):
                    return run
        return None

    def _show(self, script: DemoCall | DemoSeat, run: runs.Run) -> None:
        facts, card = load(run.facts), json.loads(run.card)
        name = run.subject.partition(":")[2] if facts.call else script.id
        result = scored(name, facts, card, [])
        self.say(json.dumps(result, ensure_ascii=False) if self.as_json else text(result, script.title["en"]) + "\n")
        if facts.call is not None and facts.call.turns and not self.heard_first:
            self.heard_first = True
            note(f"first score: {time.monotonic() - self.began:.1f} s")
        self.faults += expected(script.id, script.expect, card)


def expected(name: str, expect: Mapping[str, str], card: Mapping[str, Any]) -> list[str]:
    """Where a scorecard says something else than the script of its call."""
    found = {line["rule"]: line["outcome"] for line in card["lines"]}
    return [
        f"{name}: {rule} came out {found.get(rule, 'not at all')}, expected {outcome}"
        for rule, outcome in expect.items()
        if found.get(rule) != outcome
    ]


def note(line: str) -> None:
    """A word beside the results."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def run_demo(*, once: bool, fast: bool, as_json: bool, port: int | None, say: Say) -> int:
    """The whole demo; 0 when every call was scored as its script says."""
    began = time.monotonic()
    settings = load_settings(site=DEMO, model="fixture", web_port=port)
    to_stderr("warning" if settings.log_level == "info" else settings.log_level)
    keep_private()
    check_addresses(settings, ("ingest",) if once else ("ingest", "web"))
    return uvloop.run(_demo(settings, began, once, fast, as_json, say))


async def _demo(settings: Settings, began: float, once: bool, fast: bool, as_json: bool, say: Say) -> int:
    async with opened(settings, DEMO, "Demo") as services, AsyncExitStack() as stack:
        await start_worker(services, stack, fixture_model(), NICENESS)
        ingest, wake = await start_ingest(services, stack)
        await start_folds(services, wake)
        note(f"start: {time.monotonic() - began:.1f} s")
        line = Line(
            f"http://{settings.host}:{ingest.http_port}",
            (settings.host, ingest.audiosocket_port),
            settings.secret,
            now().strftime("%m%d%H%M%S"),
            settings.source_key.get_secret_value() if settings.source_key else None,
        )
        demo = Demo(services, line, as_json, say, time.monotonic(), fast)
        web_port = None if once else await start_web(services, stack)
        await _played(services, demo)
        for fault in demo.faults:
            note(f"seatwatch: {fault}")
        if web_port is not None:
            note(f"screens: {services.status['web']}  Ctrl-C ends it")
            await until_stopped(services)
        return 1 if demo.faults else 0


async def _played(services: Services, demo: Demo) -> None:
    """Play and collect; a part that fails meanwhile ends the demo with its error."""
    played = asyncio.create_task(demo.play(), name="play")
    collected = asyncio.create_task(demo.collect(played), name="collect")
    failing = asyncio.create_task(services.failed(), name="failures")
    try:
        await asyncio.wait({collected, failing}, return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            failing.result()
        await collected
    finally:
        for task in (played, collected, failing):
            task.cancel()
        await asyncio.gather(played, collected, failing, return_exceptions=True)
