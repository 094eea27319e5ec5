"""X-Twilio-Signature: base64(HMAC(auth token, public URL + sorted parameters)). Opens no sockets, knows no clock.

The signature says nothing of time: whoever saw it can send it again. What opens a call is the token in its parameters.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

_DIGESTS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_PORTS = {"wss": 443, "https": 443, "ws": 80, "http": 80}


def signature(token: str, url: str, parameters: Mapping[str, str] | None = None, algorithm: str = "HMAC_SHA1") -> str:
    """What Twilio writes into the header. A WebSocket has no parameters."""
    told = url + "".join(name + value for name, value in sorted((parameters or {}).items()))
    said = told.encode("utf-8", "surrogateescape")  # a header may hold any byte
    return base64.b64encode(hmac.digest(token.encode(), said, _DIGESTS[algorithm])).decode()


def asked(public_url: str, raw_path: str) -> str:
    """What the provider called, where a proxy stands for this machine: the public URL, and the query as it came, which
    is signed with it. Where none came the URL's own stands, in case the proxy keeps it to itself."""
    base, _, own = public_url.partition("?")
    query = raw_path.partition("?")[2] or own
    return f"{base}?{query}" if query else base


def spellings(url: str) -> list[str]:
    """The URL with its port and without; Twilio signs one or the other. A slash at the end is never added or taken.
    A URL that can be none, its host being what a stranger wrote, has its own spelling only."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    except ValueError:
        return [url]
    name = f"[{host}]" if ":" in host else host
    return [parts._replace(netloc=name).geturl(), parts._replace(netloc=f"{name}:{port}").geturl()]


def algorithm_of(settings: str) -> str:
    """What X-Twilio-Webhooks-Signature-Settings names; SHA-1 where the header is not there."""
    told = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    return told.get("algorithm", "HMAC_SHA1").upper()


def signer(tokens: Iterable[tuple[str, str]], url: str, given: str, settings: str = "") -> str | None:
    """Whose token signed this URL: of (name, token) the name. Every token is tried, whichever fits."""
    algorithm = algorithm_of(settings)
    if algorithm not in _DIGESTS:
        return None
    sent = given.encode("utf-8", "surrogateescape")
    found = [
        name
        for name, token in tokens
        for one in spellings(url)
        if hmac.compare_digest(signature(token, one, algorithm=algorithm).encode(), sent)
    ]
    return found[0] if found else None
