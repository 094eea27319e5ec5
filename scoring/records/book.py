"""All records of a site with their versions, immutable: which ones hold now, and which they replaced. No I/O."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from scoring.errors import ScoringError
from scoring.records.admit import named, wrong_stage
from scoring.records.period import Period
from scoring.records.record import Record, Refusal, order


class BookError(ScoringError):
    """Records that do not go together; one fault a line, with the record's place in the list and its id."""

    def __init__(self, refused: Iterable[tuple[int, Record, Refusal]]) -> None:
        self.refused = tuple(refused)
        self.faults = [f"record {at + 1} ({one.id}): {why}" for at, one, why in self.refused]
        Exception.__init__(self, "\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class Book:
    """Records by id. A record that supersedes another stands in its place; the old one stays readable."""

    _all: tuple[Record, ...] = ()
    _chains: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)  # id -> its versions, shared by their ids
    _cases: Mapping[str, str] = field(default_factory=dict)  # case -> case_type
    _kinds: Mapping[tuple[str, str | None], tuple[Record, ...]] = field(default_factory=dict)

    @staticmethod
    def of(records: Iterable[Record]) -> Book:
        """A book of records that came in one go. Raises BookError with every record that does not fit."""
        book, refused = Book().take(records)
        if refused:
            raise BookError(refused)
        return book

    def take(self, records: Iterable[Record]) -> tuple[Book, tuple[tuple[int, Record, Refusal], ...]]:
        """The book with all that fit, and the others: place in the list, record, reason."""
        listed = tuple(records)
        draft = _Draft(self, _first_said(listed))
        refused = []
        for at, record in enumerate(listed):
            if (why := draft.put(record)) is not None:
                refused.append((at, record, why))
        return draft.book(), tuple(refused)

    def add(self, record: Record) -> Book | Refusal:
        """The book with one record more; the same record again changes nothing."""
        draft = _Draft(self, {})
        return draft.put(record) or draft.book()

    def all(self) -> tuple[Record, ...]:
        """Everything that was ever taken, replaced and withdrawn records too, in the order it came."""
        return self._all

    def get(self, id: str) -> Record | None:
        """What stands for that id now: the record, or the one that superseded it; None if unknown or withdrawn."""
        chain = self._chains.get(id)
        return chain[-1] if chain and not chain[-1].get("void") else None

    def versions(self, id: str) -> tuple[Record, ...]:
        """The record and all that replaced or preceded it, oldest first."""
        return self._chains.get(id, ())

    def of_kind(self, kind: str, agent: str | None = None) -> tuple[Record, ...]:
        """The records of a kind that hold now (of one agent), by when they begin, then by id."""
        return self._kinds.get((kind, agent), ())

    def case_type(self, case: str) -> str | None:
        """Which process a case is."""
        return self._cases.get(case)

    def person(self, agent: str, day: date) -> Record | None:
        """The person record that holds on that day; none before the first one's day."""
        held = [one for one in self.of_kind("person", agent) if one.fields["day"] <= day]
        return held[-1] if held else None

    def team(self, agent: str, day: date) -> str:
        """The team of that day; ``-`` without one."""
        person = self.person(agent, day)
        return str((person and person.get("team")) or "-")

    def people(self, month: Period) -> tuple[str, ...]:
        """Who worked here in that time or has a record in it, by name."""
        here = {str(one.fields["agent"]) for one in self.of_kind("person") if one.fields["day"] <= month.last}
        gone = {name for name in here if _gone(self.person(name, month.last), month)}
        dated = {
            agent
            for (kind, agent), records in self._kinds.items()
            if agent is not None and kind != "person" and _any_within(records, month)
        }
        return tuple(sorted((here - gone) | dated))

    def workdays(self) -> dict[date, bool]:
        """The days that the site says differ from the week."""
        return {one.fields["day"]: bool(one.fields["workday"]) for one in self.of_kind("calendar")}


def _gone(person: Record | None, month: Period) -> bool:
    left = person.get("left") if person else None
    return left is not None and left < month.first


