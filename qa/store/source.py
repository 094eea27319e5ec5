"""Which database serves: the one that is named by URL, else the embedded one. It migrates nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from qa.store.postgres import Embedded


@dataclass(frozen=True, slots=True)
class Database:
    """Where to connect, and whether it is ours to stop."""

    dsn: str
    embedded: bool
    folder: Path | None = None
    adopted: bool = False


@asynccontextmanager
async def database(url: str | None, data: Path, pg_bin: Path | None = None) -> AsyncIterator[Database]:
    """A running database for as long as the block lasts; the embedded one is started again when it dies."""
    if url is not None:
        yield Database(url, embedded=False)
        return
    async with Embedded(data, pg_bin) as server:
        watching = asyncio.create_task(server.watch(), name="postgres-watch")
        try:
            yield Database(server.dsn, embedded=True, folder=server.folder, adopted=server.adopted)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
