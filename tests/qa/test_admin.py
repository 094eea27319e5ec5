"""`migrate`, `backup` and `restore` on a scratch installation: rows, recordings and keys come back whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from qa.admin import backup_to, migrate_database, restore_from
from qa.settings import Settings
from qa.store import migrations, runs
from qa.store.errors import StoreError
from qa.store.pool import Store
from tests.postgres import SITE, Embedded, as_superuser, drop
from tests.qa.lab import Floor, floor, hum


@pytest_asyncio.fixture
async def empty(cluster: Embedded) -> AsyncIterator[str]:
    """A database with nothing in it."""
    await as_superuser(cluster, "CREATE DATABASE empty OWNER seatwatch")
    yield cluster.url("seatwatch", "empty")
    await drop(cluster, "empty")


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path / "old") as one:
        await one.spoken_call()
        await one.stream("orphan", "agent", hum(300), 5)
        await one.worker(None).hear({"site": SITE, "call": "c1"})
        yield one


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def use(at: pytest.MonkeyPatch, dsn: str, data: Path) -> Settings:
    at.setenv("SEATWATCH_DATABASE_URL", dsn)
    at.setenv("SEATWATCH_DATA", str(data))
    return Settings()


async def test_a_backup_restores_rows_recordings_and_keys(
    site: Floor, dsn: str, empty: str, at: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = use(at, dsn, tmp_path / "old").secret
    before, files = await site.current("call:c1"), site.files
    said = await asyncio.to_thread(backup_to, tmp_path / "all.tar", "operator")
    assert "1 recordings, 1 keys" in said
    assert "(by operator)" in said

    new = use(at, empty, tmp_path / "new")
    said = await asyncio.to_thread(restore_from, tmp_path / "all.tar", False, None)
    assert "1 recordings, 1 keys; main up to ledger row" in said
    assert new.secret == key
    assert sorted(path.name for path in new.recordings_folder.rglob("*") if path.is_file()) == files
    store = await Store.open(empty)
    async with store.site(SITE, "test") as tx:
        assert await runs.current(tx, "call:c1") == before
        assert (await runs.walk_chain(tx)).clean
    await store.close()


async def test_nothing_is_written_over_unless_told(
    site: Floor, dsn: str, at: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(at, dsn, tmp_path / "old")
    await asyncio.to_thread(backup_to, tmp_path / "all.tar", None)
    files = site.files

    with pytest.raises(StoreError, match="not empty"):
        await asyncio.to_thread(restore_from, tmp_path / "all.tar", False, None)
    assert site.files == files
    assert "recordings" in await asyncio.to_thread(restore_from, tmp_path / "all.tar", True, None)
    assert site.files == files


async def test_what_is_no_backup_is_said(dsn: str, at: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(at, dsn, tmp_path / "data")
    (tmp_path / "other.tar").write_text("not a backup")

    with pytest.raises(StoreError, match=r"other\.tar"):
        await asyncio.to_thread(restore_from, tmp_path / "other.tar", False, None)


async def test_a_database_is_brought_to_this_release_and_twice_is_once(
    empty: str, at: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(at, empty, tmp_path / "data")
    first = await asyncio.to_thread(migrate_database, "operator")

    assert migrations.HEAD in first
    assert await asyncio.to_thread(migrate_database, "operator") == first
