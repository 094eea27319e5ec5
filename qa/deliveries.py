"""A delivery of records: lines in, what is right kept, a report of every line that is not. All or nothing, or a part.

It reads no file and opens no database; the command line and the API bring both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from qa.store import records as stored
from qa.store.pool import Tx
from qa.tables import Line, TableError
from scoring.records.admit import parse
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
    file: str | None = None  # of several

    def as_dict(self) -> dict[str, Any]:
        told = {"file": self.file, "number": self.number, "field": self.field, "reason": self.reason, "id": self.id,
                "sheet": self.sheet}  # fmt: skip
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
    noun: str = "records"

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
        told = f"{self.file}: {self.accepted} {self.noun} taken{f' ({kinds})' if kinds else ''}"
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

    def refuse(self, faults: Mapping[int, Refusal]) -> None:
        """Take records back out, by their place, each with its reason."""
        self.refused += [_refused(self.lines[at], why) for at, why in faults.items()]
        left = [at for at in range(len(self.records)) if at not in faults]
        self.records, self.lines = [self.records[at] for at in left], [self.lines[at] for at in left]


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
