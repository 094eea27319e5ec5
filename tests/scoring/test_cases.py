"""Every case of ``cases/*.yaml``: a sentence the office can check, in pairs around each edge."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scoring import overlay as overlays
from scoring.engine import score
from scoring.load import load_pack, read_yaml, shipped
from scoring.pack import Pack
from scoring.scorecard import Line, Scorecard, to_json
from tests.scoring.build import away, call

FOLDER = Path(__file__).parent / "cases"
TRUSTED = {"trust": "all"}
KEYS = {"name", "rule", "day", "overlay", "call", "away", "expect", "card"}


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in sorted(FOLDER.glob("*.yaml"))
        for case in read_yaml(path).value
    ]


CASES = _cases()


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(shipped("bes"))


def _scored(pack: Pack, case: dict[str, Any]) -> Scorecard:
    assert set(case) <= KEYS, sorted(set(case) - KEYS)
    facts = away(case["away"]) if "away" in case else call(case.get("call"))
    overlay = overlays.from_mapping(case.get("overlay", TRUSTED))
    overlays.check(overlay, (pack,))
    day = case.get("day", date(2026, 11, 21))
    return score(pack, overlay, facts, None if day == "unknown" else day)


def _line(card: Scorecard, rule: str) -> Line:
    (line,) = [one for one in card.lines if one.rule == rule]
    return line


@pytest.mark.parametrize("case", CASES)
def test_the_office_finds_the_same(pack: Pack, case: dict[str, Any]) -> None:
    card = _scored(pack, case)
    found = _line(card, case["rule"]).to_json()
    for key, wanted in case["expect"].items():
        if key == "evidence":
            for part in wanted:
                assert any(part.items() <= one.items() for one in found["evidence"]), (part, found["evidence"])
        else:
            assert found[key] == wanted, (key, found)
    for key, wanted in case.get("card", {}).items():
        assert to_json(card)["total"][key] == wanted, key


def test_every_scored_clause_with_a_test_fires_and_stays_clear(pack: Pack) -> None:
    """A clause on calls that never fires or never stays clear is not known to work; months stand in tests/golden."""
    tested = {rule_id for rule_id, rule in pack.rules.items() if any(test.that for test in rule.tests)}
    seen = {(case.values[0]["rule"], case.values[0]["expect"]["outcome"]) for case in CASES}

    assert {rule for rule in tested if (rule, "breach") not in seen} == set()
    assert {rule for rule in tested if (rule, "clear") not in seen} == set()
    assert {rule for rule in tested if (rule, "unknown") not in seen} == set()


def test_the_faultless_call_costs_nothing_and_leaves_nothing_open(pack: Pack) -> None:
    card = _scored(pack, {"name": "", "rule": "", "expect": {}})

    assert (card.automatic, card.counted, card.unknown, card.assumed) == (Decimal(0), Decimal(0), 0, False)
