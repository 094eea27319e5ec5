"""How many connections of the HTTP port nobody vouches for, by address: the next one is told so and closed.

A connection counts until a key, a signature, a token, or the rule that this machine's programs need none stands for
it. Time limits are the server's. AudioSocket counts its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import resource
from collections.abc import Callable, Iterable
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from ingest.shell.core import Core

PER_PEER = 256
MOST = 2048  # from all addresses, and never more than half of the descriptors: running legs and the spool need theirs
NET_BITS = 64  # of IPv6 one customer has so many addresses
SWEEP_S = 0.1  # between two looks at all of them: a flood knocks more often
HEAD = "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n"


class Door:
    """Lives on one event loop."""

    def __init__(self, core: Core, per_peer: int = PER_PEER) -> None:
        self._core, self._per_peer, self._most = core, per_peer, _most()
        self._waiting: dict[str, set[RequestHandler]] = {}  # some of them may have gone since the last sweep
        self._count, self._swept_s = 0, -SWEEP_S

    def guarding(self, made: Callable[[], RequestHandler]) -> Callable[[], asyncio.Protocol]:
        """A factory for ``create_server``: what *made* makes is handed each connection that is taken."""
        return lambda: _Caller(self, made)

    def enter(self, address: str, made: Callable[[], RequestHandler]) -> RequestHandler | None:
        """Who serves the next connection of this address; None when there is no room for it."""
        peer = _net(address)
        if len(self._waiting.get(peer, ())) >= self._per_peer:
            self._sweep([peer])
        if self._count >= self._most and self._core.mono() - self._swept_s >= SWEEP_S:
            self._swept_s = self._core.mono()
            self._sweep(list(self._waiting))
        if len(self._waiting.get(peer, ())) >= self._per_peer or self._count >= self._most:
            return None
        server = made()
        self._waiting.setdefault(peer, set()).add(server)
        self._count += 1
        return server

    def vouch(self, request: web.Request) -> None:
        """Its connection is somebody's from here on, to its end."""
        mine = self._waiting.get(_net(request.remote or ""), set())
        if request.protocol in mine:
            mine.remove(request.protocol)
            self._count -= 1

    def refuse(self, address: str) -> bytes:
        """The answer to a connection that was not taken."""
        why = f"connections: {_net(address)} has too many open that showed no key or token; close some, or show one"
        self._core.refuse("connection", why)
        body = json.dumps({"error": why}).encode()
        return f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def _sweep(self, peers: Iterable[str]) -> None:
        """Forget those that have gone: nobody says so when they go."""
        for peer in peers:
            there = {one for one in self._waiting.pop(peer, ()) if _open(one)}
            if there:
                self._waiting[peer] = there
        self._count = sum(map(len, self._waiting.values()))


DOOR = web.AppKey("door", Door)


class _Caller(asyncio.Protocol):
    """A connection until it is taken."""

    def __init__(self, door: Door, made: Callable[[], RequestHandler]) -> None:
        self._door, self._made = door, made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        line = cast(asyncio.Transport, transport)
        address = str((line.get_extra_info("peername") or ("?",))[0])
        server = self._door.enter(address, self._made)
        if server is None:
            line.write(self._door.refuse(address))
            line.close()
            return
        line.set_protocol(server)
        server.connection_made(line)


def _open(server: RequestHandler) -> bool:
    return server.transport is not None and not server.transport.is_closing()


def _net(address: str) -> str:
    """Whose address it is: the address itself, or the network that one customer has."""
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(one, ipaddress.IPv4Address) or one.ipv4_mapped is not None:
        return str(getattr(one, "ipv4_mapped", None) or one)
    return str(ipaddress.ip_network((int(one) >> NET_BITS << NET_BITS, NET_BITS)))


def _most() -> int:
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if descriptors == resource.RLIM_INFINITY else min(MOST, descriptors // 2)
