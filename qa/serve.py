"""The long-running parts of a site in one process, one or all, until a signal comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import uvloop

from qa.logs import to_stderr
from qa.services import (
    Services,
    model_folder,
    opened,
    start_folds,
    start_ingest,
    start_web,
    start_worker,
    until_stopped,
)
from qa.settings import Settings, load_settings

PARTS = ("ingest", "worker", "web")
Say = Callable[[str], None]


def run_parts(parts: Sequence[str], say: Say) -> int:
    """Run until stopped; a worker without a model is refused before anything starts."""
    settings = load_settings()
    to_stderr(settings.log_level)
    if "worker" in parts:
        from speech.whisper import check_folder

        check_folder(model_folder(settings.model))
    uvloop.run(_run(settings, parts, say))
    return 0


async def _run(settings: Settings, parts: Sequence[str], say: Say) -> None:
    site, scores = settings.site, "worker" in parts
    async with opened(settings, site, site, scores=scores) as services, AsyncExitStack() as stack:
        await start_parts(services, stack, parts)
        for name, what in services.status.items():
            say(f"{name}: {what}")
        say("ready")
        await until_stopped(services)
        say("stopping")


async def start_parts(services: Services, stack: AsyncExitStack, parts: Sequence[str]) -> None:
    """The parts asked for, on one store."""
    if "ingest" in parts:
        wake = asyncio.Event()
        await start_ingest(services, stack, wake)
        await start_folds(services, wake)
    if "worker" in parts:
        await start_worker(services, stack, model_folder(services.settings.model))
    if "web" in parts:
        await start_web(services, stack)
