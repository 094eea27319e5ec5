"""An independent list of calls against what is here: every call is recorded, or named as missing with the reason. Pure.

Calls meet by their ids, else by their times: clocks may differ by 5 s, lengths by 3 s, and one meets one. What the list
has and nobody here saw is the case that no log of our own would ever tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.cdr import NO_SEAT
from ingest.queue_log import LoggedCall

CLOCK = timedelta(seconds=5)
LENGTH = timedelta(seconds=3)
STATES = ("recorded", "gaps", "no_audio", "never_seen", "nothing", "excluded")
WANTED = ("recorded", "gaps", "no_audio", "never_seen")  # of these a recording should be there
_NOTHING = {
    "abandoned": "the caller gave up: nothing to record",
    "timeout": "nobody answered in time: nothing to record",
    "key": "the caller left the queue by a key: nothing to record",
    "empty": "the queue was empty: nothing to record",
}
_EXCLUDED = {
    NO_SEAT: "an application answered, and no seat",
    "open": "the list ends before the call does",
    "queued": "went on to another queue without an answer",
}


@dataclass(frozen=True, slots=True)
class Sound:
    """The recording of a call: how much of it lies after the answer, and what is missing there."""

    talk_ms: int
    gaps: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Ours:
    """A call as it is known here."""

    id: str
    at: datetime
    state: str
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    probe: bool = False
    legs: int = 0  # registered
    heard: int = 0  # of them began
    sound: Sound | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One call of the list, and what became of it."""

    call: str
    at: datetime
    state: str
    reason: str
    ours: str | None = None
    scored: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {"call": self.call, "at": self.at.isoformat(), "state": self.state, "reason": self.reason,
                "ours": self.ours}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Capture:
    """A day's list reconciled. The rate is of whole recordings among the calls that should have one."""

    lines: tuple[Line, ...]
    unlisted: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def wanted(self) -> int:
        return sum(self.counts[state] for state in WANTED)

    @property
    def rate(self) -> float | None:
        return self.counts["recorded"] / self.wanted if self.wanted else None

    @property
    def missing(self) -> list[Line]:
        return [line for line in self.lines if line.state in WANTED and line.state != "recorded"]


def reconcile(listed: Sequence[LoggedCall], ours: Sequence[Ours]) -> Capture:
    """Every call of the list in one of the states; and what is here that the list has not."""
    visits = _visits(listed)
    met = _met(visits, ours)
    lines = tuple(_line(one, met.get(one.call)) for one in sorted(visits, key=lambda one: (one.entered_at, one.call)))
    known = {one.id for one in met.values()}
    unlisted = tuple(sorted(one.id for one in ours if one.id not in known and not one.probe))
    return Capture(lines, unlisted, Counter(line.state for line in lines))


def _visits(listed: Iterable[LoggedCall]) -> list[LoggedCall]:
    """One entry a call: of several visits to queues the one that was answered, else the last."""
    found: dict[str, LoggedCall] = {}
    for one in listed:
        before = found.get(one.call)
        if before is None or before.outcome != "answered":
            found[one.call] = one
    return list(found.values())


def _met(visits: Sequence[LoggedCall], ours: Sequence[Ours]) -> dict[str, Ours]:
    by_id = {one.id: one for one in ours}
    ends: dict[str, list[Ours]] = {}
    for one in ours:  # ids here carry the switchboard's name in front
        for at, char in enumerate(one.id):
            if char == "-":
                ends.setdefault(one.id[at + 1 :], []).append(one)
    found: dict[str, Ours] = {}
    for visit in visits:
        tail = ends.get(visit.call, [])
        if (same := by_id.get(visit.call) or (tail[0] if len(tail) == 1 else None)) is not None:
            found[visit.call] = same
    taken = {one.id for one in found.values()}
    rest = [one for one in ours if one.id not in taken]
    pairs = [
        (_apart(visit, one), visit.call, one)
        for visit in visits
        if visit.call not in found
        for one in rest
        if _near(visit, one)
    ]
    for _, call, one in sorted(pairs, key=lambda pair: (pair[0], pair[1], pair[2].id)):
        if call not in found and one.id not in taken:
            found[call] = one
            taken.add(one.id)
    return found


def _apart(visit: LoggedCall, one: Ours) -> timedelta:
    told = [(visit.connected_at, one.answered_at), (visit.entered_at, one.at)]
    return min((abs(mine - yours) for mine, yours in told if mine and yours), default=timedelta.max)


def _near(visit: LoggedCall, one: Ours) -> bool:
    """The same call by its times: something of it begins together, and what is known of its length agrees."""
    if _apart(visit, one) > CLOCK:
        return False
    lengths = [
        (visit.entered_at, visit.ended_at, one.at, one.ended_at),
        (visit.connected_at, visit.ended_at, one.answered_at, one.ended_at),
    ]
    told = [abs((b - a) - (d - c)) for a, b, c, d in lengths if a and b and c and d]
    return not told or min(told) <= LENGTH


def _line(visit: LoggedCall, one: Ours | None) -> Line:
    state, reason = _judged(visit, one)
    scored = one is not None and one.state == "scored"
    return Line(visit.call, visit.entered_at, state, reason, one.id if one else None, scored)


def _judged(visit: LoggedCall, one: Ours | None) -> tuple[str, str]:
    if visit.outcome != "answered":
        if why := _NOTHING.get(visit.outcome):
            return "nothing", why
        return "excluded", _EXCLUDED.get(visit.outcome, f"the list says {visit.outcome}")
    if one is None:
        return "never_seen", "neither signalling nor audio of it came here"
    if one.probe:
        return "excluded", "the switchboard tested the line"
    if one.sound is None:
        return "no_audio", _silent(one)
    return _whole(visit, one.sound)


def _silent(one: Ours) -> str:
    if one.state in ("live", "ended"):
        return "seen; its recording is not put together yet"
    if not one.legs:
        return "seen, and no leg of it was ever announced: nothing tapped it"
    if not one.heard:
        return f"seen, {one.legs} legs announced, and not a sample of them came"
    return "seen, and no sample of it was kept"


def _whole(visit: LoggedCall, sound: Sound) -> tuple[str, str]:
    inside = [gap for gap in sound.gaps if gap["end_ms"] > 0]
    if inside:
        ms = sum(gap["end_ms"] - max(0, gap["start_ms"]) for gap in inside)
        causes = ", ".join(sorted({str(gap["cause"]) for gap in inside}))
        return "gaps", f"{ms / 1000:.1f} s of a party's audio are missing ({causes})"
    if visit.connected_at and visit.ended_at:
        talk = visit.ended_at - visit.connected_at
        if talk - timedelta(milliseconds=sound.talk_ms) > LENGTH:
            told = f"lasts {sound.talk_ms / 1000:.1f} s, the list says {talk / timedelta(seconds=1):.0f} s"
            return "gaps", f"the recording {told}"
    return "recorded", ""
