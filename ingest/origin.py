"""Who may speak to the ports at all: programs, not web pages of other sites. Opens no sockets, knows no keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from ingest.errors import OpenToAll

_OWN_SITES = ("none", "same-origin")


def is_loopback(name: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def check_bind(host: str, keyless: bool) -> None:
    """Without a key only this machine may send; OpenToAll otherwise."""
    if keyless and not is_loopback(host):
        raise OpenToAll(
            f"host {host or '(all addresses)'}: can be reached from other machines, and senders have no key; give them "
            "a source key, or listen on 127.0.0.1"
        )


def refusal(headers: Mapping[str, str], local: bool) -> tuple[int, str] | None:
    """Status and reason for a request that a web page made; None for one from a program.

    *local*: only this machine may ask, and nothing else protects it. Then a foreign name in Host is a page whose own
    name was bound to a loopback address.
    """
    if "Origin" in headers or headers.get("Sec-Fetch-Site", "none").lower() not in _OWN_SITES:
        return 403, "Origin: web pages may not send here; send from a program, without Origin or Sec-Fetch-Site"
    if local and "Host" in headers and not is_loopback(_name(headers["Host"])):
        return 421, "Host: is not this machine's own name; send to 127.0.0.1, or give the senders a source key"
    return None


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0]
    return host.partition(":")[0]
