"""Signs and checks what opens a leg: stream tokens and AudioSocket UUIDs. Knows no clock and forgets every use.

A UUID has 122 free bits: 26 for the expiry in minutes, 32 for a digest of call, leg and role, 64 for an HMAC over
both. So a UUID proves that we made it, and a later ``leg`` event can be checked against its digest.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from ingest.errors import TokenError

SECRET_BYTES = 16  # the shortest secret that is taken
TOKEN_CHARS = 512
_PREFIX = "sw1"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token opens, and until when."""

    call: str
    leg: str
    role: str
    until: datetime


def stream_token(secret: bytes, call: str, leg: str, role: str, until: datetime) -> str:
    """A token for one leg on /stream: readable claims and an HMAC over them."""
    claims = json.dumps([call, leg, role, int(until.timestamp())], ensure_ascii=False, separators=(",", ":"))
    body = f"{_PREFIX}.{_b64(claims.encode())}"
    token = f"{body}.{_b64(_mac(secret, b'stream', body.encode())[:20])}"
    if len(token) > TOKEN_CHARS:
        raise TokenError(f"token: {len(token)} characters for call {call[:40]!r}; use ids of at most 64 characters")
    return token


def looks_signed(token: str) -> bool:
    return token.startswith(_PREFIX + ".")


def read_stream_token(secret: bytes, token: str, now: datetime) -> Grant:
    """What a signed token says; TokenError when the signature or the time is wrong."""
    grant = proven(secret, token)
    if now >= grant.until:
        raise TokenError(f"token: expired at {grant.until.isoformat()}; ask for a new one")
    return grant


def proven(secret: bytes, token: str) -> Grant:
    """What a token of ours says, whether or not its time is over; TokenError when we did not sign it."""
    body, _, mac = token.rpartition(".")
    if len(token) > TOKEN_CHARS or not hmac.compare_digest(_unb64(mac), _mac(secret, b"stream", body.encode())[:20]):
        raise TokenError("token: is not signed with this site's secret; ask the site for one, or register it first")
    call, leg, role, until = json.loads(_unb64(body.partition(".")[2]))
    return Grant(call, leg, role, datetime.fromtimestamp(until, UTC))


def audiosocket_uuid(secret: bytes, call: str, leg: str, role: str, until: datetime) -> UUID:
    """A one-time UUID for one leg on the AudioSocket port; it lives to the end of the minute of *until*."""
    minute = -(-int(until.timestamp()) // 60)
    if not 0 < minute < 1 << 26:
        raise TokenError(f"until {until.isoformat()}: lies outside the years that a UUID can carry (to 2097)")
    claim = minute << 32 | _digest(call, leg, role)
    free = claim << 64 | _uuid_mac(secret, claim)
    return UUID(int=(free >> 74) << 80 | 8 << 76 | (free >> 62 & 0xFFF) << 64 | 0b10 << 62 | (free & (1 << 62) - 1))


def check_uuid(secret: bytes, ident: UUID, now: datetime) -> datetime:
    """Until when a UUID of ours is good; TokenError when we did not sign it or its time is over."""
    minute, _, mac = _parts(ident)
    claim = minute << 32 | _parts(ident)[1]
    signed = ident.int >> 76 & 0xF == 8 and ident.int >> 62 & 0b11 == 0b10
    if not hmac.compare_digest(mac.to_bytes(8), _uuid_mac(secret, claim).to_bytes(8)) or not signed:
        raise TokenError(f"UUID {ident}: is neither signed nor registered; send a leg event that names it first")
    until = datetime.fromtimestamp(minute * 60, UTC)
    if now >= until:
        raise TokenError(f"UUID {ident}: expired at {until.isoformat()}; make a new one for each leg")
    return until


def uuid_stands_for(ident: UUID, call: str, leg: str, role: str) -> bool:
    """Whether a signed UUID was made for this leg."""
    return _parts(ident)[1] == _digest(call, leg, role)


def _parts(ident: UUID) -> tuple[int, int, int]:
    bits = ident.int
    free = (bits >> 80) << 74 | (bits >> 64 & 0xFFF) << 62 | bits & (1 << 62) - 1
    return free >> 96, free >> 64 & 0xFFFFFFFF, free & (1 << 64) - 1


def _digest(call: str, leg: str, role: str) -> int:
    named = json.dumps([call, leg, role], ensure_ascii=False).encode()
    return int.from_bytes(hashlib.sha256(named).digest()[:4])


def _uuid_mac(secret: bytes, claim: int) -> int:
    return int.from_bytes(_mac(secret, b"audiosocket", claim.to_bytes(8))[:8])


def _mac(secret: bytes, purpose: bytes, message: bytes) -> bytes:
    if len(secret) < SECRET_BYTES:
        raise TokenError(f"secret: has {len(secret)} bytes; set one of at least {SECRET_BYTES} random bytes")
    return hmac.digest(secret, purpose + b"\0" + message, "sha256")


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
