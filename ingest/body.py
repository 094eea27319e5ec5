"""Splits the body of ``POST /events`` into JSON values, JSON or JSON Lines. Does not look into the events."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ingest.errors import BodyError
from ingest.events import Refusal

BODY_BYTES = 4 * 1024 * 1024
MOST_EVENTS = 1000


def split_body(body: bytes) -> list[object | Refusal]:
    """The values of one request; a line that is no JSON becomes its ``Refusal``. Raises BodyError for the whole."""
    if len(body) > BODY_BYTES:
        raise BodyError(f"body: has {len(body)} bytes; send at most {BODY_BYTES} in one request", 413)
    text = _decode(body)
    if text.lstrip()[:1] == "[":
        values: list[object | Refusal] = list(_whole(text))
    else:
        values = _lines(text)
    if len(values) > MOST_EVENTS:
        raise BodyError(f"body: has {len(values)} events; send at most {MOST_EVENTS} in one request", 413)
    return values


def _decode(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BodyError(f"body: byte {error.start} is no UTF-8; send JSON in UTF-8") from None
    if not text.strip():
        raise BodyError("body: is empty; send one event, a JSON list of events, or one event a line")
    return text


def _whole(text: str) -> list[Any]:
    try:
        values = load(text)
    except ValueError as error:
        raise BodyError(f"body: is no JSON list ({error}); send a list, or one event a line") from None
    if not isinstance(values, list):
        raise BodyError("body: is no JSON list; send a list, or one event a line")
    return values


def _lines(text: str) -> list[object | Refusal]:
    try:
        return [load(text)]
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > MOST_EVENTS:
        raise BodyError(f"body: has {len(lines)} lines; send at most {MOST_EVENTS} events in one request", 413)
    return [_line(line) for line in lines]


def _line(line: str) -> object | Refusal:
    try:
        value: object = load(line)
        return value
    except ValueError as error:
        return Refusal("", f"the line is no JSON ({error})")


def load(text: str) -> Any:
    """JSON as the standard has it: no NaN, no key twice, no bottomless nesting. Raises ValueError only."""
    try:
        return json.loads(text, parse_constant=_constant, object_pairs_hook=_pairs)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found
