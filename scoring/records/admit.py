"""Takes what came in and gives a typed record, or every reason why not, each with its field. No files, no clock.

One record is judged by itself here; what it says of others (a known id, a case begun before) is the book's to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from itertools import product
from typing import Any

from pydantic import BaseModel, ValidationError

from scoring.records.envelope import Envelope
from scoring.records.fields import span
from scoring.records.kinds import CASE_TYPES, FIELDS, FIGURES, MODELS, PARTS, WORDS
from scoring.records.period import Period
from scoring.records.record import Record, Refusal

__all__ = ["Defaults", "Refusal", "expand", "faults_of", "implied", "parse", "plain", "restored"]

Raw = Mapping[str, Any]
_WHEN = ("at", "day", "period")
_LISTS = ("agent", *_WHEN)
_SINCE = date(2020, 1, 1)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a scenario may leave out of a record; the import of a site leaves nothing out."""

    id: str
    entered_by: str = "assessor"

    def fill(self, raw: Raw) -> Raw:
        """The record with what it left out."""
        full = {"id": self.id} | {name: value for name, value in raw.items() if value is not None}
        model = _model(full)
        if model is None:
            return full
        full.setdefault("source", _source(full, model))
        if full["source"] == "person":
            full.setdefault("entered_by", self.entered_by)
        if full["kind"] == "person":
            full.setdefault("role", "agent")
            full.setdefault("hired", _SINCE)
            full.setdefault("day", full["hired"])
        return full


def _source(full: Raw, model: type[Envelope]) -> str:
    if "entered_by" in full:
        return "person"
    return "presence" if full["kind"] == "seat_status" and "present" in full else model.FROM[0]


def _model(raw: Raw) -> type[Envelope] | None:
    kind = raw.get("kind")
    return MODELS.get(kind) if isinstance(kind, str) else None


def expand(raw: Raw, place: str | None = None) -> list[Raw]:
    """One record for each combination of the lists in agent, at, day and period; ids get ``-1``, ``-2`` ….

    ``place`` is the id of a record that has none (its place in the list); without lists the record is returned alone.
    """
    lists = [name for name in _LISTS if isinstance(raw.get(name), list | tuple)]
    if not lists:
        return [raw if place is None or raw.get("id") is not None else {**raw, "id": place}]
    base = raw.get("id") or place
    found: list[Raw] = []
    for n, values in enumerate(product(*(raw[name] for name in lists)), 1):
        one = {**raw, **dict(zip(lists, values, strict=True))}
        found.append(one | {"id": f"{base}-{n}"} if base else one)
    return found


def implied(records: Iterable[Record], zone: tzinfo) -> tuple[Record, ...]:
    """A person record with the defaults for every agent that stands only in records."""
    listed = tuple(records)
    known = {one.get("agent") for one in listed if one.kind == "person"}
    names = sorted({one.fields["agent"] for one in listed if "agent" in one.fields} - known)
    found = [parse({"kind": "person", "agent": name}, zone, defaults=Defaults(f"person:{name}")) for name in names]
    return tuple(one for one in found if isinstance(one, Record))


def parse(raw: object, zone: tzinfo, *, defaults: Defaults | None = None) -> Record | list[Refusal]:
    """One record, or all that is wrong with it. ``zone`` is the site's: times with an offset become local to it."""
    if not isinstance(raw, Mapping) or not all(isinstance(name, str) for name in raw):
        return [Refusal("record", "this is no record; write named fields, `kind` first")]
    full = (defaults.fill(raw) if defaults else raw) if raw.get("kind") else raw
    given = {name: value for name, value in full.items() if value is not None}
    if (model := _model(given)) is None:
        return [_kind(given)]
    faults: dict[Refusal, None] = {}
    try:
        read: BaseModel | None = model.model_validate(given)
    except ValidationError as error:
        faults.update(dict.fromkeys(_fault(model, given, one) for one in error.errors()))
        read = None
    wrong = {fault.field.partition(".")[0] for fault in faults}
    faults.update(dict.fromkeys(one for one in _lacking(model, given) if one.field not in wrong))
    if read is None:
        return list(faults)
    fields = {name: local(value, zone) for name, value in _given(read).items() if name in given}
    if not faults:
        faults.update(dict.fromkeys(_contradictions(str(given["kind"]), fields)))
    return list(faults) or Record(str(given["kind"]), str(fields.get("id")), fields)


def faults_of(model: type[Envelope], given: Raw, error: ValidationError) -> list[Refusal]:
    """What a model found wrong, each with its field, said as for any record."""
    return list(dict.fromkeys(_fault(model, given, one) for one in error.errors()))


def _kind(given: Raw) -> Refusal:
    known = ", ".join(MODELS)
    if "kind" not in given:
        return Refusal("kind", f"a record says what it is; write one of {known}")
    return Refusal("kind", f"{given['kind']!r} is no kind of record; write one of {known}")


def _given(model: BaseModel) -> dict[str, Any]:
    """What was given, by the names of the contract."""
    fields = type(model).model_fields
    return {fields[name].alias or name: getattr(model, name) for name in fields if getattr(model, name) is not None}


