"""The table of routes, the OpenAPI document made from it, and what the service really answers."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from qa.store.people import Role
from qa.web.app import make_app
from qa.web.guard import Principal
from qa.web.routes import ANYBODY, ROUTES, WORDS, Route
from tests.web.conftest import Running
from tests.web.shapes import faults

Client = TestClient[Any, Any]
ADDRESSES = {"{id}": "C-02", "{seat}": "S06", "{month}": "2026-11", "{agent}": "A01"}


def address(route: Route) -> str:
    path = route.path
    for name, value in ADDRESSES.items():
        path = path.replace(name, value)
    return path


def route_id(route: Route) -> str:
    return route.path


@pytest.fixture
async def document(client: Client) -> dict[str, Any]:
    return dict(await (await client.get("/api/v1/openapi.json")).json())


async def test_every_served_route_stands_in_the_table(client: Client) -> None:
    served = {resource.canonical for resource in client.app.router.resources()}

    assert served - {"/{page}"} == {route.path for route in ROUTES}


def test_every_role_of_the_table_is_a_role_that_people_hold() -> None:
    known = {str(role) for role in Role}

    for route in ROUTES:
        assert route.roles == ANYBODY or {str(role) for role in route.roles} <= known, route.path
        assert route.roles, route.path


def test_sources_may_only_send_and_the_admin_sees_no_score() -> None:
    for route in ROUTES:
        if route.path.startswith("/api/v1/") and route.roles != ANYBODY:
            assert Role.ADMIN not in route.roles, route.path
            assert Role.SOURCE not in route.roles or route.method == "POST", route.path


def test_an_auditor_reads_everything_but_audio_and_transcripts() -> None:
    closed = {route for route in ROUTES if route.roles != ANYBODY and Role.AUDITOR not in route.roles}

    assert {route.name for route in closed if route.method == "GET"} == {"get_transcript", "get_recording"}
    assert not [route for route in ROUTES if route.method != "GET" and Role.AUDITOR in route.roles]


def test_the_document_describes_exactly_the_table(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {route.path for route in ROUTES}
    for route in ROUTES:
        described = document["paths"][route.path][route.method.lower()]
        assert described["summary"] == route.summary
        assert described["x-roles"] == sorted(str(role) for role in route.roles)


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    def refs(part: Any) -> Any:
        if isinstance(part, dict):
            yield from ([part["$ref"]] if "$ref" in part else [])
        for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from refs(one)

    for ref in refs(document):
        assert ref.rpartition("/")[2] in document["components"]["schemas"], ref


@pytest.mark.parametrize(
    "route",
    [one for one in ROUTES if one.answer and one.media == "application/json" and one.method == "GET"],
    ids=route_id,
)
async def test_what_is_answered_fits_its_schema(client: Client, document: dict[str, Any], route: Route) -> None:
    answer = await client.get(address(route))
    schema = document["paths"][route.path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    assert answer.status == 200
    assert faults(await answer.json(), schema, document) == []


@pytest.mark.parametrize("id", ["C-01", "C-03", "C-04", "C-05", "C-06", "C-07", "C-08", "C-09"])
@pytest.mark.parametrize("part", ["", "/scorecard", "/transcript", "/events"])
async def test_every_kind_of_call_fits_its_schema(client: Client, document: dict[str, Any], id: str, part: str) -> None:
    answer = await client.get(f"/api/v1/calls/{id}{part}")
    responses = document["paths"][f"/api/v1/calls/{{id}}{part}"]["get"]["responses"]
    media, content = next(iter(responses[str(answer.status)]["content"].items()))

    assert answer.content_type == media
    assert faults(await answer.json(), content["schema"], document) == []


@pytest.mark.parametrize("role", [*Role, "nobody"])
async def test_each_route_opens_to_its_roles_only(services: Running, role: str) -> None:
    app = make_app(services, principal=Principal("somebody", str(role)))
    async with TestClient(TestServer(app)) as client:
        for route in ROUTES:
            answer = await client.request(route.method, address(route))
            answer.close()
            refused = route.roles != ANYBODY and role not in route.roles
            assert (answer.status == 403) is refused, (route.path, role, answer.status)


async def test_words_of_a_call_are_for_those_who_may_hear_it() -> None:
    assert {route.name for route in ROUTES if route.roles == WORDS} == {"get_transcript", "get_recording"}
