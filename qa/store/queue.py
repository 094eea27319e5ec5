"""Durable jobs on pgqueuer's tables: enqueued inside our transactions, claimed by workers, retried, kept on failure.

The only module that knows pgqueuer. What a job does stands in ``qa/jobs.py``. Jobs run at least once, so every
handler rests on a unique key of its own. Job tables hold no site data but the payload, which names its site.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import asyncpg

from qa.store.canon import dumps, loads
from qa.store.errors import speaking
from qa.store.pool import Tx

HEARTBEAT = timedelta(seconds=120)  # a busy worker is not taken for a dead one
ATTEMPTS = 5  # then the job waits for a person
_LOCK = 0x5EA7_10B5  # advisory lock: one installing process at a time
_NOTE = "COMMENT ON TABLE pgqueuer IS "
_GRANT = """
GRANT SELECT, INSERT, UPDATE ON pgqueuer TO seatwatch_app;
GRANT SELECT, INSERT ON pgqueuer_log TO seatwatch_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO seatwatch_app
"""
Handler = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that failed for the last time and waits for a person."""

    id: int
    name: str
    payload: dict[str, Any]


async def install(conn: asyncpg.Connection) -> bool:
    """Make or upgrade pgqueuer's tables; False when this version's stand already."""
    told = f"pgqueuer {version('pgqueuer')}"
    if await conn.fetchval("SELECT obj_description(to_regclass('pgqueuer'))") == told:
        return False
    from pgqueuer.queries import Queries

    queries = Queries.from_asyncpg_connection(conn)
    await conn.execute("SELECT pg_advisory_lock($1)", _LOCK)
    try:
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()
        await conn.execute(_GRANT)
        await conn.execute(f"{_NOTE}'{told}'")
    finally:
        await conn.execute("SELECT pg_advisory_unlock($1)", _LOCK)
    return True


async def enqueue(
    tx: Tx, name: str, payload: Mapping[str, object], dedupe_key: str | None = None, *, priority: int = 0
) -> int | None:
    """A job that exists if and only if the transaction commits; None when one with this key waits or runs already."""
    from pgqueuer.queries import Queries

    queries = Queries.from_asyncpg_connection(tx.connection)
    body = dumps({"site": tx.site, **payload}).encode()
    key = None if dedupe_key is None else f"{tx.site}/{name}/{dedupe_key}"
    with speaking():
        made = await queries.enqueue(name, body, priority, dedupe_key=key, on_conflict="skip")
    return None if made[0] is None else int(made[0])


class Queue:
    """A worker's end of the queue, on connections of its own."""

    def __init__(self, pool: asyncpg.Pool, heartbeat: timedelta) -> None:
        from pgqueuer.applications import PgQueuer

        self._pool = pool
        self._heartbeat = heartbeat
        self._app = PgQueuer.from_asyncpg_pool(pool)

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, *, heartbeat: timedelta = HEARTBEAT) -> AsyncIterator[Queue]:
        with speaking():
            pool = await asyncpg.create_pool(
                dsn, min_size=0, max_size=4, timeout=10, server_settings={"application_name": "seatwatch queue"}
            )
        try:
            yield cls(pool, heartbeat)
        finally:
            pool.terminate()  # what a job had open is rolled back and run again by another

    def handle(
        self, name: str, handler: Handler, *, attempts: int = ATTEMPTS, at_once: int = 0, first_delay_s: float = 1.0
    ) -> None:
        """Register what a kind of job does; a raised error means: try again later, at last keep it for a person."""
        from pgqueuer.executors import DatabaseRetryEntrypointExecutor
        from pgqueuer.models import Job

        async def call(job: Job) -> None:
            await handler(loads((job.payload or b"{}").decode()))

        retry = functools.partial(
            DatabaseRetryEntrypointExecutor, max_attempts=attempts - 1, initial_delay=timedelta(seconds=first_delay_s)
        )
        self._app.entrypoint(name, concurrency_limit=at_once, on_failure="hold", executor_factory=retry)(call)

    async def run(self, *, batch: int = 4) -> None:
        """Work until ``stop`` is called; jobs in hand are finished. At most twice a batch run at a time."""
        await self._app.run(
            batch_size=batch,
            max_concurrent_tasks=2 * batch,
            heartbeat_timeout=self._heartbeat,
            dequeue_timeout=timedelta(seconds=2),
        )

    def stop(self) -> None:
        self._app.shutdown.set()


async def waiting(tx: Tx) -> dict[str, int]:
    """How many jobs of each kind wait or run, for /readyz and progress."""
    return {row["entrypoint"]: row["jobs"] for row in await tx.all("queue.waiting")}


async def failed(tx: Tx, limit: int = 100) -> list[Failed]:
    """Jobs that wait for a person, oldest first."""
    rows = await tx.all("queue.failed", limit)
    return [Failed(row["id"], row["name"], loads(row["payload"].decode())) for row in rows]


async def again(tx: Tx, job: int) -> bool:
    """Put a failed job back to work."""
    return await tx.run("queue.again", job) == 1
