"""The long-running parts of a site in one process, one or all, until a signal comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import uvloop

from qa.ingesting import Carrier, listening
from qa.logs import to_stderr
from qa.services import (
    Services,
    faults,
    model_folder,
    opened,
    start_carrying,
    start_folds,
    start_web,
    start_worker,
    until_stopped,
)
from qa.settings import Settings, load_settings
from qa.store.errors import StoreAway

PARTS = ("ingest", "worker", "web")
AGAIN_SECONDS = 2.0
Say = Callable[[str], None]


def run_parts(parts: Sequence[str], say: Say) -> int:
    """Run until stopped; a worker without a model is refused before anything starts."""
    settings = load_settings()
    to_stderr(settings.log_level)
    if "worker" in parts:
        from speech.whisper import check_folder

        check_folder(model_folder(settings.model))
    try:
        uvloop.run(_run(settings, parts, say))
    except asyncio.CancelledError:
        say("stopped before the database was there; what came in is kept")
    return 0


async def _run(settings: Settings, parts: Sequence[str], say: Say) -> None:
    """Ports first: a call that rings now is stored, whatever the database is doing."""
    task, loop, carrier = asyncio.current_task(), asyncio.get_running_loop(), Carrier()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)  # until the parts run and take the signals over
    async with AsyncExitStack() as ports:
        ingest = None
        if "ingest" in parts:
            ingest = await ports.enter_async_context(listening(settings, carrier, faults(settings)))
            say(f"listening: {settings.host}:{ingest.http_port}, AudioSocket {ingest.audiosocket_port}")
        async with _opened(settings, "worker" in parts, ingest is not None, say) as services, AsyncExitStack() as stack:
            stack.push_async_exit(ports.pop_all())  # let go of before the store that it carries to
            if ingest is not None:
                start_carrying(services, ingest, carrier)
                await start_folds(services, carrier.wake)
            await _start(services, stack, parts)
            for name, what in services.status.items():
                say(f"{name}: {what}")
            say("ready")
            await until_stopped(services)
            say("stopping")


@asynccontextmanager
async def _opened(settings: Settings, scores: bool, patient: bool, say: Say) -> AsyncIterator[Services]:
    """The site's services; where calls are taken in already, a database that is away is waited for."""
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


async def _start(services: Services, stack: AsyncExitStack, parts: Sequence[str]) -> None:
    if "worker" in parts:
        await start_worker(services, stack, model_folder(services.settings.model))
    if "web" in parts:
        await start_web(services, stack)
