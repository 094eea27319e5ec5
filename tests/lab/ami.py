"""The switchboard's own news, read plainly: what a test compares ours with, and what tells it when to go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tests.lab.asterisk import AMI, AMI_SECRET, AMI_USER

Block = dict[str, str]


class Ami:
    """One log-in; every event since then is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.events: list[Block] = []
        self._news = asyncio.Condition()

    async def read(self) -> None:
        block: Block = {}
        while line := (await self._reader.readline()).decode(errors="replace"):
            if line.strip():
                name, _, value = line.partition(":")
                block[name.strip()] = value.strip()
                continue
            async with self._news:
                self.events.append(block)
                self._news.notify_all()
            block = {}

    async def ask(self, action: str, **fields: str) -> None:
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        self._writer.write("\r\n".join(lines).encode())
        await self._writer.drain()

    async def until(self, fits: Callable[[Block], bool], seconds: float = 30) -> Block:
        """The first event that fits, also an earlier one."""
        async with asyncio.timeout(seconds), self._news:
            while True:
                found = next((event for event in self.events if fits(event)), None)
                if found is not None:
                    return found
                await self._news.wait()

    async def rings(self, seat: str = "1001") -> Block:
        """The seat's phone began to ring: Uniqueid is its leg, Linkedid the call and the customer's leg."""
        return await self.until(
            lambda event: (
                event.get("Event") == "Newstate"
                and event.get("ChannelStateDesc") == "Ringing"
                and event.get("Channel", "").startswith(f"PJSIP/seat{seat}-")
            )
        )


@asynccontextmanager
async def listening(user: str = AMI_USER, secret: str = AMI_SECRET) -> AsyncIterator[Ami]:
    reader, writer = await asyncio.open_connection("127.0.0.1", AMI)
    await reader.readline()
    ami = Ami(reader, writer)
    reading = asyncio.create_task(ami.read())
    await ami.ask("Login", Username=user, Secret=secret)
    await ami.until(lambda event: event.get("Response") == "Success")
    try:
        yield ami
    finally:
        reading.cancel()
        writer.close()
        await asyncio.gather(reading, writer.wait_closed(), return_exceptions=True)
