"""`seatwatch reconcile DAY FILE…`: a day's calls by another system's list against the calls here; the rate is kept.

Lists are Asterisk's ``queue_log`` and ``Master.csv``, or records of kind ``call`` of any other switchboard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest import cdr
from ingest.ami_names import AmiConfig
from ingest.events import Refusal
from ingest.queue_log import LoggedCall, read_calls, read_line
from qa.admin import actor_name
from qa.intake.plan import checked
from qa.paths import no_file
from qa.reconcile import STATES, Capture, Ours, Sound, reconcile
from qa.score import Usage
from qa.services import opened
from qa.settings import load_settings
from qa.store import captures
from qa.store.pool import Tx
from qa.tables import Line as TableLine
from qa.tables import read

MOST_BYTES = 1 << 30
AROUND = timedelta(hours=1)  # clocks and midnights: ours are looked for so far beyond the day
_PBX = "log"


@dataclass(slots=True)
class Listed:
    """What the files hold: calls of any day, and lines that are none."""

    calls: list[LoggedCall] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, path: Path, number: int, why: Refusal) -> None:
        self.refused.append({"file": path.name, "number": number, "field": why.field, "reason": why.reason})


def reconcile_command(day: str, paths: Sequence[Path], actor: str | None) -> dict[str, Any]:
    """The object of one day; with no file, what was found before."""
    wanted = _day(day)
    settings = load_settings()
    listed = read_lists(paths, settings.zone)

    async def work() -> dict[str, Any]:
        async with (
            opened(settings, settings.site, settings.site, scores=False) as services,
            services.store.site(settings.site, actor_name(actor)) as tx,
        ):
            if not paths:
                return _before(await captures.days(tx, wanted, wanted), wanted)
            return await keep(tx, wanted, listed, settings.zone, ", ".join(path.name for path in paths))

    return asyncio.run(work())


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Usage(f"{text}: not a day; write it like 2026-03-01") from None


async def keep(tx: Tx, day: date, listed: Listed, zone: ZoneInfo, name: str) -> dict[str, Any]:
    """Hold a list against the day's calls and keep what it shows."""
    begin, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    known = await captures.known(tx, begin - AROUND, end + AROUND)
    mine = [one for one in listed.calls if begin <= one.entered_at < end]
    found = reconcile(mine, ours(known))
    inside = {one.id for one in known if begin + AROUND <= one.at < end - AROUND}
    unlisted = [one for one in found.unlisted if one in inside]
    counts: dict[str, Any] = {state: found.counts[state] for state in STATES}
    stored = captures.Capture(
        day=day, list=name, listed=len(found.lines), refused=len(listed.refused), unlisted=len(unlisted),
        missing=tuple(line.as_dict() for line in found.missing), **counts,
    )  # fmt: skip
    await captures.add(tx, stored)
    return shown(stored) | {"scored": sum(line.scored for line in found.lines), "unlisted_calls": unlisted[:100],
                            "refused_lines": listed.refused, "others": _others(found)}  # fmt: skip


def _others(found: Capture) -> list[dict[str, Any]]:
    """Why what is neither recorded nor missing is so."""
    told = sorted((line.state, line.reason) for line in found.lines if line.state in ("nothing", "excluded"))
    return [{"state": key[0], "reason": key[1], "calls": len(list(group))} for key, group in groupby(told)]


def shown(one: captures.Capture) -> dict[str, Any]:
    """A day as programs read it."""
    counts = {state: getattr(one, state) for state in STATES}
    return {
        "day": one.day.isoformat(), "list": one.list, "listed": one.listed, **counts, "refused": one.refused,
        "unlisted": one.unlisted, "wanted": one.wanted, "rate": None if one.rate is None else round(one.rate, 4),
        "missing": list(one.missing),
    }  # fmt: skip


def _before(days: Sequence[captures.Capture], day: date) -> dict[str, Any]:
    if not days:
        raise Usage(f"{day}: no list of this day was brought yet; give its files")
    return shown(days[0])


def ours(known: Iterable[captures.Known]) -> list[Ours]:
    """Conversations with the sound of all their parts."""
    rows: dict[str, list[captures.Known]] = {}
    for one in known:
        rows.setdefault(one.conversation or one.id, []).append(one)
    return [_one(id, parts) for id, parts in rows.items()]


