"""Everything that a site's months are decided from, read from its database: as it stands now, and as it stood before.

A closed month is seen with the records, calls, packs and settings that its closing knew. A call's facts are read when
a clause asks for them, in a transaction of their own; what the ledger scored is scored again from the same facts by
the same function, which gives the same bytes. One pack scores a person's month: that of its last day, as does the team
of that day for the rank, however often somebody moves in between. It decides nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from qa.publishing import Published, timeline
from qa.runs import overlay_of, pack_of
from qa.site import DEMO, SiteRules, chat_matcher
from qa.store import choices, months, packs
from qa.store import records as stored
from qa.store.months import Adjusted, Decided, Pins, Scored
from qa.store.months import Closing as Closed
from qa.store.pool import Store, Tx
from qa.subjects import Ears, items_of
from scoring import facts as fact_form
from scoring.canonical import digest
from scoring.engine import ENGINE
from scoring.load import load_lexicons, load_pack, shipped, shipped_names
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.period.world import CallItem, CallList, Decision, Money, Site, Stood, Timeline, Who, World
from scoring.records.admit import restored
from scoring.records.book import Book
from scoring.records.period import Period
from scoring.records.record import Record

T = TypeVar("T")
Known = dict[tuple[Scored, int], CallItem]
MONEY: tuple[Money, ...] = ("off", "record_only", "payroll_export")
JURISDICTIONS = ("CN", "KR")


@dataclass(frozen=True, slots=True)
class Seen:
    """A site's months as they stand: the world, and what it was read from."""

    world: World
    pins: Pins
    closings: Mapping[Period, Closed]
    decisions: tuple[Decided, ...]
    adjustments: tuple[Adjusted, ...]
    rules: SiteRules

    @property
    def next_open(self) -> Period | None:
        """The month that carries what comes late; None before any was closed."""
        return max(self.closings).next() if self.closings else None


