"""A TCP proxy that makes a network bad: latency, a standstill that nobody is told of, resets, connections cut short."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Self

READ_BYTES = 16 * 1024


class Proxy:
    """Between clients and one port of this machine. Everything may be changed while connections are open."""

    def __init__(self, port: int, latency_s: float = 0.0, cut_after: Callable[[], int] | None = None) -> None:
        self._port, self.latency_s, self.cut_after = port, latency_s, cut_after
        self._flows = asyncio.Event()
        self._flows.set()
        self._lines: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}
        self.port = self.connects = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def turn_to(self, port: int) -> None:
        """Whoever connects from now on gets there."""
        self._port = port

    def stand_still(self) -> None:
        """Nothing is read any more, nothing is closed: to both sides the other one just says nothing."""
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def reset(self) -> int:
        """RST on every connection, to both sides; how many there were."""
        lines = list(self._lines.values())
        for writers in lines:
            for writer in writers:
                _rst(writer)
        return len(lines)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connects += 1
        self._lines[task] = (writer,)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            self._lines[task] = (writer, back)
            most = self.cut_after() if self.cut_after else None
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, back, most))
                group.create_task(self._carry(there, writer, None))
        except* OSError:
            self.reset_one(task)
        finally:
            for one in self._lines.pop(task):
                one.close()

    def reset_one(self, task: asyncio.Task[None]) -> None:
        for writer in self._lines[task]:
            _rst(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> None:
        while True:
            await self._flows.wait()
            data = await reader.read(READ_BYTES)
            await self._flows.wait()
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            if most is not None and (most := most - len(data)) < 0:
                raise ConnectionResetError("cut, as it was asked for")
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()


def _rst(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.transport.is_closing():
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
