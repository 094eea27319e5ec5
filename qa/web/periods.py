"""Months over HTTP: the list, a sheet, closing, recommendations, adjusting. It computes nothing itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from qa.period import MonthRefused, Months, Only, View, month_of
from qa.period_sheet import head, sheets
from qa.site import SiteRules, rules
from qa.store import months as stored
from qa.store.errors import Conflict
from qa.store.people import Role
from qa.web import month_models as models
from qa.web.context import MOST_ID, PRINCIPAL, SERVICES, answer, asked, work
from qa.web.problems import Refusal
from scoring.canonical import decimal_text
from scoring.records.period import Period

Form = TypeVar("Form", bound=BaseModel)
FRESH_SECONDS = 300  # deadlines run out while nothing else happens
QUICK_SECONDS = 2.0  # what took longer is shown for ten times as long before news of calls and records are worked in
MOST_KEPT = 6
STATUS = {"not_applicable": 409, "duplicate": 409, "stage_order": 409, "second_approval_missing": 403, "own_call": 403}


class SheetQuery(BaseModel):
    """Whose sheet the name means."""

    model_config = ConfigDict(extra="forbid")

    of: Literal["person", "team", "site"] = "person"


@dataclass(frozen=True, slots=True)
class Kept:
    """A month as it was computed: from what, after which acts of people, when, and how long that took."""

    known: tuple[Any, ...]
    acts: tuple[Any, ...]
    view: View
    as_of: datetime
    at: float
    took: float

    def serves(self, known: tuple[Any, ...], acts: tuple[Any, ...], now: float) -> bool:
        patience = 10 * self.took if self.took > QUICK_SECONDS else 0
        return self.acts == acts and (self.known == known or now - self.at < patience)


@dataclass(slots=True)
class Shelf:
    """Months as they were computed last; and the site's rules, read once."""

    rules: SiteRules | None = None
    kept: dict[Period, Kept] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


SHELF: web.AppKey[Shelf] = web.AppKey("months", Shelf)


async def _months(request: web.Request) -> Months:
    services, shelf = request.app[SERVICES], request.app[SHELF]
    if shelf.rules is None:
        shelf.rules = await asyncio.to_thread(rules, services.settings, services.site)
    now = datetime.now(shelf.rules.zone).replace(tzinfo=None, microsecond=0)
    return Months(services.store, shelf.rules, request.app[PRINCIPAL].actor, now)


async def _view(request: web.Request, months: Months, month: Period) -> Kept:
    """The month; an open one is computed again when something was added or a while has passed."""
    shelf, loop = request.app[SHELF], asyncio.get_running_loop()
    async with shelf.turn:
        async with work(request) as tx:
            pins = await stored.pins(tx)
            closed = tuple(one.month for one in await stored.closings(tx))
            settings = await _settings(tx)
        slot = int(loop.time()) // FRESH_SECONDS
        known, acts = (pins, slot), (pins.decisions, pins.adjustments, closed, settings)
        found = shelf.kept.get(month)
        if found is None or not found.serves(known, acts, loop.time()):
            started = loop.time()
            view = await months.view(month)
            found = Kept(known, acts, view, months.now, loop.time(), loop.time() - started)
            shelf.kept = {**dict(list(shelf.kept.items())[-MOST_KEPT:]), month: found}
        return found


async def _settings(tx: Any) -> tuple[Any, ...]:
    from qa.store import choices
    from qa.store.records import registers

    names = ("money", "signed_off_by", "jurisdiction")
    told = tuple([str(await choices.get(tx, name)) for name in names])
    return (*told, tuple(sorted((await registers(tx)).items())))


def _month(request: web.Request) -> Period:
    try:
        return month_of(request.match_info["month"])
    except MonthRefused as refused:
        raise Refusal(404, "Not found", str(refused)) from None


def _refusal(refused: MonthRefused) -> Refusal:
    return Refusal(STATUS.get(refused.word, 422), "Refused", str(refused))


