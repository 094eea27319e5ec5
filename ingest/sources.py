"""Who may send, by which way, from where and how much. Opens no sockets, knows no clock."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ANY = "*"
WAYS = ("events", "stream", "audiohook", "media-stream", "pcm", "siprec")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Source:
    """One sender. Any of its keys is good, so that a new one can be handed out before the old one is taken away."""

    name: str  # what its events carry as ``source``; ANY = whatever they say
    keys: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)  # AudioHook's client secret (base64), Twilio's auth token
    ways: frozenset[str] = frozenset(WAYS)
    networks: tuple[Network, ...] = ()  # none = from anywhere
    legs: int = 1000  # at once
    events_per_second: int = 500
    inbound_role: str = "customer"  # who speaks on the inbound track of its media streams, where they do not say
    call_token: bool = True  # its media streams need the call's own token: a signature alone can be sent again
    calls: str = ""  # it may speak of calls whose names begin so; empty = of any

    @property
    def writes(self) -> str | None:
        """The only source name that it may write; None for any."""
        return None if self.name == ANY else self.name

    def no_business(self, call: str) -> str | None:
        """Why this source may not speak of a call, nor send its audio; None if it may."""
        if call.startswith(self.calls):
            return None
        return f"source {self.name!r}: may speak of calls whose names begin with {self.calls!r} only; see its `calls`"


class Sources:
    """All senders of one ingest process. None at all: this machine's programs send without a key."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._all = tuple(sources)

    @property
    def keyless(self) -> bool:
        return not any(one.keys or one.secret for one in self._all)

    def by_key(self, given: str) -> Source | None:
        """Every key is compared, whichever fits."""
        told = given.encode("utf-8", "surrogateescape")  # a header may hold any byte
        found = [one for one in self._all for key in one.keys if hmac.compare_digest(key.encode(), told)]
        return found[0] if found else None

    def named(self, name: str) -> Source | None:
        return next((one for one in self._all if one.name == name), None)

    @property
    def names(self) -> frozenset[str]:
        """What only the holder of a key may write as."""
        return frozenset(one.name for one in self._all if one.keys or one.secret) - {ANY}

    def with_way(self, way: str) -> tuple[Source, ...]:
        return tuple(one for one in self._all if way in one.ways)


def fault(source: Source, way: str, address: str | None) -> str | None:
    """Why this source may not come by this way from this address; None if it may."""
    if way not in source.ways:
        return f"source {source.name!r}: may not send by {way}; add it to the source's ways"
    if not inside(source.networks, address):
        return f"source {source.name!r}: may not send from {address}; add the address to the source's networks"
    return None


def inside(networks: tuple[Network, ...], address: str | None) -> bool:
    """Whether an address lies in one of the networks; no networks are everywhere."""
    if not networks:
        return True
    try:
        one = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    seen = getattr(one, "ipv4_mapped", None) or one
    return any(seen in network for network in networks if network.version == seen.version)


def key_in(headers: Mapping[str, str]) -> str:
    """The key that a request shows: a bearer token, or the password of HTTP Basic; empty when there is none."""
    kind, _, rest = headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
