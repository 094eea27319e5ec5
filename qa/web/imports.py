"""A file of records over HTTP: written beside, read and judged off the loop, stored whole or in part, then forgotten.

Who asks for lines (`Accept: application/x-ndjson`) is told how far it is; everybody else gets one answer at the end.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from qa.deliveries import Admitted, Report, admit, keep
from qa.observing import judge
from qa.store.errors import StoreError
from qa.tables import TableError, read
from qa.web import models
from qa.web.context import PRINCIPAL, SERVICES, answer, asked, work
from qa.web.letters import Language, file_said, said
from qa.web.problems import Refusal, of_store
from qa.web.records import LINES, language_of, may_enter, refused_row
from scoring.errors import PackError
from scoring.records.kinds import MODELS

BYTES = "application/octet-stream"
MOST_FILE = 32 * 1024 * 1024  # some 250,000 records, which take about 1 GB of memory while they are judged
TURN: web.AppKey[asyncio.Semaphore] = web.AppKey("import_turn", asyncio.Semaphore)  # one file at a time
MOST_TOLD = 1000  # refused lines in an answer; the count holds all
ENDINGS = (".jsonl", ".ndjson", ".json", ".yaml", ".yml", ".csv", ".tsv", ".xlsx")
Tell = Callable[[str, int], Awaitable[None]]


class ImportQuery(BaseModel):
    """The file's name, whose ending says what it is; the kind of lines that do not say so; whether a part will do."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=256)]
    kind: Annotated[str, Field(max_length=64)] | None = None
    partial: bool = False


async def post_import(request: web.Request) -> web.StreamResponse:
    query = asked(request, ImportQuery)
    _check(request, query)
    if LINES not in request.headers.get(hdrs.ACCEPT, ""):
        return answer(await _import(request, query, _silent))
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: LINES})
    await response.prepare(request)

    async def tell(step: str, lines: int) -> None:
        await response.write(_line({"step": step, "lines": lines}))

    try:
        done = await _told_refused(_import(request, query, tell))
        await response.write(_line({"step": "done", "taken": done.model_dump(mode="json")}))
    except Refusal as refusal:  # the answer has begun: its last line says what its status would have said
        told = {"status": refusal.status, "title": refusal.title, "detail": refusal.detail}
        rows = [one.model_dump() for one in refusal.refused or ()]
        await response.write(_line({"step": "refused", "problem": {**told, "refused": rows}}))
    await response.write_eof()
    return response


async def _told_refused(work: Awaitable[models.Imported]) -> models.Imported:
    try:
        return await work
    except StoreError as error:
        raise of_store(error) from None


def _line(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False) + "\n").encode()


async def _silent(step: str, lines: int) -> None:
    pass


def _check(request: web.Request, query: ImportQuery) -> None:
    if request.content_type != BYTES:
        raise Refusal(415, "Unsupported media type", f"send the file's bytes as {BYTES}")
    if Path(query.name).suffix.lower() not in ENDINGS:
        told = f"{query.name}: no table by its ending; give one of {', '.join(ENDINGS)}"
        raise Refusal(415, "Unsupported file", file_said(told, query.name, language_of(request)))
    if query.kind is not None and query.kind not in MODELS:
        told = f"{query.kind!r} is no kind of record; write one of {', '.join(MODELS)}"
        raise Refusal(400, "Bad request", said(told, language_of(request)))
    if (request.content_length or 0) > MOST_FILE:
        raise _too_large(request)


def _too_large(request: web.Request) -> Refusal:
    told = f"send at most {MOST_FILE // 1024 // 1024} MB; split it, or use `seatwatch import`"
    return Refusal(413, "File too large", said(told, language_of(request)))


async def _import(request: web.Request, query: ImportQuery, tell: Tell) -> models.Imported:
    services = request.app[SERVICES]
    with tempfile.TemporaryDirectory(prefix="seatwatch-import-") as folder:
        path = Path(folder) / f"file{Path(query.name).suffix.lower()}"
        await _receive(request, path)
        async with request.app[TURN]:
            admitted = await _admitted(request, path, query, tell)
            may_enter(request.app[PRINCIPAL].role, {one.kind for one in admitted.records})
            await tell("store", len(admitted.records))
            async with work(request) as tx:
                await judge(tx, admitted, services.settings, services.site)
                report = await keep(tx, admitted, name=Path(query.name).name, partial=query.partial)
    return _told(report, query, language_of(request))


async def _receive(request: web.Request, path: Path) -> None:
    size = 0
    with path.open("wb") as file:
        async for piece in request.content.iter_chunked(256 * 1024):
            size += len(piece)
            if size > MOST_FILE:
                raise _too_large(request)
            file.write(piece)


async def _admitted(request: web.Request, path: Path, query: ImportQuery, tell: Tell) -> Admitted:
    """Read and judged in a thread; the loop hears every 500 lines how far it is."""
    loop, steps = asyncio.get_running_loop(), asyncio.Queue[int | None]()

    def step(lines: int, _total: int, _what: str) -> None:
        loop.call_soon_threadsafe(steps.put_nowait, lines)

    def run() -> Admitted:
        try:
            return admit(read(path, query.kind), request.app[SERVICES].settings.zone, step)
        finally:
            loop.call_soon_threadsafe(steps.put_nowait, None)

    reading = loop.run_in_executor(None, run)
    try:
        while (lines := await steps.get()) is not None:
            await tell("read", lines)
        return await reading
    except (TableError, PackError) as error:
        own = Path(query.name).name
        told = str(error).replace(str(path), own).replace(path.name, own)
        raise Refusal(400, "No table", file_said(told, own, language_of(request))) from None
    finally:
        await asyncio.wait([reading])


def _told(report: Report, query: ImportQuery, language: Language) -> models.Imported:
    refused = [refused_row(one, language) for one in report.refused[:MOST_TOLD]]
    lines = len({(one.sheet, one.number) for one in report.refused})
    if lines and not query.partial:
        told = f"{lines} lines refused, nothing was stored: correct them, or send with partial=true to take the others"
        raise Refusal(422, "Records refused", said(told, language), refused=refused)
    return models.Imported(
        file=report.file,
        accepted=report.accepted,
        duplicates=report.duplicates,
        refused=refused,
        refused_lines=lines,
        kinds=dict(report.kinds),
    )
