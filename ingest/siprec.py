"""SIPREC metadata (rs-metadata XML) as values, in the dirt in which it really comes, and who speaks on which stream.

Names, labels and addresses are a stranger's words: capped here, masked where they are a customer's. Reads no SIP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from xml.parsers import expat

from ingest.errors import SipError
from ingest.sdp import plain

XML_BYTES = 64 * 1024
ELEMENTS = 2000
DEPTH = 16
THINGS = 64  # participants, streams
TEXT_CHARS = 128
KINDS = ("application/rs-metadata+xml", "application/rs-metadata")


@dataclass(frozen=True, slots=True)
class Participant:
    aor: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a recording client has told so far. All ids are its own."""

    partial: bool = False
    session: str = ""
    participants: Mapping[str, Participant] = field(default_factory=dict)  # in the order in which they came
    labels: Mapping[str, str] = field(default_factory=dict)  # stream -> label
    sends: Mapping[str, str] = field(default_factory=dict)  # stream -> participant


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Which party is the seat: by its address (``sip:1???@seats.example``), its label, or its place (``2``)."""

    by: str  # aor | label | place
    pattern: str  # with * and ?; upper and lower case are the same
    role: str  # agent | customer


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who is heard on a stream. ``assumed``: only the order of participants and streams says so."""

    role: str = "unknown"
    seat: str | None = None
    aor: str = ""
    name: str = ""
    assumed: bool = False


def read(data: bytes) -> Metadata:
    """Metadata as sent. SipError for what is no XML, or has a document type (entities hide in it)."""
    if len(data) > XML_BYTES:
        raise SipError(f"metadata: {len(data)} bytes; send at most {XML_BYTES}", 413)
    reader = _Reader()
    try:
        reader.parser.Parse(data.strip(), True)
    except expat.ExpatError as error:
        raise SipError(f"metadata: is no XML ({error})") from None
    except (LookupError, ValueError) as error:
        raise SipError(f"metadata: its encoding is not known ({str(error)[:60]}); send UTF-8") from None
    return reader.metadata()


