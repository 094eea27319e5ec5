"""Golden scenarios as people write them: the form is checked, each carries the faults of its own. Runs nothing.

A scenario is ``title`` and ``scenarios`` in a YAML file; keys, attempts and expectations are a closed list. What stands
in ``people``, ``given`` and ``add`` are raw records: whether they are good ones is for the admission of records to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ingest.rings import cadence
from scoring.errors import PackError
from scoring.load import Document

Raw = Mapping[str, Any]
Path = tuple[object, ...]

REGISTERS = ("leave", "attendance", "case")
MONEY = ("off", "record_only", "payroll_export")
JURISDICTIONS = ("CN", "KR")
ACTIONS = ("add", "approve", "review", "reject", "export", "close")
OUTCOMES = ("breach", "met", "unknown", "clear", "na")
REFUSALS = (
    "out_of_range", "reason_missing", "not_applicable", "below_floor", "stage_order", "steps_missing",
    "beyond_authority", "sign_off_missing", "penalty_open", "rater_unknown", "rater_untrained", "rule_off",
    "items_missing", "limit_missing", "sum_over_limit", "duplicate", "own_call", "second_approval_missing",
)  # fmt: skip
_FILE = frozenset(("title", "scenarios"))
_SCENARIO = frozenset((
    "id", "system", "rules", "why", "reading", "pack", "shadow", "site", "people", "given", "do", "close", "now",
    "expect",
))  # fmt: skip
_SITE = frozenset(("timezone", "money", "signed_off_by", "jurisdiction", "cadence", "registers", "overlay", "trust"))
_EXPECT = frozenset(("people", "teams", "cases", "calls", "do", "overlay"))
_SCOPE = frozenset(("agent", "period", "kind"))
_ATTEMPT = frozenset(("id", "at", "by", "role"))
_NEVER = datetime.fromisoformat("0001-01-01T00:00")
_PERIOD = re.compile(r"\d{4}(-(0[1-9]|1[0-2])|-W(0[1-9]|[1-4]\d|5[0-3])|Q[1-4])?", re.ASCII)
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True)
class SiteForm:
    """What a scenario says of its site; everything has its printed default."""

    timezone: str = "Asia/Shanghai"
    money: str = "off"
    signed_off_by: str | None = None
    jurisdiction: str = "CN"
    cadence: str = "cn"
    registers: tuple[str, ...] = REGISTERS
    overlay: Raw | None = None
    trust: str | tuple[str, ...] = "all"


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt: who tries what, when. ``payload`` is a raw record, ``{agent, period, kind}``, or a word."""

    id: str
    at: datetime
    by: str
    role: str
    action: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario; with ``faults`` it cannot be run."""

    id: str
    why: str
    rules: tuple[str, ...]
    pack: str
    shadow: tuple[str, ...]
    site: SiteForm
    people: tuple[Raw, ...]
    given: tuple[Raw, ...]
    do: tuple[Step, ...]
    close: tuple[str, ...]
    now: datetime | None
    expect: Raw
    place: Callable[[Path], str]
    faults: tuple[str, ...] = ()


def scenarios(document: Document) -> list[Scenario]:
    """A file's scenarios, each with the faults of its own form; PackError if it is no file of them."""
    tree = document.value
    if not isinstance(tree, dict) or not isinstance(tree.get("scenarios"), list):
        raise PackError([f"{document.name}:1: this is no file of scenarios; write title and a list scenarios"])
    if strange := sorted(tree.keys() - _FILE, key=str):
        raise PackError([f"{document.at((one,))}: key {one!r} is unknown; use title, scenarios" for one in strange])
    seen: set[str] = set()
    return [_Reader(document, at).read(row, seen) for at, row in enumerate(tree["scenarios"])]


