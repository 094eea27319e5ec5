"""Asterisk's call detail records (``Master.csv``) as a list of calls. Whole seconds, local time. Reads text, no files.

One call may be several rows: each attempt at a seat is one. They belong together by ``linkedid``, else by ``uniqueid``.
A row of an application that dials nobody (a mailbox, an announcement) had no seat in it; a channel that was made to
listen is no call.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from ingest.ami_names import ours
from ingest.events import Refusal
from ingest.queue_log import LoggedCall

LINE_CHARS = 8192
COLUMNS = ("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start",
           "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "linkedid",
           )  # fmt: skip
_NEWER = ("peeraccount", "linkedid", "sequence")  # last of all, where cdr.conf says newcdrcolumns
_NEED = ("start", "end", "disposition")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?")
NO_SEAT = "no_seat"  # beside the outcomes of LoggedCall: an application answered, and nobody else


@dataclass(frozen=True, slots=True)
class CdrRow:
    """One row, as far as it is read here."""

    id: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    app: str
    data: str
    dialled: str  # the channel that was called, empty where none was

    @property
    def answered(self) -> bool:
        return self.disposition == "ANSWERED"


def rows(lines: Iterable[str], zone: tzinfo) -> Iterator[tuple[int, CdrRow | Refusal]]:
    """Each row with its number; a first line with names of columns says which there are."""
    names: Sequence[str] = COLUMNS
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line) > LINE_CHARS:
            yield number, Refusal("line", f"is longer than {LINE_CHARS} characters")
            continue
        try:
            cells = next(csv.reader([line], strict=True))
        except (csv.Error, StopIteration) as error:
            yield number, Refusal("line", f"is no CSV ({error}); one call stands on one line")
            continue
        if number == 1 and {"start", "disposition"} <= {cell.strip().lower() for cell in cells}:
            names = [cell.strip().lower() for cell in cells]
            continue
        told = dict(zip(_columns(names, len(cells)), (cell.strip() for cell in cells), strict=False))
        if not ours(told.get("channel", "")):
            yield number, _row(told, number, zone)


def _columns(names: Sequence[str], count: int) -> Sequence[str]:
    """A file that names no columns and has more of them than there were once."""
    return names if names is not COLUMNS or count <= len(COLUMNS) else (*COLUMNS[: count - len(_NEWER)], *_NEWER)


def _row(told: dict[str, str], number: int, zone: tzinfo) -> CdrRow | Refusal:
    for name in _NEED:
        if not told.get(name):
            return Refusal(name, "is missing; give Master.csv, or a first line with the names of the columns")
    moments: dict[str, datetime | None] = {}
    for name in ("start", "answer", "end"):
        text = told.get(name, "")
        moments[name] = _moment(text, zone) if text else None
        if text and moments[name] is None:
            return Refusal(name, f"{text[:40]!r} is no moment; write it like 2026-03-01 09:00:14")
    start, end = moments["start"], moments["end"]
    assert start is not None and end is not None
    if end < start:
        return Refusal("end", "lies before start")
    id = told.get("linkedid") or told.get("uniqueid") or f"line {number}"
    return CdrRow(
        id, start, moments["answer"], end, told["disposition"].upper(), told.get("lastapp", ""),
        told.get("lastdata", ""), told.get("dstchannel", ""),
    )  # fmt: skip


def _moment(text: str, zone: tzinfo) -> datetime | None:
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return None


def calls(found: Iterable[CdrRow]) -> list[LoggedCall]:
    """The calls of many rows, in the order of their first one."""
    groups: dict[str, list[CdrRow]] = {}
    for row in found:
        groups.setdefault(row.id, []).append(row)
    return [_call(id, sorted(group, key=lambda row: row.start)) for id, group in groups.items()]


def _call(id: str, group: Sequence[CdrRow]) -> LoggedCall:
    """A queue's row tells when its application answered, not when a seat did: then no length of talk is told."""
    first, end = group[0], max(row.end for row in group)
    queue = next((row.data.partition(",")[0] for row in group if row.app.lower() == "queue"), "")
    call = LoggedCall(id, queue, first.start, ended_at=end, outcome="abandoned")
    talked = [row for row in group if row.answered and row.dialled]
    if talked:
        told = None if queue or len(talked) > 1 else talked[0].answer
        return replace(call, outcome="answered", connected_at=told)
    if any(row.answered for row in group) and not queue:
        return replace(call, outcome=NO_SEAT)
    return call
