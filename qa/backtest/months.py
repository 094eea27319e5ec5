"""Months decided again under a draft: what records bring as well, grades, fines, pay and recommendations by agent.

The same functions that close a month, over the same records; closed months are looked at as if they were open, and
nothing is written. It takes as long as closing those months does, so it is done only where it is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from qa.backtest.sides import Side, of_subjects
from qa.backtest.tally import EXAMPLES
from qa.period_world import local, see
from qa.services import now
from qa.site import SiteRules
from qa.store.pool import Store
from scoring.period.card import Card, plain
from scoring.period.close import Closing
from scoring.period.findings import Finding
from scoring.period.world import Who, World
from scoring.records.period import Period

FIGURES = ("score", "grade", "pay", "fine", "state")
Step = Callable[[int, int, str], None]


@dataclass(slots=True)
class Months:
    """What changes: by agent and month, and by clause that records decide."""

    seen: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    pay: dict[str, list[Decimal]] = field(default_factory=dict)  # agent -> before, after
    fine: dict[str, list[Decimal]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "seen": self.seen,
            "changed": self.rows,
            "rules": [{"rule": name, **told} for name, told in sorted(self.rules.items())],
            "money": {agent: {"pay": _two(self.pay[agent]), "fine": _two(self.fine[agent])} for agent in self.pay},
        }


async def months(
    store: Store, site: SiteRules, after: Side, first: date | None, last: date | None, step: Step | None = None
) -> Months:
    """Every month of everybody between two days, before and after."""
    seen = await see(store, site, "backtest", local(now(), site))
    before = replace(seen.world, closed={}, shadow=())
    other = replace(
        before, packs={**before.packs, after.pack.id: after.pack}, pack=after.pack.id, overlay=after.overlay
    )
    return await asyncio.to_thread(_compare, before, other, first, last, step)


def _compare(before: World, after: World, first: date | None, last: date | None, step: Step | None) -> Months:
    found, one, other = Months(), Closing(before), Closing(after)
    todo = [(who, month) for month in _between(before, first, last) for who in _people(before, month)]
    for at, (who, month) in enumerate(todo, 1):
        _one(found, who, month, one.card(who, month), other.card(who, month), after)
        if step is not None:
            step(at, len(todo), "months")
    found.seen = len(todo)
    return found


def _between(world: World, first: date | None, last: date | None) -> list[Period]:
    """The months of the days that were asked for; else those that records or calls tell of."""
    days = [day for one in world.book.all() if one.kind != "person" and (day := one.local_day) is not None]
    days += world.calls.days() or ()
    if not days:
        return []
    month, end = Period.of(first or min(days), "month"), Period.of(last or max(days), "month")
    found = []
    while month <= end:
        found.append(month)
        month = month.next()
    return found


def _people(world: World, month: Period) -> list[Who]:
    names = {*world.book.people(month), *world.calls.agents()}
    return [Who("person", name) for name in sorted(names)]


def _one(found: Months, who: Who, month: Period, one: Card, other: Card, after: World) -> None:
    for name, told in (("pay", found.pay), ("fine", found.fine)):
        sums = told.setdefault(who.name, [Decimal(0), Decimal(0)])
        sums[0] += getattr(one, name) or Decimal(0)
        sums[1] += getattr(other, name) or Decimal(0)
    moved = {
        name: {"before": plain(getattr(one, name)), "after": plain(getattr(other, name))}
        for name in FIGURES
        if getattr(one, name) != getattr(other, name)
    }
    kinds = [{each.kind for each in card.recommendations} for card in (one, other)]
    if kinds[0] != kinds[1]:
        moved["recommendations"] = {"gained": sorted(kinds[1] - kinds[0]), "lost": sorted(kinds[0] - kinds[1])}
    if moved:
        found.rows.append({"agent": who.name, "month": str(month), **moved})
    old, new = dict(_findings(one)), dict(_findings(other))
    for key in old.keys() ^ new.keys():
        _note(found, "gained" if key in new else "lost", new.get(key) or old[key], who, after)


def _findings(card: Card) -> Iterator[tuple[tuple[str, str, str], Finding]]:
    """What takes effect or waits for a person."""
    for one in card.findings:
        if one.counts or one.waits:
            yield (one.rule, one.subject, one.event), one


def _note(found: Months, kind: str, one: Finding, who: Who, after: World) -> None:
    """Counted with its clause; calls are told of where they are scored one by one."""
    rule = after.packs[after.pack].rules.get(one.rule)
    if rule is not None and of_subjects(rule) and one.kind in ("call", "away", "chat"):
        return
    told = found.rules.setdefault(one.rule, {"gained": 0, "lost": 0, "examples": {"gained": [], "lost": []}})
    told[kind] += 1
    if len(told["examples"][kind]) < EXAMPLES:
        told["examples"][kind].append({"agent": who.name, **one.to_json()})


def _two(pair: list[Decimal]) -> dict[str, Any]:
    return {"before": plain(pair[0]), "after": plain(pair[1]), "change": plain(pair[1] - pair[0])}


def months_text(found: Months) -> list[str]:
    """For a terminal."""
    rows = [f"{found.seen} months of people decided again: {len(found.rows)} come out otherwise"]
    rows += [
        f"  {name:<12} from records: {one['gained']} gained, {one['lost']} lost"
        for name, one in sorted(found.rules.items())
    ]
    for row in found.rows[:10]:
        moved = "; ".join(
            f"{name} {row[name]['before']} → {row[name]['after']}"
            for name in FIGURES
            if name in row and name != "state"
        )
        rows.append(f"  {row['agent']:<12} {row['month']} {moved}")
    return rows
