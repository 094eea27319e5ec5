"""Looks at an installation (settings, model, folders, ports, database) and says what to do about what is missing."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qa.services import NoModel, model_folder, opened_store
from qa.settings import Settings, load_settings
from qa.store.errors import StoreError
from speech.errors import ModelError
from speech.whisper import check_folder

LOW_DISK = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``advice`` is empty where all is well; ``fatal`` where the product cannot run without it."""

    what: str
    found: str
    advice: str = ""
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    settings: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        return not any(one.fatal and one.advice for one in self.findings)

    def as_dict(self) -> dict[str, Any]:
        rows = [{"what": one.what, "found": one.found, "advice": one.advice or None} for one in self.findings]
        return {"clean": self.clean, "settings": self.settings, "findings": rows}

    def as_text(self) -> str:
        lines = [f"  {name:<18} {value}" for name, value in self.settings.items()]
        lines = ["settings (SEATWATCH_… in capitals):", *lines, ""]
        for one in self.findings:
            mark = "ok " if not one.advice else "!! " if one.fatal else "?  "
            lines.append(f"{mark}{one.what}: {one.found}" + (f"; {one.advice}" if one.advice else ""))
        return "\n".join(lines)


def examine() -> Examined:
    """Everything that can be looked at without starting a part."""
    settings = load_settings()
    findings = (
        *_python(),
        *_model(settings),
        *_folders(settings),
        *_ports(settings),
        *asyncio.run(_database(settings)),
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


def _model(settings: Settings) -> Iterator[Finding]:
    try:
        folder = model_folder(settings.model)
        card = check_folder(folder)
    except NoModel as error:
        yield Finding("speech model", "none", " ".join(error.faults[:2]))
    except ModelError as error:
        yield Finding("speech model", "does not load", str(error), fatal=True)
    else:
        advice = "it hears the demo's calls only; set a real model" if card.synthetic else ""
        yield Finding("speech model", f"{card.name} in {folder}", advice)


def _folders(settings: Settings) -> Iterator[Finding]:
    place = settings.data
    while not place.exists():
        place = place.parent
    usable = place.is_dir() and os.access(place, os.W_OK)
    advice = "" if usable else f"{place} is no folder you may write to; set SEATWATCH_DATA to one of your own"
    yield Finding("data folder", str(settings.data), advice, fatal=True)
    free = shutil.disk_usage(place).free
    yield Finding("free disk", f"{free / 1024**3:.1f} GiB", "" if free > LOW_DISK else "free some: calls need room")


def _ports(settings: Settings) -> Iterator[Finding]:
    wanted = (
        ("AudioSocket", settings.host, settings.audiosocket_port, "AUDIOSOCKET_PORT"),
        ("events and stream", settings.host, settings.ingest_port, "INGEST_PORT"),
        ("screens", settings.web_host, settings.web_port, "WEB_PORT"),
    )
    for what, host, port, name in wanted:
        taken = _taken(host, port)
        advice = f"taken: either seatwatch runs already, or set SEATWATCH_{name}" if taken else ""
        yield Finding(f"port of {what}", f"{host}:{port}", advice)


def _taken(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


async def _database(settings: Settings) -> list[Finding]:
    what = "external" if settings.database_url else "embedded"
    try:
        async with opened_store(settings) as store:
            sites = ", ".join(one.id for one in await store.sites()) or "none yet"
            return [Finding("database", f"{what}, schema {await store.revision()}, sites: {sites}")]
    except (StoreError, OSError) as error:
        return [Finding("database", f"{what} does not open", str(error), fatal=True)]
