"""HTTP Message Signatures as AudioHook's clients make them (a dialect of draft 11). No sockets; the time comes in.

Only the one form that these clients write is read: one signature, its components as plain strings, nothing between.
Whatever else HTTP signatures allow is refused, so that the text that is verified is the text that was sent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ingest.errors import SignatureError

COMPONENTS = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)
MAX_AGE_S = 10
SKEW_S = 3
NONCE_CHARS = 22
NONCE_KEPT_S = 60.0
MOST_NONCES = 100_000
HEADER_CHARS = 2048
_NOBODY = bytes(32)  # stands in for an unknown sender's secret: the same work, and never a yes
_INPUT = re.compile(
    r'([a-z*][a-z0-9_.*-]{0,63})=(\(("[a-z0-9@-]+"( "[a-z0-9@-]+")*)\)((?:;[a-z]+=(?:"[^"\\]*"|[0-9]{1,12}))*))'
)
_PARAMETER = re.compile(r';([a-z]+)=(?:"([^"\\]*)"|([0-9]+))')
_TEXTS, _NUMBERS = ("keyid", "nonce", "alg"), ("created", "expires")
_DEFAULT_PORT = re.compile(r":(80|443)$")


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a request is signed. Header names in lower case; *authority* is the Host that the client named."""

    target: str
    authority: str
    headers: Mapping[str, str]

    @property
    def is_signed(self) -> bool:
        return "signature" in self.headers or "signature-input" in self.headers


@dataclass(slots=True)
class Nonces:
    """Which nonces were used of late. Full means that nothing more is let in, never that one is forgotten early."""

    keep_s: float = NONCE_KEPT_S
    most: int = MOST_NONCES
    _until: OrderedDict[bytes, float] = field(default_factory=OrderedDict)

    def use(self, keyid: str, nonce: str, mono_s: float) -> None:
        """SignatureError when it was used before. *mono_s*: seconds of a clock that never goes back."""
        while self._until and next(iter(self._until.values())) <= mono_s:
            self._until.popitem(last=False)
        name = hashlib.blake2b(f"{keyid}\0{nonce}".encode("utf-8", "surrogateescape"), digest_size=16).digest()
        if name in self._until:
            raise SignatureError("nonce: was used before; sign each request with a new one")
        if len(self._until) >= self.most:
            raise SignatureError(f"nonce: {self.most} were used within {self.keep_s:.0f} s; connect more slowly")
        self._until[name] = mono_s + self.keep_s

    def __len__(self) -> int:
        return len(self._until)


@dataclass(frozen=True, slots=True)
class _Claim:
    label: str
    inner: str
    names: tuple[str, ...]
    keyid: str
    nonce: str
    created: int
    expires: int | None


def verify(request: Signed, secret: bytes | None, now_s: float, nonces: Nonces, mono_s: float) -> None:
    """SignatureError unless the holder of *secret* (None: unknown sender) signed this request, just now, once."""
    claim = _claim(request.headers)
    fits = _fits(request, claim, _NOBODY if secret is None else secret)  # first, so that all faults take their time
    if secret is None:
        raise SignatureError("X-API-KEY: is no key that is known here, or its source has no secret to check with")
    if claim.keyid != request.headers.get("x-api-key", "").strip():
        raise SignatureError("keyid: is not the X-API-KEY of the request; sign with the key that is sent")
    if not fits:
        raise SignatureError("Signature: does not fit; compare the client secret, and behind a proxy the public URL")
    _in_time(claim, now_s)
    nonces.use(claim.keyid, claim.nonce, mono_s)


def read_secret(text: str) -> bytes:
    """A client secret as the vendor's page shows it; ValueError when it is no base64 or empty."""
    secret = base64.b64decode(text, validate=True)
    if not secret:
        raise ValueError("client secret: is empty")
    return secret


def sign(request: Signed, keyid: str, secret: bytes, nonce: str, created: int) -> dict[str, str]:
    """The two headers that a client adds."""
    names = " ".join(f'"{name}"' for name in COMPONENTS)
    inner = f'({names});keyid="{keyid}";nonce="{nonce}";alg="hmac-sha256";created={created};expires={created + 30}'
    claim = _Claim("sig1", inner, COMPONENTS, keyid, nonce, created, None)
    return {
        "signature-input": f"sig1={inner}",
        "signature": f"sig1=:{_mac(request, request.authority, claim, secret)}:",
    }