def local(value: Any, zone: tzinfo) -> Any:
    """A value as rules see it: numbers exact, times naive and local to the site, parts as mappings."""
    if isinstance(value, bool | str | Decimal | Period):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, datetime):
        return (value.astimezone(zone) if value.tzinfo else value).replace(tzinfo=None)
    if isinstance(value, tuple):
        return tuple(local(one, zone) for one in value)
    if isinstance(value, dict):
        return {name: local(one, zone) for name, one in value.items()}
    if isinstance(value, BaseModel):
        return {name: local(one, zone) for name, one in _given(value).items()}
    return value


# --- what a kind cannot do without


def _lacking(model: type[Envelope], given: Raw) -> Iterator[Refusal]:
    kind = given["kind"]
    if "id" not in given:
        yield Refusal("id", "every record has an id of its own; give one that the source will repeat")
    if "source" not in given:
        yield Refusal("source", f"where it comes from is missing; write one of {', '.join(_sources(model))}")
    elif isinstance(given["source"], str) and given["source"] not in _sources(model):
        told = f"{named(str(kind))} does not come from {given['source']!r}; write one of {', '.join(_sources(model))}"
        yield Refusal("source", told)
    if given.get("source") == "person" and "entered_by" not in given:
        yield Refusal("entered_by", "with source person it says who entered it; give the name")
    yield from _replacing(given)
    if given.get("void") is True and "supersedes" in given:
        return  # a withdrawal needs no content
    for name in model.NEED:
        if name not in given:
            yield Refusal(name, f"{named(str(kind))} cannot do without it; give it")
    yield from _when(model, given)
    if "team" in given and "agent" in given and kind != "person":
        yield Refusal("team", "it stands instead of agent; give one of them")


def _sources(model: type[Envelope]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*model.FROM, "person")))


def _replacing(given: Raw) -> Iterator[Refusal]:
    if "supersedes" in given and "reason" not in given:
        yield Refusal("reason", "with supersedes it says why the old record is replaced; give it")
    if given.get("void") is True and "supersedes" not in given:
        yield Refusal("void", "it withdraws the record that supersedes names; give supersedes")


def _when(model: type[Envelope], given: Raw) -> Iterator[Refusal]:
    if model.WHEN == ("offered_at",):
        return  # asked as a field of its own
    said = [name for name in model.WHEN if name in given]
    allowed = " or ".join(model.WHEN)
    for name in _WHEN:
        if name in given and name not in model.WHEN:
            yield Refusal(name, _stray(model, given, name))
    if not said:
        yield Refusal(model.WHEN[0], f"{named(given['kind'])} says when by {allowed}; give it")
    for name in said[1:]:
        yield Refusal(name, f"exactly one of {allowed} says when; {said[0]} stands there already")
    if given["kind"] in ("shift", "leave"):
        if said == ["at"] and "until" not in given:
            yield Refusal("until", "with at it says when it ends; give it, or write day for the whole day")
        if said == ["day"] and "until" in given:
            yield Refusal("until", "day means the whole day; write at and until for a part of it")


# --- what contradicts itself


def _contradictions(kind: str, fields: Raw) -> Iterator[Refusal]:
    yield from _broken_lines(FIELDS[kind], fields, "")
    for begin, end in (("at", "until"), ("clock_in", "clock_out")):
        if begin in fields and end in fields and fields[end] < fields[begin]:
            yield Refusal(end, f"lies before {begin}; correct one of them")
    if kind == "figure":
        yield from _figure(fields)
    if kind == "case":
        yield from _case(fields)


def _broken_lines(shape: Mapping[str, str], fields: Raw, before: str) -> Iterator[Refusal]:
    """Names and words are one line and not empty; parts are walked into."""
    for name, value in fields.items():
        kind, where = shape[name], before + name
        if kind in ("str", "ref", "enum"):
            yield from _line(where, value)
        elif kind == "text":
            if "\0" in value:
                yield Refusal(where, "holds a NUL character; remove it")
        elif kind == "[str]":
            for n, one in enumerate(value):
                yield from _line(f"{where}.{n}", one)
        elif kind == "{str: answer}":
            for one in value:
                yield from _line(f"{where}.{one}", one)
        elif kind.strip("[]") in PARTS:
            for n, one in enumerate(value):
                yield from _broken_lines(PARTS[kind.strip("[]")], one, f"{where}.{n}.")


def _line(where: str, value: str) -> Iterator[Refusal]:
    if not value.strip():
        yield Refusal(where, "is empty; give a word, or leave the field out")
    elif not value.isprintable():
        yield Refusal(where, "is one line of printable characters; remove line breaks and control characters")
    elif value != value.strip():
        yield Refusal(where, f"{value!r} begins or ends with a blank; remove it")


