"""Values set in a TOML file as it is written: comments, order and everything else stay. Pure text.

What comes out is read again and compared with what was meant; a file that is written in a way that this does not
understand is refused, never damaged.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]\]?\s*(#.*)?$")
_ANY_HEADER = re.compile(r"\s*\[")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_COMMENT = re.compile(r"""\s+#[^"']*$""")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Unsafe(Exception):
    """The text could not be edited so that it says what was meant."""


@dataclass(frozen=True, slots=True)
class Table:
    """One ``[[kind]]`` with a name of its own, and the keys that are set in it."""

    kind: str
    name: str
    values: Mapping[str, Any]


def literal(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(str(name))} = {literal(one)}" for name, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(one) for one in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else literal(name)


def edited(text: str, top: Mapping[str, Any], tables: Sequence[Table] = ()) -> str:
    """The text with these values; raises Unsafe, or tomllib's error for a text that is no TOML."""
    meant = _meant(tomllib.loads(text), top, tables)
    lines = lines_of(text)
    for name, value in top.items():
        if tomllib.loads(text).get(name) != _plain(value):
            lines = _set(lines, (0, _head_end(lines)), name, value)
    for table in tables:
        lines = _in_table(lines, table)
    new = "\n".join(lines) + "\n"
    try:
        same = tomllib.loads(new) == meant
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise Unsafe
    return new


def lines_of(text: str) -> list[str]:
    """Only line feeds end a line: other signs that are taken for one may stand inside of a value."""
    return text.removesuffix("\n").split("\n") if text else []


def _plain(value: Any) -> Any:
    """As TOML gives it back."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _meant(data: dict[str, Any], top: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, Any]:
    found = data | {name: _plain(value) for name, value in top.items()}
    for table in tables:
        rows = [dict(one) for one in found.get(table.kind, [])]
        mine = next((one for one in rows if one.get("name") == table.name), None)
        if mine is None:
            rows.append(mine := {"name": table.name})
        mine |= {name: _plain(value) for name, value in table.values.items()}
        found[table.kind] = rows
    return found


def _head_end(lines: Sequence[str]) -> int:
    """The line of the first table, or the end; comments right above a table are the table's."""
    at = next((at for at, line in enumerate(lines) if _ANY_HEADER.match(line) and _begins(lines, at)), len(lines))
    return at


def _begins(lines: Sequence[str], at: int) -> bool:
    """Whether this line stands by itself, and not inside of a value that goes over several lines."""
    try:
        tomllib.loads("\n".join(lines[:at]))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _extent(lines: Sequence[str], at: int, end: int) -> int:
    """The line after the value that begins here."""
    for after in range(at + 1, end + 1):
        try:
            tomllib.loads("\n".join(lines[at:after]))
        except tomllib.TOMLDecodeError:
            continue
        return after
    raise Unsafe


def _set(lines: list[str], within: tuple[int, int], name: str, value: Any) -> list[str]:
    first, end = within
    new, at = f"{name} = {literal(value)}", first
    last = None
    while at < end:
        key = _KEY.match(lines[at])
        if not key:
            at += 1
            continue
        after = _extent(lines, at, end)
        if key[1] == name:
            comment = _COMMENT.search(lines[at]) if after == at + 1 else None
            return [*lines[:at], new + (comment[0] if comment else ""), *lines[after:]]
        last = at = after
    return _inserted(lines, within, name, new, last)


def _inserted(lines: list[str], within: tuple[int, int], name: str, new: str, last: int | None) -> list[str]:
    """Behind the line that shows it as a comment, else behind the last value, else at the end of what is there."""
    first, end = within
    shown = re.compile(rf"\s*#\s*{re.escape(name)}\s*=")
    place = next((at + 1 for at in range(first, end) if shown.match(lines[at])), last)
    if place is None:
        place = end
        while place > first and end < len(lines) and (not lines[place - 1].strip() or lines[place - 1].startswith("#")):
            place -= 1  # the comment above the first table belongs to it
    return [*lines[:place], new, *lines[place:]]


def _in_table(lines: list[str], table: Table) -> list[str]:
    within = _place(lines, table)
    if within is None:
        head = [*lines, *([""] if lines and lines[-1].strip() else []), f"[[{table.kind}]]"]
        own = {"name": table.name, **table.values}
        return [*head, *(f"{name} = {literal(value)}" for name, value in own.items())]
    for name, value in table.values.items():
        first, end = _place(lines, table) or within
        stands = tomllib.loads("\n".join(lines[first:end]))
        if stands.get(name) != _plain(value):
            lines = _set(lines, (first, end), name, value)
    return lines


def _place(lines: Sequence[str], table: Table) -> tuple[int, int] | None:
    """Where the keys of that table stand: the lines after its head, up to the next head."""
    heads = [at for at, line in enumerate(lines) if _ANY_HEADER.match(line) and _begins(lines, at)]
    for at, after in zip(heads, [*heads, len(lines)][1:], strict=True):
        head = _HEADER.match(lines[at])
        if head and head[1] == "[[" and head[2] == table.kind:
            end = after
            while end > at + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
                end -= 1
            if tomllib.loads("\n".join(lines[at + 1 : end])).get("name") == table.name:
                return at + 1, end
    return None
