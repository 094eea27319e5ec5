"""What is wrong with an answer, as a code with its values.

Here it is said in English; the screens say it in the reader's language by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from typing import Any

LETTERS: Mapping[str, str] = {
    "needed": "is needed; give it",
    "needed_to_record": "is needed before calls are recorded; give it",
    "no_question": "nobody asks this; the answers are {known}",
    "site": "{value} is no short name; write small letters, digits and hyphens, like north",
    "demo": "this name belongs to the demonstration; give the site another one",
    "zone": "there is no time zone {value}; write one like Asia/Shanghai",
    "choice": "{value} is not to be chosen here; write one of {known}",
    "pack": "there is no regulation {value}; write one of {known}, or a folder that holds one",
    "pack_broken": "the regulation in {value} does not load: {why}",
    "no_rings": "the regulation {value} counts no rings, so there is no reading to choose; leave this away",
    "model": "{value} is no speech model: {why}",
    "number": "{value} is no whole number from {least} to {most}; write one",
    "day": "{value} is no day; write it like 2026-12-01",
    "switch": "{value} is neither yes nor no; write one of them",
    "host": "{value} is no host; write a name or an address, without a port",
    "url": "{value} is no address; write it like http://127.0.0.1:8088",
    "pair": "{value} names no seat; write EXTENSION=SEAT, like 1001=S01",
    "twice": "{value} stands twice; give it once",
    "name": "{value} is no name; write letters, digits, dots, hyphens and underscores, 32 at most",
    "one_line": "is more than one line; write one",
    "long": "has {length} characters; write {most} at most",
    "together": "belongs to {other}; give both, or none",
    "table": "this is no table of people ({why}); start from the template",
    "no_file": "{value} cannot be read ({why}); name a file that can",
    "column": "there is no column {value}; the columns are {known}",
    "role": "{value} is no role; write one of {known}",
    "hired": "is needed where probation_until is given; write the day",
    "cells": "the line has {count} cells, the head {head}; quote what holds a comma",
    "settings": "{why}",
    "overlay": "{value} could not be edited safely; write into it by hand: {text}",
    "file": "{value} could not be edited safely; write into it by hand: {text}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One answer that cannot be taken. ``line`` is a line of the table of people."""

    field: str
    code: str
    values: Mapping[str, Any] = made(default_factory=dict)
    line: int | None = None

    @property
    def text(self) -> str:
        return LETTERS[self.code].format(**self.values)

    def __str__(self) -> str:
        place = f"people, line {self.line}: {self.field}" if self.line is not None else self.field
        return f"{place}: {self.text}"

    def as_dict(self) -> dict[str, Any]:
        line = {} if self.line is None else {"line": self.line}
        return {"field": self.field, "code": self.code, "values": dict(self.values), "text": self.text, **line}


class Refused(Exception):
    """Answers that cannot be taken; all faults at once."""

    def __init__(self, found: Iterable[Fault]) -> None:
        self.found = tuple(found)
        self.faults = [str(one) for one in self.found]
        super().__init__("\n".join(self.faults))


class Wrong(Exception):
    """One value that is no answer; who asks knows of which question."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    def of(self, field: str) -> Fault:
        return Fault(field, self.code, self.values)
