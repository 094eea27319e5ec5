"""The long-running parts of a site in one process, one or all, until a signal comes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from importlib import import_module

import uvloop

from ingest.origin import check_bind
from qa.connections import sources
from qa.faults import faults
from qa.ingesting import Carrier, listening
from qa.logs import to_stderr
from qa.private import keep_private
from qa.settings import Settings, SettingsError, load_settings

PARTS = ("ingest", "worker", "web")
Say = Callable[[str], None]


def run_parts(parts: Sequence[str], say: Say) -> int:
    """Run until stopped. What cannot work is refused before anything is opened: an address that others reach, recording
    without an announcement, a worker without a model."""
    settings = load_settings()
    to_stderr(settings.log_level)
    keep_private()
    check_addresses(settings, parts)
    if "ingest" in parts and (lacking := settings.lacking_to_record):
        raise SettingsError([*lacking, "`seatwatch serve web` shows the same set-up as a page, /setup"])
    if "ingest" in parts and (lacking := settings.lacking_to_share):
        raise SettingsError(lacking)
    if "worker" in parts:
        from qa.services import model_folder
        from speech.whisper import check_folder

        check_folder(model_folder(settings.model))
    try:
        uvloop.run(_run(settings, parts, say))
    except asyncio.CancelledError:
        say("stopped before the database was there; what came in is kept")
    return 0


def check_addresses(settings: Settings, parts: Sequence[str]) -> None:
    """Refuse those that other machines reach where nobody has to show who they are."""
    if "ingest" in parts:
        check_bind(settings.host, keyless=sources(settings.sources, settings.source_key).keyless)
    if "web" in parts:
        from qa.web import guard

        guard.check_bind(settings.web_host)


async def _run(settings: Settings, parts: Sequence[str], say: Say) -> None:
    """Ports first: a call that rings now is stored, whatever the rest of the product is still reading."""
    task, loop, carrier = asyncio.current_task(), asyncio.get_running_loop(), Carrier()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)  # until the parts run and take the signals over
    async with AsyncExitStack() as ports:
        ingest = None
        if "ingest" in parts:
            ingest = await ports.enter_async_context(listening(settings, carrier, faults(settings)))
            say(f"listening: {settings.host}:{ingest.http_port}, AudioSocket {ingest.audiosocket_port}")
        rest = await asyncio.to_thread(import_module, "qa.parts")
        await rest.run(settings, parts, ports, ingest, carrier, say)
