"""Records over HTTP: taken by the same admission as a file, listed with their versions. Decides nothing about rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa.deliveries import Refused, admit, keep
from qa.observing import judge
from qa.store import records as stored
from qa.store.people import Role
from qa.store.pool import Tx
from qa.tables import Line, json_lines, once
from qa.web import models
from qa.web.context import MOST_ID, PRINCIPAL, SERVICES, answer, asked, work
from qa.web.letters import Language, said
from qa.web.letters import wanted as wanted_language
from qa.web.problems import Refusal, of_body
from scoring.records.admit import plain

LINES = "application/x-ndjson"
MOST = 1000  # records a request
# Kinds that a role may enter, where it may not enter all.
ONLY: Mapping[str, frozenset[str]] = {Role.HANDLER: frozenset({"case"})}
Text = Annotated[str, Field(min_length=1, max_length=256)]


class RecordsQuery(BaseModel):
    """Which records, from where on."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    kind: Text | None = None
    agent: Text | None = None
    case: Text | None = None
    from_: date | None = Field(None, alias="from", description="first day")
    to: date | None = Field(None, description="last day")
    source: Text | None = None
    withdrawn: bool = Field(False, description="withdrawals instead of what holds")
    cursor: Annotated[str, Field(max_length=64)] | None = None
    limit: int = Field(50, ge=1, le=200)


class TakeQuery(BaseModel):
    """Whether a part will do."""

    model_config = ConfigDict(extra="forbid")

    partial: bool = False


async def list_records(request: web.Request) -> web.Response:
    query = asked(request, RecordsQuery)
    only = stored.Wanted(
        kind=query.kind,
        agent=query.agent,
        case=query.case,
        from_day=query.from_,
        to_day=query.to,
        source=query.source,
        withdrawn=query.withdrawn,
    )
    async with work(request) as tx:
        page = await stored.page(tx, only, query.cursor, query.limit)
    return answer(models.RecordPage(items=[_kept(one) for one in page.items], next=page.next))


async def get_record(request: web.Request) -> web.Response:
    id = request.match_info["id"]
    async with work(request) as tx:
        found = await stored.versions(tx, id)
    if not found:
        raise Refusal(404, "Not found", f"record {id[:MOST_ID]!r}: not at this site; /api/v1/records lists them")
    return answer(models.RecordVersions(items=[_kept(one) for one in found]))


def _kept(one: stored.Kept) -> models.KeptRecord:
    return models.KeptRecord(record=plain(one.record), version=one.version, actor=one.actor, made_at=one.made_at)


async def post_records(request: web.Request) -> web.Response:
    """All or nothing unless ``partial``; answered after commit."""
    partial = asked(request, TakeQuery).partial
    lines = await _lines(request)
    may_enter(request.app[PRINCIPAL].role, [str(line.raw.get("kind")) for line in lines if isinstance(line.raw, dict)])
    services = request.app[SERVICES]
    admitted = admit(lines, services.settings.zone)
    async with work(request) as tx:
        await judge(tx, admitted, services.settings, services.site)
        report = await keep(tx, admitted, name=f"request from {request.remote or 'unknown'}", partial=partial)
    language = language_of(request)
    refused = [refused_row(one, language) for one in report.refused]
    if refused and not partial:
        told = "nothing was taken: correct these records, or send with partial=true to take the others"
        raise Refusal(422, "Records refused", told, refused=refused)
    return answer(models.Taken(accepted=report.accepted, duplicates=report.duplicates, refused=refused))


def refused_row(one: Refused, language: Language) -> models.RefusedRecord:
    reason = said(one.reason, language)
    return models.RefusedRecord(index=one.number, sheet=one.sheet, id=one.id, field=one.field, reason=reason)


def language_of(request: web.Request) -> Language:
    return wanted_language(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))


async def _lines(request: web.Request) -> list[Line]:
    """The records of the body, by their place in it."""
    if request.content_type not in ("application/json", LINES):
        raise Refusal(415, "Unsupported media type", f"send application/json with `records`, or {LINES}")
    try:
        text = (await request.read()).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(400, "Bad request", f"byte {error.start} of the body is not UTF-8; send UTF-8") from None
    if request.content_type == LINES:
        lines = [Line(at, line.raw, line.fault) for at, line in enumerate(json_lines(text))]
    else:
        lines = [Line(at, one) for at, one in enumerate(_listed(text))]
    if len(lines) > MOST:
        raise Refusal(413, "Too many records", f"{len(lines)} records; send at most {MOST} in one request")
    return lines


def _listed(text: str) -> list[Any]:
    try:
        body = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "Bad request", f"the body is no JSON ({error}); send an object with `records`") from None
    found = body.get("records") if isinstance(body, dict) and set(body) == {"records"} else body
    if not isinstance(found, list):
        raise Refusal(400, "Bad request", "the body has no list `records`; send an object with it and nothing else")
    return found


def may_enter(role: str, kinds: Iterable[str]) -> None:
    """Roles that may enter some kinds only."""
    allowed = ONLY.get(role)
    if allowed is not None and set(kinds) - allowed:
        raise Refusal(403, "Refused", f"the role {role} enters {', '.join(sorted(allowed))} only; ask an assessor")


async def list_deliveries(request: web.Request) -> web.Response:
    async with work(request) as tx:
        found = await stored.deliveries(tx)
    items = [
        models.Delivery(
            id=str(one.id), name=one.name, accepted=one.accepted, duplicates=one.duplicates, refused=one.refused,
            actor=one.actor, made_at=one.made_at,
        )
        for one in found
    ]  # fmt: skip
    return answer(models.Deliveries(items=items))


async def get_people(request: web.Request) -> web.Response:
    async with work(request) as tx:
        return answer(models.People(agents=list(await stored.people(tx))))


async def get_me(request: web.Request) -> web.Response:
    principal = request.app[PRINCIPAL]
    return answer(models.Me(actor=principal.actor, role=principal.role))


async def post_register(request: web.Request) -> web.Response:
    """Say since when a register is connected, or let it go; all registers come back."""
    if request.content_type != "application/json":
        raise Refusal(415, "Unsupported media type", "send application/json with `name` and `since`")
    try:
        wanted = models.Connect.model_validate_json(await request.read())
    except ValidationError as error:
        raise of_body(error) from None
    async with work(request) as tx:
        await stored.connect(tx, wanted.name, wanted.since)
        return await _registers(tx)


async def get_registers(request: web.Request) -> web.Response:
    async with work(request) as tx:
        return await _registers(tx)


async def _registers(tx: Tx) -> web.Response:
    found = await stored.registers(tx)
    items = [models.Register(name=name, since=found.get(name)) for name in stored.REGISTERS]
    return answer(models.Registers(items=items))
