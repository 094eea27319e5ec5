"""Commands of the operator that change the installation: migrate, backup, restore. What they do stands in qa/store."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path

from qa.paths import no_file
from qa.services import opened_database, opened_store
from qa.settings import load_settings
from qa.store.backup import Report, backup, restore
from qa.store.errors import StoreError


def actor_name(given: str | None) -> str:
    """Who does this: as told, else the login name."""
    return given or getpass.getuser()


def _told(report: Report) -> str:
    heads = ", ".join(f"{site} up to ledger row {seq}" for site, (seq, _) in report.heads.items()) or "no site"
    return f"{report.rows} rows, {report.recordings} recordings, {report.secrets} keys; {heads}"


def migrate_database(actor: str | None) -> str:
    settings = load_settings()

    async def work() -> str:
        async with opened_store(settings) as store:
            return f"the schema stands at {await store.revision()} (by {actor_name(actor)})"

    return asyncio.run(work())


def backup_to(file: Path, actor: str | None) -> str:
    """Database, recordings and keys as of one instant."""
    settings = load_settings()

    async def work() -> str:
        async with opened_store(settings) as store:
            report = await backup(
                store.dsn, file, recordings=settings.recordings_folder, secrets=settings.data / "secrets"
            )
        return f"{file}: {_told(report)} (by {actor_name(actor)})"

    return asyncio.run(work())


def restore_from(file: Path, replace: bool, actor: str | None) -> str:
    """Bring a backup back; stop what serves first."""
    settings = load_settings()
    if wrong := no_file(file, "name a backup"):
        raise StoreError(wrong)

    async def work() -> str:
        async with opened_database(settings) as dsn:
            report = await restore(
                dsn,
                file,
                recordings=settings.recordings_folder,
                secrets=settings.data / "secrets",
                replace=replace,
            )
        return f"{file}: {_told(report)} (by {actor_name(actor)})"

    return asyncio.run(work())
