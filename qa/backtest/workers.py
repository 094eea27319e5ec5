"""Stretches of the archive read and judged in processes of their own; what comes back is added up, never the calls.

Each process has its own connection and its own copy of the packs. With no process (0) the work is done here, as for an
archive that would be through before a process has started.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from qa.backtest.draft import Draft
from qa.backtest.judge import Held, Judge
from qa.backtest.sides import Side
from qa.backtest.tally import Tally
from qa.store import facts
from qa.store.errors import StoreError
from qa.store.pool import Store
from scoring.overlay import Overlay
from scoring.pack import Pack

Stretch = tuple[int, int]
ACTOR = "backtest"


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a process needs, as values that travel: the database, what holds by day, what the draft puts there."""

    dsn: str
    site: str
    held: tuple[tuple[date, Side], ...]  # from which day on
    draft: Draft
    pack: Pack | None
    overlay: Overlay | None
    first: date | None
    last: date | None

    def judge(self) -> Judge:
        """The judge of this job; made anew in every process."""
        return Judge(Held(self.held), self.after, self.draft.matcher(), self.draft.matcher("chat"))

    def after(self, before: Side) -> Side:
        return Side(self.pack or before.pack, before.overlay if self.overlay is None else self.overlay)


async def judged(store: Store, job: Job, judge: Judge, stretch: Stretch) -> Tally:
    """One stretch, in one transaction."""
    async with store.site(job.site, ACTOR) as tx:
        rows = await facts.stretch(tx, *stretch, job.first, job.last, bodies=judge.needs_facts)
    return judge.tally(rows)


# --- one process


class _Here:
    """What a process keeps between stretches."""

    job: Job
    judge: Judge
    store: Store
    runner: asyncio.Runner


def _begin(job: Job) -> None:
    _Here.job, _Here.judge, _Here.runner = job, job.judge(), asyncio.Runner()
    _Here.store = _Here.runner.run(Store.open(job.dsn, size=1))
    gc.freeze()  # packs and modules stay; what a stretch makes is let go without a search through them
    gc.set_threshold(200_000, 20, 100)


def _work(stretch: Stretch) -> Tally:
    found = _Here.runner.run(judged(_Here.store, _Here.job, _Here.judge, stretch))
    found.memory_mb = _memory_mb()
    return found


def _memory_mb() -> float:
    """The most that this process has held; what its parent held before it began is not its own."""
    try:
        told = Path("/proc/self/status").read_text(encoding="ascii")
        return int(told.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        return 0.0


# --- all of them


async def over(store: Store, job: Job, todo: Sequence[Stretch], processes: int) -> AsyncIterator[tuple[Stretch, Tally]]:
    """Every stretch with what it came to, as each is done; a few wait at a time, so that nothing piles up."""
    if processes == 0:
        judge = job.judge()
        for one in todo:
            yield one, await judged(store, job, judge, one)
        return
    context = multiprocessing.get_context("spawn")  # a fork would share this process's connections
    pool = ProcessPoolExecutor(processes, context, _begin, (job,))
    try:
        async for done in _through(pool, todo, processes * 2):
            yield done
    except BrokenProcessPool as error:
        raise StoreError("backtest: a process was ended from outside; run it again, it goes on where it was") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


async def _through(
    pool: ProcessPoolExecutor, todo: Sequence[Stretch], at_once: int
) -> AsyncIterator[tuple[Stretch, Tally]]:
    waiting: dict[asyncio.Future[Tally], Stretch] = {}
    left = iter(todo)
    while True:
        with suppress(StopIteration):
            while len(waiting) < at_once:
                one = next(left)
                future: Future[Any] = pool.submit(_work, one)
                waiting[asyncio.wrap_future(future)] = one
        if not waiting:
            return
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            yield waiting.pop(each), each.result()
