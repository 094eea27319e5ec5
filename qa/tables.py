"""Reads lists of records from files: JSON Lines, JSON, YAML, CSV and workbooks. It types cells, it admits nothing.

Every line keeps its number, so that a refusal can be found again. A file that is no list at all is a TableError.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from qa.paths import no_file
from scoring.load import read_yaml
from scoring.records.admit import clock
from scoring.records.kinds import FIELDS, MODELS, PARTS
from scoring.records.record import Refusal

MOST_BYTES = 256 * 1024 * 1024
MOST_UNPACKED = 100 * 1024 * 1024  # of a workbook, which is a packed folder
MOST_RATIO = 100  # unpacked to packed, of one that is large; what people write in sheets packs 10 to 30 times
LARGE = 16 * 1024 * 1024
# what a packed folder of XML breaks with; entities in it end in a ParseError before they grow
NO_WORKBOOK = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    EOFError,
    OSError,
)
MOST_CELLS = 2000  # columns of a table, and steps of a dotted name into lists
DATED = (date, datetime, time, timedelta)


class TableError(Exception):
    """A file that cannot be read as a list of records; says what to do."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: the fields it holds, or why it holds none. ``sheet`` names the sheet of a workbook."""

    number: int
    raw: Any = None
    fault: Refusal | None = None
    sheet: str | None = None


def read(path: Path, kind: str | None = None) -> Iterator[Line]:
    """The lines of a file, by its ending. ``kind`` is what a line is that does not say so itself."""
    if wrong := no_file(path, "give the path of a file"):
        raise TableError(wrong)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise TableError(f"{path}: no table by its ending; give one of {', '.join(_READERS)}")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise TableError(f"{path}: {size} bytes; split it below {MOST_BYTES}")
    for line in reader(path, kind):
        yield line if kind is None or not isinstance(line.raw, dict) else _of_kind(line, kind)


def _of_kind(line: Line, kind: str) -> Line:
    said = line.raw.get("kind")
    if said not in (None, kind):
        told = f"is {said!r}, and {kind!r} was asked for; take --kind away, or the line out"
        return Line(line.number, line.raw, Refusal("kind", told), line.sheet)
    return Line(line.number, {"kind": kind, **line.raw, **({"kind": kind} if said is None else {})}, None, line.sheet)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None


# --- JSON


def json_lines(text: str) -> Iterator[Line]:
    """One record a line."""
    for number, row in enumerate(text.split("\n"), 1):
        if row.strip():
            value, fault = _json(row)
            yield Line(number, value, fault)


def _json(text: str) -> tuple[Any, Refusal | None]:
    try:
        return json.loads(text, object_pairs_hook=once), None
    except (ValueError, RecursionError) as error:
        return None, Refusal("line", f"is no JSON ({error}); write one record a line")


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose every name stands once: of two values nobody can say which was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


def _read_json(path: Path, kind: str | None) -> Iterator[Line]:
    text = _text(path)
    if not text.lstrip().startswith("["):
        yield from json_lines(text)
        return
    value, fault = _json(text)
    if fault is not None:
        raise TableError(f"{path}: {fault.reason.partition(';')[0]}; write a list of records")
    for number, one in enumerate(value, 1):
        yield Line(number, one)


def _read_yaml(path: Path, kind: str | None) -> Iterator[Line]:
    document = read_yaml(path)
    if not isinstance(document.value, list):
        raise TableError(f"{path}: this is no list; write one record a dash")
    for at, one in enumerate(document.value):
        yield Line(document.line(at), one)


# --- tables of text


