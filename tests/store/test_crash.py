"""PostgreSQL killed under racing scorers: what was acknowledged stands, nothing twice, nothing half, no hole."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from qa.store import ledger, pidfile, runs
from qa.store.duty import Duty
from qa.store.errors import StoreAway, StoreBusy
from qa.store.pool import Store
from qa.store.postgres import Embedded
from qa.store.source import database
from tests.ingest.lab import tick
from tests.store import rows

SUBJECTS = 5


@dataclass
class Round:
    """One stretch of work between two kills."""

    number: int
    acked: set[tuple[str, str]] = field(default_factory=set)
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)


async def score(store: Store, worker: int, now: Round) -> None:
    """Record until told to stop; after a failure the same inputs again, as a job is run again."""
    version = 0
    while not now.done.is_set():
        subject, inputs = f"call:{version % SUBJECTS}", f"in-{now.number}-{worker}-{version}"
        try:
            async with store.site("main", f"worker-{worker}") as tx:
                await ledger.record(tx, rows.run(subject, inputs))
        except (StoreAway, StoreBusy):
            await asyncio.sleep(0.02)  # away: try again, as the queue does
            continue
        now.acked.add((subject, inputs))
        version += 1
        if len(now.acked) > 20:
            now.busy.set()


@pytest.mark.parametrize("kills", [2, pytest.param(12, marks=pytest.mark.slow)])
async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path, kills: int) -> None:
    acked: set[tuple[str, str]] = set()
    async with Embedded(tmp_path) as outer:
        store = await Store.open(outer.dsn, size=4)
        await store.migrate()
        await store.add_site("main", "Main", "Asia/Shanghai", "test")
        for number in range(kills):
            now = Round(number)
            workers = [asyncio.create_task(score(store, n, now)) for n in range(4)]
            async with asyncio.timeout(60):
                await now.busy.wait()
                note = pidfile.read(outer.folder)
                assert note is not None
                os.killpg(note.pid, signal.SIGKILL)
                async with Embedded(tmp_path) as again:
                    assert not again.adopted
                now.done.set()
                await asyncio.gather(*workers)
            acked |= now.acked
        async with store.site("main", "auditor") as tx:
            walk = await runs.walk_chain(tx)
            assert walk.clean, walk
            stored = {(one.subject, one.inputs) async for one in runs.every(tx)}
            assert acked <= stored
            for n in range(SUBJECTS):
                found = await runs.entries(tx, f"call:{n}")
                assert sum((one.points for one in found), Decimal(0)) == Decimal("-0.5")
                assert len(runs.in_force(found)) == 1
        await store.close()


async def test_a_killed_server_is_started_again_by_whoever_works_with_it(tmp_path: Path) -> None:
    async with database(None, tmp_path) as base:
        assert base.folder is not None
        store = await Store.open(base.dsn)
        for _ in range(2):
            note = pidfile.read(base.folder)
            assert note is not None
            os.kill(note.pid, signal.SIGKILL)
            async with asyncio.timeout(60):
                while not (other_than(note, base.folder) and await answers(store)):
                    await tick()
        await store.close()
    assert pidfile.read(base.folder) is None


def other_than(note: pidfile.Note, folder: Path) -> bool:
    after = pidfile.read(folder)
    return after is not None and after.pid != note.pid and after.status == "ready"


async def answers(store: Store) -> bool:
    try:
        await store.ping()
    except (StoreAway, StoreBusy):
        return False
    return True


async def test_a_duty_has_one_process_at_a_time_and_goes_on_to_the_next(dsn: str) -> None:
    first, second, elsewhere = (Duty(dsn, site, "folds") for site in ("main", "main", "north"))

    assert await first.mine()
    assert await first.mine()
    assert not await second.mine()
    assert await elsewhere.mine()
    first.close()
    async with asyncio.timeout(20):
        while not await second.mine():
            await tick()  # until the server has seen the end of the connection
    second.close()
    elsewhere.close()
