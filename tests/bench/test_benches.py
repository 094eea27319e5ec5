"""Each benchmark runs in quick mode and gives well-formed rows; what it feeds to both sides is what it says."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.spool import read_leg
from qa.bench import run_benches
from qa.bench.forty import flat, forty_conditions, forty_pack
from qa.bench.legs import Pace, play
from qa.bench.phrases import PHRASES, alternation, bare_automaton
from qa.bench.plain_file import PlainFile
from qa.bench.rule_engines import business_rules, rule_engine, zen
from qa.bench.spool import inconclusive, through_spool
from qa.bench.subjects import subjects
from qa.bench.talk import calls, phrase_lists
from qa.site import demo_overlay
from scoring.engine import score
from scoring.load import load_lexicons, load_overlay, load_pack, shipped
from scoring.overlay import Overlay
from scoring.scorecard import Outcome

KEYS = ["name", "ours", "peer", "ratio", "unit", "goal", "runs", "spread", "note"]


def shown(*names: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    texts: list[str] = []

    def show(row: dict[str, Any], text: str) -> None:
        rows.append(row)
        texts.append(text)

    run_benches(list(names), True, show)
    assert "ratio" in texts[0].splitlines()[0] and all("ratio" not in text.splitlines()[0] for text in texts[1:])
    for row in rows:
        assert list(row) == KEYS
        assert row["note"]
        if row["ratio"] is not None:
            assert row["ours"] > 0 and row["peer"] > 0 and row["ratio"] > 0 and row["runs"] >= 1
            assert row["spread"]["ratio"][0] <= row["ratio"] <= row["spread"]["ratio"][1]
    return rows


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make a library look as if it were not installed."""

    def hide(name: str) -> None:
        real = builtins.__import__

        def refusing(wanted: str, *args: Any, **kwargs: Any) -> Any:
            if wanted.partition(".")[0] == name:
                raise ImportError(f"No module named {wanted!r}")
            return real(wanted, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", refusing)

    return hide


def test_phrases() -> None:
    found, expression = shown("phrases")

    assert (found["name"], found["goal"], expression["goal"]) == ("phrases", 4.0, None)
    assert "1000 phrases" in found["note"]


def test_scorer(without: Callable[[str], None]) -> None:
    without("zen")
    without("rule_engine")
    without("business_rules")
    engines = shown("scorer")

    names = ["zen-engine", "rule-engine", "business-rules", "bes", "load"]
    assert [row["name"] for row in engines] == [f"scorer-{one}" for one in names]
    assert [row["peer"] for row in engines[:3]] == [None, None, None]
    assert all("is not installed; make bench installs it" in row["note"] and row["ours"] > 0 for row in engines[:3])


def test_backtest() -> None:
    rows = {row["name"]: row for row in shown("backtest")}

    assert list(rows) == [f"backtest-{one}" for one in ("400", "1k", "memory", "all-rules", "phrases")]
    assert all(row["ours"] > 0 for name, row in rows.items() if name != "backtest-memory")


def test_without_the_automaton_there_is_a_row(without: Callable[[str], None]) -> None:
    without("ahocorasick_rs")

    assert bare_automaton(("您好",), ["您好"]) == (None, "ahocorasick-rs is not installed; make bench installs it")


@pytest.mark.slow
def test_pipeline() -> None:
    tiny, *fixture = shown("pipeline")

    assert (tiny["name"], tiny["goal"]) == ("pipeline", 1.1)
    assert [row["name"] for row in fixture] == ["pipeline-fixture"] * len(fixture)
    assert all(row["goal"] is None for row in fixture)


@pytest.mark.slow
def test_spool() -> None:
    rows = {row["name"]: row for row in shown("spool")}

    figures = ("commit-p50", "commit-p99", "commit-max", "ack-p99", "cores", "rate")
    assert list(rows) == [f"spool-{one}" for one in figures]
    assert rows["spool-commit-p50"]["ours"] <= rows["spool-commit-p99"]["ours"] <= rows["spool-commit-max"]["ours"]


def test_the_lists_hold_as_many_phrases_as_they_say() -> None:
    lists = phrase_lists(load_lexicons(), PHRASES)

    assert len(set(lists.strings)) == len(lists.strings) == PHRASES > lists.shipped > 400
    assert lists == phrase_lists(load_lexicons(), PHRASES)


def test_the_talk_is_the_same_every_time_and_nobody_is_skipped() -> None:
    talk = calls(("您好", "안녕하세요"), 30_000)
    texts = [turn.text for call in talk for turn in call]

    assert talk == calls(("您好", "안녕하세요"), 30_000)
    assert sum(len(text.encode()) for text in texts) >= 30_000
    assert {turn.role for call in talk for turn in call} == {"agent"}
    assert any("您好" in text for text in texts) and any("가" <= text[0] <= "힣" for text in texts)


def test_the_expression_finds_the_long_phrase_before_the_short_one() -> None:
    run, note = alternation(("您好", "您好请讲"), ["您好请讲", "您好"])

    run()
    assert ", 2 hits" in note


def test_all_sides_find_the_same_calls_over_the_same_limits() -> None:
    """What is unknown to us is -1 to the others, and over no limit: every side finds as many."""
    pack, overlay = forty_pack(), Overlay()
    many = [one for one in subjects(400) if one.call is not None]
    numbers, rules = [flat(one) for one in many], forty_conditions()
    assert len(pack.rules) == len(rules) == 40
    broken = {
        (one.subject, line.rule)
        for one in many
        for line in score(pack, overlay, one, None).lines
        if line.outcome is Outcome.BREACH
    }
    by_hand = {
        (one.subject, rule)
        for one, values in zip(many, numbers, strict=True)
        for rule, conditions in rules.items()
        if all(values[name] > limit for name, limit in conditions)
    }
    assert broken == by_hand and len(broken) > 1000
    runs = (zen(rules, numbers), rule_engine(rules, numbers), business_rules(rules, numbers))
    assert {run() for run in runs if run is not None} <= {len(broken)}


def test_subjects_are_of_every_outcome() -> None:
    pack = load_pack(shipped("bes"))
    overlay = load_overlay(demo_overlay(), [pack])
    found = {line.outcome for one in subjects(300) for line in score(pack, overlay, one, None).lines}

    assert found >= {Outcome.NA, Outcome.CLEAR, Outcome.BREACH, Outcome.UNKNOWN}
    assert subjects(20) == subjects(20)


def test_what_is_played_can_be_read_back_from_the_spool(tmp_path: Path) -> None:
    """Both legs of a call for half a second: nothing is missing, nothing stands twice."""
    side = through_spool(tmp_path / "spool", 4, 0.5)
    leg = read_leg(tmp_path / "spool", "call-0001", "agent")

    assert side.pace.sent == len(side.acks_ms) == 20
    assert leg.samples == 4_000 and not leg.gaps
    assert side.commits_ms and min(side.acks_ms) > 0


def test_the_plain_file_holds_all_bytes_before_it_answers(tmp_path: Path) -> None:
    path, sizes = tmp_path / "plain", []
    plain, answered = PlainFile(path), threading.Event()

    def done() -> None:
        sizes.append(path.stat().st_size)
        answered.set()

    plain.put(b"abc" * 100, lambda: None)
    plain.put(b"d", done)
    assert answered.wait(20)
    plain.close()

    assert sizes == [301]
    assert len(plain.syncs_s) == 1


def test_a_late_sender_makes_the_run_inconclusive() -> None:
    kept = Pace(sent=100, wall_s=1.0, late_s=[0.001] * 100)

    assert inconclusive([kept], 10, 1.0) == ""
    assert "60 ms late" in inconclusive([Pace(sent=100, wall_s=1.0, late_s=[0.06] * 100)], 10, 1.0)
    assert inconclusive([kept, Pace(sent=100, wall_s=1.5, late_s=[0.0])], 10, 1.0).startswith("inconclusive")


def test_every_leg_sends_ten_times_a_second() -> None:
    rows: list[Any] = []
    pace = play(3, 0.3, rows.append)

    assert pace.sent == len(rows) == 9
    assert sorted((row.call, row.leg, row.seq, row.sample) for row in rows) == sorted(_expected())


def _expected() -> Iterator[tuple[str, str, int, int]]:
    for call, leg in (("call-0000", "customer"), ("call-0000", "agent"), ("call-0001", "customer")):
        yield from ((call, leg, at + 1, at * 800) for at in range(3))


@pytest.mark.slow
def test_board() -> None:
    half, worst, cpu = shown("board")

    assert [row["name"] for row in (half, worst, cpu)] == ["board-p50", "board-p99", "board-cpu"]
    assert "0 lost" in worst["note"] and cpu["peer"] is None