class Reader:
    """Short transactions of one site, asked for by the thread that computes while the loop goes on."""

    def __init__(self, store: Store, site: str, actor: str, loop: asyncio.AbstractEventLoop) -> None:
        self._store, self._site, self._actor, self._loop = store, site, actor, loop
        self._thread = threading.get_ident()  # of the loop: waiting there would be for ever

    def wait(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        async def one() -> T:
            async with self._store.site(self._site, self._actor) as tx:
                return await work(tx)

        if threading.get_ident() == self._thread:
            raise RuntimeError("a month is computed in a thread of its own; this one has to answer it")
        return asyncio.run_coroutine_threadsafe(one(), self._loop).result()


class StoredCalls:
    """Calls and absences as they counted at one moment: from the ledger, and from records that no run stands for."""

    def __init__(self, reader: Reader, pointers: int, book: Book, ears: Ears, known: Known) -> None:
        self._reader, self.pointers, self._book, self._known = reader, pointers, book, known
        told = items_of(book, ears)
        ids = [one.id for one in told]
        scored = reader.wait(lambda tx: months.known(tx, ids, pointers)) if ids else frozenset()
        self._told = CallList(one for one in told if one.id not in scored)
        self._span = reader.wait(lambda tx: months.span(tx, pointers))
        self._heard: dict[tuple[str | None, Period], tuple[CallItem, ...]] = {}
        self._by_id: dict[str, CallItem | None] = {}

    def of(self, agent: str | None, period: Period) -> tuple[CallItem, ...]:
        return tuple(one for month in period.months() for one in self._month(agent, month))

    def _month(self, agent: str | None, month: Period) -> tuple[CallItem, ...]:
        key = (agent, month)
        if key not in self._heard:
            heard = self._read(agent, month) if self._covers(agent, month) else ()
            self._heard[key] = (*heard, *self._told.of(agent, month))
            self._by_id.update((one.id, one) for one in heard)
        return self._heard[key]

    def _covers(self, agent: str | None, month: Period) -> bool:
        return any(one.agent == agent and one.first <= month.last and one.last >= month.first for one in self._span)

    def _read(self, agent: str | None, month: Period) -> tuple[CallItem, ...]:
        found = self._reader.wait(lambda tx: months.calls(tx, agent, month.first, month.last, self.pointers))
        return tuple(self._item(one) for one in found)

    def _item(self, one: Scored) -> CallItem:
        """One value for all worlds that know the same of a call."""
        record = self._book.get(one.id)
        key = (one, id(record))  # a record is one object in all books
        if key not in self._known:
            self._known[key] = CallItem(one.id, one.agent, one.day, fact_form.load(one.facts), record)
        return self._known[key]

    def get(self, call: str) -> CallItem | None:
        told = self._told.get(call)
        if told is None and call not in self._by_id:
            found = self._reader.wait(lambda tx: months.call(tx, call, self.pointers)) if self._span else None
            self._by_id[call] = None if found is None else self._item(found)
        return told or self._by_id[call]

    def agents(self) -> tuple[str, ...]:
        return tuple(sorted({one.agent for one in self._span if one.agent is not None} | set(self._told.agents())))

    def days(self) -> tuple[date, date] | None:
        own = [day for one in self._span for day in (one.first, one.last)]
        days = [*own, *(self._told.days() or ())]
        return (min(days), max(days)) if days else None


class ClosedWorlds(Mapping[Period, World]):
    """Each closed month with the world it was closed in, made when asked for."""

    def __init__(self, make: Callable[[Period], World], closed: tuple[Period, ...]) -> None:
        self._make, self._closed = make, closed
        self._made: dict[Period, World] = {}

    def __getitem__(self, month: Period) -> World:
        if month not in self._closed:
            raise KeyError(month)
        if month not in self._made:
            self._made[month] = self._make(month)
        return self._made[month]

    def __contains__(self, month: object) -> bool:
        return month in self._closed

    def __iter__(self) -> Iterator[Period]:
        return iter(self._closed)

    def __len__(self) -> int:
        return len(self._closed)


class _Raw:
    """What one transaction read of a site."""

    pins: Pins
    closings: tuple[Closed, ...]
    decisions: tuple[Decided, ...]
    adjustments: tuple[Adjusted, ...]
    registers: Mapping[str, date]
    settings: dict[str, Any]
    records: list[tuple[int, Any]]
    pack_bodies: dict[str, packs.Pack]
    overlays: dict[str, packs.Overlay]
    stood: Mapping[str, Mapping[str, Any]]  # by the last closing
    published: tuple[Published, ...]


async def see(store: Store, rules: SiteRules, actor: str, now: datetime, *, anew: bool = False) -> Seen:
    """A site's months as they stand now; ``now`` is local to it. ``anew``: what the last closing kept of the months
    before it is computed again.
    """
    async with store.site(rules.id, actor) as tx:
        raw = await _read(tx)
        if anew:
            raw.stood = {}
        raw.published = await timeline(tx, rules)
    reader = Reader(store, rules.id, actor, asyncio.get_running_loop())
    return await asyncio.to_thread(_Builder(raw, rules, reader, now).seen)


async def _read(tx: Tx) -> _Raw:
    raw = _Raw()
    raw.pins = await months.pins(tx)
    raw.closings = await months.closings(tx)
    raw.decisions = await months.decisions(tx, raw.pins.decisions)
    raw.adjustments = await months.adjustments(tx)
    raw.registers = await stored.registers(tx)
    names = ("money", "signed_off_by", "jurisdiction", "shadow")
    raw.settings = {name: await choices.get(tx, name) for name in names}
    raw.records = await months.records(tx, 0, raw.pins.records)
    shas = {sha for one in raw.closings for sha in one.packs.values()}
    raw.pack_bodies = {sha: await packs.get(tx, sha) for sha in sorted(shas)}
    last = raw.closings[-1] if raw.closings else None
    raw.stood = await months.stood(tx, last.month) if last is not None and _decides_alike(last) else {}
    raw.overlays = {sha: await packs.overlay(tx, sha) for sha in sorted({one.overlay for one in raw.closings})}
    return raw


def _decides_alike(closed: Closed) -> bool:
    """Whether what it came to then is what this release would say: another engine or other phrases compare with
    themselves, or their own difference would become an adjustment.
    """
    return closed.engine == ENGINE and closed.site.get("phrases") == phrases_sha()


def phrases_sha() -> str:
    """Names the phrases that turn the words of imported calls into facts."""
    return digest(repr(load_lexicons()).encode())


class _Builder:
    """Worlds from what was read; runs in a thread of its own."""

    def __init__(self, raw: _Raw, rules: SiteRules, reader: Reader, now: datetime) -> None:
        self.raw, self.rules, self.reader, self.now = raw, rules, reader, now
        self.ears = Ears(rules.zone, rules.view, rules.matcher, chat_matcher())
        self.closings = {Period(one.month): one for one in raw.closings}
        self.books = self._books()
        self.calls: dict[tuple[int, int], StoredCalls] = {}
        self.known: Known = {}

    def _books(self) -> dict[int, Book]:
        """The book at every closing and now, each grown from the one before."""
        records = [(n, restored(body)) for n, body in self.raw.records]
        book, books, start = Book(), {}, 0
        for upto in sorted({*(one.records for one in self.raw.closings), self.raw.pins.records}):
            part: list[Record] = []
            while start < len(records) and records[start][0] <= upto:
                part.append(records[start][1])
                start += 1
            book, _ = book.take(part)
            books[upto] = book
        return books

    def seen(self) -> Seen:
        world = World(
            packs=self._packs(),
            pack=self.rules.pack.id,
            now=self.now,
            book=self.books[self.raw.pins.records],
            site=self._site(),
            overlay=self.rules.overlay,
            shadow=tuple(one for one in self.raw.settings["shadow"] or () if one in shipped_names()),
            calls=self._calls(self.raw.pins.records, self.raw.pins.pointers),
            closed=self._closed(tuple(sorted(self.closings))),
            decisions=self._decisions(self.raw.pins.decisions),
            timeline=Timeline((one.since, one.rules.pack) for one in self.raw.published),
        )
        return Seen(
            world, self.raw.pins, self.closings, self.raw.decisions, self.raw.adjustments, self.rules
        )  # fmt: skip

    def _packs(self) -> dict[str, Pack]:
        """The site's pack, those in the shadow, and those that person records name."""
        book = self.books[self.raw.pins.records]
        own = [str(one.get("pack")) for one in book.of_kind("person") if one.get("pack")]
        named = [one for one in (*(self.raw.settings["shadow"] or ()), *own) if one in shipped_names()]
        others = [one for one in dict.fromkeys(named) if one != self.rules.pack.id]
        return {self.rules.pack.id: self.rules.pack, **{one: load_pack(shipped(one)) for one in others}}

    def _site(self) -> Site:
        told = self.raw.settings
        registers = dict(self.raw.registers)
        if self.rules.id == DEMO and self.rules.view.leave_connected:
            registers.setdefault("leave", date.min)
        return site_of({**told, "timezone": self.rules.zone.key, "registers": registers})

    def _calls(self, records: int, pointers: int) -> StoredCalls:
        key = (records, pointers)
        if key not in self.calls:
            self.calls[key] = StoredCalls(self.reader, pointers, self.books[records], self.ears, self.known)
        return self.calls[key]

    def _closed(self, before: tuple[Period, ...]) -> ClosedWorlds:
        return ClosedWorlds(self._world_of, before)

    def _world_of(self, month: Period) -> World:
        """The world that a month was closed in."""
        one = self.closings[month]
        return World(
            packs={name: self._pack(sha) for name, sha in one.packs.items()},
            pack=one.pack,
            now=one.now,
            book=self.books[one.records],
            site=site_of(one.site),
            overlay=self._overlay(one.overlay),
            shadow=one.shadow,
            calls=self._calls(one.records, one.pointers),
            closed=self._closed(tuple(other for other in sorted(self.closings) if other < month)),
            decisions=self._decisions(one.decisions),
            timeline=self._timeline(month),
            stood=stood_of(self.raw.stood) if month == max(self.closings) else {},
        )

    def _timeline(self, upto: Period) -> Timeline:
        """The packs of the months before, so that late news of a month is held against what it was closed by."""
        kept = {month: self._pack(one.packs[one.pack]) for month, one in self.closings.items() if month <= upto}
        before = [(one.since, one.rules.pack) for one in self.raw.published if one.since < min(kept).first]
        return Timeline([*before, *((month.first, pack) for month, pack in kept.items())])

    def _pack(self, sha: str) -> Pack:
        return pack_of(self.raw.pack_bodies[sha].body)

    def _overlay(self, sha: str) -> Overlay:
        return self.rules.overlay if sha == self.rules.overlay.sha else overlay_of(self.raw.overlays[sha].body)

    def _decisions(self, upto: int) -> dict[tuple[str, Period, str], tuple[Decision, ...]]:
        found: dict[tuple[str, Period, str], tuple[Decision, ...]] = {}
        for one in self.raw.decisions:
            if one.n <= upto:
                key = (one.agent, Period(one.month), one.kind)
                at = local(one.made_at, self.rules)
                found[key] = (*found.get(key, ()), Decision(one.state, one.actor, at))
        return found


def stood_of(told: Mapping[str, Mapping[str, Any]]) -> dict[tuple[Who, Period], Stood]:
    """From the form in which a closing keeps it."""
    found: dict[tuple[Who, Period], Stood] = {}
    for who, of_months in told.items():
        kind, _, name = who.partition("/")
        whose = Who("person" if kind == "person" else "team" if kind == "team" else "site", name)
        found.update({(whose, Period(one)): Stood(Decimal(a), Decimal(b)) for one, (a, b) in of_months.items()})
    return found


def stood_json(found: Mapping[tuple[Who, Period], Stood]) -> dict[str, dict[str, list[str]]]:
    told: dict[str, dict[str, list[str]]] = {}
    for (who, month), one in found.items():
        told.setdefault(f"{who.kind}/{who.name}", {})[str(month)] = [str(one.points), str(one.pay)]
    return told


def local(at: datetime, rules: SiteRules) -> datetime:
    """A moment as the site's clocks show it."""
    return at.astimezone(rules.zone).replace(tzinfo=None)


def site_of(told: Mapping[str, Any]) -> Site:
    """What the owner decided about the place, from its plain form."""
    registers = {
        name: since if isinstance(since, date) else date.fromisoformat(str(since))
        for name, since in (told.get("registers") or {}).items()
    }
    return Site(
        timezone=str(told["timezone"]),
        money=next((one for one in MONEY if one == told.get("money")), "off"),
        signed_off_by=told.get("signed_off_by"),
        jurisdiction="KR" if told.get("jurisdiction") == "KR" else "CN",
        registers=registers,
    )


def site_json(site: Site) -> dict[str, Any]:
    return {
        "timezone": site.timezone,
        "money": site.money,
        "signed_off_by": site.signed_off_by,
        "jurisdiction": site.jurisdiction,
        "registers": {name: since.isoformat() for name, since in sorted(site.registers.items())},
    }
