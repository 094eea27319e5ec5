"""`seatwatch import queue-log`: Asterisk's own log into the stored events, to be folded like what came live.

Its events are of a source of their own (NAME-log) and carry its resolution, so they fill what the live connection did
not see and never replace what it saw. The same log twice changes nothing. Parsing is ``ingest/queue_log.py``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.ami_names import AmiConfig
from ingest.events import Event, Refusal, canonical, parse_event
from ingest.queue_log import QueueLog, read_line
from qa.admin import actor_name
from qa.deliveries import Refused, Report, Step
from qa.paths import no_file
from qa.services import opened
from qa.settings import Settings, load_settings
from qa.store import events as stored
from qa.store.pool import Tx
from qa.tables import MOST_BYTES, TableError


@dataclass(slots=True)
class Told:
    """What a log says, and the lines that say nothing that can be taken."""

    events: list[Event] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def import_queue_log(path: Path, step: Step, *, pbx: str | None, partial: bool, actor: str | None) -> Report:
    settings = load_settings()
    told = _read(path, _config(settings, pbx), step)

    async def work() -> Report:
        async with (
            opened(settings, settings.site, settings.site, scores=False) as services,
            services.store.site(settings.site, actor_name(actor)) as tx,
        ):
            return await _keep(tx, told, path.name, partial)

    return asyncio.run(work())


def _config(settings: Settings, name: str | None) -> AmiConfig:
    """The switchboard of the settings that the log is of: its name makes the calls' names, its table the seats."""
    known = {one.name: one for one in settings.pbx}
    if name is None and len(known) == 1:
        name = next(iter(known))
    if name is None:
        listed = f" ({', '.join(known)})" if known else ""
        raise TableError(f"--pbx NAME: say which switchboard wrote this log{listed}; its name begins its calls' names")
    if known and name not in known:
        raise TableError(f"--pbx {name}: there is no [[pbx]] of this name; name one of {', '.join(known)}")
    return known[name].ami() if name in known else AmiConfig(name, "", "", "")


def _read(path: Path, config: AmiConfig, step: Step) -> Told:
    told, log = Told(), QueueLog(config)
    for number, text in enumerate(_lines(path), 1):
        if number % 5000 == 0:
            step(number, 0, f"{number} lines read")
        line = read_line(text)
        if isinstance(line, Refusal):
            told.refused.append(Refused(number, line.field, line.reason))
        elif line is not None:
            for found in map(parse_event, log.feed(line)):
                if isinstance(found, Event):
                    told.events.append(found)
                else:
                    told.refused.append(Refused(number, found.field, found.reason))
    return told


def _lines(path: Path) -> Iterator[str]:
    if wrong := no_file(path, "give the path of a queue_log"):
        raise TableError(wrong)
    if path.stat().st_size > MOST_BYTES:
        raise TableError(f"{path}: {path.stat().st_size} bytes; split it below {MOST_BYTES}")
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as file:
        yield from file


async def _keep(tx: Tx, told: Told, name: str, partial: bool) -> Report:
    """All or nothing, unless a part is wanted."""
    report = Report(name, partial, refused=told.refused, noun="events")
    if told.refused and not partial:
        return report
    kinds: Counter[str] = Counter()
    for event in told.events:
        if await _append(tx, event):
            kinds[event.type] += 1
    report.accepted, report.kinds = kinds.total(), kinds
    report.duplicates = len(told.events) - report.accepted
    return report


async def _append(tx: Tx, event: Event) -> bool:
    seq = event.extra.get("seq")
    return await stored.append(
        tx, event.source, event.id, event.at, seq if isinstance(seq, int) else None, event.type,
        event.call, event.leg, event.seat, event.agent, canonical(event).decode(),
    )  # fmt: skip