def public_place(url: str, raw_path: str = "") -> tuple[str, str]:
    """Request target and authority that clients of a public URL sign, where a proxy changes what arrives here. The
    query is the one that came, in *raw_path*; where none came, the URL's own."""
    parts = urlsplit(url)
    query = raw_path.partition("?")[2] or parts.query
    target = (parts.path or "/") + (f"?{query}" if query else "")
    return target, parts.netloc.rpartition("@")[2]


def _claim(headers: Mapping[str, str]) -> _Claim:
    given = headers.get("signature-input", "").strip()
    found = _INPUT.fullmatch(given) if len(given) <= HEADER_CHARS else None
    if found is None:
        raise SignatureError("Signature-Input: is missing or of a form that AudioHook clients do not send")
    label, inner, names, _, told = found.groups()
    texts, numbers = _parameters(told)
    if missing := [name for name in ("keyid", "nonce", "created") if name not in texts and name not in numbers]:
        raise SignatureError(f"Signature-Input: {', '.join(missing)} missing; send keyid, nonce and created")
    if texts.get("alg", "hmac-sha256") != "hmac-sha256":
        raise SignatureError("Signature-Input: alg is not hmac-sha256; no other is taken")
    if len(texts["nonce"]) < NONCE_CHARS:
        raise SignatureError(f"nonce: is shorter than {NONCE_CHARS} characters; send 16 random bytes or more in base64")
    created, expires = numbers["created"], numbers.get("expires")
    return _Claim(label, inner, _components(names, headers), texts["keyid"], texts["nonce"], created, expires)


def _parameters(told: str) -> tuple[dict[str, str], dict[str, int]]:
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for name, text, number in _PARAMETER.findall(told):
        known = _NUMBERS if number else _TEXTS
        if name not in known or name in texts or name in numbers:
            raise SignatureError(f"Signature-Input: {name[:20]!r} is unknown, twice there or of the wrong kind")
        if number:
            numbers[name] = int(number)
        else:
            texts[name] = text
    return texts, numbers


def _components(names: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    """The six, and whatever plain headers the client signs beside them."""
    found = tuple(name.strip('"') for name in names.split(" "))
    if missing := [name for name in COMPONENTS if name not in found]:
        raise SignatureError(f"Signature-Input: does not cover {', '.join(missing)}; sign all six components")
    others = [name for name in found if name not in COMPONENTS]
    if len(set(found)) != len(found) or any(name not in headers or name == "signature" for name in others):
        raise SignatureError("Signature-Input: names a component twice, or one that the request does not have")
    return found


def _fits(request: Signed, claim: _Claim, secret: bytes) -> bool:
    """Compared as text: the same bytes in another spelling of base64 are another signature."""
    given = request.headers.get("signature", "").strip()[:HEADER_CHARS].encode("utf-8", "surrogateescape")
    hosts = {request.authority, _DEFAULT_PORT.sub("", request.authority)}
    fits = [
        hmac.compare_digest(f"{claim.label}=:{_mac(request, host, claim, secret)}:".encode(), given) for host in hosts
    ]
    return any(fits)


def _mac(request: Signed, host: str, claim: _Claim, secret: bytes) -> str:
    told = {**request.headers, "@request-target": request.target, "@authority": host.lower()}
    lines = [f'"{name}": {told.get(name, "").strip()}' for name in claim.names]
    lines.append(f'"@signature-params": {claim.inner}')
    base = "\n".join(lines).encode("utf-8", "surrogateescape")
    return base64.b64encode(hmac.digest(secret, base, "sha256")).decode()


def _in_time(claim: _Claim, now_s: float) -> None:
    if claim.created > now_s + SKEW_S:
        raise SignatureError("created: lies in the future; set the clocks of both sides")
    if now_s - claim.created > MAX_AGE_S:
        raise SignatureError(f"created: is more than {MAX_AGE_S} s ago; sign each request anew, and set both clocks")
    if claim.expires is not None and claim.expires < now_s:
        raise SignatureError("expires: has passed; sign each request anew")
