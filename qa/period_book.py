"""The sheets of a month as one workbook: people, lines, undecided clauses, recommendations, adjustments.

Numbers are numbers, days are days; text that a spreadsheet could take for a formula stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from qa.period_sheet import Json, evidence_text
from qa.period_words import titled, word

HEAD = PatternFill("solid", fgColor="FFEDEDED")
MOST = 32_000  # characters of a cell
WIDTHS = (14, 60)


def write(path: Path, head: Mapping[str, Any], sheets: Sequence[Json], language: str) -> None:
    """One workbook for the month."""
    book = Workbook()
    book.remove(book.active)
    for name, columns, rows in (
        ("people", *_people(head, sheets, language)),
        ("lines", *_lines(head, sheets, language)),
        ("values", *_values(sheets, language)),
        ("unknown", *_unknown(sheets, language)),
        ("recommendations", *_recommendations(sheets, language)),
        ("adjusted", *_adjusted(head, sheets, language)),
    ):
        _fill(book.create_sheet(_tab(word(name, language))), [word(one, language) for one in columns], rows)
    book.save(path)


def _tab(text: str) -> str:
    """A sheet's name without what a workbook forbids, and short."""
    return "".join(one for one in text if one not in "[]:*?/\\")[:31]


def _fill(tab: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    tab.append(list(columns))
    for row in rows:
        tab.append([None] * len(columns))
        for at, value in enumerate(row, 1):
            _put(tab.cell(tab.max_row, at), value)
    for at, _ in enumerate(columns, 1):
        top = tab.cell(1, at)
        top.font, top.fill = Font(bold=True), HEAD
        longest = max((len(str(row[0].value or "")) for row in tab.iter_rows(min_col=at, max_col=at)), default=0)
        tab.column_dimensions[get_column_letter(at)].width = min(max(longest + 4, WIDTHS[0]), WIDTHS[1])
    tab.freeze_panes = "A2"
    tab.auto_filter.ref = tab.dimensions
    tab.page_setup.orientation, tab.page_setup.paperSize = "landscape", tab.PAPERSIZE_A4
    tab.page_setup.fitToWidth, tab.page_setup.fitToHeight = 1, 0
    tab.sheet_properties.pageSetUpPr.fitToPage = True
    tab.print_title_rows = "1:1"


def _put(cell: Any, value: Any) -> None:
    """Text is text, even where it begins with an equals sign."""
    if isinstance(value, str):
        cell.value = "".join(one for one in value if one >= " " or one in "\n\t")[:MOST]
        cell.data_type = "s"
        cell.alignment = Alignment(wrap_text=len(value) > WIDTHS[1] or "\n" in value, vertical="top")
    else:
        cell.value = value


def number(text: Any) -> Any:
    """A decimal as a number for the spreadsheet; other text as it is."""
    if text is None or isinstance(text, bool):
        return text
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return str(text)


Table = tuple[tuple[str, ...], list[list[Any]]]


def _people(head: Mapping[str, Any], sheets: Sequence[Json], language: str) -> Table:
    paid = head["money"] != "off"
    columns = ("month", "team", "agent", "pack", "score", "grade", "rank", "waiting", "unknown", "assumed",
               "recommendations", *(("pay", "fine", "ledger") if paid else ()), "closed")  # fmt: skip
    closed = head["closed"]
    state = word("open", language) if closed is None else f"{closed['at']} {closed['by']} {closed['cards_sha'][:16]}"
    rows = []
    for one in sheets:
        money = [number(one[name]) for name in ("pay", "fine", "ledger")] if paid else []
        name = one["who"] if one["kind"] == "person" else word("sheet." + one["kind"], language)
        told = "; ".join(f"{word('kind.' + rec['kind'], language)}: {word('state.' + rec['state'], language)}"
                         for rec in one["recommendations"])  # fmt: skip
        rows.append(
            [head["month"], one["team"], name, f"{one['pack']} {one['pack_version']}", number(one["score"]),
             one["grade"], number(one["rank"]), one["waiting"], len(one["unknown"]), len(one["assumed"]), told,
             *money, state]
        )  # fmt: skip
    return columns, rows


def _lines(head: Mapping[str, Any], sheets: Sequence[Json], language: str) -> Table:
    paid = head["money"] != "off"
    columns = ("team", "agent", "clause", "lines", "quote", "day", "about", "evidence", "decided", "points", "assumed",
               "state", *(("yuan",) if paid else ()))  # fmt: skip
    rows = []
    for one in sheets:
        for line in one["lines"]:
            for found in line["findings"]:
                money = sum((Decimal(found[name] or 0) for name in ("fine", "amount")), Decimal(0)) if paid else None
                decided = found["decided_by"]
                rows.append(
                    [one["team"], one["who"], f"{line['cite']} ({line['rule']})", titled(line["title"], language),
                     line["quote"], date.fromisoformat(found["day"]), f"{found['kind']} {found['subject']}",
                     "\n".join(evidence_text(each) for each in found["evidence"]),
                     word("machine", language) if decided in (None, "machine") else decided, number(found["points"]),
                     word("assumed", language) if found["assumed"] or line["assumed"] else "",
                     word("counted" if found["state"] == "counts" else found["state"], language),
                     *([money] if paid else [])]
                )  # fmt: skip
    return columns, rows


def _values(sheets: Sequence[Json], language: str) -> Table:
    rows = [
        [
            one["team"],
            one["who"],
            f"{each['cite']} ({each['rule']})",
            titled(each["title"], language),
            number(each["value"]),
        ]
        for one in sheets
        for each in one["values"]
    ]
    return ("team", "agent", "clause", "values", "value"), rows


def _unknown(sheets: Sequence[Json], language: str) -> Table:
    rows = [
        [one["team"], one["who"], f"{each['cite']} ({each['rule']})", titled(each["title"], language),
         word("cause." + cause, language), count]
        for one in sheets
        for each in one["unknown"]
        for cause, count in each["causes"].items()
    ]  # fmt: skip
    return ("team", "agent", "clause", "unknown", "reason", "count"), rows


def _recommendations(sheets: Sequence[Json], language: str) -> Table:
    rows = []
    for one in sheets:
        for each in one["recommendations"]:
            clauses = "; ".join(f"{rule['cite']} ({rule['rule']})" for rule in each["clauses"])
            steps = each["steps"] or [{"state": each["state"], "by": "", "reason": "", "at": ""}]
            rows += [
                [one["team"], one["who"], word("kind." + each["kind"], language), clauses,
                 word("state." + step["state"], language), step["by"], step["at"][:10], step["reason"],
                 ", ".join(each["caution"])]
                for step in steps
            ]  # fmt: skip
    return ("team", "agent", "recommendations", "clause", "state", "by", "day", "reason", "caution"), rows


def _adjusted(head: Mapping[str, Any], sheets: Sequence[Json], language: str) -> Table:
    rows: list[list[Any]] = []
    for one in sheets:
        late = one["adjusted"]
        if late["points"] not in ("0", None) or late["pay"] not in ("0", None):
            told = word("adjusted.late", language)
            rows.append([one["team"], one["who"], head["month"], told, "", number(late["points"]), number(late["pay"])])
        rows += [
            [one["team"], one["who"], f"{each['month']} → {each['carried']}", each["reason"], each["by"],
             number(each["points"]), number(each["pay"])]
            for each in one["adjustments"]
        ]  # fmt: skip
    return ("team", "agent", "month", "reason", "by", "points", "yuan"), rows
