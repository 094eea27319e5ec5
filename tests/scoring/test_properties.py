"""What holds for any facts: nothing without evidence is deducted, nothing unknown costs, order changes nothing."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scoring.engine import programme, run_inputs, score
from scoring.errors import FactsError
from scoring.facts import Facts, Hit, Unknown, dump, load
from scoring.load import load_pack, shipped
from scoring.overlay import from_mapping
from scoring.scorecard import Outcome, Scorecard, Span
from scoring.scorecard import dump as dump_card
from tests.scoring.build import away, call
from tests.scoring.elsewhere import told_elsewhere
from tests.scoring.strategies import CALL_FACTS, FACTS, FORBIDDEN

PACK = load_pack(shipped("bes"))
TRUSTED = from_mapping({"trust": "all", "synthetic_ok": True})
CAREFUL = from_mapping({})
DAY = date(2026, 11, 21)


def _card(facts: Facts) -> Scorecard:
    return score(PACK, TRUSTED, facts, DAY)


@given(FACTS)
def test_any_facts_become_a_scorecard(facts: Facts) -> None:
    card = _card(facts)

    assert card.unknown == sum(line.outcome is Outcome.UNKNOWN for line in card.lines)
    assert len({(line.rule, line.event) for line in card.lines}) == len(card.lines)


@given(FACTS)
def test_facts_survive_writing_and_reading(facts: Facts) -> None:
    assert load(dump(facts)) == facts
    assert dump(load(dump(facts))) == dump(facts)


@given(FACTS)
def test_every_breach_has_citation_quote_and_evidence(facts: Facts) -> None:
    for line in _card(facts).lines:
        if line.takes_effect:
            assert line.evidence
            assert line.cite
            assert line.quote
            assert line.decide in ("auto", "review")
            assert line.points < 0


@given(FACTS)
def test_nothing_but_a_breach_moves_points(facts: Facts) -> None:
    for line in _card(facts).lines:
        if line.outcome is not Outcome.BREACH:
            assert line.points == 0
            assert not line.counts
            assert not line.assumed
        assert (line.cause is None) == (line.outcome is not Outcome.UNKNOWN)


@given(FACTS)
def test_a_site_without_trust_counts_nothing_that_was_heard(facts: Facts) -> None:
    for line in score(PACK, CAREFUL, facts, DAY).lines:
        if PACK.rules[line.rule].needs_text:
            assert not line.counts
            if facts.call is not None and facts.call.text == "synthetic":
                assert line.outcome in (Outcome.UNKNOWN, Outcome.NA)


@given(CALL_FACTS, st.randoms(use_true_random=False))
def test_the_order_of_hits_and_gaps_changes_nothing(facts: Facts, shuffle: object) -> None:
    assert facts.call is not None
    hits, gaps = list(facts.call.hits), list(facts.call.gaps)
    shuffle.shuffle(hits)  # type: ignore[attr-defined]
    gaps.reverse()
    other = replace(facts, call=replace(facts.call, hits=tuple(hits), gaps=tuple(gaps)))

    assert dump_card(_card(other)) == dump_card(_card(facts))


@given(CALL_FACTS, FORBIDDEN)
def test_one_more_forbidden_phrase_never_raises_the_counted_total(facts: Facts, hit: Hit) -> None:
    assert facts.call is not None
    more = replace(facts, call=replace(facts.call, hits=(*facts.call.hits, hit)))

    assert _card(more).counted <= _card(facts).counted
    assert _card(more).automatic <= _card(facts).automatic


@given(CALL_FACTS, st.integers(1, 5))
def test_ringing_longer_never_raises_the_total(facts: Facts, more: int) -> None:
    assert facts.call is not None
    assume(not isinstance(facts.call.ring_count, Unknown))
    assert isinstance(facts.call.ring_count, int)
    longer = replace(facts, call=replace(facts.call, ring_count=facts.call.ring_count + more))

    assert _card(longer).automatic <= _card(facts).automatic


@given(CALL_FACTS)
def test_a_gap_over_the_whole_call_never_costs_more(facts: Facts) -> None:
    """No deduction over evidence that touches a gap: what is missing can only excuse."""
    assert facts.call is not None
    gap = load(dump(call({"gaps": [{"role": "agent", "start_ms": -2_000, "end_ms": 300_000}]})))
    assert gap.call is not None
    hidden = replace(facts, call=replace(facts.call, gaps=gap.call.gaps))
    shown = replace(facts, call=replace(facts.call, gaps=()))

    assert _card(hidden).automatic >= _card(shown).automatic
    for line in _card(hidden).lines:
        if line.rule == "BES-13a" and line.decide == "auto":
            assert line.outcome is not Outcome.BREACH


@given(FACTS)
def test_one_utterance_takes_one_effect_of_a_group(facts: Facts) -> None:
    for group in PACK.head.groups:
        taken: set[int] = set()
        for line in _card(facts).lines:
            if line.rule in group.rules and line.takes_effect and group.per == "utterance":
                turns = {one.turn for one in line.evidence if isinstance(one, Span) and one.turn is not None}
                assert not turns & taken
                taken |= turns


@given(FACTS)
def test_the_name_of_a_run_follows_its_inputs(facts: Facts) -> None:
    name = run_inputs(PACK, TRUSTED, facts, DAY)

    assert run_inputs(PACK, TRUSTED, load(dump(facts)), DAY) == name
    assert run_inputs(PACK, CAREFUL, facts, DAY) != name
    assert run_inputs(PACK, TRUSTED, facts, None) != name
    assert run_inputs(PACK, TRUSTED, replace(facts, agent="somebody else entirely"), DAY) != name


@given(st.binary(max_size=60) | FACTS.map(dump).flatmap(lambda b: st.integers(0, len(b)).map(lambda n: b[:n])))
def test_other_bytes_are_refused_with_the_documented_error(data: bytes) -> None:
    try:
        facts = load(data)
    except FactsError as error:
        assert str(error).count(";") >= 1
    else:
        assert dump(facts) == data


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("talk_ms", 1.5, "is a float"),
        ("talk_ms", True, "is not a int"),
        ("direction", "sideways", "is not one of in, out, internal"),
        ("ring_seconds", "1e", "is not a number as a string"),
        ("ring_seconds", "NaN", "is not a number as a string"),
        ("end", {"unknown": "mood"}, "is not an unknown"),
        ("turns", {}, "is not a list"),
        ("mood", 1, "is no field"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(field: str, value: object, says: str) -> None:
    raw = json.loads(dump(call()))
    raw["call"][field] = value
    with pytest.raises(FactsError, match=says):
        load(json.dumps(raw).encode())


def test_half_a_character_is_refused() -> None:
    facts = call({"turns": [{"role": "agent", "start_ms": 0, "end_ms": 1, "text": "\ud800"}]})

    with pytest.raises(FactsError, match="half a character"):
        dump(facts)


def test_facts_about_nothing_are_refused() -> None:
    with pytest.raises(FactsError, match="neither a call nor a stretch away"):
        score(PACK, TRUSTED, Facts("call:k1", None, None, None), DAY)


SCRIPT = """
from datetime import date
from hashlib import sha256
from scoring.engine import programme, run_inputs, score
from scoring.load import load_overlay, load_pack, shipped
from scoring.overlay import from_mapping
from scoring.scorecard import dump
from tests.scoring.build import away, call
pack = load_pack(shipped("bes"))
overlay = from_mapping({"trust": ["BES-15", "BES-13a"], "synthetic_ok": True, "BES-16.points": {"2026-02-01": "-1"}})
for facts in (call(), call({"hits": [], "ring_count": 4}), away({"ready_ms": 30001})):
    card = dump(score(pack, overlay, facts, date(2026, 11, 21)))
    print(sha256(card).hexdigest(), run_inputs(pack, overlay, facts, date(2026, 11, 21)), pack.sha, overlay.sha)
