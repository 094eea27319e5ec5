"""/pcm: bare audio over WebSocket from Asterisk, FreeSWITCH and jambonz. Admits, limits, stores; answers nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from aiohttp import web

from ingest.admission import Opened
from ingest.errors import PcmError
from ingest.fields import NAME_CHARS
from ingest.pcm import Pcm, Sound, Words
from ingest.pcm_dialects import Dialect, Opening, Track, choose
from ingest.shell.core import Core
from ingest.shell.legs import LegWriter
from ingest.shell.way import BUSY, GOING_AWAY, GOODBYE_S, POLICY, LegSocket, Route, problem
from ingest.sources import Source, Sources

NAME = "pcm"
OPENING_S = 5.0  # a sender says at once what it sends
HEARTBEAT_S = 20.0
PROMPT_S = 2.0  # of a tap of ours without its first audio, as on AudioSocket: one of a hundred is joined to nothing
MOST_RETURNS = 200  # of one leg within a call
ENDS = (1000, 1001)


class PcmWay(Route):
    """The route. The server has looked at key and address; what opens a leg is looked at here."""

    path = f"/{NAME}"
    checks_itself = False

    def __init__(
        self, core: Core, sources: Sources, heartbeat_seconds: float = HEARTBEAT_S, prompt_seconds: float = PROMPT_S
    ) -> None:
        super().__init__(core)
        self._heartbeat_s, self._prompt_s = heartbeat_seconds, prompt_seconds

    async def serve(self, request: web.Request, source: Source | None) -> web.StreamResponse:
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        try:
            dialect = choose([name for name in offered if name])
        except PcmError as error:
            self._core.refuse(NAME, error)
            return problem(400, str(error))
        if why := self._core.no_room(source):
            self._core.refuse(NAME, why)
            return problem(503, f"{why}; try again later", {"Retry-After": "1"})
        socket = PcmSocket(self._core, source, dialect, bool(offered[0]), self._heartbeat_s, self._prompt_s)
        return await self.talk(socket, request)


class PcmSocket(LegSocket):
    """One connection and its legs."""

    def __init__(
        self, core: Core, source: Source | None, dialect: Dialect, named: bool, heartbeat_s: float, prompt_s: float
    ) -> None:
        ws = web.WebSocketResponse(
            protocols=(dialect.name,) if named else (),
            max_msg_size=dialect.message_bytes + 1,  # aiohttp refuses a message of exactly its limit
            compress=False, heartbeat=heartbeat_s, timeout=GOODBYE_S,
        )  # fmt: skip
        super().__init__(NAME, core, source, ws, "reset")
        self._dialect, self._prompt_s = dialect, prompt_s
        self._prompt = False  # a tap of ours, whose audio comes at once or not at all

    async def _talk(self, request: web.Request) -> None:
        pcm = Pcm(self._dialect, dict(request.query))
        message = await self._first()
        while message is not None:
            for event in pcm.feed(message):
                match event:
                    case Sound(parts):
                        for leg, part in zip(self.legs, parts, strict=False):  # none once the process has ended them
                            leg.audio(part)
                        self._prompt = False
                        self._core.rounds.rest(self._in)
                    case Opening():
                        await self._begin(event)
                        self._prompt = str(event.ident) in self._core.prompt
                    case Words(size):
                        self._words(size)
            message = await self._more()
        if self._cause == "reset" and self._ws.close_code in ENDS:
            self._cause = "truncated" if pcm.rest else "end"

    async def _first(self) -> str | bytes | None:
        try:
            return await self._next(OPENING_S)
        except TimeoutError:
            raise PcmError(f"nothing within {OPENING_S:g} s; say first what you send", POLICY) from None

    async def _more(self) -> str | bytes | None:
        """The next message; a tap that stays silent is let go, and made anew by whoever asked for it."""
        if not self._prompt:
            return self._data(await self._ws.receive())
        try:
            return await self._next(self._prompt_s)
        except TimeoutError:
            self._cause = "idle"
            self._end()
            await self._ws.close(code=GOING_AWAY, message=b"no audio came")
            return None

    def _broken(self, error: BaseException) -> PcmError:
        return PcmError(f"message: {error}; send at most {self._dialect.message_bytes} bytes", 1009)

    def _words(self, size: int) -> None:
        self._core.counts["pcm words"] += 1  # counted; what was pressed is never kept
        for leg in self.legs[:1]:
            leg.control(size)

    async def _begin(self, opening: Opening) -> None:
        if why := self._core.no_room(self._source, len(opening.tracks)):
            raise PcmError(f"{why}; try again later", BUSY)
        opened = await self._admit(opening)
        for one in opened:
            self.legs.append(LegWriter(self._core, one, self._writes, opening.encoding, opening.rate))
        if opening.ident is None:
            self._tell(list(self._bound(opening, opened)))

    async def _admit(self, opening: Opening) -> list[Opened]:
        """All tracks or none."""
        if opening.ident is not None:
            await self._core.learn(str(opening.ident))
            one = self._core.admission.open_audiosocket(opening.ident, self._core.now())
            if one.call != str(opening.ident):  # else it waits for the event that says whose it is
                self._own(one.call)
            return [one]
        return [await self._admit_track(opening, track) for track in opening.tracks]

    async def _admit_track(self, opening: Opening, track: Track) -> Opened:
        if track.token is not None:
            await self._core.learn(track.token)
            opened = self._core.admission.open_token(track.token, self._core.now())
            self._own(opened.call)
            return opened
        if opening.call is None:
            raise PcmError('first message: names no call; send {"call": …}, or a token for each leg')
        return await self._admit_named(self._own(opening.call), track)

    async def _admit_named(self, call: str, track: Track) -> Opened:
        """Who was let in by a key, or is on this machine, names its legs itself; who comes back gets a further one."""
        for count in range(1, MOST_RETURNS):
            leg = track.leg if count == 1 else f"{track.leg[: NAME_CHARS - 8]}+{count}"
            name = f"{NAME} {call} {leg}"
            await self._core.learn(name)
            if name not in self._core.admission:
                return Opened(call, leg, track.role, self._core.admission.open_once(name, call, self._core.now()))
        raise PcmError(f"leg: came {MOST_RETURNS} times; begin a new call", POLICY)

    def _bound(self, opening: Opening, opened: Sequence[Opened]) -> Iterator[dict[str, Any]]:
        """What the connection said of its legs, as events."""
        session, dialect = uuid4().hex, self._dialect.name
        for number, one in enumerate(opened):
            who = {"seat": opening.seat, "agent": opening.agent} if one.role == "agent" else {}
            yield self._event(f"pcm-{session}-{number}", one.call, one.leg, one.role, dialect=dialect, **who)
