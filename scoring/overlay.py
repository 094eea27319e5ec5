"""What a site decided over a pack: its own numbers from a day on, switches, trust. It reads no file and scores nothing.

Two forms are taken: flat (``BES-16.points: "-1"`` or ``{2026-02-01: "-1"}``) and nested by rule with unit, dated values
and the reference of the decision.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from scoring.canonical import canonical, digest
from scoring.errors import PackError
from scoring.pack import Pack, Rule, exact

ALWAYS = date(1, 1, 1)
Where = Callable[[tuple[object, ...]], str]


@dataclass(frozen=True, slots=True)
class SiteValue:
    """One decided value, by the day it starts on; ``None`` takes a cap away."""

    values: tuple[tuple[date, str | None], ...]
    unit: str | None = None
    reference: str | None = None

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = {"values": {day.isoformat(): text for day, text in self.values}}
        plain.update({k: v for k, v in (("unit", self.unit), ("reference", self.reference)) if v is not None})
        return plain


@dataclass(frozen=True, slots=True)
class Overlay:
    """All decisions of a site, by the flat name of the setting; ``sha`` names them in every run."""

    numbers: Mapping[str, SiteValue] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)
    trust: tuple[str, ...] | str = ()
    synthetic_ok: bool = False
    places: Mapping[str, str] = field(default_factory=dict, compare=False)
    sha: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha", digest(dump(self)))

    def trusts(self, rule: str) -> bool:
        return self.trust == "all" or rule in self.trust


def dump(overlay: Overlay) -> bytes:
    """Canonical JSON that ``load`` reads back; what the store keeps beside every run."""
    plain: dict[str, Any] = {name: value.to_json() for name, value in overlay.numbers.items()}
    plain.update(overlay.words)
    plain.update(overlay.switches)
    plain["trust"] = overlay.trust if isinstance(overlay.trust, str) else sorted(overlay.trust)
    plain["synthetic_ok"] = overlay.synthetic_ok
    return canonical(plain)


def load(data: bytes) -> Overlay:
    return from_mapping(json.loads(data))


def from_mapping(raw: Mapping[str, Any], where: Where | None = None) -> Overlay:
    """An overlay from plain values; all faults at once, each with its place."""
    reader = _Reader(where or (lambda path: "overlay"))
    for key, value in raw.items():
        reader.take(key, value)
    if reader.faults:
        raise PackError(reader.faults)
    return Overlay(
        reader.numbers, reader.words, reader.switches, reader.trust, reader.synthetic_ok, places=reader.places
    )


class _Reader:
    """Collects settings and faults while walking one overlay."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self.faults: list[str] = []
        self.numbers: dict[str, SiteValue] = {}
        self.words: dict[str, str] = {}
        self.switches: dict[str, bool] = {}
        self.places: dict[str, str] = {}
        self.trust: tuple[str, ...] | str = ()
        self.synthetic_ok = False

    def fault(self, path: tuple[object, ...], what: str, todo: str) -> None:
        self.faults.append(f"{self.where(path)}: {'.'.join(str(step) for step in path)}: {what}; {todo}")

    def take(self, key: Any, value: Any) -> None:
        if key == "trust":
            self.places["trust"] = self.where((key,))
            self._trust(value)
        elif key == "synthetic_ok":
            if not isinstance(value, bool):
                self.fault((key,), f"{value!r} is neither true nor false", "write true or false")
            self.synthetic_ok = value is True
        elif not isinstance(key, str):
            self.fault((key,), "is no setting", 'write a rule\'s setting, like BES-16.points: "-1"')
        elif "." in key:
            self._setting((key,), key, value)
        elif isinstance(value, Mapping):
            for name, one in value.items():
                self._setting((key, name), f"{key}.{name}", one)
        else:
            self.fault((key,), "is no setting", 'write a rule\'s setting, like BES-16.points: "-1"')

    def _trust(self, value: Any) -> None:
        if value == "all":
            self.trust = "all"
        elif value in ("none", None):
            self.trust = ()
        elif isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            self.trust = tuple(sorted(set(value)))
        else:
            self.fault(("trust",), f"{value!r} is no trust", "write all, none, or a list of rule ids")

    def _setting(self, path: tuple[object, ...], name: str, value: Any) -> None:
        if name in self.places:
            self.fault(path, "is set twice", f"keep one of the two (the other: {self.places[name]})")
            return
        self.places[name] = self.where(path)
        if isinstance(value, bool):
            self.switches[name] = value
        elif isinstance(value, str) and name.endswith((".mode", ".rounding")):
            self.words[name] = value
        elif isinstance(value, str) or value is None:
            self.numbers[name] = SiteValue(((ALWAYS, value),))
        elif name.endswith(".days") and isinstance(value, int):
            self.numbers[name] = SiteValue(((ALWAYS, str(value)),))
        elif name.endswith(".days") and isinstance(value, Mapping) and value and all(map(_is_word, value)):
            self._by_word(path, name, value)
        elif isinstance(value, Mapping) and "values" in value:
            self._nested(path, name, value)
        elif isinstance(value, Mapping) and value:
            self.numbers[name] = SiteValue(self._dated(path, value))
        else:
            self.fault(path, f"{value!r} is no value", f'write the number as a quoted string: "{value}"')

    def _by_word(self, path: tuple[object, ...], name: str, value: Mapping[Any, Any]) -> None:
        """Days by stage or class: each becomes the setting days_WORD of the rule."""
        for word, days in value.items():
            if isinstance(days, bool) or not isinstance(days, int | str):
                self.fault((*path, word), f"{days!r} is no number of days", "write whole days")
                continue
            self.numbers[f"{name}_{word}"] = SiteValue(((ALWAYS, str(days)),))
            self.places[f"{name}_{word}"] = self.where((*path, word))

    def _nested(self, path: tuple[object, ...], name: str, value: Mapping[Any, Any]) -> None:
        for key in value:
            if key not in ("unit", "values", "reference"):
                self.fault((*path, key), "unknown key", "known keys: unit, values, reference")
        values, reference = value["values"], value.get("reference")
        if not isinstance(values, Mapping) or not values:
            self.fault((*path, "values"), "is no mapping of days to values", 'write {2026-02-01: "-1"}')
            return
        if reference is not None and not isinstance(reference, str):
            self.fault((*path, "reference"), f"{reference!r} is no sentence", "say in quotes who decided it and when")
            return
        unit = value.get("unit")
        self.numbers[name] = SiteValue(self._dated((*path, "values"), values), unit, reference)

    def _dated(self, path: tuple[object, ...], values: Mapping[Any, Any]) -> tuple[tuple[date, str | None], ...]:
        found: dict[date, str | None] = {}
        for key, value in values.items():
            day = _day(key)
            if day is None:
                self.fault((*path, key), "is no day", "write the day it starts on, like 2026-02-01")
            elif value is not None and not isinstance(value, str):
                self.fault((*path, key), f"{value!r} is no quoted number", f'write it as a quoted string: "{value}"')
            else:
                found[day] = value
        return tuple(sorted(found.items()))


