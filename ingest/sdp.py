"""Session descriptions of SIPREC: what streams are offered, and our receive-only answer. Opens no ports.

Media at large (video, encryption, other codecs) are recognised only so far that they can be declined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ingest.errors import SipError

SDP_BYTES = 32 * 1024
STREAMS = 16
FORMATS = 64
LABEL_CHARS = 64
LAWS = {"PCMU": "ulaw", "PCMA": "alaw"}
STATIC = {0: "ulaw", 8: "alaw"}  # payload types whose codec needs no rtpmap
PROFILES = ("RTP/AVP", "RTP/AVPF")
DIRECTIONS = ("sendonly", "sendrecv", "recvonly", "inactive")
_RTPMAP = re.compile(r"(\d{1,3})\s+([A-Za-z0-9._-]{1,40})/(\d{1,6})(?:/(\d{1,2}))?")
_MEDIA = re.compile(r"([a-z]{1,32})\s+(\d{1,5})(?:/\d+)?\s+(\S{1,40})((?:\s+\S{1,40})*)")


@dataclass(frozen=True, slots=True)
class Offered:
    """One m-line. ``codecs`` are the payload types that we can store, in the sender's order."""

    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    codecs: tuple[tuple[int, str], ...] = ()
    label: str | None = None
    direction: str = "sendrecv"
    address: str | None = None
    ptime_ms: int | None = None

    @property
    def taken(self) -> bool:
        return self.kind == "audio" and self.port != 0 and self.profile in PROFILES and bool(self.codecs)

    @property
    def sends(self) -> bool:
        return self.direction in ("sendonly", "sendrecv") and self.address not in ("0.0.0.0", "::")


@dataclass(slots=True)
class _Section:
    media: Offered | None = None
    maps: dict[int, str | None] = field(default_factory=dict)  # None: a codec that we do not take
    direction: str | None = None
    address: str | None = None


def read(data: bytes) -> tuple[Offered, ...]:
    """The m-lines of an offer, in their order."""
    if len(data) > SDP_BYTES:
        raise SipError(f"SDP: {len(data)} bytes; send at most {SDP_BYTES}", 413)
    session = _Section()
    sections = [session]
    for line in data.decode("utf-8", "replace").splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and len(key) == 1:
            _line(sections, key, value.strip())
    offered = tuple(_offered(session, one) for one in sections[1:])
    if not offered:
        raise SipError("SDP: no m-line in it; offer a stream for each party", 488)
    return offered


def _line(sections: list[_Section], key: str, value: str) -> None:
    if key == "m":
        if len(sections) > STREAMS:
            raise SipError(f"SDP: more than {STREAMS} m-lines", 488)
        sections.append(_Section(_media(value)))
    elif key == "c":
        sections[-1].address = (value.split() or [""])[-1].partition("/")[0][:64]
    elif key == "a":
        _attribute(sections[-1], *value.partition(":")[::2])


def _media(value: str) -> Offered:
    found = _MEDIA.fullmatch(value)
    if found is None or int(found[2]) > 65535:
        raise SipError(f"SDP: m={value[:60]!r} is no media line")
    formats = tuple(found[4].split())
    if len(formats) > FORMATS:
        raise SipError(f"SDP: an m-line with more than {FORMATS} formats", 488)
    return Offered(found[1], int(found[2]), found[3].upper(), formats)


def _attribute(section: _Section, name: str, value: str) -> None:
    name, value = name.strip().lower(), value.strip()
    if name in DIRECTIONS:
        section.direction = name
    elif section.media is None:
        return
    elif name == "label":
        section.media = replace(section.media, label=plain(value) or None)
    elif name == "ptime" and value.isascii() and value.isdigit() and len(value) <= 4:
        section.media = replace(section.media, ptime_ms=int(value))
    elif name == "rtpmap" and (found := _RTPMAP.fullmatch(value)) and len(section.maps) < FORMATS:
        right = found[3] == "8000" and found[4] in (None, "1")
        section.maps[int(found[1])] = LAWS.get(found[2].upper()) if right else None


def plain(text: str) -> str:
    """A label as it may stand in a name: short and printable."""
    return "".join(char for char in text if char.isprintable()).strip()[:LABEL_CHARS].strip()


def _offered(session: _Section, section: _Section) -> Offered:
    assert section.media is not None
    types = [int(one) for one in section.media.formats if re.fullmatch(r"[0-9]{1,3}", one) and int(one) < 128]
    known = {**STATIC, **section.maps}
    codecs = dict.fromkeys((one, law) for one in types if (law := known.get(one)))
    return replace(
        section.media,
        codecs=tuple(codecs),
        direction=section.direction or session.direction or "sendrecv",
        address=section.address or session.address,
    )


def answer(offer: Sequence[Offered], ports: Sequence[int], address: str, session: int, version: int) -> bytes:
    """Receive-only on *ports*, one for each m-line in the offer's order; 0 declines. Digits and comfort noise are not
    asked for: nothing here hears them."""
    family = "IP6" if ":" in address else "IP4"
    lines = [
        "v=0",
        f"o=seatwatch {session} {version} IN {family} {address}",
        "s=-",
        f"c=IN {family} {address}",
        "t=0 0",
    ]
    for media, port in zip(offer, ports, strict=True):
        if not port:
            lines.append(f"m={media.kind} 0 {media.profile} {' '.join(media.formats) or '0'}")
            continue
        lines.append(f"m=audio {port} {media.profile} {' '.join(str(type_) for type_, _ in media.codecs)}")
        lines += [f"a=rtpmap:{type_} {_names()[law]}/8000" for type_, law in media.codecs]
        lines.append("a=recvonly" if media.sends else "a=inactive")
        lines += [f"a=label:{media.label}"] if media.label else []
    return "\r\n".join([*lines, ""]).encode()


def _names() -> dict[str, str]:
    return {law: name for name, law in LAWS.items()}
