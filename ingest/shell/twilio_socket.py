"""/media-stream: Twilio's media streams and their like over WebSocket. Authenticates, limits and stores.

A signature over the URL can be sent again by whoever saw it. So each call has a token of its own among the stream's
parameters, made for its leg ``inbound``, and good once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from ingest.admission import Opened
from ingest.errors import MediaStreamError, PaceError, ProtocolError, SignatureError, SpoolError, SpoolFull, TokenError
from ingest.fields import masked
from ingest.legs import WIDTHS
from ingest.pace import Bucket
from ingest.rows import Admit
from ingest.shell.core import LOG, Core
from ingest.shell.legs import LegWriter
from ingest.sources import ANY, Source, Sources, fault, key_in
from ingest.stream import BUSY, PROTOCOL, TIMEOUT, TOKEN
from ingest.twilio import TEXT_CHARS, TRACKS, Digit, Hole, MediaStream, Outcome, Over, Sound, Start
from ingest.twilio_signature import signer

NAME = "media-stream"
TOKEN_LEG = "inbound"
HEARTBEAT_S = 20.0
WORDS_BYTES_S = 4000  # before the stream has started
FRAME_BYTES_S = 50 * 300  # what JSON adds to the frames of one track
GOODBYE_S = 2.0


@dataclass(frozen=True, slots=True)
class MediaStreamConfig:
    public_url: str | None = None  # what the provider calls, to the letter; without it, what arrives here
    inbound: str = "customer"  # who speaks on the inbound track, where the stream does not say ``role``
    token: bool = True  # a stream needs the call's own token
    failure_seconds: float = 0.5
    start_seconds: float = 5.0
    idle_seconds: float = 60.0


class MediaStreamWay:
    """The route. Every connection is its own task."""

    path = "/media-stream"
    checks_itself = True

    def __init__(self, core: Core, sources: Sources, config: MediaStreamConfig | None = None) -> None:
        self._core, self._sources, self._config = core, sources, config or MediaStreamConfig()
        self._sockets: set[MediaStreamSocket] = set()

    @property
    def open(self) -> int:
        return sum(len(socket.legs) for socket in self._sockets)

    async def serve(self, request: web.Request, source: Source | None) -> web.StreamResponse:
        began_s = self._core.mono()
        try:
            who = self._who(request)
        except SignatureError as error:
            self._core.refuse("media-stream authentication", f"from {request.remote}: {error}")
            await asyncio.sleep(began_s + self._config.failure_seconds - self._core.mono())
            return web.json_response({"error": "signature or key: not accepted; compare token and URL"}, status=401)
        socket = MediaStreamSocket(self._core, who, self._config)
        self._sockets.add(socket)
        try:
            return await socket.serve(request)
        finally:
            self._sockets.discard(socket)

    def _who(self, request: web.Request) -> Source | None:
        """By signature or by key. A source that has a secret signs; without any source this machine needs neither."""
        given = request.headers.get("X-Twilio-Signature")
        secrets = {one.name: one.secret for one in self._sources.with_way(NAME) if one.secret}
        if given is None and self._sources.keyless and not secrets:
            return None
        if given is not None:
            settings = request.headers.get("X-Twilio-Webhooks-Signature-Settings", "")
            source = self._sources.named(signer(secrets.items(), self._url(request), given, settings) or "")
        else:
            source = self._sources.by_key(key_in(request.headers))
        if source is None or (given is None and source.secret):
            raise SignatureError("X-Twilio-Signature: is missing or does not fit; compare auth token and public URL")
        if why := fault(source, NAME, request.remote):
            raise SignatureError(why)
        return source

    def _url(self, request: web.Request) -> str:
        """As the provider writes it: with wss, whatever a browser would be told."""
        url = self._config.public_url or f"wss://{request.headers.get('Host', '')}{request.raw_path}"
        return f"ws{url.removeprefix('http')}" if url.startswith("http") else url

    async def go_away(self) -> None:
        await asyncio.gather(*(socket.go_away() for socket in self._sockets))


class MediaStreamSocket:
    """One connection, its stream, and a leg for each track that is heard."""

    def __init__(self, core: Core, source: Source | None, config: MediaStreamConfig) -> None:
        self._core, self._source, self._config = core, source, config
        self._writes = NAME if source is None or source.name == ANY else source.name
        self._stream = MediaStream()
        self._ws = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=TEXT_CHARS + 1, compress=False, timeout=GOODBYE_S
        )
        self._words = Bucket(WORDS_BYTES_S)
        self._start: Start | None = None
        self._call = ""
        self._cause = "disconnected"
        self._told: set[asyncio.Task[None]] = set()
        self.legs: dict[str, LegWriter] = {}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        await self._ws.prepare(request)
        try:
            await self._talk()
        except ProtocolError as error:
            await self._refuse(error, error.code if error.code == 1009 else PROTOCOL)
        except TokenError as error:
            await self._refuse(error, TOKEN)
        except SpoolError as error:
            await self._refuse(error, BUSY)
        except asyncio.CancelledError:
            self._cause = "shutdown"
            raise
        finally:
            self._end()
            await asyncio.gather(*self._told)
        return self._ws

    async def go_away(self) -> None:
        self._cause = "shutdown"
        await self._ws.close(code=1001)

    async def _talk(self) -> None:
        while True:
            limit = self._config.start_seconds if self._start is None else self._config.idle_seconds
            try:
                async with asyncio.timeout(limit):
                    frame = await self._ws.receive()
            except TimeoutError:
                self._cause = "idle"
                await self._ws.close(code=TIMEOUT, message=f"nothing for {limit:.0f} s".encode())
                return
            if frame.type is WSMsgType.ERROR:
                raise MediaStreamError(f"message: {frame.data}; send at most {TEXT_CHARS} characters", 1009)
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._take(self._stream.finish())
                return
            if self._words.wait_s(len(frame.data), self._core.mono()) > 0:
                raise PaceError("messages: more than two tracks can hold; send each frame once, at real pace")
            outcomes = self._stream.feed(frame.data)
            for start in outcomes:
                if isinstance(start, Start):
                    await self._open(start)
            self._take(outcomes)

    def _take(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Sound(track, data):
                    self._leg(track).audio(data)
                case Hole(track, samples):
                    self._leg(track).gap(samples, "loss")
                case Digit():
                    self._core.counts["media-stream digits"] += 1  # counted; what was pressed is never kept
                case Over():
                    self._cause = "end"
                    self._end()

    async def _open(self, start: Start) -> None:
        core, now = self._core, self._core.now()
        if why := core.no_room(self._source, len(TRACKS)):
            raise SpoolFull(why)
        self._call = start.said.get("call", start.call)[:128]
        await core.learn(name := f"{NAME} {start.stream}")
        admits = [*await self._token(start), core.admission.open_once(name, self._call, now)]
        core.store(admits, force=True)
        self._start = start
        self._words = Bucket(len(TRACKS) * (start.rate * WIDTHS[start.encoding] * 4 / 3 + FRAME_BYTES_S))
        self._tell([self._event(track) for track in start.tracks])

    async def _token(self, start: Start) -> list[Admit]:
        """The call's own token, used up."""
        token = start.said.get("token")
        if token is None:
            if self._config.token:
                raise TokenError("token: is missing; send the call's own among the stream's parameters")
            return []
        await self._core.learn(token)
        role = start.role(TOKEN_LEG, self._config.inbound)
        return self._core.admission.open_stream_once(token, self._call, TOKEN_LEG, role, self._core.now()).admits

    def _leg(self, track: str) -> LegWriter:
        start, leg = self._start, self.legs.get(track)
        assert start is not None
        if leg is None:
            opened = Opened(self._call, self._name(track), start.role(track, self._config.inbound))
            leg = LegWriter(self._core, opened, self._writes, start.encoding, start.rate, clocked=False)
            self.legs[track] = leg
            if track not in start.tracks:
                self._tell([self._event(track)])
        return leg

    def _name(self, track: str) -> str:
        """A call may be streamed twice: each stream has legs of its own."""
        assert self._start is not None
        return f"{track}-{self._start.stream[-8:]}"

    def _event(self, track: str) -> Mapping[str, Any]:
        start = self._start
        assert start is not None
        role = start.role(track, self._config.inbound)
        told = {
            "source": self._writes, "id": f"{start.stream[:100]}-{track}", "at": self._core.now().isoformat(),
            "type": "leg", "call": self._call, "leg": self._name(track), "role": role, "channel": track,
            "stream": start.stream, "provider_call": start.call,
            "ani": masked(start.ani) if start.ani else None, "dnis": masked(start.dnis) if start.dnis else None,
            "seat": _short(start.said.get("seat")) if role == "agent" else None,
            "agent": _short(start.said.get("agent")) if role == "agent" else None,
        }  # fmt: skip
        return {name: value for name, value in told.items() if value is not None}

    def _tell(self, events: list[Mapping[str, Any]]) -> None:
        """Beside the audio: the reader of the socket does not wait for the disk."""
        if events:
            task = asyncio.create_task(self._store(events), name="media-stream-events")
            self._told.add(task)

    async def _store(self, events: list[Mapping[str, Any]]) -> None:
        try:
            taken = await self._core.take_events(events)
        except SpoolError as error:
            self._core.refuse("media-stream event", error)
            return
        for _, refused in taken.refused:
            self._core.refuse("media-stream event", f"{refused.field}: {refused.reason}")

    def _end(self) -> None:
        dropped = self._stream.dropped
        if dropped and self.legs:
            self._core.counts["media-stream frames dropped"] += dropped
        try:
            for leg in self.legs.values():
                leg.end(self._cause)
        except SpoolError as error:
            LOG.error("media-stream: call %r: its end is not stored: %s", self._call, error)
        self.legs.clear()

    async def _refuse(self, error: Exception, code: int) -> None:
        self._cause = "error"
        self._core.refuse(NAME, error)
        await self._ws.close(code=code, message=str(error).encode()[:100].decode(errors="ignore").encode())


def _short(value: str | None) -> str | None:
    return value[:128] if value else None
