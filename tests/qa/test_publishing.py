"""Publishing: a pack holds from a day on, its own tests decide whether it may, the shadow gives no points."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qa.cli import app
from qa.publish import faults_of
from qa.publishing import holding, promote, publish, published, shade
from qa.runs import new_run, replay
from qa.store import ledger, outbox, packs, periods, publications, runs
from qa.store.errors import Conflict, NotFound, PeriodClosed
from qa.store.pool import Store
from scoring.engine import score
from scoring.load import load_pack, shipped
from scoring.pack import Pack
from tests.postgres import SITE
from tests.qa.test_backtest import BES, RULES, drafted, two_rings
from tests.scoring import build

AT = datetime(2026, 4, 1, 9, tzinfo=UTC)
APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)
LATE = build.call({"ring_count": 3})


@pytest.fixture
def strict(tmp_path: Path) -> Pack:
    """The regulation as the owner would have it: two rings instead of three, and a version of its own."""
    return load_pack(drafted(two_rings(tmp_path / "strict"), ("pack.yaml", 'version: "1"', 'version: "2"')))


async def _scored(store: Store, name: str, day: date) -> None:
    facts = replace(LATE, subject=f"call:{name}")
    async with store.site(SITE, "worker") as tx:
        run, card = new_run(await holding(tx, RULES, day), facts, day)
        await ledger.record(tx, run)
        await shade(tx, RULES, facts, day, card)


async def _counted(store: Store, name: str) -> tuple[str, str]:
    async with store.site(SITE, "test") as tx:
        run = await runs.current(tx, f"call:{name}")
        assert run is not None
        body = await packs.get(tx, run.pack_sha)
        overlay = await packs.overlay(tx, run.overlay_sha)
        assert replay(run, body.body, overlay.body) is None
        return run.pack_version, str(run.counted)


async def test_a_version_holds_from_its_day_on_and_what_was_scored_since_is_scored_again(
    store: Store, strict: Pack
) -> None:
    await _scored(store, "march", date(2026, 3, 31))
    await _scored(store, "april", APRIL)
    said = await publish(store, RULES, strict, APRIL, "Lin", AT, shadow=False)
    assert "bes 2 scores from 2026-04-01 on (by Lin); 1 calls" in said
    await _scored(store, "later", MAY)
    assert [await _counted(store, name) for name in ("march", "april", "later")] == [
        ("1", "0"), ("2", "-0.5"), ("2", "-0.5")]  # fmt: skip
    held = await published(store, RULES, "test")
    assert [(one.since, one.rules.pack.version) for one in held] == [(date.min, "1"), (APRIL, "2")]


async def test_of_two_decisions_for_a_day_the_later_holds(store: Store, strict: Pack) -> None:
    await publish(store, RULES, strict, MAY, "Lin", AT, shadow=False)
    await publish(store, RULES, BES, MAY, "Lin", AT, shadow=False)
    held = await published(store, RULES, "test")
    assert [(one.since, one.rules.pack.version) for one in held] == [(date.min, "1"), (MAY, "1")]


async def test_a_published_version_never_gets_other_content(store: Store, strict: Pack, tmp_path: Path) -> None:
    other = load_pack(drafted(tmp_path / "other", ("pack.yaml", 'version: "1"', 'version: "2"')))
    await publish(store, RULES, strict, APRIL, "Lin", AT, shadow=False)
    with pytest.raises(Conflict, match="published already with other content; raise its version"):
        await publish(store, RULES, other, MAY, "Lin", AT, shadow=False)


async def test_a_closed_month_is_not_touched(store: Store, strict: Pack) -> None:
    async with store.site(SITE, "Lin") as tx:
        await periods.add(tx, "2026-04", APRIL, date(2026, 4, 30))
        await periods.close(tx, "2026-04")
    with pytest.raises(PeriodClosed, match="publish from a day after 2026-04-30"):
        await publish(store, RULES, strict, date(2026, 4, 20), "Lin", AT, shadow=False)
    await publish(store, RULES, strict, MAY, "Lin", AT, shadow=False)


async def test_the_shadow_speaks_and_gives_no_points_until_a_person_promotes_it(store: Store, strict: Pack) -> None:
    said = await publish(store, RULES, strict, APRIL, "Lin", AT, shadow=True)
    assert "it gives no points" in said
    await _scored(store, "c1", APRIL)
    assert await _counted(store, "c1") == ("1", "0")
    async with store.site(SITE, "test") as tx:
        (notice,) = [one for one in await outbox.take(tx) if one.kind == "shadow"]
    assert notice.body["gained"] == [{"rule": "BES-16", "points": "-0.5"}] and notice.body["version"] == "2"

    await promote(store, RULES, "bes", APRIL, "Lin", AT)
    assert await _counted(store, "c1") == ("2", "-0.5")
    async with store.site(SITE, "test") as tx:
        stands = await publications.every(tx)
        assert [(one.shadow, one.by, one.promotes) for one in stands] == [(True, "Lin", None), (False, "Lin", 1)]
        assert publications.shadows(stands) == ()
    with pytest.raises(NotFound, match="none of this name runs in the shadow"):
        await promote(store, RULES, "bes", MAY, "Lin", AT)


def test_its_own_scenarios_decide_whether_it_may_be_published(tmp_path: Path) -> None:
    folder = drafted(tmp_path / "bes")
    assert faults_of(folder, RULES) == ([], "it brings no scenarios of its own")
    (folder / "golden").mkdir()
    scenario = """
