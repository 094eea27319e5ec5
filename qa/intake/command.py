"""`seatwatch import calls`: recordings and call lists into this site. Reading is ``plan``, storing is ``keep``.

All or nothing, unless asked for a part. The folds are turned here where nobody else turns them.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from qa.admin import actor_name
from qa.deliveries import Refused, Report, admit
from qa.deliveries import keep as keep_records
from qa.fold import Folder
from qa.importing import import_file
from qa.intake.keep import Kept, Ready, Shelf, keep
from qa.intake.plan import Item, Plan, is_sound, plan
from qa.intake.sound import Part, Sound, convert
from qa.logs import to_stderr
from qa.observing import judge
from qa.private import keep_private
from qa.ringing import answer_after, listened
from qa.services import Services, now, opened
from qa.settings import load_settings
from qa.store.duty import Duty
from qa.store.pool import Store, Tx
from speech.errors import AudioError

Step = Callable[[int, int, str], None]
Make = Callable[[Sequence[Part], tuple[str, ...] | None, Path], Awaitable[Sound]]


@dataclass(slots=True)
class Taken(Report):
    """What became of the recordings, beside what became of the lines without one."""

    recordings: int = 0
    seconds: float = 0.0
    notes: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**Report.as_dict(self), "recordings": self.recordings, "seconds": round(self.seconds, 1),
                "notes": self.notes}  # fmt: skip

    def as_text(self) -> str:
        rows = [f"{one.file or self.file}:{one.number}: {one.field}: {one.reason}" for one in self.refused]
        rows += [f"{one['call']}: {one['note']}" for one in self.notes]
        told = f"{self.recordings} recordings taken ({self.seconds / 60:.1f} min)"
        told += f", {self.accepted - self.recordings} records" if self.accepted > self.recordings else ""
        told += f", {self.duplicates} known already" if self.duplicates else ""
        if lost := len({(one.file, one.number, one.sheet) for one in self.refused}):
            told += f", {lost} refused"
            told += "" if self.partial else "; nothing was stored: correct them, or take the others with --partial"
        return "\n".join([*rows, told])


def import_calls(paths: Sequence[Path], step: Step, *, partial: bool, actor: str | None) -> Report:
    """Recordings with what is said of them, and lines of calls without one."""
    if len(paths) == 1 and not paths[0].is_dir() and not is_sound(paths[0]):
        return import_file(paths[0], step, only="call", partial=partial, actor=actor)
    settings = load_settings()
    to_stderr("warning")
    keep_private()
    found = plan(paths, settings.zone)

    async def work() -> Report:
        async with opened(settings, settings.site, settings.site, scores=False) as services:
            name = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
            report = await take(services, found, step, name=name, partial=partial, actor=actor_name(actor))
            await fold(services)
            return report

    return asyncio.run(work())


async def _here(parts: Sequence[Part], roles: tuple[str, ...] | None, target: Path) -> Sound:
    return await asyncio.to_thread(convert, parts, roles, target)


async def take(
    services: Services, found: Plan, step: Step, *, name: str, partial: bool, actor: str, make: Make = _here
) -> Taken:
    """Convert every recording, then store all of them at once."""
    report = Taken(name, partial, refused=list(found.refused))
    shelf = Shelf(services.recordings, services.site)
    try:
        ready = await _converted(found.items, shelf, report, step, make, services.settings.rhythm)
        await _store(services, found, ready, shelf, report, actor)
    finally:
        shutil.rmtree(shelf.incoming, ignore_errors=True)
    return report


async def _converted(
    items: Sequence[Item], shelf: Shelf, report: Taken, step: Step, make: Make, rhythm: str
) -> list[Ready]:
    ready: list[Ready] = []
    for n, item in enumerate(items):
        step(n, len(items), item.file)
        try:
            sound = await make(item.parts, item.record.roles, shelf.stage(n))
        except AudioError as error:
            report.refused.append(
                Refused(item.number, "file", f"{error.what}; {error.todo}", item.call, file=item.file)
            )
            continue
        ready.append(Ready(item, sound, await asyncio.to_thread(_rung, item, sound, rhythm)))
    step(len(items), len(items), "")
    return ready


def _rung(item: Item, sound: Sound, rhythm: str) -> tuple[int, int] | None:
    """Where rings are heard and nobody says when the answer was."""
    if not item.said or item.record.answered_at is not None or item.record.end not in (None, "answered"):
        return None
    return answer_after(listened(sound.path, rhythm, None))


class _Undone(Exception):
    """Some were refused, and all or nothing was asked for."""


async def _store(
    services: Services, found: Plan, ready: Sequence[Ready], shelf: Shelf, report: Taken, actor: str
) -> None:
    try:
        async with _all_or_nothing(services.store, services.site, actor, shelf) as tx:
            for one in ready:
                _told(report, one, await keep(tx, shelf, one, [pbx.name for pbx in services.settings.pbx]))
            await _lines(tx, services, found, report)
            if report.refused and not report.partial:
                raise _Undone
    except _Undone:
        report.accepted = report.recordings = report.duplicates = 0
        report.seconds, report.kinds = 0.0, type(report.kinds)()
        report.notes.clear()
    report.refused.sort(key=lambda one: (one.file or "", one.number))


@asynccontextmanager
async def _all_or_nothing(store: Store, site: str, actor: str, shelf: Shelf) -> AsyncIterator[Tx]:
    """One transaction; what it put on the shelf goes with it."""
    try:
        async with store.site(site, actor) as tx:
            yield tx
    except BaseException:
        await asyncio.to_thread(shelf.undo)
        raise


def _told(report: Taken, one: Ready, kept: Kept) -> None:
    item = one.item
    report.refused += [Refused(item.number, why.field, why.reason, item.call, file=item.file) for why in kept.refused]
    if kept.new:
        report.accepted += 1
        report.recordings += 1
        report.kinds["call"] += 1
        report.seconds += one.sound.duration_ms / 1000
    elif not kept.refused:
        report.duplicates += 1
    if kept.note:
        report.notes.append({"call": item.call, "note": kept.note})


async def _lines(tx: Tx, services: Services, found: Plan, report: Taken) -> None:
    """Lines without a recording: records, as ``import records`` takes them."""
    if not found.lines:
        return
    admitted = admit(found.lines, services.settings.zone)
    await judge(tx, admitted, services.settings, services.site)
    kept = await keep_records(tx, admitted, name=report.file, partial=report.partial)
    report.accepted += kept.accepted
    report.duplicates += kept.duplicates
    report.refused += kept.refused
    report.kinds += kept.kinds


async def fold(services: Services, clock: Callable[[], datetime] = now) -> None:
    """List what was taken, unless a running service does that."""
    settings = services.settings
    duty = Duty(services.store.dsn, services.site, "folds")
    try:
        if await duty.mine():
            folder = Folder(
                services.store, services.site, settings.zone, settings.spool, services.recordings, clock,
                shared=settings.shared_spool, machine=settings.machine_name,
            )  # fmt: skip
            while await folder.turn():
                continue
    finally:
        duty.close()
