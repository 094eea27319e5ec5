"""A backup restored elsewhere is the same: rows, recordings, secrets, and the ledger to the last hash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from qa.store import access, calls, events, ledger, queue, runs
from qa.store.backup import backup, restore
from qa.store.errors import StoreError
from qa.store.pool import Store
from qa.store.postgres import Embedded
from tests.postgres import as_superuser, drop
from tests.store import rows


@pytest_asyncio.fixture
async def empty(cluster: Embedded) -> AsyncIterator[str]:
    await as_superuser(cluster, "CREATE DATABASE restored OWNER seatwatch")
    yield cluster.url("seatwatch", "restored")
    await drop(cluster, "restored")


@pytest_asyncio.fixture
async def filled(store: Store, tmp_path: Path) -> Store:
    await store.add_site("north", "North", "Asia/Seoul", "test")
    for site in ("main", "north"):
        async with store.site(site, "worker") as tx:
            await events.append(
                tx, "pbx", "e1", rows.NOON, None, "ringing", "c1", None, "101", None, {"text": "a\tb\n您好\\"}
            )
            await calls.upsert(tx, rows.call())
            await ledger.record(tx, rows.run())
            await ledger.record(tx, rows.run(inputs="in-2"))
            await queue.enqueue(tx, "transcribe", {"call": "c1"}, "c1")
        await access.open_call(store, site, "kim", "c1", access.Purpose(why="check", place="cli"))
    (tmp_path / "recordings/ab").mkdir(parents=True)
    (tmp_path / "recordings/ab/c1.flac").write_bytes(b"fLaC")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/token.key").write_bytes(b"secret")
    return store


async def test_what_is_restored_elsewhere_is_the_same(filled: Store, empty: str, tmp_path: Path) -> None:
    made = await backup(
        filled.dsn, tmp_path / "b.tar", recordings=tmp_path / "recordings", secrets=tmp_path / "secrets"
    )
    assert (made.recordings, made.secrets, made.heads["main"][0]) == (1, 1, 5)
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0
    brought = await restore(empty, tmp_path / "b.tar", recordings=tmp_path / "r", secrets=tmp_path / "s")
    assert brought == made
    assert (tmp_path / "r/ab/c1.flac").read_bytes() == b"fLaC"
    assert (tmp_path / "s/token.key").read_bytes() == b"secret"
    other = await Store.open(empty)
    assert not await other.migrate()
    for site in ("main", "north"):
        async with filled.site(site, "a") as tx, other.site(site, "a") as copy:
            assert (await runs.walk_chain(copy)).clean
            assert await ledger.head(copy) == await ledger.head(tx)
            assert await runs.entries(copy, "call:c1") == await runs.entries(tx, "call:c1")
            assert await events.for_call(copy, "c1") == await events.for_call(tx, "c1")
            assert await access.of_call(copy, "c1") == await access.of_call(tx, "c1")
            assert await queue.waiting(copy) == {"transcribe": 1}
    async with other.site("main", "worker") as tx:  # walls, triggers and numbers stand again
        assert (await ledger.record(tx, rows.run("call:c2"))).new
        assert await events.append(tx, "pbx", "e2", rows.NOON, None, "ended", "c1", None, None, None, {})
        assert [one.body for one in await events.for_call(tx, "c1")][1] == {}
        assert (await runs.walk_chain(tx)).clean
    with pytest.raises(StoreError, match="only added"):
        async with other.site("main", "worker") as tx:
            from qa.store.errors import speaking

            with speaking():
                await tx.connection.execute("RESET ROLE; DELETE FROM entry")
    await other.close()


async def test_what_is_not_empty_is_left_alone_unless_told(filled: Store, empty: str, tmp_path: Path) -> None:
    await backup(filled.dsn, tmp_path / "b.tar")
    with pytest.raises(StoreError, match="not empty"):
        await restore(filled.dsn, tmp_path / "b.tar")
    with pytest.raises(StoreError, match="recordings is not empty"):
        await restore(empty, tmp_path / "b.tar", recordings=tmp_path / "recordings")
    async with filled.site("main", "worker") as tx:
        await ledger.record(tx, rows.run(inputs="in-3"))
    brought = await restore(filled.dsn, tmp_path / "b.tar", replace=True)
    assert brought.heads["main"][0] == 5


@pytest.mark.parametrize("harm", ["cut", "flip", "text", "missing"])
async def test_a_damaged_archive_is_refused_before_anything_is_touched(
    filled: Store, empty: str, tmp_path: Path, harm: str
) -> None:
    place = tmp_path / "b.tar"
    await backup(filled.dsn, place, recordings=tmp_path / "recordings")
    body = bytearray(place.read_bytes())
    at = body.index(b"fLaC")
    body[at : at + 4] = b"gLaC" if harm == "flip" else b"fLaC"
    place.write_bytes(body[: at + 2] if harm == "cut" else b"hello" if harm == "text" else body)
    if harm == "missing":
        place.unlink()
    with pytest.raises(StoreError, match=r"b\.tar: "):
        await restore(empty, place, recordings=tmp_path / "r")
    assert not (tmp_path / "r").exists()
    opened = await Store.open(empty)
    assert await opened.revision() is None
    await opened.close()


async def test_a_backup_that_cannot_be_written_leaves_nothing(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="another place"):
        await backup(filled.dsn, tmp_path / "file/b.tar")
    with pytest.raises(StoreError):
        await backup("postgresql://seatwatch@/gone?host=/nowhere", tmp_path / "b.tar")
    assert not list(tmp_path.glob("b.tar*")) and not list(tmp_path.glob("backup-*"))
