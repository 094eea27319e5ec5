"""A duty that one process of a site has at a time: an advisory lock on a connection of its own. It does no work itself.

The server frees the lock when the process or the connection dies, so nobody has to be told.
"""

from __future__ import annotations

import asyncpg

from qa.store.errors import speaking
from qa.store.queries import sql


class Duty:
    """Ask ``mine`` before each piece of work; ``close`` gives it back."""

    def __init__(self, dsn: str, site: str, name: str) -> None:
        self._dsn = dsn
        self._name = f"duty/{name}/{site}"
        self._conn: asyncpg.Connection | None = None
        self._held = False

    async def mine(self) -> bool:
        """Whether the duty is ours now; StoreAway while the database is."""
        with speaking():
            if self._conn is None or self._conn.is_closed():
                self._held = False
                told = {"application_name": f"seatwatch {self._name}"}
                self._conn = await asyncpg.connect(self._dsn, timeout=10, server_settings=told)
            if not self._held:
                self._held = await self._conn.fetchval(sql("duty.take"), self._name)
        return self._held

    def close(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
        self._held = False
