"""The ledger: scored exactly once per inputs, reversed at most once, one transaction, no holes, whoever races."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest

from qa.store import ledger, outbox, packs, periods, runs
from qa.store.errors import Conflict, PeriodClosed, Refused, speaking
from qa.store.ledger import NewRun, RunResult
from qa.store.pool import Store, Tx
from tests.store import rows


async def record(store: Store, new: NewRun) -> RunResult:
    async with store.site("main", "worker") as tx:
        return await ledger.record(tx, new)


async def points(store: Store, subject: str = "call:c1") -> Decimal:
    async with store.site("main", "reader") as tx:
        return sum((one.points for one in await runs.entries(tx, subject)), Decimal(0))


async def clean(store: Store) -> int:
    async with store.site("main", "auditor") as tx:
        walk = await runs.walk_chain(tx)
    assert walk.clean, walk
    return walk.rows


async def test_a_run_is_stored_with_all_that_replays_it(store: Store) -> None:
    made = await record(store, rows.run())
    assert made.new and made.moved
    async with store.site("main", "reader") as tx:
        run = await runs.get(tx, made.run)
        assert (run.facts, run.card, run.engine, run.day, run.actor) == (
            b"facts in-1",
            b"card in-1",
            1,
            rows.DAY,
            "worker",
        )
        assert (await packs.get(tx, run.pack_sha)).body == b"rules"
        assert (await packs.overlay(tx, run.overlay_sha)).body == b"{}"
        assert run.is_current and run == await runs.current(tx, "call:c1")
        [entry] = await runs.entries(tx, "call:c1")
        assert (entry.rule, entry.points, entry.assumed, entry.evidence[0]["value"]) == (
            "BES-16",
            Decimal("-0.5"),
            True,
            "4",
        )
    assert await clean(store) == 2


async def test_the_same_inputs_again_do_nothing(store: Store) -> None:
    first = await record(store, rows.run())
    again = await record(store, rows.run())
    assert again == RunResult(first.run, new=False, moved=False)
    assert await clean(store) == 2
    async with store.site("main", "reader") as tx:
        assert len(await outbox.take(tx)) == 1


async def test_new_inputs_reverse_the_old_entries_and_move_the_pointer(store: Store) -> None:
    await record(store, rows.run())
    second = await record(store, rows.run(inputs="in-2", entries=(rows.entry("BES-13a", "-1"),)))
    assert await points(store) == Decimal("-1")
    async with store.site("main", "reader") as tx:
        current = await runs.current(tx, "call:c1")
        assert current is not None and current.id == second.run
        found = await runs.entries(tx, "call:c1")
        assert [(one.rule, one.depth) for one in found] == [("BES-16", 0), ("BES-16", 1), ("BES-13a", 0)]
        assert [one.rule for one in runs.in_force(found)] == ["BES-13a"]
    await clean(store)


async def test_inputs_that_return_are_in_force_again_without_a_second_entry(store: Store) -> None:
    first = await record(store, rows.run())
    for turn in range(3):
        await record(store, rows.run(inputs="in-2", entries=()))
        assert await points(store) == 0
        back = await record(store, rows.run())
        assert back == RunResult(first.run, new=False, moved=True)
        assert await points(store) == Decimal("-0.5"), turn
    async with store.site("main", "reader") as tx:
        found = await runs.entries(tx, "call:c1")
        assert len({one.reverses for one in found if one.reverses}) == len(found) - 1
        assert len(runs.in_force(found)) == 1
    await clean(store)


async def test_one_rule_meets_one_event_once_in_a_run(store: Store) -> None:
    with pytest.raises(Conflict):
        await record(store, rows.run(entries=(rows.entry(), rows.entry())))
    assert await clean(store) == 0
    await record(store, rows.run(entries=(rows.entry(event="1"), rows.entry(event="2"))))
    assert await points(store) == Decimal("-1.0")


async def test_a_run_without_entries_is_in_the_chain_too(store: Store) -> None:
    await record(store, rows.run(entries=()))
    assert await clean(store) == 1


async def test_a_pack_never_changes_under_its_fingerprint(store: Store) -> None:
    await record(store, rows.run())
    other = packs.Pack(rows.PACK.sha, "bes", "2026.1", b"other rules")
    with pytest.raises(Conflict, match="fingerprint"):
        await record(store, rows.run(inputs="in-2", pack=other))
    assert await clean(store) == 2


@pytest.mark.parametrize("point", ["run", "reversals", "entries", "pointer", "outbox"])
async def test_stopped_anywhere_inside_nothing_of_it_stands(store: Store, point: str) -> None:
    await record(store, rows.run())

    async def stop(reached: str) -> None:
        if reached == point:
            raise RuntimeError(point)

    with pytest.raises(RuntimeError, match=point):
        async with store.site("main", "worker") as tx:
            await ledger.record(tx, rows.run(inputs="in-2"), hook=stop)
    assert await clean(store) == 2
    assert await points(store) == Decimal("-0.5")
    assert (await record(store, rows.run(inputs="in-2"))).new
    assert await clean(store) == 5  # run, entry; run, reversal, entry: no hole where the stopped one was


async def test_workers_that_race_with_the_same_inputs_write_one_run(store: Store) -> None:
    results = await asyncio.gather(*(record(store, rows.run()) for _ in range(12)))
    assert sum(one.new for one in results) == 1
    assert len({one.run for one in results}) == 1
    assert await clean(store) == 2


async def test_workers_that_race_over_many_subjects_leave_a_chain_without_holes(store: Store) -> None:
    jobs = [rows.run(f"call:{call}", f"in-{version}") for call in range(6) for version in range(4) for _ in range(2)]
    results = await asyncio.gather(*(record(store, new) for new in jobs))
    assert sum(one.new for one in results) == 24
    async with store.site("main", "reader") as tx:
        for call in range(6):
            found = await runs.entries(tx, f"call:{call}")
            force = runs.in_force(found)
            current = await runs.current(tx, f"call:{call}")
            assert current is not None and [one.run for one in force] == [current.id]
            assert sum((one.points for one in found), Decimal(0)) == Decimal("-0.5")
    await clean(store)


async def test_a_reversal_of_a_reversed_entry_is_refused_by_the_database(store: Store) -> None:
    await record(store, rows.run())
    await record(store, rows.run(inputs="in-2", entries=()))
    async with store.site("main", "reader") as tx:
        first = (await runs.entries(tx, "call:c1"))[0]
    with pytest.raises(Conflict):
        async with store.site("main", "worker") as tx:
            head = await ledger.head(tx)
            await _reverse(tx, first.id, head.seq + 1, head.hash)


async def _reverse(tx: Tx, entry: UUID, seq: int, before: bytes) -> None:
    with speaking():
        await tx.connection.execute(
            "INSERT INTO entry SELECT site_id, gen_random_uuid(), run, subject, agent, rule, event, cite, outcome, "
            "decide, counts, -points, assumed, evidence, day, origin, id, 1, actor, made_at, $2, $3, sha256('x') "
            "FROM entry WHERE id = $1",
            entry, seq, before,
        )  # fmt: skip


async def test_a_row_out_of_the_chain_is_refused_by_the_database(store: Store) -> None:
    await record(store, rows.run())
    async with store.site("main", "reader") as tx:
        first = (await runs.entries(tx, "call:c1"))[0]
        head = await ledger.head(tx)
    for seq, before in ((head.seq + 2, head.hash), (head.seq + 1, bytes(32))):
        with pytest.raises(Refused, match="head of the chain"):
            async with store.site("main", "worker") as tx:
                await _reverse(tx, first.id, seq, before)


async def test_a_closed_period_takes_no_entry_and_is_closed_once(store: Store) -> None:
    async with store.site("main", "owner") as tx:
        await periods.add(tx, "2026-11", rows.DAY.replace(day=1), rows.DAY.replace(day=30))
    await record(store, rows.run())
    async with store.site("main", "owner") as tx:
        await periods.close(tx, "2026-11")
        first = (await runs.entries(tx, "call:c1"))[0]
        head = await ledger.head(tx)
    with pytest.raises(PeriodClosed, match="2026-11"):
        async with store.site("main", "worker") as tx:
            await _reverse(tx, first.id, head.seq + 1, head.hash)
    with pytest.raises(PeriodClosed):
        async with store.site("main", "owner") as tx:
            await periods.close(tx, "2026-11")
    later = rows.run("call:c2", day=rows.DAY.replace(month=12))
    assert (await record(store, later)).new
    await clean(store)


async def test_late_news_of_a_closed_period_is_booked_on_the_first_open_day(store: Store) -> None:
    async with store.site("main", "owner") as tx:
        await periods.add(tx, "2026-11", rows.DAY.replace(day=1), rows.DAY.replace(day=30))
    await record(store, rows.run())
    async with store.site("main", "owner") as tx:
        await periods.close(tx, "2026-11")
    await record(store, rows.run(inputs="in-2"))

    async with store.site("main", "reader") as tx:
        found = await runs.entries(tx, "call:c1")
        now = await runs.current(tx, "call:c1")
    booked = {(one.depth, one.day) for one in found}
    assert booked == {(0, rows.DAY), (1, rows.DAY.replace(month=12, day=1)), (0, rows.DAY.replace(month=12, day=1))}
    assert now is not None and (now.inputs, now.day) == ("in-2", rows.DAY)
    await clean(store)


async def test_minus_zero_and_trailing_zeros_hash_as_they_are_stored(store: Store) -> None:
    odd = (rows.entry("A", "-0"), rows.entry("B", "-0.50"), rows.entry("C", "1E+2"))
    await record(store, rows.run(entries=odd, automatic=Decimal("-0"), at=None, agent=None))
    await record(store, rows.run(inputs="in-2", entries=()))
    await clean(store)


async def test_hostile_text_is_stored_and_still_hashes_the_same(store: Store) -> None:
    nasty = "\x00\ud800<script>\u202e𐍈"
    line = rows.entry(event=nasty, evidence=({"kind": "span", "text": nasty, "share": 0.25},))
    await record(store, rows.run(f"call:{nasty}", entries=(line,), agent=nasty))
    await record(store, rows.run(f"call:{nasty}", "in-2"))
    await clean(store)
