"""The settings of one rule on one day: the pack's values with the site's over them, each with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from scoring.overlay import Overlay, SiteValue
from scoring.pack import Dated, Lost, Reading, Rule, Unit, exact, text_of
from scoring.scorecard import Setting


class Undated(Exception):
    """The day is unknown and the value changed over time: nobody can say which one holds."""


@dataclass(frozen=True, slots=True)
class Known:
    """One value that holds: its number (durations in milliseconds), how it is written, and whose it is."""

    name: str
    number: Decimal | None
    text: str
    unit: Unit
    source: str  # printed | lost | reading | site
    shown: Setting = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", Setting(self.name, self.text, self.unit, self.source))

    @property
    def assumed(self) -> bool:
        return self.source == "lost"

    def evidence(self) -> Setting:
        return self.shown


@dataclass(frozen=True, slots=True)
class Settings:
    """What a rule's predicate may read: numbers, policies and phrase lists, all settled for one day."""

    numbers: Mapping[str, Known]
    words: Mapping[str, str]
    phrases: Mapping[str, tuple[str, ...]]

    def whole(self, name: str) -> int:
        """A whole number, or a duration in whole milliseconds."""
        number = self.numbers[name].number
        if number is None:
            raise ValueError(f"{name} has no value")
        return int(number)

    def exact(self, name: str) -> Decimal:
        number = self.numbers[name].number
        if number is None:
            raise ValueError(f"{name} has no value")
        return number

    def evidence(self, name: str) -> Setting:
        return self.numbers[name].evidence()


def _merged(dated: Dated, site: SiteValue | None) -> list[tuple[date, str | None, str]]:
    """The pack's values until the site's first day, from then on the site's."""
    rows = [(day, text_of(value), _source(value)) for day, value in dated.values.items()]
    if site is not None:
        first = min(day for day, _ in site.values)
        rows = [row for row in rows if row[0] < first] + [(day, text, "site") for day, text in site.values]
    return sorted(rows, key=lambda row: row[0])


def _source(value: object) -> str:
    if isinstance(value, Lost):
        return "lost"
    return "reading" if isinstance(value, Reading) else "printed"


def resolve(name: str, dated: Dated, site: SiteValue | None, day: date | None) -> Known | None:
    """The value that holds on the day; ``None`` before its first day."""
    rows = _merged(dated, site)
    if day is None:
        if len(rows) > 1:
            raise Undated(name)
        held = rows
    else:
        held = [row for row in rows if row[0] <= day]
    if not held:
        return None
    _, text, source = held[-1]
    number = None if text is None else exact(text, dated.unit)
    return Known(name, number, "none" if text is None else text, dated.unit, source)


def settle(rule_id: str, rule: Rule, overlay: Overlay, day: date | None) -> dict[str, Known] | None:
    """All numbers of a rule; ``None`` when one of them holds only from a later day (the rule is not yet in force)."""
    found: dict[str, Known] = {}
    for name, dated in rule.dated().items():
        known = resolve(name, dated, overlay.numbers.get(f"{rule_id}.{name}"), day)
        if known is None:
            return None
        found[name] = known
    return found


def words(rule_id: str, rule: Rule, overlay: Overlay) -> dict[str, str]:
    return {name: overlay.words.get(f"{rule_id}.{name}", choice.default) for name, choice in rule.choices().items()}
