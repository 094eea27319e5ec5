"""What a golden scenario expects against what came out: differences by path. It computes no score.

Amounts are exact decimals ("91" equals "91.0"), metrics are numbers, lists have no order; what is not named counts not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from scoring.canonical import decimal_text

Path = tuple[str, ...]
Wanted = Mapping[Any, Any]
Lookup = Callable[[str], Any]
ZERO = Decimal(0)
NOTHING = object()  # there is no such card, case, call or attempt


@dataclass(frozen=True, slots=True)
class Difference:
    """One expectation that did not hold; ``rule`` names the clause where the path ends in one."""

    path: Path
    expected: str
    found: str
    rule: str | None = None

    def as_text(self) -> str:
        return f"{'.'.join(self.path)}: {self.expected}, {self.found}"


def amounts(path: Path, wanted: Wanted, found: Lookup) -> Iterator[Difference]:
    """``RULE: "x"``; null = no value."""
    for rule, amount in wanted.items():
        yield from amount_at((*path, rule), amount, found(rule), rule)


def amount_at(path: Path, wanted: Any, found: Any, rule: str | None = None) -> Iterator[Difference]:
    if _number(wanted) != _number(found):
        yield Difference(path, shown(wanted), shown(found), rule)


def plain_at(path: Path, wanted: Any, found: Any, rule: str | None = None) -> Iterator[Difference]:
    """A word, a switch, a whole number, or a moment."""
    if _plain(wanted) != _plain(found):
        yield Difference(path, shown(wanted), shown(found), rule)


def values(path: Path, wanted: Wanted, found: Lookup) -> Iterator[Difference]:
    """What a rule computed: a number, a word, or nothing."""
    for rule, value in wanted.items():
        read = found(rule)
        same = _number(value) == _number(read) if _is_number(value) else _plain(value) == _plain(read)
        if not same:
            yield Difference((*path, rule), shown(value), shown(read), rule)


def plains(path: Path, wanted: Wanted, found: Lookup, rules: bool = True) -> Iterator[Difference]:
    for name, value in wanted.items():
        yield from plain_at((*path, str(name)), value, found(name), name if rules else None)


def metrics(path: Path, wanted: Wanted, found: Mapping[str, Any]) -> Iterator[Difference]:
    """Names of ``score --json``, compared as numbers."""
    for name, value in wanted.items():
        read = found.get(name, NOTHING)
        if _is_number(value) and not isinstance(read, bool) and isinstance(read, int | float | Decimal):
            same = Decimal(str(value)) == Decimal(str(read))
        else:
            same = _plain(value) == _plain(read)
        if not same:
            yield Difference((*path, name), shown(value), shown(read))


def complete(path: Path, wanted: Sequence[str], found: Collection[str], rules: Collection[str]) -> Iterator[Difference]:
    """A complete list, without order, among the rules that the scenario is about."""
    among = set(rules) | set(wanted)
    own = sorted(one for one in set(found) if one in among)
    if sorted(set(wanted)) != own:
        strays = sorted(set(wanted) ^ set(own))
        yield Difference(path, _list(sorted(wanted)), _list(own), strays[0] if strays else None)


def complete_map(path: Path, wanted: Wanted, found: Mapping[str, Any], rules: Collection[str]) -> Iterator[Difference]:
    """A complete map of amounts among those rules."""
    among = set(rules) | set(wanted)
    own = {rule: amount for rule, amount in found.items() if rule in among}
    for rule in sorted(wanted.keys() | own.keys()):
        left, right = wanted.get(rule, NOTHING), own.get(rule, NOTHING)
        if left is NOTHING or right is NOTHING or _number(left) != _number(right):
            yield Difference((*path, rule), shown(left), shown(right), rule)


def hits(path: Path, wanted: Sequence[str], found: Sequence[str]) -> Iterator[Difference]:
    """Every entry named is hit as often as it is named; ``[]`` = nothing is hit."""
    lacking = Counter(wanted) - Counter(found)
    if lacking or (not wanted and found):
        yield Difference(path, _list(sorted(wanted)), _list(sorted(found)))


def recommendations(path: Path, wanted: Sequence[Wanted], found: Sequence[Wanted]) -> Iterator[Difference]:
    """A complete list without order; ``rule`` is compared where the scenario names one."""
    left = list(found)
    for one in sorted(wanted, key=lambda row: "rule" not in row):
        match = next((row for row in left if _fits(row, one)), None)
        if match is None:
            yield Difference(path, _told(wanted), _told(found), one.get("rule"))
            return
        left.remove(match)
    if left:
        yield Difference(path, _told(wanted), _told(found))


def _fits(row: Wanted, wanted: Wanted) -> bool:
    named = wanted.get("rule")
    return row["kind"] == wanted["kind"] and row["state"] == wanted["state"] and named in (None, *row["rules"])


def due_at(path: Path, wanted: Any, found: Any) -> Iterator[Difference]:
    """A day stands for the whole of it; a moment for the moment."""
    if _deadline(wanted) != _deadline(found):
        yield Difference(path, shown(wanted), shown(found))


def _deadline(value: Any) -> Any:
    """The last day of a deadline that ends with its day, or the moment."""
    if isinstance(value, str) and "T" in value:
        value = datetime.fromisoformat(value)
    elif isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime) and value.time() == time(0) and not value.microsecond:
        return (value - timedelta(days=1)).date()
    return value


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float | Decimal) or (isinstance(value, str) and _decimal(value) is not None)


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _number(value: Any) -> Any:
    """An amount to compare; what is no number stays what it is."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return value
    return _decimal(str(value)) if not isinstance(value, Decimal) else value


def _plain(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | date):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def shown(value: Any) -> str:
    """A value as the scenario would write it."""
    if value is None:
        return "null"
    if value is NOTHING:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds" if not value.microsecond else "milliseconds")
    return str(value)


def _list(rows: Sequence[str]) -> str:
    return f"[{', '.join(rows)}]"


def _told(rows: Sequence[Wanted]) -> str:
    return _list([" ".join(f"{key}={value}" for key, value in row.items()) for row in rows])
