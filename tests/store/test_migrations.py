"""The schema's way forward: named, whole or not at all, once however many start at the same time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from alembic.config import Config
from alembic.script import ScriptDirectory

from qa.store import migrations
from qa.store.errors import StoreError, WrongSchema
from qa.store.pool import Store
from qa.store.postgres import Embedded
from tests.postgres import as_superuser, drop


@pytest_asyncio.fixture
async def fresh(cluster: Embedded) -> AsyncIterator[str]:
    await as_superuser(cluster, "CREATE DATABASE fresh OWNER seatwatch")
    yield cluster.url("seatwatch", "fresh")
    await drop(cluster, "fresh")


def test_the_head_is_the_newest_revision_and_names_say_pre_or_post() -> None:
    config = Config()
    config.set_main_option("script_location", "qa/store/migrations")
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.HEAD]
    for one in scripts.walk_revisions():
        assert one.revision.split("_")[1] in ("pre", "post"), one.revision


def test_an_administrator_can_read_what_would_run() -> None:
    text = migrations.render(None)
    assert "CREATE TABLE entry" in text and f"version_num='{migrations.HEAD}'" in text


async def test_many_that_migrate_at_once_migrate_once(fresh: str) -> None:
    stores = await asyncio.gather(*(Store.open(fresh, size=2) for _ in range(4)))
    moved = await asyncio.gather(*(store.migrate() for store in stores))
    assert any(moved)
    assert await stores[0].revision() == migrations.HEAD
    assert not await stores[0].migrate()
    await asyncio.gather(*(store.close() for store in stores))


async def test_at_the_head_neither_alembic_nor_pgqueuer_is_imported(dsn: str) -> None:
    code = (
        "import asyncio, sys\n"
        "from qa.store.pool import Store\n"
        "async def main():\n"
        "    store = await Store.open(sys.argv[1])\n"
        "    moved = await store.migrate()\n"
        "    print(moved, [name for name in ('alembic', 'pgqueuer', 'sqlalchemy') if name in sys.modules])\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
    )
    told = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, dsn], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False []"


async def test_a_schema_that_a_newer_release_made_is_refused(store: Store, dsn: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute("UPDATE alembic_version SET version_num = '0099_pre_future'")
    await conn.close()
    with pytest.raises(WrongSchema, match="0099_pre_future"):
        await store.migrate()


async def test_a_role_that_may_not_make_the_app_role_is_told_what_to_ask_for(cluster: Embedded) -> None:
    await as_superuser(cluster, "CREATE ROLE plain LOGIN", "CREATE DATABASE plain OWNER plain")
    store = await Store.open(cluster.url("plain", "plain"))
    with pytest.raises(StoreError, match="GRANT seatwatch_app TO plain"):
        await store.migrate()
    await store.close()
    await drop(cluster, "plain")
    await as_superuser(cluster, "DROP ROLE plain")


async def test_a_migration_that_stops_in_the_middle_leaves_nothing(fresh: str) -> None:
    conn = await asyncpg.connect(fresh)
    await conn.execute("CREATE TABLE outbox ()")  # in the way of the seventh file
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrations.upgrade(conn)
    assert await migrations.revision(conn) is None
    assert await conn.fetchval("SELECT to_regclass('site')") is None
    await conn.close()
