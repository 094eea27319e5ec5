"""Backup and restore: every row of every site, the recordings and the secrets, as one file.

Rows travel as COPY text per table and site, so that an archive can be restored into any PostgreSQL from 17 on, under
any role name, embedded or external; the schema comes from our migrations at the revision that the archive names.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from qa.store import migrations, queue
from qa.store.archive import Reader, Writer
from qa.store.errors import StoreError, speaking

_TABLES = """
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns,
       bool_or(a.attname = 'site_id') AS walled
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
   AND a.attgenerated = ''
 GROUP BY c.oid, c.relname ORDER BY c.oid
"""  # in the order of making, so that what is pointed at comes first
_SEQUENCES = """
SELECT format('SELECT setval(%L, (SELECT coalesce(max(%I), 0) + 1 FROM %I), false)',
              pg_get_serial_sequence(table_name, column_name), column_name, table_name) AS move
  FROM information_schema.columns
 WHERE table_schema = 'public' AND pg_get_serial_sequence(table_name, column_name) IS NOT NULL
"""
_SITE = "SELECT set_config('seatwatch.site', $1, false)"
_HEADS = "SELECT seq, encode(hash, 'hex') AS hash FROM chain_head"


@dataclass(frozen=True, slots=True)
class Report:
    """What a backup holds or a restore brought."""

    rows: int
    recordings: int
    secrets: int
    heads: dict[str, tuple[int, str]]  # by site: number and hash of the ledger's last row


async def backup(dsn: str, out: Path, *, recordings: Path | None = None, secrets: Path | None = None) -> Report:
    """Write everything as of one instant; work goes on meanwhile."""
    with tempfile.TemporaryDirectory(prefix="backup-", dir=_folder(out)) as scratch, Writer(out) as writer:
        async with _connection(dsn) as conn, conn.transaction(isolation="repeatable_read", readonly=True):
            revision = await migrations.revision(conn)
            if revision is None:
                raise StoreError("backup: the database is empty; run `seatwatch migrate` and work with it first")
            heads = await _heads(conn)
            tables = [dict(row) for row in await conn.fetch(_TABLES)]
            rows = await _copy_out(conn, tables, list(heads), Path(scratch), writer)
        kept = await asyncio.to_thread(_add, writer, "recordings", recordings)
        hidden = await asyncio.to_thread(_add, writer, "secrets", secrets)
        told = {"revision": revision, "tables": tables, "heads": heads, "rows": rows}
        await asyncio.to_thread(writer.close, told)
    return Report(rows, kept, hidden, heads)


async def restore(
    dsn: str, archive: Path, *, recordings: Path | None = None, secrets: Path | None = None, replace: bool = False
) -> Report:
    """Bring everything back; into what is not empty only with ``replace``. The database's part is one transaction."""
    with Reader(archive) as reader:
        told = reader.manifest
        async with _connection(dsn) as conn:
            await _refuse_what_stands(conn, recordings, replace)
            kept = await asyncio.to_thread(_take, reader, "recordings", recordings)
            hidden = await asyncio.to_thread(_take, reader, "secrets", secrets)
            if replace:
                await conn.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            await migrations.upgrade(conn, told["revision"])
            await queue.install(conn)
            with tempfile.TemporaryDirectory(prefix="restore-") as scratch:
                async with conn.transaction():
                    await _copy_in(conn, told["tables"], reader, Path(scratch))
            await migrations.upgrade(conn)
            heads = await _heads(conn)
    stored = {site: tuple(head) for site, head in told["heads"].items()}
    if heads != stored:
        raise StoreError(f"{archive}: the ledger's head is not the one that was saved; run `seatwatch verify --all`")
    return Report(told["rows"], kept, hidden, heads)


@asynccontextmanager
async def _connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    with speaking():
        conn = await asyncpg.connect(dsn, timeout=10, server_settings={"application_name": "seatwatch backup"})
        try:
            yield conn
        finally:
            await conn.close()


async def _heads(conn: asyncpg.Connection) -> dict[str, tuple[int, str]]:
    await conn.execute(_SITE, "*")
    heads: dict[str, tuple[int, str]] = {}
    for row in await conn.fetch("SELECT id FROM site ORDER BY id"):
        await conn.execute(_SITE, row["id"])
        head = await conn.fetchrow(_HEADS)
        heads[row["id"]] = (head["seq"], head["hash"])
    return heads


async def _copy_out(
    conn: asyncpg.Connection, tables: list[dict[str, Any]], sites: list[str], scratch: Path, writer: Writer
) -> int:
    rows = 0
    for table in tables:
        names = ", ".join(f'"{name}"' for name in table["columns"])
        for site in sites if table["walled"] else ["*"]:
            await conn.execute(_SITE, site)
            path = scratch / "rows"
            status = await conn.copy_from_query(f'SELECT {names} FROM "{table["name"]}"', output=str(path))
            rows += int(status.rpartition(" ")[2])
            await asyncio.to_thread(writer.add, f"tables/{table['name']}/{_part(site)}", path)
    return rows


async def _copy_in(conn: asyncpg.Connection, tables: list[dict[str, Any]], reader: Reader, scratch: Path) -> None:
    """As the owner, with walls and triggers open for this transaction only."""
    known = {row["name"]: set(row["columns"]) for row in await conn.fetch(_TABLES)}
    for table in tables:
        name = table["name"]
        if not set(table["columns"]) <= known.get(name, set()):
            raise StoreError(
                f"restore: table {name} does not fit this release; restore with the one that made the backup"
            )
        walled = table["walled"] or name == "site"
        if walled:
            await conn.execute(f'ALTER TABLE "{name}" NO FORCE ROW LEVEL SECURITY')
        await conn.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        for part in reader.names(f"tables/{name}"):
            path = scratch / "rows"
            await asyncio.to_thread(reader.extract, f"tables/{name}/{part}", path)
            await conn.copy_to_table(name, source=str(path), columns=table["columns"])
        await conn.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')
    for row in await conn.fetch(_SEQUENCES):  # before the walls stand again: behind them the highest number is not seen
        await conn.execute(row["move"])
    for table in tables:
        if table["walled"] or table["name"] == "site":
            await conn.execute(f'ALTER TABLE "{table["name"]}" FORCE ROW LEVEL SECURITY')


async def _refuse_what_stands(conn: asyncpg.Connection, recordings: Path | None, replace: bool) -> None:
    if replace:
        return
    if await conn.fetchval("SELECT to_regclass('site')") is not None and await _heads(conn):
        raise StoreError("restore: the database is not empty; name an empty one, or replace it with --replace")
    if recordings is not None and recordings.is_dir() and any(recordings.iterdir()):
        raise StoreError(f"restore: {recordings} is not empty; name another folder, or replace it with --replace")


def _folder(out: Path) -> Path:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{out}: cannot be written ({error.strerror}); choose another place") from error
    return out.parent


def _part(site: str) -> str:
    return "all" if site == "*" else f"site-{site}"


def _add(writer: Writer, name: str, folder: Path | None) -> int:
    return writer.add_folder(name, folder) if folder is not None and folder.is_dir() else 0


def _take(reader: Reader, name: str, folder: Path | None) -> int:
    return reader.extract_folder(name, folder) if folder is not None else 0
