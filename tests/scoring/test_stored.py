"""Stored facts read fast are the facts that were stored; what an older release never computed is unknown."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from scoring.canonical import canonical
from scoring.engine import score
from scoring.errors import FactsError
from scoring.facts import AwayFacts, CallFacts, Cause, Facts, Unknown, dump, load
from scoring.load import load_pack, shipped
from scoring.overlay import Overlay
from scoring.scorecard import Outcome
from scoring.stored import NEVER, read
from tests.scoring import build
from tests.scoring.strategies import FACTS

BES = load_pack(shipped("bes"))


@given(FACTS)
def test_the_fast_way_reads_the_same_facts(facts: Facts) -> None:
    data = dump(facts)
    assert read(data) == load(data) == facts


@given(FACTS)
def test_without_text_everything_else_is_the_same(facts: Facts) -> None:
    found = read(dump(facts), text=False)
    assert found.away == facts.away
    if found.call is not None and facts.call is not None:
        assert (found.call.turns, found.call.hits, found.call.gaps) == ((), (), ())
        assert found.call.ring_count == facts.call.ring_count and found.call.transfers == facts.call.transfers
        assert found.call.text == facts.call.text


def test_text_that_looks_like_the_form_of_facts_is_only_text() -> None:
    facts = build.call({"turns": [{"role": "agent", "start_ms": 0, "end_ms": 9, "text": '"turns":[{"x":1}]},'}]})
    assert read(dump(facts)) == facts
    assert read(dump(facts), text=False).call is not None


@pytest.mark.parametrize("name", ["ring_count", "transfer_ms", "hung_up_by", "talk_over_ms"])
def test_a_metric_that_was_never_computed_is_unknown(name: str) -> None:
    raw = json.loads(dump(build.call()))
    raw["call"].pop(name, None)  # what is not known is not written
    call = read(canonical(raw)).call
    assert isinstance(call, CallFacts) and getattr(call, name) == NEVER


def test_an_older_turn_or_hit_without_its_later_fields_reads_as_it_was() -> None:
    raw = json.loads(dump(build.call()))
    for one in raw["call"]["turns"]:
        del one["confidence"], one["doubted"]
    for one in raw["call"]["hits"]:
        del one["confidence"], one["severity"], one["part"]
    call = read(canonical(raw)).call
    assert call is not None and call.turns and call.hits
    assert {(one.confidence, one.doubted) for one in call.turns} == {(None, False)}
    assert {(one.confidence, one.severity, one.part) for one in call.hits} == {(None, "ordinary", "")}


def test_an_older_call_without_a_ring_count_is_scored_as_unknown_and_not_passed_over() -> None:
    raw = json.loads(dump(build.call()))
    del raw["call"]["ring_count"]
    card = score(BES, Overlay(), read(canonical(raw)), None)
    (line,) = [one for one in card.lines if one.rule == "BES-16"]
    assert (line.outcome, line.cause) == (Outcome.UNKNOWN, "missing")


def test_a_call_from_before_transcripts_has_no_text() -> None:
    raw = json.loads(dump(build.call()))
    del raw["call"]["hits"], raw["call"]["turns"]
    call = read(canonical(raw)).call
    assert isinstance(call, CallFacts) and call.text == "none" and call.hits == ()


def test_an_absence_from_before_told_was_known() -> None:
    raw = json.loads(dump(build.away()))
    raw["away"].pop("told", None)
    away = read(canonical(raw)).away
    assert isinstance(away, AwayFacts) and away.told == Unknown(Cause.MISSING)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"call":null,"away":null}', b'{"call":1'])
def test_what_is_no_facts_is_refused(data: bytes) -> None:
    with pytest.raises(FactsError, match="no stored facts"):
        read(data)
