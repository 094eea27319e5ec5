"""A backtest from its beginning or from where it was killed: the archive in stretches, each judged, all added up.

The archive is read in stretches, each is judged by the pure function that scores live, and what is kept is a sum.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from qa.backtest.checkpoint import Checkpoint
from qa.backtest.draft import Draft, read_draft, there
from qa.backtest.months import months
from qa.backtest.result import Against, Result
from qa.backtest.sides import Side
from qa.backtest.workers import ACTOR, Job, over
from qa.publishing import Published, published
from qa.services import opened
from qa.settings import Settings, load_settings
from qa.site import SiteRules, rules
from qa.store import facts
from qa.store.pool import Store
from scoring import overlay as overlays
from scoring.engine import ENGINE
from scoring.errors import PackError

STRETCH = 4_000  # rows of the chain that one process reads at a time
FEW = 3_000  # an archive that is through before a process has started
PROCESSES = 2
Step = Callable[[int, int, str], None]


def backtest_command(
    place: Path,
    first: str | None,
    last: str | None,
    step: Step,
    processes: int = PROCESSES,
    *,
    with_months: bool = False,
) -> Result:
    """The draft at this place over the archive of this installation's site."""
    settings = load_settings()
    days = _day("--from", first), _day("--to", last)
    there(place)  # a wrong path is said before a database is opened

    async def work() -> Result:
        site = rules(settings)
        async with opened(settings, site.id, site.id, scores=False) as services:
            held = await published(services.store, site, ACTOR)
            draft = read_draft(place, [one.rules.pack for one in held])
            found = await backtest(services.store, site, held, draft, *days, settings=settings, step=step,
                                   processes=processes)  # fmt: skip
            if not with_months:
                return found
            before = held[-1].rules
            after = Side(draft.pack() or before.pack, draft.overlay() or before.overlay)
            again = await months(services.store, before, after, *days, step)
            return replace(found, months=again)

    return asyncio.run(work())


def _day(name: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise PackError([f"{name} {text}: not a day; write it like 2026-03-01"]) from None


async def backtest(
    store: Store,
    site: SiteRules,
    held: tuple[Published, ...],
    draft: Draft,
    first: date | None = None,
    last: date | None = None,
    *,
    settings: Settings,
    step: Step | None = None,
    processes: int = PROCESSES,
) -> Result:
    """Judge the whole archive of those days; goes on where an earlier one was killed."""
    began = time.monotonic()
    after = draft.pack()
    if draft.kind == "pack" and after is not None:
        overlays.check(site.overlay, (after,), only_known=False)
    sides = tuple((one.since, Side(one.rules.pack, one.rules.overlay)) for one in held)
    job = Job(store.dsn, site.id, sides, draft, after, draft.overlay(), first, last)
    point = Checkpoint(settings.data / "backtest", _name(job))
    async with store.site(site.id, ACTOR) as tx:
        whole = await facts.archive(tx, first, last)
    if point.last is None:
        point.last = whole.last
    start = max(0, whole.first - 1) // STRETCH * STRETCH  # the same borders when it goes on
    stretches = [(at, min(at + STRETCH, point.last)) for at in range(start, point.last, STRETCH)]
    todo = [one for one in stretches if one not in point.done]
    processes = 0 if whole.subjects <= FEW else max(0, processes)
    async for stretch, part in over(store, job, todo, processes):
        point.add(stretch, part)
        if step is not None:
            step(point.tally.subjects, whole.subjects, "calls and absences")
    point.drop()
    against = tuple(Against(one.since, one.rules.pack) for one in held)
    seconds = time.monotonic() - began
    return Result(draft.told(), against, after, first, last, point.tally, seconds, processes or 1, point.resumed)


def _name(job: Job) -> dict[str, object]:
    """What names a backtest: the same again goes on, anything else begins anew."""
    held = [[since.isoformat(), side.pack.sha, side.overlay.sha] for since, side in job.held]
    days = [one.isoformat() if one else None for one in (job.first, job.last)]
    return {"engine": ENGINE, "site": job.site, "draft": job.draft.sha, "held": held, "days": days, "stretch": STRETCH}
