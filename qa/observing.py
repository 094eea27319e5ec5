"""What an observation may say at a site: rules that are there, on, and take it; points inside what is printed.

The shared judgement is in scoring; here it gets the packs, the overlay and whose call it is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cache
from pathlib import Path

from qa.deliveries import Admitted
from qa.publishing import published_packs
from qa.settings import Settings
from qa.site import DEMO, demo_overlay, pack_folder
from qa.store import records as stored
from qa.store import screens
from qa.store.pool import Tx
from scoring.load import load_overlay, load_pack, shipped, shipped_names
from scoring.overlay import Overlay
from scoring.pack import Pack, Rule
from scoring.period.attempt import judges_own, observation_fault
from scoring.period.world import World
from scoring.records.book import Book
from scoring.records.period import Period
from scoring.records.record import Record, Refusal
from scoring.values import Known, Undated, resolve

FIELD_OF = {"out_of_range": "points"}  # which field a refusal is shown at; else the rule


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The site's regulation, what was published over it and what the site decided; other shipped ones are read when a
    rule names them. A day takes what holds on the last day of its month, as the month itself does.
    """

    pack: Pack
    overlay: Overlay
    published: tuple[tuple[date, Pack], ...] = ()

    def site_pack(self, day: date) -> Pack:
        """The site's own regulation on that day."""
        return self._held(day)[-1]

    def pack_of(self, id: str, day: date) -> Pack | None:
        """The regulation of that name on that day: as it was published last, else as it is shipped."""
        own = [one for one in self._held(day) if one.id == id]
        return own[-1] if own else _shipped(id) if id in shipped_names() else None

    def names(self, day: date) -> list[str]:
        return sorted({*shipped_names(), *(one.id for one in self._held(day))})

    def for_rules(self, rules: Iterable[str], day: date) -> dict[str, Pack]:
        own = self.site_pack(day)
        found = (self.pack_of(rule.partition("-")[0].lower(), day) for rule in rules)
        return {own.id: own} | {one.id: one for one in found if one is not None}

    def _held(self, day: date) -> list[Pack]:
        last = Period.of(day, "month").last
        return [self.pack, *(pack for since, pack in self.published if since <= last)]

    def points(self, rule_id: str, rule: Rule, day: date) -> Known | None:
        """What the clause costs or brings at this site on that day, where it is one number."""
        if rule.points is None:
            return None
        try:
            return resolve("points", rule.points, self.overlay.numbers.get(f"{rule_id}.points"), day)
        except Undated:
            return None

    def on(self, rule_id: str, rule: Rule) -> bool:
        return not rule.never and self.overlay.switches.get(f"{rule_id}.on", rule.on)


@cache
def _shipped(id: str) -> Pack:
    return load_pack(shipped(id))


@cache
def _rulebook(folder: Path, overlay: Path | None) -> Rulebook:
    pack = load_pack(folder)
    return Rulebook(pack, load_overlay(overlay, [pack]))


async def rulebook(tx: Tx, settings: Settings, site: str) -> Rulebook:
    """What observations are held against now."""
    book = await asyncio.to_thread(_of_settings, settings, site)
    return replace(book, published=tuple((since, pack) for since, pack, _ in await published_packs(tx)))


def _of_settings(settings: Settings, site: str) -> Rulebook:
    if site == DEMO:
        return _rulebook(shipped("bes"), demo_overlay())
    return _rulebook(pack_folder(settings.pack), settings.overlay)


def observed(pack: Pack) -> Iterator[tuple[str, Rule]]:
    """The rules that take what a person saw or answered, in the regulation's order."""
    for rule_id, rule in pack.rules.items():
        if rule.decide in ("manual", "review") or "observation" in rule.needs:
            yield rule_id, rule


async def judge(tx: Tx, admitted: Admitted, settings: Settings, site: str) -> None:
    """Move observations that no rule of the site can take to the refused ones; what stands already is left alone."""
    seen = [at for at, one in enumerate(admitted.records) if one.kind == "observation" and not one.get("void")]
    if not seen:
        return
    book = await rulebook(tx, settings, site)
    by_month: dict[date, list[int]] = {}
    for at in seen:
        by_month.setdefault(Period.of(admitted.records[at].local_day or date.max, "month").first, []).append(at)
    faults = {}
    for first, some in by_month.items():
        named = {rule for at in some for rule in admitted.records[at].get("rule") or ()}
        packs = await asyncio.to_thread(book.for_rules, named, first)
        own = book.site_pack(first).id
        world = World(packs, own, datetime.combine(date.min, time()), Book(), overlay=book.overlay)
        faults.update({at: await _fault(tx, world, admitted.records[at]) for at in some})
    admitted.refuse({at: why for at, why in faults.items() if why is not None})


async def _fault(tx: Tx, world: World, record: Record) -> Refusal | None:
    refused = observation_fault(world, record)
    about = record.get("about")
    if refused is None and about is not None:
        call = await screens.one(tx, str(about))
        refused = judges_own(record, call.agent if call is not None else None)
    if refused is None:
        return None
    stands = await stored.versions(tx, record.id)
    if any(one.record.id == record.id and one.record.fields == record.fields for one in stands):
        return None
    field = "reviewer" if refused.word == "own_call" else FIELD_OF.get(refused.word, "rule")
    return Refusal(field, refused.why)
