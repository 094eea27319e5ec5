"""`seatwatch purge`: what is older than it is kept goes, the demo goes whole, and nothing else moves."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from qa.purging import purge
from qa.settings import SettingsError
from qa.store import calls, ledger, people, queue, recordings
from qa.store.duty import Duty
from qa.store.errors import Refused, StoreError
from qa.store.pool import Store
from tests.store import rows

NOW = datetime.now(UTC)


@pytest.fixture
def home(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("SEATWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": dsn, "DATA": str(tmp_path), "RETENTION_DAYS": "30"}.items():
        monkeypatch.setenv(f"SEATWATCH_{name}", value)
    return tmp_path


async def put(store: Store, site: str, home: Path, call: str, days_ago: int) -> Path:
    """A call with a file of a recording."""
    path = home / "recordings" / site / f"{call}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"sound")
    await store.add_site(site, site, "Asia/Seoul", "test")
    async with store.site(site, "test") as tx:
        await calls.upsert(tx, rows.call(call))
        told = replace(rows.recording(call), path=f"{site}/{call}.flac", audio_sha=f"{site}{call}")
        await recordings.add(tx, replace(told, origin_at=NOW - timedelta(days=days_ago)))
        await ledger.record(tx, rows.run(subject=f"call:{call}"))
        await people.add(tx, "Kim", agent="A01")
        await queue.enqueue(tx, "hear", {"call": call})
    return path


async def test_recordings_go_when_their_days_are_over_and_scores_stay(store: Store, home: Path) -> None:
    old = await put(store, "main", home, "c1", 31)

    refused = await asyncio.to_thread(purge, None, "kim", lambda shown: False)
    assert not refused.done and old.exists()
    done = await asyncio.to_thread(purge, None, "kim", lambda shown: "1 recordings" in shown)

    assert done.done and not old.exists()
    async with store.site("main", "test") as tx:
        assert await recordings.every(tx) == []
        assert (await calls.get(tx, "c1")).id == "c1"
    assert "nothing is older" in (await asyncio.to_thread(purge, None, "kim", lambda shown: True)).text


async def test_the_demo_goes_whole_and_another_site_keeps_every_row(store: Store, home: Path, dsn: str) -> None:
    demo, mine = await put(store, "demo", home, "c1", 1), await put(store, "main", home, "c1", 1)
    (home / "spool-demo" / "9093").mkdir(parents=True)
    before = await counted(dsn, "main")

    done = await asyncio.to_thread(purge, "demo", "kim", lambda shown: "1 recordings" in shown)

    assert done.done and not demo.exists() and not demo.parent.exists() and mine.exists()
    assert not (home / "spool-demo").exists()
    assert [one.id for one in await store.sites()] == ["main"]
    assert await counted(dsn, "main") == before
    assert sum((await counted(dsn, "demo")).values()) == 0
    assert await asyncio.to_thread(purge, "demo", None, lambda shown: False)
    with pytest.raises(Refused):  # what guards the other sites stands again
        async with store.site("main", "test") as tx:
            await tx.connection.execute("DELETE FROM run")


async def counted(dsn: str, site: str) -> dict[str, int]:
    """Rows of a site by table, and its jobs."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("SELECT set_config('seatwatch.site', $1, false)", site)
    names = await conn.fetch("SELECT table_name FROM information_schema.columns WHERE column_name = 'site_id'")
    found = {row[0]: await conn.fetchval(f"SELECT count(*) FROM {row[0]}") for row in names}
    told = "SELECT count(*) FROM pgqueuer WHERE convert_from(payload, 'UTF8')::json ->> 'site' = $1"
    found["jobs"] = await conn.fetchval(told, site)
    await conn.close()
    return found


async def test_a_demo_that_runs_is_left_alone(store: Store, home: Path, dsn: str) -> None:
    path = await put(store, "demo", home, "c1", 1)
    duty = Duty(dsn, "demo", "folds")
    assert await duty.mine()

    with pytest.raises(StoreError, match="running"):
        await asyncio.to_thread(purge, "demo", None, lambda shown: True)
    duty.close()
    assert path.exists()


@pytest.mark.parametrize("site", ["main", "north", ""])
def test_no_other_site_can_be_taken_away(home: Path, site: str) -> None:
    with pytest.raises(SettingsError, match="only the site `demo`"):
        purge(site, None, lambda shown: True)
