"""`seatwatch import` and `seatwatch register`: files into the site's records, and which registers are connected.

The same file twice changes nothing. Reading a file is ``qa/tables.py``, judging it ``qa/deliveries.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from qa.admin import actor_name
from qa.deliveries import Report, Step, admit, keep
from qa.observing import judge
from qa.services import opened
from qa.settings import load_settings
from qa.store import records as stored
from qa.tables import TableError, read
from scoring.records.kinds import MODELS


def import_file(
    path: Path, step: Step, *, kind: str | None = None, only: str | None = None, partial: bool, actor: str | None
) -> Report:
    """Import one file into this installation's site. ``only``: a kind beside which no other is taken."""
    if kind is not None and kind not in MODELS:
        raise TableError(f"--kind {kind}: no kind of record; write one of {', '.join(MODELS)}")
    settings = load_settings()
    admitted = admit(read(path, only or kind), settings.zone, step)

    async def work() -> Report:
        async with (
            opened(settings, settings.site, settings.site, scores=False) as services,
            services.store.site(settings.site, actor_name(actor)) as tx,
        ):
            await judge(tx, admitted, settings, settings.site)
            return await keep(tx, admitted, name=path.name, partial=partial)

    return asyncio.run(work())


def set_register(name: str | None, since: str | None, off: bool, actor: str | None) -> dict[str, str | None]:
    """Connect a register or let it go, if one is named; all of them with the day since which they are connected."""
    day = _register_day(name, since, off)
    settings = load_settings()

    async def work() -> dict[str, str | None]:
        async with (
            opened(settings, settings.site, settings.site, scores=False) as services,
            services.store.site(settings.site, actor_name(actor)) as tx,
        ):
            if name is not None:
                await stored.connect(tx, name, day)
            connected = await stored.registers(tx)
        return {one: connected[one].isoformat() if one in connected else None for one in stored.REGISTERS}

    return asyncio.run(work())


def _register_day(name: str | None, since: str | None, off: bool) -> date | None:
    if name is None and not (since or off):
        return None
    if name not in stored.REGISTERS:
        raise TableError(
            f"register {name or ''}: there is none of this name; name one of {', '.join(stored.REGISTERS)}"
        )
    if off == (since is not None):
        raise TableError(f"register {name}: give --since DAY, or --off")
    try:
        return date.fromisoformat(since) if since else None
    except ValueError:
        raise TableError(f"--since {since}: not a day; write it like 2026-03-01") from None


def register_text(found: Mapping[str, str | None]) -> str:
    return "\n".join(
        f"{name}: connected since {day}" if day else f"{name}: not connected" for name, day in found.items()
    )
