"""In which order stored events are told: by the sender's own clock, never by arrival. Pure sorting, each once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby

from ingest.events import Event

_RANK = {
    kind: rank
    for rank, kind in enumerate(
        ("leg", "offered", "ringing", "answered", "held", "resumed", "transferred", "redirected", "ended")
    )
}


def once(events: Iterable[Event]) -> list[Event]:
    """Each (source, id) once; the first one stands."""
    seen: dict[tuple[str, str], Event] = {}
    for event in events:
        seen.setdefault((event.source, event.id), event)
    return list(seen.values())


def by_source(events: Iterable[Event]) -> dict[str, list[Event]]:
    """The events of each source in the order of its clock, then its own sequence; sources by name."""
    told: dict[str, list[Event]] = {}
    for event in once(events):
        told.setdefault(event.source, []).append(event)
    return {source: sorted(told[source], key=_within) for source in sorted(told)}


def by_time(events: Iterable[Event]) -> list[Event]:
    """All events on one time line, for what several sources say about one seat."""
    return sorted(once(events), key=lambda event: (utc(event), event.source, _within(event)))


def ties(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Ordered events in groups that nothing but their kind tells apart: one stamp, one sequence number."""
    for _, group in groupby(events, key=lambda event: _within(event)[:2]):
        yield list(group)


def _within(event: Event) -> tuple[datetime, int, int, str]:
    """Equal stamps (a source with whole seconds) fall back on the sender's ``seq``, then on how calls go."""
    seq = event.extra.get("seq")
    number = seq if isinstance(seq, int) else 0
    return utc(event), number, _RANK.get(event.type, 0), event.id


def utc(event: Event) -> datetime:
    return event.at.astimezone(UTC)
