"""A manager port on a real socket that says what a test wants: log-in, lists, events, silence, a cut. No calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ingest.ami import AmiParser, Block, challenge_key

USER, SECRET = "qa", "open sesame"
MEMBERS: list[Block] = [
    {"Event": "QueueMember", "Queue": "sales", "Name": "Ann", "Location": "PJSIP/1001", "Status": "1", "Paused": "0"},
]
LISTS = {
    "QueueStatus": "QueueStatusComplete",
    "CoreShowChannels": "CoreShowChannelsComplete",
    "DeviceStateList": "DeviceStateListComplete",
}


@dataclass
class Pbx:
    """What the port says, to be changed while it runs, and what it has heard."""

    lists: dict[str, list[Block]] = field(default_factory=lambda: {"QueueStatus": list(MEMBERS)})
    banner: bytes = b"Asterisk Call Manager/11.0.0\r\n"
    challenges: bool = True
    may: tuple[str, ...] = ("CoreShowChannels", "QueueStatus", "Ping")
    between: list[Block] = field(default_factory=list)  # news that comes in the middle of the lists
    denied: dict[str, str] = field(default_factory=dict)  # action -> message of the error
    clock: float = 1_795_300_000.25
    mute: bool = False
    heard: list[Block] = field(default_factory=list)
    wire: bytearray = field(default_factory=bytearray)
    port: int = 0
    logged_in: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def say(self, *blocks: Block) -> None:
        """Events, to everybody who is connected."""
        for writer in self._writers:
            writer.write(b"".join(_wire(block) for block in blocks))

    async def cut(self) -> None:
        """Close all connections, as a PBX that is restarted does."""
        writers, self._writers = self._writers, []
        for writer in writers:
            writer.transport.abort()

    async def until_asked(self, name: str, times: int = 1) -> None:
        async with asyncio.timeout(20), self.news:
            await self.news.wait_for(lambda: sum(one.get("Action") == name for one in self.heard) >= times)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = AmiParser()
        writer.write(self.banner)
        try:
            while data := await reader.read(65536):
                self.wire += data
                for block in parser.feed(data):
                    async with self.news:
                        self.heard.append(block)
                        self.news.notify_all()
                    if not self.mute:
                        self._answer(block, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    def _answer(self, block: Block, writer: asyncio.StreamWriter) -> None:
        name, ident = block["Action"], {"ActionID": block.get("ActionID", "")}
        if name in self.denied:
            writer.write(_wire({"Response": "Error", **ident, "Message": self.denied[name]}))
        elif name == "Challenge":
            ok = {"Response": "Success", "Challenge": "840415273"} if self.challenges else {"Response": "Error"}
            writer.write(_wire({**ok, **ident}))
        elif name == "Login":
            good = SECRET in block.get("Secret", "") or block.get("Key") == challenge_key("840415273", SECRET)
            good = good and block.get("Username") == USER
            writer.write(_wire({"Response": "Success" if good else "Error", **ident, "Message": "Authentication"}))
            if good:
                self.logged_in += 1
                self._writers.append(writer)
        elif name == "Ping":
            writer.write(_wire({"Response": "Success", **ident, "Ping": "Pong", "Timestamp": f"{self.clock:.6f}"}))
        elif name == "ListCommands":
            writer.write(_wire({"Response": "Success", **ident, **dict.fromkeys(self.may, "does it")}))
        elif name in LISTS:
            writer.write(_wire({"Response": "Success", **ident, "EventList": "start"}))
            writer.write(b"".join(_wire({**one, **ident}) for one in self.lists.get(name, [])))
            writer.write(b"".join(map(_wire, self.between)))
            writer.write(_wire({"Event": LISTS[name], **ident, "EventList": "Complete"}))


def _wire(block: Block) -> bytes:
    return "".join(f"{key}: {value}\r\n" for key, value in block.items()).encode() + b"\r\n"


@asynccontextmanager
async def manager_port() -> AsyncIterator[Pbx]:
    pbx = Pbx()
    server = await asyncio.start_server(pbx.serve, "127.0.0.1", 0)
    pbx.port = server.sockets[0].getsockname()[1]
    try:
        yield pbx
    finally:
        await pbx.cut()
        server.close()
        await server.wait_closed()
