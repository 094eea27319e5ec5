"""Calls, recordings, transcripts, seats and people: stored as given, listed in pages, changed only where they may."""

from __future__ import annotations

from decimal import Decimal

import pytest

from qa.store import calls, ledger, outbox, pages, people, recordings, seats, transcripts
from qa.store.calls import Filter
from qa.store.errors import BadCursor, Conflict
from qa.store.people import Held, Role
from qa.store.pool import Store
from qa.store.seats import AwayEpisode, Stretch
from tests.store import rows


async def test_a_call_folded_again_is_put_in_place_of_itself(store: Store) -> None:
    async with store.site("main", "fold") as tx:
        await calls.upsert(tx, rows.call(state="talking", answered_at=rows.at(9), folded={"seconds": Decimal("9.25")}))
        await calls.upsert(tx, rows.call(conclusion="answered", hung_up_by="customer", day=rows.DAY, number="138****"))
        assert await calls.get(tx, "c1") == rows.call(
            conclusion="answered", hung_up_by="customer", day=rows.DAY, number="138****"
        )
        assert await calls.find(tx, "c2") is None
        assert await calls.count(tx) == {"ended": 1}


async def test_pages_show_every_call_once_newest_first_while_new_ones_come(store: Store) -> None:
    async with store.site("main", "fold") as tx:
        for n in range(23):
            await calls.upsert(tx, rows.call(f"c{n:02}", at=rows.at(n // 2)))
    seen: list[str] = []
    after = None
    while True:
        async with store.site("main", "reader") as tx:
            page = await calls.page(tx, after=after, limit=5)
            await calls.upsert(tx, rows.call(f"later{len(seen)}", at=rows.at(1000 + len(seen))))
        seen += [one.call.id for one in page.items]
        if (after := page.next) is None:
            break
    assert seen == sorted((f"c{n:02}" for n in range(23)), key=lambda id: (int(id[1:]) // 2, id), reverse=True)


async def test_the_list_carries_the_current_score_and_is_filtered(store: Store) -> None:
    async with store.site("main", "worker") as tx:
        await calls.upsert(tx, rows.call("c1", day=rows.DAY, direction="in", seat="101"))
        await calls.upsert(tx, rows.call("c2", agent="A02", state="talking"))
        await ledger.record(tx, rows.run(flagged=2, unknown=1))
        await ledger.record(tx, rows.run("call:c2", flagged=0))

        async def ids(only: Filter) -> list[str]:
            return [one.call.id for one in (await calls.page(tx, only)).items]

        assert await ids(Filter(flagged=True)) == ["c1"]
        assert await ids(Filter(flagged=False)) == ["c2"]
        assert await ids(Filter(agent="A02")) == ["c2"]
        assert await ids(Filter(day=rows.DAY)) == ["c1"]
        assert await ids(Filter(state="talking")) == ["c2"]
        assert await ids(Filter(seat="101", direction="in")) == ["c1"]
        assert await ids(Filter(agent="A02", flagged=True)) == []
        [listed] = (await calls.page(tx, Filter(flagged=True))).items
        assert listed.score is not None
        assert (listed.score.counted, listed.score.unknown, listed.score.assumed) == (Decimal("-0.5"), 1, True)


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "W10", "WyJhIiwgImIiXQ", "bnVsbA", "你好", "A" * 5000])
async def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor, match="without one"):
        pages.read(cursor)


def test_a_cursor_comes_back_as_it_went() -> None:
    assert pages.read(pages.token(rows.NOON, "通话 c1")) == (rows.NOON, "通话 c1")
    assert pages.read(None) == (None, None)


async def test_recordings_are_kept_once_and_dropped_by_name_only(store: Store) -> None:
    async with store.site("main", "worker") as tx:
        flac = rows.recording(gaps=({"role": "agent", "start_ms": 0, "end_ms": 250, "cause": "loss"},))
        assert await recordings.add(tx, flac) and not await recordings.add(tx, flac)
        assert await recordings.add(tx, rows.recording(path="c1.opus", audio_sha="b" * 64, format="opus"))
        found = {one.format: one for one in await recordings.of_call(tx, "c1")}
        assert found["flac"].roles == ("customer", "agent") and found["flac"].gaps == flac.gaps
        id = found["flac"].id
        assert id is not None
        await recordings.drop(tx, id)
        assert [one.format for one in await recordings.of_call(tx, "c1")] == ["opus"]
        assert [one.path for one in await recordings.every(tx)] == ["c1.opus"]


async def test_a_hearing_is_kept_once_and_the_newest_comes_first(store: Store) -> None:
    async with store.site("main", "worker") as tx:
        first = rows.transcript(body={"turns": [{"text": "您好", "confidence": Decimal("0.93")}]})
        assert await transcripts.add(tx, first) and not await transcripts.add(tx, first)
        assert await transcripts.add(tx, rows.transcript(model_sha="m2"))
        newest, oldest = await transcripts.of_call(tx, "c1")
        assert (newest.model_sha, oldest.body["turns"][0]["confidence"]) == ("m2", "0.93")
        found = await transcripts.find(tx, "c1", first.audio_sha, first.engine, first.model_sha, first.params_sha)
        assert found == oldest
        assert await transcripts.find(tx, "c1", first.audio_sha, first.engine, "m3", first.params_sha) is None


async def test_a_seat_folded_again_leaves_nothing_of_the_old_folding(store: Store) -> None:
    def stretch(begin: int, end: int | None, value: str) -> Stretch:
        until = None if end is None else rows.at(end)
        return Stretch(seat="101", kind="status", at=rows.at(begin), until_at=until, value=value, source="pbx")

    async with store.site("main", "fold") as tx:
        await seats.replace(tx, "101", [stretch(0, 10, "ready"), stretch(10, None, "talking")])
        await seats.replace(tx, "101", [stretch(5, None, "busy")], since=rows.at(5))
        assert [one.value for one in await seats.history(tx, "101", rows.at(0), rows.at(60))] == ["ready", "busy"]
        assert [one.value for one in await seats.now(tx)] == ["busy"]
        await seats.replace(tx, "101", [])
        assert await seats.now(tx) == []


async def test_away_episodes_are_replaced_and_paged(store: Store) -> None:
    def away(n: int, **told: object) -> AwayEpisode:
        return AwayEpisode(id=f"101@{n}", seat="101", at=rows.at(n), source="sensor", **told)  # type: ignore[arg-type]

    async with store.site("main", "fold") as tx:
        await seats.replace_away(tx, "101", [away(n) for n in range(4)])
        await seats.replace_away(tx, "101", [away(2, away_ms=40_000, ready_ms=31_000), away(3)])
        assert (await seats.away(tx, "101@2")).ready_ms == 31_000
        first = await seats.page_away(tx, limit=1)
        second = await seats.page_away(tx, seat="101", after=first.next, limit=1)
        assert [one.id for one in (*first.items, *second.items)] == ["101@3", "101@2"]
        assert second.next is None


async def test_people_hold_roles_and_their_logins_are_theirs(store: Store) -> None:
    async with store.site("main", "owner") as tx:
        kim = await people.add(
            tx, "김", login="kim", agent="A01", roles=(Held(Role.AGENT), Held(Role.SUPERVISOR, "red"))
        )
        await people.give(tx, kim, Held(Role.REVIEWER))
        await people.take(tx, kim, Held(Role.AGENT))
        found = await people.by_login(tx, "kim")
        assert found is not None and found.roles == (Held(Role.REVIEWER), Held(Role.SUPERVISOR, "red"))
    with pytest.raises(Conflict):
        async with store.site("main", "owner") as tx:
            await people.add(tx, "Other", login="kim")
    async with store.site("main", "owner") as tx:
        await people.leave(tx, kim)
        assert await people.by_login(tx, "kim") is None
        await people.add(tx, "Other", login="kim")
        assert [one.left_at is None for one in await people.everybody(tx)] == [True, False]


async def test_notices_wait_until_they_were_sent(store: Store) -> None:
    async with store.site("main", "worker") as tx:
        first = await outbox.put(tx, "scored", "call:c1", {"total": Decimal("-0.5")})
        second = await outbox.put(tx, "scored", "call:c2", {})
    async with store.site("main", "sender") as tx:
        assert [(one.id, one.body) for one in await outbox.take(tx, 1)] == [(first, {"total": "-0.5"})]
        async with store.site("main", "other sender") as other:
            assert [one.id for one in await outbox.take(other)] == [second]
        await outbox.failed(tx, first, "HTTP 500", rows.at(10**9))
        await outbox.sent(tx, second)
    async with store.site("main", "sender") as tx:
        assert await outbox.take(tx) == []
        assert (await outbox.waiting(tx))[0] == 1
