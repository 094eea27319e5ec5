"""Rings that are heard before the answer against those that signalling tells: a cross-check, never a substitute.

What is heard was heard by the caller; the rules ask for the seat's own ringing. So sound alone decides nothing, and a
tone that is missing (music, coloured ring-back, a tap behind the answer) says nothing against signalling. Only where
both speak and contradict one another by more than a ring, the ring is unknown: one of the clocks is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from ingest.rings import cadence, ring_count, seconds_between
from qa.record import CallRecord
from scoring.facts import Cause, Facts, Unknown
from speech.audio import flowing
from speech.rings import Rhythm, hear, rhythm

AHEAD_MS = 1000  # less sound than this before the answer holds no ring to speak of
BEYOND_MS = 5000  # later signalling may move the answer a little
EDGE_MS = 300  # a ring that begins so shortly before the answer may be the answer's own click
MS = timedelta(milliseconds=1)


def beat(name: str, text: str | None = None) -> Rhythm:
    """A cadence to listen for; ``text`` is what the name stands for where a site has named its own."""
    found = cadence(text or name)
    return rhythm(name, found.pattern_s, found.tone_hz)


def listened(path: Path, site_rhythm: str, answer_ms: int | None) -> dict[str, Any] | None:
    """What rings in a recording up to the answer (in all of it where nobody says when that was), to be kept with it;
    None where there is nothing to listen to. Raises AudioError."""
    if answer_ms is not None and answer_ms < AHEAD_MS:
        return None
    try:
        wanted = beat(site_rhythm)
    except ValueError:
        return None  # a cadence in seconds alone has no tone that could be heard
    with flowing(path) as flow:
        found = hear(flow, wanted, None if answer_ms is None else answer_ms + BEYOND_MS)
    rung = () if found.followed else found.bursts  # nobody answered those: no answer is looked for behind them
    bursts = [[one.start_ms, one.end_ms] for one in rung]
    return {"cadence": site_rhythm, "count": found.count, "unknown": found.unknown, "bursts": bursts}


def before(rings: dict[str, Any] | None, answer_ms: int) -> tuple[int, int] | None:
    """Rings that begin before the answer, and for how many milliseconds the caller heard it ring."""
    if rings is None or rings["count"] is None:
        return None
    pause = cadence(rings["cadence"]).pattern_s[-1] * 500
    starts = [(start, end) for start, end in rings["bursts"] if start < answer_ms - EDGE_MS]
    if not starts:
        return None
    count = 1 + sum(after[0] - last[1] > pause for last, after in pairwise(starts))
    return count, answer_ms - starts[0][0]


def answer_after(rings: dict[str, Any] | None) -> tuple[int, int] | None:
    """Where nobody says when the answer was: it was not before the last ring's end, and not later than the pause after
    it; both in milliseconds of the recording."""
    if rings is None or not rings["bursts"]:
        return None
    end = rings["bursts"][-1][1]
    return end, end + int(cadence(rings["cadence"]).pattern_s[-1] * 1000)


def cross_checked(
    facts: Facts, record: CallRecord, rings: dict[str, Any] | None, answer_ms: int | None, origin_at: datetime | None
) -> Facts:
    """The facts, with the ring unknown where sound and signalling contradict one another."""
    told = facts.call
    heard = before(rings, answer_ms or 0)
    if told is None or heard is None or rings is None or told.direction == "out" or record.answered_at is None:
        return facts
    alerts = [at for at in (record.ringing_at or record.offered_at, record.queued_at) if at is not None]
    if not alerts or any(_agrees(heard, at, record.answered_at, rings["cadence"], origin_at) for at in alerts):
        return facts
    doubted = Unknown(Cause.CLOCK)
    count = told.ring_count if told.ring_source == "phone" else doubted  # the phone counted by itself
    return replace(facts, call=replace(told, ring_seconds=doubted, ring_count=count, answer_seconds=doubted))


def _agrees(
    heard: tuple[int, int], alert: datetime, answered: datetime, rhythm: str, origin_at: datetime | None
) -> bool:
    """Within a ring or within a period. Sound that begins after the ringing did can only contradict by too many."""
    period = cadence(rhythm).period_s
    said = seconds_between(alert, answered)
    apart_rings, apart_s = heard[0] - ring_count(said, period), heard[1] / 1000 - float(said)
    if apart_s < 0 and origin_at is not None and origin_at > alert + AHEAD_MS * MS:
        return True
    return abs(apart_rings) <= 1 or abs(apart_s) <= float(period)
