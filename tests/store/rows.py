"""Rows to store, with everything that a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from qa.store.calls import Call
from qa.store.ledger import NewEntry, NewRun
from qa.store.packs import Overlay, Pack
from qa.store.recordings import Recording
from qa.store.transcripts import Transcript

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)
PACK = Pack("pack-1", "bes", "2026.1", b"rules")
OVERLAY = Overlay("overlay-1", b"{}")


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(id: str = "c1", **told: Any) -> Call:
    return Call(**{"id": id, "state": "ended", "at": NOON, "agent": "A01", "folded": {"id": id}, **told})


def transcript(call: str = "c1", **told: Any) -> Transcript:
    given: dict[str, Any] = {
        "audio_sha": "a" * 64, "engine": "scripted", "model_sha": "m", "params_sha": "p", "language": "zh",
        "synthetic": False, "duration_ms": 4000, "body": {"turns": []},
    }  # fmt: skip
    return Transcript(call=call, **{**given, **told})


def recording(call: str = "c1", **told: Any) -> Recording:
    given: dict[str, Any] = {
        "path": f"{call}.flac", "audio_sha": "a" * 64, "format": "flac", "rate": 8000, "channels": 2,
        "size_bytes": 10, "duration_ms": 4000, "answer_ms": 0, "roles": ("customer", "agent"),
    }  # fmt: skip
    return Recording(call=call, **{**given, **told})


def entry(rule: str = "BES-16", points: str = "-0.5", event: str = "", **told: Any) -> NewEntry:
    given: dict[str, Any] = {
        "rule": rule, "event": event, "cite": "第二节 16", "outcome": "breach", "decide": "auto", "counts": True,
        "points": Decimal(points), "assumed": True,
        "evidence": ({"kind": "signal", "fact": "ring_count", "value": "4"},),
    }  # fmt: skip
    return NewEntry(**{**given, **told})


def run(
    subject: str = "call:c1", inputs: str = "in-1", entries: tuple[NewEntry, ...] | None = None, **told: Any
) -> NewRun:
    lines = (entry(),) if entries is None else entries
    total = sum((one.points for one in lines), Decimal(0))
    given: dict[str, Any] = {
        "engine": 1, "day": DAY, "pack": PACK, "overlay": OVERLAY, "facts": f"facts {inputs}".encode(),
        "card": f"card {inputs}".encode(), "automatic": total, "counted": total, "assumed": True, "unknown": 0,
        "flagged": 0, "agent": "A01", "at": NOON, "entries": lines,
    }  # fmt: skip
    return NewRun(subject=subject, inputs=inputs, **{**given, **told})
