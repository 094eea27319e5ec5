"""The Range header of HTTP, read for one file: whole, a part, or a part that does not exist. No I/O."""

from __future__ import annotations

import re

_ONE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)", re.ASCII)
MOST_DIGITS = 18


class Unsatisfiable(Exception):
    """The part lies outside of the file."""


def read(header: str | None, size: int) -> tuple[int, int] | None:
    """(first, last) byte of the part, both inside the file; None = the whole file.

    Several parts at once and forms that are no byte range are answered with the whole file, as RFC 9110 lets us.
    """
    found = _ONE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or len(found[0]) > 2 * MOST_DIGITS or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        return _suffix(int(found["last"]), size)
    first = int(found["first"])
    last = min(int(found["last"]), size - 1) if found["last"] else size - 1
    if found["last"] and int(found["last"]) < first:
        return None
    if first >= size:
        raise Unsatisfiable(f"the file has {size} bytes")
    return first, last


def _suffix(length: int, size: int) -> tuple[int, int]:
    if length == 0 or size == 0:
        raise Unsatisfiable(f"the file has {size} bytes")
    return max(0, size - length), size - 1
