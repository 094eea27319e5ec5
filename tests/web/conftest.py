"""The web tests run over a real PostgreSQL that holds a handful of seeded calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from qa.settings import Settings
from qa.store import records
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.screens import Screens
from tests.postgres import SITE, cluster, dsn, module_dsn, store, template
from tests.scoring.records.build import record
from tests.web import seed
from tests.web.seed import BEGIN, Said, Spoken

__all__ = ["cluster", "dsn", "module_dsn", "store", "template"]


@dataclass(slots=True)
class Running:
    """The services that the web part asks for."""

    settings: Settings
    store: Store
    recordings: Path
    site: str = SITE
    status: dict[str, Any] = field(default_factory=lambda: {"model": "fixture"})


def running(store: Store, folder: Path) -> Running:
    return Running(Settings(data=folder), store, folder / "recordings")


POLITE = (
    Said("agent", 400, 1900, "您好，请问有什么可以帮您"),
    Said("customer", 2400, 3900, "我家宽带上不了网"),
    Said("agent", 4400, 6200, "感谢您的来电，再见"),
)
ARGUING = (
    Said("agent", 400, 1500, "您好，请讲"),
    Said("customer", 2000, 3300, "我要投诉你们"),
    Said("agent", 3800, 5000, "跟你说不清"),
    Said("agent", 5500, 7300, "感谢您的来电，再见"),
)
CALLS = (
    Spoken("C-01", POLITE),
    Spoken("C-02", POLITE, agent="A02", ring_s=Decimal("17.2")),
    Spoken("C-03", POLITE[1:], agent="A02"),
    Spoken("C-04", ARGUING, agent="A03"),
    Spoken("C-05", POLITE, mixed=True),
    Spoken("C-06", POLITE, gap=("agent", 0, 3000)),
    Spoken("C-07", answered=False, ring_s=Decimal("16.8")),
    Spoken("C-08", POLITE, scored=False),
    Spoken("C-09", answered=False, ended=False, scored=False),
    Spoken("C/10 ..%2f 坐席", POLITE),
)


async def fill(store: Store, folder: Path) -> None:
    """The seeded site: ten calls a minute apart, one seat left alone."""
    for number, one in enumerate(CALLS):
        await seed.put(store, SITE, folder, seed.moved(one, timedelta(minutes=number)))
    async with store.site(SITE, "seed") as tx:
        await records.add_records(tx, [record("exam", "C-02")], name="seed")
    await seed.put_away(store, SITE, "S06", BEGIN + timedelta(hours=1), 75, 75)
    await seed.put_states(store, SITE, "S06", (BEGIN, "ready"), (BEGIN + timedelta(hours=2), "busy"), agent="A06")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(module_dsn: str, tmp_path_factory: Any) -> AsyncIterator[Running]:
    """A seeded site that the tests of one module read."""
    opened = await Store.open(module_dsn)
    made = running(opened, tmp_path_factory.mktemp("site"))
    await fill(opened, made.recordings)
    yield made
    await opened.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(services: Running, tmp_path_factory: Any) -> AsyncIterator[TestClient[Any, Any]]:
    """A client of the web part; the screens are not built."""
    app = make_app(services, screens=Screens(tmp_path_factory.mktemp("static")), watch_seconds=0.02)
    async with TestClient(TestServer(app)) as one:
        yield one
