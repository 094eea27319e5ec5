"""The Asterisk Manager Interface as bytes: blocks in, actions out. Knows no calls, no seats, no sockets and no clock.

A block is lines of ``Key: Value`` up to an empty line. What is longer than the limits, or is no such line, is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ingest.errors import AmiError

Block = Mapping[str, str]
BANNER = b"Asterisk Call Manager/"
LINE_BYTES = 16 * 1024
BLOCK_BYTES = 64 * 1024
BLOCK_LINES = 512
VALUE_CHARS = 4096  # of what we send
TEXT_CHARS = 128  # of a name that a stranger may choose
YEARS = (2000, 2100)
_KEY = re.compile(rb"[A-Za-z][A-Za-z0-9_.()/-]{0,127}")
_STAMP = re.compile(r"(\d{1,11})(?:\.(\d{1,9}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AmiParser:
    """One connection. ``feed`` raises AmiError at the first line that cannot be, after the blocks that came before."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # so many bytes of the buffer are known to hold no line end
        self._fields: dict[str, str] = {}
        self._bytes = self._lines = 0
        self._first = True
        self.banner: str | None = None

    @property
    def rest(self) -> int:
        """Bytes of a block that is not complete."""
        return len(self._buffer) + self._bytes

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that these bytes complete."""
        self._buffer += data
        return self._blocks()

    def _blocks(self) -> Iterator[Block]:
        while (line := self._line()) is not None:
            if not line:
                if self._fields:
                    done, self._fields = self._fields, {}
                    self._bytes = self._lines = 0
                    yield done
                continue
            if self._first and line.startswith(BANNER):
                self.banner = _text(line)[:TEXT_CHARS]
            else:
                self._field(line)
            self._first = False

    def _line(self) -> bytes | None:
        """The next whole line without its end; a lone newline ends a line too."""
        end = self._buffer.find(b"\n", self._searched)
        if (end if end >= 0 else len(self._buffer)) > LINE_BYTES:
            raise AmiError(f"AMI line: longer than {LINE_BYTES} bytes; this is no manager port, or filter the event")
        if end < 0:
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line.removesuffix(b"\r")

    def _field(self, line: bytes) -> None:
        key, colon, value = line.partition(b":")
        if not colon or not _KEY.fullmatch(key) or b"\0" in value:
            where = "first line" if self._first else "AMI line"
            raise AmiError(f"{where}: {line[:40]!r} is no `Key: Value`; connect to Asterisk's manager port (5038)")
        self._bytes += len(line)
        self._lines += 1
        if self._bytes > BLOCK_BYTES or self._lines > BLOCK_LINES:
            raise AmiError(f"AMI block: more than {BLOCK_BYTES} bytes or {BLOCK_LINES} lines; filter the event")
        self._fields.setdefault(key.decode("ascii"), _text(value.strip()))  # a key that comes again adds nothing


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def action(name: str, **fields: str) -> bytes:
    """One action as it goes over the wire. No value can end its line and begin another."""
    out = []
    for key, value in {"Action": name, **fields}.items():
        if not _KEY.fullmatch(key.encode()) or len(value) > VALUE_CHARS:
            raise ValueError(f"AMI field {key[:40]}: no name, or more than {VALUE_CHARS} characters; shorten it")
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise ValueError(f"AMI field {key}: holds a control character; write one line of plain text")
        out.append(f"{key}: {value}\r\n")
    return ("".join(out) + "\r\n").encode()


def challenge_key(challenge: str, secret: str) -> str:
    """The answer to an MD5 challenge; the secret itself does not travel."""
    return hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()


def stamp(block: Block) -> datetime | None:
    """When Asterisk says it happened, to the microsecond; None where ``timestampevents`` is off."""
    found = _STAMP.fullmatch(block.get("Timestamp", ""))
    if found is None:
        return None
    micros = int((found[2] or "0").ljust(6, "0")[:6])
    at = _EPOCH + timedelta(seconds=int(found[1]), microseconds=micros)
    return at if YEARS[0] <= at.year < YEARS[1] else None


def text(block: Block, *keys: str) -> str | None:
    """The first of these fields that says something: one line, printable, no longer than a name may be."""
    for key in keys:
        value = "".join(char for char in block.get(key, "") if char.isprintable()).strip()[:TEXT_CHARS].strip()
        if value and value not in ("<unknown>", "<none>", "(null)"):
            return value
    return None


def seconds(block: Block, key: str) -> int | None:
    """A whole number of seconds, as RingTime, HoldTime and TalkTime are everywhere but in AgentRingNoAnswer."""
    value = block.get(key, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def no_answer_ring_ms(block: Block) -> int | None:
    """AgentRingNoAnswer gives its RingTime in milliseconds, whatever Asterisk's own documentation says."""
    return seconds(block, "RingTime")
