"""Replays runs to the byte and walks the hash chain of every site; reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from qa.period import replay as replay_months
from qa.runs import replay
from qa.services import opened_store
from qa.settings import Settings, load_settings
from qa.site import SiteRules, rules
from qa.store import months, packs, runs
from qa.store.pool import Store, Tx
from scoring.engine import ENGINE

ACTOR = "verify"
RELEASES = {1: "0.1"}  # which release replays which engine
Step = Callable[[int, int, str], None]


@dataclass(slots=True)
class Verified:
    """What was checked, and every difference by its name."""

    replayed: int = 0
    older: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    differences: list[str] = field(default_factory=list)
    chain_walked: bool = False

    @property
    def clean(self) -> bool:
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        return {
            "clean": self.clean,
            "replayed": self.replayed,
            "not_replayable_here": self.older,
            "chain_rows": self.rows if self.chain_walked else None,
            "differences": self.differences,
        }

    def as_text(self) -> str:
        lines = [f"{self.replayed} runs replayed to the same bytes" if self.clean else f"{self.replayed} runs replayed"]
        lines += [
            f"{count} runs of an older engine: {release} can replay them" for release, count in self.older.items()
        ]
        if self.chain_walked:
            lines.append(f"{self.rows} rows of the hash chain walked")
        lines += [f"DIFFERENT: {one}" for one in self.differences]
        lines.append("verified: clean" if self.clean else f"verified: {len(self.differences)} differences")
        return "\n".join(lines)


def verify_calls(calls: Sequence[str], everything: bool, site: str | None, step: Step) -> Verified:
    """Replay the runs of these calls, or of everything, and then walk the chain."""
    return asyncio.run(_verify(load_settings(), calls, everything, site, step))


async def _verify(settings: Settings, calls: Sequence[str], everything: bool, site: str | None, step: Step) -> Verified:
    found = Verified(chain_walked=everything)
    async with opened_store(settings) as store:
        sites = [one.id for one in await store.sites() if site is None or one.id == site]
        if site is not None and not sites:
            found.differences.append(f"site {site}: there is none of this name; `seatwatch doctor` lists them")
        seen: set[str] = set()
        for name in sites:
            async with store.site(name, ACTOR) as tx:
                await _replay(tx, name, calls, everything, found, seen, step)
                if everything:
                    await _walk(tx, name, found)
                closed = everything and await months.closings(tx)
            if closed:
                await _months(store, await asyncio.to_thread(rules, settings, name), found, step)
        missing = [call for call in calls if call not in seen]
        found.differences += [f"{call}: no run of it is stored; name a scored call" for call in missing]
    return found


async def _replay(
    tx: Tx, site: str, calls: Sequence[str], everything: bool, found: Verified, seen: set[str], step: Step
) -> None:
    subjects = [None] if everything else [_subject(call) for call in calls]
    for subject in subjects:
        async for run in runs.every(tx, subject):
            seen.add(run.subject.partition(":")[2])
            seen.add(run.subject)
            await _one(tx, site, run, found)
            step(found.replayed, found.replayed, run.subject)


def _subject(call: str) -> str:
    return call if call.startswith(("call:", "away:")) else f"call:{call}"


async def _months(store: Store, site: SiteRules, found: Verified, step: Step) -> None:
    """Every closed month closed again from what its closing knew."""
    same, older, wrong = await replay_months(store, site, ACTOR, step)
    found.replayed += same
    for engine, count in older.items():
        release = RELEASES.get(engine, f"the release with engine {engine}")
        found.older[release] = found.older.get(release, 0) + count
    found.differences += [f"{site.id} {one}" for one in wrong]


async def _one(tx: Tx, site: str, run: runs.Run, found: Verified) -> None:
    if run.subject.startswith("month:"):
        return  # a month's cards rest on one another and are made again together
    if run.engine != ENGINE:
        release = RELEASES.get(run.engine, f"the release with engine {run.engine}")
        found.older[release] = found.older.get(release, 0) + 1
        return
    pack = await packs.get(tx, run.pack_sha)
    overlay = await packs.overlay(tx, run.overlay_sha)
    difference = replay(run, pack.body, overlay.body)
    found.replayed += 1
    if run.is_current and difference is None:
        difference = disagreement(run, await runs.entries(tx, run.subject))
    if difference:
        found.differences.append(f"{site} {run.subject} run {run.id}: {difference}")


def disagreement(run: runs.Run, entries: Sequence[runs.Entry]) -> str | None:
    """The score as the entries in force add up to it, beside the one that the card says."""
    standing = runs.in_force(entries)
    counted = sum((one.points for one in standing if one.counts), Decimal(0))
    if any(one.run != run.id for one in standing):
        return "entries of an earlier run are still in force"
    return None if counted == run.counted else f"its entries add up to {counted}, its card says {run.counted}"


async def _walk(tx: Tx, site: str, found: Verified) -> None:
    walk = await runs.walk_chain(tx)
    found.rows += walk.rows
    if walk.broken is not None:
        found.differences.append(f"{site} chain, row {walk.broken.seq}: {walk.broken.what}")
    found.differences += [f"{site} {subject}: its pointer contradicts its entries" for subject in walk.strayed]
