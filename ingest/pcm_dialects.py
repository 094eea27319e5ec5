"""How each sender of bare audio over WebSocket says what it sends: names, formats, first message. Reads no audio.

| subprotocol | sender | says |
|---|---|---|
| media | Asterisk chan_websocket | MEDIA_START, as JSON or as a line of words |
| audio.drachtio.org, or none | FreeSWITCH mod_audio_fork, mod_audio_stream | its metadata, as JSON; or nothing |
| audio.jambonz.org | jambonz listen | one JSON object, sampleRate and mixType among its keys |

What a first message does not say may stand in the query of the URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ingest import fields as read
from ingest.body import load
from ingest.errors import PcmError
from ingest.events import ROLES
from ingest.fields import FieldFault

TEXT_CHARS = 16 * 1024
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000)
FORK_BYTES = 1 << 20  # a fork empties its whole buffer as one message: 5 s of stereo at 48 kHz are 960 kB
MEDIA_BYTES = 64 * 1024
PAIR = ("customer", "agent")  # caller, callee
MIXES = ("mono", "mixed", "stereo")
_MEDIA = {"ulaw": ("ulaw", 8000), "alaw": ("alaw", 8000), "slin": ("slin", 8000)} | {
    f"slin{khz}": ("slin", rate) for khz, rate in ((12, 12000), (16, 16000), (24, 24000), (32, 32000),
                                                   (44, 44100), (48, 48000))}  # fmt: skip
_IDENT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_CALL = ("call", "callSid", "call_sid", "callId", "call_id", "uuid")
_RATE = ("rate", "sampleRate", "sample_rate")
_MIX = ("mix", "mixType", "mix_type")


@dataclass(frozen=True, slots=True)
class Track:
    """One party's audio within the connection."""

    leg: str
    role: str
    token: str | None = None  # names call, leg and role itself


@dataclass(frozen=True, slots=True)
class Opening:
    """What a connection carries. ``ident``: the one-time UUID of a leg that was bound before."""

    call: str | None
    tracks: tuple[Track, ...]
    encoding: str = "slin"
    rate: int = 8000
    seat: str | None = None
    agent: str | None = None
    ident: UUID | None = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of sender. ``message_bytes``: the longest message that it honestly sends."""

    name: str
    message_bytes: int
    opening: Callable[[str | None, Mapping[str, str]], Opening]
    begins_with_audio: bool = False  # its first message may be audio already


def choose(offered: Sequence[str]) -> Dialect:
    """By the subprotocols that a client offers; PcmError names the known ones."""
    if not offered:
        return FORK
    known = [DIALECTS[name] for name in offered if name in DIALECTS]
    if not known:
        raise PcmError(f"Sec-WebSocket-Protocol: none of those offered is known; offer one of {', '.join(DIALECTS)}")
    return known[0]


def _asterisk(text: str | None, query: Mapping[str, str]) -> Opening:
    said = _media_start(text or "")
    told = {**query, **_plain(said.get("channel_variables")), **said}
    form = str(said.get("format"))
    if form not in _MEDIA:
        raise PcmError(f"MEDIA_START: format {form[:20]!r} is not taken; use one of {', '.join(_MEDIA)}")
    encoding, rate = _MEDIA[form]
    channel = read.optional_text(told, "channel_id") or read.optional_text(told, "connection_id") or ""
    call = _first(told, _CALL)
    ident = _IDENT.search(channel) if call is None else None
    return _opening({**told, "mix": "mono"}, call or channel or None, encoding, rate, UUID(ident[0]) if ident else None)


def _media_start(text: str) -> dict[str, Any]:
    """Both forms of Asterisk's control messages, as one mapping."""
    if text.lstrip().startswith("{"):
        said = _object(text, "MEDIA_START")
    else:
        name, *words = text.split()[:64] or [""]
        said = {"event": name} | {word.partition(":")[0]: word.partition(":")[2] for word in words}
    if said.get("event") != "MEDIA_START":
        raise PcmError("first message: is no MEDIA_START; send it first")
    return dict(said)


