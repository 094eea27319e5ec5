"""From YAML to packs and overlays; every fault at once, with file, line, place and what to do. It scores nothing.

YAML 1.2 in round-trip mode: ``on``, ``no`` and ``5:00`` stay what they look like, duplicate keys are refused, and every
node knows its line. This is the only door to the YAML library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from scoring import overlay as overlays
from scoring.canonical import canonical, digest
from scoring.check import pack_faults
from scoring.errors import PackError
from scoring.overlay import Overlay
from scoring.pack import Head, Pack, Rule, RuleId

T = TypeVar("T")
MAX_BYTES = 8 * 1024 * 1024
MAX_NODES = 500_000
MAX_DEPTH = 40
_SHIPPED = Path(__file__).parent / "packs"
_LEXICONS = Path(__file__).parent / "lexicons"


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: plain values, and the line of every step into them."""

    name: str
    value: Any
    lines: Mapping[tuple[object, ...], int] = field(repr=False)

    def line(self, *path: object) -> int:
        """The line of the deepest step that the file has."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1

    def at(self, path: tuple[object, ...]) -> str:
        return f"{self.name}:{self.line(*path)}"


_parsed: dict[tuple[str, str], Document] = {}


def parse_yaml(name: str, text: str) -> Document:
    """One file's text as plain values with lines; the same text is parsed once in a process."""
    key = (name, digest(text.encode("utf-8", "surrogatepass")))
    if key not in _parsed:
        if len(_parsed) > 256:
            _parsed.clear()
        _parsed[key] = _parse(name, text)
    return _parsed[key]


def _parse(name: str, text: str) -> Document:
    if text.lstrip("\ufeff \t\r\n").startswith("%"):
        raise PackError([f"{name}:1: a % directive would bring old YAML rules back; remove that line"])
    if len(text) > MAX_BYTES:
        raise PackError([f"{name}:1: the file has {len(text)} characters; split it below {MAX_BYTES}"])
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        tree = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise PackError([f"{name}:{line}: {_yaml_says(error)}"]) from None
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        says = " ".join(str(error).split())[:160] or type(error).__name__
        raise PackError([f"{name}:1: this is no YAML 1.2 ({says}); correct the file"]) from None
    lines: dict[tuple[object, ...], int] = {(): 1}
    return Document(name, _plain(name, tree, (), lines), lines)


def _yaml_says(error: MarkedYAMLError) -> str:
    problem = " ".join(str(error.problem or error.context or "cannot be read").split())
    found = re.search(r'duplicate key "?(.+?)"? with', problem)
    if found:
        return f"{found.group(1)}: the key stands twice in one mapping; keep one of the two"
    return f"this is no YAML 1.2 ({problem[:160]}); correct the line"


def _plain(name: str, tree: Any, path: tuple[object, ...], lines: dict[tuple[object, ...], int]) -> Any:
    """Plain builtins out of the round-trip tree; bounded, so that aliases cannot grow without end."""
    if len(lines) > MAX_NODES or len(path) > MAX_DEPTH:
        line = lines.get(path[:1], 1)
        raise PackError([f"{name}:{line}: too deep or too large; remove aliases (&, *) or split the file"])
    if isinstance(tree, dict):
        return _plain_mapping(name, tree, path, lines)
    if isinstance(tree, list):
        rows = []
        for at, one in enumerate(tree):
            lines[(*path, at)] = tree.lc.item(at)[0] + 1 if hasattr(tree, "lc") and tree.lc.data else lines.get(path, 1)
            rows.append(_plain(name, one, (*path, at), lines))
        return rows
    return _scalar(tree)


def _plain_mapping(name: str, tree: Any, path: tuple[object, ...], lines: dict[tuple[object, ...], int]) -> Any:
    plain = {}
    for key, one in tree.items():
        key = _scalar(key)
        if not isinstance(key, str | int | date | float | None):
            raise PackError([f"{name}:{lines.get(path, 1)}: a key must be a word or a day; quote it"])
        lines[(*path, key)] = _line_of(tree, key, lines.get(path, 1))
        plain[key] = _plain(name, one, (*path, key), lines)
    return plain


def _line_of(tree: Any, key: object, otherwise: int) -> int:
    data = getattr(getattr(tree, "lc", None), "data", None) or {}
    return int(data[key][0]) + 1 if key in data else otherwise


def _scalar(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, datetime):
        return datetime.fromisoformat(value.isoformat())
    return value


def read_yaml(path: Path) -> Document:
    """Any YAML file of ours: plain values with their lines, refused with a PackError that says where and why."""
    return parse_yaml(path.name, _read_text(path))


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        why = error.strerror or "cannot be read"
        raise PackError([f"{path}: {why.lower()}; give a file that can be read"]) from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PackError([f"{path.name}:{line}: byte {error.start} is not UTF-8; save the file as UTF-8"]) from None


def _fault(document: Document, one: Any) -> str:
    """Line, keys and cause; the place is the deepest step that the file has."""
    tree: Any = document.value
    seen: list[object] = []
    for step in one["loc"]:
        keys = _steps(tree)
        if step not in keys:
            continue  # pydantic names a day by its repr, and adds steps of its own
        seen.append(keys[step])
        tree = tree[keys[step]]
    place = ".".join(str(step) for step in seen) or "the file"
    return f"{document.at(tuple(seen))}: {place}: {_says(one, tree)}"


