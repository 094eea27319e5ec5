"""The body of a SIP message as its parts, multipart or not. Understands none of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.errors import SipError
from ingest.sip import Message

PARTS = 16
_BOUNDARY = re.compile(r"""boundary\s*=\s*("([^"\\]{1,200})"|[^\s;"]{1,200})""", re.IGNORECASE)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """``kind`` is the media type in lower case, without its parameters."""

    kind: str
    disposition: str
    data: bytes


def parts(message: Message) -> list[Part]:
    """No body has no parts; a body that is not multipart is one. A multipart within a multipart is one part, unread."""
    if not message.body.strip():
        return []
    if (message.get("content-encoding") or "identity").lower() != "identity":
        raise SipError("body: is compressed; send it plain", 415)
    kind = _kind(message.get("content-type") or "")
    if not kind.startswith("multipart/"):
        return [Part(kind, (message.get("content-disposition") or "").lower(), message.body)]
    found = _BOUNDARY.search(message.get("content-type") or "")
    if found is None:
        raise SipError("content-type: multipart without a boundary")
    return split(message.body, found[2] or found[1])


def split(body: bytes, boundary: str) -> list[Part]:
    """Between the boundaries; lines may end with LF alone, and the last boundary may be missing its dashes."""
    line = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|$)")
    marks = list(line.finditer(body))
    if not marks:
        raise SipError("body: the boundary of its Content-Type is not in it")
    if len(marks) > PARTS + 1:
        raise SipError(f"body: more than {PARTS} parts", 413)
    out: list[Part] = []
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        if mark[1]:
            break
        data = body[mark.end() : after.start() if after else len(body)]
        if data.strip():
            out.append(_part(data))
    return out


def _part(data: bytes) -> Part:
    """A part that begins with an empty line has no headers of its own."""
    data = data.removeprefix(b"\r").removeprefix(b"\n")
    if data[:1] == b"\n" or data[:2] == b"\r\n":
        return Part("", "", data.removeprefix(b"\r").removeprefix(b"\n"))
    end = _END_OF_HEAD.search(data)
    if end is None:
        raise SipError("body: a part without an empty line behind its headers")
    said = dict(_pair(line) for line in data[: end.start()].decode("utf-8", "replace").splitlines() if ":" in line)
    return Part(_kind(said.get("content-type", "")), said.get("content-disposition", "").lower(), data[end.end() :])


def _pair(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    name = name.strip().lower()
    return {"c": "content-type"}.get(name, name), value.strip()


def _kind(value: str) -> str:
    return value.partition(";")[0].strip().lower()
