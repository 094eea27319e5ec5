"""What-if: an identical draft changes nothing, a draft says what live scoring would say, a kill costs no result."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import settings as budget

from qa.backtest import run as backtests
from qa.backtest.checkpoint import Checkpoint
from qa.backtest.draft import Draft, read_draft
from qa.backtest.judge import Held, Judge
from qa.backtest.months import months
from qa.backtest.result import Result
from qa.backtest.run import backtest
from qa.backtest.sides import Side, pair
from qa.backtest.tally import EXAMPLES, Tally
from qa.facts import SiteView
from qa.publishing import ALWAYS, Published
from qa.runs import new_run
from qa.settings import Settings
from qa.site import SiteRules, demo_overlay, matcher
from qa.store import facts as archive
from qa.store import records
from qa.store.bulk import add_runs
from qa.store.facts import Stored
from qa.store.ledger import NewRun
from qa.store.pool import Store
from qa.store.runs import walk_chain
from scoring.canonical import canonical
from scoring.engine import ENGINE, score
from scoring.errors import PackError
from scoring.facts import Facts, dump
from scoring.load import load_overlay, load_pack, shipped
from scoring.overlay import Overlay, from_mapping
from scoring.pack import Pack
from scoring.records.admit import parse
from scoring.records.record import Record
from scoring.scorecard import Outcome
from tests.postgres import SITE
from tests.scoring import build
from tests.scoring.strategies import FACTS

BES = load_pack(shipped("bes"))
TRUSTING = load_overlay(demo_overlay(), [BES])
DAY = date(2026, 3, 2)
RULES = SiteRules(SITE, ZoneInfo("Asia/Shanghai"), BES, TRUSTING, matcher(), SiteView(), "zh")


def drafted(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """The broadband pack with values changed: (file, after this text, value)."""
    if not folder.exists():
        shutil.copytree(shipped("bes"), folder)
    for file, old, new in edits:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, old
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def two_rings(folder: Path) -> Path:
    text = (shipped("bes") / "deductions.yaml").read_text(encoding="utf-8")
    rule = text[text.index("BES-16:") : text.index("BES-17:")]
    return drafted(folder, ("deductions.yaml", rule, rule.replace('0001-01-01: "3"', '0001-01-01: "2"')))


def stored(facts: Facts, side: Side, seq: int = 1, **own: Any) -> Stored:
    """A subject as the archive gives it, scored by that side."""
    card = score(side.pack, side.overlay, facts, DAY)
    row = Stored(seq, facts.subject, facts.agent, DAY, ENGINE, side.pack.sha, side.overlay.sha, card.automatic,
                 card.counted, card.assumed, card.unknown, dump(facts))  # fmt: skip
    return replace(row, **own)


def judge(before: Side, after: Side, **own: Any) -> Judge:
    return Judge(Held(((ALWAYS, before),)), lambda _: after, **own)


SIDES = [
    Side(BES, TRUSTING),
    Side(BES, Overlay()),
    Side(BES, from_mapping({"BES-16.limit": "2", "BES-16.points": "-3", "trust": "all", "synthetic_ok": True})),
    Side(BES, from_mapping({"BES-14.on": False, "BES-15.points": "-9", "trust": ["BES-13a"]})),
    Side(load_pack(shipped("cul")), from_mapping({"trust": "all"})),
]


@budget(max_examples=60, deadline=None)  # 25 comparisons an example: how long they take is not what is asked
@given(FACTS)
def test_a_draft_says_what_live_scoring_would_say(facts: Facts) -> None:
    """Between any two of these: totals and findings are those of scoring everything with the one and the other."""
    cards = [score(side.pack, side.overlay, facts, DAY) for side in SIDES]
    for before, old in zip(SIDES, cards, strict=True):
        row = stored(facts, before)
        for after, new in zip(SIDES, cards, strict=True):
            part = judge(before, after).tally([row])
            (person,) = part.people.values()
            assert (person.counted_before, person.counted_after) == (old.counted, new.counted)
            assert (person.automatic_before, person.automatic_after) == (old.automatic, new.automatic)
            was = [line.rule for line in old.lines if line.takes_effect]
            now = [line.rule for line in new.lines if line.takes_effect]
            for rule in {*was, *now}:
                told = part.rules.get(rule)
                more = max(0, now.count(rule) - was.count(rule)), max(0, was.count(rule) - now.count(rule))
                assert (told.gained, told.lost) == more if told is not None else more == (0, 0)


@given(FACTS)
def test_the_identical_pack_gains_and_loses_nothing(facts: Facts) -> None:
    part = judge(SIDES[0], SIDES[0]).tally([stored(facts, SIDES[0])])
    assert part.rules == {} and part.scored == 0
    (person,) = part.people.values()
    assert person.counted_before == person.counted_after and person.automatic_before == person.automatic_after


@given(FACTS)
def test_what_another_pack_had_scored_is_reckoned_anew_before_it_is_compared(facts: Facts) -> None:
    row = stored(facts, SIDES[0])
    older = replace(row, pack_sha="older", counted=Decimal(-99), automatic=Decimal(-99))
    one, other = judge(SIDES[0], SIDES[2]).tally([row]), judge(SIDES[0], SIDES[2]).tally([older])
    assert one.people == other.people and one.rules == other.rules
    assert (one.rescored, other.rescored) == (0, 1)


@given(FACTS)
def test_the_same_phrase_lists_change_nothing_and_rivals_are_scored_together(facts: Facts) -> None:
    heard = facts if facts.call is None else _heard(facts)
    part = judge(SIDES[0], SIDES[0], matcher=matcher()).tally([stored(heard, SIDES[0])])
    assert not any(one.gained or one.lost or one.changed for one in part.rules.values())


def _heard(facts: Facts) -> Facts:
    """The hits that these lists find in the turns, as live facts have them."""
    from qa.heard import hits_of

    assert facts.call is not None
    return replace(facts, call=replace(facts.call, hits=hits_of(matcher(), facts.call.turns)))


def test_only_what_can_differ_is_scored_and_its_rivals_with_it() -> None:
    two = pair(Side(BES, Overlay()), Side(BES, from_mapping({"BES-15.points": "-9"})))
    assert two.changed == {"BES-14", "BES-15"} and two.text
    rings = pair(Side(BES, Overlay()), Side(BES, from_mapping({"BES-16.limit": "2"})))
    assert rings.changed == {"BES-16"} and not rings.text
    assert pair(Side(BES, Overlay()), Side(BES, Overlay())).same


def test_words_for_readers_change_no_finding(tmp_path: Path) -> None:
    draft = load_pack(drafted(tmp_path / "d", ("deductions.yaml", "en: Answered within three rings", "en: In time")))
    assert pair(Side(BES, Overlay()), Side(draft, Overlay())).same


def test_facts_that_cannot_be_read_are_unknown_and_never_passed_over() -> None:
    row = stored(build.call(), SIDES[0], body=b"{")
    part = judge(SIDES[0], SIDES[2]).tally([row])
    assert (part.subjects, part.unreadable) == (1, 1)
    assert part.rules["BES-16"].causes == {"unreadable": 1}
    (person,) = part.people.values()
    assert person.counted_before == person.counted_after == row.counted


def test_a_metric_that_was_never_computed_makes_those_calls_unknown() -> None:
    import json

    raw = json.loads(dump(build.call({"ring_count": 5})))
    del raw["call"]["ring_count"]
    part = judge(SIDES[0], SIDES[2]).tally([stored(build.call(), SIDES[0], body=canonical(raw))])
    assert (part.rules["BES-16"].unknown_after, part.rules["BES-16"].causes) == (1, {"missing": 1})


def test_phrases_found_elsewhere_without_words_become_unknown() -> None:
    facts = build.call({"text": "given", "turns": []})
    part = judge(SIDES[0], SIDES[0], matcher=matcher()).tally([stored(facts, SIDES[0])])
    assert part.rules["BES-13a"].causes == {"no_transcript": 1}


def test_parts_add_up_in_any_order_and_survive_their_plain_form() -> None:
    rows = [stored(build.call({"ring_count": 4 + at % 2}), SIDES[0], at, subject=f"call:k{at}") for at in range(1, 12)]
    after = Side(BES, from_mapping({"BES-16.limit": "4", "trust": "all"}))
    whole = judge(SIDES[0], after).tally(rows)
    parts = [judge(SIDES[0], after).tally(rows[at : at + 3]) for at in range(0, 11, 3)]
    added = Tally()
    for part in reversed(parts):
        added.add(Tally.from_json(part.to_json()))
    assert added == whole
    assert [seq for seq, _ in whole.rules["BES-16"].examples["lost"]] == [2, 4, 6, 8, 10][:EXAMPLES]


def test_fines_of_findings_are_money_and_assumed_ones_are_not(tmp_path: Path) -> None:
    fine = 'BES-16:\n  fine: {unit: yuan, values: {0001-01-01: "-30"}}'
    lost = 'BES-16:\n  fine: {unit: yuan, values: {0001-01-01: {lost: true, assumed: "-30", why: the text lost it}}}'
    rows = [stored(build.call({"ring_count": 5}), SIDES[0])]
    for text, money in ((fine, Decimal(-30)), (lost, Decimal(0))):
        draft = load_pack(drafted(tmp_path / str(money), ("deductions.yaml", "BES-16:", text)))
        (person,) = judge(SIDES[0], Side(draft, TRUSTING)).tally(rows).people.values()
        assert (person.money_before, person.money_after) == (0, money)


# --- drafts


def test_drafts_are_told_apart_and_faults_are_letters(tmp_path: Path) -> None:
    overlay = tmp_path / "o.yaml"
    overlay.write_text('BES-16.limit: "2"\n', encoding="utf-8")
    lists = tmp_path / "lists"
    lists.mkdir()
    shutil.copy(shipped("bes").parents[1] / "lexicons" / "greeting.yaml", lists)
    assert read_draft(shipped("bes"), [BES]).kind == "pack"
    assert read_draft(overlay, [BES]).kind == "overlay"
    assert read_draft(lists, [BES]).kind == read_draft(lists / "greeting.yaml", [BES]).kind == "lexicon"
    overlay.write_text('BES-99.limit: "2"\n', encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for place, says in ((overlay, "BES-99"), (tmp_path / "none", "nothing there"), (tmp_path / "empty", "neither")):
        with pytest.raises(PackError, match=says):
            read_draft(place, [BES])


# --- over a real archive


def subjects() -> Iterator[NewRun]:
    """Sixty calls of three agents over three months; every third rings four times, every fifth is unclear."""
    for at in range(60):
        facts = build.call({"ring_count": 5 if at % 3 == 0 else 3 if at % 3 == 1 else {"unknown": "clock"}})
        facts = replace(facts, subject=f"call:c{at:02}", agent=f"A{at % 3}")
        yield new_run(RULES, facts, date(2026, 1 + at // 20, 1 + at % 20))[0]


@pytest_asyncio.fixture
async def filled(store: Store) -> AsyncIterator[Store]:
    runs = list(subjects())
    async with store.site(SITE, "test") as tx:
        await add_runs(tx, runs[:30])
        await add_runs(tx, runs[30:])
    yield store


async def told(store: Store, home: Path, draft: Draft, *days: date, **how: Any) -> Result:
    held = (Published(ALWAYS, RULES),)
    return await backtest(store, RULES, held, draft, *days, settings=Settings(data=home), **how)


async def test_an_archive_written_in_one_go_is_a_ledger_like_any_other(filled: Store) -> None:
    async with filled.site(SITE, "test") as tx:
        assert (await walk_chain(tx)).clean
        assert await archive.archive(tx, None, None) == archive.Archive(1, 60 + 10, 60, 3)


async def test_a_draft_over_the_archive(filled: Store, tmp_path: Path) -> None:
    draft = read_draft(two_rings(tmp_path / "d"), [BES])
    steps: list[int] = []
    found = (await told(filled, tmp_path, draft, step=lambda done, total, what: steps.append(done))).as_dict()
    (rule,) = found["rules"]
    assert (found["calls"], rule["rule"], rule["gained"], rule["lost"]) == (60, "BES-16", 20, 0)
    assert rule["unknown"] == {"before": 20, "after": 20, "causes": {"clock": 20}}
    assert len(rule["examples"]["gained"]) == 5
    example = rule["examples"]["gained"][0]
    assert (example["call"], example["cite"], example["points"]) == (
        "c01",
        "第二节 16",
        {"before": None, "after": "-0.5"},
    )
    assert {"kind": "signal", "fact": "ring_count", "value": "3"} in example["evidence"]
    assert [(one["agent"], one["points"]["change"]) for one in found["agents"]] == [
        ("A0", "0"),
        ("A1", "-10"),
        ("A2", "0"),
    ]
    assert found["total"]["points"] == {"before": "-10", "after": "-20", "change": "-10"}
    assert steps[-1] == 60


async def test_days_bound_what_is_looked_at(filled: Store, tmp_path: Path) -> None:
    draft = read_draft(two_rings(tmp_path / "d"), [BES])
    found = (await told(filled, tmp_path, draft, date(2026, 2, 1), date(2026, 2, 28))).as_dict()
    assert (found["calls"], found["from"], found["to"]) == (20, "2026-02-01", "2026-02-28")


async def test_the_identical_pack_over_the_archive(filled: Store, tmp_path: Path) -> None:
    result = await told(filled, tmp_path, read_draft(shipped("bes"), [BES]))
    assert not result.changed and result.as_dict()["rules"] == []
    assert result.tally.scored == 0 and result.as_dict()["total"]["points"]["before"] == "-10"
    assert "no finding would come, go or change" in result.as_text()


async def test_processes_find_what_one_finds(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = read_draft(two_rings(tmp_path / "d"), [BES])
    alone = await told(filled, tmp_path, draft)
    monkeypatch.setattr(backtests, "FEW", 0)
    monkeypatch.setattr(backtests, "STRETCH", 16)
    together = await told(filled, tmp_path, draft, processes=2)
    assert together.tally == alone.tally
    assert together.tally.memory_mb > 10


async def test_one_that_was_stopped_goes_on(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = read_draft(two_rings(tmp_path / "d"), [BES])
    whole = await told(filled, tmp_path, draft)
    monkeypatch.setattr(backtests, "STRETCH", 8)
    monkeypatch.setattr("qa.backtest.checkpoint.EVERY_SECONDS", 0.0)

    def stop(done: int, total: int, what: str) -> None:
        if done >= 24:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await told(filled, tmp_path, draft, step=stop)
    (kept,) = (tmp_path / "backtest").glob("*.json")
    again = await told(filled, tmp_path, draft)
    assert again.resumed >= 3 and again.tally == whole.tally
    assert not kept.exists()
    fresh = await told(filled, tmp_path, draft)
    assert fresh.resumed == 0


def test_a_damaged_checkpoint_begins_anew(tmp_path: Path) -> None:
    point = Checkpoint(tmp_path, {"draft": "x"})
    point.last = 9
    point.add((0, 9), Tally(subjects=3))
    point.write()
    assert Checkpoint(tmp_path, {"draft": "x"}).tally.subjects == 3
    (path,) = tmp_path.glob("*.json")
    path.write_text('{"form": 1, "tally": {}', encoding="utf-8")
    assert Checkpoint(tmp_path, {"draft": "x"}).resumed == 0


async def test_a_changed_list_is_looked_for_in_stored_turns(filled: Store, tmp_path: Path) -> None:
    """Without its phrases nobody greets any more: every answered call loses its greeting."""
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "greeting.yaml").write_text(_only_one_greeting(), encoding="utf-8")
    found = (await told(filled, tmp_path, read_draft(lists, [BES]))).as_dict()
    greeting = next(one for one in found["rules"] if one["rule"] == "BES-13a")
    assert (greeting["gained"], greeting["lost"]) == (60, 0)
    span = next(one for one in greeting["examples"]["gained"][0]["evidence"] if one["kind"] == "span")
    assert (span["role"], span["start_ms"]) == ("agent", 0)
    assert found["rate"]["rematched"] == 60 and found["rate"]["rematched_a_second"] > 0


def _only_one_greeting() -> str:
    """The shipped list with one entry that nobody says."""
    from scoring.load import load_lexicons

    tree = next(one for one in load_lexicons() if one["category"] == "greeting")
    entry = {**tree["entries"][0], "id": "GREE-90", "zh": "这句话没有人说过"}
    keys = {key: value for key, value in tree.items() if key not in ("entries", "tests", "must_hit", "must_miss")}
    return canonical({**keys, "entries": [{k: v for k, v in entry.items() if k in ("id", "zh")}]}).decode()


@pytest.mark.slow
async def test_a_killed_command_goes_on_where_it_was(filled: Store, tmp_path: Path, dsn: str) -> None:
    """SIGKILL in the middle; the second start says that stretches were there already, and the result is the same."""
    draft = two_rings(tmp_path / "d")
    env = {**os.environ, "SEATWATCH_DATA": str(tmp_path), "SEATWATCH_DATABASE_URL": dsn, "SEATWATCH_SITE": SITE}
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "import qa.backtest.run as run, qa.backtest.checkpoint as point\n"
        "run.STRETCH, point.EVERY_SECONDS = 8, 0.0\n"
        "def step(done, total, what):\n"
        "    if sys.argv[2] == 'kill' and done >= 24: os.kill(os.getpid(), signal.SIGKILL)\n"
        "found = run.backtest_command(Path(sys.argv[1]), None, None, step)\n"
        "print(found.resumed, found.tally.subjects)\n"
    )

    async def start(how: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(draft), how]
        return await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True, check=False)

    killed = await start("kill")
    assert killed.returncode == -signal.SIGKILL
    went_on = await start("on")
    resumed, subjects_ = map(int, went_on.stdout.split())
    assert resumed >= 3 and subjects_ == 60


def test_outcomes_of_the_archive_are_what_the_tests_say() -> None:
    cards = [score(BES, TRUSTING, build.call({"ring_count": count}), DAY) for count in (5, 3)]
    outcomes = [line.outcome for card in cards for line in card.lines if line.rule == "BES-16"]
    assert outcomes == [Outcome.BREACH, Outcome.CLEAR]


def test_a_pack_travels_between_processes() -> None:
    import pickle

    again: Pack = pickle.loads(pickle.dumps(BES))
    assert again.sha == BES.sha and again.rules == BES.rules


# --- months


async def test_months_are_decided_again_where_it_is_asked_for(filled: Store, tmp_path: Path) -> None:
    """A clause that records decide costs more in the draft: the month says so, and nothing is written."""
    raw = (
        {"kind": "person", "id": "p1", "agent": "Wang", "day": "2024-01-01", "hired": "2024-01-01"},
        {
            "kind": "observation",
            "id": "o1",
            "agent": "Wang",
            "rule": "BES-11",
            "day": "2026-03-02",
            "n": 1,
            "reason": "games",
        },
    )
    told_records = [parse({**one, "source": "person", "entered_by": "Li"}, RULES.zone) for one in raw]
    assert all(isinstance(one, Record) for one in told_records), told_records
    async with filled.site(SITE, "test") as tx:
        added = await records.add_records(tx, [one for one in told_records if isinstance(one, Record)], name="test")
        assert not added.refused, added.refused
        before = await ledger_size(tx)
    after = Side(BES, from_mapping({"BES-11.on": False, "trust": "all", "synthetic_ok": True}))
    found = await months(filled, RULES, after, date(2026, 3, 1), date(2026, 3, 31))
    assert found.rules["BES-11"]["lost"] == 1 and found.rules["BES-11"]["examples"]["lost"][0]["agent"] == "Wang"
    (row,) = [one for one in found.rows if one["agent"] == "Wang"]
    assert row["month"] == "2026-03" and row["score"]["before"] != row["score"]["after"]
    same = await months(filled, RULES, SIDES[0], date(2026, 3, 1), date(2026, 3, 31))
    assert same.rows == [] and same.rules == {} and same.seen >= 4
    async with filled.site(SITE, "test") as tx:
        assert await ledger_size(tx) == before


async def ledger_size(tx: Any) -> int:
    return (await walk_chain(tx)).rows
