"""A call centre for tests: real ingest sockets on free ports, a real spool, a real store, folds by a clock in hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from ingest.rows import Row, body, micros
from ingest.shell.client import AudioSocketClient, StreamClient, post_events
from ingest.shell.service import Ingest
from ingest.shell.writer import SpoolLimits
from ingest.stream import Hello
from ingest.tokens import audiosocket_uuid, stream_token
from qa.fold import Folder, Step
from qa.jobs import Worker
from qa.settings import Settings
from qa.site import SiteRules, rules
from qa.store import calls, queue, recordings, runs, spools
from qa.store.pool import Store
from qa.store.sink import PostgresSink
from speech.audio import decode
from speech.pool import Limits, Recogniser
from tests.ingest.lab import later, running, url
from tests.ingest.values import SECRET, T0, raw
from tests.postgres import SITE
from tests.speech.values import CALL

ZONE = ZoneInfo("Asia/Shanghai")
SPOKEN = decode(CALL)  # customer on channel 0, agent on channel 1
TALK_S = SPOKEN.duration_ms / 1000


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def voice(role: str) -> bytes:
    """What one party says, as 16-bit samples at 8 kHz."""
    return SPOKEN.pcm[("customer", "agent").index(role)].astype("<i2").tobytes()


def hum(ms: int, value: int = 1000) -> bytes:
    """A stretch of one value: not silence, and easy to find again."""
    return np.full(ms * 8, value, "<i2").tobytes()


def settings(folder: Path, **own: Any) -> Settings:
    return Settings(data=folder, **own)


async def _no_step(_: str) -> None:
    """Nobody watches the steps."""


@dataclass(slots=True)
class Floor:
    """One site. ``clock`` is what the folds take for now; tests move it."""

    store: Store
    ingest: Ingest
    home: Path
    folder: Folder
    clock: list[datetime]

    async def tell(self, *events: dict[str, Any]) -> None:
        """Post events, and have them carried to the store."""
        answer = await post_events(url(self.ingest), events)
        assert answer["refused"] == [], answer
        await self.ingest.flush()

    async def stream(self, call: str, leg: str, pcm: bytes, begins: float, role: str = "") -> None:
        """One whole leg over /stream."""
        greeting = Hello(call, leg, role or leg, 8000, "slin", 1, self.token(call, leg, role or leg), at(begins), "pbx")
        async with StreamClient(url(self.ingest), greeting) as client:
            await client.send(pcm)
            await client.finish()
        await self.ingest.flush()

    def token(self, call: str, leg: str, role: str) -> str:
        return stream_token(SECRET, call, leg, role, later())

    async def audiosocket(self, ident: UUID, pcm: bytes, call: str = "c1") -> None:
        """One whole leg over AudioSocket; returns when its end is in the store, under its call or its UUID."""
        async with AudioSocketClient("127.0.0.1", self.ingest.audiosocket_port, ident) as client:
            await client.send(pcm)
            await client.hang_up()
        async with asyncio.timeout(20):
            while not await _ended(self.store, {call, str(ident)}):
                await self.ingest.flush()

    def uuid(self, call: str, leg: str, role: str) -> UUID:
        return audiosocket_uuid(SECRET, call, leg, role, later())

    async def turn(self, later_s: float = 0) -> int:
        """The folds once more, some seconds later."""
        self.clock[0] += timedelta(seconds=later_s)
        return await self.folder.turn()

    def again(self) -> Folder:
        """The folds of a process that was started anew."""
        return Folder(self.store, SITE, ZONE, self.home / "spool", self.home / "recordings", lambda: self.clock[0])

    async def call(self, name: str = "c1") -> calls.Call:
        async with self.store.site(SITE, "test") as tx:
            return await calls.get(tx, name)

    async def kept(self, name: str = "c1") -> list[recordings.Recording]:
        async with self.store.site(SITE, "test") as tx:
            return await recordings.of_call(tx, name)

    async def jobs(self) -> dict[str, int]:
        async with self.store.site(SITE, "test") as tx:
            return await queue.waiting(tx)

    async def runs(self, subject: str) -> list[runs.Run]:
        async with self.store.site(SITE, "test") as tx:
            return [run async for run in runs.every(tx, subject)]

    async def current(self, subject: str) -> runs.Run:
        async with self.store.site(SITE, "test") as tx:
            run = await runs.current(tx, subject)
        assert run is not None
        return run

    @property
    def files(self) -> list[str]:
        """What lies in the folder of recordings."""
        return sorted(path.name for path in (self.home / "recordings").rglob("*") if path.is_file())

    def worker(self, listening: Recogniser | None, step: Step = _no_step, **own: Any) -> Worker:
        found = self.rules()
        return Worker(self.store, lambda _: found, listening, self.home / "recordings", step=step, **own)

    def rules(self, site: str = SITE) -> SiteRules:
        return rules(settings(self.home), site)

    def spooled(self, call: str, role: str, pcm: bytes, begins: float, leg: str = "") -> None:
        """One whole leg straight to the writer of the spool: a socket would keep it to the pace of speech."""
        start = {"role": role, "rate": 8000, "encoding": "slin", "at": at(begins).isoformat(), "epoch": 1}
        end = {"samples": len(pcm) // 2, "cause": "end"}
        row = Row("start", "pbx", call, leg or role, micros(at(begins)), body(start), epoch=1)
        sound = replace(row, kind="audio", payload=pcm, seq=1, samples=len(pcm) // 2)
        over = replace(row, kind="end", payload=body(end), seq=1, sample=len(pcm) // 2)
        self.ingest.core.store([row, sound, over])

    async def spoken_call(self, name: str = "c1", **told: Any) -> None:
        """A call that rings for five seconds, is answered, holds both parties' words, and is over and assembled."""
        legs = {role: self.token(name, role, role) for role in ("customer", "agent")}
        own = {"call": name, "seat": "s1", "agent": "A01"}
        await self.tell(
            raw("offered", 0, id=f"{name}-1", direction="in", **own, **told),
            raw("ringing", 0, id=f"{name}-2", **own),
            raw("answered", 5, id=f"{name}-3", **own),
            *(raw("leg", 5, id=f"{name}-{role}", call=name, leg=role, role=role, audio={"stream": token})
              for role, token in legs.items()),
        )  # fmt: skip
        for role in legs:
            self.spooled(name, role, voice(role), 5)
        await self.tell(raw("ended", 5 + TALK_S, id=f"{name}-9", call=name, by="customer"))
        await self.turn()


async def _ended(store: Store, names: set[str]) -> bool:
    """Whether the end of an AudioSocket leg is in the store."""
    async with store.site(SITE, "test") as tx:
        marks = [mark for name in names for mark in await spools.marks(tx, name)]
    return any(mark.kind == "end" and mark.source == "audiosocket" for mark in marks)


@asynccontextmanager
async def floor(store: Store, home: Path, rotate_bytes: int = 1 << 28, **own: Any) -> AsyncIterator[Floor]:
    """A site with its sockets open; the folds turn when the test says so."""
    clock = [at(3600)]
    async with AsyncExitStack() as stack:
        ingest = await stack.enter_async_context(
            running(
                home / "spool" / "0",
                sink=PostgresSink(store, SITE),
                spool=SpoolLimits(rotate_bytes=rotate_bytes),
                now=lambda: at(5),
                **own,
            )
        )
        folder = Folder(store, SITE, ZONE, home / "spool", home / "recordings", lambda: clock[0])
        yield Floor(store, ingest, home, folder, clock)


def hearing(make: Any) -> Recogniser:
    """A real recogniser's child process around an engine that says what a script tells."""
    return Recogniser(make, Limits(threads=1))
