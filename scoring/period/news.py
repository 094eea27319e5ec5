"""What became known between two worlds, and whose closed months it can concern. Says too much rather than too little.

A month is computed anew only where news can reach it; this decides where, from the days and people of the records and
from how far the clauses of the pack look (``reach``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple

from scoring.expr import ExprError
from scoring.pack import Pack
from scoring.period import judge
from scoring.period.evaluate import Evaluator
from scoring.period.reach import Reach, reach
from scoring.period.subjects import Row
from scoring.period.world import SITE, Who
from scoring.records.period import Period
from scoring.records.record import Record

MARGIN = timedelta(days=7)  # a week that begins or ends in the month


class _Change(NamedTuple):
    """A record that is new, or that no longer stands, and the days it speaks of."""

    record: Record
    old: bool
    first: date
    last: date


@lru_cache(maxsize=256)
def reach_of(pack: Pack) -> Reach:
    return reach(pack)


class News:
    """What ``now`` knows and ``then`` did not."""

    def __init__(self, then: Evaluator, now: Evaluator) -> None:
        self.then, self.now = then, now
        self._moved: dict[tuple[str, str, bool], frozenset[date] | None] = {}
        self._heard: dict[tuple[str | None, Period], bool] = {}

    def concerns(self, pack: Pack, who: Who, month: Period) -> bool:
        """Whether that month could come out differently; ``pack`` is the one that scored it."""
        if self._all_new:
            return True
        far = reach_of(pack)
        if who.kind != "person" and not far.teams and not self._unnamed(far):
            return False
        alone = who.kind == "person" and not far.people
        wide = self._wide(who, far) | self._admitting(who, far)
        if self._calls_differ(who, month, far, alone and not {"call", "away"} & far.common):
            return True
        first = date.min if far.back and self._open_before(month) else _less(month.first)
        for change in self._about(who.name, far.common) if alone else self._changes:
            if change.record.kind in wide or (change.first <= _more(month.last) and change.last >= first):
                return True
            if change.record.kind in far.moving and self._moves_into(pack.id, change, month):
                return True
        return False

    def _unnamed(self, far: Reach) -> bool:
        """Whether there is a subject that names nobody, for the clauses to be about."""
        both = (self.then.rows, self.now.rows)
        return any(rows.unnamed(kind) for rows in both for kind in {"observation", *far.asked} - {"call", "away"})

    def _wide(self, who: Who, far: Reach) -> frozenset[str]:
        """The kinds that are read beyond the month by a test with a subject of that person's, or by none."""
        both = (self.then.rows, self.now.rows)
        asked = [each for each in far.far if each in ("", "call", "away") or any(one.of(each, who) for one in both)]
        return frozenset().union(*(far.far[each] for each in asked))

    def _admitting(self, who: Who, far: Reach) -> frozenset[str]:
        """What the admission of somebody's observations rests on."""
        seen = [one for rows in (self.then.rows, self.now.rows) for _, one in rows.observations(who)]
        named = {rule for one in seen for rule in one.get("rule") or ()} & far.admitting.keys()
        return frozenset().union(*(far.admitting[one] for one in named))

    @cached_property
    def _all_new(self) -> bool:
        one, other = self.then.world, self.now.world
        shas = [{name: pack.sha for name, pack in world.packs.items()} for world in (one, other)]
        same = one.overlay.sha == other.overlay.sha and one.site == other.site and shas[0] == shas[1]
        return not same or self.then.first != self.now.first

    def _open_before(self, month: Period) -> bool:
        """An earlier month that was never closed is decided anew too."""
        period, closed = self.now.first, self.now.world.closed
        while period < month:
            if period not in closed:
                return True
            period = period.next()
        return False

    # records ------------------------------------------------------------------------------------------------------

    @cached_property
    def _changes(self) -> tuple[_Change, ...]:
        before, after = self.then.world.book, self.now.world.book
        known = set(before.all())
        fresh = [one for one in after.all() if one not in known]
        gone = [before.get(str(one.get("supersedes"))) for one in fresh if one.get("supersedes") is not None]
        return (
            *(_Change(one, False, *self._days(one)) for one in fresh),
            *(_Change(one, True, *self._days(one)) for one in gone if one is not None),
        )

    @cached_property
    def _by_person(self) -> Mapping[str | None, list[_Change]]:
        table: dict[str | None, list[_Change]] = {}
        for one in self._changes:
            record = one.record
            named = {record.get("agent"), *(record.get("present") or ()), *(record.get("absent") or ())} - {None}
            for name in named or {None}:
                table.setdefault(name, []).append(one)
        return table

    def _about(self, name: str, common: frozenset[str]) -> Iterator[_Change]:
        """What names that person, or nobody, or is read whoever it names."""
        yield from self._by_person.get(name, ())
        yield from self._by_person.get(None, ())
        for kind in sorted(common):
            yield from self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> Mapping[str, list[_Change]]:
        table: dict[str, list[_Change]] = {}
        for one in self._changes:
            table.setdefault(one.record.kind, []).append(one)
        return table

    def _days(self, record: Record) -> tuple[date, date]:
        if record.kind == "calendar":
            return date.min, date.max
        days = [*_days_in(record), *self._days_about(record)]
        first, last = min(days, default=date.min), max(days, default=date.max)
        return first, date.max if record.kind == "person" else last

    def _days_about(self, record: Record) -> Iterator[date]:
        """The days of what it belongs to: the steps of a case, or what an answer is about."""
        case, about = record.get("case"), record.get("about")
        if record.kind == "exam":  # ranked among all who sat it
            yield from self._sittings.get((record.get("exam"), record.get("sitting")), ())
        for evaluator in (self.then, self.now):
            for name in (case, about):
                row = evaluator.rows.cases.get(str(name)) if name is not None else None
                for step in row.get("steps") or () if row is not None else ():
                    yield from _days_in(step)
            if about is not None:
                item, other = evaluator.world.calls.get(about), evaluator.world.book.get(about)
                yield from () if item is None else (item.day,)
                yield from () if other is None or other.kind == "person" else _days_in(other)

    @cached_property
    def _sittings(self) -> Mapping[tuple[str, str | None], set[date]]:
        table: dict[tuple[str, str | None], set[date]] = {}
        for evaluator in (self.then, self.now):
            for one in evaluator.world.book.of_kind("exam"):
                if one.get("sitting") is not None:
                    table.setdefault((str(one.get("exam")), one.get("sitting")), set()).update(_days_in(one))
        return table

    def _moves_into(self, pack: str, change: _Change, month: Period) -> bool:
        """Whether a clause gives the record a day in that month; unclear counts as yes."""
        key = (pack, change.record.id, change.old)
        if key not in self._moved:
            try:
                self._moved[key] = frozenset(self._moved_days(pack, change))
            except ExprError:
                self._moved[key] = None
        days = self._moved[key]
        return days is None or any(day in month for day in days)

    def _moved_days(self, pack: str, change: _Change) -> Iterator[date]:
        evaluator = self.then if change.old else self.now
        record = change.record
        row = _row_of(evaluator, record)
        if row is None:
            return
        who = Who("person", row.agent) if row.agent is not None else Who("site", SITE)
        whole = evaluator.month(pack, who, Period.of(row.day, "month"))
        for ready in whole.program.rules.values():
            for test in ready.tests:
                if test.check.each == record.kind and ("at" in test.parts or "due" in test.parts):
                    scope = judge.scope_of(whole, ready, test, row)
                    day = judge.day_of(whole, test, scope, row, judge.deadline(whole, test, scope))
                    yield from () if day is None else (day,)

    # calls --------------------------------------------------------------------------------------------------------

    def _calls_differ(self, who: Who, month: Period, far: Reach, alone: bool) -> bool:
        one, other = self.then.world.calls, self.now.world.calls
        if one is other:
            return False
        months = [month.next(-n) for n in range(13)] if self._phones(far) else [month]
        names: Iterable[str | None] = (
            (who.name,) if alone else (*self.then.people(month), *self.now.people(month), None)
        )
        return any(self._heard_anew(name, each) for name in names for each in months)

    def _phones(self, far: Reach) -> bool:
        return any({"call", "away"} & kinds for kinds in far.far.values())

    def _heard_anew(self, name: str | None, month: Period) -> bool:
        key = (name, month)
        if key not in self._heard:
            self._heard[key] = self.then.world.calls.of(name, month) != self.now.world.calls.of(name, month)
        return self._heard[key]


def _row_of(evaluator: Evaluator, record: Record) -> Row | None:
    if record.kind == "case":
        return evaluator.rows.cases.get(str(record.get("case")))
    return evaluator.rows.record(record)


def _days_in(record: Record) -> Iterator[date]:
    for value in record.fields.values():
        if isinstance(value, datetime):
            yield value.date()
        elif isinstance(value, date):
            yield value
        elif isinstance(value, Period):
            yield from (value.first, value.last)


def _less(day: date) -> date:
    return day - MARGIN if day - date.min > MARGIN else date.min


def _more(day: date) -> date:
    return day + MARGIN if date.max - day > MARGIN else date.max
