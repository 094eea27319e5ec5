"""Records in the database: all or nothing, versions as rows, once and in order, walled and never changed."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import asyncpg
import pytest

from qa.store import records
from qa.store.errors import BadCursor, Conflict, Refused
from qa.store.pool import Store
from qa.store.records import Added, Wanted
from scoring.records.book import Book
from scoring.records.kinds import MODELS
from scoring.records.record import Record
from tests.scoring.records.build import raw, record
from tests.scoring.records.test_book import better, exam, void

SITE = "main"


async def add(store: Store, *new: Record, partial: bool = False, site: str = SITE) -> Added:
    async with store.site(site, "Zhao") as tx:
        return await records.add_records(tx, new, name="march.yaml", partial=partial)


async def book(store: Store, site: str = SITE) -> Book:
    async with store.site(site, "reader") as tx:
        return await records.current_records(tx)


async def test_every_kind_comes_back_as_it_was_taken(store: Store) -> None:
    given = [record(kind, kind) for kind in MODELS]
    added = await add(store, *given)

    assert (added.accepted, added.duplicates, added.refused) == (len(MODELS), 0, ())
    assert (await book(store)).all() == tuple(given)


async def test_the_same_again_is_skipped_and_noted(store: Store) -> None:
    await add(store, exam("a"), exam("b"))
    again = await add(store, exam("a"), exam("c"))

    assert (again.accepted, again.duplicates) == (1, 1)
    async with store.site(SITE, "reader") as tx:
        told = [(one.name, one.accepted, one.duplicates, one.actor) for one in await records.deliveries(tx)]
    assert told == [("march.yaml", 1, 1, "Zhao"), ("march.yaml", 2, 0, "Zhao")]


async def test_one_refusal_stops_a_whole_list_unless_a_part_will_do(store: Store) -> None:
    await add(store, exam("a"))
    whole = await add(store, exam("b"), exam("a", "61"), better("c", "nobody"))

    assert (whole.accepted, whole.delivery) == (0, None)
    assert [(at, why.field) for at, why in whole.refused] == [(1, "id"), (2, "supersedes")]
    assert [one.id for one in (await book(store)).all()] == ["a"]

    part = await add(store, exam("b"), exam("a", "61"), partial=True)
    assert (part.accepted, len(part.refused)) == (1, 1)
    assert [one.id for one in (await book(store)).all()] == ["a", "b"]


async def test_what_was_no_record_stops_the_list_too(store: Store) -> None:
    async with store.site(SITE, "Zhao") as tx:
        added = await records.add_records(tx, [exam("a")], name="x", refused_before=2)

    assert added.accepted == 0 and (await book(store)).all() == ()


async def test_replacing_and_withdrawing_are_rows_of_their_own(store: Store) -> None:
    await add(store, exam("a"), exam("z"))
    await add(store, better("b", "a"))
    await add(store, better("b", "b", "80"), void("z"))

    stands = await book(store)
    assert [one.get("score") for one in stands.of_kind("exam")] == [80]
    async with store.site(SITE, "reader") as tx:
        assert [(one.version, one.record.id) for one in await records.versions(tx, "a")] == [
            (1, "a"),
            (2, "b"),
            (3, "b"),
        ]
        assert [one.record.id for one in await records.versions(tx, "v1")] == ["z", "v1"]
        assert [one.record.get("score") for one in (await records.page(tx, Wanted())).items] == [80]
        assert await records.versions(tx, "nobody") == ()


async def test_a_book_as_it_stood_knows_nothing_of_later_records(store: Store) -> None:
    await add(store, exam("a"))
    async with store.site(SITE, "reader") as tx:
        closed_at = await records.newest(tx)
    await add(store, better("b", "a"))

    async with store.site(SITE, "reader") as tx:
        then = await records.current_records(tx, closed_at)
    assert [one.id for one in then.of_kind("exam")] == ["a"]
    assert [one.id for one in (await book(store)).of_kind("exam")] == ["b"]


async def test_a_case_goes_on_from_the_steps_that_stand(store: Store) -> None:
    step = raw("case", "s2", case_type=None, stage="closed", at="2026-03-04T09:00")
    later = record("case", **{name: value for name, value in step.items() if name != "kind"}, case_type=None)
    assert (await add(store, later)).refused[0][1].field == "case_type"

    await add(store, record("case", "s1"))
    assert (await add(store, later)).accepted == 1
    assert (await add(store, record("case", "s3", case_type="loss", stage="found"))).refused[0][1].field == "case_type"


async def test_a_list_goes_by_kind_person_case_and_day_page_by_page(store: Store) -> None:
    days = [exam(f"e{n}", day=f"2026-03-{n:02}", agent="Lin" if n % 2 else "Wu") for n in range(1, 8)]
    await add(store, *days, record("case", "s1"), record("figure", "f1", period="2026-03"))
    async with store.site(SITE, "reader") as tx:

        async def ids(**only: Any) -> list[str]:
            return [one.record.id for one in (await records.page(tx, Wanted(**only))).items]

        assert await ids(kind="exam", agent="Wu") == ["e6", "e4", "e2"]
        assert await ids(kind="exam", from_day=date(2026, 3, 3), to_day=date(2026, 3, 4)) == ["e4", "e3"]
        assert await ids(case="c1") == ["s1"]
        assert await ids(to_day=date(2026, 3, 1)) == ["f1", "e1"]
        seen, cursor = [], None
        while True:
            page = await records.page(tx, Wanted(kind="exam"), cursor, 3)
            seen += [one.record.id for one in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert seen == [f"e{n}" for n in range(7, 0, -1)]
        for bad in ("", "x", "-1", "9" * 30, "１"):
            with pytest.raises(BadCursor):
                await records.page(tx, Wanted(), bad)


async def test_two_that_replace_the_same_record_at_once_are_judged_one_after_the_other(store: Store) -> None:
    await add(store, exam("a"))
    both = await asyncio.gather(add(store, better("b", "a")), add(store, better("c", "a", "90")))

    assert sorted(one.accepted for one in both) == [0, 1]
    (lost,) = [one for one in both if one.refused]
    assert "was replaced by" in lost.refused[0][1].reason


async def test_sites_do_not_see_one_another_s_records(store: Store) -> None:
    await store.add_site("north", "North", "Asia/Seoul", "test")
    await add(store, exam("a"))
    added = await add(store, exam("a", "61"), site="north")

    assert added.accepted == 1
    assert [one.get("score") for one in (await book(store)).all()] == [60]
    assert [one.get("score") for one in (await book(store, "north")).all()] == [61]


@pytest.mark.parametrize("table", ["record", "delivery", "register"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_what_was_taken_is_changed_by_nobody(store: Store, dsn: str, table: str, statement: str) -> None:
    await add(store, exam("a"))
    async with store.site(SITE, "owner") as tx:
        await records.connect(tx, "leave", date(2026, 3, 1))
    with pytest.raises(Refused):
        async with store.site(SITE, "worker") as tx:
            await tx.connection.execute(statement.format(table))
    owner = await asyncpg.connect(dsn)
    await owner.execute("SELECT set_config('seatwatch.site', 'main', false)")
    with pytest.raises(asyncpg.PostgresError) as told:
        await owner.execute(statement.format(table))
    assert told.value.sqlstate == "SW002"
    await owner.close()


async def test_a_version_stands_once_even_past_the_book(store: Store) -> None:
    await add(store, exam("a"))
    with pytest.raises(Conflict):
        async with store.site(SITE, "worker") as tx:
            row = await tx.one("records.deliveries", 1)
            assert row is not None
            again = ("a", "a", 1, "exam", None, None, date(2026, 3, 1), None, False, "{}", row["id"])
            await tx.many("records.add", [again])


async def test_registers_are_connected_from_a_day_on_and_can_be_let_go(store: Store) -> None:
    async with store.site(SITE, "owner") as tx:
        assert await records.registers(tx) == {}
        await records.connect(tx, "leave", date(2026, 3, 1))
        await records.connect(tx, "case", date(2026, 3, 1))
        await records.connect(tx, "leave", date(2026, 4, 1))
        assert await records.registers(tx) == {"case": date(2026, 3, 1), "leave": date(2026, 4, 1)}
        await records.connect(tx, "case", None)
        assert await records.registers(tx) == {"leave": date(2026, 4, 1)}
        with pytest.raises(ValueError, match="is no register"):
            await records.connect(tx, "gossip", None)
