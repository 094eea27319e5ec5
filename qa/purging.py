"""`seatwatch purge`: recordings that are older than the site keeps them, or the whole demonstration site.

Of a call whose recording goes, transcript, facts and scores stay, and say that its audio is gone. Only the demo can be
taken away whole: what another site's ledger holds stands.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from qa.admin import actor_name
from qa.services import now, opened_store
from qa.settings import Settings, SettingsError, load_settings
from qa.site import DEMO
from qa.store import recordings
from qa.store.duty import Duty
from qa.store.errors import StoreError
from qa.store.pool import Store
from qa.store.recordings import Recording

Ask = Callable[[str], bool]
NOTHING_DONE = "nothing was taken away; look at it, then say it again with --yes"


@dataclass(frozen=True, slots=True)
class Purged:
    """Whether it was done, and what is to be said."""

    done: bool
    text: str


def purge(site: str | None, actor: str | None, ask: Ask) -> Purged:
    """Take away what the command names, once a person agrees."""
    settings = load_settings()
    if site is None:
        return asyncio.run(_older(settings, actor_name(actor), ask))
    if site != DEMO:
        raise SettingsError([f"--site {site}: only the site `{DEMO}` can be taken away; what others hold stands"])
    return asyncio.run(_demo(settings.model_copy(update={"site": DEMO}), actor_name(actor), ask))


# --- what is older than it is kept


async def _older(settings: Settings, actor: str, ask: Ask) -> Purged:
    if settings.retention_days is None:
        raise SettingsError(["retention_days: how long recordings are kept is not set; run `seatwatch init`"])
    since = now() - timedelta(days=settings.retention_days)
    async with opened_store(settings) as store:
        old = await older(store, settings.site, actor, since)
        told = f"{len(old)} recordings from before {since.astimezone(settings.zone).date()}, {_size(old)}"
        if not old:
            return Purged(True, f"nothing is older than {settings.retention_days} days")
        if not ask(f"{told}; transcripts and scores stay"):
            return Purged(False, NOTHING_DONE)
        for one in old:
            await _drop(store, settings, actor, one)
    return Purged(True, f"taken away: {told} (by {actor})")


async def older(store: Store, site: str, actor: str, since: datetime) -> list[Recording]:
    """Recordings of calls that began before an instant; where that is not known, that were made before it."""
    async with store.site(site, actor) as tx:
        found = await recordings.every(tx)
    return [one for one in found if (at := one.origin_at or one.made_at) is not None and at < since]


async def _drop(store: Store, settings: Settings, actor: str, one: Recording) -> None:
    """The file first: a row that names no file is found again, a file without a row is not."""
    assert one.id is not None
    await asyncio.to_thread((settings.recordings_folder / one.path).unlink, missing_ok=True)
    async with store.site(settings.site, actor) as tx:
        await recordings.drop(tx, one.id)


def _size(found: Iterable[Recording]) -> str:
    return f"{sum(one.size_bytes for one in found) / 1e6:.1f} MB"


# --- the demonstration


async def _demo(settings: Settings, actor: str, ask: Ask) -> Purged:
    async with opened_store(settings) as store:
        if DEMO not in {one.id for one in await store.sites()}:
            return Purged(True, "the demo site is not here")
        duty = Duty(store.dsn, DEMO, "folds")
        try:
            if not await duty.mine():
                raise StoreError("the demo is running; stop it first (Ctrl-C where it runs)")
            async with store.site(DEMO, actor) as tx:
                found = await recordings.every(tx)
            if not ask(f"the demo site with all its calls, scores and {len(found)} recordings ({_size(found)})"):
                return Purged(False, NOTHING_DONE)
            await store.remove_site(DEMO, actor)
            await asyncio.to_thread(_remove_files, settings, found)
        finally:
            duty.close()
    return Purged(True, f"taken away: the demo site and its {len(found)} recordings (by {actor})")


def _remove_files(settings: Settings, found: Iterable[Recording]) -> None:
    for one in found:
        path = settings.recordings_folder / one.path
        path.unlink(missing_ok=True)
        _remove_empty(path.parent, settings.recordings_folder)
    if settings.spool.is_dir():
        shutil.rmtree(settings.spool)


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