class _Reader:
    """Walks one scenario and collects what is wrong with its form."""

    def __init__(self, document: Document, number: int) -> None:
        self.document, self.number = document, number
        self.faults: list[str] = []

    def place(self, path: Path) -> str:
        return self.document.at(("scenarios", self.number, *path))

    def fault(self, path: Path, what: str) -> None:
        self.faults.append(f"{self.place(path)}: {'.'.join(map(str, path)) or 'the scenario'}: {what}")

    def read(self, tree: Any, seen: set[str]) -> Scenario:
        if not isinstance(tree, dict):
            self.fault((), "is no mapping; write id, pack, given, expect")
            tree = {}
        self.known((), tree, _SCENARIO)
        name = self.name(tree.get("id"), seen)
        return Scenario(
            id=name,
            why=str(tree.get("why") or ""),
            rules=self.words(("rules",), tree.get("rules")),
            pack=self.pack(tree.get("pack")),
            shadow=self.words(("shadow",), tree.get("shadow")),
            site=self.site(self.mapping(("site",), tree.get("site"))),
            people=tuple(self.rows(("people",), tree.get("people"))),
            given=tuple(self.rows(("given",), tree.get("given"))),
            do=self.steps(tree.get("do")),
            close=self.months(tree.get("close")),
            now=None if tree.get("now") is None else self.moment(("now",), tree["now"]),
            expect=self.expected(tree.get("expect")),
            place=self.place,
            faults=tuple(self.faults),
        )

    def name(self, name: Any, seen: set[str]) -> str:
        if not isinstance(name, str):
            self.fault((), "lacks an id; write one")
            return f"scenario {self.number + 1}"
        if name in seen:
            self.fault(("id",), f"{name!r} stands twice; give this one its own")
        seen.add(name)
        return name

    def pack(self, name: Any) -> str:
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9]{2,8}", name):
            self.fault(("pack",), f"{name!r} is no pack; write its code in lower case, like a80")
            return ""
        return name

    def known(self, path: Path, tree: Raw, keys: frozenset[str]) -> None:
        for key in sorted(tree.keys() - keys, key=str):
            self.fault((*path, key), f"the key is unknown; use {', '.join(sorted(keys))}")

    def mapping(self, path: Path, tree: Any) -> Raw:
        if tree is None:
            return {}
        if not isinstance(tree, dict):
            self.fault(path, "is no mapping; write keys and values")
            return {}
        return tree

    def rows(self, path: Path, tree: Any) -> Iterator[Raw]:
        if tree is not None and not isinstance(tree, list):
            self.fault(path, "is no list; write one item a line")
            return
        for at, row in enumerate(tree or ()):
            if isinstance(row, dict):
                yield row
            else:
                self.fault((*path, at), "is no mapping; write its fields")

    def words(self, path: Path, tree: Any) -> tuple[str, ...]:
        rows = tree if isinstance(tree, list) else [] if tree is None else [tree]
        for at, row in enumerate(rows):
            if not isinstance(row, str):
                self.fault((*path, at), f"{row!r} is no word; write it in quotes")
        return tuple(str(row) for row in rows)

    def moment(self, path: Path, value: Any) -> datetime:
        found = moment(value)
        if found is None:
            self.fault(path, f"{value!r} is no moment; write it like 2026-04-01T09:00")
        return found or _NEVER

    def months(self, tree: Any) -> tuple[str, ...]:
        found = self.words(("close",), tree)
        for at, one in enumerate(found):
            if not _MONTH.fullmatch(one):
                self.fault(("close", at), f"{one!r} is no month; write it like 2026-03")
        return found

    def site(self, tree: Raw) -> SiteForm:
        self.known(("site",), tree, _SITE)
        plain = SiteForm()
        registers = tree.get("registers", plain.registers)
        trust = tree.get("trust", plain.trust)
        ring = tree.get("cadence", plain.cadence)
        ring = "/".join(map(str, ring)) if isinstance(ring, list) else str(ring)
        self.choice("money", tree.get("money", plain.money), MONEY)
        self.choice("jurisdiction", tree.get("jurisdiction", plain.jurisdiction), JURISDICTIONS)
        try:
            cadence(ring)
        except ValueError as error:
            self.fault(("site", "cadence"), str(error))
            ring = plain.cadence
        return SiteForm(
            timezone=str(tree.get("timezone", plain.timezone)),
            money=str(tree.get("money", plain.money)),
            signed_off_by=None if tree.get("signed_off_by") is None else str(tree["signed_off_by"]),
            jurisdiction=str(tree.get("jurisdiction", plain.jurisdiction)),
            cadence=ring,
            registers=self.registers(registers),
            overlay=None if tree.get("overlay") is None else self.mapping(("site", "overlay"), tree["overlay"]),
            trust=trust if isinstance(trust, str) else self.words(("site", "trust"), trust),
        )

    def registers(self, tree: Any) -> tuple[str, ...]:
        found = self.words(("site", "registers"), list(tree) if isinstance(tree, dict | tuple) else tree)
        for at, one in enumerate(found):
            if one not in REGISTERS:
                self.fault(("site", "registers", at), f"{one!r} is no register; use {', '.join(REGISTERS)}")
        return found

    def choice(self, key: str, value: Any, words: tuple[str, ...]) -> None:
        if value not in words:
            self.fault(("site", key), f"{value!r} is unknown; use {', '.join(words)}")

    def steps(self, tree: Any) -> tuple[Step, ...]:
        found = [self.step(at, row) for at, row in enumerate(self.rows(("do",), tree))]
        names = [one.id for one in found]
        for at, name in enumerate(names):
            if name in names[:at]:
                self.fault(("do", at), f"{name!r} stands twice; give this attempt its own id")
        return tuple(found)

    def step(self, at: int, row: Raw) -> Step:
        path = ("do", at)
        self.known(path, row, _ATTEMPT | frozenset(ACTIONS))
        named = [one for one in ACTIONS if one in row]
        if len(named) != 1:
            self.fault(path, f"needs exactly one of {', '.join(ACTIONS)}")
        for key in ("id", "by", "role"):
            if not isinstance(row.get(key), str):
                self.fault(path, f"lacks {key}; add it")
        action = named[0] if named else "add"
        payload = row.get(action)
        self.payload((*path, action), action, payload)
        when = self.moment((*path, "at"), row.get("at"))
        return Step(str(row.get("id")), when, str(row.get("by")), str(row.get("role")), action, payload)

    def payload(self, path: Path, action: str, payload: Any) -> None:
        if action in ("approve", "review", "reject"):
            scope = self.mapping(path, payload)
            self.known(path, scope, _SCOPE)
            if lacking := sorted(_SCOPE - scope.keys()):
                self.fault(path, f"lacks {', '.join(lacking)}; add it")
        elif action == "add" and not isinstance(payload, dict):
            self.fault(path, "is no record; write its fields")
        elif action == "export" and payload != "payroll":
            self.fault(path, f"{payload!r} cannot be exported; write payroll")
        elif action == "close" and not (isinstance(payload, str) and _MONTH.fullmatch(payload)):
            self.fault(path, f"{payload!r} is no month; write it like 2026-03")

    def expected(self, tree: Any) -> Raw:
        found = self.mapping(("expect",), tree)
        if not found:
            self.fault(("expect",), "says nothing; write what must come out")
        self.known(("expect",), found, _EXPECT)
        for part in ("people", "teams"):
            for who, periods in self.mapping(("expect", part), found.get(part)).items():
                for period, shown in self.mapping(("expect", part, who), periods).items():
                    self.card(("expect", part, who, period), period, shown)
        for part, form in (("cases", _CASE), ("calls", _CALL), ("do", _DO)):
            for name, shown in self.mapping(("expect", part), found.get(part)).items():
                self.shape(("expect", part, name), shown, form)
        overlay = self.mapping(("expect", "overlay"), found.get("overlay"))
        self.shape(("expect", "overlay"), overlay, _OVERLAY)
        return found

    def card(self, path: Path, period: Any, shown: Any) -> None:
        if not isinstance(period, str) or not _PERIOD.fullmatch(period):
            self.fault(path, f'{period!r} is no period; write it like 2026-03, "2026" or 2026Q1')
        self.shape(path, shown, _CARD)

    def shape(self, path: Path, shown: Any, form: Mapping[str, Callable[[Any], str | None]]) -> None:
        found = self.mapping(path, shown)
        self.known(path, found, frozenset(form))
        for key, value in found.items():
            if key in form and (says := form[key](value)):
                self.fault((*path, key), says)


