"""Serves the built screens, or a page that says they are being built. It serves nothing but what the build wrote."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import secrets
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from qa.web.guard import STYLE_NONCE
from qa.web.problems import Refusal

BUILT = Path(__file__).with_name("static")
INDEX = "index.html"
PLACE = "STYLE_NONCE"  # where the page wants the nonce
FOREVER = "public, max-age=31536000, immutable"  # names under assets/ carry a hash of what is in them
ASK_AGAIN = "no-cache"
NOT_PAGES = ("/api/", "/assets/", "/healthz", "/readyz", "/metrics")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}

BUILDING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>seatwatch</title>
<style nonce="STYLE_NONCE">
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;background:#f4f6f9;color:#16324f;
font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Malgun Gothic","Noto Sans CJK SC",sans-serif}
main{padding:32px 40px;background:#fff;border:1px solid #e1e6ec;border-radius:8px;text-align:center}
h1{font-size:20px;margin:0 0 12px}p{margin:6px 0}
</style></head><body><main role="status"><h1>seatwatch</h1>
<p lang="zh-CN">页面正在构建，完成后会自动打开。</p>
<p lang="ko">화면을 만드는 중입니다. 준비되면 자동으로 열립니다.</p>
<p lang="en">The screens are being built; this page opens them when they are ready.</p>
</main></body></html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the build."""

    body: bytes
    media: str
    etag: str
    caching: str


class Screens:
    """The files of the build, read once per build; an address is looked up, never turned into a path."""

    def __init__(self, folder: Path = BUILT) -> None:
        self._folder = folder
        self._stamp: int | None = None
        self._assets: dict[str, Asset] = {}

    def assets(self) -> dict[str, Asset]:
        stamp = self._built()
        if stamp != self._stamp:
            self._assets = _read(self._folder) if stamp is not None else {}
            self._stamp = stamp
        return self._assets

    def _built(self) -> int | None:
        try:
            return (self._folder / INDEX).stat().st_mtime_ns
        except FileNotFoundError:
            return None


SCREENS: web.AppKey[Screens] = web.AppKey("screens", Screens)


def _read(folder: Path) -> dict[str, Asset]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = "/" + path.relative_to(folder).as_posix()
            found[name] = _asset(name, path)
    return found


def _asset(name: str, path: Path) -> Asset:
    body = path.read_bytes()
    media = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    caching = FOREVER if name.startswith("/assets/") else ASK_AGAIN
    return Asset(body, media, f'"{hashlib.sha256(body).hexdigest()[:32]}"', caching)


async def get_screen(request: web.Request) -> web.StreamResponse:
    """A file of the build, else the page itself: the screens know their own addresses."""
    assets = await asyncio.to_thread(request.app[SCREENS].assets)
    asset = assets.get(request.path)
    if asset and request.path != f"/{INDEX}":
        return _file(request, asset)
    if request.path.startswith(NOT_PAGES):
        raise Refusal(404, "Not found", f"nothing is at {request.path[:200]}; /api/v1/openapi.json lists what there is")
    return _page(assets.get(f"/{INDEX}"))


def _file(request: web.Request, asset: Asset) -> web.Response:
    headers = {hdrs.ETAG: asset.etag, hdrs.CACHE_CONTROL: asset.caching}
    if request.headers.get(hdrs.IF_NONE_MATCH) == asset.etag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=asset.body, content_type=asset.media, headers=headers)


def _page(index: Asset | None) -> web.Response:
    nonce = secrets.token_urlsafe(18)
    text = (index.body.decode() if index else BUILDING).replace(PLACE, nonce)
    response = web.Response(text=text, content_type="text/html", status=200 if index else 503)
    if index is None:
        response.headers[hdrs.RETRY_AFTER] = "3"
    response[STYLE_NONCE] = nonce
    return response
