"""From two sockets to the board: a line whose audio runs and carries no voice raises an alarm, and a voice ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from ingest.shell.client import AudioSocketClient, StreamClient
from ingest.stream import Hello
from qa.settings import Settings
from qa.store.pool import Store
from qa.web.app import make_app
from tests.ingest.lab import tick, url
from tests.ingest.values import raw
from tests.qa.lab import Floor, at, floor, hum
from tests.web.conftest import Running
from tests.web.test_calls import got

FASTER = 25  # the clock that paces senders runs so many times as fast here
CHUNK_S = 4
SEAT = {"seat": "s1", "agent": "A01"}
PATIENCE_S = 20


@dataclass(slots=True)
class Line:
    """Both parties' audio of one call, at the pace of that clock."""

    site: Floor
    agent: AudioSocketClient
    customer: StreamClient
    sent_s: float = 0.0

    async def play(self, seconds: int, value: int) -> None:
        """Both legs carry one value, up and down; what they reported meanwhile is in the store."""
        mono = self.site.ingest.core.mono
        for _ in range(0, seconds, CHUNK_S):
            pcm = hum(CHUNK_S * 500, value) + hum(CHUNK_S * 500, -value)
            await self.agent.send(pcm)
            await self.customer.send(pcm)
            due = mono() + CHUNK_S
            while mono() < due:
                await tick()
        await self.site.ingest.flush()


@pytest_asyncio.fixture
async def line(store: Store, tmp_path: Path) -> AsyncIterator[Line]:
    async with floor(store, tmp_path) as site:
        began = monotonic()
        site.ingest.core.mono = lambda: began + (monotonic() - began) * FASTER
        ident, token = site.uuid("c1", "agent", "agent"), site.token("c1", "customer", "customer")
        audio = {"agent": {"audiosocket": str(ident)}, "customer": {"stream": token}}
        await site.tell(
            raw("offered", 0, id="1", direction="in", **SEAT), raw("ringing", 1, id="2", **SEAT),
            raw("answered", 4, id="3", **SEAT),
            *(raw("leg", 4, id=role, leg=role, role=role, audio=way) for role, way in audio.items()),
        )  # fmt: skip
        await site.turn()
        greeting = Hello("c1", "customer", "customer", 8000, "slin", 1, token, at(5), "pbx")
        async with (
            AudioSocketClient("127.0.0.1", site.ingest.audiosocket_port, ident) as agent,
            StreamClient(url(site.ingest), greeting) as customer,
        ):
            yield Line(site, agent, customer)


async def alarms(client: TestClient[Any, Any], *wanted: str) -> list[str]:
    """The kinds of the board's alarms, once they are these."""
    async with asyncio.timeout(PATIENCE_S):
        while (kinds := [one["kind"] for one in (await got(client, "/board"))["alarms"]]) != list(wanted):
            await tick()
    return kinds


async def test_a_line_without_voice_is_an_alarm_until_somebody_speaks(line: Line) -> None:
    settings = Settings(data=line.site.home, alarm_silent_seconds=10)
    services = Running(settings, line.site.store, line.site.home / "recordings")
    async with TestClient(TestServer(make_app(services))) as client:
        await line.play(CHUNK_S, 30)
        await line.site.turn()
        assert await alarms(client) == []  # nothing is reported yet: nothing is known

        await line.play(3 * CHUNK_S, 30)
        await alarms(client, "silent")
        (found,) = (await got(client, "/board"))["alarms"]
        assert (found["seat"], found["call"]) == ("s1", "c1")

        await line.site.tell(raw("held", 30, id="h", **SEAT))
        await line.site.turn()
        assert await alarms(client) == []
        await line.site.tell(raw("resumed", 31, id="r", **SEAT))
        await line.site.turn()
        await alarms(client, "silent")

        await line.play(6 * CHUNK_S, 9000)
        assert await alarms(client) == []
