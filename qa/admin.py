"""Commands of the operator that change the installation: migrate, backup, restore. What they do stands in qa/store."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path

from qa.services import opened_store
from qa.settings import Settings, load_settings


def actor_name(given: str | None) -> str:
    """Who does this: as told, else the login name."""
    return given or getpass.getuser()


def migrate_database(actor: str | None) -> str:
    settings = load_settings()

    async def work() -> str:
        async with opened_store(settings) as store:
            return f"the schema stands at {await store.revision()} (by {actor_name(actor)})"

    return asyncio.run(work())
