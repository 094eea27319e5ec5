"""AudioHook version 2, the server's side of one session, without I/O: messages in, what to do about them out.

```
                       opened        paused
 PREPARING ─open▶ OPENING ──▶ ACTIVE ──────▶ PAUSED     discarded, update: stay
     │               │          │ ◀── resumed ─┤
     └───────────────┴─────leave┴──────────────┤        leave = we sent «disconnect» over a fault
                                ▼              │
                             LEAVING ──close──▶ CLOSED ◀── close, from every state
```

The client closes the connection, the server never does so first. Position on the time line is samples: those that
came, and those that the client says it paused over or discarded. Knows no clock, no keys and no storage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ingest import audiohook_messages as say
from ingest.audiohook_messages import LONGEST, RATE, Media, Message, Open
from ingest.errors import AudioHookError

FRAME_BYTES = 64 * 1024


class State(StrEnum):
    PREPARING = "preparing"  # nothing said yet
    OPENING = "opening"  # the client wants to begin; it has no answer yet
    ACTIVE = "active"
    PAUSED = "paused"
    LEAVING = "leaving"  # a fault was told; nothing is taken any more, the client is to close
    CLOSED = "closed"


_LIVE = (State.ACTIVE, State.PAUSED)
_NEXT: dict[tuple[State, str], State] = {
    (State.PREPARING, "open"): State.OPENING,
    (State.OPENING, "opened"): State.ACTIVE,
    (State.ACTIVE, "paused"): State.PAUSED,
    (State.PAUSED, "paused"): State.PAUSED,
    (State.PAUSED, "resumed"): State.ACTIVE,
    (State.ACTIVE, "resumed"): State.ACTIVE,
    **{(state, kind): state for state in _LIVE for kind in ("discarded", "update")},
    **{(state, "close"): State.CLOSED for state in State if state is not State.CLOSED},
    **{(state, "leave"): State.LEAVING for state in State if state is not State.CLOSED},
}


@dataclass(frozen=True, slots=True)
class Say:
    """Send this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """The client asks to begin: answer with ``accept`` or ``leave``."""

    open: Open


@dataclass(frozen=True, slots=True)
class Sound:
    """The next samples, one part for each channel of the media, in their order."""

    parts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """Time that passed without sound, in every channel."""

    samples: int
    cause: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth a line in the log."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The client broke the protocol; it was told, and nothing of it is taken from here on."""

    error: AudioHookError


@dataclass(frozen=True, slots=True)
class Over:
    """The session is complete; the client has its answer and closes."""

    reason: str


Outcome = Say | Wanted | Sound | Hole | Note | Broken | Over


