"""The main job as a user runs it: real sockets, real database, the bundled model and calls, scorecards as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qa.demo.script import calls, seats

LIMIT = 240


@dataclass(frozen=True)
class Run:
    code: int
    cards: list[dict[str, Any]]
    notes: str
    env: dict[str, str]


def seatwatch(env: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qa.cli", *args]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT, check=False, umask=0o022)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run of the demo in a folder of its own, on free ports."""
    folder = tmp_path_factory.mktemp("demo")
    env = {key: value for key, value in os.environ.items() if not key.startswith("SEATWATCH_")}
    env |= {"SEATWATCH_DATA": str(folder / "data"), "SEATWATCH_INGEST_PORT": "0", "SEATWATCH_AUDIOSOCKET_PORT": "0"}
    done = seatwatch(env, "demo", "--fast", "--once", "--json")
    yield Run(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr, env)


def by_name(run: Run) -> dict[str, dict[str, Any]]:
    return {"-".join(card["call"].split("-")[:2]): card for card in run.cards}


def test_every_call_and_seat_is_scored_as_its_script_says(demo: Run) -> None:
    found = by_name(demo)

    assert demo.code == 0, demo.notes
    for one in [*calls(), *seats()]:
        outcomes = {line["rule"]: line["outcome"] for line in found[one.id]["lines"]}
        assert {rule: outcomes.get(rule) for rule in one.expect} == dict(one.expect), one.id
    assert len(found) == len(calls()) + len(seats())


def test_half_of_the_heard_calls_come_by_each_socket() -> None:
    ways = [call.via for call in calls() if call.audio]

    assert len(ways) >= 12
    assert ways.count("audiosocket") == ways.count("stream")


def test_every_word_of_every_recording_is_heard(demo: Run) -> None:
    """Apart from what the script cuts out; the line of one mixed channel has no parties but the same words."""
    found = by_name(demo)
    for call in calls():
        if call.audio is None:
            continue
        told = json.loads(call.audio.with_suffix(".lines.json").read_text(encoding="utf-8"))["lines"]
        kept = [line for line in told if not (call.gap and line["role"] == call.gap["role"] and
                                              line["start_ms"] < call.gap["end_ms"])]  # fmt: skip
        heard = sorted(found[call.id]["turns"], key=lambda turn: turn["start_ms"])
        assert [_plain(turn["text"]) for turn in heard] == [_plain(line["text"]) for line in kept], call.id
        if not call.mixed:
            assert [turn["role"] for turn in heard] == [line["role"] for line in kept], call.id


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def test_turns_are_where_they_were_spoken(demo: Run) -> None:
    found = by_name(demo)
    for call in calls():
        if call.audio is None or call.gap:
            continue
        told = json.loads(call.audio.with_suffix(".lines.json").read_text(encoding="utf-8"))["lines"]
        heard = sorted(found[call.id]["turns"], key=lambda turn: turn["start_ms"])
        for turn, line in zip(heard, told, strict=True):
            assert abs(turn["start_ms"] - line["start_ms"]) < 700, (call.id, turn, line)


def test_every_breach_cites_its_clause_and_brings_its_evidence(demo: Run) -> None:
    lines = [line for card in demo.cards for line in card["lines"] if line["outcome"] == "breach"]

    assert len(lines) >= 8
    for line in lines:
        assert line["cite"] and line["quote"] and line["evidence"], line
        assert float(line["points"]) < 0
        assert line["counts"] is (line["decide"] == "auto")


def test_unknown_lines_say_why_and_never_deduct(demo: Run) -> None:
    lines = [line for card in demo.cards for line in card["lines"] if line["outcome"] == "unknown"]

    assert {line["cause"] for line in lines} >= {"gap", "mixed_channel"}
    assert all(line["points"] == "0" and not line["counts"] for line in lines)


def test_the_same_words_of_the_customer_or_in_a_quotation_are_no_finding(demo: Run) -> None:
    found = by_name(demo)
    forbidden = {"stiff", "evading", "blaming", "insulting", "impatient", "arguing", "absolute_promise"}

    assert {hit["category"] for hit in found["D-06"]["hits"]} & forbidden == {"arguing"}
    for name in ("D-07", "D-08"):
        assert not {hit["category"] for hit in found[name]["hits"]} & forbidden, name


def test_every_run_replays_to_the_byte_and_the_chain_is_whole(demo: Run) -> None:
    done = seatwatch(demo.env, "verify", "--all", "--json")
    report = json.loads(done.stdout)

    assert (done.returncode, report["clean"], report["differences"]) == (0, True, [])
    assert report["replayed"] == len(demo.cards)


def test_nothing_that_the_demo_writes_is_for_other_users_of_the_machine(demo: Run) -> None:
    written = [one for one in Path(demo.env["SEATWATCH_DATA"]).rglob("*") if one.is_file() or one.is_dir()]

    assert len(written) > 20
    assert [str(one) for one in written if one.stat().st_mode & 0o007] == []


def test_start_and_first_score_are_told_apart(demo: Run) -> None:
    assert "start: " in demo.notes
    assert "first score: " in demo.notes
