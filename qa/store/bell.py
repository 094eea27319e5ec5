"""The bell that says which seat or call has news, so that an open board need not look at everything.

Whoever writes a seat or a call rings in the same transaction; it is heard at the commit, and not after a rollback.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import asyncpg

from qa.store.canon import storable
from qa.store.errors import StoreAway, speaking
from qa.store.pool import Tx

Kind = Literal["seat", "call"]
CHANNEL = "seatwatch_board"


async def ring(tx: Tx, kind: Kind, id: str) -> None:
    """Say that it has news."""
    await tx.value("board.ring", kind, storable(id))


class Bell:
    """Hears what is rung at one site, on a connection of its own. It reads nothing."""

    def __init__(self, dsn: str, site: str) -> None:
        self._dsn = dsn
        self._site = site
        self._conn: asyncpg.Connection | None = None
        self._told: set[tuple[str, str]] = set()
        self._news = asyncio.Event()

    @property
    def hung(self) -> bool:
        return self._conn is not None and not self._conn.is_closed()

    async def hang(self) -> None:
        """Begin to listen; StoreAway while the database is."""
        with speaking():
            told = {"application_name": "seatwatch board"}
            self._conn = await asyncpg.connect(self._dsn, timeout=5, server_settings=told)
            self._conn.add_termination_listener(self._lost)
            await self._conn.add_listener(CHANNEL, self._hear)

    async def heard(self, seconds: float) -> set[tuple[str, str]]:
        """What has been rung since the last time, waiting for it that long; StoreAway when nobody can be heard."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return set()
        if not self.hung:
            raise StoreAway("database: the connection that tells of news was lost; see that the server runs")
        self._news.clear()
        told, self._told = self._told, set()
        return told

    def close(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None

    def _hear(self, _conn: object, _pid: int, _channel: str, payload: object) -> None:
        site, kind, id = str(payload).split("/", 2)
        if site == self._site:
            self._told.add((kind, id))
            self._news.set()

    def _lost(self, _conn: object) -> None:
        self._news.set()
