"""Looks at an installation and says what to do about what is missing. How it looks stands in ``qa/setup``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qa.services import now, opened_store
from qa.settings import Settings, load_settings
from qa.setup import lines, looks
from qa.setup.looks import Finding
from qa.store import board
from qa.store.errors import StoreError

NAMED = 5  # seats in one line


@dataclass(frozen=True, slots=True)
class Examined:
    settings: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        return not any(one.bad for one in self.findings)

    def as_dict(self) -> dict[str, Any]:
        rows = [one.as_dict() for one in self.findings]
        return {"clean": self.clean, "settings": self.settings, "findings": rows}

    def as_text(self) -> str:
        told = [f"  {name:<18} {value}" for name, value in self.settings.items()]
        told = ["settings (SEATWATCH_… in capitals):", *told, ""]
        return "\n".join([*told, *(one.as_text() for one in self.findings)])


def examine() -> Examined:
    """Everything that can be looked at without starting a part."""
    settings = load_settings()
    findings = (
        *_python(),
        *looks.model(settings),
        *looks.folders(settings),
        *looks.ports(settings),
        *looks.private(settings),
        *looks.recording(settings),
        *looks.watched(settings),
        *looks.certificate(settings, now()),
        *asyncio.run(_asked(settings)),
    )
    return Examined(settings.shown(), findings)


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", version, "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer", fatal=True)
    free = _file_limit()
    yield Finding("open files", str(free), "" if free >= 1024 else "raise it: ulimit -n 4096")


def _file_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


async def _asked(settings: Settings) -> list[Finding]:
    """What has to be waited for: the database and the switchboards, all at once."""
    asked = [_database(settings), *(lines.switchboard(settings, pbx, now) for pbx in settings.pbx)]
    return [one for part in await asyncio.gather(*asked) for one in part]


async def _database(settings: Settings) -> list[Finding]:
    return [*await looks.database(settings), *await _ahead(settings)]  # one after the other: it may have to be started


async def _ahead(settings: Settings) -> list[Finding]:
    """Seats of which a sender told something that is still to come: its clock is wrong, or ours."""
    try:
        async with opened_store(settings) as store:
            found: dict[str, datetime] = {}
            for site in await store.sites():
                async with store.site(site.id, "doctor") as tx:
                    found |= {f"{site.id}/{seat}": at for seat, at in (await board.ahead(tx)).items()}
    except (StoreError, OSError):
        return []  # the look at the database says so
    if not found:
        return []
    seats = ", ".join(
        f"{name} since {at.astimezone(settings.zone):%Y-%m-%d %H:%M}" for name, at in list(found.items())[:NAMED]
    )
    advice = "let the machine that reports these seats, and this one, keep time by NTP; later news take them back"
    return [
        Finding(
            "clocks",
            f"{len(found)} {'seat is' if len(found) == 1 else 'seats are'} ahead of our clock: {seats}",
            advice,
        )
    ]
