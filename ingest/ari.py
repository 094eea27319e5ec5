"""Taps on an Asterisk by ARI, as a table: which request comes next, and what to take away. No sockets, no clock.

A tap is three things on the switchboard, all named by us: a snoop on the leg's channel, a media channel that sends to
us, a bridge that joins both. None of them stands in the call's path.

WAITING ─go─▶ SNOOP ─snooped─▶ MEDIA ─ready─▶ JOIN ─joined─▶ HEARD
   ▲            │                │              │              │
   └─refused, media_out: taken away, tried again later─────────┤
                │                │              │              │
                └─no_channel─────┴──snoop_out, over────────────┴─▶ GONE (taken away)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from ingest.taps import Tap

MOST = 5000  # taps at once
CODEC = "slin"
WS_CODEC = "ulaw"  # half the bytes of slin over a WebSocket; narrow-band trunks speak nothing finer
PARTS = ("snoop", "media", "mix")
UNRECORDED = "unrecorded"  # the step that keeps a channel of ours out of the switchboard's list of calls
Part = Literal["snoop", "media", "mix"]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class AriConfig:
    """One switchboard's ARI. ``app`` must be this process's own: two of one name take each other's taps away."""

    pbx: str  # the source of its events, and the prefix of its calls
    url: str  # http://127.0.0.1:8088
    user: str
    secret: str = field(repr=False)
    app: str = "seatwatch"
    media_host: str = "127.0.0.1"  # where the switchboard finds our AudioSocket port
    media_port: int = 9092
    connection: str = ""  # a section of websocket_client.conf: audio comes to /pcm instead


class State(StrEnum):
    WAITING = "waiting"  # ARI is away, or the next try is some time off
    SNOOP = "snoop"  # the snoop is asked for
    MEDIA = "media"  # the media channel and the bridge are asked for
    JOIN = "join"  # everything is there; joining is asked for
    HEARD = "heard"
    GONE = "gone"


class Sign(StrEnum):
    """What an answer or an event means for a tap."""

    GO = "go"
    SNOOPED = "snooped"
    READY = "ready"
    JOINED = "joined"
    REFUSED = "refused"
    MEDIA_OUT = "media_out"
    NO_CHANNEL = "no_channel"
    SNOOP_OUT = "snoop_out"
    OVER = "over"


