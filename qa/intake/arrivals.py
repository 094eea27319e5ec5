"""Which files of a watched folder are complete. Pure: what a listing showed and when; it opens and moves nothing.

A file is complete when it has not changed for a while. Its call is, when the sidecar and the other half are there, too,
or have been waited for long enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from qa.intake.plan import MIX, NO_CALL, by_call, call_name, is_call, is_sound

UNFINISHED = (".part", ".tmp", ".temp", ".filepart", ".crdownload", ".partial")  # as copying programs name them
MOST_BYTES = 3 << 30  # four hours of two channels at 48 kHz
MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry as the listing showed it; ``plain`` False: a link, a device, a pipe."""

    name: str
    size: int
    changed_ns: int
    plain: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """Files that belong together and wait for nothing more; ``fault`` says why they are not taken at all."""

    call: str
    names: tuple[str, ...]
    fault: str | None = None


@dataclass(slots=True)
class Arrivals:
    """What was seen before. ``now`` is any clock in seconds that only goes forward."""

    settle_seconds: float
    patience_seconds: float
    since: dict[str, tuple[Seen, float, float]] = field(default_factory=dict)  # last look, unchanged since, first seen

    def look(self, entries: Iterable[Seen], now: float) -> list[Arrival]:
        """What is complete now, each call once."""
        there = {one.name: one for one in entries if _counts(one.name)}
        self.since = {name: self._known(one, now) for name, one in there.items()}
        found = [self._arrival(call, names, now) for call, names in by_call(there).items()]
        return [one for one in found if one is not None]

    def _known(self, one: Seen, now: float) -> tuple[Seen, float, float]:
        last = self.since.get(one.name)
        if last is None:
            return one, now, now
        return one, last[1] if last[0] == one else now, last[2]

    def _arrival(self, call: str, names: list[str], now: float) -> Arrival | None:
        looks = [self.since[name] for name in names]
        if any(now - unchanged < self.settle_seconds for _, unchanged, _ in looks):
            return None
        waited = now - min(first for _, _, first in looks) >= self.patience_seconds
        if fault := _fault(call, [one for one, _, _ in looks]):
            return Arrival(call, tuple(names), fault)
        sounds = [name for name in names if is_sound(Path(name)) and (len(names) == 1 or not _mixed(name, call))]
        halves = [name for name in sounds if call_name(Path(name))[1] is not None]
        whole = bool(sounds) and len(sounds) < len(names) and len(halves) != 1
        if not whole and not waited:
            return None
        lonely = None if sounds else "no recording came with it; give NAME.wav beside NAME.json"
        return Arrival(call, tuple(names), lonely)


def _mixed(name: str, call: str) -> bool:
    return Path(name).stem == call + MIX


def _counts(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED)


def _fault(call: str, group: list[Seen]) -> str | None:
    if not is_call(call):
        return f"{group[0].name}: {NO_CALL}"
    for one in group:
        if not one.plain:
            return f"{one.name}: is a link or no plain file; put the recording itself here"
        if one.size > MOST_BYTES:
            return f"{one.name}: {one.size} bytes; a call has at most {MOST_BYTES}"
        if not is_sound(Path(one.name)) and not one.name.lower().endswith(".json"):
            return f"{one.name}: no recording and no NAME.json; lists of calls go to `seatwatch import calls`"
    return None
