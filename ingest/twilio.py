"""Media streams as JSON over a WebSocket, as Twilio sends them, and Telnyx and Exotel nearly so. No I/O, no clock.

```
 connected ▶ start ▶ media, media, dtmf, mark, media … ▶ stop
```

Names come in camelCase or snake_case, numbers as strings. Both tracks of a call share the socket; which of them is the
customer is the site's knowledge: ``inbound`` is what goes into the provider on that leg.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ingest import fields as read
from ingest.body import load
from ingest.errors import MediaStreamError
from ingest.fields import FieldFault
from ingest.legs import WIDTHS
from ingest.reorder import Frame, Missing, Track
from ingest.stream import RATES

TEXT_CHARS = 64 * 1024
TRACKS = ("inbound", "outbound")
PARTIES = {"customer": "agent", "agent": "customer", "unknown": "unknown"}  # who the other track is
LONGEST_MS = 5000  # of audio in one message
MOST_NUMBER = 1 << 53
_ENCODINGS = {
    "audio/x-mulaw": "ulaw", "audio/mulaw": "ulaw", "mulaw": "ulaw", "pcmu": "ulaw",
    "audio/x-alaw": "alaw", "alaw": "alaw", "pcma": "alaw",
    "audio/x-raw": "slin", "audio/x-l16": "slin", "audio/l16": "slin", "l16": "slin", "raw/slin": "slin",
    "slin": "slin", "pcm": "slin", "base64": "slin",
}  # fmt: skip


class State(StrEnum):
    NEW = "new"
    STARTED = "started"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Start:
    """What a stream says of itself. ``said`` are the parameters that the site gave it along: call, seat, agent, role,
    token and whatever else."""

    stream: str
    call: str
    encoding: str
    rate: int
    tracks: tuple[str, ...]
    said: Mapping[str, str]
    ani: str | None = None
    dnis: str | None = None

    def role(self, track: str, inbound: str) -> str:
        """Who speaks on a track; *inbound* is the site's rule, which the stream's own parameter goes before."""
        told = self.said.get("role", inbound)
        told = told if told in PARTIES else inbound
        return told if track == "inbound" else PARTIES[told]


@dataclass(frozen=True, slots=True)
class Sound:
    track: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Hole:
    """Lost on the way."""

    track: str
    samples: int


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was pressed; which one is not kept."""


@dataclass(frozen=True, slots=True)
class Over:
    """The stream has stopped; nothing more counts."""


Outcome = Start | Sound | Hole | Digit | Over


class MediaStream:
    """One connection. ``feed`` raises MediaStreamError for what cannot be; what came before it stands."""

    def __init__(self) -> None:
        self.state = State.NEW
        self.ignored = 0  # messages of kinds that this version does not know
        self._start: Start | None = None
        self._tracks: dict[str, Track] = {}

    @property
    def dropped(self) -> int:
        """Frames that came twice or too late."""
        return sum(track.dropped for track in self._tracks.values())

    def feed(self, text: str | bytes) -> list[Outcome]:
        """One message."""
        if self.state is State.OVER:
            return []
        try:
            return self._feed(_object(text))
        except FieldFault as fault:
            raise MediaStreamError(f"message: {fault}") from None

    def finish(self) -> list[Outcome]:
        """The connection is gone: what still waited for its turn."""
        self.state = State.OVER
        return [outcome for name, track in self._tracks.items() for outcome in _told(name, track.finish())]

    def _feed(self, raw: Mapping[str, Any]) -> list[Outcome]:
        kind = read.text(raw, "event")
        if kind == "start":
            return self._begin(raw)
        if kind in ("media", "dtmf") and self.state is State.NEW:
            raise MediaStreamError(f"{kind}: comes before start; send start first")
        if kind == "media":
            return self._media(read.mapping(raw.get("media"), "media"))
        if kind == "dtmf":
            return [Digit()]
        if kind == "stop":
            return [*self.finish(), Over()]
        self.ignored += kind not in ("connected", "mark")
        return []

    def _begin(self, raw: Mapping[str, Any]) -> list[Outcome]:
        if self.state is not State.NEW:
            raise MediaStreamError("start: comes twice; open one connection a stream")
        self._start = read_start(raw)
        self.state = State.STARTED
        return [self._start]

    def _media(self, media: Mapping[str, Any]) -> list[Outcome]:
        name = _track(media.get("track") or "inbound")
        if name is None:
            self.ignored += 1
            return []
        start = self._start
        assert start is not None
        width = WIDTHS[start.encoding]
        track = self._tracks.setdefault(name, Track(start.rate, width))
        data = _payload(media)
        if len(data) % width or len(data) > start.rate * width * LONGEST_MS // 1000:
            raise MediaStreamError(f"payload: {len(data)} bytes; send whole samples, at most {LONGEST_MS} ms a message")
        return _told(name, track.take(Frame(_number(media, "chunk"), _number(media, "timestamp"), data)))


