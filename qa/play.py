"""A golden scenario played: records admitted, attempts made in order, months closed in order. Compares nothing.

It only joins: admission, facts, attempts and months are the product's own functions over values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from qa.facts import SiteView
from qa.scenario import Scenario, Step
from qa.site import chat_matcher, matcher
from qa.subjects import Ears, items_of
from scoring import overlay as overlays
from scoring.errors import PackError
from scoring.load import load_pack, shipped
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.period import attempt as attempts
from scoring.period.close import Closing, close
from scoring.period.single import SubjectCard, subject_cards
from scoring.period.world import CallList, Money, Site, World
from scoring.records.admit import Defaults, expand, implied, local, parse
from scoring.records.book import Book, BookError
from scoring.records.kinds import MODELS
from scoring.records.period import Period
from scoring.records.record import Record

_FIRST = datetime.fromisoformat("2020-01-01T00:00")


class Refused(Exception):
    """A scenario whose records or site cannot be taken; each fault is one line."""

    def __init__(self, faults: Iterable[str]) -> None:
        super().__init__()
        self.faults = list(faults)


@dataclass(frozen=True)
class Played:
    """A scenario after its last step: the world, what became of each attempt, and the word that refused the overlay."""

    world: World
    closing: Closing
    answers: Mapping[str, attempts.Outcome]
    overlay_refused: str | None = None

    @cached_property
    def cases(self) -> Mapping[str, SubjectCard]:
        """Every case, and every record with a deadline, under every pack of the scenario."""
        return subject_cards(self.closing.evaluator, tuple(self.world.packs))


class Shelf(Protocol):
    """Where records are kept while a scenario is played: in memory, or in a database that must give the same back."""

    def take(self, records: Sequence[Record]) -> Book:
        """All of them and nothing else; the book that stands then."""

    def close(self, period: Period) -> None:
        """From here on what is taken comes late for that period."""

    def stood(self, period: Period) -> Book:
        """The book as it stood when that period was closed."""


class Lists:
    """Records in memory."""

    def __init__(self) -> None:
        self.book = Book()
        self.closed: dict[Period, Book] = {}

    def take(self, records: Sequence[Record]) -> Book:
        self.book, refused = self.book.take(records)
        if refused:
            raise BookError(refused)
        return self.book

    def close(self, period: Period) -> None:
        self.closed[period] = self.book

    def stood(self, period: Period) -> Book:
        return self.closed[period]


def play(scenario: Scenario, shelf: Shelf | None = None, drafts: Mapping[str, Pack] | None = None) -> Played:
    """Import, attempts in order, months closed in order. ``drafts`` stand in for shipped packs of the same id."""
    shelf = shelf or Lists()
    zone = _zone(scenario)
    packs = _packs(scenario, drafts or {})
    overlay, refused = _overlay(scenario, packs)
    ears = Ears(zone, SiteView(scenario.site.cadence, "leave" in scenario.site.registers), matcher(), chat_matcher())
    try:
        book = shelf.take(_admitted(scenario, zone))
    except BookError as error:
        raise Refused(error.faults) from None
    world = World(
        packs=packs,
        pack=scenario.pack,
        now=_last_moment(book.all()) or _FIRST,
        book=book,
        site=Site(
            scenario.site.timezone,
            _money(scenario.site.money),
            scenario.site.signed_off_by,
            "KR" if scenario.site.jurisdiction == "KR" else "CN",
            dict.fromkeys(scenario.site.registers, date.min),
        ),
        overlay=overlay,
        shadow=scenario.shadow,
        calls=CallList(items_of(book, ears)),
    )
    refused = refused or attempts.overlay_fault(world)
    answers: dict[str, attempts.Outcome] = {}
    for number, step in enumerate(scenario.do):
        world, answers[step.id] = _attempt(world, step, number, ears, shelf)
    for month in scenario.close:
        period = Period(month)
        shelf.close(period)
        world = close(replace(world, now=first_after(period)), period)
    world = replace(world, now=_now(scenario, world), closed=_as_they_stood(world, shelf, ears))
    return Played(world, Closing(world), answers, refused)


def _zone(scenario: Scenario) -> ZoneInfo:
    try:
        return ZoneInfo(scenario.site.timezone)
    except (KeyError, ValueError, OSError):
        place = scenario.place(("site", "timezone"))
        raise Refused([f"{place}: site.timezone: {scenario.site.timezone!r} is no time zone; correct it"]) from None


def _money(word: str) -> Money:
    return "off" if word == "off" else "record_only" if word == "record_only" else "payroll_export"


def _packs(scenario: Scenario, drafts: Mapping[str, Pack]) -> dict[str, Pack]:
    """The active pack, those in the shadow, and those of single people."""
    own = [str(one["pack"]) for one in scenario.people if one.get("pack")]
    wanted = dict.fromkeys((scenario.pack, *scenario.shadow, *own))
    return {name: drafts[name] if name in drafts else _pack(name) for name in wanted}


@cache
def _pack(name: str) -> Pack:
    """A shipped pack, read once in a process."""
    return load_pack(shipped(name))


def _overlay(scenario: Scenario, packs: Mapping[str, Pack]) -> tuple[Overlay, str | None]:
    """What the site decided, or the word for it where a scenario expects that it is refused.

    Text rules are trusted unless the scenario says otherwise.
    """
    trust = scenario.site.trust if isinstance(scenario.site.trust, str) else list(scenario.site.trust)
    raw = {**(scenario.site.overlay or {}), "trust": trust}
    try:
        decided = overlays.from_mapping(raw, lambda path: scenario.place(("site", "overlay", *path)))
        overlays.check(decided, packs.values(), only_known=False)
    except PackError as error:
        if "overlay" not in scenario.expect:
            raise
        never = any("never evaluated" in fault for fault in error.faults)
        return overlays.from_mapping({"trust": trust}), "rule_off" if never else "not_applicable"
    return decided, None


def _admitted(scenario: Scenario, zone: ZoneInfo) -> list[Record]:
    """People and records admitted in one go, as ``import records`` does; a refused line fails the scenario."""
    faults: list[str] = []
    taken: list[Record] = []
    for part, rows in (("people", scenario.people), ("given", scenario.given)):
        for number, raw in enumerate(rows):
            full = {"kind": "person", **raw} if part == "people" else raw
            for one in expand(full, f"g{number + 1}" if part == "given" else f"people.{number + 1}"):
                read = parse(one, zone, defaults=Defaults(str(one.get("id"))))
                if isinstance(read, Record):
                    taken.append(read)
                else:
                    place = scenario.place((part, number))
                    faults += [f"{place}: {part}.{number}: {fault}" for fault in read]
    if faults:
        raise Refused(faults)
    return [*taken, *implied(taken, zone)]


def _as_they_stood(world: World, shelf: Shelf, ears: Ears) -> dict[Period, World]:
    """The closed months with the records that stood when each was closed."""
    found: dict[Period, World] = {}
    for period, then in world.closed.items():
        book = shelf.stood(period)
        calls = then.calls if book is then.book else CallList(items_of(book, ears))
        found[period] = replace(then, book=book, calls=calls, closed=dict(found))
    return found


def _attempt(world: World, step: Step, number: int, ears: Ears, shelf: Shelf) -> tuple[World, attempts.Outcome]:
    at = _local(step.at, ears.zone)
    world = replace(world, now=at)
    match step.action:
        case "add":
            return _add(world, step, at, number, ears, shelf)
        case "export":
            return attempts.export(world)
        case "close":
            period = Period(step.payload)
            if period not in world.closed:
                shelf.close(period)
            return attempts.close_month(world, period)
    scope = step.payload
    return attempts.decide(
        world, step.action, str(scope["agent"]), Period(str(scope["period"])), str(scope["kind"]), step.by, at
    )


def _add(
    world: World, step: Step, at: datetime, number: int, ears: Ears, shelf: Shelf
) -> tuple[World, attempts.Outcome]:
    """What somebody enters, all of it or nothing; what it leaves out of when and who is the attempt's."""
    cautions: list[str] = []
    grown = world
    for raw in expand(_entered(step, at), f"do.{number + 1}"):
        read = parse(raw, ears.zone, defaults=Defaults(str(raw.get("id")), step.by))
        if not isinstance(read, Record):
            return world, attempts.Refused(attempts.refusal_word(read), "; ".join(map(str, read)))
        book = grown.book.take(implied([*grown.book.all(), read], ears.zone))[0]
        grown, answer = attempts.add(replace(grown, book=book), read, step.role, step.by)
        if isinstance(answer, attempts.Refused):
            return world, answer
        cautions += answer.caution
    book = shelf.take(grown.book.all()[len(world.book.all()) :])
    calls = CallList(items_of(book, ears))
    return replace(grown, book=book, calls=calls), attempts.Accepted(tuple(dict.fromkeys(cautions)))


