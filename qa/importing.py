"""Imports lists of records: reads, admits and stores them, and reports every refused line. All or nothing, or a part.

The same file twice changes nothing. Reading a file is ``qa/tables.py``; what a record must be, ``scoring/records``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from pathlib import Path
from typing import Any

from qa.admin import actor_name
from qa.services import opened
from qa.settings import load_settings
from qa.store import records as stored
from qa.store.pool import Tx
from qa.tables import Line, TableError, read
from scoring.records.admit import parse
from scoring.records.kinds import MODELS
from scoring.records.record import Record, Refusal

MOST_LINES = 500_000
Step = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that was not taken: where it stands, which record it is, and one reason."""

    number: int
    field: str
    reason: str
    id: str | None = None
    sheet: str | None = None

    def as_dict(self) -> dict[str, Any]:
        told = {"number": self.number, "field": self.field, "reason": self.reason, "id": self.id, "sheet": self.sheet}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(slots=True)
class Report:
    """What became of a file."""

    file: str
    partial: bool = False
    accepted: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        return not self.refused

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "refused": [one.as_dict() for one in self.refused],
            "kinds": dict(sorted(self.kinds.items())),
        }

    def as_text(self) -> str:
        """Refused lines first, in the order of the file; then what was done and what to do."""
        rows = [f"{self.file}{_place(one)}: {one.field}: {one.reason}" for one in self.refused]
        lines = len({(one.sheet, one.number) for one in self.refused})
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        told = f"{self.file}: {self.accepted} records taken{f' ({kinds})' if kinds else ''}"
        told += f", {self.duplicates} known already" if self.duplicates else ""
        if lines:
            told += f", {lines} lines refused"
            told += "" if self.partial else "; nothing was stored: correct them, or take the others with --partial"
        return "\n".join([*rows, told])


def _place(one: Refused) -> str:
    return f": sheet {one.sheet}, row {one.number}" if one.sheet else f":{one.number}"


@dataclass(slots=True)
class Admitted:
    """Lines as records, each with the line it came from, and the lines that are none."""

    records: list[Record] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def take(self, line: Line, zone: tzinfo) -> None:
        found = [line.fault] if line.fault is not None else parse(line.raw, zone)
        if isinstance(found, Record):
            self.records.append(found)
            self.lines.append(line)
        else:
            self.refused += [_refused(line, why) for why in found]


def _refused(line: Line, why: Refusal) -> Refused:
    id = line.raw.get("id") if isinstance(line.raw, dict) else None
    return Refused(line.number, why.field, why.reason, id if isinstance(id, str) else None, line.sheet)


def admit(lines: Iterable[Line], zone: tzinfo, step: Step | None = None) -> Admitted:
    """Every line judged by itself."""
    found = Admitted()
    for count, line in enumerate(lines, 1):
        if count > MOST_LINES:
            raise TableError(f"more than {MOST_LINES} lines; split the file")
        found.take(line, zone)
        if step is not None and count % 500 == 0:
            step(count, 0, f"{count} lines read")
    return found


async def keep(tx: Tx, admitted: Admitted, *, name: str, partial: bool) -> Report:
    """Store what was admitted, if all or at least a part may go in; the report in the order of the lines."""
    lost = len({(one.sheet, one.number) for one in admitted.refused})
    added = await stored.add_records(tx, admitted.records, name=name, partial=partial, refused_before=lost)
    refused = admitted.refused + [_refused(admitted.lines[at], why) for at, why in added.refused]
    report = Report(name, partial, added.accepted, added.duplicates, sorted(refused, key=lambda one: one.number))
    report.kinds = Counter(one.kind for one in added.new)
    return report


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
