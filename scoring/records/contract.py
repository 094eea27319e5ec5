"""The contract of records as data: what a form or a template of a kind has to ask. It admits nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from scoring.records.call import GapRow, HitRow, Hold, Transfer, TurnRow
from scoring.records.envelope import Envelope, Part
from scoring.records.kinds import CASE_TYPES, FIELDS, FIGURES, MODELS, OPEN, PARTS, WORDS, ChatTurn, Correction

WHEN = ("at", "day", "period")
# What the envelope says beside the content: by whom, why, and what it replaces.
ABOUT = ("id", "source", "entered_by", "reason", "supersedes", "void", "evidence")
MODEL_OF_PART: dict[str, type[Part]] = {
    one.__name__: one for one in (Transfer, Hold, GapRow, TurnRow, HitRow, ChatTurn, Correction)
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the contract's name of its type, its words if there are some, and whether others may be written."""

    name: str
    type: str
    need: bool = False
    values: tuple[str, ...] = ()
    open: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: which of its fields say when (exactly one of them), where it comes from, and its fields in order."""

    kind: str
    when: tuple[str, ...]
    sources: tuple[str, ...]
    fields: tuple[Field, ...]


@cache
def kind_form(kind: str) -> Kind:
    """Who and when first, then the content as the contract lists it, then what is about the record itself."""
    model = MODELS[kind]
    sources = tuple(dict.fromkeys((*model.FROM, "person")))
    names = [name for name in FIELDS[kind] if name != "kind"]
    first = [name for name in ("agent", "team", *WHEN) if name in names]
    inner = [name for name in names if name not in (*first, *ABOUT)]
    hints = _hints(model)
    fields = tuple(_field(kind, name, hints, model) for name in (*first, *inner, *ABOUT))
    return Kind(kind, model.WHEN, sources, fields)


def part_forms() -> dict[str, tuple[Field, ...]]:
    """The pieces that lists of a record are made of."""
    found = {}
    for part, shape in PARTS.items():
        model = MODEL_OF_PART[part]
        hints, fields = _hints(model), model.model_fields
        found[part] = tuple(
            Field(name, kind, fields[name].is_required(), _literals(hints[name])) for name, kind in shape.items()
        )
    return found


def columns(kind: str) -> list[str]:
    """The header of a table of this kind: its id first, lists of pieces with the columns of one piece."""
    found = ["id"]
    for one in kind_form(kind).fields:
        part = one.type.strip("[]")
        if part in PARTS:
            found += [f"{one.name}.0.{inner}" for inner in PARTS[part]]
        elif one.name != "id":
            found.append(one.name)
    return found


def _field(kind: str, name: str, hints: dict[str, Any], model: type[Envelope]) -> Field:
    type_name = FIELDS[kind][name]
    need = name in model.NEED or name in ("id", "source") or (name,) == model.WHEN
    if name == "source":
        return Field(name, type_name, need, tuple(dict.fromkeys((*model.FROM, "person"))))
    words = _OWN.get((kind, name)) or OPEN.get((kind, name))
    if words is not None:
        return Field(name, type_name, need, words, (kind, name) in OPEN)
    values = WORDS if type_name == "{str: answer}" else _literals(hints[name])
    return Field(name, type_name, need, values, type_name == "{str: answer}")


_OWN = {
    ("figure", "name"): tuple(FIGURES),
    ("case", "case_type"): tuple(CASE_TYPES),
    ("case", "stage"): tuple(dict.fromkeys(stage for one in CASE_TYPES.values() for stage in one.stages)),
}


def _hints(model: type[Part]) -> dict[str, Any]:
    """Hints by the names of the contract."""
    hints = get_type_hints(model, include_extras=True)
    return {field.alias or name: hints[name] for name, field in model.model_fields.items()}


def _literals(hint: Any) -> tuple[str, ...]:
    """The words of the first closed list inside a type."""
    if get_origin(hint) is Literal:
        return tuple(get_args(hint))
    for inner in get_args(hint):
        if found := _literals(inner):
            return found
    return ()
