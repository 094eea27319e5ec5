"""The tailer's sink: rows and cursor together, the same rows again change nothing, news are marked for folding."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from ingest.errors import SinkAway
from ingest.sink import Kind, Sink, SpoolRow
from qa.store import events, recordings, spools
from qa.store.pool import Store
from qa.store.sink import PostgresSink
from tests.store import rows

TOKEN = "0b0b2a5c-0000-4000-8000-000000000001"


def row(n: int, kind: Kind, payload: dict[str, object], call: str = "c1", leg: str = "agent") -> SpoolRow:
    return SpoolRow(n, kind, "pbx", call, leg, n, rows.at(n), json.dumps(payload).encode())


def event(n: int, type: str = "ringing", **told: object) -> SpoolRow:
    body = {"source": "pbx", "id": f"e{n}", "at": rows.at(n).isoformat(), "type": type, "call": "c1", **told}
    return row(n, "event", body)


def started(n: int, call: str = TOKEN) -> SpoolRow:
    return row(
        n, "start", {"role": "agent", "rate": 8000, "encoding": "slin", "at": rows.at(n).isoformat(), "epoch": 1}, call
    )


async def due(store: Store) -> set[tuple[str, str]]:
    async with store.site("main", "fold") as tx:
        return {(one.kind, one.id) for one in await events.take_due(tx)}


async def test_rows_and_cursor_come_together_and_once(store: Store) -> None:
    sink: Sink = PostgresSink(store, "main")
    assert await sink.cursor("spool-1") == 0
    batch = [
        event(1, seat="101"),
        event(2, "answered", seq=7, mood="kept"),
        row(4, "gap", {"start_sample": 0, "samples": 80, "cause": "loss"}),
    ]
    for _ in range(2):
        await sink.take("spool-1", 5, batch)
        assert await sink.cursor("spool-1") == 5
    async with store.site("main", "reader") as tx:
        found = await events.for_call(tx, "c1")
        assert [(one.id, one.seq, one.type) for one in found] == [("e1", None, "ringing"), ("e2", 7, "answered")]
        assert found[1].body["mood"] == "kept"
        assert [(one.n, one.kind, one.body["samples"]) for one in await spools.marks(tx, "c1")] == [(4, "gap", 80)]
        assert await spools.known(tx) == {"spool-1": 5}
    assert await due(store) == {("call", "c1"), ("seat", "101")}
    assert await due(store) == set()


async def test_rows_and_cursor_come_together_or_not_at_all(store: Store) -> None:
    sink = PostgresSink(store, "main")
    with pytest.raises(ValueError):
        await sink.take("s", 2, [event(1), replace(event(2), payload=b"no JSON")])
    assert await sink.cursor("s") == 0
    async with store.site("main", "reader") as tx:
        assert await events.for_call(tx, "c1") == []


async def test_a_cursor_never_goes_back(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await sink.take("s", 9, [event(8)])
    await sink.take("s", 3, [event(2)])
    assert await sink.cursor("s") == 9
    async with store.site("main", "reader") as tx:
        assert [one.id for one in await events.for_call(tx, "c1")] == ["e8"]


async def test_the_same_event_through_two_spools_is_kept_once(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await asyncio.gather(*(sink.take(f"s{n}", 1, [event(1)]) for n in range(6)))
    async with store.site("main", "reader") as tx:
        assert len(await events.for_call(tx, "c1")) == 1


async def test_audio_that_came_under_a_one_time_name_belongs_to_the_call_whichever_comes_first(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await sink.take("s1", 2, [started(1), row(2, "audio", {}, TOKEN)])
    async with store.site("main", "reader") as tx:
        assert await spools.unassembled(tx, "s1") == [TOKEN]
    await sink.take("s2", 1, [event(1, "leg", leg="agent", role="agent", audio={"audiosocket": TOKEN})])
    await sink.take("s2", 2, [row(2, "end", {"samples": 8000, "cause": "hangup"}, TOKEN)])
    assert ("call", "c1") in await due(store)
    async with store.site("main", "reader") as tx:
        assert await spools.call_of(tx, TOKEN) == "c1"
        assert [(one.kind, one.spool) for one in await spools.marks(tx, "c1")] == [("start", "s1"), ("end", "s2")]
        assert await spools.of_call(tx, "c1") == ["s1", "s2"]
        assert await spools.unassembled(tx, "s1") == ["c1"]
        assert await recordings.add(tx, rows.recording())
        assert await spools.unassembled(tx, "s1") == []


async def test_news_that_come_while_a_call_is_folded_have_it_folded_again(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await sink.take("s", 1, [event(1)])
    async with store.site("main", "fold") as tx:
        assert [one.id for one in await events.take_due(tx)] == ["c1"]
        late = asyncio.create_task(sink.take("s", 2, [event(2)]))
        seen = len(await events.for_call(tx, "c1"))
    await late
    assert seen in (1, 2)
    assert await due(store) == {("call", "c1")}


async def test_a_folding_that_fails_gives_its_work_back(store: Store) -> None:
    await PostgresSink(store, "main").take("s", 1, [event(1)])
    with pytest.raises(RuntimeError):
        async with store.site("main", "fold") as tx:
            assert await events.take_due(tx)
            raise RuntimeError
    async with store.site("main", "fold") as tx:
        assert await events.count_due(tx) == 1


async def test_hostile_text_does_not_stop_the_spool(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await sink.take("s", 1, [event(1, call="c\x00\ud800", agent="\x00", note={"deep": "\x00\udfff"})])
    async with store.site("main", "reader") as tx:
        [one] = await events.for_call(tx, "c\ufffd\ufffd")
        assert one.body["note"] == {"deep": "\x00\udfff"}


async def test_a_database_that_is_away_is_said_in_the_tailers_words(dsn: str) -> None:
    store = await Store.open(dsn, size=1, acquire_seconds=0.5)
    sink = PostgresSink(store, "main")
    async with store.site("main", "holds the only connection"):
        with pytest.raises(SinkAway):
            await sink.cursor("s")
        with pytest.raises(SinkAway):
            await sink.take("s", 1, [event(1)])
    await store.close()