def _read_csv(path: Path, kind: str | None) -> Iterator[Line]:
    text = _text(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        head = next(rows, [])
        names = _names(str(path), head)
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield _line(rows.line_num, names, [cell.strip() for cell in cells], kind)
    except csv.Error as error:
        raise TableError(f"{path}:{rows.line_num}: {error}; mend the line") from None


def _delimiter(text: str) -> str:
    """What parts the cells of the first line; tables come with commas, semicolons or tabs."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def _names(place: str, head: Sequence[Any]) -> list[str]:
    """The columns; trailing empty ones are no columns."""
    names = [str(cell if cell is not None else "").strip() for cell in head]
    while names and not names[-1]:
        names.pop()
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names:
        raise TableError(f"{place}: the first line names no column; write field names there")
    if not all(names):
        raise TableError(f"{place}: column {names.index('') + 1} has no name; write the field it holds")
    if twice:
        raise TableError(f"{place}: the column {twice[0]!r} stands twice; keep one")
    if len(names) > MOST_CELLS:
        raise TableError(f"{place}: {len(names)} columns; keep at most {MOST_CELLS}")
    return names


def _line(number: int, names: list[str], cells: Sequence[Any], kind: str | None, sheet: str | None = None) -> Line:
    """A row as a record: dotted names unfolded, each cell typed by the contract, empty ones left out."""
    if any(cell not in (None, "") for cell in cells[len(names) :]):
        return Line(
            number, None, Refusal("line", "has more cells than there are columns; quote what holds commas"), sheet
        )
    given = {name: cell for name, cell in zip(names, cells, strict=False) if cell not in (None, "")}
    own = str(given.get("kind") or kind or "")
    if own not in MODELS:
        return Line(number, {"kind": own} if own else {}, None, sheet)
    raw: dict[str, Any] = {"kind": own}
    for name, cell in given.items():
        if name == "kind":
            continue
        try:
            _put(raw, name.split("."), cell_value(type_of(own, name), cell))
        except ValueError as error:
            return Line(number, None, Refusal(name, str(error)), sheet)
    return Line(number, _lists(raw), None, sheet)


def _put(into: dict[str, Any], steps: list[str], value: Any) -> None:
    """``turns.0.text`` step by step; numbers become places in lists afterwards."""
    for step in steps[:-1]:
        into = into.setdefault(step, {})
        if not isinstance(into, dict):
            raise ValueError("stands beside a column of its beginning; keep one of the two forms")
    if steps[-1] in into:
        raise ValueError("stands beside columns of its parts; keep one of the two forms")
    into[steps[-1]] = value


def _lists(value: Any) -> Any:
    """Mappings whose names are 0, 1, 2 … are lists; a place that is left out closes up."""
    if not isinstance(value, dict):
        return value
    found = {name: _lists(one) for name, one in value.items()}
    if found and all(name.isascii() and name.isdigit() and len(name) < 5 for name in found):
        return [found[name] for name in sorted(found, key=int)]
    return found


def type_of(kind: str, column: str) -> str:
    """The contract's name for the type of a column, dots followed; text for what the kind has not."""
    first, *rest = column.split(".")
    found = FIELDS[kind].get(first, "str")
    for step in rest:
        if found.startswith("{"):
            found = "answer"
        elif found.startswith("[") and step.isdigit():
            found = found[1:-1]
        else:
            found = PARTS.get(found, {}).get(step, "str")
    return found


def cell_value(kind: str, cell: Any) -> Any:
    """What a cell means under the contract; what it cannot mean is left for the admission to refuse."""
    if not isinstance(cell, str):
        return _from_workbook(kind, cell)
    if kind == "bool":
        return {"true": True, "false": False}.get(cell.lower(), cell)
    if kind == "int":
        return int(cell) if re.fullmatch(r"-?\d{1,18}", cell, re.ASCII) else cell
    if kind.startswith(("[", "{")):
        return _listed(kind, cell)
    return cell


def _listed(kind: str, cell: str) -> Any:
    """A list in one cell: JSON, or words with semicolons between."""
    if cell[:1] in "[{":
        value, fault = _json(cell)
        if fault is not None:
            raise ValueError(f"{fault.reason.partition(';')[0]}; write JSON, or words with semicolons between")
        return value
    if kind.strip("[]") in PARTS or kind.startswith("{"):
        return cell
    return [word.strip() for word in re.split("[;；]", cell) if word.strip()]


# --- workbooks


def _read_xlsx(path: Path, kind: str | None) -> Iterator[Line]:
    """One kind a sheet, by the sheet's name; a column ``kind`` or the asked kind wins."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _not_too_large(path)
    try:
        with path.open("rb") as file:  # ours to close, whatever happens to the book
            for sheet in load_workbook(file, read_only=True, data_only=True).worksheets:
                yield from _sheet(str(path), sheet, kind)
    except (InvalidFileException, *NO_WORKBOOK) as error:  # sheets are unpacked as they are read
        raise TableError(f"{path}: this is no workbook ({error}); save it as .xlsx") from None


def _not_too_large(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(one.file_size for one in packed.infolist())
    except NO_WORKBOOK as error:
        raise TableError(f"{path}: this is no workbook ({error}); save it as .xlsx") from None
    most = min(MOST_UNPACKED, max(LARGE, MOST_RATIO * path.stat().st_size))
    if size > most:
        raise TableError(f"{path}: {size} bytes when unpacked; split it below {most}")


def _sheet(path: str, sheet: Any, kind: str | None) -> Iterator[Line]:
    rows = sheet.iter_rows()
    head = [cell.value for cell in next(rows, ())]
    if not any(head):
        return
    name = sheet.title.strip()
    if name.startswith("_"):
        return  # notes for people
    names = _names(f"{path}: sheet {name}", head)
    own = kind or (name if name in MODELS else None)
    if own is None and "kind" not in names:
        known = ", ".join(MODELS)
        raise TableError(f"{path}: sheet {name}: no kind of record; name the sheet after one of {known}, or use --kind")
    for number, row in enumerate(rows, 2):
        cells = [_seen(cell) for cell in row]
        if any(cell not in (None, "") for cell in cells):
            yield _line(number, names, cells, own, name)


def _seen(cell: Any) -> Any:
    return cell.value.strip() if isinstance(cell.value, str) else cell.value


def _from_workbook(kind: str, cell: Any) -> Any:
    """A number, moment or truth as a spreadsheet keeps it, in the form of the contract."""
    if isinstance(cell, bool):
        return cell if kind == "bool" else str(cell).lower()
    if isinstance(cell, float | int):
        return _number(kind, cell)
    if isinstance(cell, DATED):
        return _dated(kind, cell)
    return str(cell)


def _number(kind: str, cell: float) -> Any:
    """Spreadsheets keep 15 digits; so many are what was typed."""
    if kind == "int":
        return int(cell) if float(cell).is_integer() else cell
    text = f"{Decimal(f'{cell:.15g}'):f}"
    return [text] if kind == "[str]" else text


def _dated(kind: str, cell: date | datetime | time | timedelta) -> Any:
    if kind == "duration":
        return _span(cell)
    if kind == "date" and isinstance(cell, datetime):
        if cell.time() == time():
            return cell.date()
    elif kind == "datetime" and isinstance(cell, datetime):
        return cell
    elif kind == "period":
        raise ValueError("the spreadsheet made a date of it; format the column as text and write 2026-03 again")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _span(cell: date | datetime | time | timedelta) -> str:
    if isinstance(cell, time):
        cell = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    if isinstance(cell, timedelta):
        return clock(Decimal(round(cell / timedelta(milliseconds=1))))
    raise ValueError("the spreadsheet made a date of it; format the column as text and write 0:05:00 again")


_READERS: Mapping[str, Callable[[Path, str | None], Iterable[Line]]] = {
    ".jsonl": _read_json,
    ".ndjson": _read_json,
    ".json": _read_json,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".xlsx": _read_xlsx,
}
