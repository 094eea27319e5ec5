"""First set-up over HTTP: what is asked, a step tried on the real thing, the answers written. For the owner, here.

The same functions as `seatwatch init`; what differs is that people come as a table and not as a file's name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel, ValidationError

from qa.services import now
from qa.settings import Settings, SettingsError, load_settings, settings_target
from qa.setup import people as table
from qa.setup.answers import Stands, standing_for, stands, weighed
from qa.setup.apply import apply
from qa.setup.faults import Fault, Refused
from qa.setup.looks import Finding
from qa.setup.plan import Change, Plan, overridden, planned
from qa.setup.questions import BY_NAME, BY_ZONE, STEPS, Question, of_step, offered
from qa.setup.trial import one_call, tried
from qa.site import DEMO
from qa.web import setup_models as models
from qa.web.context import PRINCIPAL, SERVICES, answer
from qa.web.contract import CSV
from qa.web.problems import Refusal, of_body

Body = TypeVar("Body", bound=BaseModel)


async def get_setup(request: web.Request) -> web.Response:
    return answer(await asyncio.to_thread(_state))


def _state() -> models.SetupState:
    there = _there()
    today = _today(there.settings)
    steps = []
    for step in STEPS:
        asked = [_question(one, there, today) for one in of_step(step)]
        steps.append(models.SetupStep(step=step, questions=asked))
    records = not there.settings.lacking_to_record
    countries = {zone: list(one) for zone, one in BY_ZONE.items()}
    return models.SetupState(
        file=str(there.path), exists=bool(there.text), records=records, countries=countries, steps=steps
    )


def _there() -> Stands:
    """As things stand now; the demo is no site to set up."""
    try:
        settings = load_settings()
        if settings.site == DEMO:
            settings = settings.model_copy(update={"site": "main"})
        return stands(settings, settings_target())
    except SettingsError as error:
        raise Refusal(409, "Settings at fault", "; ".join(error.faults)) from None


def _today(settings: Settings) -> date:
    return now().astimezone(settings.zone).date()


def _question(one: Question, there: Stands, today: date) -> models.SetupQuestion:
    given = {name: offered(name, {}, there.values, today) for name in ("timezone", "pack")}
    value = offered(one.name, given, standing_for({}, there), today)
    secret = one.kind == "secret"
    return models.SetupQuestion(
        name=one.name, kind=one.kind, need=one.need, choices=list(one.choices),
        value=None if secret else _plain(value), set=value is not None if secret else one.name in there.values,
    )  # fmt: skip


def _plain(value: Any) -> models.Value:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value


async def get_people_template(request: web.Request) -> web.Response:
    headers = {hdrs.CONTENT_DISPOSITION: 'attachment; filename="people.csv"'}
    return web.Response(body=table.template(), content_type=CSV, charset="utf-8", headers=headers)


# --- tried


async def try_setup(request: web.Request) -> web.Response:
    """The faults of one step, and what is found when its answers are taken at their word."""
    asked = await _body(request, models.Trial)
    there = await asyncio.to_thread(_there)
    answers, faults = await asyncio.to_thread(weighed, asked.answers, there, _today(there.settings))
    step = "pbx" if asked.step == "call" else asked.step
    own = [one for one in faults if BY_NAME[one.field].step == step] if not _strange(faults) else faults
    count = 0
    if step == "people":
        try:
            count = len(await asyncio.to_thread(table.read, _table(asked)))
        except Refused as refused:
            own += refused.found
    findings: list[Finding] = []
    if not own:
        if asked.step == "call":
            findings = await one_call(answers, there, asked.seconds)
        else:
            findings = await tried(step, answers, there, now)
    return answer(models.Tried(faults=_faults(own), findings=[_finding(one) for one in findings], people=count))


def _strange(faults: Iterable[Fault]) -> bool:
    return any(one.field not in BY_NAME for one in faults)


def _table(asked: models.Answers) -> bytes:
    return (asked.people or "name\n").encode()


# --- written


async def write_setup(request: web.Request) -> web.Response:
    """What would change, or with `write` what has changed."""
    asked = await _body(request, models.Writing)
    there = await asyncio.to_thread(_there)
    try:
        plan = await asyncio.to_thread(_planned, asked, there)
        changes: tuple[Change, ...] = plan.changes
        variables: list[str] = []
        if asked.write:
            changes = (await apply(plan, request.app[SERVICES].store, request.app[PRINCIPAL].actor)).changes
            variables = overridden(plan)
        elif plan.people:
            changes = (*changes, Change("people", str(len(plan.people))))
    except Refused as refused:
        return answer(models.Wrote(written=False, faults=_faults(refused.found), changes=[]))
    told = [models.SetupChange(what=one.what, new=one.new, old=one.old) for one in changes]
    return answer(models.Wrote(written=asked.write, faults=[], changes=told, overridden=variables))


def _planned(asked: models.Writing, there: Stands) -> Plan:
    answers, faults = weighed(asked.answers, there, _today(there.settings))
    if faults:
        raise Refused(faults)
    return planned(answers, there, _table(asked))


# --- in and out


async def _body(request: web.Request, shape: type[Body]) -> Body:
    if request.content_type != "application/json":
        raise Refusal(415, "Unsupported media type", "send application/json with `answers`")
    try:
        return shape.model_validate_json(await request.read())
    except ValidationError as error:
        raise of_body(error) from None


def _faults(found: Iterable[Fault]) -> list[models.SetupFault]:
    return [
        models.SetupFault(field=one.field, code=one.code, values=dict(one.values), text=one.text, line=one.line)
        for one in found
    ]


def _finding(one: Finding) -> models.SetupFinding:
    return models.SetupFinding(
        check=one.check,
        code=one.code,
        what=one.what,
        found=one.found,
        seen=one.seen,
        values=dict(one.values),
        advice=one.advice or None,
        bad=one.bad,
    )
