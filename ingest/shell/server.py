"""Port 9093: POST /events, WebSocket /stream, GET /healthz. Reads bodies and keys; others decide what they mean."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from ingest.body import BODY_BYTES, split_body
from ingest.errors import BodyError, SpoolError
from ingest.origin import is_loopback, refusal
from ingest.shell.core import Core
from ingest.shell.stream_socket import StreamSocket
from ingest.shell.streams import Streams

BODY_S = 10.0
KEEPALIVE_S = 5.0
RETRY_AFTER_S = 1
ANY_SOURCE = "*"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """The routes of one ingest process."""

    def __init__(self, core: Core, streams: Streams, api_keys: Mapping[str, str | None]) -> None:
        self._core, self._streams, self._keys = core, streams, api_keys
        self._sockets: set[StreamSocket] = set()
        self._runner: web.AppRunner | None = None
        self._local = False

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port."""
        self._local = is_loopback(host) and not self._keys
        app = web.Application(client_max_size=BODY_BYTES + 1, middlewares=[self._programs_only])
        app.router.add_post("/events", self._events)
        app.router.add_get("/stream", self._stream)
        app.router.add_get("/healthz", self._health)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEPALIVE_S, shutdown_timeout=2.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, reuse_address=True).start()
        chosen: int = self._runner.addresses[0][1]
        return chosen

    async def stop(self) -> None:
        """Send every client to the next process, then close the port."""
        await asyncio.gather(*(socket.go_away() for socket in self._sockets))
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _programs_only(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = refusal(request.headers, self._local)
        if refused is None:
            return await handler(request)
        self._core.refuse("origin", f"from {request.remote}: {refused[1]}")
        return _problem(*refused)

    async def _events(self, request: web.Request) -> web.Response:
        source = self._source(request)
        try:
            async with asyncio.timeout(BODY_S):
                values = split_body(await request.read())
            taken = await self._core.take_events(values, source)
        except TimeoutError:
            return _problem(408, f"body: not complete within {BODY_S:.0f} s; send it in one go")
        except web.HTTPRequestEntityTooLarge:
            return _problem(413, f"body: more than {BODY_BYTES} bytes; send fewer events in one request")
        except BodyError as error:
            self._core.counts["body refused"] += 1
            return _problem(error.status, str(error))
        except SpoolError as error:
            return _problem(503, str(error), {"Retry-After": str(RETRY_AFTER_S)})
        return web.json_response(taken.to_json())

    def _source(self, request: web.Request) -> str | None:
        """The only source that this sender's key may write; None for any."""
        if not self._keys:
            return None
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
        found = [source for key, source in self._keys.items() if hmac.compare_digest(key.encode(), given)]
        if not found:
            self._core.refuse("key", f"from {request.remote}")
            raise web.HTTPUnauthorized(
                text='{"error": "Authorization: no key that is known here; send the source\'s key as a bearer token"}',
                content_type="application/json",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return None if found[0] == ANY_SOURCE else found[0]

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = StreamSocket(self._core, self._streams)
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
            "counts": dict(sorted(self._core.counts.items())),
        }
        return web.json_response(told, status=200 if spool.state == "ok" else 503)


def _problem(status: int, why: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": why}, status=status, headers=headers)
