"""The way in: a bounded pool of connections and one transaction at a time, walled into one site under one actor.

Nothing here knows a noun. Every acquire has a limit, every commit is shielded, a cancelled piece of work ends its
connection so that no half-spoken one goes back to the pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

import asyncpg

from qa.store import migrations
from qa.store.errors import DRIVER, CommitUnknown, NotFound, ServerTooOld, StoreAway, StoreBusy, speaking, spoken
from qa.store.queries import sql

OLDEST = 17  # builtin C.UTF-8 locale
ACQUIRE_SECONDS = 2.0
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """A site as the registry lists it."""

    id: str
    name: str
    zone: str


class Tx:
    """One transaction: runs named queries only."""

    def __init__(self, conn: asyncpg.Connection, site: str, actor: str) -> None:
        self._conn = conn
        self.site = site
        self.actor = actor

    @property
    def connection(self) -> Any:
        """The driver's connection, for the other modules of this package."""
        return self._conn

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """A part that an error inside undoes alone; the transaction goes on."""
        part = self._conn.transaction()
        with speaking():
            await part.start()
        try:
            yield
        except Exception:
            await _roll_back(self._conn, part)
            raise
        with speaking():
            await part.commit()

    async def all(self, name: str, *values: object) -> list[Row]:
        with speaking():
            rows: list[Row] = await self._conn.fetch(sql(name), *values)
            return rows

    async def one(self, name: str, *values: object) -> Row | None:
        with speaking():
            row: Row | None = await self._conn.fetchrow(sql(name), *values)
            return row

    async def need(self, name: str, what: str, *values: object) -> Row:
        """One row, or NotFound with what was looked for."""
        row = await self.one(name, *values)
        if row is None:
            raise NotFound(f"{what}: not at this site; list them to see the names")
        return row

    async def value(self, name: str, *values: object) -> Any:
        with speaking():
            return await self._conn.fetchval(sql(name), *values)

    async def run(self, name: str, *values: object) -> int:
        """How many rows it touched."""
        with speaking():
            status: str = await self._conn.execute(sql(name), *values)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, name: str, rows: Iterable[Sequence[object]]) -> None:
        with speaking():
            await self._conn.executemany(sql(name), list(rows))


