"""People by a table: its template, its lines read and refused, and what of it is new to the store.

Whoever is not in the table stays as they are. A person is known by ``id`` (the code by which calls name an agent), or
by ``login`` where they take no calls.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from qa.setup.checks import day as read_day
from qa.setup.faults import Fault, Refused, Wrong
from qa.store import people, records, seating
from qa.store.people import Held, Person, Role
from qa.store.pool import Tx
from qa.store.seating import Assignment
from scoring.records.admit import parse
from scoring.records.record import Record

COLUMNS = ("id", "name", "team", "seat", "login", "role", "hired", "probation_until")
ROLES = tuple(str(role) for role in Role if role is not Role.SOURCE)
MOST_LINES = 20_000
MOST_BYTES = 4 * 1024 * 1024
MOST_CELL = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    line: int
    name: str
    id: str | None = None
    team: str = ""
    seat: str | None = None
    login: str | None = None
    role: Role = Role.AGENT
    hired: date | None = None
    probation_until: date | None = None


@dataclass(slots=True)
class Kept:
    """What became of a table."""

    added: int = 0
    changed: int = 0
    seated: int = 0

    @property
    def any(self) -> bool:
        return bool(self.added or self.changed or self.seated)

    def __str__(self) -> str:
        return f"{self.added} entered, {self.changed} changed, {self.seated} seats assigned"


def template() -> bytes:
    """The head of the table, marked as UTF-8 so that a spreadsheet reads it so."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(COLUMNS)
    return text.getvalue().encode("utf-8-sig")


def read(data: bytes) -> tuple[Row, ...]:
    """Every line; raises Refused with every fault, each with its line and column."""
    table = _table(data)
    head: list[str] = next(table, (0, []))[1]
    faults = [Fault(name, "column", {"value": name, "known": ", ".join(COLUMNS)}, 1) for name in head
              if name not in COLUMNS]  # fmt: skip
    faults += [
        Fault(name, "twice", {"value": name}, 1) for name in sorted({one for one in head if head.count(one) > 1})
    ]
    if "name" not in head:
        faults.append(Fault("name", "needed", {}, 1))
    if faults:
        raise Refused(faults)
    rows: list[Row] = []
    for line, cells in table:
        found = _row(line, head, cells)
        rows += [found] if isinstance(found, Row) else []
        faults += [] if isinstance(found, Row) else found
    faults += _twice(rows)
    if faults:
        raise Refused(sorted(faults, key=lambda one: one.line or 0))
    return tuple(rows)


def _table(data: bytes) -> Any:
    """Lines with their numbers, blank ones left out."""
    if len(data) > MOST_BYTES:
        raise Refused([Fault("people", "table", {"why": f"{len(data)} bytes"})])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused([Fault("people", "table", {"why": f"byte {error.start} is not UTF-8"})]) from None
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise Refused([Fault("people", "table", {"why": f"line {reader.line_num}: {error}"})]) from None
    if len(rows) > MOST_LINES:
        raise Refused([Fault("people", "table", {"why": f"{len(rows)} lines, {MOST_LINES} at most"})])
    return iter([(line, cells) for line, cells in rows if any(cells)])


def _row(line: int, head: list[str], cells: list[str]) -> Row | list[Fault]:
    if len(cells) > len(head):
        return [Fault("line", "cells", {"count": len(cells), "head": len(head)}, line)]
    told = {name: cell for name, cell in zip(head, cells, strict=False) if cell}
    faults = [Fault(name, "long", {"length": len(cell), "most": MOST_CELL}, line) for name, cell in told.items()
              if len(cell) > MOST_CELL]  # fmt: skip
    role = told.get("role", str(Role.AGENT))
    if role not in ROLES:
        faults.append(Fault("role", "role", {"value": role, "known": ", ".join(ROLES)}, line))
    if "name" not in told:
        faults.append(Fault("name", "needed", {}, line))
    if "id" not in told and (role == Role.AGENT or "login" not in told):
        faults.append(Fault("id", "needed", {}, line))
    days: dict[str, date] = {}
    for name in ("hired", "probation_until"):
        try:
            days |= {name: read_day(told[name])} if name in told else {}
        except Wrong as wrong:
            faults.append(Fault(name, wrong.code, wrong.values, line))
    if "probation_until" in told and "hired" not in told:
        faults.append(Fault("hired", "hired", {}, line))
    if faults:
        return faults
    return Row(line, told["name"], told.get("id"), told.get("team", ""), told.get("seat"), told.get("login"),
               Role(role), days.get("hired"), days.get("probation_until"))  # fmt: skip


