"""Months over HTTP: the list, one sheet, closing once, and two people for a dismissal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from qa.settings import Settings
from qa.store import choices, records
from qa.store.pool import Store
from qa.web.app import make_app
from qa.web.guard import Principal
from scoring.records.admit import parse
from scoring.records.record import Record
from tests.postgres import SITE
from tests.web.conftest import Running
from tests.web.seed import ZONE

Client = TestClient[Any, Any]
MARCH = "/api/v1/periods/2026-03"
ROWS: tuple[dict[str, Any], ...] = (
    *(
        {"kind": "person", "agent": agent, "day": "2026-01-01", "team": team, "role": "agent", "hired": "2025-06-01",
         "source": "hr"}
        for agent, team in (("Wang", "north"), ("Li", "north"), ("Chen", "south"))
    ),
    *(
        {"kind": "observation", "rule": rule, "agent": agent, "day": "2026-03-06", "source": "person",
         "entered_by": "Zhao", "reason": "seen on the round"}
        for rule, agent in (("A80-L02", "Li"), ("A80-V07", "Wang"))
    ),
)  # fmt: skip


async def fill(store: Store) -> None:
    """Three people, a messy desk, somebody asleep; money is on."""
    found = [parse({"id": f"r{number}", **row}, ZONE) for number, row in enumerate(ROWS)]
    async with store.site(SITE, "Zhao") as tx:
        added = await records.add_records(tx, [one for one in found if isinstance(one, Record)], name="test")
        await choices.put(tx, "money", "record_only")
    assert added.accepted == len(ROWS)


@pytest.fixture
async def services(store: Store, tmp_path: Path) -> Running:
    await fill(store)
    return Running(Settings(data=tmp_path, pack="a80"), store, tmp_path)


@pytest.fixture
async def client(services: Running) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(services))) as one:
        yield one


async def decide(services: Running, by: str, agent: str, step: str, reason: str = "heard") -> tuple[int, Any]:
    async with TestClient(TestServer(make_app(services, principal=Principal(by, "owner")))) as one:
        body = {"kind": "dismissal", "step": step, "reason": reason}
        answer = await one.post(f"{MARCH}/{agent}/decide", json=body)
        return answer.status, await answer.json()


async def test_a_month_lists_people_and_a_sheet_tells_every_line(client: Client) -> None:
    month = await (await client.get(MARCH)).json()
    sheet = await (await client.get(f"{MARCH}/Li")).json()

    assert month["closed"] is None
    assert month["over"]
    people = {one["who"]: one for one in month["items"] if one["kind"] == "person"}
    assert {name: one["score"] for name, one in people.items()} == {"Li": "78", "Wang": "80", "Chen": "80"}
    assert people["Li"]["pay"] == "-20"
    assert people["Wang"]["recommendations"] == [{"kind": "dismissal", "state": "proposed"}]
    (line,) = [one for one in sheet["lines"] if one["rule"] == "A80-L02"]
    assert (line["points"], line["quote"], line["findings"][0]["decided_by"]) == (
        "-2",
        "交接班后本人办公桌面凌乱2分/次",
        "Zhao",
    )


async def test_what_is_entered_is_seen_at_once(client: Client, services: Running) -> None:
    before = await (await client.get(MARCH)).json()
    late = parse({**ROWS[3], "id": "late", "agent": "Chen"}, ZONE)
    assert isinstance(late, Record)
    async with services.store.site(SITE, "Zhao") as tx:
        await records.add_records(tx, [late], name="test")

    after = await (await client.get(MARCH)).json()

    def score(month: Any) -> Any:
        return next(one["score"] for one in month["items"] if one["who"] == "Chen" and one["kind"] == "person")

    assert (score(before), score(after)) == ("80", "78")


async def test_a_month_is_closed_once(client: Client) -> None:
    closed = await client.post(f"{MARCH}/close")
    again = await client.post(f"{MARCH}/close")
    names = await (await client.get("/api/v1/periods")).json()

    assert closed.status == 200
    assert (await closed.json())["closed"]["by"] == "owner"
    assert again.status == 409
    assert "closed by owner" in (await again.json())["detail"]
    assert {"month": "2026-03", "closed": True} in names["items"]
    assert {"month": "2026-04", "closed": False} in names["items"]


@pytest.mark.parametrize("name", ["2026-13", "2026", "2026-W10", "nonsense"])
async def test_what_is_no_month_is_not_found(client: Client, name: str) -> None:
    assert (await client.get(f"/api/v1/periods/{name}")).status == 404


async def test_a_dismissal_takes_two_people(services: Running) -> None:
    assert (await decide(services, "kim", "Wang", "approve"))[0] == 409
    assert (await decide(services, "kim", "Wang", "review")) == (200, {"state": "reviewed", "caution": ["L5"]})
    assert (await decide(services, "kim", "Wang", "approve"))[0] == 403
    assert (await decide(services, "Wang", "Wang", "reject"))[0] == 403
    assert (await decide(services, "owner", "Wang", "approve", "agreed"))[0] == 200
    assert (await decide(services, "owner", "Wang", "reject"))[0] == 409
    assert (await decide(services, "owner", "Li", "review"))[0] == 409

    async with TestClient(TestServer(make_app(services))) as one:
        sheet = await (await one.get(f"{MARCH}/Wang")).json()
    (advice,) = sheet["recommendations"]
    assert advice["state"] == "approved"
    assert [(step["by"], step["reason"]) for step in advice["steps"]] == [("kim", "heard"), ("owner", "agreed")]


async def test_a_decision_needs_its_words(services: Running, client: Client) -> None:
    assert (await decide(services, "kim", "Wang", "review", " "))[0] == 422
    assert (await decide(services, "kim", "Wang", "promote"))[0] == 422
    assert (await client.post(f"{MARCH}/Wang/decide", data=b"x")).status == 415


async def adjust(services: Running, by: str, agent: str, role: str = "owner", **told: Any) -> tuple[int, Any]:
    async with TestClient(TestServer(make_app(services, principal=Principal(by, role)))) as one:
        answer = await one.post(f"{MARCH}/{agent}/adjust", json=told)
        return answer.status, await answer.json()


async def test_a_closed_month_is_adjusted_with_a_reason_and_taken_back_by_its_opposite(
    services: Running, client: Client
) -> None:
    assert (await adjust(services, "kim", "Li", points="2", reason="appeal"))[0] == 409  # it is open
    await client.post(f"{MARCH}/close")

    status, made = await adjust(services, "kim", "Li", points="2", pay="-1.50", reason="appeal granted")
    assert (status, made["carried"], made["points"], made["pay"], made["by"]) == (200, "2026-04", "2", "-1.5", "kim")
    status, back = await adjust(services, "kim", "Li", undo=made["n"], reason="entered for the wrong person")
    assert (status, back["points"], back["pay"]) == (200, "-2", "1.5")

    sheet = await (await client.get(f"{MARCH}/Li")).json()
    told = [(one["points"], one["reason"], one["by"]) for one in sheet["adjustments"]]
    assert told == [("2", "appeal granted", "kim"), ("-2", "entered for the wrong person", "kim")]


@pytest.mark.parametrize(
    ("by", "role", "agent", "told", "status"),
    [
        ("kim", "owner", "Li", {"points": "2"}, 422),
        ("kim", "owner", "Li", {"points": "2", "reason": " "}, 422),
        ("kim", "owner", "Li", {"points": "1e9", "reason": "x"}, 422),
        ("kim", "owner", "Li", {"reason": "nothing to change"}, 409),
        ("kim", "owner", "Nobody", {"points": "2", "reason": "x"}, 409),
        ("kim", "owner", "Li", {"undo": 99, "reason": "x"}, 409),
        ("Li", "owner", "Li", {"points": "2", "reason": "for myself"}, 403),
        ("zoe", "supervisor", "Li", {"points": "2", "reason": "x"}, 403),
        ("aud", "auditor", "Li", {"points": "2", "reason": "x"}, 403),
        ("ann", "assessor", "Li", {"points": "2", "reason": "x"}, 200),
    ],
)
async def test_who_may_adjust_what(
    services: Running, client: Client, by: str, role: str, agent: str, told: dict[str, Any], status: int
) -> None:
    await client.post(f"{MARCH}/close")
    assert (await adjust(services, by, agent, role, **told))[0] == status


async def test_an_agent_sees_the_own_sheet_only(services: Running) -> None:
    async with TestClient(TestServer(make_app(services, principal=Principal("Li", "agent")))) as one:
        assert (await one.get(f"{MARCH}/Li")).status == 200
        assert (await one.get(f"{MARCH}/Wang")).status == 404
        assert (await one.get(MARCH)).status == 403