def _figure(fields: Raw) -> Iterator[Refusal]:
    name = fields.get("name")
    if name is None:
        return
    unit = FIGURES.get(name)
    if unit is None:
        yield Refusal("name", f"{name!r} is no figure; write one of {', '.join(FIGURES)}")
    elif unit == "share" and "of" not in fields:
        yield Refusal("of", f"{name} is a share; give the whole that value is a part of")
    if fields.get("of", Decimal(0)) < 0:
        yield Refusal("of", "a whole is not negative; correct it")


def _case(fields: Raw) -> Iterator[Refusal]:
    kind, stage = fields.get("case_type"), fields.get("stage")
    if kind is not None and kind not in CASE_TYPES:
        yield Refusal("case_type", f"{kind!r} is no process; write one of {', '.join(CASE_TYPES)}")
    elif stage is not None and (told := wrong_stage(kind, stage)):
        yield told


def wrong_stage(case_type: str | None, stage: str) -> Refusal | None:
    """Why a case of that type (None: not yet known) has no such stage."""
    if case_type is None:
        known = {one for process in CASE_TYPES.values() for one in process.stages}
        return None if stage in known else Refusal("stage", f"{stage!r} is no stage of any process; correct it")
    stages = CASE_TYPES[case_type].stages
    if stage in stages:
        return None
    return Refusal("stage", f"{stage!r} is no stage of {named(case_type)}; write one of {', '.join(stages)}")


# --- letters


def named(kind: str) -> str:
    """A kind or process with its article."""
    return f"{'an' if kind[:1] in 'aeio' else 'a'} {kind}"


def _fault(model: type[Envelope], given: Raw, one: Any) -> Refusal:
    field = ".".join(str(step) for step in one["loc"]) or "record"
    told, value = one["msg"].removeprefix("Value error, "), one["input"]
    match one["type"]:
        case "extra_forbidden":
            return Refusal(field, _stray(model, given, field))
        case "literal_error":
            return Refusal(field, f"{value!r} is not known here; write one of {one['ctx']['expected']}")
        case "missing":
            return Refusal(field, "is missing here; give it")
        case "string_type":
            return Refusal(field, f'{value!r} is no text; write it in quotes: "{value}"')
        case "bool_type":
            return Refusal(field, f"{value!r} is neither true nor false; write one of them, without quotes")
        case "int_type":
            return Refusal(field, f"{value!r} is no whole number; write it without quotes and without a fraction")
        case "string_unicode":
            return Refusal(field, "holds half a character (a lone surrogate); repair the text")
        case "string_too_long":
            return Refusal(field, f"is longer than {one['ctx']['max_length']} characters; shorten it")
        case "tuple_type":
            return Refusal(field, f"{value!r} is no list; write a list")
        case "value_error":
            return Refusal(field, told)
    return Refusal(field, f"{told[0].lower()}{told[1:]}; correct it")


def _stray(model: type[Envelope], given: Raw, field: str) -> str:
    if field in _WHEN:
        return f"{named(given['kind'])} says when by {' or '.join(model.WHEN)}; move it there"
    owner = "there is" if "." in field else f"{named(given['kind'])} has"
    return f"{owner} no such field; remove it or correct its spelling"


# --- and back


def plain(record: Record) -> dict[str, Any]:
    """The record as the contract writes it, in values that JSON has; ``parse`` gives the same record back."""
    return _plain_part(FIELDS[record.kind], record.fields)


def _plain_part(shape: Mapping[str, str], fields: Raw) -> dict[str, Any]:
    return {name: _plain(shape[name], value) for name, value in fields.items()}


def _plain(kind: str, value: Any) -> Any:
    if kind.startswith("[") and kind.strip("[]") in PARTS:
        return [_plain_part(PARTS[kind.strip("[]")], one) for one in value]
    if isinstance(value, tuple):
        return [_plain(kind.strip("[]"), one) for one in value]
    if isinstance(value, dict):
        return {name: _plain("answer", one) for name, one in value.items()}
    if isinstance(value, Decimal):
        return int(value) if kind == "int" else clock(value) if kind == "duration" else f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Period) else value


def restored(body: Raw) -> Record:
    """The record that ``plain`` wrote. It trusts what it reads: for records that were admitted before."""
    kind = str(body["kind"])
    fields = {name: _restored(FIELDS[kind][name], value) for name, value in body.items()}
    return Record(kind, str(body["id"]), fields)


def _restored(kind: str, value: Any) -> Any:
    inner = kind.strip("[]")
    if kind.startswith("[") and inner in PARTS:
        return tuple({name: _restored(PARTS[inner][name], one[name]) for name in one} for one in value)
    if kind.startswith("["):
        return tuple(value)
    match kind:
        case "int" | "decimal":
            return Decimal(value)
        case "datetime":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
        case "period":
            return Period(value)
        case "duration":
            return span(value)
        case "{str: answer}":
            return {name: one if one in WORDS else Decimal(one) for name, one in value.items()}
    return value


def clock(ms: Decimal) -> str:
    """Milliseconds as ``h:mm:ss``, with thousandths where there are some."""
    seconds, part = divmod(int(ms), 1000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{part:03}" if part else text
