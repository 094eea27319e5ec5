"""A switchboard's REST interface as Asterisk 22 answers it, on a real port, with media that really dials us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web

from ingest.shell.client import AudioSocketClient
from tests.ingest.lab import tick, tone

FRAMES = 5  # of 20 ms that a media channel sends once it is joined


@dataclass
class Switchboard:
    """Its channels and bridges; ``deaf`` and ``failing`` make it behave as on a bad day."""

    channels: set[str] = field(default_factory=set)
    bridges: set[str] = field(default_factory=set)
    failing: dict[str, int] = field(default_factory=dict)  # part of a path -> requests that end with 500
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    media: dict[str, AudioSocketClient] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    logins: int = 0
    url: str = ""

    async def until(self, holds: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await tick()

    def ours(self) -> set[str]:
        return {name for name in self.channels | self.bridges if name.startswith("seatwatch-")}

    async def hang_up(self, channel: str) -> None:
        """The call ends: its snoop goes with it, nothing else does."""
        self.channels.discard(channel)
        for name in sorted(self.channels):
            if name.startswith("seatwatch-snoop-"):
                await self.gone(name)

    async def gone(self, name: str) -> None:
        self.channels.discard(name)
        if client := self.media.pop(name, None):
            await client.__aexit__()
        await self._tell("StasisEnd", name)

    async def _tell(self, kind: str, name: str) -> None:
        for ws in self.sockets:
            if not ws.closed:
                await ws.send_json({"type": kind, "application": "seatwatch", "channel": {"id": name, "state": "Up"}})

    async def _came(self, name: str) -> web.Response:
        self.channels.add(name)
        await self._tell("StasisStart", name)
        return web.json_response({"id": name})

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        self.logins += 1
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.sockets.append(ws)
        async for _ in ws:
            continue
        return ws

    async def snoop(self, request: web.Request) -> web.Response:
        if request.match_info["channel"] not in self.channels:
            return web.json_response({"message": "Channel not found"}, status=404)
        assert request.query["spy"] == "in"
        return await self._came(request.query["snoopId"])

    async def external(self, request: web.Request) -> web.Response:
        told = request.query
        assert (told["encapsulation"], told["transport"], told["format"]) == ("audiosocket", "tcp", "slin")
        host, _, port = told["external_host"].rpartition(":")
        client = AudioSocketClient(host, int(port), UUID(told["data"]))
        self.media[told["channelId"]] = await client.__aenter__()
        return await self._came(told["channelId"])

    async def bridge(self, request: web.Request) -> web.Response:
        self.bridges.add(request.query["bridgeId"])
        return web.json_response({"id": request.query["bridgeId"]})

    async def join(self, request: web.Request) -> web.Response:
        names = request.query["channel"].split(",")
        if not self.channels.issuperset(names) or request.match_info["bridge"] not in self.bridges:
            return web.json_response({"message": "Channel not in a Stasis application"}, status=422)
        await self.media[names[1]].send(tone(160 * FRAMES))
        return web.Response(status=204)

    async def variable(self, request: web.Request) -> web.Response:
        assert (request.query["variable"], request.query["value"]) == ("CDR_PROP(disable)", "1")
        return web.Response(status=204 if request.match_info["channel"] in self.channels else 404)

    async def delete(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name in self.bridges:
            self.bridges.discard(name)
        elif name in self.channels:
            await self.gone(name)
        else:
            return web.json_response({"message": "not found"}, status=404)
        return web.Response(status=204)

    async def info(self, request: web.Request) -> web.Response:
        return web.json_response({"system": {"version": "22.0.0"}})

    async def listing(self, request: web.Request) -> web.Response:
        names = self.channels if request.path.endswith("channels") else self.bridges
        return web.json_response([{"id": name} for name in sorted(names)])


@asynccontextmanager
async def switchboard(port: int = 0, **own: Any) -> AsyncIterator[Switchboard]:
    board = Switchboard(**own)

    @web.middleware
    async def gate(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != aiohttp.encode_basic_auth("taps", "right"):
            return web.json_response({"message": "Authentication required"}, status=401)
        board.asked.append(f"{request.method} {request.path}")
        for part, left in board.failing.items():
            if part in request.path and left:
                board.failing[part] -= 1
                return web.json_response({"message": "Internal Server Error"}, status=500)
        answer: web.StreamResponse = await handler(request)
        return answer

    app = web.Application(middlewares=[gate])
    app.router.add_get("/ari/events", board.events)
    app.router.add_get("/ari/asterisk/info", board.info)
    app.router.add_get("/ari/channels", board.listing)
    app.router.add_get("/ari/bridges", board.listing)
    app.router.add_post("/ari/channels/externalMedia", board.external)
    app.router.add_post("/ari/channels/{channel}/snoop", board.snoop)
    app.router.add_post("/ari/channels/{channel}/variable", board.variable)
    app.router.add_post("/ari/bridges", board.bridge)
    app.router.add_post("/ari/bridges/{bridge}/addChannel", board.join)
    app.router.add_delete("/ari/channels/{name}", board.delete)
    app.router.add_delete("/ari/bridges/{name}", board.delete)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    board.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield board
    finally:
        for name in list(board.media):
            await board.media.pop(name).__aexit__()
        await runner.cleanup()
