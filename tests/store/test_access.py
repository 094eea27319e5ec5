"""The one door: its row in the log is committed before anything of the call is read; without the row, nothing."""

from __future__ import annotations

import asyncpg
import pytest

from qa.store import access, calls, ledger, recordings, transcripts
from qa.store.access import Purpose, open_call
from qa.store.errors import StoreError
from qa.store.pool import Store
from tests.store import rows

WHY = Purpose(why="appeal 7", place="127.0.0.1", what="audio", from_ms=0, to_ms=5000)


async def fill(store: Store) -> None:
    async with store.site("main", "worker") as tx:
        await calls.upsert(tx, rows.call())
        await recordings.add(tx, rows.recording())
        await transcripts.add(tx, rows.transcript())
        await ledger.record(tx, rows.run())


async def test_the_door_gives_the_call_and_writes_who_why_where_whom_and_how_much(store: Store) -> None:
    await fill(store)
    opened = await open_call(store, "main", "kim", "c1", WHY)
    assert opened.call.id == "c1" and opened.run is not None
    assert (len(opened.recordings), len(opened.transcripts)) == (1, 1)
    async with store.site("main", "auditor") as tx:
        [look] = await access.of_call(tx, "c1")
        assert look.id == opened.log
        assert (look.actor, look.purpose, look.place, look.person) == ("kim", "appeal 7", "127.0.0.1", "A01")
        assert (look.what, look.from_ms, look.to_ms) == ("audio", 0, 5000)


async def test_when_the_row_cannot_be_written_nothing_is_handed_out(store: Store, dsn: str) -> None:
    await fill(store)
    owner = await asyncpg.connect(dsn)
    await owner.execute("REVOKE INSERT ON access_log FROM seatwatch_app")
    await owner.close()
    with pytest.raises(StoreError, match="access_log"):
        await open_call(store, "main", "kim", "c1", WHY)


@pytest.mark.parametrize("purpose", [Purpose(why="", place="cli"), Purpose(why="x", place="")])
async def test_without_a_purpose_or_a_place_the_door_stays_shut(store: Store, purpose: Purpose) -> None:
    await fill(store)
    with pytest.raises(StoreError):
        await open_call(store, "main", "kim", "c1", purpose)


async def test_the_row_stands_even_when_reading_fails_afterwards(store: Store, dsn: str) -> None:
    await fill(store)
    owner = await asyncpg.connect(dsn)
    await owner.execute("ALTER TABLE transcript RENAME TO transcript_gone")
    await owner.close()
    with pytest.raises(StoreError):
        await open_call(store, "main", "kim", "c1", WHY)
    async with store.site("main", "auditor") as tx:
        assert len(await access.of_call(tx, "c1")) == 1


async def test_the_log_is_paged_newest_first(store: Store) -> None:
    await fill(store)
    for _ in range(5):
        await open_call(store, "main", "kim", "c1", WHY)
    async with store.site("main", "auditor") as tx:
        first = await access.page(tx, limit=3)
        rest = await access.page(tx, after=first.next, limit=3)
    times = [one.at for one in (*first.items, *rest.items)]
    assert len(times) == 5 and times == sorted(times, reverse=True) and rest.next is None