def _steps(tree: Any) -> dict[object, Any]:
    if isinstance(tree, dict):
        return {name: key for key in tree for name in (key, str(key), repr(key))}
    return {at: at for at in range(len(tree))} if isinstance(tree, list) else {}


def _says(one: Any, tree: Any) -> str:
    """What is wrong and what to do, in our words where the library's are for programmers."""
    kind, told = one["type"], one["msg"].removeprefix("Value error, ")
    match kind:
        case "missing":
            return f"lacks {one['loc'][-1]!r}; add it"
        case "extra_forbidden":
            return "unknown key; remove it or correct its spelling"
        case "literal_error":
            return f"{tree!r} is not known here; write one of {one['ctx']['expected']}"
        case "string_type":
            return f'{tree!r} is no text; write it in quotes: "{tree}"'
        case "string_pattern_mismatch":
            return f"{tree!r} has not the form of this field; it must match {one['ctx']['pattern']}"
        case "string_too_long" | "string_too_short":
            return f"{told[0].lower()}{told[1:]}; quote the decisive piece, a sentence at most"
        case "value_error":
            return told if ";" in told or "write" in told else f"{told}; correct it"
    return f"{told[0].lower()}{told[1:]}; correct it"


def _validate(shape: Any, document: Document) -> Any:
    try:
        return TypeAdapter(shape).validate_python(document.value)
    except ValidationError as error:
        raise PackError(dict.fromkeys(_fault(document, one) for one in _deepest(error.errors()))) from None


def _deepest(errors: list[Any]) -> list[Any]:
    """Of the branches of a union only what speaks about the value itself: a quoted number, unless a form was begun."""
    spoken = [one for one in errors if one["type"] not in ("model_type", "none_required")]
    return spoken or errors


def load_pack(folder: Path) -> Pack:
    """The pack of one folder; every fault of every file at once."""
    if not (folder / "pack.yaml").is_file():
        raise PackError([f"{folder}: there is no pack.yaml; give the folder of a pack"])
    files = {path.name: _read_text(path) for path in sorted(folder.glob("*.yaml"))}
    return pack_from_files(files)


def pack_from_files(files: Mapping[str, str]) -> Pack:
    """The same from texts by file name, as the store keeps them."""
    head_document = parse_yaml("pack.yaml", files["pack.yaml"])
    head: Head = _validate(Head, head_document)
    faults = _stray_files(head, head_document, files)
    rules: dict[str, Rule] = {}
    documents: dict[str, Document] = {}
    for section in head.sections:
        if section.file not in files:
            continue
        try:
            document = parse_yaml(section.file, files[section.file])
            found: dict[str, Rule] = _validate(dict[RuleId, Rule], document)
        except PackError as error:
            faults += error.faults
            continue
        for rule_id, rule in found.items():
            if rule_id in documents:
                other = documents[rule_id].at((rule_id,))
                place = document.at((rule_id,))
                faults.append(f"{place}: {rule_id}: the id stands already in {other}; rename one of them")
                continue
            rules[rule_id], documents[rule_id] = rule, document

    def at_rule(rule_id: str, path: tuple[object, ...]) -> str:
        return documents[rule_id].at((rule_id, *path))

    faults += pack_faults(head, rules, head_document.at, at_rule, not faults)
    if faults:
        raise PackError(faults)
    section_of = {rule_id: document.name for rule_id, document in documents.items()}
    return Pack(head, rules, section_of, dict(files), digest(canonical(dict(files))))


def _stray_files(head: Head, document: Document, files: Mapping[str, str]) -> list[str]:
    listed = [section.file for section in head.sections]
    faults = [
        f"{document.at(('sections', at))}: sections: there is no file {name}; add it or remove the line"
        for at, name in enumerate(listed)
        if name not in files
    ]
    stray = sorted(set(files) - set(listed) - {"pack.yaml"})
    return faults + [f"{name}:1: the file is in no section; list it in pack.yaml or move it away" for name in stray]


def load_overlay(path: Path | None, packs: Iterable[Pack] = ()) -> Overlay:
    """A site's decisions; without a file none. With packs, rules and settings that none of them has are refused."""
    if path is None:
        return Overlay()
    document = read_yaml(path)
    if document.value is None:
        return Overlay()
    if not isinstance(document.value, dict):
        raise PackError([f'{path.name}:1: this is no overlay; write settings like BES-16.points: "-1"'])
    overlay = overlays.from_mapping(document.value, document.at)
    given = tuple(packs)
    if given:
        overlays.check(overlay, given)
    return overlay


def load_lexicons(folder: Path | None = None) -> tuple[dict[str, Any], ...]:
    """The phrase lists as plain values, by file name; their form is the matcher's business."""
    found = [read_yaml(path) for path in sorted((folder or _LEXICONS).glob("*.yaml"))]
    wrong = [f"{one.name}:1: this is no lexicon; write a mapping" for one in found if not isinstance(one.value, dict)]
    if wrong:
        raise PackError(wrong)
    return tuple(one.value for one in found)


def shipped(name: str) -> Path:
    """The folder of a pack that comes with the product."""
    folder = _SHIPPED / name
    if not re.fullmatch(r"[a-z0-9]+", name) or not (folder / "pack.yaml").is_file():
        raise PackError([f"there is no pack {name!r}; shipped are {', '.join(shipped_names())}"])
    return folder


def shipped_names() -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in _SHIPPED.glob("*/pack.yaml")))
