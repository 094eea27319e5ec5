"""Entry by hand over HTTP: what a form is made from, what rules a person may name, corrections, registers."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from qa.runs import pack_body
from qa.store import packs, publications
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.guard import Principal
from scoring.load import load_pack, shipped
from scoring.records.kinds import CASE_TYPES, FIELDS, FIGURES, PARTS
from tests.scoring.records.build import raw
from tests.web import seed
from tests.web.conftest import POLITE, Running, running

Client = TestClient[Any, Any]
RECORDS = "/api/v1/records"


@pytest.fixture
async def services(store: Store, tmp_path: Any) -> Running:
    return running(store, tmp_path)


@pytest.fixture
async def desk(services: Running) -> Any:
    async with TestClient(TestServer(make_app(services))) as one:
        yield one


async def send(client: Client, *given: Any) -> Any:
    answer = await client.post(RECORDS, json={"records": given})
    return answer.status, await answer.json()


async def listed(client: Client, **query: str) -> list[str]:
    return [one["record"]["id"] for one in (await (await client.get(RECORDS, params=query)).json())["items"]]


async def test_a_form_can_be_made_of_every_kind(desk: Client) -> None:
    told = await (await desk.get("/api/v1/kinds")).json()

    assert {one["kind"]: {field["name"] for field in one["fields"]} for one in told["kinds"]} == {
        kind: set(fields) - {"kind"} for kind, fields in FIELDS.items()
    }
    assert {name: [one["name"] for one in fields] for name, fields in told["parts"].items()} == {
        name: list(fields) for name, fields in PARTS.items()
    }
    assert set(told["case_types"]) == set(CASE_TYPES) and told["figures"] == dict(FIGURES)
    words = [field for one in told["kinds"] for field in one["fields"] if field["type"] in ("enum", "[enum]")]
    assert words and all(field["values"] for field in words)


async def test_rules_carry_their_clause_and_what_may_be_set(desk: Client) -> None:
    own = await (await desk.get("/api/v1/rules")).json()
    other = await (await desk.get("/api/v1/rules", params={"pack": "a80"})).json()
    by_id = {one["rule"]: one for one in other["items"]}

    assert own["pack"] == "bes" and {"bes", "a80"} <= set(own["packs"])
    assert by_id["A80-L04"]["ranges"] == [{"min": "-5", "max": "-2"}]
    assert (by_id["A80-L02"]["points"], by_id["A80-L02"]["ranges"]) == ("-2", [])
    assert all(one["cite"] and one["quote"] and one["title"]["zh"] for one in own["items"])
    assert not [one["rule"] for one in own["items"] if one["decide"] == "norm" and one["rule"].startswith("BES-16")]
    assert (await desk.get("/api/v1/rules", params={"pack": "nobody"})).status == 404


NEW_CLAUSE = """
BES-77:
  cite: 第二节 77
  quote: 不整理工位一次扣1分
  title: {zh: 工位不整, ko: 자리 정돈, en: Untidy desk}
  decide: manual
  per: occurrence
  needs: [observation]
  points: {unit: point, values: {0001-01-01: "-1"}}
