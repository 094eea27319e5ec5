"""/audiohook: Genesys' AudioHook over WebSocket. Authenticates, limits, stores; does not know what messages mean.

A session is two legs of the call that the conversation is: external is the customer, internal the agent.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ingest.admission import Opened
from ingest.audiohook import FRAME_BYTES, Broken, Hole, Note, Outcome, Over, Say, Session, Sound, State, Wanted
from ingest.audiohook_messages import ROLES, Open, is_ident
from ingest.errors import AudioHookError, PaceError, SignatureError, TokenError
from ingest.fields import masked
from ingest.http_signature import Nonces, Signed, public_place, read_secret, verify
from ingest.pace import Bucket
from ingest.shell.core import LOG, Core
from ingest.shell.legs import LegWriter
from ingest.shell.way import GOODBYE_S, LegSocket, Route, problem
from ingest.sources import Source, Sources, fault

NAME = "audiohook"
MESSAGE_BYTES_S = 20_000  # of text beside the audio; one message may have 65,535 characters
_CAUSES = {"end": "end", "error": "error", "disconnect": "disconnected", "reconnect": "reconnect"}


@dataclass(frozen=True, slots=True)
class AudioHookConfig:
    public_url: str | None = None  # what Genesys calls, where a proxy changes host or path on the way
    failure_seconds: float = 0.5  # every failed authentication takes this long
    open_seconds: float = 10.0
    idle_seconds: float = 30.0  # clients ping every 5 s
    leave_seconds: float = 10.0  # that a client has to close after it was asked to, or was told «closed»


class AudioHookWay(Route):
    """The route."""

    path = f"/{NAME}"
    checks_itself = True

    def __init__(self, core: Core, sources: Sources, config: AudioHookConfig | None = None) -> None:
        super().__init__(core)
        self._sources, self._config, self._nonces = sources, config or AudioHookConfig(), Nonces()

    async def serve(self, request: web.Request, source: Source | None) -> web.StreamResponse:
        until_s = self._core.mono() + self._config.failure_seconds
        try:
            who = self._who(request)
        except SignatureError as error:
            letter = "X-API-KEY or signature: not accepted; compare key, client secret and clocks"
            return await self.stranger(request, error, until_s, letter)
        ident, organization = _header(request, "Audiohook-Session-Id"), _header(request, "Audiohook-Organization-Id")
        if not (is_ident(ident) and is_ident(organization)):
            return problem(400, "Audiohook-Session-Id, Audiohook-Organization-Id: must be UUIDs")
        session = Session(ident.lower(), organization.lower())
        return await self.talk(AudioHookSocket(self._core, who, session, self._config), request)

    def _who(self, request: web.Request) -> Source | None:
        """Whose request this is; None for a program of this machine where nobody was given a key."""
        if self._sources.keyless:
            return None
        signed = self._signed(request)
        source = self._sources.by_key(signed.headers.get("x-api-key", ""))
        if signed.is_signed or source is None or source.secret is not None:
            secret = _secret(source)
            verify(signed, secret, self._core.now().timestamp(), self._nonces, self._core.mono())
        assert source is not None
        if why := fault(source, NAME, request.remote):
            raise SignatureError(why)
        return source

    def _signed(self, request: web.Request) -> Signed:
        headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
        if self._config.public_url:
            return Signed(*public_place(self._config.public_url, request.raw_path), headers)
        return Signed(request.raw_path, headers.get("host", ""), headers)


class AudioHookSocket(LegSocket):
    """One connection and the legs of its session. Pings are answered at once, so every message is read as it comes."""

    def __init__(self, core: Core, source: Source | None, session: Session, config: AudioHookConfig) -> None:
        ws = web.WebSocketResponse(max_msg_size=FRAME_BYTES + 1, compress=False, timeout=GOODBYE_S)
        super().__init__(NAME, core, source, ws, "disconnected")
        self._session, self._config, self._words = session, config, Bucket(MESSAGE_BYTES_S)
        self._until_s: float | None = None

    async def go_away(self) -> None:
        """Ask the client to close; what it still sends until then counts."""
        if self._session.state is not State.CLOSED:
            self._cause = "shutdown"
            try:
                await self._ws.send_str(self._session.disconnect("completed", "the server stops; begin a new session"))
            except (ConnectionError, RuntimeError) as error:
                LOG.info("audiohook: connection lost before the goodbye: %s", error)
        try:
            async with asyncio.timeout(GOODBYE_S):
                await self._gone.wait()
        except TimeoutError:
            self._end()

    async def _talk(self, request: web.Request) -> None:
        """Until the client has closed, or has had its time."""
        while True:
            limit_s = self._patience_s()
            try:
                message = await self._next(limit_s)
            except TimeoutError:
                if self._until_s is not None:
                    return
                await self._let_go(limit_s)
                continue
            if message is None or (isinstance(message, str) and self._too_much(message)):
                return
            for outcome in self._session.feed(message):
                await self._do(outcome)

    async def _let_go(self, limit_s: float) -> None:
        """Nothing came for so long: the client is asked to close, and what it was to send is over."""
        self._cause, begun = "idle", self._session.state is not State.PREPARING
        self._end()
        said = "no message" if begun else "no open"
        await self._ws.send_str(self._session.leave("error", f"{said} within {limit_s:g} s; begin a new session"))

    def _patience_s(self) -> float:
        """A client that was asked to close has one term for it, whatever else it says meanwhile."""
        config, state = self._config, self._session.state
        if state not in (State.LEAVING, State.CLOSED):
            return config.open_seconds if state is State.PREPARING else config.idle_seconds
        now_s = self._core.mono()
        self._until_s = self._until_s or now_s + config.leave_seconds
        return self._until_s - now_s

    def _too_much(self, text: str) -> bool:
        if self._session.state is State.PREPARING or self._words.wait_s(len(text), self._core.mono()) == 0:
            return False
        self._core.refuse("audiohook message", f"session {self._session.ident}: too many messages beside the audio")
        self._cause = "error"
        return True

    def _broken(self, error: BaseException) -> AudioHookError:
        return AudioHookError(f"{error}; send at most {FRAME_BYTES} bytes a message")

    async def _refuse(self, error: Exception) -> None:
        """The protocol has words of its own for this, and the client was told by them where it could be."""
        self._core.refuse("audiohook message" if isinstance(error, AudioHookError) else NAME, error)

    async def _do(self, outcome: Outcome) -> None:
        match outcome:
            case Say(text):
                await self._ws.send_str(text)
            case Wanted(wanted):
                await self._ws.send_str(await self._begin(wanted))
            case Sound(parts):
                await self._sound(parts)
            case Hole(samples, cause):
                await self._hole(samples, cause)
            case Note(kind, text):
                LOG.info("audiohook: session %s: %s %s", self._session.ident, kind, text)
            case Broken(error):
                self._core.refuse("audiohook message", f"session {self._session.ident}: {error}")
                self._cause = "error"
            case Over(reason):
                self._cause = _CAUSES[reason] if self._cause == "disconnected" else self._cause
                self._end()

    async def _begin(self, wanted: Open) -> str:
        """The answer to «open»: the events of both legs are on disk before audio may come."""
        session = self._session
        channels = () if wanted.probe or wanted.media is None else wanted.media.channels
        if why := self._core.no_room(self._source, len(channels)):
            return self._refused("error", f"{why}; try again later")
        if wanted.probe:
            self._core.counts["audiohook probes"] += 1
            return session.accept()
        try:
            await self._core.learn(name := f"{NAME} {session.ident}")
            admit = self._core.admission.open_once(name, self._own(wanted.conversation), self._core.now())
        except TokenError as error:
            return self._refused("unauthorized", str(error))
        for channel in channels:
            assert wanted.media is not None
            opened = Opened(wanted.conversation, self._leg(channel), ROLES[channel], None if self.legs else admit)
            self.legs.append(LegWriter(self._core, opened, self._writes, wanted.media.encoding, clocked=False))
        await self._core.take_events([self._said(wanted, channel) for channel in channels])
        return session.accept()

    def _refused(self, reason: str, why: str) -> str:
        self._core.refuse(NAME, f"session {self._session.ident}: {why}")
        self._cause = "error"
        return self._session.leave(reason, why)

    def _leg(self, channel: str) -> str:
        """A conversation may have several sessions, one after another or side by side: each has legs of its own."""
        return f"{channel}-{self._session.ident[:8]}"

    def _said(self, wanted: Open, channel: str) -> dict[str, Any]:
        ident, role = self._session.ident, ROLES[channel]
        who = {"seat": wanted.seat, "agent": wanted.agent} if role == "agent" else {}
        return self._event(
            f"{ident}-{channel}", wanted.conversation, self._leg(channel), role, channel=channel, session=ident,
            organization=wanted.organization, participant=wanted.participant,
            ani=masked(wanted.ani) if wanted.ani else None, dnis=masked(wanted.dnis) if wanted.dnis else None,
            language=wanted.language, continues=list(wanted.continued) or None, **who,
        )  # fmt: skip

    async def _sound(self, parts: tuple[bytes, ...]) -> None:
        try:
            for leg, part in zip(self.legs, parts, strict=False):  # none where the process has ended them already
                leg.audio(part)
        except PaceError as error:
            await self._ws.send_str(self._refused("error", str(error)))

    async def _hole(self, samples: int, cause: str) -> None:
        try:
            for leg in self.legs:
                leg.gap(samples, cause)
        except PaceError as error:
            await self._ws.send_str(self._refused("error", str(error)))


def _secret(source: Source | None) -> bytes | None:
    """None = no signature can be right."""
    if source is None or source.secret is None:
        return None
    try:
        return read_secret(source.secret)
    except ValueError as error:
        LOG.error(
            "source %r: its secret is no base64 (%s); copy the client secret as Genesys shows it", source.name, error
        )
        return None


def _header(request: web.Request, name: str) -> str:
    return request.headers.get(name, "").strip()
