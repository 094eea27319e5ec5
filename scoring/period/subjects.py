"""What one finding is about: records with what follows from them, stretches, questions, candidates, cases, days.

A subject is anything with named fields (``get``), an id, a day and a person. Nothing here judges.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from scoring.callexpr import AWAY_FIELDS, CALL_FIELDS, AwaySubject, CallSubject
from scoring.expr import milliseconds
from scoring.facts import CallFacts, Cause, Unknown
from scoring.period.world import CallItem, World
from scoring.records.kinds import FIELDS
from scoring.records.period import Period
from scoring.records.record import Record

ENVELOPE = frozenset({
    "id", "kind", "agent", "team", "at", "day", "period", "source", "entered_by", "entered", "event", "about", "month",
    "evidence", "reason",
})  # fmt: skip
DERIVED: dict[str, frozenset[str]] = {
    "attendance": frozenset(
        {
            "late_ms",
            "early_ms",
            "worked_ms",
            "shift_at",
            "shift_until",
            "shift_pattern",
            "shift_duty",
            "excused",
            "told",
        }
    ),
    "leave": frozenset({"length"}),
    "shift": frozenset({"length", "attended", "first_in", "last_out"}),
    "seat_status": frozenset({"length"}),
    "exam": frozenset({"percent"}),
    "figure": frozenset({"percent"}),
    "chat": frozenset(CALL_FIELDS),
    "call": frozenset({"talk", "length"}),
}


Derived = Callable[[World, Record], Any]  # a field that follows from the record and those around it


@dataclass(frozen=True, slots=True)
class Row:
    """One subject: its fields, and where it belongs. ``ref`` is what an observation's ``about`` names."""

    kind: str
    id: str
    agent: str | None
    team: str | None
    day: date
    fields: Mapping[str, Any]
    lazy: Mapping[str, Derived] = field(default_factory=dict)
    record: Record | None = None
    item: CallItem | None = None
    call: CallFacts | None = None
    world: World | None = None  # what the derived fields are read from
    phone: CallSubject | AwaySubject | None = None

    @property
    def ref(self) -> str:
        return self.id

    def get(self, name: str) -> Any:
        if name in self.fields:
            return self.fields[name]
        made = self.lazy.get(name)
        if made is not None and self.world is not None and self.record is not None:
            return made(self.world, self.record)
        if self.phone is not None and name in (AWAY_FIELDS if self.call is None else CALL_FIELDS):
            return self.phone.get(name)
        return None


def fields_of(kind: str) -> frozenset[str]:
    """The names an expression may use about a subject of this kind."""
    if kind in _MADE:
        return _MADE[kind]
    if kind == "call_record":
        return frozenset(FIELDS["call"]) | ENVELOPE | DERIVED["call"]
    return frozenset(FIELDS[kind]) | ENVELOPE | DERIVED.get(kind, frozenset())


_MADE: dict[str, frozenset[str]] = {
    "call": CALL_FIELDS | {"day", "month"},
    "away": AWAY_FIELDS | {"day", "month"},
    "question": frozenset({"id", "agent", "day", "at", "answered_at", "wait", "chat", "first", "text", "queue"}),
    "candidate": frozenset(
        {"id", "agent", "day", "score", "max", "percent", "exam", "rank", "rank_from_last", "candidates", "passed"}
    ),
    "stretch": frozenset({"id", "agent", "day", "at", "until", "length"}),
    "week": frozenset({"id", "first", "last", "day", "week"}),
    "day": frozenset({"id", "first", "last", "day"}),
    "month": frozenset({"id", "first", "last", "day"}),
    "case": frozenset(FIELDS["case"]) | ENVELOPE,
}
KINDS = frozenset({*FIELDS, *_MADE, "call_record"})  # every word that `each` and the aggregates know


def record_rows(world: World, kind: str, agent: str | None = None) -> tuple[Row, ...]:
    """All current records of a kind (of one agent) as subjects; ``call_record`` are the records of calls."""
    if kind == "call_record":
        found = [_call_record_row(world, record) for record in world.book.of_kind("call", agent)]
        return tuple(one for one in found if one is not None)
    return _rows(world, kind, world.book.of_kind(kind, agent))


def unnamed_rows(world: World, kind: str) -> tuple[Row, ...]:
    """The current records of a kind that name no agent, as subjects."""
    return _rows(world, kind, [one for one in world.book.of_kind(kind) if one.get("agent") is None])


