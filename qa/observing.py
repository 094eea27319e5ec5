"""What an observation may say at a site: rules that are there, on, and take it; points inside what is printed.

The shared judgement is in scoring; here it gets the packs, the overlay and whose call it is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path

from qa.deliveries import Admitted
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
from scoring.records.record import Record, Refusal
from scoring.values import Known, Undated, resolve

FIELD_OF = {"out_of_range": "points"}  # which field a refusal is shown at; else the rule


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The site's regulation and what the site decided over it; other shipped ones are read when a rule names them."""

    pack: Pack
    overlay: Overlay

    def pack_of(self, id: str) -> Pack | None:
        if id == self.pack.id:
            return self.pack
        return _shipped(id) if id in shipped_names() else None

    def for_rules(self, rules: Iterable[str]) -> dict[str, Pack]:
        found = (self.pack_of(rule.partition("-")[0].lower()) for rule in rules)
        return {self.pack.id: self.pack} | {one.id: one for one in found if one is not None}

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


def rulebook(settings: Settings, site: str) -> Rulebook:
    """Reads files at the first call: ask from a thread."""
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
    book = await asyncio.to_thread(rulebook, settings, site)
    named = {rule for at in seen for rule in admitted.records[at].get("rule") or ()}
    packs = await asyncio.to_thread(book.for_rules, named)
    world = World(packs, book.pack.id, datetime.combine(date.min, time()), Book(), overlay=book.overlay)
    faults = {at: await _fault(tx, world, admitted.records[at]) for at in seen}
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
