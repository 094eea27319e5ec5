"""`verify`: a clean archive is clean; whatever the owner of the tables changes is named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr

from qa.settings import Settings
from qa.store.pool import Store
from qa.store.postgres import Embedded
from qa.verify import Verified, _verify
from tests.ingest.values import raw
from tests.postgres import SITE, clone, drop
from tests.qa.lab import floor


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(
    cluster: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """A database of a site with two scored calls, one of them with a deduction; to be cloned."""
    name, dsn = await clone(cluster, template)
    store = await Store.open(dsn)
    async with floor(store, tmp_path_factory.mktemp("archive")) as site:
        for call, seconds in (("c1", 17.2), ("c2", 8)):
            own = {"call": call, "seat": "s1", "agent": "A01"}
            await site.tell(
                raw("offered", 0, id=f"{call}-1", direction="in", **own),
                raw("ringing", 0, id=f"{call}-2", **own),
                raw("ended", seconds, id=f"{call}-3", call=call, by="customer"),
            )
            await site.turn()
            await site.worker(None).hear({"site": SITE, "call": call})
    await store.close()
    yield name
    await drop(cluster, name)


@pytest_asyncio.fixture
async def archive(cluster: Embedded, filled: str, tmp_path: Path) -> AsyncIterator[Settings]:
    name, dsn = await clone(cluster, filled)
    yield Settings(data=tmp_path, database_url=SecretStr(dsn))
    await drop(cluster, name)


async def verified(settings: Settings, *calls: str, site: str | None = None) -> Verified:
    return await _verify(settings, calls, not calls, site, lambda *_: None)


async def tamper(settings: Settings, sql: str) -> None:
    """As whoever owns the tables, with every trigger off."""
    assert settings.database_url is not None
    owner = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        async with owner.transaction():
            for table in ("run", "entry", "fact_set", "pack", "overlay"):
                await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                await owner.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
            assert not (await owner.execute(sql)).endswith(" 0"), sql
    finally:
        await owner.close()


async def test_a_clean_archive(archive: Settings) -> None:
    found = await verified(archive)

    assert (found.clean, found.replayed, found.rows, found.older) == (True, 2, 3, {})
    assert found.as_text().splitlines() == [
        "2 runs replayed to the same bytes", "3 rows of the hash chain walked", "verified: clean",
    ]  # fmt: skip
    assert found.as_dict()["chain_rows"] == 3


async def test_one_call_is_replayed_without_the_chain(archive: Settings) -> None:
    found = await verified(archive, "c2")

    assert (found.clean, found.replayed, found.as_dict()["chain_rows"]) == (True, 1, None)


async def test_a_score_is_what_its_entries_add_up_to(archive: Settings) -> None:
    """Also where nobody walks the chain: one call replays the same and yet its entries say something else."""
    await tamper(archive, "UPDATE entry SET points = -9 WHERE subject = 'call:c1'")

    assert "add up to -9" in (await verified(archive, "c1")).as_text()


def _other(table: str, column: str, before: str, after: str) -> str:
    """One text in stored bytes for another."""
    text = f"replace(convert_from({column}, 'UTF8'), '{before}', '{after}')"
    return f"UPDATE {table} SET {column} = convert_to({text}, 'UTF8')"


CASES = {
    "card": (_other("run", "card", '"-', '"+') + " WHERE subject = 'call:c1'", "call:c1"),
    "card of no sense": ("UPDATE run SET card = 'nothing' WHERE subject = 'call:c1'", "call:c1"),
    "facts": (_other("fact_set", "body", "17.2", "9.2"), "call:c1"),
    "facts of no sense": ("UPDATE fact_set SET body = 'nothing'", "call:c1"),
    "facts of another form": ("UPDATE fact_set SET body = '[]'", "call:c1"),
    "pack": (_other("pack", "body", "-0.5", "-5.0"), "call:c1"),
    "pack of no sense": ("UPDATE pack SET body = 'nothing'", "call:c2"),
    "pack of another form": ("UPDATE pack SET body = '[1]'", "call:c1"),
    "overlay": ("UPDATE overlay SET body = convert_to('{\"trust\":\"all\"}', 'UTF8')", "call:c1"),
    "overlay of no sense": ("UPDATE overlay SET body = 'nothing'", "call:c1"),
    "day": ("UPDATE run SET day = day + 1 WHERE subject = 'call:c1'", "call:c1"),
    "name": ("UPDATE run SET inputs = 'other' WHERE subject = 'call:c1'", "call:c1"),
    "entry": ("UPDATE entry SET points = 0", "chain, row"),
    "deleted": ("DELETE FROM entry", "chain, row"),
}


@pytest.mark.parametrize("case", CASES)
async def test_whatever_is_changed_is_named(archive: Settings, case: str) -> None:
    sql, named = CASES[case]
    await tamper(archive, sql)
    found = await verified(archive)

    assert not found.clean
    assert any(named in one for one in found.differences), found.differences
    assert found.as_text().splitlines()[-1] == f"verified: {len(found.differences)} differences"


async def test_runs_of_an_older_engine_are_counted_with_the_release_that_replays_them(archive: Settings) -> None:
    await tamper(archive, "UPDATE run SET engine = 0 WHERE subject = 'call:c1'")
    found = await verified(archive, "c1", "c2")

    assert (found.clean, found.replayed, found.older) == (True, 1, {"the release with engine 0": 1})
    assert "1 runs of an older engine" in found.as_text()


async def test_a_call_that_nobody_scored_is_named(archive: Settings) -> None:
    found = await verified(archive, "c1", "c9", "call:c2")

    assert found.differences == ["c9: no run of it is stored; name a scored call"]


async def test_a_site_that_is_none_is_named(archive: Settings) -> None:
    found = await verified(archive, site="nowhere")

    assert "site nowhere" in found.differences[0]


async def test_every_site_is_looked_at(archive: Settings) -> None:
    assert archive.database_url is not None
    store = await Store.open(archive.database_url.get_secret_value())
    await store.add_site("other", "Other", "Asia/Shanghai", "test")
    await store.close()
    assert (await verified(archive)).replayed == 2
    assert (await verified(archive, site="other")).replayed == 0
