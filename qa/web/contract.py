"""Answers about what records may say: kinds and their fields, templates to fill in, rules that take an observation."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from qa.observing import observed, rulebook
from qa.web import models
from qa.web.context import MOST_ID, SERVICES, answer, asked, work
from qa.web.problems import Refusal
from scoring.pack import Rule, Title
from scoring.records import contract
from scoring.records.kinds import CASE_TYPES, FIGURES, MODELS
from scoring.values import Known

CSV = "text/csv"


class RulesQuery(BaseModel):
    """Whose rules; without a name, those of the site's own regulation."""

    model_config = ConfigDict(extra="forbid")

    pack: Annotated[str, Field(pattern=r"^[a-z0-9]{2,8}$")] | None = None


async def get_kinds(request: web.Request) -> web.Response:
    parts = {name: [_field(one) for one in fields] for name, fields in contract.part_forms().items()}
    cases = {
        name: models.CaseType(stages=list(one.stages), levels=list(one.levels), classes=list(one.classes))
        for name, one in CASE_TYPES.items()
    }
    kinds = [_kind(contract.kind_form(kind)) for kind in MODELS]
    return answer(models.Kinds(kinds=kinds, parts=parts, case_types=cases, figures=dict(FIGURES)))


def _kind(one: contract.Kind) -> models.Kind:
    fields = [_field(field) for field in one.fields]
    return models.Kind(kind=one.kind, when=list(one.when), sources=list(one.sources), fields=fields)


def _field(one: contract.Field) -> models.ContractField:
    return models.ContractField(name=one.name, type=one.type, need=one.need, values=list(one.values), open=one.open)


async def get_template(request: web.Request) -> web.Response:
    """The head of a table, marked as UTF-8 so that a spreadsheet reads it so."""
    kind = request.match_info["id"]
    if kind not in MODELS:
        raise Refusal(404, "Not found", f"{kind[:MOST_ID]!r} is no kind of record; write one of {', '.join(MODELS)}")
    text = io.StringIO(newline="")
    csv.writer(text).writerow(contract.columns(kind))
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="{kind}.csv"'}
    return web.Response(body=text.getvalue().encode("utf-8-sig"), content_type=CSV, charset="utf-8", headers=headers)


async def get_rules(request: web.Request) -> web.Response:
    services, wanted = request.app[SERVICES], asked(request, RulesQuery).pack
    day = datetime.now(services.settings.zone).date()
    async with work(request) as tx:
        book = await rulebook(tx, services.settings, services.site)
    pack = book.site_pack(day) if wanted is None else await asyncio.to_thread(book.pack_of, wanted, day)
    if pack is None:
        raise Refusal(404, "Not found", f"there is no regulation {wanted!r}; write one of {', '.join(book.names(day))}")
    items = [_rule(id, rule, book.on(id, rule), book.points(id, rule, day)) for id, rule in observed(pack)]
    title, names = _titles(pack.head.title), book.names(day)
    return answer(models.ObservedRules(pack=pack.id, title=title, packs=names, items=items))


def _titles(title: Title) -> models.Titles:
    return models.Titles(zh=title.zh, ko=title.ko, en=title.en)


def _rule(rule_id: str, rule: Rule, on: bool, points: Known | None) -> models.ObservedRule:
    return models.ObservedRule(
        rule=rule_id,
        cite=rule.cite,
        title=_titles(rule.title),
        quote=rule.quote,
        quote_ko=rule.quote_ko,
        decide=rule.decide,
        per=rule.per,
        on=on,
        why=rule.why,
        points=_plain(points.number) if points is not None else None,
        assumed=points is not None and points.assumed,
        ranges=[models.PrintedRange(min=one.min, max=one.max) for one in rule.range],
        worth=rule.item.weight if rule.item is not None else None,
    )


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
