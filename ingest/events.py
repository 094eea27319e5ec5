"""The events of ``POST /events`` as frozen values, read strictly, written canonically. No sockets, no clock.

Common fields: ``source`` and ``id`` make an event unique, ``at`` is the sender's clock with its offset, ``extra`` holds
every key that nobody here knows, as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from ingest import fields as read
from ingest.fields import FieldFault

EVENT_BYTES = 16 * 1024  # one event, as canonical JSON
DIRECTIONS = ("in", "out", "internal")
PARTIES = ("customer", "agent", "system", "unknown")
ROLES = ("agent", "customer", "unknown")
STATES = ("offline", "ready", "busy", "ringing", "talking", "hold", "wrap_up", "off_hook", "unreachable", "unknown")
CONFIDENCE = ("observed", "snapshot", "inferred")
PRESENT = ("yes", "no", "unknown")
WITNESSES = ("sensor", "person", "inferred")
TRANSFERS = ("blind", "attended")
MAX_RINGS = 1000
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event carries."""

    type: ClassVar[str] = ""
    source: str
    id: str
    at: datetime
    call: str | None = None
    leg: str | None = None
    seat: str | None = None
    agent: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered(Event):
    """A call was offered to a seat. ``number`` is the other party, masked; a probe is the PBX testing the line."""

    type: ClassVar[str] = "offered"
    direction: str | None = None
    queue: str | None = None
    number: str | None = None
    probe: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing(Event):
    """The seat's phone began to ring."""

    type: ClassVar[str] = "ringing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Event):
    """The seat picked up."""

    type: ClassVar[str] = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirected(Event):
    """The offer went elsewhere before an answer; ``to`` is a seat, a queue or the word voicemail."""

    type: ClassVar[str] = "redirected"
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Event):
    type: ClassVar[str] = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    type: ClassVar[str] = "resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transferred(Event):
    type: ClassVar[str] = "transferred"
    to: str | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    """The call is over; naming a seat while other seats are still in the call, only that seat has left it.

    ``rings`` = the phone's own count, where it counts them.
    """

    type: ClassVar[str] = "ended"
    by: str = "unknown"
    rings: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg(Event):
    """Whose audio a leg is, and by which one-time UUID or token it comes."""

    type: ClassVar[str] = "leg"
    role: str = "unknown"
    audiosocket: str | None = None
    stream: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat(Event):
    """A seat changed its state."""

    type: ClassVar[str] = "seat"
    status: str = "unknown"
    reason: str | None = None
    confidence: str = "observed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(Event):
    """Somebody is, or is not, at the seat; ``by`` says what saw it."""

    type: ClassVar[str] = "presence"
    present: str = "unknown"
    by: str = "sensor"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken: which field, and why."""

    field: str
    reason: str


KINDS: dict[str, type[Event]] = {
    kind.type: kind
    for kind in (
        Offered, Ringing, Answered, Redirected, Held, Resumed, Transferred, Ended, Leg, Seat, Presence,
    )
}  # fmt: skip
_COMMON = frozenset({"source", "id", "at", "type", "call", "leg", "seat", "agent"})
_OWN: dict[str, frozenset[str]] = {
    "offered": frozenset({"direction", "queue", "number", "probe"}),
    "redirected": frozenset({"to"}),
    "transferred": frozenset({"to", "how"}),
    "ended": frozenset({"by", "rings"}),
    "leg": frozenset({"role", "audio", "channel"}),
    "seat": frozenset({"status", "reason", "confidence"}),
    "presence": frozenset({"present", "by"}),
}


def parse_event(raw: object) -> Event | Refusal:
    """One JSON value as an event, or the first fault found in it."""
    try:
        return _parse(read.mapping(raw, "event"))
    except FieldFault as fault:
        return Refusal(fault.field, fault.reason)


def posted(value: object) -> object | Refusal:
    """What a program sends, unless it says what is nonsense at the door. What is stored already, and what a switchboard
    hands on of its callers, is read all the same: nobody may leave the record by a character in his name."""
    if not isinstance(value, dict):
        return value
    try:
        _sensible(value)
    except FieldFault as fault:
        return Refusal(fault.field, fault.reason)
    return value


def _sensible(raw: Mapping[str, Any]) -> None:
    read.optional_count(raw, "seq", read.INT64 - 1)
    kind = raw.get("type")
    own = _OWN.get(kind, frozenset()) if isinstance(kind, str) else frozenset()
    for name in sorted(_COMMON | own):
        if isinstance(raw.get(name), str):
            read.plain(raw[name], name)
    audio = raw.get("audio")
    if kind == "leg" and isinstance(audio, dict) and sum(value is not None for value in audio.values()) != 1:
        raise FieldFault("audio", 'must be exactly one of {"audiosocket": UUID} and {"stream": TOKEN}; leave it out '
                         "where neither is known")  # fmt: skip


def _parse(raw: Mapping[str, Any]) -> Event:
    kind = read.choice(raw, "type", tuple(KINDS))
    common: dict[str, Any] = {
        "source": read.text(raw, "source"),
        "id": read.text(raw, "id"),
        "at": read.moment(raw, "at"),
        "call": read.call(raw),
        "leg": read.optional_text(raw, "leg"),
        "seat": read.optional_text(raw, "seat"),
        "agent": read.optional_text(raw, "agent"),
        "extra": read.keep(raw, _COMMON | _OWN.get(kind, frozenset())),
    }
    need = "seat" if kind in ("seat", "presence") else "call"
    if common[need] is None:
        raise FieldFault(need, f"is missing; every {kind} event names its {need}")
    own = _READ[kind](raw) if kind in _READ else {}
    event = KINDS[kind](**common, **own)
    if len(canonical(event)) > EVENT_BYTES:
        raise FieldFault("event", f"is larger than {EVENT_BYTES} bytes; send less beside the known keys")
    return event


def _offered(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "direction": read.optional_choice(raw, "direction", DIRECTIONS),
        "queue": read.optional_text(raw, "queue"),
        "number": read.optional_text(raw, "number"),
        "probe": _flag(raw, "probe"),
    }


def _redirected(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {"to": read.optional_text(raw, "to")}


def _transferred(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {"to": read.optional_text(raw, "to"), "how": read.optional_choice(raw, "how", TRANSFERS)}


def _ended(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "by": read.optional_choice(raw, "by", PARTIES) or "unknown",
        "rings": read.optional_count(raw, "rings", MAX_RINGS),
    }


def _leg(raw: Mapping[str, Any]) -> dict[str, Any]:
    read.text(raw, "leg")
    audio = read.mapping(raw.get("audio", {}), "audio")
    if unknown := sorted(audio.keys() - {"audiosocket", "stream"}):
        raise FieldFault("audio", f"has the unknown key {unknown[0][:40]!r}; audiosocket and stream are known")
    ident, token = read.optional_text(audio, "audiosocket"), read.optional_text(audio, "stream", read.LINE_CHARS)
    if ident is not None and not _UUID.fullmatch(ident.lower()):
        raise FieldFault("audio.audiosocket", "must be a UUID such as 0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11")
    return {
        "role": read.optional_choice(raw, "role", ROLES) or "unknown",
        "audiosocket": ident.lower() if ident else None,
        "stream": token,
        "channel": read.optional_text(raw, "channel"),
    }


def _seat(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "status": read.choice(raw, "status", STATES),
        "reason": read.optional_text(raw, "reason", read.LINE_CHARS),
        "confidence": read.optional_choice(raw, "confidence", CONFIDENCE) or "observed",
    }


def _presence(raw: Mapping[str, Any]) -> dict[str, Any]:
    value = raw.get("present")
    present = ("no", "yes")[value] if isinstance(value, bool) else read.choice(raw, "present", PRESENT)
    return {"present": present, "by": read.optional_choice(raw, "by", WITNESSES) or "sensor"}


_READ: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "offered": _offered,
    "redirected": _redirected,
    "transferred": _transferred,
    "ended": _ended,
    "leg": _leg,
    "seat": _seat,
    "presence": _presence,
}


def _flag(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name, False)
    if not isinstance(value, bool):
        raise FieldFault(name, "must be true or false")
    return value


def to_json(event: Event) -> dict[str, Any]:
    """The event as it would be sent again; what is absent stays absent."""
    out: dict[str, Any] = {"source": event.source, "id": event.id, "at": event.at.isoformat(), "type": event.type}
    for name in ("call", "leg", "seat", "agent"):
        if (value := getattr(event, name)) is not None:
            out[name] = value
    if isinstance(event, Leg):
        audio = {"audiosocket": event.audiosocket, "stream": event.stream}
        out |= {"role": event.role, "audio": {key: value for key, value in audio.items() if value is not None}}
    for name in sorted(_OWN.get(event.type, frozenset()) - {"role", "audio"}):
        if (value := getattr(event, name)) is not None and value is not False:
            out[name] = value
    return {**event.extra, **out}


def canonical(event: Event) -> bytes:
    """The bytes that are stored: sorted keys, UTF-8, no spaces. A store may give a fraction back as a Decimal."""
    told = to_json(event)
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_fraction).encode()


def _fraction(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
