"""Durable jobs: with the transaction or not at all, once per key, retried, kept for a person, survived by another."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from qa.store import queue
from qa.store.errors import StoreAway
from qa.store.pool import Store
from qa.store.queries import sql
from qa.store.queue import Queue


async def put(store: Store, call: str, site: str = "main", key: str | None = None) -> int | None:
    async with store.site(site, "worker") as tx:
        return await queue.enqueue(tx, "transcribe", {"call": call}, key)


async def work(store: Store, handler: queue.Handler, until: asyncio.Event, **options: Any) -> None:
    async with Queue.open(store.dsn) as jobs:
        jobs.handle("transcribe", handler, first_delay_s=0.01, **options)
        running = asyncio.create_task(jobs.run())
        async with asyncio.timeout(20):
            await until.wait()
        jobs.stop()
        async with asyncio.timeout(20):
            await running


async def test_a_job_exists_only_when_its_transaction_commits(store: Store) -> None:
    with pytest.raises(RuntimeError):
        async with store.site("main", "worker") as tx:
            await queue.enqueue(tx, "transcribe", {"call": "rolled back"})
            raise RuntimeError
    assert await put(store, "c1") is not None
    done, seen = asyncio.Event(), []

    async def handler(payload: dict[str, Any]) -> None:
        seen.append(payload)
        done.set()

    await work(store, handler, done)
    assert seen == [{"call": "c1", "site": "main"}]
    async with store.site("main", "reader") as tx:
        assert await queue.waiting(tx) == {}


async def test_one_key_waits_once_per_site(store: Store) -> None:
    await store.add_site("north", "North", "Asia/Seoul", "test")
    assert await put(store, "c1", key="c1") is not None
    assert await put(store, "c1", key="c1") is None
    assert await put(store, "c1", "north", key="c1") is not None
    for site in ("main", "north"):
        async with store.site(site, "reader") as tx:
            assert await queue.waiting(tx) == {"transcribe": 1}


async def test_a_failing_job_is_tried_again_and_at_last_kept_for_a_person(store: Store) -> None:
    await put(store, "c1")
    tries, last = 0, asyncio.Event()

    async def handler(_: dict[str, Any]) -> None:
        nonlocal tries
        tries += 1
        if tries == 3:
            last.set()
        raise OSError("no such file")

    await work(store, handler, last, attempts=3)
    assert tries == 3
    await store.add_site("north", "North", "Asia/Seoul", "test")
    async with store.site("north", "reader") as tx:
        assert await queue.failed(tx) == []
    async with store.site("main", "worker") as tx:
        [job] = await queue.failed(tx)
        assert (job.name, job.payload["call"]) == ("transcribe", "c1")
        assert await queue.again(tx, job.id)
    repaired = asyncio.Event()

    async def better(_: dict[str, Any]) -> None:
        repaired.set()

    await work(store, better, repaired)
    async with store.site("main", "reader") as tx:
        assert (await queue.failed(tx), await queue.waiting(tx)) == ([], {})


async def test_a_job_of_a_dead_worker_is_run_again_by_another(store: Store) -> None:
    await put(store, "c1")
    conn = await asyncpg.connect(store.dsn)
    await conn.execute(  # what a worker leaves that died in the middle
        "UPDATE pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(), attempts = 0, "
        "updated = now() - interval '1 hour', heartbeat = now() - interval '1 hour'"
    )
    await conn.close()
    again = asyncio.Event()

    async def handler(_: dict[str, Any]) -> None:
        again.set()

    await work(store, handler, again)


async def test_what_a_killed_worker_had_in_hand_is_free_at_once(store: Store) -> None:
    """A worker that lives keeps its job however old its heartbeat is; one without its lock does not."""
    await put(store, "c1")
    began, ends, again, seen = asyncio.Event(), asyncio.Event(), asyncio.Event(), []

    async def stays(payload: dict[str, Any]) -> None:
        began.set()
        await ends.wait()

    async def handler(payload: dict[str, Any]) -> None:
        seen.append(payload["call"])
        again.set()

    async with Queue.open(store.dsn) as jobs:
        jobs.handle("transcribe", stays, at_once=1)
        running = asyncio.create_task(jobs.run())
        async with asyncio.timeout(20):
            await began.wait()
        conn = await asyncpg.connect(store.dsn)
        try:
            assert await conn.execute(sql("queue.free")) == "UPDATE 0"
            await conn.execute("UPDATE pgqueuer SET queue_manager_id = gen_random_uuid()")  # it is nobody's any more
        finally:
            await conn.close()
        await work(store, handler, again, at_once=1)
        ends.set()
        jobs.stop()
        async with asyncio.timeout(20):
            await running
    assert seen == ["c1"]


async def cut_off(conn: asyncpg.Connection, name: str) -> None:
    await conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name)


async def test_a_worker_whose_connections_were_cut_works_on_by_itself(store: Store) -> None:
    seen: asyncio.Queue[str] = asyncio.Queue()

    async def handler(payload: dict[str, Any]) -> None:
        await seen.put(payload["call"])

    async with Queue.open(store.dsn) as jobs, asyncio.timeout(30):
        jobs.handle("transcribe", handler)
        running = asyncio.create_task(jobs.run())
        for call in ("c1", "c2", "c3"):
            await put(store, call)
            while await seen.get() != call:  # one that was cut off before it could say so comes again
                continue
            conn = await asyncpg.connect(store.dsn)
            await cut_off(conn, "seatwatch queue")
            await conn.close()
        jobs.stop()
        await running


async def test_a_database_that_is_away_uses_up_no_attempt(store: Store) -> None:
    await put(store, "c1")
    tries, done = 0, asyncio.Event()

    async def handler(_: dict[str, Any]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StoreAway("database: away")
        done.set()

    await work(store, handler, done, attempts=1)
    async with store.site("main", "reader") as tx:
        assert (await queue.failed(tx), await queue.waiting(tx)) == ([], {})


def test_a_busy_worker_is_not_taken_for_a_dead_one_too_soon() -> None:
    assert queue.HEARTBEAT.total_seconds() >= 120