def _twice(rows: Iterable[Row]) -> list[Fault]:
    """An id, a login or a seat is one person's."""
    faults, seen = [], set()
    for row in rows:
        for name in ("id", "login", "seat"):
            value = getattr(row, name)
            if value is not None and (name, value) in seen:
                faults.append(Fault(name, "twice", {"value": value}, row.line))
            seen.add((name, value))
    return faults


# --- into the store


async def keep(tx: Tx, rows: Iterable[Row], since: date, zone: ZoneInfo) -> Kept:
    """Enter who is new, change what is told otherwise, and assign seats from a day on; nothing else moves."""
    known = [one for one in await people.everybody(tx) if one.left_at is None]
    by_id = {one.agent: one for one in known if one.agent}
    by_login = {one.login: one for one in known if one.login}
    seats = await _seats(tx, since)
    kept, hired = Kept(), []
    for row in rows:
        person = by_id.get(row.id or "") or by_login.get(row.login or "")
        if person is None:
            await people.add(tx, row.name, login=row.login, agent=row.id, roles=(Held(row.role, row.team),))
            kept.added += 1
        else:
            kept.changed += await _changed(tx, person, row)
        if row.seat and row.id and seats.get(row.seat) != row.id:
            await seating.assign(tx, Assignment(row.seat, row.id, since))
            kept.seated += 1
        hired += [row] if row.hired and row.id else []
    kept.changed += await _hired(tx, hired, since, zone)
    return kept


async def _seats(tx: Tx, day: date) -> dict[str, str]:
    """Who always sits where on that day; of several the newest word."""
    held = [one for one in await seating.assignments(tx) if one.from_day <= day and (one.to_day or day) >= day]
    return {one.seat: one.agent for one in sorted(held, key=lambda one: one.from_day)}


async def _changed(tx: Tx, person: Person, row: Row) -> bool:
    """Name, login and the one role that the table tells; other roles stay."""
    moved = False
    login = row.login or person.login
    agent = row.id or person.agent
    if (person.name, person.login, person.agent) != (row.name, login, agent):
        await people.change(tx, person.id, row.name, login, agent)
        moved = True
    want = Held(row.role, row.team)
    same = [held for held in person.roles if held.role is row.role]
    if same != [want]:
        for held in same:
            await people.take(tx, person.id, held)
        await people.give(tx, person.id, want)
        moved = True
    return moved


async def _hired(tx: Tx, rows: Iterable[Row], since: date, zone: ZoneInfo) -> int:
    """Records of kind ``person``: since when somebody works here, and for how long on probation."""
    changed = 0
    for row in rows:
        assert row.id is not None
        before = await records.versions(tx, _record_id(row.id))
        told = _told(row, since)
        stood = before[-1].record if before else None
        if stood is not None and all(str(stood.get(name) or "") == str(told.get(name, "")) for name in _COMPARED):
            continue
        if stood is not None:
            digest = sha256(repr((stood.id, sorted(told.items()))).encode()).hexdigest()[:12]
            told |= {"id": f"{_record_id(row.id)}-{digest}", "supersedes": stood.id, "reason": "the table of people"}
        found = parse(told, zone)
        if not isinstance(found, Record):
            raise Refused([Fault(one.field, "settings", {"why": one.reason}, row.line) for one in found])
        added = await records.add_records(tx, [found], name="set-up")
        if added.refused:
            raise Refused([Fault(why.field, "settings", {"why": why.reason}, row.line) for _, why in added.refused])
        changed += added.accepted if stood is not None else 0  # a new person is counted as one
    return changed


_COMPARED = ("name", "team", "hired", "probation_until")


def _record_id(agent: str) -> str:
    return f"people-{agent}"


def _told(row: Row, since: date) -> dict[str, Any]:
    told = {"kind": "person", "id": _record_id(str(row.id)), "source": "hr", "agent": row.id, "day": since.isoformat(),
            "name": row.name, "team": row.team or None, "hired": row.hired and row.hired.isoformat(),
            "probation_until": row.probation_until and row.probation_until.isoformat()}  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}
