"""The commands that publish: try the pack, show what it changes, ask, write. What they do stands in ``publishing``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from qa import packs as checking
from qa.admin import actor_name
from qa.backtest.draft import from_stored
from qa.backtest.run import Step, backtest
from qa.golden import tried
from qa.play import Refused, play
from qa.publishing import listed, promote, publish, published
from qa.runs import pack_body
from qa.scenario import Scenario, scenarios
from qa.services import Services, now, opened
from qa.settings import Settings, load_settings
from qa.site import SiteRules, rules
from qa.store import packs, publications
from qa.store.errors import NotFound
from scoring import overlay as overlays
from scoring.errors import PackError
from scoring.load import load_pack, read_yaml
from scoring.pack import Pack

OWN = "golden"  # folder inside a pack's folder: the scenarios that it brings along
NOTHING_DONE = "nothing was published; look at it, then say it again with --yes"
Ask = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Done:
    """Whether it was published, and what is to be said."""

    published: bool
    text: str


def publish_command(folder: Path, since: str, shadow: bool, actor: str | None, step: Step, ask: Ask) -> Done:
    """Refuses (PackError) what fails its own tests; without agreement nothing is written."""
    settings, day = load_settings(), _day(since)
    site = rules(settings)
    faults, own_tests = faults_of(folder, site)
    if faults:
        raise PackError([*faults, f"{folder}: not published; correct these first"])
    pack = load_pack(folder)
    body = packs.Pack(pack.sha, pack.id, pack.version, pack_body(pack))

    async def work(services: Services, who: str) -> Done:
        shown = await _effect(services, site, body, settings, step)
        if not ask(f"{own_tests}; no fault\n{shown}"):
            return Done(False, NOTHING_DONE)
        return Done(True, await publish(services.store, site, pack, day, who, now(), shadow=shadow))

    return _run(settings, site, actor, work)


def promote_command(id: str, since: str, actor: str | None, step: Step, ask: Ask) -> Done:
    """The pack in the shadow scores, after a look at what that changes."""
    settings, day = load_settings(), _day(since)
    site = rules(settings)

    async def work(services: Services, who: str) -> Done:
        async with services.store.site(site.id, who) as tx:
            found = [one for one in publications.shadows(await publications.every(tx)) if one.id == id]
            if not found:
                raise NotFound(f"pack {id}: none of this name runs in the shadow; `seatwatch packs list` shows them")
            body = await packs.get(tx, found[-1].sha)
        if not ask(await _effect(services, site, body, settings, step)):
            return Done(False, NOTHING_DONE)
        return Done(True, await promote(services.store, site, id, day, who, now()))

    return _run(settings, site, actor, work)


def list_command() -> list[dict[str, Any]]:
    settings = load_settings()
    site = rules(settings)

    async def work() -> list[dict[str, Any]]:
        async with (
            opened(settings, site.id, site.id, scores=False) as services,
            services.store.site(site.id, "packs") as tx,
        ):
            return listed(site, await publications.every(tx))

    return asyncio.run(work())


def faults_of(folder: Path, site: SiteRules) -> tuple[list[str], str]:
    """Why a pack's folder cannot be published, and what was tried: its form, the overlay's fit, its own scenarios."""
    report = checking.check(folder)
    faults = list(report.faults)
    if faults:
        return faults, ""
    pack = load_pack(folder)
    try:
        overlays.check(site.overlay, (pack,), only_known=False)
    except PackError as error:
        faults += error.faults
    own = _own(folder)
    for scenario in own:
        wrong = _wrong(scenario, pack)
        faults += wrong
    return faults, f"{len(own)} scenarios of its own" if own else "it brings no scenarios of its own"


def _own(folder: Path) -> list[Scenario]:
    return [one for path in sorted((folder / OWN).glob("*.yaml")) for one in scenarios(read_yaml(path))]


def _wrong(scenario: Scenario, pack: Pack) -> list[str]:
    """The lines that a failing scenario prints; none when it comes out as it says."""
    if scenario.faults:
        return [f"{scenario.id} {fault}" for fault in scenario.faults]
    try:
        failure = tried(scenario, play(scenario, drafts={pack.id: pack}))
    except (Refused, PackError) as refused:
        return [f"{scenario.id} {fault}" for fault in refused.faults]
    return [] if failure is None else failure.lines()


async def _effect(services: Services, site: SiteRules, body: packs.Pack, settings: Settings, step: Step) -> str:
    held = await published(services.store, site, "packs")
    return (await backtest(services.store, site, held, from_stored(body), settings=settings, step=step)).as_text()


def _run(settings: Settings, site: SiteRules, actor: str | None, work: Any) -> Done:
    async def whole() -> Done:
        async with opened(settings, site.id, site.id, scores=False) as services:
            done: Done = await work(services, actor_name(actor))
            return done

    return asyncio.run(whole())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PackError([f"--from {text}: not a day; write it like 2026-12-01"]) from None
