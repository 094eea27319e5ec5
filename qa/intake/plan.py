"""Which calls a heap of files holds: recordings, halves of one, sidecars, lines of lists. Hears and stores nothing.

NAME.wav with NAME.json beside it; NAME-rx.wav (the customer) and NAME-tx.wav (the agent) as one call; or a line of a
list whose ``id`` is NAME. A line without a recording stays a record, as it always was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from qa.deliveries import Refused
from qa.intake.sound import Part
from qa.record import LANGUAGES, CallRecord, localised
from qa.score import SOUNDS
from qa.tables import Line, TableError, once, read
from scoring.records.admit import Refusal, faults_of

HALVES = {"-rx": "customer", "-tx": "agent"}  # as MixMonitor names what it receives and sends
MIX = "-mix"  # and both together, which nobody needs beside the halves
LISTS = (".csv", ".tsv", ".jsonl", ".ndjson", ".xlsx", ".yaml", ".yml", ".json")
SIDECAR_BYTES = 1 << 20
HEARD_HERE = ("turns", "hits")  # nobody else's words stand beside a recording that is heard here
NO_CALL = "its name is no name of a call; give it 1 to 128 printable characters"
NO_LINE = ("supersedes", "void")


@dataclass(frozen=True, slots=True)
class Item:
    """One call to take: its files and what is said of it; ``said`` False: nothing is, ask the calls that are known."""

    call: str
    file: str  # which stands in the report
    number: int
    parts: tuple[Part, ...]
    record: CallRecord
    said: bool = True


@dataclass(slots=True)
class Plan:
    """What was found; ``lines`` are those without a recording."""

    items: list[Item] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def refuse(self, file: str, number: int, why: Iterable[Refusal], id: str | None = None) -> None:
        self.refused += [Refused(number, one.field, one.reason, id, file=file) for one in why]


@dataclass(slots=True)
class _Group:
    """The files of one name."""

    parts: list[Part] = field(default_factory=list)
    sidecar: Path | None = None

    @property
    def file(self) -> str:
        return self.parts[0].path.name


def is_sound(path: Path) -> bool:
    return path.suffix[1:].lower() in SOUNDS


def is_call(name: str) -> bool:
    return name.isprintable() and 0 < len(name) <= 128


def call_name(path: Path) -> tuple[str, str | None]:
    """The name of the call, and whose half the file is."""
    for ending, role in HALVES.items():
        if path.stem.lower().endswith(ending) and len(path.stem) > len(ending):
            return path.stem[: -len(ending)], role
    return path.stem, None


def by_call(names: Iterable[str]) -> dict[str, list[str]]:
    """File names by the call they belong to. MixMonitor writes NAME-mix beside the halves: it belongs to them."""
    found: dict[str, list[str]] = {}
    listed = sorted(names)
    split = {call_name(Path(one))[0] for one in listed if call_name(Path(one))[1] is not None}
    for name in listed:
        call = call_name(Path(name))[0]
        whole = call.removesuffix(MIX)
        found.setdefault(whole if whole != call and whole in split else call, []).append(name)
    return found


def plan(paths: Sequence[Path], zone: ZoneInfo) -> Plan:
    """Everything that the arguments mean; raises TableError for what is neither a recording nor a list."""
    files = list(_files(paths))
    groups = _grouped(files)
    known = {one.sidecar for one in groups.values() if one.sidecar is not None}
    found = Plan()
    lines = dict(_lines([path for path in files if not is_sound(path) and path not in known], groups, found))
    for number, (name, group) in enumerate(groups.items(), 1):
        _item(found, name, group, number, lines.get(name), zone)
    for name in lines.keys() - groups.keys():
        found.lines.append(lines[name][1])
    return found


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise TableError(f"{path}: there is no such file; give recordings, lists, or a folder of them")
            yield path
            continue
        inside = [one for one in sorted(path.rglob("*")) if one.is_file() and not one.name.startswith(".")]
        taken = [one for one in inside if is_sound(one) or one.suffix.lower() in LISTS]
        if not taken:
            raise TableError(f"{path}: no recording and no list in this folder; endings of recordings: {_endings()}")
        yield from taken


def _endings() -> str:
    return ", ".join(sorted(SOUNDS))


def _grouped(files: Sequence[Path]) -> dict[str, _Group]:
    """Recordings by name of the call; two that are no halves are two faults, told where they are read."""
    groups: dict[str, _Group] = {}
    sounds = sorted(one for one in files if is_sound(one))
    split = {call_name(one)[0] for one in sounds if call_name(one)[1] is not None}
    for path in sounds:
        name, role = call_name(path)
        if name.endswith(MIX) and name.removesuffix(MIX) in split:
            continue
        group = groups.setdefault(name, _Group())
        group.parts.append(Part(path, None if role is None else (role,)))
        beside = path.with_name(f"{name}.json")
        if is_call(name) and beside.is_file():
            group.sidecar = beside
    return groups


def _lines(files: Sequence[Path], groups: dict[str, _Group], found: Plan) -> Iterator[tuple[str, tuple[str, Line]]]:
    """Lines of lists by the recording they belong to; those without one by a name that no recording has."""
    seen: set[str] = set()
    for path in files:
        if path.suffix.lower() not in LISTS:
            raise TableError(f"{path}: no recording and no list by its ending; recordings end in {_endings()}")
        for count, line in enumerate(read(path, "call")):
            name = _recording(line, groups)
            if name is None:
                yield f"/{path}/{count}", (path.name, line)
            elif name in seen:
                found.refuse(path.name, line.number, [Refusal("id", f"{name} stands twice; keep one line")], name)
            else:
                seen.add(name)
                yield name, (path.name, line)


def _recording(line: Line, groups: dict[str, _Group]) -> str | None:
    """The recording that a line names: by its id, or among its evidence."""
    if not isinstance(line.raw, dict):
        return None
    evidence = line.raw.get("evidence")
    named = [line.raw.get("id"), *(evidence if isinstance(evidence, list | tuple) else [])]
    for one in (text for text in named if isinstance(text, str)):
        name = one if one in groups else call_name(Path(one.replace("\\", "/")))[0]
        if name in groups:
            return name
    return None


def _item(found: Plan, name: str, group: _Group, number: int, line: tuple[str, Line] | None, zone: ZoneInfo) -> None:
    place, at = group.file, number
    if line is not None:
        place, at = line[0], line[1].number
    faults = _group_faults(name, group, line)
    record: CallRecord | None = None
    if not faults:
        raw, faults = ({}, []) if line is None and group.sidecar is None else _raw(group, line)
        record, more = (None, faults) if faults else checked(raw, zone)
        faults = more
    if record is None or faults:
        found.refuse(place, at, faults, name)
        return
    said = line is not None or group.sidecar is not None
    found.items.append(Item(record.id or name, place, at, tuple(group.parts), record, said))


def _group_faults(name: str, group: _Group, line: tuple[str, Line] | None) -> list[Refusal]:
    halves = [part.roles for part in group.parts]
    if not is_call(name):
        return [Refusal("file", NO_CALL)]
    if len(halves) != len(set(halves)) or (len(halves) > 1 and None in halves):
        names = ", ".join(part.path.name for part in group.parts)
        return [Refusal("file", f"{names}: several recordings of one call; give one, or NAME-rx and NAME-tx")]
    if line is not None and group.sidecar is not None:
        return [Refusal("id", f"{name} has a line and a sidecar {group.sidecar.name}; keep one of them")]
    return []


def _raw(group: _Group, line: tuple[str, Line] | None) -> tuple[Any, list[Refusal]]:
    if line is not None:
        return line[1].raw, [line[1].fault] if line[1].fault is not None else []
    assert group.sidecar is not None
    if group.sidecar.stat().st_size > SIDECAR_BYTES:
        return None, [Refusal("sidecar", f"is larger than {SIDECAR_BYTES} bytes; write one record of kind `call`")]
    try:
        return json.loads(group.sidecar.read_text(encoding="utf-8-sig"), object_pairs_hook=once), []
    except (ValueError, RecursionError) as error:
        return None, [Refusal("sidecar", f"is no JSON ({error}); write one record of kind `call`")]


def checked(raw: Any, zone: ZoneInfo) -> tuple[CallRecord | None, list[Refusal]]:
    """A record whose every field may be absent, or all that is wrong with it."""
    if not isinstance(raw, dict):
        return None, [Refusal("record", "this is no record; write named fields of the kind `call`")]
    given = {"kind": "call"} | {name: value for name, value in raw.items() if value is not None}
    try:
        record = CallRecord.model_validate(given)
    except ValidationError as error:
        return None, faults_of(CallRecord, given, error)
    faults = [Refusal(name, "stands beside a recording, which is heard here; take it out")
              for name in HEARD_HERE if name in given]  # fmt: skip
    faults += [
        Refusal(name, "is for records; a recording is not taken back by a line") for name in NO_LINE if name in given
    ]
    if record.language not in (None, *LANGUAGES):
        faults.append(Refusal("language", f"{record.language!r} is no language we hear; use zh or ko"))
    faults += _backwards(localised(record, zone))
    return (None, faults) if faults else (localised(record, zone), [])


def _backwards(record: CallRecord) -> list[Refusal]:
    """Moments in an order that no call has."""
    names = ("queued_at", "offered_at", "ringing_at", "answered_at", "ended_at")
    told = [(name, at) for name in names if (at := getattr(record, name)) is not None]
    return [
        Refusal(after, f"lies before {before}; correct one of them")
        for (before, earlier), (after, later) in pairwise(told)
        if later < earlier
    ]