def _entered(step: Step, at: datetime) -> Mapping[str, Any]:
    raw = {"entered_by": step.by, **step.payload}
    kind = MODELS.get(str(raw.get("kind")))
    if kind is None:
        return raw
    if raw.get("kind") == "case":
        raw = {"by": step.by, "by_role": step.role, **raw}
    if not any(name in raw for name in ("at", "day", "period", *kind.WHEN)):
        return raw | ({"at": at} if "at" in kind.WHEN else {"day": at.date()} if "day" in kind.WHEN else {})
    return raw


def first_after(period: Period) -> datetime:
    """The first moment after a period."""
    return datetime.combine(period.last + timedelta(days=1), time())


def _now(scenario: Scenario, world: World) -> datetime:
    """The one named, else the first moment after the last closed month, else the last moment in the records."""
    zone = ZoneInfo(scenario.site.timezone)
    if scenario.now is not None:
        return _local(scenario.now, zone)
    if world.closed:
        return first_after(max(world.closed))
    known = _last_moment(world.book.all())
    tried_at = [_local(step.at, zone) for step in scenario.do]
    return max([*tried_at, *([known] if known else [])], default=_FIRST)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    found: datetime = local(moment, zone)
    return found


def _last_moment(records: Iterable[Record]) -> datetime | None:
    """The last moment that some record tells of; plans and deadlines are no news of their time."""
    found = [moment for one in records if one.kind not in ("person", "calendar") for moment in _told(one)]
    return max(found, default=None)


def _told(record: Record) -> Iterable[datetime]:
    planned = ("due_at", "until") if record.kind in ("shift", "leave") else ("due_at",)
    for name, value in record.fields.items():
        if isinstance(value, datetime) and name not in planned:
            yield value
        elif name == "day":
            yield datetime.combine(value, time.max)
        elif isinstance(value, Period):
            yield datetime.combine(value.last, time.max)
    for part in (*(record.get("turns") or ()), *(record.get("corrections") or ())):
        if isinstance(part, Mapping) and isinstance(part.get("at"), datetime):
            yield part["at"]
