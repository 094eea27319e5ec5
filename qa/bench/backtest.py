"""What-if over growing archives in a real database: how fast, and whether time and memory for a call stay the same.

It has no peer: no other product scores an archive again before a rule is published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qa.backtest.draft import Draft
from qa.backtest.run import PROCESSES, backtest
from qa.bench.archive import bench_rules, empty, grow
from qa.bench.rows import Row, alone, compared, missing
from qa.bench.scratch import scratch_folder
from qa.publishing import published
from qa.settings import load_settings
from qa.site import SiteRules
from qa.store.pool import Store
from scoring import overlay as overlays
from scoring.canonical import canonical
from scoring.load import load_lexicons
from scoring.overlay import Overlay, from_mapping

SIZES = {"backtest": (20_000, 200_000), "backtest-million": (200_000, 1_000_000)}
QUICK_SIZES = (400, 1_600)
RUNS, QUICK_RUNS = 3, 1
ONCE = frozenset(("backtest-million",))  # a quarter of an hour as it is
GOAL = 250_000 / 30  # a quarter of a million calls in half a minute
MATCH_GOAL = 2_000
ONE = {"BES-16.limit": "2"}
ALL = {f"BES-{rule}.points": "-2" for rule in ("08", "10", "13a", "14", "15", "16", "17")}


@dataclass(frozen=True, slots=True)
class Measured:
    """Subjects a second of each run, and the most memory that a process of it ever held, in MB."""

    rates: list[float]
    memory_mb: float
    rematched: list[float]


def rows(name: str, quick: bool) -> Iterator[Row]:
    """One clause changed, at two sizes and their growth; every clause changed; phrase lists changed."""
    small, large = QUICK_SIZES if quick else SIZES[name]
    runs = QUICK_RUNS if quick or name in ONCE else RUNS
    with scratch_folder() as folder:
        found = asyncio.run(_measure(folder, small, large, runs))
    first, last, whole, lists = found
    note = f"BES with one clause changed, {PROCESSES} processes, from stored facts; goal {GOAL:,.0f} a second"
    yield alone(f"{name}-{_size(small)}", "calls/s", first.rates, note)
    yield compared(
        f"{name}-{_size(large)}", "calls/s", last.rates, first.rates,
        note=f"{note}; beside {small:,} subjects: a ratio of 1 is time that grows with the archive and no faster",
    )  # fmt: skip
    held = f"most that a process held at {large:,} subjects, beside {small:,}"
    if first.memory_mb and last.memory_mb:
        yield compared(f"{name}-memory", "MB", [last.memory_mb], [first.memory_mb], note=held)
    else:
        yield missing(f"{name}-memory", "MB", f"not measured: too few subjects for processes; {held}")
    yield alone(f"{name}-all-rules", "calls/s", whole.rates, "every clause of BES changed, each call scored twice")
    yield alone(
        f"{name}-phrases", "calls/s", lists.rematched,
        f"looking for all phrases again in stored turns, by itself, on {PROCESSES} processes; goal {MATCH_GOAL:,}; "
        f"with reading and scoring {lists.rates[0]:,.0f}",
    )  # fmt: skip


async def _measure(folder: Path, small: int, large: int, runs: int) -> list[Measured]:
    """Grows one archive; the larger drafts are tried on the small one."""
    site = bench_rules()
    one, every = _overlaid(site, ONE), _overlaid(site, ALL)
    lists = Draft("lexicon", "all", None, "bench", canonical(list(load_lexicons())))
    found: list[Measured] = []
    async with empty(folder / "database") as store:
        await grow(store, site, 0, small)
        first = await _runs(store, site, folder, one, runs)
        whole = await _runs(store, site, folder, every, runs)
        matched = await _runs(store, site, folder, lists, runs)
        await grow(store, site, small, large)
        found += [first, await _runs(store, site, folder, one, runs), whole, matched]
    return found


def _overlaid(site: SiteRules, values: dict[str, str]) -> Draft:
    overlay: Overlay = from_mapping({**values, "trust": "all", "synthetic_ok": True})
    return Draft("overlay", "bench", None, overlay.sha, overlays.dump(overlay))


async def _runs(store: Store, site: SiteRules, folder: Path, draft: Draft, runs: int) -> Measured:
    settings = load_settings(data=folder / "data")
    held = await published(store, site, "bench")
    rates, rematched, memory = [], [], 0.0
    for _ in range(runs):
        result = await backtest(store, site, held, draft, settings=settings)
        rates.append(result.tally.subjects / result.seconds)
        memory = max(memory, result.tally.memory_mb)
        if result.tally.match_seconds:
            rematched.append(result.tally.rematched * result.processes / result.tally.match_seconds)
    return Measured(rates, memory, rematched)


def _size(count: int) -> str:
    return f"{count // 1_000_000}m" if count >= 1_000_000 else f"{count // 1000}k" if count >= 1000 else str(count)
