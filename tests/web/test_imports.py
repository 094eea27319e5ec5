"""Files of records over HTTP: every form, whole or in part, with steps on the way, and nothing too large or strange."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from qa.store import records
from qa.store.pool import Store
from qa.web import imports
from qa.web.app import make_app
from qa.web.guard import Principal
from scoring.records.kinds import MODELS
from tests.postgres import SITE
from tests.scoring.records.build import raw
from tests.web.conftest import running
from tests.web.shapes import faults

Client = TestClient[Any, Any]
HAN, HANGUL = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\uac00-\ud7af]")
ADDRESS = "/api/v1/import"
EXAMS = "id,agent,day,exam,score,source\ne1,Lin,2026-03-02,service,59.5,exam\ne2,Wu,2026-03-03,service,80,exam\n"
BROKEN = EXAMS + "e3,Wu,2026-13-03,service,80,exam\ne4,Wu,2026-03-04,,80,exam\n"


@pytest.fixture
async def desk(store: Store, tmp_path: Any) -> Any:
    async with TestClient(TestServer(make_app(running(store, tmp_path)))) as one:
        yield one


async def send(
    client: Client, name: str, data: bytes | str, lines: bool = False, language: str = "en", **query: str
) -> ClientResponse:
    headers = {"Content-Type": "application/octet-stream", "Accept-Language": language}
    headers |= {"Accept": "application/x-ndjson"} if lines else {}
    body = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    return await client.post(ADDRESS, data=body, params={"name": name, **query}, headers=headers)


async def held(store: Store) -> list[str]:
    async with store.site(SITE, "reader") as tx:
        return sorted(one.record.id for one in (await records.page(tx, records.Wanted())).items)


def workbook(tmp_path: Path) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "exam"
    for row in csv.reader(io.StringIO(EXAMS)):
        sheet.append(row)
    book.save(tmp_path / "made.xlsx")
    return (tmp_path / "made.xlsx").read_bytes()


@pytest.mark.parametrize("form", ["csv", "jsonl", "yaml", "xlsx"])
async def test_each_form_is_taken_once(desk: Client, store: Store, tmp_path: Path, form: str) -> None:
    listed = [raw("exam", "e1"), raw("exam", "e2", agent="Wu")]
    data = {
        "csv": EXAMS,
        "jsonl": "\n".join(json.dumps(one) for one in listed),
        "yaml": json.dumps(listed, indent=1),
        "xlsx": workbook(tmp_path),
    }[form]
    query = {"kind": "exam"} if form == "csv" else {}
    first = await send(desk, f"exams.{form}", data, **query)
    again = await (await send(desk, f"exams.{form}", data, **query)).json()

    assert (first.status, await first.json()) == (
        200,
        {
            "file": f"exams.{form}",
            "accepted": 2,
            "duplicates": 0,
            "refused": [],
            "refused_lines": 0,
            "kinds": {"exam": 2},
        },
    )
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert await held(store) == ["e1", "e2"]
    (_, delivery) = (await (await desk.get("/api/v1/deliveries")).json())["items"]
    assert delivery["name"] == f"exams.{form}"


async def test_refused_lines_stop_all_unless_a_part_will_do(desk: Client, store: Store) -> None:
    whole = await send(desk, "exams.csv", BROKEN, kind="exam")
    problem = await whole.json()

    assert (whole.status, whole.content_type) == (422, "application/problem+json")
    assert [(one["index"], one["field"]) for one in problem["refused"]] == [(4, "day"), (5, "exam")]
    assert await held(store) == []
    part = await (await send(desk, "exams.csv", BROKEN, kind="exam", partial="true")).json()
    assert (part["accepted"], part["refused_lines"], len(part["refused"])) == (2, 2, 2)
    assert await held(store) == ["e1", "e2"]


async def test_steps_are_told_on_the_way(desk: Client) -> None:
    rows = "\n".join(json.dumps(raw("exam", f"e{n}")) for n in range(1200))
    answer = await send(desk, "exams.jsonl", rows, lines=True)
    told = [json.loads(line) for line in (await answer.text()).splitlines()]

    assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
    assert [(one["step"], one.get("lines")) for one in told[:-1]] == [("read", 500), ("read", 1000), ("store", 1200)]
    assert told[-1]["taken"]["accepted"] == 1200


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [("exams.csv", BROKEN, 422), ("exams.yaml", "a: [", 400), ("exams.xlsx", "no workbook", 400)],
)
async def test_the_last_line_says_what_its_status_would_have_said(
    desk: Client, name: str, data: str, status: int
) -> None:
    answer = await send(desk, name, data, lines=True, kind="exam")
    last = json.loads((await answer.text()).splitlines()[-1])

    assert (answer.status, last["step"], last["problem"]["status"]) == (200, "refused", status)
    assert "seatwatch-import" not in json.dumps(last), "no folder of ours leaves"
    assert status == 422 or name in last["problem"]["detail"]


@pytest.mark.parametrize(("language", "letters"), [("zh-CN", HAN), ("ko", HANGUL)])
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("exams.pdf", "x"), ("exams.csv", ""), ("exams.csv", b"\xff\xfe"), ("exams.csv", "a,,b\n1,2,3"),
        ("exams.csv", "a,a\n1,2"), ("exams.csv", 'a,b\n"1" x,2'), ("exams.csv", "a," * 2001 + "b"),
        ("exams.yaml", "just words"), ("exams.yaml", "a: ["), ("exams.yaml", "- a: 1\n  a: 2"),
        ("exams.yaml", "%YAML 1.1\n"), ("exams.yaml", b"\xff"),
        ("exams.json", "[{"), ("exams.xlsx", "no workbook"),
    ],
)  # fmt: skip
async def test_a_file_that_is_no_list_is_said_in_the_readers_language(
    desk: Client, name: str, data: Any, language: str, letters: re.Pattern[str]
) -> None:
    answer = await send(desk, name, data, language=language, kind="exam")
    told = (await answer.json())["detail"]

    assert answer.status in (400, 415)
    assert letters.search(told) and name in told and "; " not in told.removeprefix(name)


@pytest.mark.parametrize(
    ("name", "data", "query", "status"),
    [
        ("exams.pdf", "x", {}, 415), ("exams", "x", {}, 415), ("exams.csv", EXAMS, {"kind": "lunch"}, 400),
        ("exams.csv", "", {"kind": "exam"}, 400), ("exams.csv", b"\xff\xfe", {"kind": "exam"}, 400),
        ("exams.yaml", "just words", {}, 400), ("../../etc/exams.csv", EXAMS, {"kind": "exam"}, 200),
        ("x" * 300 + ".csv", EXAMS, {}, 400), ("exams.csv", EXAMS, {"colour": "red"}, 400),
    ],
)  # fmt: skip
async def test_what_is_no_table_is_a_problem(
    desk: Client, name: str, data: str | bytes, query: dict[str, str], status: int
) -> None:
    answer = await send(desk, name, data, **query)

    assert answer.status == status, await answer.text()
    if status == 200:
        assert (await answer.json())["file"] == "exams.csv"
    else:
        assert answer.content_type == "application/problem+json"


async def test_a_file_over_the_limit_is_not_read_to_its_end(
    desk: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_FILE", 1000)
    known = await send(desk, "exams.csv", EXAMS * 20, kind="exam")
    assert (known.status, (await known.json())["title"]) == (413, "File too large")

    async def pieces() -> Any:
        for _ in range(20):
            yield EXAMS.encode()

    headers = {"Content-Type": "application/octet-stream"}
    params = {"name": "exams.csv", "kind": "exam"}
    assert (await desk.post(ADDRESS, data=pieces(), params=params, headers=headers)).status == 413
    assert await held(store) == []


async def test_a_form_of_a_browser_is_no_file(desk: Client) -> None:
    answer = await desk.post(ADDRESS, data={"file": io.BytesIO(b"x")}, params={"name": "exams.csv"})

    assert answer.status == 415


@pytest.mark.parametrize(
    ("role", "kind", "status"),
    [("assessor", "exam", 200), ("source", "exam", 200), ("handler", "case", 200), ("handler", "exam", 403),
     ("agent", "exam", 403), ("auditor", "exam", 403)],
)  # fmt: skip
async def test_each_role_imports_what_it_may(store: Store, tmp_path: Any, role: str, kind: str, status: int) -> None:
    async with TestClient(TestServer(make_app(running(store, tmp_path), principal=Principal("kim", role)))) as client:
        assert (await send(client, "a.jsonl", json.dumps(raw(kind)))).status == status
    assert len(await held(store)) == (status == 200)


@pytest.mark.parametrize("kind", MODELS)
async def test_a_template_filled_in_is_taken(desk: Client, kind: str) -> None:
    template = await desk.get(f"/api/v1/kinds/{kind}/template")
    head = (await template.read()).decode("utf-8-sig").strip().split(",")
    row = {name: value for name, value in flat(raw(kind)).items() if name != "kind"}
    text = io.StringIO()
    writer = csv.DictWriter(text, head)  # refuses what has no column
    writer.writeheader()
    writer.writerow(row)
    answer = await send(desk, f"{kind}.csv", text.getvalue(), kind=kind)

    assert template.headers["Content-Disposition"] == f'attachment; filename="{kind}.csv"'
    assert (answer.status, (await answer.json()).get("accepted")) == (200, 1), await answer.text()


def flat(value: Any, before: str = "") -> dict[str, str]:
    """A record as cells of a table; a mapping of answers is one cell."""
    if before == "items.":
        return {"items": json.dumps(value)}
    if isinstance(value, dict):
        return {name: cell for key, one in value.items() for name, cell in flat(one, f"{before}{key}.").items()}
    if isinstance(value, list) and isinstance(value[0], dict):
        return {name: cell for n, one in enumerate(value) for name, cell in flat(one, f"{before}{n}.").items()}
    cell = ";".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    return {before.rstrip("."): cell}


async def test_what_is_answered_to_a_sender_fits_its_schema(desk: Client) -> None:
    document = await (await desk.get("/api/v1/openapi.json")).json()
    described = document["paths"][ADDRESS]["post"]
    good, bad = await send(desk, "a.csv", EXAMS, kind="exam"), await send(desk, "a.csv", BROKEN, kind="exam")

    for answer, media in ((good, "application/json"), (bad, "application/problem+json")):
        schema = described["responses"][str(answer.status)]["content"][media]["schema"]
        assert faults(await answer.json(), schema, document) == []
    assert set(described["requestBody"]["content"]) == {"application/octet-stream"}
