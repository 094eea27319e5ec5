"""Any facts at all: calls and absences with everything known, unknown, contradictory or out of order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args

from hypothesis import strategies as st

from scoring.facts import AwayFacts, CallFacts, Cause, Direction, End, Facts, Gap, Hit, How, Party, Role, Turn, Unknown

UNKNOWN = st.sampled_from(Cause).map(Unknown)
ROLES = st.sampled_from(get_args(Role))
MS = st.integers(-1_000, 200_000)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SHARE = st.decimals(0, 1, places=2)
CATEGORIES = (
    "greeting", "closing", "thanks", "request_honorific", "stiff", "evading", "arguing", "insulting", "blaming",
    "impatient", "hold_transfer", "apology",
)  # fmt: skip


def known(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(one, UNKNOWN)


def words(kind: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(get_args(kind))


TURNS = st.builds(Turn, ROLES, MS, MS, TEXT, st.none() | SHARE, st.booleans())
HITS = st.builds(
    Hit,
    st.sampled_from(CATEGORIES),
    st.sampled_from(["HOLD-03", "HOLD-04", "X-01"]),
    ROLES, MS, MS, TEXT, words(How),
    turn=st.integers(-1, 6),
    confidence=st.none() | SHARE,
    severity=st.sampled_from(["ordinary", "low", "critical"]),
    part=st.sampled_from(["", "pre_closing"]),
)  # fmt: skip
CALLS = st.builds(
    CallFacts,
    direction=known(words(Direction)),
    end=known(words(End)),
    ring_seconds=known(st.decimals(0, 90, places=3)),
    ring_count=known(st.integers(0, 12)),
    ring_source=st.sampled_from(["phone", "clock", "audio", "none"]),
    ring_period_s=st.sampled_from([Decimal("5"), Decimal("3"), Decimal("6")]),
    ring_on_s=st.sampled_from([Decimal("1"), Decimal("2")]),
    answer_seconds=known(st.decimals(0, 90, places=3)),
    talk_ms=known(MS),
    hold_ms=known(MS),
    silence_ms=known(MS),
    talk_over_ms=known(MS),
    agent_share=known(SHARE),
    loudness_rise_db=known(st.decimals(-20, 20, places=1)),
    hung_up_by=words(Party),
    channels=st.sampled_from(["split", "mixed", "none"]),
    text=st.sampled_from(["recognised", "synthetic", "given", "none"]),
    known_customer=known(st.booleans()),
    business=known(st.booleans()),
    transfers=st.integers(0, 2),
    seat_was_ready=known(st.booleans()),
    language=st.sampled_from(["zh", "ko"]),
    turns=st.lists(TURNS, max_size=4).map(tuple),
    hits=st.lists(HITS, max_size=5).map(tuple),
    gaps=st.lists(st.builds(Gap, ROLES, MS, MS), max_size=2).map(tuple),
)
AWAY = st.builds(
    AwayFacts,
    at=st.just("2026-11-21T09:00:00+08:00"),
    until=known(st.just("2026-11-21T09:10:00+08:00")),
    away_ms=known(MS | st.integers(299_990, 300_010)),
    ready_ms=known(MS | st.integers(29_990, 30_010)),
    status=st.sampled_from(["ready", "busy", "unknown"]),
    source=st.sampled_from(["presence", "person", "inferred"]),
    approved=known(st.booleans()),
)
NAMES = st.none() | TEXT
CALL_FACTS = st.builds(Facts, st.just("call:k1"), NAMES, NAMES, NAMES, call=CALLS)
FORBIDDEN = HITS.filter(lambda hit: hit.category in ("evading", "arguing", "insulting", "blaming", "impatient"))
FACTS = st.one_of(
    CALL_FACTS,
    st.builds(Facts, st.just("away:w1"), NAMES, NAMES, NAMES, away=AWAY),
)