def _one(id: str, parts: Sequence[captures.Known]) -> Ours:
    first = next((part for part in parts if part.id == id), parts[0])  # a ring that nobody took may stand before it
    legs = [leg for part in parts for leg in part.folded.get("audio", {}).values()]
    heard = [part for part in parts if part.duration_ms is not None]
    talked = [part for part in parts if part.answered_at is not None] or list(parts)
    whole = all(part in heard for part in talked)
    sound = None
    if heard and whole:
        talk = sum((part.duration_ms or 0) - (part.answer_ms or 0) for part in heard)
        sound = Sound(talk, tuple(gap for part in heard for gap in part.gaps))
    states = {part.state for part in parts}
    ended = [part.ended_at for part in parts if part.ended_at is not None]
    return Ours(
        id=id, at=min(part.at for part in parts), answered_at=first.answered_at, ended_at=max(ended, default=None),
        state="scored" if states == {"scored"} else next((one for one in ("live", "ended") if one in states), "open"),
        probe=first.conclusion == "probe", legs=len(legs), heard=sum(leg["started"] for leg in legs), sound=sound,
    )  # fmt: skip


# --- lists


def read_lists(paths: Sequence[Path], zone: ZoneInfo) -> Listed:
    """The calls of all files; what a file is, its first line says."""
    found = Listed()
    for path in paths:
        if wrong := no_file(path, "give a queue_log, a Master.csv or a list of calls"):
            raise Usage(wrong)
        if path.stat().st_size > MOST_BYTES:
            raise Usage(f"{path}: more than {MOST_BYTES} bytes; give the day's own part")
        found.calls += _READ[_form(path)](path, zone, found)
    return found


def _form(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        head = next((line for line in file if line.strip()), "")
    if head.count("|") >= 4:
        return "queue_log"
    if path.suffix.lower() not in (".csv", "") or "offered_at" in head:
        return "records"
    return "cdr"


def _text(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="\n") as file:
        yield from file


def _queue_log(path: Path, zone: ZoneInfo, found: Listed) -> list[LoggedCall]:
    for number, line in enumerate(_text(path), 1):
        if isinstance(why := read_line(line), Refusal):
            found.refuse(path, number, why)
    told = read_calls(_text(path), AmiConfig(_PBX, "", "", ""))
    return [_bare(one) for one in told]


def _bare(one: LoggedCall) -> LoggedCall:
    return replace(one, call=one.call.removeprefix(f"{_PBX}-"))


def _cdr(path: Path, zone: ZoneInfo, found: Listed) -> list[LoggedCall]:
    rows: list[cdr.CdrRow] = []
    for number, row in cdr.rows(_text(path), zone):
        if isinstance(row, Refusal):
            found.refuse(path, number, row)
        else:
            rows.append(row)
    return cdr.calls(rows)


def _records(path: Path, zone: ZoneInfo, found: Listed) -> list[LoggedCall]:
    calls: list[LoggedCall] = []
    for line in read(path, "call"):
        call = _recorded(line, zone)
        if isinstance(call, LoggedCall):
            calls.append(call)
        else:
            found.refuse(path, line.number, call)
    return calls


def _recorded(line: TableLine, zone: ZoneInfo) -> LoggedCall | Refusal:
    if line.fault is not None:
        return Refusal(line.fault.field, line.fault.reason)
    record, faults = checked(line.raw, zone)
    if record is None:
        return Refusal(faults[0].field, faults[0].reason)
    entered = record.queued_at or record.offered_at or record.ringing_at or record.answered_at
    if record.id is None or entered is None:
        return Refusal(
            "id" if record.id is None else "offered_at", "is missing; a list says which call it was and when"
        )
    talked = record.answered_at is not None or record.end == "answered"
    outcome = "answered" if talked else "abandoned" if record.end in (None, "abandoned", "no_answer") else record.end
    return LoggedCall(
        record.id, record.queue or "", entered, record.answered_at, record.ended_at, record.agent, str(outcome)
    )


_READ = {"queue_log": _queue_log, "cdr": _cdr, "records": _records}


def text(one: dict[str, Any]) -> str:
    """For people: what is missing first, then the figure."""
    rows = [f"{line['call']}  {line['at']}  {line['state']}: {line['reason']}" for line in one["missing"]]
    rows += [f"{bad['file']}:{bad['number']}: {bad['field']}: {bad['reason']}" for bad in one.get("refused_lines", ())]
    rows += [f"{other['calls']} {other['state']}: {other['reason']}" for other in one.get("others", ())]
    if one["unlisted"]:
        rows.append(f"{one['unlisted']} calls are here that the list has not")
    rate = "no call to record" if one["rate"] is None else f"{one['rate'] * 100:.2f} % recorded"
    counts = ", ".join(f"{one[state]} {state.replace('_', ' ')}" for state in STATES)
    return "\n".join(
        [*rows, f"{one['day']}: {rate} ({one['recorded']} of {one['wanted']}); {one['listed']} listed = {counts}"]
    )
