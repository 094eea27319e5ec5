"""An installation in processes of its own that a test may kill, and questions to its database. It judges nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from ingest.errors import ClientError, Refused
from ingest.shell.client import post_events
from qa.settings import Settings
from qa.store import pidfile
from qa.store.errors import DRIVER
from qa.store.postgres import Embedded
from tests.ingest.lab import tick

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 120.0
T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], what: str, limit_s: float = LIMIT_S) -> T:
    """The first answer that is something; an assertion with what was waited for when none comes."""
    try:
        async with asyncio.timeout(limit_s):
            while not (found := await look()):
                await tick()
    except TimeoutError:
        raise AssertionError(f"after {limit_s:.0f} s not: {what}") from None
    return found


def free_ports(count: int) -> list[int]:
    """Ports that nobody has now, all different."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            one = stack.enter_context(socket.socket())
            one.bind(("127.0.0.1", 0))
            found.append(int(one.getsockname()[1]))
    return found


@dataclass(slots=True)
class Part:
    """One `seatwatch serve` process."""

    child: asyncio.subprocess.Process
    log: Path
    died_at: float = 0.0  # when it last said something, by the clock of this loop

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def ready(self) -> None:
        async def look() -> bool:
            return "\nready\n" in f"\n{self.said()}" or self.child.returncode is not None

        await eventually(look, f"ready: {self.said()}")

    async def end(self, limit_s: float = LIMIT_S) -> int:
        """Waits until it has ended by itself; its exit status."""
        try:
            status = await asyncio.wait_for(self.child.wait(), limit_s)
        except TimeoutError:
            raise AssertionError(f"still runs after {limit_s:.0f} s: {self.said()[-3000:]}") from None
        silent_s = time.time() - self.log.stat().st_mtime  # its last word came just before the end
        self.died_at = asyncio.get_running_loop().time() - silent_s
        return status

    async def killed(self, point: str) -> None:
        """It has ended itself by SIGKILL at that point and at no other."""
        status = await self.end()
        assert (status, f"fault: killed at {point}" in self.said()) == (-signal.SIGKILL, True), self.said()[-3000:]

    async def stop(self) -> None:
        """End it as its owner would."""
        if self.child.returncode is None:
            self.child.terminate()
        status = await self.end()
        assert status == 0, self.said()[-3000:]

    def kill(self) -> None:
        if self.child.returncode is None:
            self.child.kill()


@dataclass(slots=True)
class House:
    """The data folder, its ports, and every process that was started on it."""

    home: Path
    admin: str  # a superuser's way into the database: no wall between sites there
    url: str | None = None  # an external server; absent = the embedded one
    server: Embedded | None = None
    ports: list[int] = field(default_factory=lambda: free_ports(2))
    parts: list[Part] = field(default_factory=list)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def secret(self) -> bytes:
        return Settings(data=self.home).secret

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    def env(self, fault: str = "") -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("SEATWATCH_")}
        own |= {
            "SEATWATCH_DATA": str(self.home), "SEATWATCH_MODEL": "fixture", "SEATWATCH_KEEP_FLAC": "true",
            "SEATWATCH_INGEST_PORT": str(self.ports[0]), "SEATWATCH_AUDIOSOCKET_PORT": str(self.ports[1]),
            "SEATWATCH_FAULT": fault, "SEATWATCH_ANNOUNCEMENT": "tests", "SEATWATCH_RETENTION_DAYS": "1",
        }  # fmt: skip
        return own | ({"SEATWATCH_DATABASE_URL": self.url} if self.url else {})

    async def start(self, part: str, fault: str = "") -> Part:
        """One process more, once it is ready (or has ended at its fault)."""
        log = self.home / "logs" / f"{len(self.parts):03d}-{part}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "qa.cli", "serve", part,
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env=self.env(fault), cwd=ROOT,
            )  # fmt: skip
        self.parts.append(one := Part(child, log))
        await one.ready()
        assert fault or child.returncode is None, one.said()[-3000:]
        return one

    async def close(self) -> None:
        for part in self.parts:
            part.kill()
            await part.child.wait()

    async def command(self, *args: str) -> tuple[int, str, str]:
        """One short command of the product: exit status, what it printed, what it complained about."""
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qa.cli", *args, stdout=pipe, stderr=pipe, env=self.env(), cwd=ROOT
        )
        out, errors = await asyncio.wait_for(child.communicate(), LIMIT_S)
        assert child.returncode is not None
        return child.returncode, out.decode(), errors.decode()

    async def tell(self, *events: dict[str, Any]) -> None:
        """Post events until they are durable, as a telephone system does: the same ones again after no answer."""

        async def post() -> dict[str, Any] | None:
            try:
                return await post_events(self.http, events)
            except Refused:
                raise
            except ClientError:
                return None

        answer = await eventually(post, f"events at {self.http}")
        assert answer["refused"] == [], answer
        assert answer["accepted"] + answer["duplicates"] == len(events)

    async def ask(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Rows of one query; waits while the database is away."""

        async def fetch() -> list[list[dict[str, Any]]]:
            try:
                conn = await asyncpg.connect(self.admin, timeout=10)
            except DRIVER:
                return []
            try:
                return [[dict(row) for row in await conn.fetch(sql, *values)]]
            except DRIVER:
                return []
            finally:
                conn.terminate()

        (rows,) = await eventually(fetch, f"answered: {sql}")
        return rows

    async def one(self, sql: str, *values: object) -> Any:
        """The first column of the first row."""
        rows = await self.ask(sql, *values)
        return next(iter(rows[0].values())) if rows else None

    async def scored(self, call: str, runs: int = 1) -> None:
        """Waits until a call is scored so many times and nothing of it is on its way."""

        async def look() -> bool:
            state = await self.one("SELECT state FROM call WHERE id = $1", call)
            found: int = await self.one("SELECT count(*) FROM run WHERE subject = $1", f"call:{call}")
            busy: int = await self.one(
                "SELECT (SELECT count(*) FROM due WHERE id = $1) + (SELECT count(*) FROM pgqueuer WHERE status <> "
                "'failed' AND convert_from(payload, 'UTF8')::json ->> 'call' = $1)", call,
            )  # fmt: skip
            return state == "scored" and found >= runs and busy == 0

        await eventually(look, f"{call} scored {runs} times")

    async def kill_postgres(self) -> int:
        """The server and every process it has, at once; how many were killed."""
        assert self.server is not None
        note = pidfile.read(self.server.folder)
        assert note is not None
        doomed = [note.pid, *children(note.pid)]
        for pid in doomed:
            _kill(pid)
        return len(doomed)

    async def verified(self) -> dict[str, Any]:
        status, out, errors = await self.command("verify", "--all", "--json")
        report: dict[str, Any] = json.loads(out)
        assert (status, report["clean"], report["differences"]) == (0, True, []), (report, errors)
        return report


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def children(parent: int) -> list[int]:
    """Processes whose parent this is."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(told[1]) == parent:
            found.append(int(path.parent.name))
    return found
