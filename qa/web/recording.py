"""Sends a recording, whole or in part, after the door has logged who hears it. It decodes nothing."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

from aiohttp import hdrs, web

from qa.store.recordings import Recording
from qa.web import ranges
from qa.web.calls import open_call
from qa.web.context import SERVICES
from qa.web.data import CONTENT_TYPES
from qa.web.files import OutsideFolder, open_below
from qa.web.problems import Refusal

PIECE = 256 * 1024


async def get_recording(request: web.Request) -> web.StreamResponse:
    opened = await open_call(request, "audio")
    if not opened.recordings:
        raise Refusal(404, "No recording", f"call {opened.call.id!r} has no recording; an unanswered call has none")
    kept = opened.recordings[0]
    etag = f'"{kept.audio_sha}"'
    if request.headers.get(hdrs.IF_NONE_MATCH) == etag:
        return web.Response(status=304, headers={hdrs.ETAG: etag})
    with _open(request, kept) as file:
        return await _send(request, kept, file, file.seek(0, 2), etag)


def _open(request: web.Request, kept: Recording) -> BinaryIO:
    """Not in a thread: a client that goes away meanwhile would leave the file open."""
    try:
        return open_below(request.app[SERVICES].recordings, kept.path)
    except (OSError, OutsideFolder):
        lost = f"call {kept.call!r}: its file is not in the folder of recordings; restore it from a backup"
        raise Refusal(404, "No recording", lost) from None


def _part(request: web.Request, size: int, etag: str) -> tuple[int, int] | None:
    wanted = request.headers.get(hdrs.IF_RANGE)
    if wanted is not None and wanted != etag:
        return None
    try:
        return ranges.read(request.headers.get(hdrs.RANGE), size)
    except ranges.Unsatisfiable as error:
        headers = {hdrs.CONTENT_RANGE: f"bytes */{size}", hdrs.ACCEPT_RANGES: "bytes"}
        raise Refusal(416, "Range not satisfiable", f"{error}; ask for a part inside it", headers) from error


async def _send(request: web.Request, kept: Recording, file: BinaryIO, size: int, etag: str) -> web.StreamResponse:
    part = _part(request, size, etag)
    first, last = part or (0, size - 1)
    headers = {
        hdrs.ETAG: etag,
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.CACHE_CONTROL: "private, no-store",
        hdrs.CONTENT_TYPE: CONTENT_TYPES[kept.format],
    }
    if part:
        headers[hdrs.CONTENT_RANGE] = f"bytes {first}-{last}/{size}"
    response = web.StreamResponse(status=206 if part else 200, headers=headers)
    response.content_length = last - first + 1
    await response.prepare(request)
    if request.method != hdrs.METH_HEAD:
        await _copy(response, file, first, last - first + 1)
    await response.write_eof()
    return response


async def _copy(response: web.StreamResponse, file: BinaryIO, first: int, left: int) -> None:
    await asyncio.to_thread(file.seek, first)
    while left > 0:
        piece = await asyncio.to_thread(file.read, min(PIECE, left))
        if not piece:  # the file was cut meanwhile: the declared length is not reached, and the client sees it
            return
        await response.write(piece)
        left -= len(piece)
