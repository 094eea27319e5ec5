"""Who may ask, and under which headers answers go out: this machine only until login exists. It serves nothing."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from ingest.origin import is_loopback
from qa.web.problems import Refusal

SAME = "'self'"
POLICY = {
    "default-src": SAME,
    "script-src": SAME,
    "style-src": SAME,
    "img-src": f"{SAME} data:",
    "media-src": f"{SAME} blob:",  # the player holds a recording as one blob: one opening, one row in the access log
    "connect-src": SAME,
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Server": "seatwatch",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
STYLE_NONCE: web.ResponseKey[str] = web.ResponseKey("style_nonce", str)


class NotLoopback(Exception):
    """An address that others could reach, while nobody can log in yet."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. Until login exists, whoever reaches the loopback address is the owner of the site."""

    actor: str = "owner"
    role: str = "owner"


def content_policy(nonce: str | None = None) -> str:
    """The content security policy; the nonce lets Ant Design and wavesurfer inject their styles, and nobody else."""
    policy = {**POLICY, "style-src": f"{SAME} 'nonce-{nonce}'"} if nonce else POLICY
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, errors included."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers[hdrs.CONTENT_SECURITY_POLICY] = content_policy(response.get(STYLE_NONCE))
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")


def check_bind(host: str) -> None:
    """Refuse an address that is reachable from elsewhere."""
    if not is_loopback(host):
        raise NotLoopback(
            f"web: {host or 'all addresses'} can be reached from other machines, and there is no login yet; "
            "set SEATWATCH_WEB_HOST to 127.0.0.1, and use an SSH tunnel from elsewhere"
        )


def host_of(header: str) -> str:
    """The name in a Host header, without its port."""
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.rpartition(":")[0] or header


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page of another site whose name was re-bound to 127.0.0.1 still sends its own name: refuse it."""
    if not is_loopback(host_of(request.headers.get(hdrs.HOST, ""))):
        raise Refusal(
            421, "Misdirected request", "this answers to this machine only; open it as http://127.0.0.1 with its port"
        )
    if request.path.startswith("/api/") and from_another_page(request):
        raise Refusal(403, "Refused", "another site's page asked for this; open the screens themselves")
    return await handler(request)


def from_another_page(request: web.Request) -> bool:
    """A page of another site, or of another port of this machine; a browser that says only Origin is believed, too."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return True
    origin = request.headers.get(hdrs.ORIGIN)
    return origin is not None and origin.partition("://")[2].lower() != request.headers.get(hdrs.HOST, "").lower()