class Store:
    """The database of one installation."""

    def __init__(self, pool: asyncpg.Pool, dsn: str, acquire_seconds: float) -> None:
        self._pool = pool
        self._limit = acquire_seconds
        self._releases: set[asyncio.Task[None]] = set()  # a task that nobody holds may vanish
        self.dsn = dsn

    @classmethod
    async def open(cls, dsn: str, *, size: int = 8, acquire_seconds: float = ACQUIRE_SECONDS) -> Self:
        """Connect, and refuse a server that is too old."""
        with speaking():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=0,  # a floor is refilled in the background, and a server that is away fills the log
                max_size=size,
                timeout=10,
                server_settings={
                    "application_name": "seatwatch",
                    "statement_timeout": "60s",
                    "idle_in_transaction_session_timeout": "120s",
                    "timezone": "UTC",
                },
            )
        store = cls(pool, dsn, acquire_seconds)
        try:
            await store._check_version()
        except BaseException:
            pool.terminate()
            raise
        return store

    async def close(self) -> None:
        """Give connections five seconds to come home, then cut them."""
        try:
            async with asyncio.timeout(5):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def migrate(self) -> bool:
        """Bring schema and job tables to this release; False when nothing was to do."""
        from qa.store import queue

        async with self._connection() as conn:
            with speaking():
                moved = await migrations.upgrade(conn)
                return await queue.install(conn) or moved

    async def revision(self) -> str | None:
        """The schema's revision, for /readyz: compare with ``migrations.HEAD``."""
        async with self._connection() as conn:
            with speaking():
                return await migrations.revision(conn)

    async def ping(self) -> None:
        """One round trip, or StoreBusy, or StoreAway."""
        async with self._connection() as conn:
            with speaking():
                await conn.execute("SELECT 1")

    async def add_site(self, site: str, name: str, zone: str, actor: str) -> None:
        """Make a site; one that stands is left as it is."""
        async with self._work("*", actor) as tx:
            await tx.run("sites.add", site, name, zone)

    async def remove_site(self, site: str, actor: str) -> None:
        """Take a site and every row of it away, its ledger included. There is no way back but a backup."""
        async with self._work("*", actor) as tx:
            await tx.run("sites.as_owner", site)
            await tx.run("sites.forget_jobs")
            await tx.run("sites.remove")

    async def sites(self) -> list[Site]:
        async with self._work("*", "service") as tx:
            return [Site(**row) for row in await tx.all("sites.all")]

    @asynccontextmanager
    async def site(self, site: str, actor: str) -> AsyncIterator[Tx]:
        """One transaction at one site; commits at the end, rolls back on any error."""
        if site == "*" or not site or not actor:
            raise ValueError("a piece of work needs a site and an actor; pass both")
        async with self._work(site, actor) as tx:
            yield tx

    @property
    def idle(self) -> tuple[int, int]:
        """(idle, open) connections, for metrics."""
        return self._pool.get_idle_size(), self._pool.get_size()

    @asynccontextmanager
    async def _work(self, site: str, actor: str) -> AsyncIterator[Tx]:
        async with self._connection() as conn:
            work = conn.transaction()
            with speaking():
                await work.start()
                if site == "*":
                    await conn.execute(sql("sites.registry"), actor)
                else:
                    await conn.execute(sql("sites.enter"), site, actor)
            try:
                yield Tx(conn, site, actor)
            except Exception as error:
                await _roll_back(conn, work)
                if isinstance(error, DRIVER):
                    raise spoken(error) from error
                raise
            await _commit(work)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        conn = await self._acquire()
        try:
            yield conn
        except BaseException as error:
            if not isinstance(error, Exception):
                _cut(conn)  # cancelled in the middle: the server rolls back, the pool makes a new one
            raise
        finally:
            ending = asyncio.ensure_future(self._release(conn))
            self._releases.add(ending)
            ending.add_done_callback(self._releases.discard)
            await asyncio.shield(ending)

    async def _acquire(self) -> asyncpg.Connection:
        try:
            return await self._pool.acquire(timeout=self._limit)
        except TimeoutError as error:
            raise StoreBusy(StoreBusy.__doc__) from error
        except DRIVER as error:
            raise spoken(error) from error

    async def _release(self, conn: asyncpg.Connection) -> None:
        try:
            await self._pool.release(conn, timeout=5)
        except (*DRIVER, TimeoutError):
            _cut(conn)

    async def _check_version(self) -> None:
        async with self._connection() as conn:
            found = conn.get_server_version()
        if found.major < OLDEST:
            raise ServerTooOld(
                f"database: its server is PostgreSQL {found.major}; seatwatch needs {OLDEST} or newer: "
                "upgrade it, or unset SEATWATCH_DATABASE_URL to use the embedded one"
            )


async def _commit(work: Any) -> None:
    """COMMIT to its end even when we are cancelled meanwhile; a lost answer is said to be unknown."""
    ending = asyncio.ensure_future(work.commit())
    try:
        await asyncio.shield(ending)
    except asyncio.CancelledError:
        await asyncio.wait([ending], timeout=10)
        raise
    except DRIVER as error:
        told = spoken(error)
        raise (CommitUnknown(CommitUnknown.__doc__) if isinstance(told, StoreAway) else told) from error


async def _roll_back(conn: asyncpg.Connection, work: Any) -> None:
    try:
        await work.rollback()
    except DRIVER:
        _cut(conn)  # it is gone or confused: the server rolls back by itself


def _cut(conn: asyncpg.Connection) -> None:
    """End a connection without a word; one that broke by itself has left the pool already."""
    with suppress(asyncpg.InterfaceError):
        conn.terminate()
