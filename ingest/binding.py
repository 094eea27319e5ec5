"""Which call and leg a one-time UUID or token stands for, from the stored ``leg`` events. Checks no signatures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingest.events import Event, Leg
from ingest.order import by_time


@dataclass(frozen=True, slots=True)
class Bound:
    call: str
    leg: str
    role: str


def legs(events: Iterable[Event]) -> dict[str, Bound]:
    """UUID or token -> its leg; the first event that names one keeps it, however often it is named again."""
    found: dict[str, Bound] = {}
    for event in by_time(events):
        if isinstance(event, Leg):
            bound = Bound(str(event.call), str(event.leg), event.role)
            for name in (event.audiosocket, event.stream):
                if name is not None:
                    found.setdefault(name, bound)
    return found


def aliases(events: Iterable[Event], call: str, leg: str) -> tuple[str, ...]:
    """The UUIDs whose audio belongs to this leg although it is stored under the UUID itself."""
    return tuple(name for name, bound in legs(events).items() if (bound.call, bound.leg) == (call, leg))
