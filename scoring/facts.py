"""Everything a rule may ask: typed facts about one subject, each with what it rests on.

A subject is a call, a seat episode (a stretch in which nobody was seen at a seat) or, later, a record or a period.
A fact that cannot be known is an ``Unknown`` with its cause; it is never a default value. Facts travel as canonical
JSON (``dump`` and ``load``), and those bytes are part of what names a run. No files, no clock, no randomness.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from scoring.canonical import canonical
from scoring.errors import FactsError

Role = Literal["agent", "customer", "unknown"]
Direction = Literal["in", "out", "internal"]
End = Literal["answered", "abandoned", "no_answer", "redirected", "voicemail", "probe"]
Party = Literal["customer", "agent", "system", "unknown"]
How = Literal["exact", "variant", "pattern", "homophone"]


class Cause(StrEnum):
    """Why a fact or an outcome cannot be decided; counted and shown everywhere by these words."""

    GAP = "gap"  # audio that the rule needs is missing
    CONFIDENCE = "low_confidence"  # recognised too uncertainly to deduct for
    MIXED = "mixed_channel"  # one channel for both parties: nobody can say who spoke
    CLOCK = "clock"  # times contradict one another
    MISSING = "missing"  # no signalling, sidecar field or record says it
    REGISTER = "not_connected"  # the register that would say it is not connected at this site
    NO_TEXT = "no_transcript"  # nothing was recognised (no audio, no engine)
    SYNTHETIC = "synthetic"  # heard by the bundled test model outside the demo site
    DOUBTED = "doubted"  # a repetition loop, or too little speech under the text


@dataclass(frozen=True, slots=True)
class Unknown:
    """In place of a value: it cannot be known, and why."""

    cause: Cause


class Turn(NamedTuple):
    """One utterance. Times are milliseconds from the answer; confidence is 0 to 1, absent if the engine has none."""

    role: Role
    start_ms: int
    end_ms: int
    text: str
    confidence: Decimal | None = None
    doubted: bool = False


class Hit(NamedTuple):
    """A phrase or pattern found in a turn (index into ``turns``); times narrow to the phrase where they are known."""

    category: str
    entry: str
    role: Role
    start_ms: int
    end_ms: int
    text: str
    how: How
    turn: int
    confidence: Decimal | None = None
    severity: Literal["ordinary", "low", "critical"] = "ordinary"
    part: str = ""  # a sub-role of the entry, such as pre_closing


class Gap(NamedTuple):
    """Audio of one party that is missing, in milliseconds from the answer."""

    role: Role
    start_ms: int
    end_ms: int
    cause: str = "loss"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """One call at one seat. ``ring_*``: the seat's own ringing; times in seconds with milliseconds kept."""

    direction: Direction | Unknown
    end: End | Unknown
    ring_seconds: Decimal | Unknown
    ring_count: int | Unknown
    ring_source: Literal["phone", "clock", "audio", "none"]
    ring_period_s: Decimal
    ring_on_s: Decimal
    answer_seconds: Decimal | Unknown
    talk_ms: int | Unknown
    hold_ms: int | Unknown
    silence_ms: int | Unknown
    talk_over_ms: int | Unknown
    agent_share: Decimal | Unknown
    loudness_rise_db: Decimal | Unknown
    hung_up_by: Party
    channels: Literal["split", "mixed", "none"]
    text: Literal["recognised", "synthetic", "given", "none"]
    known_customer: bool | Unknown
    business: bool | Unknown
    transfers: int
    seat_was_ready: bool | Unknown
    language: Literal["zh", "ko"] = "zh"
    turns: tuple[Turn, ...] = ()
    hits: tuple[Hit, ...] = ()
    gaps: tuple[Gap, ...] = ()
    transfer_ms: int | Unknown | None = Unknown(Cause.MISSING)  # the first transfer, from the answer; None = none


