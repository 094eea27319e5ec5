"""Tampering by whoever owns the tables is found by walking the chain, at the first place where it does not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
import pytest_asyncio

from qa.store import ledger, runs
from qa.store.chain import Head
from qa.store.pool import Store, Tx
from qa.store.postgres import Embedded
from qa.store.queries import sql
from tests.store import rows


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(cluster: Embedded, module_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """Rows 1 run, 2 entry, 3 run, 4 entry, 5 run, 6 reversal of 2, 7 entry; seen by a superuser."""
    store = await Store.open(module_dsn)
    for new in (rows.run(), rows.run("call:c2"), rows.run(inputs="in-2")):
        async with store.site("main", "worker") as tx:
            await ledger.record(tx, new)
    await store.close()
    database = module_dsn.split("@/")[1].split("?")[0]
    conn = await asyncpg.connect(cluster.url("postgres", database))
    yield conn
    await conn.close()


async def walk(conn: asyncpg.Connection, known: Sequence[Head] = (), tamper: str = "") -> runs.Walk:
    """What a walk finds after the worst that can be done short of writing the hashes anew; then all is as before."""
    work = conn.transaction()
    await work.start()
    try:
        await conn.execute("SET LOCAL session_replication_role = replica")  # every trigger off
        if tamper:
            await conn.execute(tamper)
        await conn.execute(sql("sites.enter"), "main", "auditor")
        return await runs.walk_chain(Tx(conn, "main", "auditor"), known)
    finally:
        await work.rollback()


COPY_RUN = (
    "INSERT INTO run SELECT site_id, gen_random_uuid(), '{subject}', inputs, engine, pack_sha, overlay_sha, facts_sha, "
    "day, at, agent, seat, card, card_sha, automatic, counted, assumed, unknown, flagged, actor, made_at, {seq}, "
    "prev_hash, hash FROM run WHERE seq = 3"
)
CASES = {
    "edited points": ("UPDATE entry SET points = 0 WHERE seq = 4", 4, "changed"),
    "edited evidence": ("UPDATE entry SET evidence = '[]' WHERE seq = 4", 4, "changed"),
    "edited actor": ("UPDATE run SET actor = 'nobody' WHERE seq = 3", 3, "changed"),
    "edited total": ("UPDATE run SET automatic = 0 WHERE seq = 3", 3, "changed"),
    "edited card": ("UPDATE run SET card = 'x' WHERE seq = 3", 3, "card"),
    "edited facts": ("UPDATE fact_set SET body = 'x'", 1, "facts"),
    "deleted entry": ("DELETE FROM entry WHERE seq = 4", 4, "missing"),
    "deleted run": ("DELETE FROM run WHERE seq = 3", 3, "missing"),
    "cut tail": ("DELETE FROM entry WHERE seq = 7", 7, "missing"),
    "reordered": (
        "UPDATE entry SET seq = CASE seq WHEN 2 THEN -4 ELSE -2 END WHERE seq IN (2, 4);"
        "UPDATE entry SET seq = -seq WHERE seq < 0",
        2,
        "does not follow",
    ),
    "inserted behind the head": (COPY_RUN.format(subject="call:c9", seq=8), 8, "behind the head"),
    "inserted in the middle": (COPY_RUN.format(subject="call:c9", seq=4), 5, "twice|does not follow|missing"),
    "cut tail and head": (
        "DELETE FROM entry WHERE seq = 7; UPDATE chain_head SET seq = 6, hash = (SELECT hash FROM entry WHERE seq = 6)",
        7,
        "rolled back",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_tampering_is_found_where_it_was_done(filled: asyncpg.Connection, case: str) -> None:
    before = await walk(filled)
    assert before.clean and before.rows == 7
    statement, seq, says = CASES[case]
    after = await walk(filled, [before.head], statement)
    assert after.broken is not None
    if case != "inserted in the middle":
        assert after.broken.seq == seq
    assert any(word in after.broken.what for word in says.split("|")), after.broken


async def test_a_pointer_that_was_moved_back_is_found(filled: asyncpg.Connection) -> None:
    moved = "UPDATE current_run SET run = (SELECT id FROM run WHERE seq = 1) WHERE subject = 'call:c1'"
    after = await walk(filled, (), moved)
    assert (after.broken, after.strayed, after.clean) == (None, ("call:c1",), False)


async def test_history_written_anew_is_found_by_an_exported_head(filled: asyncpg.Connection) -> None:
    after = await walk(filled, [Head(3, bytes(32))])
    assert after.broken is not None and after.broken.seq == 3 and "rewritten" in after.broken.what


async def test_an_empty_ledger_is_clean(store: Store) -> None:
    async with store.site("main", "auditor") as tx:
        empty = await runs.walk_chain(tx)
    assert empty.clean and empty.rows == 0
