"""Rows to store, with everything that a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from qa.store.calls import Call
from qa.store.ledger import NewEntry, NewRun
from qa.store.packs import Overlay, Pack

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)
PACK = Pack("pack-1", "bes", "2026.1", b"rules")
OVERLAY = Overlay("overlay-1", b"{}")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(id: str = "c1", **told: Any) -> Call:
    return Call(**{"id": id, "state": "ended", "at": NOON, "agent": "A01", "folded": {"id": id}, **told})


def entry(rule: str = "BES-16", points: str = "-0.5", event: str = "", **told: Any) -> NewEntry:
    given: dict[str, Any] = {
        "rule": rule, "event": event, "cite": "第二节 16", "outcome": "breach", "decide": "auto", "counts": True,
        "points": Decimal(points), "assumed": True, "evidence": ({"kind": "signal", "fact": "ring_count", "value": "4"},),
    }  # fmt: skip
    return NewEntry(**{**given, **told})


def run(subject: str = "call:c1", inputs: str = "in-1", entries: tuple[NewEntry, ...] | None = None, **told: Any) -> NewRun:
    lines = (entry(),) if entries is None else entries
    total = sum((one.points for one in lines), Decimal(0))
    given: dict[str, Any] = {
        "engine": 1, "day": DAY, "pack": PACK, "overlay": OVERLAY, "facts": f"facts {inputs}".encode(),
        "card": f"card {inputs}".encode(), "automatic": total, "counted": total, "assumed": True, "unknown": 0,
        "flagged": 0, "agent": "A01", "at": NOON, "entries": lines,
    }  # fmt: skip
    return NewRun(subject=subject, inputs=inputs, **{**given, **told})
