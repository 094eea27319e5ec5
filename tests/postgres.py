"""Fixtures for every test that needs the store: one cluster a run, one migrated template, a fresh clone a test.

Import what you need into a ``conftest.py``: ``from tests.postgres import cluster, dsn, store, template``.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from qa.store.pool import Store
from qa.store.postgres import Embedded

SITE = "main"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "100"}
_NUMBERS = itertools.count(1)


@pytest_asyncio.fixture(scope="session")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Embedded]:
    """A server of the run's own; it keeps nothing, so it need not sync."""
    folder = tmp_path_factory.mktemp("cluster")
    async with Embedded(folder, settings=FAST) as server:
        yield server
    shutil.rmtree(folder)  # pytest keeps the folders of its last runs, and this one is large


@pytest_asyncio.fixture(scope="session")
async def template(cluster: Embedded) -> str:
    """A migrated database with one site, to be cloned."""
    name = "migrated"
    await as_superuser(cluster, f"CREATE DATABASE {name} OWNER seatwatch")
    store = await Store.open(cluster.url("seatwatch", name))
    await store.migrate()
    await store.add_site(SITE, "Main", "Asia/Shanghai", "test")
    await store.close()
    return name


async def as_superuser(cluster: Embedded, *statements: str, database: str = "postgres") -> None:
    """Chores that the service's own role may not do."""
    conn = await asyncpg.connect(cluster.url("postgres", database))
    try:
        for statement in statements:
            await conn.execute(statement)
    finally:
        await conn.close()


async def clone(cluster: Embedded, template: str) -> tuple[str, str]:
    """Name and DSN of a fresh copy; drop it with ``drop``."""
    name = f"clone_{next(_NUMBERS)}"
    await as_superuser(cluster, f"CREATE DATABASE {name} TEMPLATE {template} OWNER seatwatch STRATEGY file_copy")
    return name, cluster.url("seatwatch", name)


async def drop(cluster: Embedded, name: str) -> None:
    await as_superuser(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def dsn(cluster: Embedded, template: str) -> AsyncIterator[str]:
    """A migrated database of the test's own."""
    name, url = await clone(cluster, template)
    yield url
    await drop(cluster, name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_dsn(cluster: Embedded, template: str) -> AsyncIterator[str]:
    """A migrated database that the tests of one module share."""
    name, url = await clone(cluster, template)
    yield url
    await drop(cluster, name)


@pytest_asyncio.fixture
async def store(dsn: str) -> AsyncIterator[Store]:
    """An open store on the test's own database, with the site ``main``."""
    opened = await Store.open(dsn)
    yield opened
    await opened.close()