async def list_months(request: web.Request) -> web.Response:
    months = await _months(request)
    async with work(request) as tx:
        closed = [one.month for one in await stored.closings(tx)]
    now = Period.of(months.now.date(), "month")
    following = [str(Period(closed[-1]).next())] if closed else []
    names = sorted({*closed, *following, str(now.next(-1)), str(now)})
    items = [models.MonthName(month=one, closed=one in closed) for one in names]
    return answer(models.MonthNames(items=items))


async def get_month(request: web.Request) -> web.Response:
    months, month = await _months(request), _month(request)
    kept = await _view(request, months, month)
    return answer(_shown(kept.view, months, kept.as_of))


def _shown(view: View, months: Months, as_of: datetime) -> models.Month:
    names = ("who", "kind", "team", "pack", "score", "grade", "rank", "state", "pay", "fine", "waiting")
    rows = [
        models.MonthRow(
            **{name: one[name] for name in names},
            unknown=len(one["unknown"]),
            assumed=len(one["assumed"]),
            recommendations=[models.Advice(kind=each["kind"], state=each["state"]) for each in one["recommendations"]],
        )
        for one in sheets(view)
    ]
    over = months.now.date() > view.month.last
    return models.Month(**head(view), over=over, as_of=as_of.isoformat(timespec="minutes"), items=rows)


async def get_month_sheet(request: web.Request) -> web.Response:
    """A person's sheet; an agent's own only."""
    months, month, who = await _months(request), _month(request), request.match_info["agent"]
    principal = request.app[PRINCIPAL]
    gone = Refusal(404, "Not found", f"{who[:MOST_ID]!r} has no month {month} here; the list of the month names all")
    if principal.role == Role.AGENT and principal.actor != who:
        raise gone
    view = (await _view(request, months, month)).view
    kind = asked(request, SheetQuery).of
    found = next((one for one in sheets(view) if one["who"] == who and one["kind"] == kind), None)
    if found is None:
        raise gone
    about = head(view)
    names = set(models.MonthSheet.model_fields) - {"month", "money", "closed", "amounts"}
    own = {name: found[name] for name in names}
    return answer(
        models.MonthSheet(
            month=about["month"], money=about["money"], closed=about["closed"], amounts=found["money"], **own
        )
    )


async def close_month(request: web.Request) -> web.Response:
    months, month = await _months(request), _month(request)
    try:
        return answer(_shown(await months.close(month), months, months.now))
    except MonthRefused as refused:
        raise _refusal(refused) from None


async def decide_recommendation(request: web.Request) -> web.Response:
    months, month, agent = await _months(request), _month(request), request.match_info["agent"]
    told = await _body(request, models.Decision, "kind, step and reason")
    try:
        caution = await months.decide(month, agent, told.kind, told.step, told.reason)
    except MonthRefused as refused:
        raise _refusal(refused) from None
    except Conflict:
        raise Refusal(409, "Refused", "somebody else decided this just now; look again") from None
    state = {"review": "reviewed", "approve": "approved", "reject": "rejected"}[told.step]
    return answer(models.DecisionTaken(state=state, caution=list(caution)))


async def adjust_month(request: web.Request) -> web.Response:
    """Points or money for a closed month, or the opposite of what was adjusted before."""
    months, month, agent = await _months(request), _month(request), request.match_info["agent"]
    told = await _body(request, models.Adjustment, "points or pay, or undo, and reason")
    try:
        if told.undo is not None:
            (made,) = await months.undo(month, agent, told.undo, told.reason)
        else:
            points, pay = Decimal(told.points), Decimal(told.pay)
            (made,) = await months.adjust(month, Only(agent=agent), points, pay, told.reason)
    except MonthRefused as refused:
        raise _refusal(refused) from None
    return answer(
        models.AdjustmentTaken(
            n=made.n, month=made.month, carried=made.carried, agent=made.agent, points=decimal_text(made.points),
            pay=decimal_text(made.pay), reason=made.reason, by=made.actor,
        )
    )  # fmt: skip


async def _body(request: web.Request, form: type[Form], names: str) -> Form:
    """What was sent in this form; `names` says what to send."""
    if request.content_type != "application/json":
        raise Refusal(415, "Unsupported media type", f"send application/json with {names}")
    try:
        return form.model_validate_json(await request.read())
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise Refusal(422, "Unprocessable", f"{faults}; send {names}") from None