def _is_word(key: Any) -> bool:
    return isinstance(key, str) and _day(key) is None and key not in ("values", "unit", "reference")


def _day(key: Any) -> date | None:
    if isinstance(key, date) and not isinstance(key, datetime):
        return key
    try:
        return date.fromisoformat(key) if isinstance(key, str) else None
    except ValueError:
        return None


def check(overlay: Overlay, packs: Iterable[Pack], only_known: bool = True) -> None:
    """Refuse what no pack has; with ``only_known`` false, settings of packs that are not given are left alone."""
    by_prefix = {pack.head.prefix: pack for pack in packs}
    faults = []
    for name in (*overlay.numbers, *overlay.words, *overlay.switches):
        rule_id, _, setting = name.partition(".")
        pack = next((one for prefix, one in by_prefix.items() if rule_id.startswith(prefix)), None)
        if pack is None and not only_known:
            continue
        rule = pack.rules.get(rule_id) if pack else None
        says = _no_rule(rule_id, by_prefix) if rule is None else _misfit(overlay, rule, name, setting)
        if says:
            faults.append(f"{overlay.places.get(name, 'overlay')}: {name}: {says}")
    faults += _trust_faults(overlay, by_prefix)
    if faults:
        raise PackError(faults)


def _no_rule(rule_id: str, by_prefix: Mapping[str, Pack]) -> str:
    ids = [one for pack in by_prefix.values() for one in pack.rules]
    near = [one for one in ids if one.lower()[:6] == rule_id.lower()[:6]] or ids
    return f"there is no rule {rule_id}; existing are {', '.join(near[:12])}{' …' if len(near) > 12 else ''}"


def _trust_faults(overlay: Overlay, by_prefix: Mapping[str, Pack]) -> list[str]:
    if isinstance(overlay.trust, str):
        return []
    wrong = [
        one
        for one in overlay.trust
        if any(one.startswith(prefix) and one not in pack.rules for prefix, pack in by_prefix.items())
    ]
    return [f"{overlay.places.get('trust', 'overlay')}: trust: {_no_rule(one, by_prefix)}" for one in wrong]


def _misfit(overlay: Overlay, rule: Rule, name: str, setting: str) -> str | None:
    dated, choices = rule.dated(), rule.choices()
    if name in overlay.switches and setting == "on" and rule.never and overlay.switches[name]:
        return f"the clause is never evaluated: {rule.why}"
    if name in overlay.switches:
        return None if setting == "on" else f"takes no true or false; {_has(rule)}"
    if name in overlay.words:
        choice = choices.get(setting)
        if choice is None:
            return f"the rule has no {setting}; {_has(rule)}"
        word = overlay.words[name]
        return None if word in choice.of else f"{word!r} is no choice; write one of {', '.join(choice.of)}"
    if setting not in dated and rule.days_by_word and setting.startswith("days_"):
        return None
    if setting not in dated:
        return f"the rule has no such number; {_has(rule)}"
    unit, site = dated[setting].unit, overlay.numbers[name]
    if site.unit is not None and site.unit != unit:
        return f"unit {site.unit!r} does not fit; the pack counts it in {unit}"
    for _, text in site.values:
        try:
            if text is not None:
                exact(text, unit)
            elif setting != "cap":
                return "null takes only a cap away; write a quoted number"
        except ValueError as error:
            return str(error)
    return None


def _has(rule: Rule) -> str:
    return "it has " + ", ".join([*rule.dated(), *rule.choices(), "on"])