def moment(value: Any) -> datetime | None:
    """A moment as it is written, local to the site unless it carries an offset."""
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None


# Forms of expectations: each says what is wrong with a value, or nothing.


def _amount(value: Any) -> str | None:
    if value is None:
        return None
    try:
        good = isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        good = False
    return None if good else f'{value!r} is no quoted number; write it like "-0.5", or null'


def _word(value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else f"{value!r} is no word"


def _any(value: Any) -> str | None:
    return None if value is None or isinstance(value, str | bool | int) else f"{value!r} is no value"


def _outcome(value: Any) -> str | None:
    return None if value in OUTCOMES else f"{value!r} is no outcome; use {', '.join(OUTCOMES)}"


def _flag(value: Any) -> str | None:
    return None if value is None or isinstance(value, bool) else f"{value!r} is neither true nor false"


def _due(value: Any) -> str | None:
    good = value is None or isinstance(value, date) or moment(value) is not None
    return None if good else f"{value!r} is no day and no moment; write 2026-03-07 or 2026-03-07T10:00"


def _whole(value: Any) -> str | None:
    good = type(value) is int or (isinstance(value, str) and value.isascii() and value.isdigit())
    return None if good else f"{value!r} is no whole number"


def _figure(value: Any) -> str | None:
    return None if value is None or isinstance(value, str | int | float) else f"{value!r} is no figure"


def _each(form: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return f"{value!r} is no mapping; write RULE: value"
        return next((f"{key}: {says}" for key, one in value.items() if (says := form(one))), None)

    return check


def _list(form: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if not isinstance(value, list):
            return f"{value!r} is no list; write [{value}]"
        return next((says for one in value if (says := form(one))), None)

    return check


def _recommendation(value: Any) -> str | None:
    if not isinstance(value, dict) or not {"kind", "state"} <= value.keys() <= {"kind", "state", "rule"}:
        return f"{value!r} is no recommendation; write {{kind, state, rule?}}"
    return None


def _adjusted(value: Any) -> str | None:
    if not isinstance(value, dict) or not value.keys() <= {"points", "pay"}:
        return f"{value!r} is no adjustment; write {{points, pay}}"
    return _each(_amount)(value)


def _refusal(value: Any) -> str | None:
    return None if value in REFUSALS else f"{value!r} is no refusal; use {', '.join(REFUSALS)}"


def _accepted(value: Any) -> str | None:
    return None if value is True else f"{value!r}: an attempt is accepted: true, or refused: WORD"


_CARD: Mapping[str, Callable[[Any], str | None]] = {
    "score": _amount, "raw": _amount, "grade": _word, "rank": _any, "state": _word, "pay": _amount, "fine": _amount,
    "ledger": _amount, "money": _each(_amount), "lines": _each(_amount), "count": _each(_whole), "value": _each(_any),
    "outcome": _each(_outcome), "unknown": _list(_word), "assumed": _list(_word), "alarms": _list(_word),
    "review": _each(_amount), "recommendations": _list(_recommendation), "shadow": _each(_amount),
    "adjusted": _adjusted,
}  # fmt: skip
_CASE: Mapping[str, Callable[[Any], str | None]] = {
    "due": _each(_due), "in_time": _each(_flag), "state": _word, "approver": _word, "outcome": _each(_outcome),
    "value": _each(_any),
}  # fmt: skip
_CALL: Mapping[str, Callable[[Any], str | None]] = {
    "metrics": _each(_figure), "lines": _each(_amount), "outcome": _each(_outcome), "hits": _list(_word),
    "unknown": _list(_word), "assumed": _list(_word), "review": _each(_amount),
}  # fmt: skip
_DO: Mapping[str, Callable[[Any], str | None]] = {"accepted": _accepted, "caution": _list(_word), "refused": _refusal}
_OVERLAY: Mapping[str, Callable[[Any], str | None]] = {"refused": _refusal}
