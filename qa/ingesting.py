"""One ingest process from the settings: its ports, protocols and switchboards, and a sink that may wait for its store.

Ingest listens before there is a database, and goes on while there is none: what comes stays in the spool meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ingest.errors import SinkAway
from ingest.shell.audiosocket_server import SocketLimits
from ingest.shell.faults import Faults
from ingest.shell.service import Ingest, IngestConfig
from ingest.sink import Sink, SpoolRow
from qa.connections import networks, sources
from qa.settings import Settings, SettingsError
from qa.tls import Certificates


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
    """The ports are open inside the block."""
    certificates = _certificates(settings)
    config = IngestConfig(
        folder=settings.spool / str(settings.ingest_port),  # senders come back to a port: to what is stored of them
        secret=settings.secret,
        sink=carrier,
        host=settings.host,
        http_port=settings.ingest_port,
        audiosocket_port=settings.audiosocket_port,
        tls=certificates.context if certificates else None,
        sources=sources(settings.sources, settings.source_key),
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
