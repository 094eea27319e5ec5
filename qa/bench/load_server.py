"""The two servers of the load bench, each in a process of its own: ingest whole, or one that only reads the frames.

``python -m qa.bench.load_server ours|bare FOLDER SECRET`` says its ports, then its figures at each line of input.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from aiohttp import WSMsgType, web

from ingest.audiosocket import HEAD_BYTES
from ingest.shell.pcm_socket import PcmWay
from ingest.shell.service import Ingest, IngestConfig

LOOK_S = 0.01


@dataclass(slots=True)
class Stalls:
    """How long this loop let others wait, looked at every 10 ms."""

    worst_s: float = 0.0
    seen: list[float] = field(default_factory=list)

    async def watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            await asyncio.sleep(LOOK_S)
            self.seen.append(clock() - began - LOOK_S)

    def taken(self) -> float:
        worst, self.seen = max(self.seen, default=0.0), []
        return worst


class Bare:
    """Reads the frames of all three kinds, and nothing else."""

    def __init__(self) -> None:
        self.frames = 0

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(protocols=("media",), compress=False, max_msg_size=1 << 17)
        await ws.prepare(request)
        async for message in ws:
            self.frames += message.type is WSMsgType.BINARY
        return ws

    async def audiosocket(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(HEAD_BYTES)
                await reader.readexactly(int.from_bytes(head[1:]))
                self.frames += head[0] >= 0x10
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def _bare(stack: AsyncExitStack) -> tuple[int, int]:
    bare, app = Bare(), web.Application()
    for path in ("/stream", "/pcm"):
        app.router.add_get(path, bare.socket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = await asyncio.start_server(bare.audiosocket, "127.0.0.1", 0)
    stack.callback(server.close)
    return int(runner.addresses[0][1]), int(server.sockets[0].getsockname()[1])


async def _ours(stack: AsyncExitStack, folder: Path, secret: bytes) -> tuple[int, int]:
    config = IngestConfig(folder, secret, http_port=0, audiosocket_port=0, ways=(PcmWay,))
    ingest = await stack.enter_async_context(Ingest(config))
    return ingest.http_port, ingest.audiosocket_port


async def _serve(kind: str, folder: str, secret: str) -> None:
    async with AsyncExitStack() as stack:
        ports = await (_bare(stack) if kind == "bare" else _ours(stack, Path(folder), secret.encode()))
        stalls = Stalls()
        watching = asyncio.create_task(stalls.watch())
        stack.callback(watching.cancel)
        _say(ports)
        loop = asyncio.get_running_loop()
        while await loop.run_in_executor(None, sys.stdin.readline):
            used = resource.getrusage(resource.RUSAGE_SELF)
            _say({"cpu_s": used.ru_utime + used.ru_stime, "rss_mib": _rss_mib(), "stall_s": stalls.taken()})


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main(args: Sequence[str]) -> None:
    uvloop.run(_serve(*args))


if __name__ == "__main__":
    main(sys.argv[1:])
