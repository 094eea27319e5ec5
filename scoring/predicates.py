"""The closed set of tests a rule can name: from a subject's facts to an outcome with evidence. It gives no points.

A predicate is made once for a rule's settings and then only called. ``na`` is decided first; what the facts cannot
decide is ``unknown`` with its cause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from scoring.canonical import decimal_text
from scoring.facts import AwayFacts, CallFacts, Cause, Unknown
from scoring.finding import CLEAR, NA, Finding, breach, clear, unknown
from scoring.pack import Unit
from scoring.phrasing import argues, lacks_closing, lacks_opening, lacks_required_phrases, passes_the_buck
from scoring.scorecard import Evidence, Outcome, Setting, Signal
from scoring.values import Settings

Test = Callable[[Any], Finding]
UNANSWERED = ("abandoned", "no_answer", "redirected")
NO_PERSON = ("voicemail", "probe")


@dataclass(frozen=True, slots=True)
class Predicate:
    """A test by name: on which subject, from which facts, with which settings and phrase lists of the rule."""

    name: str
    subject: Literal["call", "away"]
    make: Callable[[Settings], Test]
    reads: tuple[str, ...]
    numbers: dict[str, Unit]
    words: dict[str, tuple[str, ...]]
    phrases: tuple[str, ...] = ()
    needs_text: bool = False
    says: str = ""  # what it tests, in words for `packs show`


def _say(value: object) -> str:
    if isinstance(value, Unknown):
        return f"unknown ({value.cause})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return decimal_text(value) if isinstance(value, Decimal) else str(value)


def _signals(**facts: object) -> tuple[Evidence, ...]:
    return tuple(Signal(name, _say(value)) for name, value in facts.items())


def answered_too_late(settings: Settings) -> Test:
    """BES-16: more rings than the limit before an answer; given up by the caller within the limit is na."""
    limit, policy = settings.whole("limit"), settings.words["mode"]
    fixed = (settings.evidence("limit"), Setting("ring_policy", policy, "word", "reading"))

    def test(call: CallFacts) -> Finding:
        direction, end, rings = call.direction, call.end, call.ring_count
        if end in NO_PERSON or direction in ("out", "internal"):
            return NA
        for fact, value in (("direction", direction), ("end", end), ("ring_count", rings)):
            if isinstance(value, Unknown):
                return unknown(value.cause, (Signal(fact, _say(value)), *_ringing(call)))
        late = _late(call, limit, policy)
        evidence = (Signal("ring_count", str(rings)), Signal("end", str(end)), *_ringing(call), *fixed)
        if isinstance(late, Unknown):
            return unknown(late.cause, evidence)
        if late:
            return breach(evidence)
        return Finding(Outcome.NA if end in UNANSWERED else Outcome.CLEAR, evidence)

    return test


def _ringing(call: CallFacts) -> tuple[Evidence, ...]:
    return (
        Signal("ring_seconds", _say(call.ring_seconds)),
        Signal("ring_source", call.ring_source),
        Signal("ring_period_s", decimal_text(call.ring_period_s)),
    )


def _late(call: CallFacts, limit: int, policy: str) -> bool | Unknown:
    """The three readings of "within N rings" (next_onset: until ring N+1 begins); the count wins over the seconds."""
    rings = call.ring_count
    if isinstance(rings, Unknown) or policy == "next_onset":
        return rings if isinstance(rings, Unknown) else rings > limit
    if policy == "onset":
        return rings >= limit
    if rings != limit:
        return rings > limit
    seconds = call.ring_seconds
    return seconds if isinstance(seconds, Unknown) else seconds > (limit - 1) * call.ring_period_s + call.ring_on_s


def left_while_ready(settings: Settings) -> Test:
    """BES-17: nobody at the seat, by sensor or person, while it stood ready for longer than the grace."""
    grace, fixed = settings.whole("grace"), settings.evidence("grace")

    def test(away: AwayFacts) -> Finding:
        if away.source == "inferred":
            return unknown(Cause.MISSING, _signals(source="inferred"))
        ready = away.ready_ms
        evidence = (*_away(away), Signal("ready_ms", _say(ready)), fixed)
        if isinstance(ready, Unknown):
            return unknown(ready.cause, evidence)
        return breach(evidence) if ready > grace else clear(evidence)

    return test


def _away(away: AwayFacts) -> tuple[Evidence, ...]:
    return (
        Signal("away_at", away.at),
        Signal("away_until", _say(away.until)),
        Signal("status", away.status),
        Signal("source", away.source),
    )


def left_without_leave(settings: Settings) -> Test:
    """BES-08: away for longer than the limit, and nobody approved it."""
    limit, fixed = settings.whole("limit"), settings.evidence("limit")

    def test(away: AwayFacts) -> Finding:
        if away.source == "inferred":
            return unknown(Cause.MISSING, _signals(source="inferred"))
        evidence = (*_away(away), Signal("away_ms", _say(away.away_ms)), Signal("approved", _say(away.approved)), fixed)
        if isinstance(away.away_ms, Unknown):
            return unknown(away.away_ms.cause, evidence)
        if away.away_ms <= limit or away.approved is True:
            return clear(evidence)
        if isinstance(away.approved, Unknown):
            return unknown(away.approved.cause, evidence)
        return breach(evidence)

    return test


def ignored_while_ready(settings: Settings) -> Test:
    """BES-17 on a call: offered to a seat that stood ready, rang past the limit, and nobody answered."""
    limit, fixed = settings.whole("limit"), settings.evidence("limit")

    def test(call: CallFacts) -> Finding:
        rings = call.ring_count
        if call.direction != "in" or call.end not in UNANSWERED or call.seat_was_ready is not True:
            return NA
        if isinstance(rings, Unknown):
            return unknown(rings.cause, (Signal("ring_count", _say(rings)), *_ringing(call)))
        if rings <= limit:
            return NA
        seat = Signal("seat_was_ready", "yes")
        return breach((Signal("ring_count", str(rings)), Signal("end", str(call.end)), seat, *_ringing(call), fixed))

    return test


def private_call(settings: Settings) -> Test:
    """BES-10: a call that a person or a site list says is not business, or an outgoing one to an unknown number."""

    def test(call: CallFacts) -> Finding:
        if call.end in NO_PERSON or call.direction == "internal":
            return NA
        if isinstance(call.direction, Unknown):
            return unknown(call.direction.cause, _signals(direction=call.direction))
        evidence = _signals(direction=call.direction, business=call.business, known_customer=call.known_customer)
        if call.business is False or (call.direction == "out" and call.known_customer is False):
            return breach(evidence)
        if call.direction == "out" and isinstance(call.known_customer, Unknown):
            return unknown(call.known_customer.cause, evidence)
        return CLEAR if call.direction == "in" else clear(evidence)

    return test


_ALL = (
    Predicate(
        "answered_too_late", "call", answered_too_late,
        reads=("direction", "end", "ring_count", "ring_seconds"),
        numbers={"limit": "ring"}, words={"mode": ("next_onset", "onset", "burst_end")},
        says="an incoming call rang longer than the limit before it was answered, redirected or given up",
    ),
    Predicate(
        "left_while_ready", "away", left_while_ready,
        reads=("away", "status"), numbers={"grace": "duration"}, words={},
        says="a sensor or a person saw nobody at the seat while it stood ready for longer than the grace",
    ),
    Predicate(
        "left_without_leave", "away", left_without_leave,
        reads=("away", "leave"), numbers={"limit": "duration"}, words={},
        says="nobody was at the seat for longer than the limit and no leave was approved",
    ),
    Predicate(
        "ignored_while_ready", "call", ignored_while_ready,
        reads=("end", "ring_count", "status"), numbers={"limit": "ring"}, words={},
        says="a call rang past the limit at a seat that stood ready, and nobody answered",
    ),
    Predicate(
        "private_call", "call", private_call,
        reads=("direction", "business"), numbers={}, words={},
        says="the call is said not to be business, or went out to a number that no customer has",
    ),
    Predicate(
        "lacks_required_phrases", "call", lacks_required_phrases,
        reads=("direction", "end", "required_phrases", "hung_up_by", "gaps"),
        numbers={
            "opening_within": "duration", "closing_within": "duration",
            "hung_up_within": "duration", "confidence": "ratio",
        },
        words={}, phrases=("opening", "closing", "not_closing", "counted", "stiff"), needs_text=True,
        says="the agent did not greet at the opening, or did not say goodbye at the end, of an answered incoming call",
    ),
    Predicate(
        "lacks_opening", "call", lacks_opening,
        reads=("direction", "end", "required_phrases", "gaps"),
        numbers={"opening_within": "duration", "confidence": "ratio"},
        words={}, phrases=("opening",), needs_text=True,
        says="the agent did not greet at the opening of an answered incoming call",
    ),
    Predicate(
        "lacks_closing", "call", lacks_closing,
        reads=("direction", "end", "required_phrases", "hung_up_by", "gaps"),
        numbers={"closing_within": "duration", "hung_up_within": "duration", "confidence": "ratio"},
        words={}, phrases=("closing", "not_closing"), needs_text=True,
        says="the agent did not say goodbye at the end of an answered incoming call",
    ),
    Predicate(
        "argues", "call", argues,
        reads=("forbidden_phrases", "talk_over", "loudness"),
        numbers={"talk_over": "duration", "loudness_rise": "decibel", "cues": "count"},
        words={}, phrases=("quarrel", "cue"), needs_text=True,
        says="the agent argued with or insulted the customer, or several signs of a quarrel came together",
    ),
    Predicate(
        "passes_the_buck", "call", passes_the_buck,
        reads=("forbidden_phrases", "transfers"), numbers={}, words={}, phrases=("evading", "excused_by"),
        needs_text=True,
        says="the agent turned the customer away, and neither transferred the call nor opened a work order afterwards",
    ),
)  # fmt: skip
PREDICATES = {one.name: one for one in _ALL}
