"""Answers about the site itself: its name, its regulation, its totals. It counts nothing by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import web

from qa.site import DEMO
from qa.store import screens
from qa.web import models
from qa.web.context import SERVICES, answer, work


@cache
def product_version() -> str:
    try:
        return version("seatwatch")
    except PackageNotFoundError:  # run from a working copy that was not installed
        return "0"


def totals(found: screens.Totals) -> models.Totals:
    return models.Totals(**asdict(found))


def trusts(overlay: Mapping[str, Any] | None, site: str) -> tuple[bool, bool]:
    """Whether text rules count by themselves here, and synthetic text too; the demo site says so from the start."""
    if overlay is None:
        return site == DEMO, site == DEMO
    return bool(overlay.get("trust")), bool(overlay.get("synthetic_ok"))


async def get_site(request: web.Request) -> web.Response:
    services = request.app[SERVICES]
    settings = services.settings
    async with work(request) as tx:
        found = await screens.totals(tx)
        agents = await screens.agents(tx)
        used = await screens.used(tx)
    text, synthetic = trusts(json.loads(used.overlay) if used else None, services.site)
    return answer(
        models.Site(
            site=services.site,
            version=product_version(),
            timezone=settings.timezone,
            language=settings.language,
            pack=used.pack if used else settings.pack,
            pack_version=used.version if used else None,
            text_trusted=text,
            synthetic_trusted=synthetic,
            agents=agents,
            totals=totals(found),
        )
    )
