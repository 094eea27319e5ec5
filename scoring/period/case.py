"""A process as one subject: its records in time order, what was said last, and when each stage was reached."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from scoring.period.subjects import Row, day_of
from scoring.period.world import World
from scoring.records.period import Period
from scoring.records.record import Record


def fold(records: Iterable[Record]) -> Row | None:
    """One case from its records: a later word replaces an earlier one, a stage keeps its first moment."""
    steps = sorted(records, key=lambda one: (day_of(one), one.start.time() if one.start else time(), one.id))
    if not steps:
        return None
    fields: dict[str, Any] = {}
    for one in steps:
        fields.update(one.fields)
    first = steps[0]
    day = day_of(first)
    name = str(first.get("case"))
    fields.update(
        id=name, case=name, at=first.start, day=day, month=Period.of(day, "month"), steps=tuple(steps),
        event=next((one.get("event") for one in steps if one.get("event")), None),
    )  # fmt: skip
    fields["case_type"] = next((one.get("case_type") for one in steps if one.get("case_type")), None)
    return Row("case", name, fields.get("agent"), fields.get("team"), day, fields, {}, first)


def fold_all(world: World) -> tuple[Row, ...]:
    """All cases of the book, by the day they began."""
    by_name: dict[str, list[Record]] = {}
    for record in world.book.of_kind("case"):
        by_name.setdefault(str(record.get("case")), []).append(record)
    found = [row for row in (fold(steps) for steps in by_name.values()) if row is not None]
    return tuple(sorted(found, key=lambda row: (row.day, row.id)))


def steps_of(row: Row) -> tuple[Record, ...]:
    found: tuple[Record, ...] = row.fields.get("steps", ())
    return found


def at_stage(row: Row, stage: str) -> datetime | None:
    """When the case first reached a stage; None when it has not."""
    return next((one.start for one in steps_of(row) if one.get("stage") == stage), None)


def by_stage(row: Row, stage: str, name: str) -> Any:
    """A field as the record of that stage said it."""
    return next((one.get(name) for one in steps_of(row) if one.get("stage") == stage), None)


def stages(row: Row) -> tuple[str, ...]:
    """The stages reached, in time order."""
    return tuple(str(one.get("stage")) for one in steps_of(row))
