"""/media-stream: Twilio's media streams and their like over WebSocket. Authenticates, limits and stores.

A signature over the URL can be sent again by whoever saw it. So each call has a token of its own among the stream's
parameters, made for its leg ``inbound``, and good once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ingest.admission import Opened
from ingest.errors import MediaStreamError, PaceError, ProtocolError, SignatureError, SpoolFull, TokenError
from ingest.fields import masked
from ingest.legs import WIDTHS
from ingest.pace import Bucket
from ingest.rows import Admit
from ingest.shell.core import Core
from ingest.shell.legs import LegWriter
from ingest.shell.way import GOODBYE_S, LegSocket, Route
from ingest.sources import Source, Sources, fault, key_in
from ingest.stream import BUSY, PROTOCOL, TIMEOUT, TOKEN
from ingest.twilio import TEXT_CHARS, TRACKS, Digit, Hole, MediaStream, Outcome, Over, Sound, Start
from ingest.twilio_signature import asked, signer

NAME = "media-stream"
TOKEN_LEG = "inbound"
HEARTBEAT_S = 20.0
WORDS_BYTES_S = 4000  # before the stream has started
FRAME_BYTES_S = 50 * 300  # what JSON adds to the frames of one track


@dataclass(frozen=True, slots=True)
class MediaStreamConfig:
    public_url: str | None = (
        None  # what the provider calls, to the letter but for its query; without it, what arrives here
    )
    failure_seconds: float = 0.5
    start_seconds: float = 5.0
    idle_seconds: float = 60.0


class MediaStreamWay(Route):
    """The route."""

    path = f"/{NAME}"
    checks_itself = True

    def __init__(self, core: Core, sources: Sources, config: MediaStreamConfig | None = None) -> None:
        super().__init__(core)
        self._sources, self._config = sources, config or MediaStreamConfig()

    async def serve(self, request: web.Request, source: Source | None) -> web.StreamResponse:
        until_s = self._core.mono() + self._config.failure_seconds
        try:
            who = self._who(request)
        except SignatureError as error:
            letter = "signature or key: not accepted; compare token and URL"
            return await self.stranger(request, error, until_s, letter)
        return await self.talk(MediaStreamSocket(self._core, who, self._config), request)

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
        public, path = self._config.public_url, request.raw_path
        url = asked(public, path) if public else f"wss://{request.headers.get('Host', '')}{path}"
        return f"ws{url.removeprefix('http')}" if url.startswith("http") else url


class MediaStreamSocket(LegSocket):
    """One connection, its stream, and a leg for each track that is heard."""

    def __init__(self, core: Core, source: Source | None, config: MediaStreamConfig) -> None:
        ws = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=TEXT_CHARS + 1, compress=False, timeout=GOODBYE_S
        )
        super().__init__(NAME, core, source, ws, "disconnected")
        self._config, self._stream, self._words = config, MediaStream(), Bucket(WORDS_BYTES_S)
        self._terms = source or Source(NAME)  # a program of this machine has the usual ones
        self._start: Start | None = None
        self._call = ""
        self._tracks: dict[str, LegWriter] = {}

    async def _talk(self, request: web.Request) -> None:
        while (message := await self._listen()) is not None:
            if self._words.wait_s(len(message), self._core.mono()) > 0:
                raise PaceError("messages: more than two tracks can hold; send each frame once, at real pace")
            outcomes = self._stream.feed(message)
            for start in outcomes:
                if isinstance(start, Start):
                    await self._open(start)
            self._take(outcomes)
            if self.legs:
                self._core.rounds.rest(self._in)

    async def _listen(self) -> str | bytes | None:
        """The next message; None when there will be no more."""
        limit_s = self._config.start_seconds if self._start is None else self._config.idle_seconds
        try:
            message = await self._next(limit_s)
        except TimeoutError:
            self._cause = "idle"
            await self._ws.close(code=TIMEOUT, message=f"nothing for {limit_s:.0f} s".encode())
            return None
        if message is None:
            self._take(self._stream.finish())
        return message

    def _broken(self, error: BaseException) -> MediaStreamError:
        return MediaStreamError(f"message: {error}; send at most {TEXT_CHARS} characters", 1009)

    def _code(self, error: Exception) -> int:
        if isinstance(error, ProtocolError):
            return error.code if error.code == 1009 else PROTOCOL
        return TOKEN if isinstance(error, TokenError) else BUSY

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
        self._call = self._own(start.said.get("call", start.call)[:128])
        await core.learn(name := f"{NAME} {start.stream}")
        admits = [*await self._token(start), core.admission.open_once(name, self._call, now)]
        core.store(admits, force=True)
        self._start = start
        self._words = Bucket(len(TRACKS) * (start.rate * WIDTHS[start.encoding] * 4 / 3 + FRAME_BYTES_S))
        self._tell([self._said(track) for track in start.tracks])

    async def _token(self, start: Start) -> list[Admit]:
        """The call's own token, used up."""
        token = start.said.get("token")
        if token is None:
            if self._terms.call_token:
                raise TokenError("token: is missing; send the call's own among the stream's parameters")
            return []
        await self._core.learn(token)
        role = start.role(TOKEN_LEG, self._terms.inbound_role)
        return self._core.admission.open_stream_once(token, self._call, TOKEN_LEG, role, self._core.now()).admits

    def _leg(self, track: str) -> LegWriter:
        start, leg = self._start, self._tracks.get(track)
        assert start is not None
        if leg is None:
            opened = Opened(self._call, self._name_of(track), start.role(track, self._terms.inbound_role))
            leg = LegWriter(self._core, opened, self._writes, start.encoding, start.rate, clocked=False)
            self._tracks[track] = leg
            self.legs.append(leg)
            if track not in start.tracks:
                self._tell([self._said(track)])
        return leg

    def _name_of(self, track: str) -> str:
        """A call may be streamed twice: each stream has legs of its own."""
        assert self._start is not None
        return f"{track}-{self._start.stream[-8:]}"

    def _said(self, track: str) -> dict[str, Any]:
        start = self._start
        assert start is not None
        role = start.role(track, self._terms.inbound_role)
        who = {name: _short(start.said.get(name)) for name in ("seat", "agent")} if role == "agent" else {}
        return self._event(
            f"{start.stream[:100]}-{track}", self._call, self._name_of(track), role, channel=track, stream=start.stream,
            provider_call=start.call, ani=masked(start.ani) if start.ani else None,
            dnis=masked(start.dnis) if start.dnis else None, **who,
        )  # fmt: skip

    def _end(self) -> None:
        if self.legs and self._stream.dropped:
            self._core.counts["media-stream frames dropped"] += self._stream.dropped
        super()._end()
        self._tracks.clear()


def _short(value: str | None) -> str | None:
    return value[:128] if value else None