"""


async def test_what_the_site_published_is_offered_and_taken_from_its_month_on(
    desk: Client, services: Running, tmp_path: Any
) -> None:
    folder = tmp_path / "bes2"
    shutil.copytree(shipped("bes"), folder)
    with (folder / "deductions.yaml").open("a", encoding="utf-8") as file:
        file.write(NEW_CLAUSE)
    pack = load_pack(folder)
    seen = {"kind": "observation", "rule": "BES-77", "agent": "Wang", "source": "person", "entered_by": "Zhao",
            "reason": "seen on the round"}  # fmt: skip
    early, late = ({"id": f"o{day}", **seen, "day": day} for day in ("2026-03-31", "2026-04-02"))
    assert (await send(desk, late))[0] == 422
    async with services.store.site(services.site, "Lin") as tx:
        kept = packs.Pack(pack.sha, pack.id, pack.version, pack_body(pack))
        await publications.publish(tx, kept, date(2026, 4, 5), shadow=False, at=datetime(2026, 4, 1, tzinfo=UTC))

    told = await (await desk.get("/api/v1/rules")).json()
    assert "BES-77" in [one["rule"] for one in told["items"]]
    status, refused = await send(desk, early)
    assert status == 422 and "there is no rule BES-77" in str(refused)
    assert (await send(desk, late))[0] == 200  # a month is scored by what holds on its last day


@pytest.mark.parametrize(
    ("other", "field", "says"),
    [
        ({"rule": ["A80-L04"], "points": "-1"}, "points", "-5 to -2"),
        ({"rule": ["A80-L02"], "points": "-2"}, "points", "no range"),
        ({"rule": ["A80-L99"], "points": None}, "rule", "there is no rule"),
        ({"rule": ["XYZ-1"], "points": None}, "rule", "there is no rule"),
        ({"rule": ["BES-17", "A80-L04"], "points": "-9"}, "points", "outside|no range"),
    ],
)
async def test_what_a_clause_does_not_print_cannot_be_set(
    desk: Client, other: dict[str, Any], field: str, says: str
) -> None:
    status, problem = await send(desk, raw("observation", **other))

    assert status == 422
    (refused,) = problem["refused"]
    assert refused["field"] == field
    assert any(one in refused["reason"] for one in says.split("|"))
    assert (await send(desk, raw("observation", rule=["A80-L04"], points="-2")))[0] == 200


@pytest.mark.parametrize(
    ("language", "letter"),
    [
        ("zh-CN", "此项必填"),
        ("ko", "꼭 필요한 항목입니다"),
        ("en", "cannot do without it"),
        (None, "cannot do without it"),
    ],
)
async def test_letters_come_in_the_language_that_is_asked_for(desk: Client, language: str | None, letter: str) -> None:
    headers = {"Accept-Language": language} if language else {}
    answer = await desk.post(RECORDS, json={"records": [raw("exam", exam=None)]}, headers=headers)

    assert letter in (await answer.json())["refused"][0]["reason"]


async def test_nobody_judges_a_call_of_their_own(desk: Client, services: Running) -> None:
    await seed.put(services.store, services.site, services.recordings, seed.Spoken("C-1", POLITE, agent="A01"))
    seen = {"rule": ["BES-14"], "points": None, "about": "C-1", "agent": "A01"}
    status, problem = await send(desk, raw("observation", entered_by="A01", **seen))

    assert (status, problem["refused"][0]["field"]) == (422, "reviewer")
    assert (await send(desk, raw("observation", entered_by="A02", **seen)))[0] == 200


async def test_a_withdrawal_is_listed_apart_and_taken_back_by_a_new_version(desk: Client) -> None:
    void = {"kind": "exam", "id": "r2", "void": True, "supersedes": "r1", "reason": "wrong", "source": "exam"}
    await send(desk, raw("exam"), raw("order", "o1"))
    assert (await send(desk, void))[0] == 200
    assert (await listed(desk), await listed(desk, withdrawn="true")) == (["o1"], ["r2"])

    back = raw("exam", "r3", supersedes="r2", reason="it was right")
    assert (await send(desk, back))[0] == 200
    versions = (await (await desk.get(f"{RECORDS}/r1")).json())["items"]
    assert [one["record"]["id"] for one in versions] == ["r1", "r2", "r3"]
    assert (await listed(desk), await listed(desk, withdrawn="true")) == (["r3", "o1"], [])


async def test_a_list_asks_by_kind_person_month_and_source(desk: Client) -> None:
    await send(
        desk, raw("exam", "e1"), raw("exam", "e2", agent="Wu", day="2026-04-02"),
        raw("attendance", "a1", source="person", entered_by="kim"),
    )  # fmt: skip

    assert await listed(desk, source="person") == ["a1"]
    assert await listed(desk, kind="exam", agent="Wu") == ["e2"]
    assert await listed(desk, **{"from": "2026-03-01", "to": "2026-03-31"}) == ["a1", "e1"]
    assert (await (await desk.get("/api/v1/people")).json())["agents"] == ["Lin", "Wu"]


async def test_only_the_owner_connects_a_register(store: Store, services: Running) -> None:
    for role, status in (("owner", 200), ("assessor", 403), ("handler", 403), ("auditor", 403)):
        async with TestClient(TestServer(make_app(services, principal=Principal("kim", role)))) as client:
            answer = await client.post("/api/v1/registers", json={"name": "leave", "since": "2026-03-01"})
            assert answer.status == status, role
            assert (await (await client.get("/api/v1/me")).json()) == {"actor": "kim", "role": role}


async def test_a_register_is_connected_from_a_day_on_and_let_go(desk: Client) -> None:
    address = "/api/v1/registers"
    on = await (await desk.post(address, json={"name": "case", "since": "2026-03-01"})).json()
    off = await (await desk.post(address, json={"name": "case", "since": None})).json()

    assert {one["name"]: one["since"] for one in on["items"]} == {
        "leave": None,
        "attendance": None,
        "case": "2026-03-01",
    }
    assert [one["since"] for one in off["items"]] == [None, None, None]
    for body in ({"name": "lunch", "since": None}, {"name": "case"}, {"name": "case", "since": "soon"}, [], 7):
        answer = await desk.post(address, json=body)
        assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert (await desk.post(address, data="x")).status == 415
