"""Scorecards for programs and people: fixed names, null for what is unknown, and the line that shows its evidence."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ingest.seats import Away
from qa.facts import Heard, SiteView, away_facts, call_facts
from qa.record import CallRecord
from qa.report import metrics, scored, text
from scoring.engine import score
from scoring.facts import Facts, Hit, Turn
from scoring.load import load_pack, shipped
from scoring.overlay import Overlay, from_mapping
from scoring.scorecard import to_json
from tests.ingest.values import T0

PACK = load_pack(shipped("bes"))
DAY = date(2026, 3, 1)
RECORD = CallRecord(
    agent="A01", seat="s1", direction="in", offered_at=T0, answered_at=T0 + timedelta(seconds=17.2),
    ended_at=T0 + timedelta(seconds=78.2), hung_up_by="customer",
)  # fmt: skip
SAID = Turn("agent", 0, 1800, "您好,请讲", Decimal("0.93"))
HEARD = Heard(
    channels="split", text="recognised", turns=(SAID,),
    hits=(Hit("greeting", "GREE-03", "agent", 0, 1800, "您好,请讲", "exact", 0, Decimal("0.93"), None, None),),
    duration_ms=61000, silence_ms=3100, talk_over_ms=400, agent_share=Decimal("0.55"),
)  # fmt: skip


def of(facts: Facts, overlay: Overlay | None = None, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    card = score(PACK, overlay or Overlay(), facts, DAY)
    return json.loads(json.dumps(scored("c1", facts, to_json(card), list(warnings))))  # type: ignore[no-any-return]


def by_rule(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["rule"]: line for line in result["lines"]}


def test_every_fixed_key_is_there_with_its_type() -> None:
    result = of(call_facts("c1", RECORD, HEARD))

    assert {"call", "agent", "pack", "pack_version", "engine", "day", "metrics", "turns", "hits", "lines", "total",
            "synthetic", "warnings"} <= result.keys()  # fmt: skip
    assert result["metrics"] | {} == {
        "ring_count": 4, "ring_seconds": 17.2, "answer_seconds": 17.2, "talk_seconds": 61.0, "hold_seconds": 0.0,
        "silence_seconds": 3.1, "talk_over_seconds": 0.4, "agent_share": 0.55, "hung_up_by": "customer",
        "ring_source": "clock", "queue_seconds": None, "wrap_up_seconds": None,
    }  # fmt: skip
    assert result["turns"][0] | {"role": "agent", "start_ms": 0, "end_ms": 1800, "text": "您好,请讲",
                                 "confidence": "0.93"} == result["turns"][0]  # fmt: skip
    assert result["hits"][0]["entry"] == "GREE-03"
    line = by_rule(result)["BES-16"]
    assert line | {"cite": "第二节 16", "outcome": "breach", "decide": "auto", "counts": True, "points": "-0.5",
                   "assumed": True} == line  # fmt: skip
    assert {"kind": "signal", "fact": "ring_count", "value": "4"} in line["evidence"]
    assert (result["engine"], result["pack"], result["day"]) == (1, "bes", "2026-03-01")


def test_the_total_is_the_sum_of_its_lines() -> None:
    result = of(call_facts("c1", RECORD, HEARD))
    counted = sum((Decimal(line["points"]) for line in result["lines"] if line["counts"]), Decimal(0))

    assert Decimal(result["total"]["counted"]) == counted < 0
    assert result["total"]["unknown"] == sum(line["outcome"] == "unknown" for line in result["lines"])
    assert result["total"]["assumed"] is True


def test_what_cannot_be_known_is_null() -> None:
    told = call_facts("c1", CallRecord()).call
    assert told is not None

    assert {name for name, value in metrics(told).items() if value is not None} == {"hung_up_by", "ring_source"}


def test_an_empty_seat_has_figures_of_its_own() -> None:
    away = Away("s1", "A01", T0, T0 + timedelta(seconds=75), 75000, 75000, "ready", "presence")
    result = of(away_facts(away, approved=False, site=SiteView(leave_connected=True)))

    assert {name: value for name, value in result["metrics"].items() if value is not None} == {
        "away_seconds": 75.0, "ready_seconds": 75.0, "status": "ready", "source": "presence",
    }  # fmt: skip
    assert by_rule(result)["BES-17"]["outcome"] == "breach"
    assert "BES-17" in text(result)


def test_the_printed_card_shows_clause_quote_points_and_evidence() -> None:
    result = of(call_facts("c1", RECORD, HEARD), from_mapping({"trust": "all"}), ("one channel",))
    shown = text(result, "a title")

    assert shown.splitlines()[0].startswith("c1  a title  agent A01  rings 4 (17.2 s)  day 2026-03-01")
    assert "第二节 16" in shown
    assert by_rule(result)["BES-16"]["quote"] in shown
    assert "ring_count = 4" in shown
    assert "counts, assumed" in shown
    assert "BES-13a" in shown
    assert "note: one channel" in shown
    assert f"automatic {result['total']['automatic']}  counted {result['total']['counted']}" in shown


def test_a_line_that_waits_says_so_and_unknown_says_why() -> None:
    mixed = Heard(channels="mixed", text="recognised", duration_ms=61000)
    waits, unknown = text(of(call_facts("c1", RECORD, HEARD))), text(of(call_facts("c1", RECORD, mixed)))

    assert "waits for a reviewer" in waits
    assert "unknown [mixed_channel]" in unknown


def test_a_recording_that_could_not_be_scored_is_said_in_one_breath() -> None:
    assert text({"call": "x", "error": "x.wav: is empty; copy it"}) == "x\n  not scored: x.wav: is empty; copy it"


@pytest.mark.parametrize("synthetic", [True, False])
def test_words_of_the_test_model_are_marked(synthetic: bool) -> None:
    heard = Heard(channels="split", text="synthetic" if synthetic else "recognised", duration_ms=61000)

    assert of(call_facts("c1", RECORD, heard))["synthetic"] is synthetic
