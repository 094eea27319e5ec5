"""SIP messages as values: read from datagrams and TCP streams, written, with a limit on everything. Keeps no dialogs.

Written here because `sipmessage` (the one maintained parser) reads whole messages only, without limits and without TCP
framing, folded lines or dialogs, which are all but a hundred lines of what is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingest.errors import SipError

HEAD_BYTES = 16 * 1024
BODY_BYTES = 64 * 1024
HEADERS = 128
LINE_CHARS = 4096
VERSION = "SIP/2.0"
COMPACT = {
    "c": "content-type", "e": "content-encoding", "f": "from", "i": "call-id", "k": "supported", "l": "content-length",
    "m": "contact", "o": "event", "s": "subject", "t": "to", "u": "allow-events", "v": "via", "x": "session-expires",
}  # fmt: skip
REASONS = {
    100: "Trying", 200: "OK", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed",
    413: "Request Entity Too Large", 415: "Unsupported Media Type", 420: "Bad Extension",
    422: "Session Interval Too Small", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    487: "Request Terminated", 488: "Not Acceptable Here", 491: "Request Pending", 500: "Server Internal Error",
    503: "Service Unavailable",
}  # fmt: skip
NEEDED = ("via", "from", "to", "call-id", "cseq")
Headers = tuple[tuple[str, str], ...]  # names in lower case, in the order in which they came

_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CSEQ = re.compile(r"(\d{1,10})[ \t]+([A-Za-z]{1,32})")
_SENT_BY = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z]{2,8})\s+(\[[0-9A-Fa-f:.]+\]|[^\s:;,\[\]]{1,255})(?:\s*:\s*(\d{1,5}))?"
)
_PARAM = re.compile(r';\s*([^\s;=,"]{1,64})\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?')


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses share."""

    headers: Headers
    body: bytes

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def every(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.headers if key == name)

    def words(self, name: str) -> tuple[str, ...]:
        """A list such as Require or Supported, in lower case."""
        said = ",".join(self.every(name)).lower().split(",")
        return tuple(word for one in said if (word := one.partition(";")[0].strip()))

    @property
    def call_id(self) -> str:
        return self.get("call-id") or ""

    @property
    def cseq(self) -> tuple[int, str]:
        found = _CSEQ.fullmatch(self.get("cseq") or "")
        return (int(found[1]), found[2].upper()) if found else (0, "")

    @property
    def from_tag(self) -> str:
        return params(self.get("from") or "").get("tag", "")

    @property
    def to_tag(self) -> str:
        return params(self.get("to") or "").get("tag", "")

    @property
    def via(self) -> Via:
        return read_via(self.get("via") or "")


@dataclass(frozen=True, slots=True)
class Request(Message):
    method: str
    uri: str


@dataclass(frozen=True, slots=True)
class Response(Message):
    status: int


@dataclass(frozen=True, slots=True)
class Via:
    """The hop that a response goes back to. ``rport``: the peer wants it at the port that it sent from."""

    host: str
    port: int | None
    branch: str
    rport: bool


def parse(data: bytes) -> Request | Response:
    """One datagram. Bytes behind its Content-Length are not looked at."""
    head, end, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not end:
        raise SipError("message: ends within its headers; end them with an empty line")
    length, message = _head(head)
    if length is None:
        length = len(body)
    if length > BODY_BYTES:
        raise SipError(f"body: {length} bytes; send at most {BODY_BYTES}", 413)
    if length > len(body):
        raise SipError(f"body: {len(body)} bytes of {length}; send datagrams whole, or use TCP")
    return message(body[:length])