def _rows(world: World, kind: str, records: Iterable[Record]) -> tuple[Row, ...]:
    if kind == "chat":
        return tuple(_chat_row(world, record) for record in records)
    lazy = _DERIVED.get(kind, _NONE)
    return tuple(_row(world, record, lazy) for record in records)


def _row(world: World, record: Record, lazy: Mapping[str, Derived]) -> Row:
    day = day_of(record)
    fields = {
        "day": day, **record.fields, "id": record.id, "kind": record.kind,
        "entered": record.get("source") == "person", "month": Period.of(day, "month"),
    }  # fmt: skip
    return Row(record.kind, record.id, record.get("agent"), record.get("team"), day, fields, lazy, record, world=world)


def day_of(record: Record) -> date:
    """The day a record belongs to; one of a period belongs to its first day."""
    day = record.local_day
    if day is not None:
        return day
    period = record.get("period")
    return period.first if period is not None else date.min


def _call_record_row(world: World, record: Record) -> Row | None:
    if record.start is None:
        return None
    item = world.calls.get(record.id)
    return replace(_row(world, record, _DERIVED["call"]), item=item)


def _talk(world: World, record: Record) -> Any:
    return _span(record.get("answered_at"), record.get("ended_at"))


def _chat_row(world: World, record: Record) -> Row:
    row = _row(world, record, _NONE)
    item = world.calls.get(record.id)
    if item is None or item.facts.call is None:
        return replace(row, item=item)
    return replace(row, item=item, call=item.facts.call, phone=CallSubject(item.facts, item.facts.call))


def _late(world: World, record: Record) -> Any:
    begin, clock = _shift_start(world, record), record.get("clock_in")
    if begin is None or clock is None:
        return Decimal(0) if record.get("absent") is not None and clock is None else None
    return max(Decimal(0), milliseconds(clock - begin))


def _early(world: World, record: Record) -> Any:
    end, clock = _shift_field(world, record, "until"), record.get("clock_out")
    if end is None or clock is None:
        return Decimal(0) if record.get("absent") is not None and clock is None else None
    return max(Decimal(0), milliseconds(end - clock))


def _worked(world: World, record: Record) -> Any:
    return _span(record.get("clock_in"), record.get("clock_out"))


def _shift_start(world: World, record: Record) -> datetime | None:
    shift = _shift_of(world, record)
    return None if shift is None else shift.start


def _shift_field(world: World, record: Record, name: str) -> Any:
    shift = _shift_of(world, record)
    return None if shift is None else shift.get(name)


def _given_or(name: str, made: Derived) -> Derived:
    return lambda world, record: record.get(name) if record.get(name) is not None else made(world, record)


def _excused(by: str) -> Derived:
    return lambda world, record: excused(world, record.get("agent"), record.local_day, _shift_start(world, record), by)


_NONE: Mapping[str, Derived] = {}
_ATTENDANCE: Mapping[str, Derived] = {
    "late": _late,
    "early": _early,
    "worked": _worked,
    "late_ms": _given_or("late", _late),
    "early_ms": _given_or("early", _early),
    "worked_ms": _given_or("worked", _worked),
    "absent": lambda world, record: "none" if record.get("clock_in") is not None else None,
    "shift_at": _shift_start,
    "shift_until": lambda world, record: _shift_field(world, record, "until"),
    "shift_pattern": lambda world, record: _shift_field(world, record, "pattern"),
    "shift_duty": lambda world, record: _shift_field(world, record, "duty"),
    "excused": _excused("approved_at"),
    "told": _excused("told_at"),
}


def _shift_of(world: World, record: Record) -> Record | None:
    """The shift an attendance record is about: the one it names, else the only one, or the first, of that day."""
    named = record.get("shift")
    if named is not None:
        return world.book.get(named)
    own = _on_day(world.book.of_kind("shift", record.get("agent")), record.local_day)
    timed = [one for one in own if one.start is not None]
    found = timed or own
    return found[0] if found else None


def _on_day(records: Sequence[Record], day: date | None) -> Sequence[Record]:
    """Of records in the order of a book those of one day."""
    if day is None:
        return ()
    begin = end = bisect_left(records, day, key=day_of)
    while end < len(records) and day_of(records[end]) == day:
        end += 1
    return records[begin:end]


