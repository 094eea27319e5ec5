"""Sites are isolated by the database itself, and what must stand cannot be changed by anybody who works through it."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest

from qa.store import access, calls, events, ledger, outbox, people, runs, spools, transcripts
from qa.store.errors import NotFound, Refused
from qa.store.pool import Store, Tx
from tests.store import rows

SITES = ("main", "north", "south")
APPEND_ONLY = (
    "event",
    "leg_mark",
    "leg_name",
    "transcript",
    "pack",
    "overlay",
    "fact_set",
    "run",
    "entry",
    "access_log",
)


async def _fill(store: Store) -> None:
    for site in SITES:
        await store.add_site(site, site.title(), "Asia/Seoul", "test")
        async with store.site(site, f"{site}-worker") as tx:
            await events.append(tx, "pbx", "e1", rows.NOON, None, "ringing", "c1", None, "101", "A01", {"site": site})
            await calls.upsert(tx, rows.call(queue=site))
            await people.add(tx, site, login="kim", agent="A01")
            await ledger.record(tx, rows.run())
        await access.open_call(store, site, "kim", "c1", access.Purpose(why="coaching", place="127.0.0.1"))


async def test_three_sites_with_the_same_names_see_only_their_own_rows(store: Store) -> None:
    await _fill(store)
    for site in SITES:
        async with store.site(site, "reader") as tx:
            assert [one.body["site"] for one in await events.for_call(tx, "c1")] == [site]
            assert (await calls.get(tx, "c1")).queue == site
            assert [one.call.queue for one in (await calls.page(tx)).items] == [site]
            assert [one.name for one in await people.everybody(tx)] == [site]
            assert [one.actor async for one in runs.every(tx)] == [f"{site}-worker"]
            assert len(await access.of_call(tx, "c1")) == 1
            assert len(await outbox.take(tx)) == 1
            assert (await runs.walk_chain(tx)).clean


async def test_every_table_with_site_data_is_walled_and_each_wall_holds(store: Store, dsn: str) -> None:
    await _fill(store)
    conn = await asyncpg.connect(dsn)
    tables = await conn.fetch(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c "
        "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname !~ '^(alembic|pgqueuer)'"
    )
    assert len(tables) > 20
    for table in tables:
        assert table["relrowsecurity"] and table["relforcerowsecurity"], table["relname"]
        assert await conn.fetchval(f"SELECT count(*) FROM {table['relname']}") == 0, "the owner without a site sees it"
        for site in SITES:
            key = "id" if table["relname"] == "site" else "site_id"
            await conn.execute("SELECT set_config('seatwatch.site', $1, false)", site)
            others = await conn.fetchval(f"SELECT count(*) FROM {table['relname']} WHERE {key} <> $1", site)
            assert others == 0, table["relname"]
        await conn.execute("SELECT set_config('seatwatch.site', '', false)")
    await conn.close()


async def test_a_row_cannot_be_written_into_another_site(store: Store) -> None:
    await store.add_site("north", "North", "Asia/Seoul", "test")
    async with store.site("main", "worker") as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.connection.execute("INSERT INTO setting (site_id, key, value) VALUES ('north', 'k', '1')")
    async with store.site("north", "worker") as tx:
        assert await tx.value("sites.setting", "k") is None


async def test_a_call_of_another_site_is_not_found_and_leaves_no_trace(store: Store) -> None:
    await _fill(store)
    async with store.site("north", "worker") as tx:
        await calls.upsert(tx, rows.call("only-north"))
    with pytest.raises(NotFound, match="only-north"):
        await access.open_call(store, "main", "kim", "only-north", access.Purpose(why="x", place="cli"))
    async with store.site("main", "reader") as tx:
        assert await access.of_call(tx, "only-north") == []


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_stands_is_changed_neither_by_the_app_role_nor_by_the_owner(
    module_dsn: str, table: str, statement: str
) -> None:
    store = await Store.open(module_dsn, size=1)
    async with store.site("main", "worker") as tx:
        if await runs.current(tx, "call:c1") is None:
            await _one_of_each(tx)
    with pytest.raises(Refused):
        async with store.site("main", "worker") as tx:
            await tx.connection.execute(statement.format(table))
    await store.close()
    owner = await asyncpg.connect(module_dsn)
    await owner.execute("SELECT set_config('seatwatch.site', 'main', false)")
    assert await owner.fetchval(f"SELECT count(*) FROM {table}") > 0
    with pytest.raises(asyncpg.PostgresError) as told:
        await owner.execute(statement.format(table))
    assert told.value.sqlstate == "SW002"
    await owner.close()


async def _one_of_each(tx: Tx) -> None:
    leg = {"audio": {"stream": "token"}}
    await events.append(tx, "pbx", "e1", rows.NOON, None, "leg", "c1", "agent", "101", "A01", leg)
    await spools.mark(tx, spools.LegMark("s", 1, "start", "pbx", "c1", "agent", 0, rows.NOON, {}), "{}")
    await transcripts.add(tx, rows.transcript())
    await ledger.record(tx, rows.run())
    await tx.run("access.note", uuid4(), "cli", "c1", None, "audio", "why", None, None)


@pytest.mark.parametrize("table", ["chain_head", "current_run", "period"])
async def test_heads_pointers_and_periods_are_not_deleted(store: Store, dsn: str, table: str) -> None:
    async with store.site("main", "worker") as tx:
        await ledger.record(tx, rows.run())
        await tx.run("ledger.add_period", "2026-11", rows.DAY, rows.DAY)
    owner = await asyncpg.connect(dsn)
    await owner.execute("SELECT set_config('seatwatch.site', 'main', false)")
    for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(asyncpg.PostgresError) as told:
            await owner.execute(statement)
        assert told.value.sqlstate == "SW002"
    await owner.close()


async def test_every_write_needs_an_actor(store: Store) -> None:
    with pytest.raises(ValueError, match="actor"):
        async with store.site("main", ""):
            raise AssertionError("unreachable")
    async with store.site("main", "Kim 김") as tx:
        await calls.upsert(tx, rows.call())
        assert await tx.connection.fetchval("SELECT actor FROM call") == "Kim 김"


async def test_the_service_is_no_superuser_and_owns_no_other_role(dsn: str) -> None:
    conn = await asyncpg.connect(dsn)
    role = await conn.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    assert tuple(role) == (False, False, False)
    assert await conn.fetchval("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'seatwatch_app'") is False
    await conn.close()