def _fork(text: str | None, query: Mapping[str, str]) -> Opening:
    told = {**query, **(_object(text, "metadata") if text else {})}
    return _opening(told, _first(told, _CALL), "slin", _rate(told))


def _jambonz(text: str | None, query: Mapping[str, str]) -> Opening:
    said = _object(text or "", "first message")
    told = {**query, **_plain(said.get("metadata")), **said}
    return _opening(told, _first(told, _CALL), "slin", _rate(told))


def _opening(told: Mapping[str, Any], call: str | None, encoding: str, rate: int, ident: UUID | None = None) -> Opening:
    stereo = _mix(told) == "stereo"
    tracks = _stereo(told) if stereo else (_mono(told),)
    if call is None and not all(track.token for track in tracks):
        raise PcmError('first message: names no call; send {"call": …}, or a token for each leg')
    seat, agent = read.optional_text(told, "seat"), read.optional_text(told, "agent")
    read.call({"call": call})
    return Opening(call, tracks, encoding, rate, seat, agent, ident)


def _mono(told: Mapping[str, Any]) -> Track:
    role = read.optional_choice(told, "role", ROLES) or "unknown"
    leg = read.optional_text(told, "leg") or (role if role != "unknown" else _mix(told))
    return Track(leg, role, read.optional_text(told, "token", read.LINE_CHARS))


def _stereo(told: Mapping[str, Any]) -> tuple[Track, ...]:
    roles, tokens = _two(told, "roles") or PAIR, _two(told, "tokens", read.LINE_CHARS) or (None, None)
    for role in roles:
        if role not in ROLES:
            raise PcmError(f"roles: must be two of {', '.join(ROLES)}, of caller and callee")
    prefix = read.optional_text(told, "leg")
    names = [f"{prefix}-{name}" if prefix else name for name in ("caller", "callee")]
    return tuple(Track(*one) for one in zip(names, roles, tokens, strict=True))


def _two(told: Mapping[str, Any], name: str, limit: int = read.NAME_CHARS) -> tuple[str, str] | None:
    """A pair, as a list or as words with a comma between."""
    value = told.get(name)
    words = value.split(",") if isinstance(value, str) else value
    if words is None:
        return None
    if not isinstance(words, list) or len(words) != 2:
        raise PcmError(f"{name}: must be two, of caller and callee")
    one, two = (read.text({name: word}, name, limit) for word in words)
    return one, two


def _mix(told: Mapping[str, Any]) -> str:
    named = _first(told, _MIX)
    if named is None:
        return "stereo" if str(told.get("channels")) == "2" else "mono"
    if named not in MIXES:
        raise PcmError(f"mix: {named[:20]!r} is not known; say one of {', '.join(MIXES)}")
    return named


def _rate(told: Mapping[str, Any]) -> int:
    """Numbers, digits, and FreeSWITCH's own 8k and 16k."""
    value = next((told[name] for name in _RATE if told.get(name) is not None), 8000)
    text = str(value).removesuffix("k") + "000" * str(value).endswith("k")
    if text not in map(str, RATES):
        raise PcmError(f"rate: {str(value)[:20]!r} is not taken; send one of {', '.join(map(str, RATES))}")
    return int(text)


def _first(told: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((read.text(told, name) for name in names if told.get(name) is not None), None)


def _plain(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _object(text: str, what: str) -> Mapping[str, Any]:
    try:
        return read.mapping(load(text), what)
    except FieldFault as fault:
        raise PcmError(str(fault)) from None
    except ValueError as error:
        raise PcmError(f"{what}: is no JSON ({error}); send one JSON object") from None


MEDIA = Dialect("media", MEDIA_BYTES, _asterisk)
FORK = Dialect("audio.drachtio.org", FORK_BYTES, _fork, begins_with_audio=True)
JAMBONZ = Dialect("audio.jambonz.org", FORK_BYTES, _jambonz)  # FreeSWITCH's fork under another name, 3 s of buffer
DIALECTS = {one.name: one for one in (MEDIA, FORK, JAMBONZ)}
