"""Starts ingest for tests, in this process or in one that can be killed, and makes audio that tells its own place."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest import spool
from ingest.shell.service import Ingest, IngestConfig
from ingest.shell.stream_client import StreamClient
from ingest.sink import SpoolRow
from ingest.stream import Hello
from ingest.tokens import stream_token
from tests.ingest.values import SECRET

WAIT_S = 20.0
ROOT = Path(__file__).resolve().parents[2]


def tone(samples: int, first: int = 0) -> bytes:
    """16-bit samples, each of which says where it stands."""
    return b"".join((at * 7919 % 65536).to_bytes(2, "little") for at in range(first, first + samples))


def later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


def hello(call: str = "c1", leg: str = "agent", epoch: int = 1, **own: Any) -> Hello:
    token = own.pop("token", None) or stream_token(SECRET, call, leg, leg, later())
    return Hello(call, leg, leg, 8000, "slin", epoch, token, datetime.now(UTC), **own)


def client(url: str, greeting: Hello, **own: Any) -> StreamClient:
    return StreamClient(url, greeting, jitter=lambda most: 0.02, **own)


@asynccontextmanager
async def running(folder: Path, **own: Any) -> AsyncIterator[Ingest]:
    """Ingest in this process, on free ports."""
    async with Ingest(IngestConfig(folder, SECRET, http_port=0, audiosocket_port=0, **own)) as ingest:
        yield ingest


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection that the other side may have closed before."""
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        return


async def tick() -> None:
    """Between two looks at a condition that another process or thread makes true."""
    try:
        async with asyncio.timeout(0.02):
            await asyncio.Event().wait()
    except TimeoutError:
        return


def stored_events(folder: Path) -> list[dict[str, Any]]:
    """All events in the spool under *folder*, in the order in which they were stored."""
    rows: list[SpoolRow] = []
    for path in spool.all_files(folder):
        reader = spool.Reader(path)
        rows += reader.after(0)[1]
        reader.close()
    return [json.loads(row.payload) for row in rows if row.kind == "event"]


def url(ingest: Ingest) -> str:
    return f"http://127.0.0.1:{ingest.http_port}"


@dataclass
class Process:
    """Ingest in a process of its own."""

    child: asyncio.subprocess.Process
    http: int
    audio: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    async def killed(self) -> str:
        """Waits for its end; what it said about it."""
        _, told = await asyncio.wait_for(self.child.communicate(), WAIT_S)
        return told.decode()

    async def stop(self) -> int:
        """End it as its owner would; its exit status."""
        assert self.child.stdin is not None
        self.child.stdin.close()
        await asyncio.wait_for(self.child.communicate(), WAIT_S)
        assert self.child.returncode is not None
        return self.child.returncode


async def start(
    folder: Path, fault: str = "", ports: tuple[int, int] = (0, 0), rotate_bytes: int = 1 << 28,
    beside: Path | None = None, **env: str,
) -> Process:  # fmt: skip
    """*beside*: it shares its ports with others, whose folders lie there."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.ingest.process", str(folder), SECRET.decode(), json.dumps(ports), fault,
        str(rotate_bytes), str(beside or ""), stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **env}, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    line = await asyncio.wait_for(child.stdout.readline(), WAIT_S)
    if not line:
        raise AssertionError((await child.communicate())[1].decode())
    return Process(child, *json.loads(line))
