"""Records over HTTP: taken whole or in part, refused by place, listed with versions, by the roles that may."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from qa.store import records
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.guard import Principal
from tests.postgres import SITE
from tests.scoring.records.build import raw
from tests.web.conftest import running
from tests.web.shapes import faults

Client = TestClient[Any, Any]
ADDRESS = "/api/v1/records"


@pytest.fixture
async def desk(store: Store, tmp_path: Any) -> Any:
    """A client on an empty site of the test's own."""
    async with TestClient(TestServer(make_app(running(store, tmp_path)))) as one:
        yield one


async def send(client: Client, *given: Any, partial: bool = False) -> ClientResponse:
    params = {"partial": "true"} if partial else {}
    return await client.post(ADDRESS, json={"records": given}, params=params)


async def ids(client: Client, **query: str) -> list[str]:
    body = await (await client.get(ADDRESS, params=query)).json()
    return [one["record"]["id"] for one in body["items"]]


async def test_records_are_taken_once_and_come_back_as_they_were_sent(desk: Client) -> None:
    first = await send(desk, raw("exam"), raw("call", "k1"))
    again = await send(desk, raw("exam"))

    assert (first.status, await first.json()) == (200, {"accepted": 2, "duplicates": 0, "refused": []})
    assert await again.json() == {"accepted": 0, "duplicates": 1, "refused": []}
    body = await (await desk.get(ADDRESS, params={"kind": "exam"})).json()
    (kept,) = body["items"]
    assert kept["record"] == raw("exam")
    assert (kept["actor"], kept["version"]) == ("owner", 1)


async def test_one_refusal_stops_all_unless_a_part_will_do(desk: Client) -> None:
    given = [raw("exam"), raw("exam", "e2", score=1.5, colour="red"), "no record", raw("exam", score="61")]
    whole = await send(desk, *given)
    problem = await whole.json()

    assert (whole.status, whole.content_type) == (422, "application/problem+json")
    assert [(one["index"], one["field"]) for one in problem["refused"]] == [
        (1, "score"), (1, "colour"), (2, "record"), (3, "id"),
    ]  # fmt: skip
    assert "partial=true" in problem["detail"]
    assert await ids(desk) == []

    part = await (await send(desk, *given, partial=True)).json()
    assert (part["accepted"], len(part["refused"])) == (1, 4)
    assert await ids(desk) == ["r1"]


async def test_lines_are_taken_too(desk: Client) -> None:
    rows = "\n".join(json.dumps(raw("exam", f"e{n}")) for n in range(3))
    headers = {"Content-Type": "application/x-ndjson"}

    assert (await (await desk.post(ADDRESS, data=rows, headers=headers)).json())["accepted"] == 3
    broken = await desk.post(ADDRESS, data=rows + "\n{", headers=headers)
    assert (broken.status, (await broken.json())["refused"][0]["index"]) == (422, 3)


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        ("{", "application/json", 400), ("7", "application/json", 400), ("{}", "application/json", 400),
        ('{"records": [], "more": 1}', "application/json", 400), ('{"records": 1}', "application/json", 400),
        ('{"records": [], "records": []}', "application/json", 400), ("[" * 100_000, "application/json", 400),
        (b"\xff", "application/json", 400), ("[]", "text/plain", 415), ("[]", "application/octet-stream", 415),
        (json.dumps([{}] * 1001), "application/json", 413), (" " * 5_000_000 + "[]", "application/json", 413),
    ],
)  # fmt: skip
async def test_a_body_that_is_no_list_of_records_is_a_problem(desk: Client, body: Any, media: str, status: int) -> None:
    sent = io.BytesIO(body if isinstance(body, bytes) else body.encode())
    answer = await desk.post(ADDRESS, data=sent, headers={"Content-Type": media})

    assert (answer.status, answer.content_type) == (status, "application/problem+json")


async def test_a_list_goes_on_at_its_cursor_and_asks_by_day(desk: Client) -> None:
    await send(desk, *(raw("exam", f"e{n}", day=f"2026-03-{n:02}") for n in range(1, 6)))
    first = await (await desk.get(ADDRESS, params={"limit": "2"})).json()
    second = await (await desk.get(ADDRESS, params={"limit": "2", "cursor": first["next"]})).json()

    assert [one["record"]["id"] for one in first["items"] + second["items"]] == ["e5", "e4", "e3", "e2"]
    assert await ids(desk, **{"from": "2026-03-02", "to": "2026-03-03"}) == ["e3", "e2"]
    for query in ({"cursor": "x"}, {"limit": "0"}, {"from": "soon"}, {"colour": "red"}):
        assert (await desk.get(ADDRESS, params=query)).status == 400


async def test_a_record_shows_what_it_replaced(desk: Client) -> None:
    await send(desk, raw("exam"), raw("exam", "r2", score="70", supersedes="r1", reason="read again"))
    found = await (await desk.get(f"{ADDRESS}/r1")).json()

    assert [(one["version"], one["record"]["score"]) for one in found["items"]] == [(1, "59.5"), (2, "70")]
    assert (await desk.get(f"{ADDRESS}/nobody")).status == 404


@pytest.mark.parametrize(
    ("role", "kind", "status"),
    [
        ("owner", "exam", 200), ("assessor", "exam", 200), ("source", "exam", 200), ("handler", "case", 200),
        ("handler", "exam", 403), ("supervisor", "exam", 403), ("agent", "exam", 403), ("auditor", "exam", 403),
    ],
)  # fmt: skip
async def test_each_role_enters_what_it_may(store: Store, tmp_path: Any, role: str, kind: str, status: int) -> None:
    async with TestClient(TestServer(make_app(running(store, tmp_path), principal=Principal("kim", role)))) as client:
        assert (await send(client, raw(kind))).status == status
    async with store.site(SITE, "reader") as tx:
        assert [one.actor for one in (await records.page(tx, records.Wanted())).items] == ["kim"] * (status == 200)


async def test_another_site_s_page_cannot_send(desk: Client) -> None:
    answer = await desk.post(ADDRESS, json=[raw("exam")], headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status == 403
    assert await ids(desk) == []


async def test_deliveries_and_registers_are_shown(desk: Client, store: Store) -> None:
    await send(desk, raw("exam"))
    async with store.site(SITE, "owner") as tx:
        await records.connect(tx, "leave", date(2026, 3, 1))
    (delivery,) = (await (await desk.get("/api/v1/deliveries")).json())["items"]
    registers = (await (await desk.get("/api/v1/registers")).json())["items"]

    assert (delivery["name"], delivery["accepted"]) == ("request from 127.0.0.1", 1)
    assert {one["name"]: one["since"] for one in registers} == {"leave": "2026-03-01", "attendance": None, "case": None}


async def test_what_is_answered_to_a_sender_fits_its_schema(desk: Client) -> None:
    document = await (await desk.get("/api/v1/openapi.json")).json()
    described = document["paths"][ADDRESS]["post"]
    good, bad = await send(desk, raw("exam")), await send(desk, {})

    for answer, media in ((good, "application/json"), (bad, "application/problem+json")):
        schema = described["responses"][str(answer.status)]["content"][media]["schema"]
        assert faults(await answer.json(), schema, document) == []
    assert set(described["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}
