"""Facts as the store has kept them: the bytes that ``dump`` wrote, read back fast, without proving them again.

``facts.load`` proves every field and refuses what a release did not write; this reads archives, also of older releases:
a metric that was never computed is unknown there, and no call is passed over for it. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from pydantic_core import from_json

from scoring.errors import FactsError
from scoring.facts import AwayFacts, CallFacts, Cause, Facts, Gap, Hit, Turn, Unknown

NEVER = Unknown(Cause.MISSING)  # in place of what no release had computed when the facts were stored
_TURNS = b'"turns":['  # a quote inside a text is escaped: these bytes stand only at the key itself
_EXACT = frozenset({
    "ring_seconds", "ring_period_s", "ring_on_s", "answer_seconds", "agent_share", "loudness_rise_db", "confidence",
})  # fmt: skip
_WITHOUT: Mapping[str, Any] = {"turns": (), "hits": (), "gaps": (), "text": "none", "language": "zh"}
_causes = {str(one): Unknown(one) for one in Cause}
_number = lru_cache(maxsize=65536)(Decimal)
_new, _tuple = object.__new__, tuple.__new__

Fill = Callable[[Any, Mapping[str, Any]], None]


def read(data: bytes, text: bool = True) -> Facts:
    """The facts of one subject; without ``text`` its turns, hits and gaps are left out, for rules that ask for none."""
    try:
        raw = from_json(data if text else _cut(data), cache_strings="keys")
        return _facts(raw, text)
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError) as error:
        raise FactsError("facts", f"these bytes are no stored facts ({error})", "see `seatwatch verify`") from None


def _cut(data: bytes) -> bytes:
    """Without the list of turns, the longest part by far."""
    start = data.find(_TURNS)
    end = data.rfind(b"]}", start) if start >= 0 else -1
    return data if end < 0 else data[: start + len(_TURNS)] + data[end:]


def _facts(raw: Mapping[str, Any], text: bool) -> Facts:
    call, away = raw["call"], raw["away"]
    if (call is None) == (away is None):
        raise ValueError("exactly one of call and away is wanted")
    return Facts(
        raw["subject"], raw["agent"], raw["seat"], raw["at"],
        None if call is None else _call(call, text),
        None if away is None else _away(away),
    )  # fmt: skip


def _value(name: str, value: Any) -> Any:
    if type(value) is dict:
        return _causes.get(value["unknown"], NEVER)
    return _number(value) if value is not None and name in _EXACT else value


def _filler(kind: Any, names: Iterable[str]) -> Fill:
    """Sets the slots of a frozen value straight from a mapping."""
    plain = [(name, getattr(kind, name).__set__) for name in names if name not in _EXACT]
    exact = [(name, getattr(kind, name).__set__) for name in names if name in _EXACT]

    def fill(one: Any, raw: Mapping[str, Any]) -> None:
        for name, put in plain:
            value = raw.get(name, NEVER)
            put(one, _causes.get(value["unknown"], NEVER) if type(value) is dict else value)
        for name, put in exact:
            value = raw.get(name, NEVER)
            put(one, _number(value) if type(value) is str else _value(name, value) if type(value) is dict else value)

    return fill


_fill_call = _filler(CallFacts, [one.name for one in fields(CallFacts) if one.name not in _WITHOUT])
_fill_away = _filler(AwayFacts, [one.name for one in fields(AwayFacts)])
_call_slots = {name: getattr(CallFacts, name).__set__ for name in _WITHOUT}


def _call(raw: Mapping[str, Any], text: bool) -> CallFacts:
    one = _new(CallFacts)
    _fill_call(one, raw)
    _call_slots["text"](one, raw.get("text", "none") if "turns" in raw and "hits" in raw else "none")
    _call_slots["language"](one, raw.get("language", "zh"))
    _call_slots["turns"](one, _many(_turn, raw.get("turns")) if text else ())
    _call_slots["hits"](one, _many(_hit, raw.get("hits")) if text else ())
    _call_slots["gaps"](one, _many(_gap, raw.get("gaps")) if text else ())
    return one


def _away(raw: Mapping[str, Any]) -> AwayFacts:
    one = _new(AwayFacts)
    _fill_away(one, raw)
    return one


def _many(make: Callable[[Mapping[str, Any]], Any], rows: Any) -> tuple[Any, ...]:
    return tuple([make(row) for row in rows]) if rows else ()


_LATER: Mapping[str, Any] = {"confidence": None, "doubted": False, "severity": "ordinary", "part": ""}
_of_turn, _of_hit, _of_gap = (itemgetter(*kind._fields) for kind in (Turn, Hit, Gap))


def _picked(pick: Callable[[Any], Any], raw: Mapping[str, Any]) -> Any:
    """The values in their order; older releases wrote fewer of them."""
    try:
        return pick(raw)
    except KeyError:
        return pick({**_LATER, **raw})


def _turn(raw: Mapping[str, Any]) -> Turn:
    role, start, end, text, sure, doubted = _picked(_of_turn, raw)
    return _tuple(Turn, (role, start, end, text, None if sure is None else _number(sure), doubted))


def _hit(raw: Mapping[str, Any]) -> Hit:
    *lead, sure, severity, part = _picked(_of_hit, raw)
    return _tuple(Hit, (*lead, None if sure is None else _number(sure), severity, part))


def _gap(raw: Mapping[str, Any]) -> Gap:
    return _tuple(Gap, _of_gap(raw))
