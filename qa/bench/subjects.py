"""Varied facts of calls and absences, made from a seed: clear, breached, disputed and unknown. It scores nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from scoring.facts import AwayFacts, CallFacts, Cause, Facts, Gap, Hit, Role, Turn, Unknown

SEED = 20_261_121
UNKNOWN_SHARE = 0.06  # of every fact that may be unknown
AWAY_SHARE = 0.1
AT = "2026-11-21T09:00:00+08:00"
CATEGORIES = ("greeting", "closing", "thanks", "stiff", "evading", "arguing", "insulting", "blaming", "hold_transfer")
UNANSWERED = ("abandoned", "no_answer", "redirected")

T = TypeVar("T")


def subjects(count: int) -> list[Facts]:
    """The same subjects at every call: about one in ten is an absence, the others are calls."""
    draw = random.Random(SEED)
    return [_away(draw, at) if draw.random() < AWAY_SHARE else _call(draw, at) for at in range(count)]


def _maybe(draw: random.Random, value: Callable[[], T]) -> T | Unknown:
    found = value()
    return Unknown(draw.choice(list(Cause))) if draw.random() < UNKNOWN_SHARE else found


def _away(draw: random.Random, at: int) -> Facts:
    away_ms = draw.randrange(5_000, 900_000)
    away = AwayFacts(
        at=AT,
        until=_maybe(draw, lambda: "2026-11-21T09:15:00+08:00"),
        away_ms=_maybe(draw, lambda: away_ms),
        ready_ms=_maybe(draw, lambda: draw.randrange(0, min(away_ms, 90_000))),
        status=draw.choice(("ready", "busy", "unknown")),
        source=draw.choices(("presence", "person", "inferred"), (8, 2, 1))[0],
        approved=_maybe(draw, lambda: draw.random() < 0.5),
    )
    return Facts(f"away:{at}", "A01", "S01", AT, away=away)


def _call(draw: random.Random, at: int) -> Facts:
    end: Any = draw.choices(("answered", *UNANSWERED, "voicemail"), (88, 5, 3, 3, 1))[0]
    ring = Decimal(draw.randrange(0, 30_000)) / 1000
    talk_ms = draw.randrange(15_000, 240_000) if end == "answered" else 0
    turns = _turns(draw, talk_ms)
    call = CallFacts(
        direction=_maybe(draw, lambda: draw.choices(("in", "out", "internal"), (8, 3, 1))[0]),
        end=_maybe(draw, lambda: end),
        ring_seconds=ring,
        ring_count=_maybe(draw, lambda: int(ring // 5) + 1),
        ring_source="clock",
        ring_period_s=Decimal(5),
        ring_on_s=Decimal(1),
        answer_seconds=ring,
        talk_ms=_maybe(draw, lambda: talk_ms),
        hold_ms=0,
        silence_ms=draw.randrange(0, 20_000),
        talk_over_ms=_maybe(draw, lambda: draw.randrange(0, 6_000)),
        agent_share=Decimal("0.55"),
        loudness_rise_db=_maybe(draw, lambda: Decimal(draw.randrange(0, 100)) / 10),
        hung_up_by=draw.choice(("customer", "agent", "unknown")),
        channels=draw.choices(("split", "mixed"), (12, 1))[0],
        text=draw.choices(("recognised", "none"), (20, 1))[0],
        known_customer=_maybe(draw, lambda: draw.random() < 0.8),
        business=_maybe(draw, lambda: draw.random() < 0.95),
        transfers=draw.choices((0, 1), (9, 1))[0],
        seat_was_ready=_maybe(draw, lambda: draw.random() < 0.7),
        turns=turns,
        hits=_hits(draw, turns),
        gaps=(Gap("agent", 0, 900, "loss"),) if draw.random() < 0.05 else (),
    )
    return Facts(f"call:{at}", "A01", "S01", AT, call=call)


def _turns(draw: random.Random, talk_ms: int) -> tuple[Turn, ...]:
    turns: list[Turn] = []
    now = draw.randrange(200, 7_000)
    while now + 1_000 < talk_ms:
        until = min(now + draw.randrange(800, 9_000), talk_ms)
        sure = Decimal(draw.randrange(50, 100)) / 100
        role: Role = "agent" if len(turns) % 2 == 0 else "customer"
        turns.append(Turn(role, now, until, "好的，我帮您看一下线路", sure, draw.random() < 0.02))
        now = until + draw.randrange(200, 3_000)
    return tuple(turns)


def _hits(draw: random.Random, turns: tuple[Turn, ...]) -> tuple[Hit, ...]:
    """A greeting and a farewell in most calls, and now and then something else."""
    said = [at for at, turn in enumerate(turns) if turn.role == "agent"]
    if not said:
        return ()
    chosen = [(said[0], "greeting")] if draw.random() < 0.9 else []
    chosen += [(draw.choice(said), draw.choice(CATEGORIES)) for _ in range(draw.randrange(0, 3))]
    chosen += [(said[-1], "closing")] if draw.random() < 0.85 else []
    return tuple(_hit(draw, turns[at], at, category) for at, category in sorted(chosen))


def _hit(draw: random.Random, turn: Turn, at: int, category: str) -> Hit:
    severity: Any = draw.choices(("ordinary", "low"), (5, 1))[0]
    when, said = (turn.start_ms, turn.end_ms), turn.text
    entry = f"{category[:4].upper()}-{draw.randrange(1, 15):02}"
    return Hit(category, entry, turn.role, *when, said, "exact", at, turn.confidence, severity)
