"""Talk measures that need no words: silence, talking over, share, loudness. Pure sums over stretches of speech."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from speech.transcript import Role, Speech

LONG_MS = 600  # shorter stretches say little about loudness
ENOUGH = 3  # stretches of the agent before a rise is measured against their median

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Measures:
    """What can be measured between two moments; None where the channels or the speech do not allow it."""

    silence_ms: int
    talk_over_ms: int | None
    agent_share: Decimal | None
    loudness_rise_db: Decimal | None


def measure(speech: Iterable[Speech], roles: Sequence[Role], start_ms: int, end_ms: int) -> Measures:
    """Measures of one conversation. ``roles`` by channel; without both parties there is no sharing to measure."""
    inside = [one for one in speech if one.end_ms > start_ms and one.start_ms < end_ms]
    agent = _spans(inside, roles, "agent", start_ms, end_ms)
    customer = _spans(inside, roles, "customer", start_ms, end_ms)
    everybody = joined((max(one.start_ms, start_ms), min(one.end_ms, end_ms)) for one in inside)
    both = "agent" in roles and "customer" in roles
    talk = _length(agent) + _length(customer)
    return Measures(
        silence_ms=max(0, end_ms - start_ms) - _length(everybody),
        talk_over_ms=overlap(agent, customer) if both else None,
        agent_share=Decimal(f"{_length(agent) / talk:.2f}") if both and talk else None,
        loudness_rise_db=_rise([one for one in inside if _role(one, roles) == "agent"]),
    )


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap made one."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def overlap(ours: Sequence[Span], theirs: Sequence[Span]) -> int:
    """Milliseconds that two parties' speech has in common; each list in order and without overlaps of its own."""
    total = at = 0
    for start, end in ours:
        while at < len(theirs) and theirs[at][1] <= start:
            at += 1
        later = at
        while later < len(theirs) and theirs[later][0] < end:
            total += min(end, theirs[later][1]) - max(start, theirs[later][0])
            later += 1
    return total


def _spans(speech: Iterable[Speech], roles: Sequence[Role], role: Role, start_ms: int, end_ms: int) -> list[Span]:
    own = (one for one in speech if _role(one, roles) == role)
    return joined((max(one.start_ms, start_ms), min(one.end_ms, end_ms)) for one in own)


def _role(one: Speech, roles: Sequence[Role]) -> Role:
    return roles[one.channel] if one.channel < len(roles) else "unknown"


def _length(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans)


def _rise(speech: Sequence[Speech]) -> Decimal | None:
    """How far the agent's loudest stretch stands above the median one."""
    levels = [one.level_db for one in speech if one.end_ms - one.start_ms >= LONG_MS]
    if len(levels) < ENOUGH:
        return None
    return Decimal(f"{max(levels) - median(levels):.1f}")