@dataclass(frozen=True, slots=True)
class AwayFacts:
    """A stretch in which nobody was seen at the seat; ``ready_ms`` = the part of it with the seat set ready."""

    at: str
    until: str | Unknown
    away_ms: int | Unknown
    ready_ms: int | Unknown
    status: str
    source: Literal["presence", "person", "inferred"]
    approved: bool | Unknown
    told: bool | Unknown = Unknown(Cause.MISSING)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one subject. Exactly one of ``call`` and ``away`` is set."""

    subject: str  # call:ID or away:ID
    agent: str | None
    seat: str | None
    at: str | None  # aware ISO 8601 of the event's start
    call: CallFacts | None = None
    away: AwayFacts | None = None

    @property
    def kind(self) -> str:
        return self.subject.partition(":")[0]


def dump(facts: Facts) -> bytes:
    """Canonical JSON: sorted keys, decimals as strings, what is not known as ``{"unknown": cause}``."""
    try:
        return canonical(_plain(facts))
    except UnicodeEncodeError:
        raise FactsError(facts.subject, "a text holds half a character (a lone surrogate)", "repair the text") from None


def load(data: bytes) -> Facts:
    """The exact inverse of ``dump``; anything else is refused with its place."""
    try:
        raw = json.loads(data, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError) as error:
        raise FactsError("", f"not canonical JSON ({error})", "give the bytes that dump wrote") from None
    read: Facts = _reader(Facts)(raw, "facts")
    if (read.call is None) == (read.away is None):
        raise FactsError("facts", "exactly one of call and away must be set", "give the one that the subject is")
    return read


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return kind._fields if issubclass(kind, tuple) else tuple(field.name for field in fields(kind))


def _plain(value: Any) -> Any:
    kind: Any = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is Decimal:
        if not value.is_finite():
            raise FactsError("facts", f"{value} is no number", "use Unknown for what is not known")
        return str(value)
    if kind is tuple:
        return [_plain(one) for one in value]
    if kind is Unknown:
        return {"unknown": str(value.cause)}
    if kind in _VALUES:
        later = _LATER.get(kind, {})
        found = {name: getattr(value, name) for name in _names(kind)}
        return {name: _plain(one) for name, one in found.items() if name not in later or one != later[name]}
    raise FactsError("facts", f"{kind.__name__} is no kind of fact", "use str, int, bool, Decimal, tuple or Unknown")


def _no_float(text: str) -> Any:
    raise ValueError(f"{text} is a float; quote it")


_Read = Callable[[Any, str], Any]


@cache
def _reader(kind: Any) -> _Read:
    """A reader for one type of field; built once, then only called."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Union or origin is types.UnionType:
        return _one_of(tuple(_reader(one) for one in inner), inner)
    if origin is tuple:
        return _many(_reader(inner[0]))
    if origin is Literal:
        return _word(inner)
    if kind is Decimal:
        return _decimal
    if kind is Unknown:
        return _unknown
    if kind in _VALUES:
        return _record(kind)
    return _exactly(kind)


def _refuse(place: str, wanted: str, found: Any) -> FactsError:
    shown = repr(found)
    return FactsError(place, f"{shown[:60]} is not {wanted}", "give the bytes that dump wrote")


def _exactly(kind: type) -> _Read:
    def read(raw: Any, place: str) -> Any:
        if type(raw) is not kind:
            raise _refuse(place, f"a {kind.__name__}", raw)
        return raw

    return read


def _word(words: tuple[Any, ...]) -> _Read:
    def read(raw: Any, place: str) -> Any:
        if not isinstance(raw, str) or raw not in words:
            raise _refuse(place, f"one of {', '.join(words)}", raw)
        return raw

    return read


def _decimal(raw: Any, place: str) -> Decimal:
    try:
        value = Decimal(raw) if isinstance(raw, str) else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or str(value) != raw:
        raise _refuse(place, "a number as a string", raw)
    return value


def _unknown(raw: Any, place: str) -> Unknown:
    if not isinstance(raw, dict) or set(raw) != {"unknown"} or raw["unknown"] not in set(Cause):
        raise _refuse(place, 'an unknown as {"unknown": cause}', raw)
    return Unknown(Cause(raw["unknown"]))


def _many(one: _Read) -> _Read:
    def read(raw: Any, place: str) -> Any:
        if not isinstance(raw, list):
            raise _refuse(place, "a list", raw)
        return tuple(one(item, f"{place}[{at}]") for at, item in enumerate(raw))

    return read


def _one_of(readers: tuple[_Read, ...], kinds: tuple[Any, ...]) -> _Read:
    """``X | Unknown`` and ``X | None``: the unknown and the absent are told apart by their form, never by trying."""
    by_kind = dict(zip(kinds, readers, strict=True))
    unknown, absent = by_kind.pop(Unknown, None), by_kind.pop(type(None), None)
    (value,) = by_kind.values()

    def read(raw: Any, place: str) -> Any:
        if unknown is not None and isinstance(raw, dict) and "unknown" in raw:
            return unknown(raw, place)
        if raw is None and absent is not None:
            return None
        return value(raw, place)

    return read


def _record(kind: Any) -> _Read:
    hints = get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _names(kind)}
    later = _LATER.get(kind, {})

    def read(raw: Any, place: str) -> Any:
        if not isinstance(raw, dict):
            raise _refuse(place, f"a mapping with the fields of {kind.__name__}", raw)
        wrong = sorted((readers.keys() ^ raw.keys()) - later.keys())
        if wrong:
            says = "is no field" if wrong[0] in raw else "is missing"
            raise FactsError(f"{place}.{wrong[0]}", says, "give the bytes that dump wrote")
        return kind(**{name: readers[name](raw[name], f"{place}.{name}") for name in readers if name in raw})

    return read


# Fields that came later: written only where they say something, so that older facts keep their bytes and their runs.
_LATER: dict[type, dict[str, Any]] = {
    CallFacts: {"transfer_ms": Unknown(Cause.MISSING)},
    AwayFacts: {"told": Unknown(Cause.MISSING)},
}
_VALUES = frozenset({Facts, CallFacts, AwayFacts, Turn, Hit, Gap})