class Session:
    """One connection. ``feed`` never raises: what cannot be is answered with «disconnect» and named as ``Broken``."""

    def __init__(self, ident: str, organization: str) -> None:
        self.ident, self.organization = ident, organization
        self.state = State.PREPARING
        self.position = 0
        self.probe = False
        self.media: Media | None = None
        self.ignored = 0  # messages of types that this version does not know, and frames of a probe
        self._in = self._out = 0
        self._do: dict[str, Callable[[Message], list[Outcome]]] = {
            "open": self._open,
            "close": self._close,
            "ping": self._ping,
            "paused": self._paused,
            "resumed": self._resumed,
            "discarded": self._discarded,
            "update": self._update,
            "error": self._error,
        }

    def feed(self, data: str | bytes) -> list[Outcome]:
        """One message of the client."""
        try:
            return self._audio(data) if isinstance(data, bytes) else self._text(data)
        except AudioHookError as error:
            return [*self._fault(error), Broken(error)]

    def accept(self) -> str:
        """The answer to ``Wanted``: audio may come."""
        self._step("opened")
        media = [] if self.media is None else [self.media.to_json()]
        return self._say("opened", {"media": media, "startPaused": False})

    def leave(self, reason: str, info: str) -> str:
        """Ask the client to close, for *reason*: unauthorized or error. Nothing more is taken from it."""
        self._step("leave")
        return self.disconnect(reason, info)

    def disconnect(self, reason: str, info: str) -> str:
        """Ask the client to close in its own time; until then its audio counts."""
        return self._say("disconnect", {"reason": reason, "info": info})

    def _text(self, text: str) -> list[Outcome]:
        if self.state is State.CLOSED:
            return []
        try:
            message = say.read_message(text)
        except AudioHookError:
            if self.state is State.LEAVING:
                return []
            raise
        if self.state is State.LEAVING and message.type not in ("close", "ping"):
            return []
        self._check(message)
        self._in = message.seq
        do = self._do.get(message.type)
        if do is None:
            self.ignored += 1
            return []
        return do(message)

    def _check(self, message: Message) -> None:
        """A client that was told to leave may have counted on without us."""
        if self.state is State.LEAVING:
            return
        if message.seq != self._in + 1:
            raise AudioHookError(f"seq {message.seq}: follows {self._in}; number the messages without holes")
        if message.serverseq > self._out:
            raise AudioHookError(f"serverseq {message.serverseq}: is more than the {self._out} messages sent so far")
        if message.id != self.ident:
            raise AudioHookError("id: is not the Audiohook-Session-Id of this connection; one connection, one session")

    def _audio(self, data: bytes) -> list[Outcome]:
        if self.state in (State.LEAVING, State.CLOSED):
            return []
        if self.state is not State.ACTIVE:
            raise AudioHookError(f"audio: comes while the session is {self.state}; send it between opened and paused")
        if self.probe or not data:
            self.ignored += 1
            return []
        if self.media is None:
            raise AudioHookError("audio: no media was chosen; offer PCMU or L16 at 8000 Hz")
        if len(data) > FRAME_BYTES:
            raise AudioHookError(f"audio: {len(data)} bytes in one message; send at most {FRAME_BYTES}")
        parts = self.media.split(data)
        self.position += len(parts[0]) // self.media.width
        return [Sound(parts)]

    def _open(self, message: Message) -> list[Outcome]:
        wanted = say.read_open(message.parameters)
        if wanted.organization != self.organization:
            said = "organizationId: is not the Audiohook-Organization-Id of this connection"
            return [Say(self.leave("unauthorized", said)), Broken(AudioHookError(said))]
        self._step("open")
        self.media, self.probe = wanted.media, wanted.probe
        return [Wanted(wanted)]

    def _close(self, message: Message) -> list[Outcome]:
        reason = say.close_reason(message.parameters)
        self._step("close")
        return [Say(self._say("closed", {})), Over(reason)]

    def _ping(self, message: Message) -> list[Outcome]:
        return [Say(self._say("pong", {}))]

    def _paused(self, message: Message) -> list[Outcome]:
        self._step("paused")
        return []

    def _resumed(self, message: Message) -> list[Outcome]:
        holes = self._holes(message.parameters, "pause")
        self._step("resumed")
        return holes

    def _discarded(self, message: Message) -> list[Outcome]:
        holes = self._holes(message.parameters, "discard")
        self._step("discarded")
        return holes

    def _holes(self, parameters: Mapping[str, Any], cause: str) -> list[Outcome]:
        """What was left out, and what is missing before it: a client that is further on than what came has lost it."""
        start, count = say.duration(parameters, "start"), say.duration(parameters, "discarded")
        found = [(max(0, start - self.position), "loss"), (count, cause)]
        reached = self.position + sum(samples for samples, _ in found)
        if reached > LONGEST:
            raise AudioHookError(f"start, discarded: reach beyond {LONGEST // RATE} s; begin a new session")
        self.position = reached
        return [Hole(samples, why) for samples, why in found if samples]

    def _update(self, message: Message) -> list[Outcome]:
        self._step("update")
        language = say.optional_line(message.parameters, "language") or ""
        return [Say(self._say("updated", {})), Note("language", ascii(language))]

    def _error(self, message: Message) -> list[Outcome]:
        code, text = message.parameters.get("code"), message.parameters.get("message")
        return [Note("error", f"{str(code)[:8]!a} {str(text)[:200]!a}")]

    def _step(self, event: str) -> None:
        to = _NEXT.get((self.state, event))
        if to is None:
            raise AudioHookError(f"{event}: does not fit a session that is {self.state}")
        self.state = to

    def _fault(self, error: AudioHookError) -> list[Outcome]:
        if self.state in (State.LEAVING, State.CLOSED):
            return []
        return [Say(self.leave("error", str(error)[:200]))]

    def _say(self, kind: str, parameters: Mapping[str, Any]) -> str:
        self._out += 1
        told = {"version": say.VERSION, "type": kind, "id": self.ident, "seq": self._out, "clientseq": self._in}
        return json.dumps({**told, "parameters": parameters}, separators=(",", ":"))
