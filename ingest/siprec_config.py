"""What the SIPREC server is told, and the events that it makes of a session. Values only: opens and stores nothing."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.fields import NAME_CHARS, PART
from ingest.origin import is_loopback
from ingest.sdp import LABEL_CHARS, Offered
from ingest.siprec import RoleRule, Speaker
from ingest.sources import Network

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
WILDCARDS = ("", "0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class SiprecConfig:
    """One recording server. Two of them never share ports."""

    source: str = "siprec"  # what its events carry, and the begin of its calls' names
    host: str = "127.0.0.1"
    port: int = 5070  # UDP and TCP; 0 = any free one
    rtp_ports: tuple[int, int] = (40000, 40399)  # both ends; a stream takes an even port, the odd one is its RTCP's
    advertise: str | None = None  # our address as recording clients reach it; None = host
    networks: tuple[Network, ...] = LOOPBACK  # whoever is not in them gets no answer
    roles: tuple[RoleRule, ...] = ()  # the first that fits; without any, all parties stay unknown
    silence_seconds: float = 60.0  # without a packet on any stream that should send
    longest_seconds: float = 4 * 3600.0
    sessions: int = 200
    connections: int = 200

    def __post_init__(self) -> None:
        low, high = self.rtp_ports
        if not 1024 <= low < high <= 65535:
            raise ValueError(f"rtp_ports: {low} to {high}; set two ports from 1024 to 65535, the lower one first")
        if self.host in WILDCARDS and not self.advertise:
            raise ValueError(f"advertise: must be set when host is {self.host!r}; set the address that clients reach")
        if not is_loopback(self.host) and not self.networks:
            raise ValueError("networks: must name who may send recordings when host is not this machine alone")

    @property
    def address(self) -> str:
        return self.advertise or self.host


def call_name(source: str, call_id: str) -> str:
    """Unique at the site, and known to whoever sees the Call-ID; one that cannot be a call's name is hashed."""
    name = f"{source}-{call_id}"
    if call_id and len(name) <= NAME_CHARS and name.isprintable() and not PART.search(name):
        return name
    return f"{source}-{hashlib.sha256(call_id.encode()).hexdigest()[:32]}"


def leg_labels(offer: Sequence[Offered]) -> list[str]:
    """One for each m-line, unique within the call; a stream without a label is told by its place."""
    out: list[str] = []
    for place, one in enumerate(offer):
        label = one.label or f"m{place + 1}"
        taken = label in out
        out.append(f"{label[: LABEL_CHARS - 4]}-m{place + 1}" if taken else label)
    return out


def leg_event(config: SiprecConfig, call: str, leg: str, number: int, at: datetime, speaker: Speaker,
              session: str, label: str) -> dict[str, Any]:  # fmt: skip
    """Whose audio a leg is, as far as is known; said again when metadata says more."""
    event: dict[str, Any] = {
        "source": config.source, "id": event_id(call, leg, number), "at": at.isoformat(), "type": "leg", "call": call,
        "leg": leg, "role": speaker.role, "channel": f"siprec {label}",
        "participant": {"aor": speaker.aor, "name": speaker.name, "assumed": speaker.assumed},
    }  # fmt: skip
    if speaker.seat:
        event["seat"] = speaker.seat
    return event | ({"session": session} if session else {})


def answered_event(config: SiprecConfig, call: str, number: int, at: datetime, leg: str,
                   seat: str | None) -> dict[str, Any]:  # fmt: skip
    """The seat's voice came: SIPREC knows no ringing and no answer, so this is inferred and says so."""
    event = {"source": config.source, "id": event_id(call, "answered", number), "at": at.isoformat(),
             "type": "answered", "call": call, "leg": leg, "confidence": "inferred"}  # fmt: skip
    return event | ({"seat": seat} if seat else {})


def transferred_event(config: SiprecConfig, call: str, number: int, at: datetime, seat: str, to: str) -> dict[str, Any]:
    """Another seat speaks on the stream of this one; what passed between the two is not told."""
    return {"source": config.source, "id": event_id(call, "transferred", number), "at": at.isoformat(),
            "type": "transferred", "call": call, "seat": seat, "to": to, "confidence": "inferred"}  # fmt: skip


def ended_event(config: SiprecConfig, call: str, number: int, at: datetime) -> dict[str, Any]:
    """The session was ended by its sender. SIPREC does not say which party hung up."""
    return {"source": config.source, "id": event_id(call, "ended", number), "at": at.isoformat(), "type": "ended",
            "call": call, "by": "unknown"}  # fmt: skip


def event_id(call: str, what: str, number: int) -> str:
    """The same for the same thing said again."""
    return hashlib.sha256(f"{call}\0{what}\0{number}".encode()).hexdigest()[:32]