class Stream:
    """One TCP connection. ``feed`` raises SipError at the first message that cannot be, after what came before."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen = 0  # of the buffer, without an end of the headers in it
        self._waits: tuple[int, _Maker] | None = None  # a head that has been read, and the size of its body

    @property
    def rest(self) -> int:
        """Bytes of a message that is not complete."""
        return len(self._buffer) + (1 if self._waits else 0)

    def feed(self, data: bytes) -> Iterator[Request | Response]:
        self._buffer += data
        return self._messages()

    def _messages(self) -> Iterator[Request | Response]:
        while self._waits or self._head():
            assert self._waits is not None
            length, message = self._waits
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._waits = None
            yield message(body)

    def _head(self) -> bool:
        """Read the headers when they are all there; empty lines in front keep the connection alive."""
        if not self._seen:
            del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))]
        end = self._buffer.find(b"\r\n\r\n", max(0, self._seen - 3))
        if end < 0 and len(self._buffer) <= HEAD_BYTES:
            self._seen = len(self._buffer)
            return False
        if end < 0 or end > HEAD_BYTES:
            raise SipError(f"headers: more than {HEAD_BYTES} bytes; send fewer", 413)
        length, message = _head(bytes(self._buffer[:end]))
        if length is None:
            raise SipError("Content-Length: is missing; over TCP nothing else tells where a message ends")
        if length > BODY_BYTES:
            raise SipError(f"body: {length} bytes; send at most {BODY_BYTES}", 413)
        del self._buffer[: end + 4]
        self._seen, self._waits = 0, (length, message)
        return True


@dataclass(frozen=True, slots=True)
class _Maker:
    """A head that waits for its body."""

    first: tuple[str, str, str]
    headers: Headers

    def __call__(self, body: bytes) -> Request | Response:
        if self.first[0] == VERSION:
            return Response(self.headers, body, int(self.first[1]))
        return Request(self.headers, body, self.first[0], self.first[1])


def _head(data: bytes) -> tuple[int | None, _Maker]:
    if len(data) > HEAD_BYTES:
        raise SipError(f"headers: {len(data)} bytes; send at most {HEAD_BYTES}", 413)
    first, *lines = data.decode("utf-8", "replace").split("\r\n")
    headers = tuple(_header(line) for line in _unfolded(lines))
    if len(headers) > HEADERS:
        raise SipError(f"headers: {len(headers)} of them; send at most {HEADERS}", 413)
    maker = _Maker(_first(first), headers)
    message = maker(b"")
    for name in NEEDED:
        if not message.get(name):
            raise SipError(f"{name}: is missing")
    if not message.cseq[1] or message.cseq[0] >= 1 << 31:
        raise SipError("cseq: must be a number below 2^31 and a method")
    if isinstance(message, Request) and message.cseq[1] != message.method:
        raise SipError(f"cseq: names another method than the request, {message.method}")
    read_via(message.get("via") or "")
    return _length(message), maker


def _first(line: str) -> tuple[str, str, str]:
    one, _, rest = line.partition(" ")
    if one == VERSION:
        status, _, reason = rest.partition(" ")
        if not re.fullmatch(r"[1-6][0-9][0-9]", status):
            raise SipError("first line: no status from 100 to 699")
        return one, status, reason
    uri, _, version = rest.rpartition(" ")
    if version != VERSION or not _TOKEN.fullmatch(one) or not uri or len(uri) > LINE_CHARS or _CONTROL.search(uri):
        raise SipError("first line: neither a request nor a response of SIP/2.0")
    return one, uri.strip(), version


def _unfolded(lines: Iterable[str]) -> list[str]:
    whole: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and whole:
            whole[-1] += " " + line.strip()
        else:
            whole.append(line)
    return whole


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name, value = name.rstrip(" \t").lower(), value.strip(" \t")
    if not colon or not _TOKEN.fullmatch(name):
        raise SipError(f"header {name[:40]!r}: is no name and value")
    if len(value) > LINE_CHARS or _CONTROL.search(value):
        raise SipError(f"header {name[:40]!r}: longer than {LINE_CHARS} characters, or control characters in it")
    return COMPACT.get(name, name), value


def _length(message: Message) -> int | None:
    said = set(message.every("content-length"))
    if not said:
        return None
    value = said.pop()
    if said or not re.fullmatch(r"[0-9]{1,9}", value):
        raise SipError("content-length: must be one number")
    return int(value)


def read_via(value: str) -> Via:
    """The first of the hops in a Via header."""
    found = _SENT_BY.match(value)
    if found is None or int(found[3] or 1) not in range(1, 65536):
        raise SipError("via: no transport, host and port in it")
    own = params(value[found.end() :].partition(",")[0])
    return Via(found[2], int(found[3]) if found[3] else None, own.get("branch", ""), "rport" in own)


def uri_of(value: str) -> str:
    """The address of a From, To or Contact header, without name and parameters."""
    _, angle, rest = value.rpartition("<")
    return rest.partition(">")[0].strip() if angle else value.partition(";")[0].strip()


def params(value: str) -> dict[str, str]:
    """The parameters behind an address or a value; names in lower case, quotes taken off."""
    return {one[1].lower(): (one[2] or "").strip('"') for one in _PARAM.finditer(value.rpartition(">")[2])}


def write_request(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    return _write(f"{method} {uri} {VERSION}", headers, body)


def write_response(request: Request, status: int, address: tuple[str, int], tag: str = "",
                   headers: Iterable[tuple[str, str]] = (), body: bytes = b"") -> bytes:  # fmt: skip
    """The answer to a request that came from *address*, which is noted in its topmost Via."""
    vias = request.every("via")
    said = [("Via", _received(vias[0], address)), *(("Via", via) for via in vias[1:])]
    to = request.get("to") or ""
    said += [("From", request.get("from") or ""), ("To", f"{to};tag={tag}" if tag and not request.to_tag else to)]
    said += [("Call-ID", request.call_id), ("CSeq", request.get("cseq") or "")]
    return _write(f"{VERSION} {status} {REASONS.get(status, 'Refused')}", [*said, *headers], body)


def _received(via: str, address: tuple[str, int]) -> str:
    """``received`` and ``rport`` of the first hop, as RFC 3581 asks."""
    first, comma, others = via.partition(",")
    first = re.sub(r";\s*received\s*=[^;]*", "", first)
    first = re.sub(r";\s*rport\s*(=[^;]*)?(?=;|$)", f";rport={address[1]}", first)
    return f"{first};received={address[0]}{comma}{others}"


def _write(first: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body
