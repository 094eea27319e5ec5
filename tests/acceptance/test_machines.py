"""Two machines, each `seatwatch serve ingest` with a data folder of its own, on one PostgreSQL and one shared folder.

A call has parts on both, a client moves in mid-call, one machine is killed, then the one that holds the folds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from ingest.shell.client import StreamClient
from ingest.spool import all_files, contents
from ingest.stream import Hello
from ingest.tokens import stream_token
from qa.store.postgres import Embedded
from speech.audio import decode
from tests.acceptance.house import House, Part, eventually
from tests.acceptance.talk import PIECE, RATE, later, voice, whole
from tests.ingest.proxy import Proxy

KEY = b"one key for all machines of this site"
PACE_S = PIECE / RATE


@dataclass(slots=True)
class Machine(House):
    """One of several; ``shared`` is where all of them see the same."""

    shared: Path = Path()
    serving: list[Part] = field(default_factory=list)

    @property
    def secret(self) -> bytes:
        return KEY

    def env(self, fault: str = "") -> dict[str, str]:
        return super(Machine, self).env(fault) | {
            "SEATWATCH_HANDOVER": str(self.shared / "handover"), "SEATWATCH_MACHINE": self.home.name,
            "SEATWATCH_RECORDINGS": str(self.shared / "recordings"), "SEATWATCH_TOKEN_KEY": str(self.shared / "key"),
        }  # fmt: skip

    async def serve(self) -> None:
        self.serving.append(await self.start("ingest"))

    async def kill(self) -> None:
        self.serving[-1].kill()
        await self.serving[-1].child.wait()

    @property
    def log(self) -> str:
        return self.serving[-1].said()


@dataclass(slots=True)
class Talk:
    """One party's leg at real pace, to whatever stands behind the proxy."""

    call: str
    role: str
    proxy: Proxy
    answered: datetime
    said: int = 0

    @property
    def first(self) -> int:
        return sum(self.call.encode()) * 7919 + len(self.role) * 40009

    @asynccontextmanager
    async def line(self) -> AsyncIterator[StreamClient]:
        token = stream_token(KEY, self.call, self.role, self.role, later())
        hello = Hello(self.call, self.role, self.role, RATE, "slin", 1, token, self.answered, "pbx")
        async with StreamClient(self.proxy.url, hello, jitter=lambda most: 0.1) as client:
            yield client

    async def speak(self, client: StreamClient, seconds: float) -> None:
        for _ in range(round(seconds / PACE_S)):
            await client.send(voice(PIECE, self.first + self.said))
            self.said += PIECE
            await asyncio.sleep(PACE_S)
        await client.durable()

    @property
    def sound(self) -> bytes:
        return voice(self.said, self.first)


@dataclass(slots=True)
class Pair:
    a: Machine
    b: Machine
    behind_a: Proxy
    behind_b: Proxy

    def talks(self, call: str) -> tuple[Talk, Talk]:
        """The customer on a, the agent on b."""
        now = datetime.now(UTC)
        return Talk(call, "customer", self.behind_a, now), Talk(call, "agent", self.behind_b, now)

    async def rings(self, to: Machine, talk: Talk) -> None:
        at, who = talk.answered.isoformat(), {"seat": "s1", "agent": "A01"}
        base = {"source": "pbx", "at": at, "call": talk.call}
        await to.tell(
            {**base, "id": f"{talk.call}-o", "type": "offered", "direction": "in", **who},
            {**base, "id": f"{talk.call}-a", "type": "answered", **who},
            *({**base, "id": f"{talk.call}-{role}", "type": "leg", "leg": role, "role": role}
              for role in ("customer", "agent")),
        )  # fmt: skip

    async def hangs_up(self, to: Machine, talk: Talk) -> None:
        """When this party has said its last word, whenever that is told."""
        at, call = (talk.answered + timedelta(seconds=talk.said / RATE)).isoformat(), talk.call
        await to.tell({"source": "pbx", "id": f"{call}-e", "at": at, "type": "ended", "call": call, "by": "customer"})

    async def state(self, call: str) -> str | None:
        found: str | None = await self.b.one("SELECT state FROM call WHERE id = $1", call)
        return found

    async def recorded(self, *talks: Talk, causes: set[str] | None = None) -> None:
        """Each party's words are on its channel, in one piece, and nothing is missing."""
        call = talks[0].call

        async def look() -> bool:
            return await self.state(call) == "recorded" and all([await self._heard(talk) for talk in talks])

        await eventually(look, f"{call} recorded whole; a: {self.a.log[-3000:]} b: {self.b.log[-3000:]}")
        found = await self.b.ask("SELECT gaps FROM recording WHERE call = $1 ORDER BY made_at DESC LIMIT 1", call)
        assert {gap["cause"] for gap in json.loads(found[0]["gaps"])} <= (causes or set())

    async def _heard(self, talk: Talk) -> bool:
        path = await self.b.one("SELECT path FROM recording WHERE call = $1 ORDER BY made_at DESC LIMIT 1", talk.call)
        if path is None:
            return False
        pcm = decode(self.b.shared / "recordings" / path).pcm[("customer", "agent").index(talk.role)]
        return whole(pcm.astype("<i2").tobytes(), talk.sound) and int(np.count_nonzero(pcm)) <= len(talk.sound) // 2

    async def empty(self) -> None:
        """Nothing lies about: what was assembled has gone, in the shared folder and on both machines."""

        async def look() -> bool:
            places = (self.a.shared / "handover", self.a.spool, self.b.spool)
            return not [path for place in places for path in all_files(place) if contents(path).legs]

        await eventually(look, f"spool files have gone; a: {self.a.log[-2000:]} b: {self.b.log[-2000:]}")


