"""The messages of AudioHook clients, read strictly and with limits. No state, no sockets.

external is the customer, internal the agent: that is the protocol's own meaning of the words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ingest import fields as read
from ingest.body import load
from ingest.errors import AudioHookError
from ingest.fields import FieldFault
from ingest.legs import WIDTHS
from ingest.reach import LONGEST_S

VERSION = "2"
RATE = 8000
TEXT_CHARS = 65535
MOST_SEQ = 1 << 53
LONGEST = int(LONGEST_S) * RATE
MOST_OFFERS = 32
MOST_CONTINUED = 16
ROLES = {"external": "customer", "internal": "agent"}
ENCODINGS = {"PCMU": "ulaw", "L16": "slin"}
REASONS = ("end", "error", "disconnect", "reconnect")
NULL_ID = "00000000-0000-0000-0000-000000000000"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DURATION = re.compile(r"PT([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})S")


@dataclass(frozen=True, slots=True)
class Message:
    """What every message of a client carries; the position is checked and not used: what came is counted instead."""

    type: str
    id: str
    seq: int
    serverseq: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Media:
    """How the audio comes: the samples of the channels in turn."""

    format: str
    channels: tuple[str, ...]

    @property
    def encoding(self) -> str:
        return ENCODINGS[self.format]

    @property
    def width(self) -> int:
        """Bytes of one sample of one channel."""
        return WIDTHS[self.encoding]

    def split(self, data: bytes) -> tuple[bytes, ...]:
        """One part for each channel; AudioHookError when the last sample is not whole."""
        count = len(self.channels)
        if len(data) % (self.width * count):
            raise AudioHookError(f"audio: {len(data)} bytes are no whole samples of {count} channels of {self.format}")
        if count == 1:
            return (data,)
        samples = memoryview(data).cast("H" if self.width == 2 else "B")
        return tuple(samples[channel::count].tobytes() for channel in range(count))

    def to_json(self) -> dict[str, Any]:
        return {"type": "audio", "format": self.format, "channels": list(self.channels), "rate": RATE}


@dataclass(frozen=True, slots=True)
class Open:
    """What a client says of the call. A probe only tests the line: it has no conversation and no participant."""

    organization: str
    conversation: str
    participant: str
    media: Media | None
    ani: str | None
    dnis: str | None
    language: str | None
    seat: str | None
    agent: str | None
    continued: tuple[str, ...] = ()

    @property
    def probe(self) -> bool:
        return self.conversation == NULL_ID and self.participant == NULL_ID


def read_message(text: str) -> Message:
    """AudioHookError says what is wrong with it."""
    if len(text) > TEXT_CHARS:
        raise AudioHookError(f"message: {len(text)} characters; send at most {TEXT_CHARS}", 1009)
    try:
        raw = read.mapping(load(text), "message")
        if raw.get("version") != VERSION:
            raise FieldFault("version", f'must be "{VERSION}"')
        duration(raw, "position")
        return Message(
            type=read.text(raw, "type"),
            id=ident(raw, "id"),
            seq=read.count(raw, "seq", MOST_SEQ),
            serverseq=read.count(raw, "serverseq", MOST_SEQ),
            parameters=read.mapping(raw.get("parameters"), "parameters"),
        )
    except FieldFault as fault:
        raise AudioHookError(f"message: {fault}") from None
    except ValueError as error:
        raise AudioHookError(f"message: is no JSON ({error}); send one JSON object") from None


def read_open(parameters: Mapping[str, Any]) -> Open:
    try:
        who = read.mapping(parameters.get("participant"), "participant")
        custom = parameters.get("customConfig")
        custom = custom if isinstance(custom, dict) else {}
        return Open(
            organization=ident(parameters, "organizationId"),
            conversation=ident(parameters, "conversationId"),
            participant=ident(who, "id"),
            media=choose(parameters.get("media")),
            ani=optional_line(who, "ani"),
            dnis=optional_line(who, "dnis"),
            language=optional_line(parameters, "language"),
            seat=optional_line(custom, "seat"),
            agent=optional_line(custom, "agent"),
            continued=_continued(parameters.get("continuedSessions")),
        )
    except FieldFault as fault:
        raise AudioHookError(f"open: {fault}") from None


def choose(offered: object) -> Media | None:
    """Of what is offered the first with both parties, else the first that fits; None where nothing does."""
    if not isinstance(offered, list) or len(offered) > MOST_OFFERS:
        raise FieldFault("media", f"must be a list of at most {MOST_OFFERS} offers")
    fitting = [media for one in offered if (media := _media(one)) is not None]
    both = [media for media in fitting if len(media.channels) == 2]
    return next(iter(both or fitting), None)


def _media(offer: object) -> Media | None:
    if not isinstance(offer, dict) or offer.get("type") != "audio" or offer.get("rate") != RATE:
        return None
    form, channels = offer.get("format"), offer.get("channels")
    if form not in tuple(ENCODINGS) or not isinstance(channels, list) or not 1 <= len(channels) <= 2:
        return None
    if any(channel not in tuple(ROLES) for channel in channels) or (len(channels) == 2 and channels[0] == channels[1]):
        return None
    return Media(str(form), tuple(channels))


def _continued(told: object) -> tuple[str, ...]:
    """The sessions that this one goes on from."""
    if told is None:
        return ()
    if not isinstance(told, Sequence) or isinstance(told, str) or len(told) > MOST_CONTINUED:
        raise FieldFault("continuedSessions", f"must be a list of at most {MOST_CONTINUED} sessions")
    return tuple(ident(read.mapping(one, "continuedSessions"), "id") for one in told)


def close_reason(parameters: Mapping[str, Any]) -> str:
    """Why the client closes; a reason that nobody knows is still an end."""
    reason = parameters.get("reason")
    return reason if isinstance(reason, str) and reason in REASONS else "end"


def ident(raw: Mapping[str, Any], field: str) -> str:
    value = read.text(raw, field).lower()
    if not _ID.fullmatch(value):
        raise FieldFault(field, f"must be a UUID such as {NULL_ID}")
    return value


def is_ident(value: str) -> bool:
    return _ID.fullmatch(value.lower()) is not None


def duration(raw: Mapping[str, Any], field: str) -> int:
    """Samples; AudioHookError when it is none such as PT1.5S, or beyond any call."""
    told = raw.get(field)
    found = _DURATION.fullmatch(told) if isinstance(told, str) else None
    if found is None:
        raise AudioHookError(f"{field}: must be seconds such as PT1.5S")
    return round(Decimal(found[1]) * RATE)


def optional_line(raw: Mapping[str, Any], field: str) -> str | None:
    """A line of text that is only passed on; what cannot be one is as if it were not there."""
    try:
        return read.optional_text(raw, field) if raw.get(field) else None
    except FieldFault:
        return None