"""


def test_hash_seed_locale_and_time_zone_change_no_byte() -> None:
    (told,) = told_elsewhere(SCRIPT)

    assert told.count("\n") == 3


@pytest.mark.parametrize("make", [call, away])
def test_a_subject_is_let_go_as_soon_as_the_next_one_is_scored(make: Callable[[], Facts]) -> None:
    """An archive goes through one process: what waits for a garbage collection makes it slow and large."""
    facts, other = make(), make()
    gc.disable()
    try:
        before = sys.getrefcount(facts)
        _card(facts)
        _card(other)
        assert sys.getrefcount(facts) == before
    finally:
        gc.enable()


def test_days_between_two_changes_share_one_programme_and_the_days_of_a_change_do_not() -> None:
    overlay = from_mapping({"BES-16.limit": {"2026-03-01": "2", "2026-07-01": "4"}})
    ready = [programme(PACK, overlay, date(2026, month, day)) for month, day in ((2, 28), (3, 1), (6, 30), (7, 1))]
    assert ready[1] is ready[2] and len({id(one) for one in ready}) == 3


@given(CALL_FACTS)
def test_scoring_a_draft_beside_it_changes_no_byte(facts: Facts) -> None:
    """Tests that a pack and its draft share are gone through once for both."""
    cheaper = from_mapping({"trust": "all", "synthetic_ok": True, "BES-16.points": "-9", "BES-13a.points": "-7"})
    alone = dump_card(score(PACK, cheaper, load(dump(facts)), DAY))
    again = load(dump(facts))
    score(PACK, TRUSTED, again, DAY)
    assert dump_card(score(PACK, cheaper, again, DAY)) == alone


def test_totals_are_the_sums_of_their_lines() -> None:
    card = _card(call({"hits": [], "ring_count": 4}))

    assert card.automatic == card.counted == Decimal("-1.0")
    assert b'"automatic":"-1","counted":"-1"' in dump_card(card).replace(b'"assumed":true,', b"")
