"""Durable jobs on pgqueuer's tables: enqueued inside our transactions, claimed by workers, retried, kept on failure.

The only module that knows pgqueuer. What a job does stands in ``qa/jobs.py``. Jobs run at least once, so every
handler rests on a unique key of its own. Job tables hold no site data but the payload, which names its site.

Each worker holds an advisory lock for as long as it lives: what a worker without its lock had in hand is free at once.
A database that is away is no failure of a job: the job waits for it, and so does the worker.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any

import asyncpg
import structlog

from qa.store.canon import dumps, loads
from qa.store.errors import DRIVER, StoreAway, StoreBusy, StoreFull, speaking, spoken
from qa.store.pool import Tx
from qa.store.queries import sql

log = structlog.get_logger(__name__)

HEARTBEAT = timedelta(seconds=120)  # a busy worker is not taken for a dead one
ATTEMPTS = 5  # then the job waits for a person
LOOK_SECONDS = 5.0  # how often a worker looks for what dead ones left
AGAIN_SECONDS = 1.0  # between two tries while the database is away
_LOCK = 0x5EA7_10B5  # advisory lock: one installing process at a time
_AWAY = (StoreAway, StoreBusy, StoreFull)
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


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a kind of job does, and within which limits."""

    name: str
    handler: Handler
    attempts: int
    at_once: int
    first_delay_s: float


class Queue:
    """A worker's end of the queue, on connections of its own."""

    def __init__(self, dsn: str, heartbeat: timedelta) -> None:
        self._dsn = dsn
        self._heartbeat = heartbeat
        self._kinds: list[_Kind] = []
        self._stopping = asyncio.Event()
        self._app: Any = None

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str, *, heartbeat: timedelta = HEARTBEAT) -> AsyncIterator[Queue]:
        queue = cls(dsn, heartbeat)
        try:
            yield queue
        finally:
            queue.stop()

    def handle(
        self, name: str, handler: Handler, *, attempts: int = ATTEMPTS, at_once: int = 0, first_delay_s: float = 1.0
    ) -> None:
        """Register what a kind of job does; a raised error means: try again later, at last keep it for a person."""
        self._kinds.append(_Kind(name, handler, attempts, at_once, first_delay_s))

    async def run(self, *, batch: int = 4) -> None:
        """Work until ``stop`` is called; jobs in hand are finished. At most twice a batch run at a time."""
        while not self._stopping.is_set():
            try:
                await self._work(batch)
            except _AWAY as error:
                log.warning("queue.away", says=str(error))
                await self._pause()

    def stop(self) -> None:
        self._stopping.set()
        if self._app is not None:
            self._app.shutdown.set()

    async def _work(self, batch: int) -> None:
        """On one set of connections, until one of them breaks."""
        from pgqueuer.applications import PgQueuer
        from pgqueuer.errors import FailingListenerError

        told = {"application_name": "seatwatch queue"}
        try:
            lock = await asyncpg.connect(self._dsn, timeout=10, server_settings=told)
            pool = await asyncpg.create_pool(self._dsn, min_size=0, max_size=4, timeout=10, server_settings=told)
            try:
                self._app = PgQueuer.from_asyncpg_pool(pool)
                for kind in self._kinds:
                    self._register(kind)
                await lock.execute(sql("queue.hold_worker"), str(self._app.qm.queue_manager_id))
                await self._beside(lock, batch)
            finally:
                pool.terminate()  # what a job had open is rolled back and run again by another
                lock.terminate()
        except DRIVER as error:
            raise spoken(error) from error
        except (TimeoutError, FailingListenerError) as error:
            raise StoreAway(f"database: does not answer ({type(error).__name__}); see that the server runs") from error

    async def _beside(self, lock: asyncpg.Connection, batch: int) -> None:
        """The work itself, and next to it the look for what dead workers left; the first that fails ends both."""
        looking = asyncio.create_task(self._look(lock), name="queue-look")
        working = asyncio.create_task(
            self._app.run(
                batch_size=batch,
                max_concurrent_tasks=2 * batch,
                heartbeat_timeout=self._heartbeat,
                dequeue_timeout=timedelta(seconds=2),
                # Its first probe may overtake its own LISTEN and then fail for nothing; a lost database is noticed by
                # the look beside it, and jobs are found without notices, too.
                shutdown_on_listener_failure=False,
            ),
            name="queue-work",
        )
        try:
            done, _ = await asyncio.wait({looking, working}, return_when=asyncio.FIRST_COMPLETED)
            self._app.shutdown.set()
            if working not in done:
                await asyncio.wait({working})  # jobs in hand wait for the database, and are finished
        finally:
            for task in (looking, working):
                task.cancel()
            outcomes = await asyncio.gather(looking, working, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _look(self, lock: asyncpg.Connection) -> None:
        while not self._stopping.is_set():
            await lock.execute(sql("queue.free"))
            await self._pause(LOOK_SECONDS)

    async def _pause(self, seconds: float = AGAIN_SECONDS) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _register(self, kind: _Kind) -> None:
        from pgqueuer.executors import DatabaseRetryEntrypointExecutor
        from pgqueuer.models import Job

        async def call(job: Job) -> None:
            await self._patiently(kind.handler, loads((job.payload or b"{}").decode()))

        retry = functools.partial(
            DatabaseRetryEntrypointExecutor,
            max_attempts=kind.attempts - 1,
            initial_delay=timedelta(seconds=kind.first_delay_s),
        )
        register = self._app.entrypoint(
            kind.name, concurrency_limit=kind.at_once, on_failure="hold", executor_factory=retry
        )
        register(call)

    async def _patiently(self, handler: Handler, payload: dict[str, Any]) -> None:
        """The job, from its begin again for as long as the database is away: no attempt is used up."""
        while True:
            try:
                return await handler(payload)
            except _AWAY as error:
                log.warning("job.waits", says=str(error))
                await self._pause()
                if self._stopping.is_set():
                    raise


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
