"""What a process of the product runs once its ports are open: the store, and the parts asked for on top of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from ingest.shell.service import Ingest
from qa.ingesting import Carrier
from qa.intake.watch import start_watching
from qa.services import (
    Services,
    model_folder,
    opened,
    start_carrying,
    start_folds,
    start_handing_over,
    start_web,
    start_worker,
    until_stopped,
)
from qa.settings import Settings
from qa.store.errors import StoreAway

AGAIN_SECONDS = 2.0
Say = Callable[[str], None]


async def run(
    settings: Settings,
    parts: Sequence[str],
    ports: AsyncExitStack,
    ingest: Ingest | None,
    carrier: Carrier,
    say: Say,
) -> None:
    """Until stopped. *ports* holds an ingest that listens already; it is let go of before the store it carries to."""
    async with _store(settings, "worker" in parts, ingest is not None, say) as services, AsyncExitStack() as stack:
        stack.push_async_exit(ports.pop_all())
        if ingest is not None:
            start_carrying(services, ingest, carrier)
            await start_folds(services, carrier.wake)
            start_handing_over(services, ingest)
        if "worker" in parts:
            await start_worker(services, stack, model_folder(settings.model))
            if settings.watch is not None:
                start_watching(services, settings.watch)
        if "web" in parts:
            await start_web(services, stack)
        for name, what in services.status.items():
            say(f"{name}: {what}")
        say("ready")
        await until_stopped(services)
        say("stopping")


@asynccontextmanager
async def _store(settings: Settings, scores: bool, patient: bool, say: Say) -> AsyncIterator[Services]:
    """The site on its store; where calls are taken in already, a database that is away is waited for."""
    async with AsyncExitStack() as stack:
        while True:
            try:
                site = opened(settings, settings.site, settings.site, scores=scores)
                services = await stack.enter_async_context(site)
                break
            except StoreAway as error:
                if not patient:
                    raise
                say(f"database: {error}; what comes in is kept, trying again")
                await asyncio.sleep(AGAIN_SECONDS)
        yield services
