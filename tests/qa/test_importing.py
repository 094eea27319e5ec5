"""`seatwatch import`: four kinds of files, every refused line named, all or nothing, twice the same as once."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from typer.testing import CliRunner

from qa import tables
from qa.cli import app
from qa.deliveries import admit
from qa.store import records
from qa.store.pool import Store
from qa.tables import Line, TableError, cell_value, read, type_of
from scoring.records.admit import parse, plain
from scoring.records.kinds import MODELS
from scoring.records.record import Record
from tests.postgres import SITE
from tests.scoring.records.build import SOUND, ZONE, raw, record


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


Write = Callable[[str, str], Path]


def taken(path: Path, kind: str | None = None) -> list[Record]:
    found = admit(read(path, kind), ZONE)
    assert found.refused == []
    return found.records


def refusals(path: Path, kind: str | None = None) -> list[tuple[int, str]]:
    return [(one.number, one.field) for one in admit(read(path, kind), ZONE).refused]


# --- files


def test_json_lines_hold_one_record_a_line(file: Write) -> None:
    rows = [json.dumps(raw(kind, kind), ensure_ascii=False) for kind in MODELS]

    assert taken(file("all.jsonl", "\n\n".join(rows) + "\n")) == [record(kind, kind) for kind in MODELS]
    assert taken(file("all.json", f"[{', '.join(rows)}]")) == [record(kind, kind) for kind in MODELS]


def test_a_yaml_list_may_hold_real_days_and_moments(file: Write) -> None:
    path = file(
        "march.yaml",
        "- {kind: exam, id: e1, agent: Lin, day: 2026-03-02, exam: typing, score: '60', source: exam}\n"
        "- kind: order\n  id: o1\n  agent: Lin\n  at: 2026-03-02T09:00:00\n  amount: '5'\n  source: crm\n",
    )

    assert [one.local_day for one in taken(path)] == [date(2026, 3, 2)] * 2
    assert [line.number for line in read(path)] == [1, 2]


def test_a_csv_has_one_kind_or_a_column_kind(file: Write) -> None:
    rows = "id,agent,day,exam,score,source\ne1,Lin,2026-03-02,service,59.5,exam\n"

    assert taken(file("exams.csv", rows), "exam") == [record("exam", "e1")]
    assert taken(file("exams.tsv", "kind\t" + rows.replace(",", "\t").replace("e1", "exam\te1"))) == [
        record("exam", "e1")
    ]
    assert refusals(file("none.csv", rows)) == [(2, "kind")]


def test_a_byte_order_mark_and_semicolons_come_from_spreadsheets(file: Write) -> None:
    path = file(
        "exams.csv", "\ufeffid;agent;day;exam;score;source;;\r\ne1;Lin;2026-03-02;service;59.5;exam;;\r\n;;;\r\n"
    )

    assert taken(path, "exam") == [record("exam", "e1")]


def test_dotted_columns_unfold(file: Write) -> None:
    head = "kind,id,agent,at,source,turns.0.role,turns.0.at,turns.0.text,turns.0.question"
    chat = file("chat.csv", f"{head}\nchat,r1,Lin,2026-03-02T09:00,chat,customer,2026-03-02T09:00:01,在吗,TRUE\n")
    form = file(
        "form.csv",
        "kind,id,agent,period,form,rater,source,items.help,items.voice\n"
        "rating,r1,Lin,2026-W10,soft,superior,survey,4,good\n",
    )

    assert taken(chat) == [record("chat")]
    assert taken(form) == [record("rating")]


def test_a_list_stands_in_one_cell_with_semicolons_or_as_json(file: Write) -> None:
    head = "kind,id,agent,day,rule,reason,points,source,entered_by\n"
    row = "observation,r{},Lin,2026-03-02,{},papers on the desk,-2,person,Zhao\n"
    path = file(
        "seen.csv", head + row.format(1, "A80-L02") + row.format(2, "A80-L02; A80-L03") + row.format(3, '"[""X""]"')
    )

    assert [one.get("rule") for one in taken(path)] == [("A80-L02",), ("A80-L02", "A80-L03"), ("X",)]


def test_a_workbook_has_one_kind_a_sheet(tmp_path: Path) -> None:
    book = Workbook()
    exams = book.active
    assert exams is not None
    exams.title = "exam"
    exams.append(["id", "agent", "day", "exam", "score", "source"])
    exams.append(["e1", "Lin", datetime.fromisoformat("2026-03-02"), "service", 59.5, "exam"])
    exams.append([None] * 6)
    exams.append(["e2", 1001, "2026-03-02", "typing", 60, "exam"])
    late = book.create_sheet("attendance")
    late.append(["id", "agent", "day", "late", "early", "absent", "clock_in", "source"])
    came = datetime.fromisoformat("2026-03-02T09:05:00")
    late.append(["a1", "Lin", came.date(), time(0, 5), timedelta(hours=25), "none", came, "attendance"])
    book.create_sheet("_notes").append(["for people"])
    book.save(tmp_path / "march.xlsx")

    first, second, third = taken(tmp_path / "march.xlsx")
    assert first == record("exam", "e1")
    assert (second.get("agent"), second.get("score")) == ("1001", 60)
    assert (third.get("late"), third.get("early")) == (300_000, 90_000_000)
    assert third.get("clock_in").isoformat() == "2026-03-02T09:05:00"


def test_what_a_spreadsheet_made_of_a_period_is_told(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "figure"
    sheet.append(["id", "agent", "period", "name", "value", "source"])
    sheet.append(["f1", "Lin", datetime.fromisoformat("2026-03-01"), "calls", 612, "crm"])
    sheet.append(["f2", "Lin", 2026, "calls", 612, "crm"])
    book.save(tmp_path / "figures.xlsx")

    (why,) = admit(read(tmp_path / "figures.xlsx"), ZONE).refused
    assert (why.number, why.sheet, why.field) == (2, "figure", "period")
    assert "format the column as text" in why.reason


def test_entities_in_a_workbook_are_refused_before_they_grow(tmp_path: Path) -> None:
    """A thousand million characters out of a few lines."""
    book = Workbook()
    book.save(tmp_path / "plain.xlsx")
    names = [f'<!ENTITY e{n + 1} "{f"&e{n};" * 1000}">' for n in range(3)]
    bomb = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "{"x" * 1000}">{"".join(names)}]><worksheet>&e3;</worksheet>'
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(tmp_path / "bomb.xlsx", "w") as packed:
        for one in plain.infolist():
            sheet = one.filename.startswith("xl/worksheets/")
            packed.writestr(one, bomb if sheet else plain.read(one))

    with pytest.raises(TableError, match="is no workbook"):
        list(read(tmp_path / "bomb.xlsx", "call"))


@pytest.mark.parametrize("size", [17 * 1024 * 1024, tables.MOST_UNPACKED + 1])
def test_a_workbook_that_unpacks_to_far_more_than_it_is_stays_packed(tmp_path: Path, size: int) -> None:
    """What it will be is told by its directory; nothing is unpacked to learn that."""
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", bytes(size))
    with pytest.raises(TableError, match=f"{size} bytes when unpacked; split it below"):
        list(read(tmp_path / "bomb.xlsx", "call"))


def test_a_workbook_that_unpacks_to_more_than_it_says_is_none(tmp_path: Path) -> None:
    file = tmp_path / "liar.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", bytes(1 << 20))
    said = (1 << 20).to_bytes(4, "little")
    file.write_bytes(file.read_bytes().replace(said, (100).to_bytes(4, "little")))
    with pytest.raises(TableError, match="is no workbook"):
        list(read(file, "call"))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.pdf", "x", "no table by its ending"),
        ("a.yaml", "kind: exam\n", "this is no list"),
        ("a.json", "[{", "is no JSON"),
        ("a.csv", "\n", "names no column"),
        ("a.csv", "id,,day\n1,2,3\n", "column 2 has no name"),
        ("a.csv", "id,id\n1,2\n", "stands twice"),
        ("a.csv", 'id,day\n1,"2\n', "mend the line"),
        ("a.xlsx", "no zip", "this is no workbook"),
    ],
)
def test_what_is_no_table_is_said_with_what_to_do(file: Write, name: str, text: str, says: str) -> None:
    with pytest.raises(TableError, match=says):
        list(read(file(name, text)))


def test_other_encodings_are_named_and_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes("id,agent\n1,林\n".encode("gbk"))

    with pytest.raises(TableError, match="save the file as UTF-8"):
        list(read(path))
    with pytest.raises(TableError, match="no such file"):
        list(read(tmp_path / "nothing.csv"))


def test_every_fault_of_every_line_is_named_with_its_number(file: Write) -> None:
    good = json.dumps(raw("exam"))
    bad = json.dumps(raw("exam", "e2", score=59.5, day="yesterday"))
    path = file("mixed.jsonl", f'{good}\n{bad}\n\nnot json\n[1]\n{{"kind": "exam", "kind": "exam"}}\n')

    assert refusals(path) == [(2, "day"), (2, "score"), (4, "line"), (5, "record"), (6, "line")]


def test_a_kind_that_was_not_asked_for_is_refused(file: Write) -> None:
    path = file("calls.jsonl", json.dumps(raw("exam")) + "\n" + json.dumps(raw("call", "k1")) + "\n")

    assert refusals(path, "call") == [(1, "kind")]


def test_a_row_with_too_many_cells_or_two_forms_of_a_field_is_refused(file: Write) -> None:
    assert refusals(file("a.csv", "id,agent\n1,2,3\n"), "exam") == [(2, "line")]
    assert refusals(file("b.csv", "rule,rule.0\nX,Y\n"), "observation") == [(2, "rule.0")]
    assert refusals(file("c.csv", "rule.0,rule\nX,Y\n"), "observation") == [(2, "rule")]
    assert refusals(file("d.csv", 'turns,id\n"[{",1\n'), "call") == [(2, "turns")]


@given(st.sampled_from(sorted(MODELS)))
def test_a_record_that_was_unfolded_into_cells_is_read_again_the_same(kind: str) -> None:
    def cells(value: Any, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for step, one in value.items():
                yield from cells(one, f"{name}.{step}" if name else step)
        elif isinstance(value, list):
            for step, one in enumerate(value):
                yield from cells(one, f"{name}.{step}")
        else:
            yield name, {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)

    from qa.tables import _line

    written = list(cells(plain(record(kind)), ""))
    line = _line(2, [name for name, _ in written], [cell for _, cell in written], None)
    assert parse(line.raw, ZONE) == record(kind)


@pytest.mark.parametrize(
    ("kind", "column", "type"),
    [
        ("call", "turns.0.start_ms", "int"), ("call", "turns.0.confidence", "decimal"), ("rating", "items.x", "answer"),
        ("observation", "rule.1", "str"), ("exam", "day", "date"), ("exam", "colour", "str"), ("exam", "day.x", "str"),
    ],
)  # fmt: skip
def test_a_column_has_the_type_of_its_field(kind: str, column: str, type: str) -> None:
    assert type_of(kind, column) == type


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("bool", "TRUE", True), ("bool", "yes", "yes"), ("int", "12", 12), ("int", "1.5", "1.5"), ("int", 3.0, 3),
        ("decimal", "1.50", "1.50"), ("decimal", 0.1, "0.1"), ("decimal", 1e-7, "0.0000001"), ("str", 3.0, "3"),
        ("str", True, "true"), ("[str]", "a;b；c", ["a", "b", "c"]), ("[str]", 7, ["7"]), ("period", 2026, "2026"),
    ],
)  # fmt: skip
def test_a_cell_means_what_its_type_says(kind: str, cell: Any, value: Any) -> None:
    assert cell_value(kind, cell) == value


def test_no_more_lines_than_can_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qa.deliveries.MOST_LINES", 3)

    with pytest.raises(TableError, match="split the file"):
        admit((Line(n, {}) for n in range(5)), ZONE)


# --- the command


@pytest.fixture
def seatwatch(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command on a database of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATWATCH_DATABASE_URL", dsn)
    monkeypatch.setenv("SEATWATCH_DATA", str(tmp_path / "data"))

    def run(*words: object) -> Any:
        return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)

    return run


async def stands(store: Store) -> list[tuple[str, str]]:
    async with store.site(SITE, "reader") as tx:
        return [(one.kind, one.id) for one in (await records.current_records(tx)).all()]


async def test_a_file_is_imported_once_however_often(seatwatch: Callable[..., Any], file: Write, store: Store) -> None:
    path = file("march.jsonl", "".join(json.dumps(raw(kind, kind)) + "\n" for kind in SOUND))

    first = await asyncio.to_thread(seatwatch, "import", "records", path, "--json", "--as", "Zhao")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert (told["accepted"], told["duplicates"], told["refused"]) == (len(SOUND), 0, [])
    assert told["kinds"]["exam"] == 1
    again = await asyncio.to_thread(seatwatch, "import", "records", path)
    assert again.exit_code == 0
    assert f"0 records taken, {len(SOUND)} known already" in again.stdout
    assert len(await stands(store)) == len(SOUND)
    async with store.site(SITE, "reader") as tx:
        assert {one.actor for one in (await records.page(tx, records.Wanted())).items} == {"Zhao"}


async def test_a_refused_line_stops_the_file_unless_a_part_will_do(
    seatwatch: Callable[..., Any], file: Write, store: Store
) -> None:
    rows = [raw("exam"), raw("exam", "e2", score=1.5), raw("exam", score="61"), raw("case", "s1", case_type=None)]
    path = file("march.jsonl", "".join(json.dumps(one) + "\n" for one in rows))

    whole = await asyncio.to_thread(seatwatch, "import", "records", path, "--json")
    assert whole.exit_code == 1
    told = json.loads(whole.stdout)
    assert [(one["number"], one["field"]) for one in told["refused"]] == [(2, "score"), (3, "id"), (4, "case_type")]
    assert told["accepted"] == 0 and await stands(store) == []

    part = await asyncio.to_thread(seatwatch, "import", "records", path, "--partial")
    assert part.exit_code == 1
    assert "march.jsonl:2: score: " in part.stdout
    assert "1 records taken (1 exam), 3 lines refused" in part.stdout
    assert await stands(store) == [("exam", "r1")]


async def test_calls_are_imported_by_themselves(seatwatch: Callable[..., Any], file: Write, store: Store) -> None:
    call = {name: value for name, value in raw("call", "k1").items() if name != "kind"}
    good = await asyncio.to_thread(seatwatch, "import", "calls", file("calls.jsonl", json.dumps(call)))
    other = await asyncio.to_thread(seatwatch, "import", "calls", file("exams.jsonl", json.dumps(raw("exam"))))

    assert (good.exit_code, other.exit_code) == (0, 1)
    assert await stands(store) == [("call", "k1")]


def test_a_wrong_kind_is_told(seatwatch: Callable[..., Any], file: Write) -> None:
    told = seatwatch("import", "records", file("a.csv", "id\n1\n"), "--kind", "gossip")

    assert isinstance(told.exception, TableError)
    assert "no kind of record" in str(told.exception)


def test_registers_are_connected_by_the_owner(seatwatch: Callable[..., Any]) -> None:
    assert "leave: not connected" in seatwatch("register").stdout
    assert "leave: connected since 2026-03-01" in seatwatch("register", "leave", "--since", "2026-03-01").stdout
    found = json.loads(seatwatch("register", "--json").stdout)
    assert found == {"leave": "2026-03-01", "attendance": None, "case": None}
    assert "leave: not connected" in seatwatch("register", "leave", "--off").stdout
    for words in (
        ["gossip", "--off"],
        ["leave"],
        ["leave", "--off", "--since", "2026-03-01"],
        ["leave", "--since", "x"],
    ):
        assert isinstance(seatwatch("register", *words).exception, TableError)
