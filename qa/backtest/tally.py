"""What a draft would change, added up by clause and by agent, with a few examples. Parts add up to the whole.

Its size grows with clauses and agents, never with calls. Parts come in any order: examples are the earliest ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

EXAMPLES = 5  # of each kind and clause
ZERO = Decimal(0)
NOBODY = "-"  # what stands for calls without an agent


@dataclass(slots=True)
class Effect:
    """One clause: findings that come or go, findings whose points move, and what cannot be decided before and after."""

    gained: int = 0
    lost: int = 0
    changed: int = 0
    unknown_before: int = 0
    unknown_after: int = 0
    points_before: Decimal = ZERO
    points_after: Decimal = ZERO
    causes: dict[str, int] = field(default_factory=dict)  # of what is unknown after
    examples: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)  # gained, lost, changed

    def show(self, kind: str, seq: int, example: Mapping[str, Any]) -> None:
        held = self.examples.setdefault(kind, [])
        held.append((seq, dict(example)))
        held.sort(key=lambda one: one[0])
        del held[EXAMPLES:]

    def wants(self, kind: str, seq: int) -> bool:
        held = self.examples.get(kind, [])
        return len(held) < EXAMPLES or seq < held[-1][0]

    def add(self, other: Effect) -> None:
        for name in ("gained", "lost", "changed", "unknown_before", "unknown_after", "points_before", "points_after"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for cause, count in other.causes.items():
            self.causes[cause] = self.causes.get(cause, 0) + count
        for kind, shown in other.examples.items():
            for seq, example in shown:
                if self.wants(kind, seq):
                    self.show(kind, seq, example)


@dataclass(slots=True)
class Person:
    """One agent: points that count, points with what waits for a person, money of findings; before and after."""

    subjects: int = 0
    gained: int = 0
    lost: int = 0
    counted_before: Decimal = ZERO
    counted_after: Decimal = ZERO
    automatic_before: Decimal = ZERO
    automatic_after: Decimal = ZERO
    money_before: Decimal = ZERO
    money_after: Decimal = ZERO

    def add(self, other: Person) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(slots=True)
class Tally:
    """The whole, or a part of it. ``scored``: subjects for which a clause was really tried again."""

    subjects: int = 0
    calls: int = 0
    scored: int = 0
    rescored: int = 0  # whose run was made by another pack or release than the one that holds
    unreadable: int = 0
    rematched: int = 0
    match_seconds: float = 0.0
    memory_mb: float = field(default=0.0, compare=False)  # the most that a process held
    rules: dict[str, Effect] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def rule(self, name: str) -> Effect:
        if name not in self.rules:
            self.rules[name] = Effect()
        return self.rules[name]

    def person(self, name: str | None) -> Person:
        key = NOBODY if name is None else name
        if key not in self.people:
            self.people[key] = Person()
        return self.people[key]

    def add(self, other: Tally) -> None:
        for name in ("subjects", "calls", "scored", "rescored", "unreadable", "rematched", "match_seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.memory_mb = max(self.memory_mb, other.memory_mb)
        for rule, effect in other.rules.items():
            self.rule(rule).add(effect)
        for name, person in other.people.items():
            self.person(name).add(person)

    def to_json(self) -> dict[str, Any]:
        """Plain values; decimals as text."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @staticmethod
    def from_json(raw: Mapping[str, Any]) -> Tally:
        found = Tally(**{name: raw[name] for name in _COUNTS})
        for rule, told in raw["rules"].items():
            shown = {kind: [(seq, one) for seq, one in rows] for kind, rows in told["examples"].items()}
            found.rules[rule] = Effect(**{**_exact(told, ("points_before", "points_after")), "examples": shown})
        money = tuple(one.name for one in fields(Person) if one.name not in ("subjects", "gained", "lost"))
        found.people = {name: Person(**_exact(told, money)) for name, told in raw["people"].items()}
        return found


_COUNTS = ("subjects", "calls", "scored", "rescored", "unreadable", "rematched", "match_seconds")


def _exact(raw: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {**raw, **{name: Decimal(raw[name]) for name in names}}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
