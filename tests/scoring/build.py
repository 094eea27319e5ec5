"""Facts for the cases: a faultless incoming call, and an ordinary absence, with whatever a case says differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from scoring.facts import AwayFacts, CallFacts, Cause, Facts, Gap, Hit, Turn, Unknown

MISSING = Unknown(Cause.MISSING)

FAULTLESS = CallFacts(
    direction="in",
    end="answered",
    ring_seconds=Decimal("6"),
    ring_count=2,
    ring_source="clock",
    ring_period_s=Decimal("5"),
    ring_on_s=Decimal("1"),
    answer_seconds=Decimal("6"),
    talk_ms=60_000,
    hold_ms=0,
    silence_ms=0,
    talk_over_ms=0,
    agent_share=Decimal("0.5"),
    loudness_rise_db=Decimal("0"),
    hung_up_by="agent",
    channels="split",
    text="recognised",
    known_customer=True,
    business=MISSING,
    transfers=0,
    seat_was_ready=True,
    turns=(
        Turn("agent", 300, 2_000, "您好,请讲", Decimal("0.95")),
        Turn("customer", 3_000, 9_000, "我的宽带上不去了", Decimal("0.93")),
        Turn("agent", 56_000, 58_000, "感谢您的来电,再见", Decimal("0.96")),
    ),
    hits=(
        Hit("greeting", "GREE-03", "agent", 300, 2_000, "您好,请讲", "exact", 0, Decimal("0.95")),
        Hit("thanks", "THAN-01", "agent", 56_000, 57_000, "感谢您的来电", "exact", 2, Decimal("0.96")),
        Hit("closing", "CLOS-01", "agent", 57_000, 58_000, "再见", "exact", 2, Decimal("0.96")),
    ),
)

ABSENT = AwayFacts(
    at="2026-11-21T09:00:00+08:00",
    until="2026-11-21T09:02:00+08:00",
    away_ms=120_000,
    ready_ms=0,
    status="busy",
    source="presence",
    approved=False,
)


def call(said: Mapping[str, Any] | None = None) -> Facts:
    """The faultless call, changed; without its own ring count it gets the one of its seconds, as the folds give it."""
    said = dict(said or {})
    values = {name: _value(name, one) for name, one in said.items()}
    seconds, count = values.get("ring_seconds"), values.get("ring_count")
    if isinstance(seconds, Decimal) and count is None:
        values["ring_count"] = int(seconds // FAULTLESS.ring_period_s) + 1 if seconds else 0
    return Facts("call:k1", "A01", "S01", "2026-11-21T09:00:00+08:00", call=replace(FAULTLESS, **values))


def away(said: Mapping[str, Any] | None = None) -> Facts:
    values = {name: _value(name, one) for name, one in (said or {}).items()}
    return Facts("away:w1", "A01", "S01", ABSENT.at, away=replace(ABSENT, **values))


_LISTS: dict[str, type[Turn] | type[Hit] | type[Gap]] = {"turns": Turn, "hits": Hit, "gaps": Gap}
_EXACT = {
    "ring_seconds",
    "ring_period_s",
    "ring_on_s",
    "answer_seconds",
    "agent_share",
    "loudness_rise_db",
    "confidence",
}


def _value(name: str, one: Any) -> Any:
    if isinstance(one, Mapping) and "unknown" in one:
        return Unknown(Cause(one["unknown"]))
    if name in _LISTS:
        return tuple(_row(_LISTS[name], row) for row in one)
    return Decimal(one) if name in _EXACT and isinstance(one, str) else one


def _row(kind: type[Turn] | type[Hit] | type[Gap], row: Mapping[str, Any]) -> Any:
    values = {name: _value(name, one) for name, one in row.items()}
    if kind is Hit:
        values = {"entry": "X-01", "text": "…", "how": "exact", "turn": 0, **values}
    if kind is Turn:
        values = {"text": "…", **values}
    known = set(kind._fields)
    assert set(values) <= known, sorted(set(values) - known)
    return kind(**values)