title: own
scenarios:
- id: OWN-1
  system: bes
  rules: [BES-16]
  why: four rings are too many
  pack: bes
  people: [{agent: Wang, hired: 2024-01-01}]
  given:
  - {kind: call, id: c1, agent: Wang, direction: in,
     offered_at: "2026-03-02T10:00:00", ringing_at: "2026-03-02T10:00:00",
     answered_at: "2026-03-02T10:00:16", ended_at: "2026-03-02T10:01:00", hung_up_by: customer}
  expect:
    calls: {c1: {outcome: {BES-16: OUTCOME}}}
"""
    path = folder / "golden" / "own.yaml"
    path.write_text(scenario.replace("OUTCOME", "breach"), encoding="utf-8")
    assert faults_of(folder, RULES) == ([], "1 scenarios of its own")
    path.write_text(scenario.replace("OUTCOME", "clear"), encoding="utf-8")
    faults, _ = faults_of(folder, RULES)
    assert any("OWN-1" in fault and "BES-16" in fault for fault in faults)
    drafted(folder, ("deductions.yaml", "answered_too_late", "answered_to_late"))
    assert any("answered_to_late" in fault for fault in faults_of(folder, RULES)[0])


def test_scenarios_are_played_with_the_draft_and_not_with_what_is_shipped(tmp_path: Path) -> None:
    folder = two_rings(tmp_path / "bes")
    (folder / "golden").mkdir()
    shutil.copy(Path(__file__).with_name("three_rings.yaml"), folder / "golden")
    faults, _ = faults_of(folder, RULES)
    assert any("three-rings" in fault for fault in faults)
    shipped_too = tmp_path / "as-shipped"
    shutil.copytree(shipped("bes"), shipped_too)
    shutil.copytree(folder / "golden", shipped_too / "golden")
    assert faults_of(shipped_too, RULES)[0] == []


@pytest.fixture
def command(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command line on a database of the test's own."""
    monkeypatch.setenv("SEATWATCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SEATWATCH_DATABASE_URL", dsn)

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, list(words))

    return run


def test_the_commands_show_first_and_write_only_when_told(command: Callable[..., Any], tmp_path: Path) -> None:
    draft = str(drafted(two_rings(tmp_path / "d"), ("pack.yaml", 'version: "1"', 'version: "2"')))
    asked = command("packs", "publish", draft, "--from", "2026-12-01")
    assert asked.exit_code == 1 and "draft pack bes 2" in asked.output and "nothing was published" in asked.output
    done = command("packs", "publish", draft, "--from", "2026-12-01", "--yes", "--as", "Lin")
    assert done.exit_code == 0 and "bes 2 scores from 2026-12-01 on (by Lin)" in done.output
    listed = command("packs", "list").output.split("\n")
    assert listed[0].split() == ["from", "ever", "bes", "1", "scores", "by", "the", "settings"]
    assert listed[1].split() == ["2026-12-01", "bes", "2", "scores", "by", "Lin"]
    told = command("backtest", "--draft", draft, "--json")
    assert told.exit_code == 0 and '"from": "2026-12-01", "pack": "bes", "version": "2"' in told.output


def test_scoring_alone_needs_no_publication() -> None:
    assert score(RULES.pack, RULES.overlay, LATE, APRIL).counted == 0