def excused(
    world: World, agent: str | None, day: date | None, at: datetime | None, by: str, until: datetime | None = None
) -> Any:
    """Whether the register of leave covers that moment (or day) with a leave that was approved, or told."""
    if day is None or not world.connected("leave", day):
        return Unknown(Cause.REGISTER)
    for leave in world.book.of_kind("leave", agent):
        if covers(leave, day, at) and (until is None or covers(leave, until.date(), until)) and _given(leave, by, at):
            return True
    return False


def _given(leave: Record, by: str, at: datetime | None) -> bool:
    """Approved; or told (before it began), which an approval includes; or any entry at all."""
    if by == "any_at" or leave.get("approved_at") is not None:
        return True
    told = leave.get("told_at")
    return by == "told_at" and told is not None and (at is None or told <= at)


def covers(leave: Record, day: date, at: datetime | None) -> bool:
    """A leave of a whole day, of several days, or one that holds the moment."""
    start, until = leave.start, leave.get("until")
    if start is None:
        return leave.local_day == day
    end = until or datetime.combine(start.date(), time.max)
    if at is None:
        return bool(start.date() <= day <= end.date())
    return bool(start <= at <= end)


def _length(world: World, record: Record) -> Any:
    return _span(record.start, record.get("until"))


def _span(start: datetime | None, until: datetime | None) -> Any:
    return None if start is None or until is None else milliseconds(until - start)


def _attended(world: World, record: Record) -> list[Record]:
    """What the clock saw on a shift: records that name it, else those of its day that name none."""
    days = world.book.of_kind("attendance", record.get("agent"))
    if any(one.get("shift") is not None for one in days):
        named = [one for one in days if one.get("shift") == record.id]
        near = {one.id: one for one in (*named, *_on_day(days, record.local_day))}.values()
        return [one for one in near if one.get("shift") in (record.id, None)]
    return list(_on_day(days, record.local_day))


def _clock(name: str, pick: Callable[[list[Any]], Any]) -> Derived:
    def read(world: World, record: Record) -> Any:
        found = [one.get(name) for one in _attended(world, record) if one.get(name) is not None]
        return pick(found) if found else None

    return read


def _percent(world: World, record: Record) -> Any:
    score, top = record.get("score"), record.get("max") or Decimal(100)
    return None if score is None else score * 100 / top


def figure_value(record: Record) -> Any:
    """A figure as the clauses mean it: a share in percent where its denominator stands; no value when that is 0."""
    whole = record.get("of")
    if whole is None:
        return record.get("value")
    return None if whole == 0 else record.get("value") * 100 / whole


_DERIVED: Mapping[str, Mapping[str, Derived]] = {
    "attendance": _ATTENDANCE,
    "leave": {"length": _length},
    "shift": {
        "length": _length,
        "attended": lambda world, record: bool(_attended(world, record)),
        "first_in": _clock("clock_in", min),
        "last_out": _clock("clock_out", max),
    },
    "seat_status": {"length": _length},
    "exam": {"percent": _percent, "max": lambda world, record: Decimal(100)},
    "figure": {"percent": lambda world, record: figure_value(record)},
    "call": {"talk": _talk, "length": _talk, "at": lambda world, record: record.start},
}


def question_rows(world: World) -> Iterator[Row]:
    """Every question a customer put in a chat, with the first answer after it; all of them, not only the first."""
    for record in world.book.of_kind("chat"):
        turns = record.get("turns") or ()
        number = 0
        for at, turn in enumerate(turns):
            if turn.get("role") != "customer" or not turn.get("question"):
                continue
            number += 1
            answer = next((one for one in turns[at + 1 :] if one.get("role") == "agent"), None)
            asked, answered = turn.get("at"), answer.get("at") if answer is not None else None
            yield Row(
                "question", f"{record.id}#{number}", record.get("agent"), record.get("team"), asked.date(),
                {
                    "id": f"{record.id}#{number}", "agent": record.get("agent"), "day": asked.date(), "at": asked,
                    "answered_at": answered, "wait": _span(asked, answered), "chat": record.id, "first": number == 1,
                    "text": turn.get("text"),
                },
                record=record,
            )  # fmt: skip