_BUSY = (State.SNOOP, State.MEDIA, State.JOIN)
NEXT: dict[tuple[State, Sign], State] = {
    (State.WAITING, Sign.GO): State.SNOOP,
    (State.SNOOP, Sign.SNOOPED): State.MEDIA,
    (State.SNOOP, Sign.NO_CHANNEL): State.GONE,
    (State.MEDIA, Sign.READY): State.JOIN,
    (State.JOIN, Sign.JOINED): State.HEARD,
    (State.HEARD, Sign.MEDIA_OUT): State.WAITING,
    (State.HEARD, Sign.REFUSED): State.WAITING,
    **{(state, Sign.REFUSED): State.WAITING for state in _BUSY},
    **{(state, Sign.MEDIA_OUT): State.WAITING for state in _BUSY},
    **{(state, Sign.SNOOP_OUT): State.GONE for state in (*_BUSY, State.HEARD)},
    **{(state, Sign.OVER): State.GONE for state in (State.WAITING, *_BUSY, State.HEARD)},
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Its outcome goes to ``answered``, with 0 for no answer at all."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    ident: UUID | None = None  # the try that it belongs to; None = taking away, whatever comes of it
    step: str = ""


@dataclass(frozen=True, slots=True)
class Rest:
    """Try again after a while, the longer the more often it failed."""

    key: Key
    failed: int
    why: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The leg's audio is on its way to us."""

    tap: Tap


@dataclass(frozen=True, slots=True)
class Gone:
    """The tap is over; ``heard`` says whether anything of this leg ever came."""

    tap: Tap
    heard: bool
    why: str


Effect = Ask | Rest | Heard | Gone


@dataclass(slots=True)
class _Ear:
    tap: Tap
    state: State = State.WAITING
    ident: UUID | None = None
    there: set[str] = field(default_factory=set)
    failed: int = 0
    ever: bool = False  # something was heard, in this try or an earlier one
    why: str = "ARI was away"


class Taps:
    """All taps of one switchboard. *begin* names a try: it binds a one-time UUID to the leg and returns it.

    *run* is this process's alone: what carries another one was left behind by a process that died.
    """

    def __init__(self, config: AriConfig, begin: Callable[[Tap], UUID], run: str) -> None:
        self._config, self._begin, self._run = config, begin, run
        self._ears: dict[Key, _Ear] = {}
        self._tries: dict[UUID, _Ear] = {}
        self._up = False
        ident = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
        self._ours = re.compile(f"{re.escape(config.app)}-({'|'.join(PARTS)})-([0-9a-f]+)-({ident})")

    @property
    def open(self) -> int:
        return len(self._ears)

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(self._ears)

    @property
    def heard(self) -> int:
        return sum(ear.state is State.HEARD for ear in self._ears.values())

    def want(self, tap: Tap) -> list[Effect]:
        """Begin to hear a leg; asked again for the same leg it changes nothing."""
        key = (tap.call, tap.leg)
        if key in self._ears:
            return []
        if len(self._ears) >= MOST:
            return [Gone(tap, False, f"{MOST} taps are open; more are not taken")]
        ear = self._ears[key] = _Ear(tap)
        return self._move(ear, Sign.GO) if self._up else []

    def over(self, tap_key: Key) -> list[Effect]:
        """Nobody needs this leg any more."""
        ear = self._ears.get(tap_key)
        if ear is None:
            return []
        if ear.state is not State.WAITING:
            ear.why = "it was no longer wanted"
        return self._move(ear, Sign.OVER)

    def again(self, key: Key) -> list[Effect]:
        """The rest after a failure is over."""
        ear = self._ears.get(key)
        return self._move(ear, Sign.GO) if ear and ear.state is State.WAITING and self._up else []

    def connected(self, channels: Iterable[str], bridges: Iterable[str]) -> list[Effect]:
        """ARI is there (again), and this is what it holds: what is ours and of no use is taken away."""
        self._up = True
        found = {*channels, *bridges}
        known = {self._name(part, ident) for ident in self._tries for part in PARTS}
        out: list[Effect] = []
        for ear in list(self._ears.values()):
            out += self._look_again(ear, found)
        out += [self._delete(name) for name in sorted(found - known) if self._ours.fullmatch(name)]
        return out

    def _look_again(self, ear: _Ear, found: set[str]) -> list[Effect]:
        if ear.state is State.WAITING:
            return self._move(ear, Sign.GO)
        assert ear.ident is not None
        held = [self._name(part, ear.ident) in found for part in PARTS]
        if ear.state is State.HEARD and all(held):
            return []
        if ear.state is State.HEARD and not held[0]:
            return self._move(ear, Sign.SNOOP_OUT)
        ear.why = "ARI was away"
        return [*self._move(ear, Sign.REFUSED), *self._move(ear, Sign.GO)]

    def lost(self) -> None:
        """ARI is away. Taps that are heard go on being heard."""
        self._up = False

    def event(self, raw: Mapping[str, Any]) -> list[Effect]:
        """One event of our app's socket; what is not about a channel of ours changes nothing."""
        channel = raw.get("channel")
        named = self._ours.fullmatch(str(channel.get("id"))) if isinstance(channel, Mapping) else None
        if named is None:
            return []
        part, kind = named[1], raw.get("type")
        ear = self._tries.get(UUID(named[3])) if named[2] == self._run else None
        if kind == "StasisStart":
            return self._came(ear, part) if ear else [self._delete(named[0])]
        if kind in ("StasisEnd", "ChannelDestroyed") and ear is not None:
            ear.why = f"the {part} channel ended"
            return self._move(ear, Sign.SNOOP_OUT if part == "snoop" else Sign.MEDIA_OUT)
        return []

    def answered(self, ask: Ask, status: int, why: str = "") -> list[Effect]:
        """What ARI said to a request: 0 = nothing."""
        if ask.ident is None:
            return []
        good, ear = 200 <= status < 300, self._tries.get(ask.ident)
        if ear is None:  # this try is over: what it made after all goes
            made = good and ask.step in PARTS
            return [self._delete(self._name(ask.step, ask.ident))] if made else []
        if not good:
            ear.why = f"{ask.step}: {status or 'no answer'} {why}".strip()[:200]
            gone = ask.step == "snoop" and status == 404
            return self._move(ear, Sign.NO_CHANNEL if gone else Sign.REFUSED)
        if ask.step == "snoop":
            return [*self._move(ear, Sign.SNOOPED), *self._came(ear)]
        return self._came(ear, "mix") if ask.step == "mix" else self._joined(ear, ask)

    def _joined(self, ear: _Ear, ask: Ask) -> list[Effect]:
        return self._move(ear, Sign.JOINED) if ask.step == "join" else []

    def _came(self, ear: _Ear, part: str = "") -> list[Effect]:
        """One more of the three is there; a channel counts once it has entered our app."""
        ear.there |= {part} - {""}
        return self._move(ear, Sign.READY) if ear.state is State.MEDIA and ear.there >= set(PARTS) else []

    def _move(self, ear: _Ear, sign: Sign) -> list[Effect]:
        """One step of the table; a sign that does not fit changes nothing."""
        before, after = ear.state, NEXT.get((ear.state, sign))
        if after is None:
            return []
        out: list[Effect] = []
        if after in (State.WAITING, State.GONE):
            out += self._take_away(ear, before, sign)
        ear.state = after
        return out + self._entered(ear)

    def _entered(self, ear: _Ear) -> list[Effect]:
        match ear.state:
            case State.SNOOP:
                return self._snoop(ear)
            case State.MEDIA:
                return [self._media(ear), self._post(ear, "mix", "/bridges", type="mixing")]
            case State.JOIN:
                return [self._join(ear)]
            case State.HEARD:
                ear.ever = True
                return [Heard(ear.tap), self._unrecorded("snoop", ear), self._unrecorded("media", ear)]
            case State.WAITING:
                ear.failed += 1
                return [Rest((ear.tap.call, ear.tap.leg), ear.failed, ear.why)]
            case State.GONE:
                del self._ears[ear.tap.call, ear.tap.leg]
                return [Gone(ear.tap, ear.ever, ear.why)]

    def _snoop(self, ear: _Ear) -> list[Effect]:
        ear.ident, ear.there = self._begin(ear.tap), set()
        self._tries[ear.ident] = ear
        return [
            self._post(
                ear, "snoop", f"/channels/{quote(ear.tap.channel, safe='')}/snoop", spy="in", app=self._config.app
            )
        ]

    def _media(self, ear: _Ear) -> Ask:
        config = self._config
        if config.connection:
            how = {"external_host": config.connection, "format": WS_CODEC, "encapsulation": "none",
                   "transport": "websocket"}  # fmt: skip
        else:
            how = {"external_host": f"{config.media_host}:{config.media_port}", "format": CODEC,
                   "encapsulation": "audiosocket", "transport": "tcp", "data": str(ear.ident)}  # fmt: skip
        return self._post(ear, "media", "/channels/externalMedia", app=config.app, **how)

    def _post(self, ear: _Ear, part: Part, path: str, **params: str) -> Ask:
        assert ear.ident is not None
        key = {"snoop": "snoopId", "media": "channelId", "mix": "bridgeId"}[part]
        named = {**params, key: self._name(part, ear.ident)}
        return Ask("POST", path, tuple(named.items()), ear.ident, part)

    def _join(self, ear: _Ear) -> Ask:
        assert ear.ident is not None
        both = ",".join(self._name(part, ear.ident) for part in ("snoop", "media"))
        path = f"/bridges/{self._name('mix', ear.ident)}/addChannel"
        return Ask("POST", path, (("channel", both),), ear.ident, "join")

    def _unrecorded(self, part: Part, ear: _Ear) -> Ask:
        """No line in the switchboard's own list of calls; one that keeps no such list refuses, and that is well."""
        assert ear.ident is not None
        path = f"/channels/{self._name(part, ear.ident)}/variable"
        return Ask("POST", path, (("variable", "CDR_PROP(disable)"), ("value", "1")), step=UNRECORDED)

    def _take_away(self, ear: _Ear, before: State, sign: Sign) -> list[Effect]:
        """Everything of this try; what is not there answers 404, and that is well."""
        if ear.ident is None or self._tries.pop(ear.ident, None) is None:
            return []
        parts = PARTS if before is not State.SNOOP else PARTS[:1]
        left = [part for part in parts if not (part == "snoop" and sign in (Sign.SNOOP_OUT, Sign.NO_CHANNEL))]
        return [self._delete(self._name(part, ear.ident)) for part in left]

    def _delete(self, name: str) -> Ask:
        kind = "bridges" if name.startswith(f"{self._config.app}-mix-") else "channels"
        return Ask("DELETE", f"/{kind}/{name}")

    def _name(self, part: str, ident: UUID) -> str:
        return f"{self._config.app}-{part}-{self._run}-{ident}"
