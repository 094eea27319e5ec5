"""The coverage map: all clauses, each with what its tests read; nothing is covered by wishing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qa.cli import app
from qa.coverage import arriving, coverage, coverage_text
from qa.store import facts, records
from qa.store.facts import Seen
from qa.store.pool import Store
from scoring.errors import PackError
from scoring.load import load_pack, shipped
from scoring.pack import Pack, Rule
from scoring.records.record import Record
from tests.postgres import SITE
from tests.store import rows

DEMO = {"call", "seat_status", "leave"}
BES = load_pack(shipped("bes"))


def clauses(pack: str | Pack, kinds: set[str], heard: bool = True) -> dict[str, dict[str, Any]]:
    (found,) = coverage(pack, kinds, heard=heard)["packs"]
    return {row["rule"]: row for row in found["clauses"]}


def changed(rule: str, **values: Any) -> Pack:
    """The broadband pack with one clause that reads something else."""
    one = Rule.model_validate({**BES.rules[rule].model_dump(), **values}, strict=False)
    return Pack(BES.head, {**BES.rules, rule: one}, BES.section_of, BES.files, "changed")


def test_every_clause_of_every_system_is_there() -> None:
    found = coverage(None, ())["packs"]
    assert len(found) == 29
    assert sum(len(pack["clauses"]) for pack in found) == 597
    keys = {"rule", "cite", "decide", "on", "needs", "covered"}
    assert all(keys <= row.keys() and row["decide"] in ("auto", "review", "manual", "norm")
               for pack in found for row in pack["clauses"])  # fmt: skip


def test_a_clause_is_covered_when_one_way_of_deciding_it_has_its_facts() -> None:
    found = clauses("bes", DEMO)
    asked = ("BES-16", "BES-17", "BES-13a", "BES-14", "BES-27", "BES-11")
    assert [found[one]["covered"] for one in asked] == [True, True, True, True, False, False]
    assert found["BES-01"]["waits_for"] == ["exam"]
    assert (found["BES-14"]["state"], found["BES-14"]["waits_for"]) == ("partly", ["case"])
    assert found["BES-09b"]["on"] is False and found["BES-09b"]["nobody_checks"]


def test_without_recognised_speech_nobody_checks_what_was_said() -> None:
    deaf = clauses("bes", DEMO, heard=False)["BES-13a"]
    assert (deaf["covered"], deaf["state"], deaf["waits_for"], deaf["nobody_checks"]) == (True, "waits", ["text"], True)
    assert clauses("bes", DEMO)["BES-13a"]["state"] == "watched"


def test_with_nothing_connected_only_what_needs_nothing_is_covered() -> None:
    found = clauses("bes", set())
    assert {kind for row in found.values() if row["covered"] for kind in row["needs"]} == {"pack", "none"}


def test_what_follows_from_other_clauses_arrives_with_the_first_of_them() -> None:
    assert not clauses("bes", set())["BES-R00"]["covered"]
    assert clauses("bes", {"call"})["BES-R00"]["covered"]


def test_expressions_count_as_tests_and_say_what_they_read() -> None:
    test = {"each": "month", "breach": "count(attendance, late_ms > 0) > 3 and not exists(leave, approved_at is None)"}
    pack = changed("BES-16", tests=(test,))
    row = clauses(pack, {"call"})["BES-16"]
    assert row["tested"] and row["reads"] == ["attendance", "leave"]
    assert not row["covered"] and row["waits_for"] == ["attendance", "leave"]
    assert clauses(pack, {"attendance", "leave"})["BES-16"]["covered"]


def test_a_named_part_is_read_only_where_it_is_used() -> None:
    used = {"each": "call", "let": {"n": "figure('x')"}, "breach": "n > 1"}
    excuse = {"each": "call", "let": {"n": "figure('x')"}, "na": "n > 1", "breach": "transfers > 2"}
    assert clauses(changed("BES-16", tests=(used,)), {"call"})["BES-16"]["waits_for"] == ["figure"]
    assert clauses(changed("BES-16", tests=(excuse,)), {"call"})["BES-16"]["covered"]


def test_a_register_arrives_when_it_is_connected_and_not_by_single_records() -> None:
    day = date(2026, 3, 1)
    seen = {"call": Seen(3, day), "leave": Seen(1, day), "text": Seen(2, day)}
    assert arriving(seen, {}) == ({"call"}, True)
    assert arriving({"call": Seen(1, day)}, {"leave": day}) == ({"call", "leave"}, False)


def test_the_text_counts_by_pack_and_closes_with_the_sum() -> None:
    text = coverage_text(coverage(None, DEMO), one=False).split("\n")
    assert text[-1] == "29 systems, 597 clauses"
    assert sum(" clauses (" in row for row in text) == 29
    assert any(row.startswith("nobody checks ") and "work_order" in row for row in text)
    assert any("switched off" in row for row in text)
    one = coverage_text(coverage("bes", DEMO), one=True).split("\n")
    assert one[-1] == "1 system, 61 clauses"
    assert any("BES-01 " in row and "waits for exam" in row for row in one)
    assert any("BES-09b" in row and "discrimination" in row for row in one)
    with pytest.raises(PackError, match="there is no pack 'none'"):
        coverage("none", ())


async def test_the_store_knows_which_kinds_have_come_in(store: Store) -> None:
    from qa.store import calls, transcripts

    async with store.site(SITE, "test") as tx:
        assert await facts.kinds(tx) == {}
        await calls.upsert(tx, rows.call(day=rows.DAY))
        await transcripts.add(tx, rows.transcript())
        told = {"kind": "exam", "id": "e1", "agent": "Wang", "day": date(2026, 3, 2), "source": "person"}
        added = await records.add_records(tx, [Record("exam", "e1", told)], name="test")
        assert not added.refused
        found = await facts.kinds(tx)
    assert {name: one.count for name, one in found.items()} == {"call": 1, "text": 1, "exam": 1}
    assert found["exam"].last == date(2026, 3, 2)


def test_a_map_makes_no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATWATCH_DATA", str(tmp_path / "data"))
    told = CliRunner().invoke(app, ["packs", "coverage", "bes", "--json"])
    assert told.exit_code == 0
    found = json.loads(told.stdout)
    assert (found["site"], found["arriving"], len(found["packs"][0]["clauses"])) == ("main", [], 61)
    assert not (tmp_path / "data").exists()
