"""What the answers change: settings, overlay, people. It is shown before anything is written, and says nothing twice.

A second time with the same answers nothing is left to do.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from qa.connections import PbxTable
from qa.settings import PREFIX, Settings, SettingsError, load_settings
from qa.setup import checks, overlay, toml
from qa.setup.answers import TOP, Stands
from qa.setup.faults import Fault, Refused
from qa.setup.people import Row, read
from qa.setup.toml import Table, Unsafe
from scoring.errors import PackError

SECRETS = ("pbx.ami_secret", "pbx.ari_secret")
BEGIN = "# Settings of this installation, begun by first set-up; deploy/seatwatch.toml.example shows all there are.\n"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that will be otherwise; a secret is only said to be set."""

    what: str
    new: str
    old: str | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.new}" if self.old is None else f"{self.what}: {self.new} (was {self.old})"

    def as_dict(self) -> dict[str, Any]:
        return {"what": self.what, "new": self.new, "old": self.old}


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is to be written, and the settings as they will be."""

    path: Path
    text: str
    settings: Settings
    changes: tuple[Change, ...]
    overlay: Path | None = None
    overlay_text: str = ""
    people: tuple[Row, ...] = ()
    start_day: date | None = None

    @property
    def pbx(self) -> PbxTable | None:
        """The switchboard that was asked about."""
        return self.settings.pbx[0] if self.settings.pbx else None


def planned(answers: Mapping[str, Any], there: Stands, table: bytes | None = None) -> Plan:
    """Raises Refused with what cannot be written. *table*: the people, where their file is not to be opened here."""
    top = {name: _written(answers[name]) for name in TOP if name in answers}
    rows = read(table if table is not None else _opened(answers.get("people")))
    place, decided = _overlay(answers, there)
    if place is not None and there.settings.overlay is None:
        top["overlay"] = str(place)
    tables = [*_pbx(answers, there), *_sources(answers, there)]
    text = _edited(there, top, tables)
    changes = [*_changes(answers, there), *_new_sources(tables)]
    if place is not None:
        changes += _decided(place, decided, answers, there)
    return Plan(there.path, text, _settings(top, answers, there, tables), tuple(changes), place, decided, rows,
                answers.get("start_day"))  # fmt: skip


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _opened(path: str | None) -> bytes:
    if path is None:
        return b"name\n"
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise Refused([Fault("people", "no_file", {"value": path, "why": error.strerror or str(error)})]) from None


# --- the settings file


def _pbx(answers: Mapping[str, Any], there: Stands) -> list[Table]:
    """Its own keys; what is as it would be anyway is left out of a new table."""
    if "pbx.host" not in answers:
        return []
    name = answers.get("pbx.name", "main")
    own = {key.partition(".")[2]: value for key, value in answers.items() if key.startswith("pbx.")}
    known = _in_file(answers, there)
    usual = {key: info.default for key, info in PbxTable.model_fields.items()}
    kept = {
        key: value
        for key, value in own.items()
        if key == "host" or (key != "name" and (key in known or value != usual.get(key)))
    }
    return [Table("pbx", name, kept)]


def _sources(answers: Mapping[str, Any], there: Stands) -> list[Table]:
    """A key for each name that has none yet."""
    known = {one.name for one in there.settings.sources}
    names = [name for name in answers.get("sources", ()) if name not in known]
    return [Table("sources", name, {"keys": [secrets.token_hex(16)]}) for name in names]


def _new_sources(tables: list[Table]) -> list[Change]:
    return [Change(f"sources.{one.name}", "a key of its own") for one in tables if one.kind == "sources"]


def _edited(there: Stands, top: Mapping[str, Any], tables: list[Table]) -> str:
    try:
        return toml.edited(there.text or BEGIN, top, tables)
    except Unsafe:
        lines = [f"{name} = {toml.literal(value)}" for name, value in top.items() if there.data.get(name) != value]
        told = {"value": str(there.path), "text": "; ".join(lines) or "[[pbx]], [[sources]]"}
        raise Refused([Fault("settings", "file", told)]) from None


def _settings(top: Mapping[str, Any], answers: Mapping[str, Any], there: Stands, tables: list[Table]) -> Settings:
    """As they will be; what contradicts itself is refused with the letters of the settings."""
    given: dict[str, Any] = {**top}
    try:
        pbx = [_table(there.settings.pbx, one) for one in tables if one.kind == "pbx"]
        others = [one for one in there.settings.pbx if one.name not in {mine.name for mine in pbx}]
        return load_settings(to_be_written=True, **given, pbx=(*pbx, *others) if pbx else None)
    except SettingsError as error:
        raise Refused([Fault("settings", "settings", {"why": why}) for why in error.faults]) from None
    except ValidationError as error:
        found = [Fault(f"pbx.{one['loc'][0] if one['loc'] else 'table'}", "settings", {"why": one["msg"]})
                 for one in error.errors()]  # fmt: skip
        raise Refused(found) from None


def _table(known: tuple[PbxTable, ...], table: Table) -> PbxTable:
    stood = next((one for one in known if one.name == table.name), None)
    before = {name: getattr(stood, name) for name in stood.model_fields_set} if stood else {}
    return PbxTable(**{**before, "name": table.name, **table.values})


def switchboard(answers: Mapping[str, Any], there: Stands) -> PbxTable | None:
    """The one that the answers speak of, as ingest would log in to it."""
    tables = _pbx(answers, there)
    return _table(there.settings.pbx, tables[0]) if tables else None


def overridden(plan: Plan) -> list[str]:
    """Once it is written: variables that say something else than the file now does."""
    real = load_settings()
    return [f"{PREFIX}{name.upper()}" for name in TOP if getattr(real, name) != getattr(plan.settings, name)]


# --- the overlay


def _overlay(answers: Mapping[str, Any], there: Stands) -> tuple[Path | None, str]:
    """Where the readings are written, and the text; None where nothing is chosen."""
    policy = answers.get("ring_policy")
    if policy is None:
        return None, ""
    place = there.settings.overlay or there.path.parent / f"{answers['site']}.yaml"
    place = place if place.is_absolute() else Path.cwd() / place
    modes = dict.fromkeys(checks.counting(checks.opened(answers["pack"])), policy)
    text = place.read_text(encoding="utf-8") if place.is_file() else overlay.begun(answers["site"], answers["pack"])
    try:
        return place, overlay.edited(text, modes)
    except Unsafe:
        told = "; ".join(f"{rule}: {{mode: {mode}}}" for rule, mode in modes.items())
        raise Refused([Fault("ring_policy", "overlay", {"value": str(place), "text": told})]) from None
    except PackError as error:
        raise Refused([Fault("overlay", "settings", {"why": why}) for why in error.faults]) from None


def _decided(place: Path, text: str, answers: Mapping[str, Any], there: Stands) -> list[Change]:
    if place.is_file() and place.read_text(encoding="utf-8") == text:
        return []
    stood = there.values.get("ring_policy")
    chosen = Change("ring_policy", str(answers["ring_policy"]), stood and str(stood))
    return [chosen, *([Change("overlay", str(place))] if there.settings.overlay is None else [])]


# --- what is said of it


def _changes(answers: Mapping[str, Any], there: Stands) -> list[Change]:
    """Every answer that the file does not hold yet."""
    found, mine = [], _in_file(answers, there)
    for name, value in answers.items():
        if name in ("people", "sources", "ring_policy") or (name == "pbx.name" and mine):
            continue
        old = (mine if name.startswith("pbx.") else there.data).get(name.removeprefix("pbx."))
        if _as_usual(name, value) if old is None else _same(value, old):
            continue
        found.append(Change(name, _shown(name, value), None if old is None else _shown(name, old)))
    return found


def _in_file(answers: Mapping[str, Any], there: Stands) -> Mapping[str, Any]:
    """The switchboard's table as it is written."""
    name = answers.get("pbx.name")
    return next((one for one in there.data.get("pbx", []) if one.get("name") == name), {})


def _as_usual(name: str, value: Any) -> bool:
    """Whether a key of a table is what it would be without being written."""
    key = name.partition(".")[2]
    return key != "host" and key in PbxTable.model_fields and value == PbxTable.model_fields[key].default


def _same(one: Any, other: Any) -> bool:
    return bool(_written(one) == _written(other))


def _shown(name: str, value: Any) -> str:
    if name in SECRETS or isinstance(value, SecretStr):
        return "set"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(_written(value)).replace("\n", " ")[:120]