def read_start(raw: Mapping[str, Any]) -> Start:
    """FieldFault or MediaStreamError when it lacks what nobody can guess."""
    start = read.mapping(raw.get("start"), "start")
    form = read.mapping(_either(start, "mediaFormat", "media_format") or {}, "mediaFormat")
    told = str(form.get("encoding") or "audio/x-mulaw").partition(";")[0].strip().lower()
    encoding, rate = _ENCODINGS.get(told), _number(form, "sampleRate", "sample_rate")
    rate = 8000 if rate is None else rate
    if encoding is None or rate not in RATES or form.get("channels", 1) not in (1, "1"):
        raise MediaStreamError(f"mediaFormat: {told[:40]!r} at {rate} Hz is not taken; choose mu-law, A-law or 16-bit "
                               f"PCM, one channel, at {', '.join(map(str, RATES))} Hz")  # fmt: skip
    both = {**raw, **start}
    said = _said(_either(start, "customParameters", "custom_parameters"))
    name = _name(both, "callSid", "call_sid", "call_control_id", "callControlId")
    read.call({"call": said.get("call", name)[: read.NAME_CHARS]})
    return Start(
        stream=_name(both, "streamSid", "stream_id", "stream_sid"),
        call=name,
        encoding=encoding,
        rate=rate,
        tracks=_tracks(start.get("tracks")),
        said=said,
        ani=_line(start, "from"),
        dnis=_line(start, "to"),
    )


def _object(text: str | bytes) -> Mapping[str, Any]:
    if not isinstance(text, str):
        raise MediaStreamError("message: is binary; send JSON as text")
    if len(text) > TEXT_CHARS:
        raise MediaStreamError(f"message: {len(text)} characters; send at most {TEXT_CHARS}", 1009)
    try:
        return read.mapping(load(text), "message")
    except FieldFault:
        raise
    except ValueError as error:
        raise MediaStreamError(f"message: is no JSON ({error}); send one JSON object") from None


def _payload(media: Mapping[str, Any]) -> bytes:
    value = media.get("payload")
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else _no_base64()
    except (binascii.Error, ValueError):
        return _no_base64()


def _no_base64() -> bytes:
    raise MediaStreamError("payload: is no base64 text")


def _told(track: str, found: list[bytes | Missing]) -> list[Outcome]:
    return [Hole(track, one.samples) if isinstance(one, Missing) else Sound(track, one) for one in found]


def _track(told: object) -> str | None:
    name = str(told).removesuffix("_track")
    return name if name in TRACKS else None


def _tracks(told: object) -> tuple[str, ...]:
    """What is announced; nothing where the sender announces nothing."""
    names = told if isinstance(told, list) else [told]
    found = {"both": TRACKS, "both_tracks": TRACKS}.get(str(told)) if isinstance(told, str) else None
    return found or tuple(dict.fromkeys(name for one in names[:8] if (name := _track(one)) is not None))


def _said(told: object) -> dict[str, str]:
    """The parameters that are lines of text; others are as if they were not there."""
    if not isinstance(told, dict):
        return {}
    return {name: value for name in list(told)[:64] if (value := _line(told, name, read.LINE_CHARS)) is not None}


def _number(raw: Mapping[str, Any], *names: str) -> int | None:
    """A whole number, written as a number or as text; None where there is none."""
    value = _either(raw, *names)
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    digits = isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 16
    if not (whole or digits) or not 0 <= int(value) < MOST_NUMBER:
        raise FieldFault(names[0], f"must be a whole number from 0 to {MOST_NUMBER}")
    return int(value)


def _name(raw: Mapping[str, Any], *names: str) -> str:
    found = next((name for name in names if raw.get(name)), names[0])
    return read.text(raw, found)


def _line(raw: Mapping[str, Any], name: str, limit: int = read.NAME_CHARS) -> str | None:
    try:
        return read.optional_text(raw, name, limit) if raw.get(name) else None
    except FieldFault:
        return None


def _either(raw: Mapping[str, Any], *names: str) -> Any:
    return next((raw[name] for name in names if raw.get(name) is not None), None)
