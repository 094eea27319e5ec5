"""Which pack scores on which day, and what runs in the shadow: published by a person, kept in the store.

What holds on a day is one timeline: the pack of the settings from ever, then what was published. A pack in the shadow
is scored beside it; what it would have found goes out as a notice, and no point comes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from qa.runs import new_run, pack_body, pack_of
from qa.site import SiteRules
from qa.store import ledger, outbox, packs, publications, runs
from qa.store.pool import Store, Tx
from qa.store.publications import Publication
from scoring.canonical import decimal_text
from scoring.engine import ENGINE, score
from scoring.errors import FactsError
from scoring.facts import Facts
from scoring.facts import load as load_facts
from scoring.pack import Pack
from scoring.scorecard import Scorecard

ALWAYS = date.min
BATCH = 200


@dataclass(frozen=True, slots=True)
class Published:
    """What scores from a day on, until the next one's day; ``by`` None: the settings say so."""

    since: date
    rules: SiteRules
    by: str | None = None


# --- what holds


async def published(store: Store, site: SiteRules, actor: str) -> tuple[Published, ...]:
    """The whole timeline of a site, the earliest first."""
    async with store.site(site.id, actor) as tx:
        return await timeline(tx, site)


async def timeline(tx: Tx, site: SiteRules) -> tuple[Published, ...]:
    """The same inside a transaction. Of two decisions for one day the later one holds."""
    told = [Published(since, replace(site, pack=pack), by) for since, pack, by in await published_packs(tx)]
    return (Published(ALWAYS, site), *told)


async def published_packs(tx: Tx) -> tuple[tuple[date, Pack, str], ...]:
    """What was published to score, by the day it starts on, and by whom."""
    by_day = {one.since: one for one in await publications.every(tx) if not one.shadow}
    return tuple([(since, await _pack(tx, one.sha), one.by) for since, one in sorted(by_day.items())])


async def holding(tx: Tx, site: SiteRules, day: date | None) -> SiteRules:
    """The rules of one day; without a day those that hold last."""
    held = await timeline(tx, site)
    return [one for one in held if day is None or one.since <= day][-1].rules


_packs: dict[str, Pack] = {}


async def _pack(tx: Tx, sha: str) -> Pack:
    """A published pack; read from the store once in a process."""
    if sha not in _packs:
        _packs[sha] = pack_of((await packs.get(tx, sha)).body)
    return _packs[sha]


# --- the shadow


async def shade(tx: Tx, site: SiteRules, facts: Facts, day: date | None, card: Scorecard) -> int:
    """What every pack in the shadow says of this subject otherwise, as a notice; how many spoke."""
    spoke = 0
    for one in publications.shadows(await publications.every(tx)):
        if day is not None and one.since > day:
            continue
        other = score(await _pack(tx, one.sha), site.overlay, facts, day)
        said = {"pack": one.id, "version": one.version, **_otherwise(card, other)}
        if said["gained"] or said["lost"]:
            await outbox.put(tx, "shadow", facts.subject, said)
            spoke += 1
    return spoke


def _otherwise(card: Scorecard, other: Scorecard) -> dict[str, Any]:
    """Findings of the one that the other lacks; points are said, and given to nobody."""

    def effects(one: Scorecard) -> dict[tuple[str, str], str]:
        return {(line.rule, line.event): decimal_text(line.points) for line in one.lines if line.takes_effect}

    old, new = effects(card), effects(other)
    return {
        "gained": [{"rule": key[0], "points": new[key]} for key in new if key not in old],
        "lost": [{"rule": key[0], "points": old[key]} for key in old if key not in new],
    }


# --- publishing


async def publish(
    store: Store, site: SiteRules, pack: Pack, since: date, actor: str, at: datetime, *, shadow: bool
) -> str:
    """Write the decision, and score again what is dated from that day on; what was done, in words."""
    async with store.site(site.id, actor) as tx:
        await publications.publish(
            tx, packs.Pack(pack.sha, pack.id, pack.version, pack_body(pack)), since, shadow=shadow, at=at
        )
    if shadow:
        return f"{pack.id} {pack.version} runs in the shadow from {since} on; it gives no points (by {actor})"
    return f"{pack.id} {pack.version} scores from {since} on (by {actor}){await rescored(store, site, since, actor)}"


async def promote(store: Store, site: SiteRules, id: str, since: date, actor: str, at: datetime) -> str:
    """A pack in the shadow begins to score."""
    async with store.site(site.id, actor) as tx:
        one = await publications.promote(tx, id, since, at=at)
    return f"{one.id} {one.version} scores from {since} on (by {actor}){await rescored(store, site, since, actor)}"


async def rescored(store: Store, site: SiteRules, since: date, actor: str) -> str:
    """Everything dated from that day on as new runs; a subject whose facts cannot be read keeps its run."""
    done, kept, after = 0, 0, 0
    while True:
        async with store.site(site.id, actor) as tx:
            rows = await publications.scored_since(tx, since, after, BATCH)
        if not rows:
            break
        after = rows[-1][0]
        for _, subject, _ in rows:
            async with store.site(site.id, actor) as tx:
                moved = await _again(tx, site, subject)
            done, kept = done + bool(moved), kept + (moved is None)
    told = f"; {done} calls and absences from that day on were scored again" if done else ""
    return told + (f"; {kept} could not be read and keep their score" if kept else "")


async def _again(tx: Tx, site: SiteRules, subject: str) -> bool | None:
    """One subject from its stored facts; None when those cannot be read."""
    await ledger.hold_subject(tx, subject)
    run = await runs.current(tx, subject)
    if run is None:
        return False
    held = await holding(tx, site, run.day)
    if (run.pack_sha, run.overlay_sha, run.engine) == (held.pack.sha, held.overlay.sha, ENGINE):
        return False
    try:
        facts = load_facts(run.facts)
    except FactsError:
        return None
    new, _ = new_run(held, facts, run.day)
    return (await ledger.record(tx, new)).moved


def listed(site: SiteRules, stands: Sequence[Publication]) -> list[dict[str, Any]]:
    """The timeline and the shadows for people and programs."""
    first = {"from": None, "pack": site.pack.id, "version": site.pack.version, "state": "scores", "by": "the settings"}
    active = {one.n for one in publications.shadows(tuple(stands))}

    def state(one: Publication) -> str:
        return "scores" if not one.shadow else "shadow" if one.n in active else "was in the shadow"

    rows = [
        {"from": one.since.isoformat(), "pack": one.id, "version": one.version, "state": state(one), "by": one.by}
        for one in stands
    ]
    return [first, *rows]


def listed_text(rows: Sequence[dict[str, Any]]) -> str:
    return "\n".join(
        f"{one['from'] or 'from ever':<12} {one['pack']:<6} {one['version']:<12} {one['state']:<18} by {one['by']}"
        for one in rows
    )
