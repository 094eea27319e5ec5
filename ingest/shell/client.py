"""Senders for our own ports: events over HTTP, audio over AudioSocket. The resumable one is in ``stream_client``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Self
from uuid import UUID

import aiohttp

from ingest.audiosocket import HANGUP, IDENT, KINDS, packet
from ingest.errors import ClientError, Refused
from ingest.shell.stream_client import Progress, StreamClient

EVENTS_TIMEOUT_S = 15.0
FRAME_MS = 20  # what a PBX sends at a time

__all__ = ["AudioSocketClient", "Progress", "StreamClient", "post_events"]


async def post_events(url: str, events: Sequence[Mapping[str, Any]], key: str | None = None) -> dict[str, Any]:
    """Send events to ``URL/events``; returns its answer after they are durable. ClientError when they are not."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = "\n".join(json.dumps(event, ensure_ascii=False) for event in events)
    timeout = aiohttp.ClientTimeout(total=EVENTS_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(f"{url.rstrip('/')}/events", data=body.encode(), headers=headers) as answer,
        ):
            told: dict[str, Any] = await answer.json(content_type=None)
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise ClientError(f"{url}/events: {error or 'no answer in time'}; is ingest running there?") from None
    if status == 200:
        return told
    raise (Refused if status < 500 else ClientError)(f"{url}/events: {status}: {told.get('error', told)}")


class AudioSocketClient:
    """One leg to the AudioSocket port, in packets of FRAME_MS. Pacing is the caller's; nothing is ever sent again."""

    def __init__(self, host: str, port: int, ident: UUID, rate: int = 8000) -> None:
        if rate not in KINDS:
            raise ClientError(f"rate {rate}: AudioSocket has no kind for it; resample to one of {sorted(KINDS)}")
        self._host, self._port, self._ident, self._rate = host, port, ident, rate
        self.sent = 0  # samples

    async def __aenter__(self) -> Self:
        try:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            raise ClientError(f"{self._host}:{self._port}: {error}; is ingest running there?") from None
        self._writer.write(packet(IDENT, self._ident.bytes))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError as error:
            raise ClientError(f"{self._host}:{self._port}: closed by the server ({error}); see its log") from None

    async def send(self, samples: bytes) -> None:
        """Signed 16-bit little-endian samples, mono."""
        size = self._rate * FRAME_MS // 1000 * 2
        for at in range(0, len(samples), size):
            self._writer.write(packet(KINDS[self._rate], samples[at : at + size]))
        self.sent += len(samples) // 2
        try:
            await self._writer.drain()
        except OSError as error:
            raise ClientError(f"{self._host}:{self._port}: closed by the server ({error}); see its log") from None

    async def hang_up(self) -> None:
        self._writer.write(packet(HANGUP))
        await self._writer.drain()