@asynccontextmanager
async def pair(folder: Path, cluster: Embedded, dsn: str) -> AsyncIterator[Pair]:
    for name in ("shared/handover", "shared/recordings", "a", "b"):
        (folder / name).mkdir(parents=True)
    shared = folder / "shared"
    (shared / "key").write_bytes(KEY)
    admin = cluster.url("postgres", urlsplit(dsn).path.lstrip("/"))
    a, b = [Machine(folder / name, admin, url=dsn, shared=shared) for name in "ab"]
    try:
        await a.serve()
        await b.serve()
        async with Proxy(a.ports[0]) as one, Proxy(b.ports[0]) as other:
            yield Pair(a, b, one, other)
    finally:
        for machine in (a, b):
            await machine.close()


@pytest.mark.slow
async def test_calls_on_two_machines_are_whole_whatever_becomes_of_either(
    tmp_path: Path, cluster: Embedded, dsn: str
) -> None:
    async with pair(tmp_path, cluster, dsn) as site:
        await _a_call_on_both(site)
        await _a_client_that_moves(site)
        await _a_machine_killed(site)
        await _the_folds_killed(site)
        await site.empty()
        for machine in (site.a, site.b):
            assert "differ" not in machine.log and "handover.waits" not in machine.log


async def _a_call_on_both(site: Pair) -> None:
    customer, agent = site.talks("both")
    await site.rings(site.b, customer)
    async with customer.line() as one, agent.line() as other:
        await asyncio.gather(customer.speak(one, 2), agent.speak(other, 2))
        await asyncio.gather(one.finish(), other.finish())
    await site.hangs_up(site.b, customer)
    await site.recorded(customer, agent)


async def _a_client_that_moves(site: Pair) -> None:
    """From a to b, which knows nothing of it; a waits for it to come back, and ends its part."""
    customer, _ = site.talks("moves")
    await site.rings(site.a, customer)
    async with customer.line() as client:
        await customer.speak(client, 2)
        site.behind_a.turn_to(site.b.ports[0])
        site.behind_a.reset()
        await customer.speak(client, 2)
        await client.finish()
        assert client.progress.connects == 2
    site.behind_a.turn_to(site.a.ports[0])
    await site.hangs_up(site.b, customer)
    await site.recorded(customer, causes={"no_leg"})  # of the agent


async def _a_machine_killed(site: Pair) -> None:
    """b dies while the agent talks, and the call ends without it; what b had comes later."""
    customer, agent = site.talks("killed")
    await site.rings(site.a, customer)
    async with customer.line() as one, agent.line() as other:
        await asyncio.gather(customer.speak(one, 2), agent.speak(other, 2))
        await site.b.kill()
        await one.finish()
        await site.hangs_up(site.a, customer)

        async def over() -> bool:
            return await site.state("killed") == "ended"

        await eventually(over, "that the call is over, and waits")
        assert await site.a.one("SELECT count(*) FROM recording WHERE call = 'killed'") == 0
        await site.b.serve()
        await agent.speak(other, 1)
        await other.finish()
    await site.recorded(customer, agent, causes={"end"})  # of the party that fell silent a second earlier


async def _the_folds_killed(site: Pair) -> None:
    """a holds them; b takes them over, and assembles what a gives out when it is back."""
    customer, agent = site.talks("folds")
    await site.rings(site.b, customer)
    async with customer.line() as one, agent.line() as other:
        await asyncio.gather(customer.speak(one, 2), agent.speak(other, 2))
        await site.a.kill()
        await other.finish()
        await site.hangs_up(site.b, customer)

        async def over() -> bool:
            return await site.state("folds") == "ended"

        await eventually(over, "that b folds")
        await site.a.serve()
        await customer.speak(one, 1)
        await one.finish()
    await site.recorded(customer, agent, causes={"end"})  # of the party that fell silent a second earlier
    assert "call.assembled" in site.b.log and "call.assembled" not in site.a.log
