"""Small records for these tests: a sound one of every kind, and a shorthand that admits or fails."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from scoring.records.admit import parse
from scoring.records.record import Record, Refusal

ZONE = ZoneInfo("Asia/Shanghai")

SOUND: dict[str, dict[str, Any]] = {
    "person": {"agent": "Lin", "day": "2026-03-01", "hired": "2024-05-06", "role": "expert", "source": "hr"},
    "shift": {"agent": "Lin", "at": "2026-03-02T09:00", "until": "2026-03-02T17:30", "source": "roster"},
    "attendance": {"agent": "Lin", "day": "2026-03-02", "late": "0:05:00", "absent": "none", "source": "attendance"},
    "leave": {"agent": "Lin", "day": "2026-03-02", "leave": "sick", "source": "attendance"},
    "calendar": {"day": "2026-03-07", "workday": True, "source": "hr"},
    "call": {
        "agent": "Lin", "direction": "in", "offered_at": "2026-03-02T09:00:14.990", "rings": 2, "source": "telephony",
        "turns": [{"role": "agent", "start_ms": 300, "end_ms": 3100, "text": "您好", "confidence": "0.95"}],
        "holds": [{"at": "2026-03-02T09:00:20", "until": "2026-03-02T09:00:30"}],
    },
    "chat": {
        "agent": "Lin", "at": "2026-03-02T09:00", "source": "chat",
        "turns": [{"role": "customer", "at": "2026-03-02T09:00:01", "text": "在吗", "question": True}],
    },
    "seat_status": {"agent": "Lin", "seat": "S1", "at": "2026-03-02T09:00", "status": "ready", "source": "telephony"},
    "work_order": {
        "agent": "Lin", "at": "2026-03-02T09:00", "order_class": "fault", "source": "work_orders", "deviations": 2,
        "corrections": [{"at": "2026-03-02T10:00", "cause": "customer"}], "steps": ["seen", "sent"],
    },
    "order": {"agent": "Lin", "at": "2026-03-02T09:00", "amount": "129.90", "source": "crm"},
    "report": {"agent": "Lin", "period": "2026-03", "report": "monthly_statistics", "source": "work_orders"},
    "figure": {
        "agent": "Lin", "period": "2026Q1", "name": "faults_in_time", "value": "18", "of": "20", "source": "crm",
    },
    "exam": {"agent": "Lin", "day": "2026-03-02", "exam": "service", "score": "59.5", "source": "exam"},
    "event": {"at": "2026-03-02T09:00", "event": "meeting", "present": ["Lin"], "absent": ["Wu"], "source": "hr"},
    "rating": {
        "agent": "Lin", "period": "2026-W10", "form": "soft", "rater": "superior", "source": "survey",
        "items": {"help": "4", "voice": "good"},
    },
    "observation": {
        "agent": "Lin", "day": "2026-03-02", "rule": ["A80-L04"], "reason": "papers on the desk", "points": "-2",
        "source": "person", "entered_by": "Zhao",
    },
    "case": {
        "agent": "Lin", "at": "2026-03-02T09:00", "case": "c1", "case_type": "complaint", "stage": "accepted",
        "class": "quality", "amount": "1000", "source": "complaints",
    },
    "audit": {"agent": "Lin", "at": "2026-03-02T09:00", "action": "export", "authorised": False, "source": "audit"},
}  # fmt: skip


def raw(kind: str, id: str = "r1", **other: Any) -> dict[str, Any]:
    """A sound record with some fields changed; None takes a field away."""
    full = {"kind": kind, "id": id, **SOUND[kind], **other}
    return {name: value for name, value in full.items() if value is not None}


def record(kind: str, id: str = "r1", **other: Any) -> Record:
    found = parse(raw(kind, id, **other), ZONE)
    assert isinstance(found, Record), found
    return found


def refused(kind: str, **other: Any) -> dict[str, str]:
    """Why it is not taken: field -> letter."""
    found = parse(raw(kind, **other), ZONE)
    assert not isinstance(found, Record), found
    return dict(found)


def fields(refusals: list[Refusal] | Record) -> list[str]:
    assert isinstance(refusals, list)
    return [one.field for one in refusals]
