"""Writes what was planned: overlay, settings (0600, whole or not at all), site and people. Nothing else is touched."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.setup.people import Kept, keep
from qa.setup.plan import Change, Plan
from qa.store.pool import Store


@dataclass(frozen=True, slots=True)
class Written:
    """What is otherwise now."""

    changes: tuple[Change, ...]
    path: Path

    def as_dict(self) -> dict[str, Any]:
        return {"file": str(self.path), "changes": [one.as_dict() for one in self.changes]}


async def apply(plan: Plan, store: Store, actor: str) -> Written:
    """People first: what the database refuses leaves the files as they are."""
    kept = await _people(plan, store, actor)
    if plan.overlay is not None and _differs(plan.overlay, plan.overlay_text):
        write(plan.overlay, plan.overlay_text, 0o644)
    if _differs(plan.path, plan.text):
        write(plan.path, plan.text, 0o600)
    people = (Change("people", str(kept)),) if kept.any else ()
    return Written((*plan.changes, *people), plan.path)


async def _people(plan: Plan, store: Store, actor: str) -> Kept:
    settings = plan.settings
    await store.add_site(settings.site, settings.site, settings.timezone, actor)
    if not plan.people or plan.start_day is None:
        return Kept()
    async with store.site(settings.site, actor) as tx:
        return await keep(tx, plan.people, plan.start_day, settings.zone)


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def write(path: Path, text: str, mode: int) -> None:
    """In the place of the old file at once; a file that is there keeps its mode, if that lets fewer people in."""
    real = path.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    if real.is_file():
        mode &= real.stat().st_mode & 0o777
    fresh = real.with_name(f".{real.name}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(mode | 0o600)
        os.replace(fresh, real)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