def _any_within(records: tuple[Record, ...], month: Period) -> bool:
    """Whether records in their order have one in that time."""
    at = bisect_left(records, month.first, key=_day)
    return at < len(records) and _day(records[at]) <= month.last


def _day(record: Record) -> date:
    return order(record)[0]


def _first_said(records: Iterable[Record]) -> dict[str, Record]:
    """The earliest record of each case in a list: it is the one that says which process it is."""
    found: dict[str, Record] = {}
    for one in records:
        case = one.get("case") if one.kind == "case" else None
        if case is not None and one.start and (case not in found or one.start < (found[case].start or one.start)):
            found[case] = one
    return found


class _Draft:
    """A book being written; the book it began from stays as it was."""

    def __init__(self, book: Book, first: Mapping[str, Record]) -> None:
        self._from, self._first = book, first
        self._new: list[Record] = []
        self._chains = dict(book._chains)
        self._cases = dict(book._cases)
        self._kinds: dict[tuple[str, str | None], list[Record]] = {}

    def put(self, record: Record) -> Refusal | None:
        """Take a record, or say why not. What was taken before is skipped."""
        known = self._chains.get(record.id, ())
        if any(one.id == record.id and one.fields == record.fields for one in known):
            return None
        why = self._replaces(record, known) or (self._case(record) if not record.get("void") else None)
        if why is not None:
            return why
        self._new.append(record)
        old = self._chains.get(str(record.get("supersedes")), ())
        chain = (*old, record)
        if old and not old[-1].get("void"):
            self._index(old[-1], leave=True)
        for one in chain:
            self._chains[one.id] = chain
        if not record.get("void"):
            self._index(record)
        return None

    def _replaces(self, record: Record, known: tuple[Record, ...]) -> Refusal | None:
        of = record.get("supersedes")
        if of is None:
            told = "stands already with other content; give a new id, or supersedes with a reason"
            return Refusal("id", f"{record.id!r} {told}") if known else None
        chain = self._chains.get(of)
        if chain is None:
            return Refusal("supersedes", f"there is no record {of!r}; give the id of the one that it replaces")
        if known and record.id != of:
            return Refusal("id", f"{record.id!r} stands already; give the new record an id of its own")
        last = chain[-1]
        if last.id != of:
            return Refusal("supersedes", f"{of!r} was replaced by {last.id!r} already; supersede that one")
        if last.get("void") and record.get("void"):
            return Refusal("supersedes", f"{of!r} is a withdrawal; to take it back, enter the record with supersedes")
        if last.kind != record.kind:
            return Refusal("kind", f"{of!r} is {named(last.kind)}; withdraw it with void and enter a new record")
        return None

    def _case(self, record: Record) -> Refusal | None:
        if record.kind != "case":
            return None
        case, said = str(record.get("case")), record.get("case_type")
        first = self._first.get(case)
        known = self._cases.get(case) or (first.get("case_type") if first is not None else None) or said
        if known is None or (case not in self._cases and first is record and said is None):
            return Refusal("case_type", f"the first record of case {case!r} says which process it is; give it")
        if said is not None and said != known:
            return Refusal("case_type", f"case {case!r} is {named(known)}; give the new process a case of its own")
        if (told := wrong_stage(known, str(record.get("stage")))) is not None:
            return told
        self._cases[case] = known
        return None

    def _index(self, record: Record, *, leave: bool = False) -> None:
        for key in {(record.kind, None), (record.kind, record.get("agent"))}:
            if key not in self._kinds:
                self._kinds[key] = list(self._from._kinds.get(key, ()))
            if leave:
                self._kinds[key].remove(record)
            else:
                self._kinds[key].append(record)

    def book(self) -> Book:
        if not self._new:
            return self._from
        sorted_rows = {key: tuple(sorted(rows, key=order)) for key, rows in self._kinds.items()}
        kinds = {**self._from._kinds, **sorted_rows}
        return replace(
            self._from, _all=(*self._from._all, *self._new), _chains=self._chains, _cases=self._cases, _kinds=kinds
        )