def candidate_rows(world: World) -> Iterator[Row]:
    """Exam results ranked within their sitting; equal scores share a rank, from both ends."""
    sittings: dict[tuple[Any, ...], list[Record]] = {}
    for record in world.book.of_kind("exam"):
        if record.get("score") is not None:
            key = (record.get("exam"), record.get("sitting") or record.local_day)
            sittings.setdefault(key, []).append(record)
    for found in sittings.values():
        marks = [one.get("score") * 100 / (one.get("max") or 100) for one in found]
        for record, mark in zip(found, marks, strict=True):
            day = day_of(record)
            yield Row(
                "candidate", record.id, record.get("agent"), record.get("team"), day,
                {
                    "id": record.id, "agent": record.get("agent"), "day": day, "score": record.get("score"),
                    "max": record.get("max") or Decimal(100), "percent": _percent(world, record),
                    "exam": record.get("exam"), "passed": record.get("passed"), "candidates": Decimal(len(found)),
                    "rank": Decimal(1 + sum(one > mark for one in marks)),
                    "rank_from_last": Decimal(1 + sum(one < mark for one in marks)),
                },
                record=record,
            )  # fmt: skip


def stretch_rows(world: World, least_break: Decimal) -> Iterator[Row]:
    """Continuous work: clocked days cut by logged breaks at least that long (milliseconds)."""
    for record in world.book.of_kind("attendance"):
        start, end = record.get("clock_in"), record.get("clock_out")
        if start is None or end is None:
            continue
        cuts = sorted(_breaks(world, record.get("agent"), start, end))
        for number, (begin, until) in enumerate(_pieces(start, end, cuts, least_break)):
            yield Row(
                "stretch", f"{record.id}#{number + 1}", record.get("agent"), None, start.date(),
                {
                    "id": f"{record.id}#{number + 1}", "agent": record.get("agent"), "day": start.date(),
                    "at": begin, "until": until, "length": milliseconds(until - begin),
                },
                record=record,
            )  # fmt: skip


def _breaks(world: World, agent: str | None, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    for leave in world.book.of_kind("leave", agent):
        if leave.get("leave") == "break" and leave.start is not None and leave.get("until") is not None:
            yield leave.start, leave.get("until")
    for status in world.book.of_kind("seat_status", agent):
        resting = status.get("status") == "busy" and status.get("reason") == "break"
        if (resting or status.get("status") == "offline") and status.start is not None and status.get("until"):
            yield status.start, status.get("until")


def _pieces(
    start: datetime, end: datetime, cuts: Sequence[tuple[datetime, datetime]], least: Decimal
) -> Iterator[tuple[datetime, datetime]]:
    at = start
    for begin, until in cuts:
        if begin >= end or until <= at or milliseconds(until - begin) < least:
            continue
        if begin > at:
            yield at, begin
        at = max(at, until)
    if at < end:
        yield at, end


def calendar_rows(kind: str, period: Period, agent: str | None) -> Iterator[Row]:
    """The month itself, its days, or the ISO weeks that begin in it."""
    if kind == "month":
        spans = [(str(period), period.first, period.last)]
    elif kind == "week":
        spans = [(str(week), week.first, week.last) for week in period.weeks()]
    else:
        spans = [(day.isoformat(), day, day) for day in period.days]
    for name, first, last in spans:
        week = Period.of(first, "week") if kind == "week" else None
        fields = {"id": name, "first": first, "last": last, "day": last if kind == "month" else first, "week": week}
        yield Row(kind, name, agent, None, last if kind == "month" else first, fields)


def item_rows(items: Iterable[CallItem]) -> Iterator[Row]:
    """Calls and absences from the phones, as subjects of aggregates."""
    for item in items:
        call, away = item.facts.call, item.facts.away
        if item.facts.kind == "chat":
            continue
        phone: CallSubject | AwaySubject
        if call is not None:
            phone = CallSubject(item.facts, call)
        elif away is not None:
            phone = AwaySubject(item.facts, away)
        else:
            continue
        fields = {"day": item.day, "month": Period.of(item.day, "month"), "id": item.id, "agent": item.agent}
        yield Row("call" if call is not None else "away", item.id, item.agent, None, item.day, fields, item=item,
                  call=call, phone=phone)  # fmt: skip


def plain_row(world: World, record: Record) -> Row:
    """A record that is not in the book yet, as a subject."""
    if record.kind == "call":
        return _call_record_row(world, record) or _row(world, record, _DERIVED["call"])
    return _row(world, record, _DERIVED.get(record.kind, _NONE))
