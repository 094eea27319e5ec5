"""Since when a leg carries no voice stands with its call while it goes on: written as it changes, lost by no fold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.sink import SpoolRow
from qa.store import calls, events
from qa.store.levels import Levels
from qa.store.pool import Store
from qa.store.sink import PostgresSink
from tests.store import rows

T0 = datetime(2026, 3, 1, 9, tzinfo=UTC)
CALL = calls.Call(id="c1", state="live", at=T0, answered_at=T0, folded={"record": {"id": "c1"}, "audio": {}})


def report(peak_dbfs: float, call: str = "c1", n: int = 1) -> SpoolRow:
    body = json.dumps({"peak_dbfs": peak_dbfs, "span_ms": 10_000}).encode()
    return SpoolRow(n, "clock", "pbx", call, "agent", n, rows.at(n), body)


class Reports:
    """A leg's reports, one each ten seconds, and what would be written."""

    def __init__(self) -> None:
        self.at = T0
        self.levels = Levels(-50.0, lambda: self.at)

    def hear(self, *peaks_dbfs: float) -> dict[str, Any]:
        for one in peaks_dbfs:
            self.at += timedelta(seconds=10)
            self.levels.hear([report(one)])
        return self.levels._legs["c1", "agent"].as_dict()


def test_silence_begins_with_the_first_whole_span_without_voice() -> None:
    leg = Reports()
    assert leg.hear(-20) == {"quiet_since": None}
    begun = {"quiet_since": (T0 + timedelta(seconds=10)).isoformat(),
             "heard_at": (T0 + timedelta(seconds=10)).isoformat()}  # fmt: skip
    assert leg.hear(-60) == leg.hear(-100, -50.1) == begun
    assert leg.hear(-50) == {"quiet_since": None}


def test_a_leg_that_never_spoke_is_silent_from_its_begin() -> None:
    assert Reports().hear(-90, -90) == {"quiet_since": T0.isoformat(), "heard_at": None}


def test_a_report_of_a_clock_and_an_end_say_no_level() -> None:
    levels = Levels(-50.0)
    assert levels.hear([replace(report(0), payload=b'{"at":"2026-03-01T09:00:00Z","sample":7}')]) == set()
    assert levels.hear([report(-20), replace(report(0), kind="end")]) == set()


async def stored(store: Store, id: str = "c1") -> dict[str, Any]:
    async with store.site("main", "test") as tx:
        return (await calls.get(tx, id)).folded


async def put(store: Store, call: calls.Call) -> None:
    async with store.site("main", "fold") as tx:
        await calls.upsert(tx, call)


async def test_what_changes_is_kept_with_the_call_and_no_fold_takes_it_away(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await put(store, CALL)
    await sink.take("s1", 1, [report(-70)])
    first = await stored(store)
    assert list(first["levels"]) == ["agent"] and first["record"] == {"id": "c1"}

    await put(store, replace(CALL, folded={"record": {"id": "c1"}, "phone": "hold"}))
    await sink.take("s1", 2, [report(-70, n=2)])
    assert await stored(store) == {"record": {"id": "c1"}, "phone": "hold", "levels": first["levels"]}

    await sink.take("s1", 3, [report(-10, n=3)])
    assert (await stored(store))["levels"] == {"agent": {"quiet_since": None}}
    await put(store, replace(CALL, state="ended", ended_at=T0))
    await sink.take("s1", 4, [report(-70, n=4)])
    assert await stored(store) == CALL.folded


async def test_a_call_that_is_not_there_yet_is_told_with_the_next_report(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await sink.take("s1", 1, [report(-70)])
    await put(store, replace(CALL, answered_at=None))
    await sink.take("s1", 2, [report(-70, n=2)])
    assert "levels" not in await stored(store)

    await put(store, CALL)
    await sink.take("s1", 3, [report(-70, n=3)])
    assert (await stored(store))["levels"]["agent"]["quiet_since"] is not None


async def test_reports_under_a_one_time_name_go_to_the_call_and_all_its_parts(store: Store) -> None:
    sink, name = PostgresSink(store, "main"), "0b0b2a5c-0000-4000-8000-000000000001"
    await put(store, CALL)
    await put(store, replace(CALL, id="c1~2", conversation="c1"))
    await put(store, replace(CALL, id="c1~101", conversation="c1", answered_at=None))
    async with store.site("main", "test") as tx:
        await events.append(tx, "pbx", "e1", T0, None, "leg", "c1", "inner", None, None,
                            {"type": "leg", "audio": {"audiosocket": name}})  # fmt: skip
    await sink.take("s1", 1, [report(-70, call=name)])

    assert list((await stored(store))["levels"]) == list((await stored(store, "c1~2"))["levels"]) == ["inner"]
    assert "levels" not in await stored(store, "c1~101")


async def test_a_call_that_is_being_folded_holds_nothing_up(store: Store) -> None:
    sink = PostgresSink(store, "main")
    await put(store, CALL)
    async with store.site("main", "fold") as tx:
        await calls.upsert(tx, CALL)
        await sink.take("s1", 1, [report(-70)])
    assert "levels" not in await stored(store)

    await sink.take("s1", 2, [report(-70, n=2)])
    assert "levels" in await stored(store)
