"""Port 9093: POST /events, WebSocket /stream, GET /healthz. Reads bodies and keys; others decide what they mean."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from ingest.body import BODY_BYTES, split_body
from ingest.errors import BodyError, SpoolError
from ingest.events import posted
from ingest.origin import is_loopback, refusal
from ingest.pace import FACTOR, Bucket
from ingest.shell.core import LOG, Core
from ingest.shell.door import DOOR, Door
from ingest.shell.stream_socket import StreamSocket
from ingest.shell.streams import Streams
from ingest.shell.way import problem
from ingest.sources import Source, Sources, fault, inside, key_in

BODY_S = 10.0
KEEPALIVE_S = 5.0
HANDSHAKE_S = 5.0  # of TLS
BACKLOG = 128
HANDSHAKE = ("Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version")
CLIENT_GONE = 499  # nobody is there to read it
RETRY_AFTER_S = 1
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Way(Protocol):
    """One more protocol on this port. The server has looked at origin, key and address before ``serve`` is called;
    a way that checks its senders itself (signatures) says so, and is handed no source."""

    path: str  # "/pcm"; without the slash it is the word in a source's ways
    checks_itself: bool

    @property
    def open(self) -> int:
        """Legs that are open now."""
        ...

    async def serve(self, request: web.Request, source: Source | None) -> web.StreamResponse: ...

    async def go_away(self) -> None:
        """The process stops: clients are told, legs end with the cause «shutdown»."""
        ...


class Server:
    """The routes of one ingest process."""

    def __init__(
        self,
        core: Core,
        streams: Streams,
        sources: Sources,
        ways: Sequence[Way] = (),
        tls: ssl.SSLContext | None = None,
        shared: bool = False,
    ) -> None:
        self._core, self._streams, self._sources, self._ways = core, streams, sources, ways
        self._tls, self._shared = tls, shared
        self._sockets: set[StreamSocket] = set()
        self._door = Door(core)
        self._runner: web.AppRunner | None = None
        self._port: asyncio.Server | None = None
        self._paces: dict[str, Bucket] = {}
        self._local = False

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        self._local = is_loopback(host) and self._sources.keyless
        app = web.Application(client_max_size=BODY_BYTES + 1, middlewares=[self._programs_only])
        app[DOOR] = self._door
        app.router.add_post("/events", self._events)
        app.router.add_get("/stream", self._stream)
        app.router.add_get("/healthz", self._health)
        for way in self._ways:
            app.router.add_get(way.path, self._by(way))
        self._runner = web.AppRunner(
            app, access_log=None, logger=self._log(), keepalive_timeout=KEEPALIVE_S, shutdown_timeout=2.0
        )
        await self._runner.setup()
        assert self._runner.server is not None
        self._port = await asyncio.get_running_loop().create_server(
            self._door.guarding(self._runner.server), host, port, reuse_address=True, reuse_port=self._shared or None,
            ssl=self._tls, ssl_handshake_timeout=HANDSHAKE_S if self._tls else None, backlog=BACKLOG,
        )  # fmt: skip
        chosen: int = self._port.sockets[0].getsockname()[1]
        return chosen

    async def stop(self) -> None:
        """Send every client to the next process, then close the port."""
        leaving = [socket.go_away() for socket in self._sockets] + [way.go_away() for way in self._ways]
        await asyncio.gather(*leaving)
        if self._port is not None:
            self._port.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _log(self) -> logging.Logger:
        """For what the HTTP library says: bytes that are no request are refused, no defect with a traceback."""

        def ours(record: logging.LogRecord) -> bool:
            error = record.exc_info[1] if record.exc_info else None
            if isinstance(error, HttpProcessingError):
                what = error.message.partition(":")[0]  # behind it stand bytes of the request: a key may be among them
                self._core.refuse("http", f"{record.getMessage()}: {what}")
            return not isinstance(error, HttpProcessingError)

        log = logging.Logger("seatwatch.ingest.http")  # of this server alone
        log.parent = LOG
        log.addFilter(ours)
        return log

    @web.middleware
    async def _programs_only(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = refusal(request.headers, self._local)
        if name := next((name for name in HANDSHAKE if not request.headers.get(name, "").isascii()), None):
            refused = (400, f"{name}: must be ASCII")  # the library's own look at a handshake would fall over it
        if refused is None:
            try:
                return await handler(request)
            except ConnectionError as error:  # gone before it was answered, which is no defect of ours
                LOG.info("%s: connection lost: %s", request.path, error)
                return web.Response(status=CLIENT_GONE)
        self._core.refuse("origin", f"from {request.remote}: {refused[1]}")
        return problem(*refused)

    async def _events(self, request: web.Request) -> web.Response:
        source = self._source(request, "events")
        self._door.vouch(request)
        try:
            async with asyncio.timeout(BODY_S):
                values = [posted(value) for value in split_body(await request.read())]
            if wait_s := self._too_many(source, len(values)):
                return problem(429, "events: more than this source may send; wait", {"Retry-After": str(wait_s)})
            whose = (source.writes, source.calls) if source else (None, "")
            taken = await self._core.take_events(values, *whose)
        except TimeoutError:
            return problem(408, f"body: not complete within {BODY_S:.0f} s; send it in one go")
        except web.HTTPRequestEntityTooLarge:
            return problem(413, f"body: more than {BODY_BYTES} bytes; send fewer events in one request")
        except BodyError as error:
            self._core.counts["body refused"] += 1
            return problem(error.status, str(error))
        except SpoolError as error:
            return problem(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        return web.json_response(taken.to_json())

    def _too_many(self, source: Source | None, count: int) -> int:
        """Whole seconds until this source may send again, 0 while it keeps to its rate."""
        if source is None:
            return 0
        pace = self._paces.setdefault(source.name, Bucket(source.events_per_second / FACTOR))
        over_s = pace.wait_s(count, self._core.mono())
        if over_s > 0:
            pace.level -= count  # nothing of it is taken
            self._core.refuse("events", f"source {source.name!r} sends more than {source.events_per_second} a second")
        return math.ceil(over_s)

    def _source(self, request: web.Request, way: str) -> Source | None:
        """Who sends; None for any program of this machine, where nobody was given a key."""
        if self._sources.keyless:
            return None
        source = self._sources.by_key(key_in(request.headers))
        if source is None:
            self._core.refuse("key", f"from {request.remote}")
            raise web.HTTPUnauthorized(
                text='{"error": "Authorization: no key that is known here; send the source\'s key as a bearer token"}',
                content_type="application/json",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if why := fault(source, way, request.remote):
            self._core.refuse("source", why)
            raise web.HTTPForbidden(text=json.dumps({"error": why}), content_type="application/json")
        return source

    def _streamer(self, request: web.Request) -> Source | None:
        """Who streams. A leg's token is proof enough, from where some source may stream; a key beside it says who."""
        if self._sources.keyless or "Authorization" in request.headers:
            return self._source(request, "stream")
        if not any(inside(one.networks, request.remote) for one in self._sources.with_way("stream")):
            why = f"stream: no source may stream from {request.remote}; see its ways and networks"
            self._core.refuse("source", why)
            raise web.HTTPForbidden(text=json.dumps({"error": why}), content_type="application/json")
        return None

    def _by(self, way: Way) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            source = None if way.checks_itself else self._source(request, way.path.strip("/"))
            return await way.serve(request, source)

        return handle

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        source = self._streamer(request)
        mine = sum(one.source is source for one in self._sockets)
        if source is not None and mine >= source.legs:
            why = f"source {source.name!r}: has {source.legs} legs open, which is its limit"
            self._core.refuse("stream", why)
            raise web.HTTPServiceUnavailable(text=json.dumps({"error": why}), content_type="application/json")
        socket = StreamSocket(self._core, self._streams, source, self._sources.names, self._door.vouch)
        self._sockets.add(socket)
        try:
            return await socket.serve(request)
        finally:
            self._sockets.discard(socket)

    async def _health(self, request: web.Request) -> web.Response:
        spool = self._core.spool
        told: dict[str, Any] = {
            "status": "ok" if spool.state == "ok" else "failing",
            "spool": spool.state,
            "queue": round(spool.fill, 3),
            "commits": spool.commits,
            "slowest_commit_ms": round(max(spool.commit_s.copy(), default=0) * 1000),
            "streams": self._streams.open,
            **{way.path.strip("/"): way.open for way in self._ways},
            "counts": dict(sorted(self._core.counts.items())),
        }
        return web.json_response(told, status=200 if spool.state == "ok" else 503)
