"""One ingest process from the settings: its ports, protocols and switchboards, and a sink that may wait for its store.

Ingest listens before there is a database, and goes on while there is none: what comes stays in the spool meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from ingest.errors import SinkAway, SpoolLocked
from ingest.shell.audiosocket_server import SocketLimits
from ingest.shell.faults import Faults
from ingest.shell.service import Ingest, IngestConfig
from ingest.shell.writer import SpoolLimits
from ingest.sink import Sink, SpoolRow
from qa.adapters import parts, ways
from qa.connections import networks, sources
from qa.handover import ROTATE_SECONDS
from qa.settings import Settings, SettingsError
from qa.tls import Certificates

MOST_PROCESSES = 16  # on one machine


class Carrier:
    """The sink of one process: away until ``to`` names one; ``wake`` rings after each batch, for the folds."""

    def __init__(self) -> None:
        self.wake = asyncio.Event()
        self._sink: Sink | None = None

    def to(self, sink: Sink) -> None:
        self._sink = sink

    async def cursor(self, spool_id: str) -> int:
        return await self._there().cursor(spool_id)

    async def take(self, spool_id: str, upto: int, rows: Sequence[SpoolRow]) -> None:
        await self._there().take(spool_id, upto, rows)
        self.wake.set()

    def _there(self) -> Sink:
        if self._sink is None:
            raise SinkAway("database: is not open yet; what comes is kept in the spool")
        return self._sink


@asynccontextmanager
async def listening(settings: Settings, carrier: Carrier, faults: Faults) -> AsyncIterator[Ingest]:
    """The ports are open inside the block. Where processes share them, each takes the first spool that is free."""
    async with AsyncExitStack() as stack:
        yield await _first_free(settings, carrier, faults, stack)


async def _first_free(settings: Settings, carrier: Carrier, faults: Faults, stack: AsyncExitStack) -> Ingest:
    last = MOST_PROCESSES if settings.ingest_share else 1
    for place in range(1, last):
        with suppress(SpoolLocked):
            return await stack.enter_async_context(_one(settings, carrier, faults, place))
    return await stack.enter_async_context(_one(settings, carrier, faults, last))


@asynccontextmanager
async def _one(settings: Settings, carrier: Carrier, faults: Faults, place: int) -> AsyncIterator[Ingest]:
    certificates = _certificates(settings)
    port = str(settings.ingest_port)  # senders come back to a port: to what is stored of them
    config = IngestConfig(
        folder=settings.spool / (port if place == 1 else f"{port}.{place}"),
        beside=settings.spool if settings.ingest_share else None,
        secret=settings.secret,
        sink=carrier,
        host=settings.host,
        http_port=settings.ingest_port,
        audiosocket_port=settings.audiosocket_port,
        ways=ways(settings),
        parts=parts(settings) if place == 1 else (),
        tls=certificates.context if certificates else None,
        sources=sources(settings.sources, settings.source_key),
        spool=SpoolLimits() if settings.shared_spool is None else SpoolLimits(rotate_seconds=ROTATE_SECONDS),
        sockets=SocketLimits(networks=networks(settings.audiosocket_networks)),
        faults=faults,
    )
    async with Ingest(config) as ingest, _watched(certificates):
        yield ingest


@asynccontextmanager
async def _watched(certificates: Certificates | None) -> AsyncIterator[None]:
    task = asyncio.create_task(certificates.watch(), name="certificate") if certificates else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _certificates(settings: Settings) -> Certificates | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    try:
        return Certificates(settings.tls_cert, settings.tls_key)
    except ValueError as error:
        raise SettingsError([f"tls_cert: {error}"]) from error