class _Reader:
    """Elements by their local name: prefixes and namespaces differ from sender to sender."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self._path: list[str] = []
        self._owner: list[tuple[str, str]] = []  # the participant, stream or association around, with its id
        self._said = ""
        self._count = 0
        self._mode = self._session = ""
        self._participants: dict[str, Participant] = {}
        self._labels: dict[str, str] = {}
        self._sends: dict[str, str] = {}

    def metadata(self) -> Metadata:
        partial = self._mode.lower() == "partial"
        return Metadata(partial, self._session, self._participants, self._labels, self._sends)

    def _refuse(self, *_: object) -> None:
        raise SipError("metadata: has a document type; send plain XML without DOCTYPE and entities")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS or len(self._path) >= DEPTH:
            raise SipError(f"metadata: more than {ELEMENTS} elements, or deeper than {DEPTH} levels", 413)
        name, attributes = _local(tag), {_local(key): line(value) for key, value in given.items()}
        self._path.append(name)
        self._said = ""
        if name in ("participant", "stream", "participantstreamassoc", "session", "recording"):
            self._owner.append((name, self._open(name, attributes)))
        elif name == "nameid" and self._around("participant") and (aor := attributes.get("aor")):
            self._tell(aor=aor)

    def _open(self, name: str, attributes: dict[str, str]) -> str:
        if name == "session":
            self._session = self._session or attributes.get("session_id") or attributes.get("id") or ""
            return self._session
        if name in ("participant", "participantstreamassoc"):
            ident = attributes.get("participant_id") or attributes.get("id") or ""
            if name == "participant" and ident and len(self._participants) < THINGS:
                self._participants.setdefault(ident, Participant())
            return ident
        ident = attributes.get("stream_id") or attributes.get("id") or ""
        if name == "stream" and ident and len(self._labels) < THINGS:
            self._labels.setdefault(ident, "")
        return ident

    def _text(self, data: str) -> None:
        self._said = (self._said + data)[: 4 * TEXT_CHARS]

    def _end(self, tag: str) -> None:
        name, said = self._path.pop(), line(self._said)
        self._said = ""
        if name == "datamode":
            self._mode = said
        elif name == "label" and (stream := self._around("stream")) in self._labels:
            self._labels[stream] = plain(said)
        elif name == "send" and said and len(self._sends) < THINGS:
            who = self._around("participantstreamassoc") or self._around("participant")
            self._sends |= {said: who} if who else {}
        elif name == "name" and "nameid" in self._path and self._around("participant"):
            self._tell(name=said)
        elif name == "aor" and said and self._around("participant"):
            self._tell(aor=said)
        if self._owner and self._owner[-1][0] == name:
            self._owner.pop()

    def _around(self, name: str) -> str:
        """The id of the element of that name that is open now, empty for none."""
        return next((ident for kind, ident in reversed(self._owner) if kind == name), "")

    def _tell(self, **own: str) -> None:
        ident = self._around("participant")
        if ident in self._participants:
            self._participants[ident] = replace(self._participants[ident], **own)


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def line(text: str) -> str:
    """One line of printable text, cut where it gets long."""
    return re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in text)).strip()[:TEXT_CHARS]


def merge(old: Metadata, new: Metadata) -> Metadata:
    """A partial update changes what it names; a complete one replaces everything."""
    if not new.partial:
        return new
    participants = dict(old.participants)
    for ident, one in new.participants.items():
        known = participants.get(ident, Participant())
        participants[ident] = Participant(one.aor or known.aor, one.name or known.name)
    labels = {
        **old.labels,
        **{stream: label for stream, label in new.labels.items() if label or stream not in old.labels},
    }
    return Metadata(False, new.session or old.session, participants, labels, {**old.sends, **new.sends})


def speakers(metadata: Metadata, labels: Sequence[str], rules: Sequence[RoleRule]) -> list[Speaker]:
    """Who is heard on each of these streams, told by their labels in the order of the m-lines.

    With two streams of which one is known, the other one is the other party.
    """
    told = [_told(metadata, place, label, len(labels)) for place, label in enumerate(labels)]
    roles = [_role(one, place, label, rules) for place, (one, label) in enumerate(zip(told, labels, strict=True))]
    if len(roles) == 2 and roles.count("unknown") == 1:
        other = {"agent": "customer", "customer": "agent"}
        roles = [role if role != "unknown" else other[roles[1 - place]] for place, role in enumerate(roles)]
    return [_speaker(one, role) for one, role in zip(told, roles, strict=True)]


def _told(metadata: Metadata, place: int, label: str, streams: int) -> Speaker:
    stream = next((name for name, said in metadata.labels.items() if said == label), None)
    ident = metadata.sends.get(stream or "", "")
    if ident in metadata.participants:
        one = metadata.participants[ident]
        return Speaker(aor=one.aor, name=one.name)
    free = [one for name, one in metadata.participants.items() if name not in metadata.sends.values()]
    if metadata.sends or len(free) != streams:
        return Speaker()
    return Speaker(aor=free[place].aor, name=free[place].name, assumed=True)


def _role(one: Speaker, place: int, label: str, rules: Sequence[RoleRule]) -> str:
    seen = {"aor": one.aor, "label": label, "place": str(place + 1)}
    for rule in rules:
        if (value := seen.get(rule.by)) and fnmatchcase(value.lower(), rule.pattern.lower()):
            return rule.role
    return "unknown"


def _speaker(one: Speaker, role: str) -> Speaker:
    """A seat is named by the user of its address; whoever else speaks is masked."""
    if role == "agent":
        return replace(one, role=role, seat=user(one.aor) or None)
    return replace(one, role=role, aor=masked(one.aor), name=one.name[:1] + "…" if one.name else "")


_USER = re.compile(r"(?:sips?:|tel:)?([^@;?]*)", re.IGNORECASE)


def user(aor: str) -> str:
    """``1001`` of ``sip:1001@seats.example``."""
    found = _USER.match(aor)
    return plain(found[1]) if found else ""


def masked(aor: str) -> str:
    """The last four characters of the number or user remain; of a short one nothing does."""
    found = _USER.match(aor)
    if found is None or not found[1]:
        return aor
    shown = found[1][-4:] if len(found[1]) > 4 else ""
    return aor[: found.start(1)] + "*" * (len(found[1]) - len(shown)) + shown + aor[found.end(1) :]
