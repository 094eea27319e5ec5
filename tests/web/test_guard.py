"""This machine only: addresses, Host headers, headers on every answer."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from qa.web.guard import NotLoopback, check_bind, content_policy, host_of
from qa.web.listen import CannotListen, listen
from tests.web.conftest import Running

Client = TestClient[Any, Any]
OPEN = ["0.0.0.0", "::", "", "192.168.1.5", "example.org", "10.0.0.1", "2130706433", "localhost.example.org", "127.1"]


@pytest.mark.parametrize("host", OPEN)
def test_an_address_that_others_reach_is_refused_in_one_line(host: str) -> None:
    with pytest.raises(NotLoopback) as refused:
        check_bind(host)

    assert "\n" not in str(refused.value)
    assert "127.0.0.1" in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "[::1]", "localhost", "LOCALHOST", "localhost."])
def test_a_loopback_address_is_taken(host: str) -> None:
    check_bind(host)


@pytest.mark.parametrize(
    ("header", "name"),
    [("127.0.0.1:8080", "127.0.0.1"), ("localhost", "localhost"), ("[::1]:80", "[::1]"), ("evil.org:80", "evil.org")],
)
def test_a_host_header_is_read_without_its_port(header: str, name: str) -> None:
    assert host_of(header) == name


async def test_a_non_loopback_address_is_never_bound() -> None:
    with pytest.raises(NotLoopback):
        await listen(web.Application(), "0.0.0.0", 0)


async def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CannotListen, match="SEATWATCH_WEB_PORT"):
        await listen(web.Application(), "127.0.0.1", taken.getsockname()[1])


async def test_a_free_port_is_served_and_told() -> None:
    runner, port = await listen(web.Application(), "127.0.0.1", 0)
    with socket.create_connection(("127.0.0.1", port), 2):
        await runner.cleanup()
    assert port > 0


@pytest.mark.parametrize(
    "host", ["evil.org", "evil.org:8080", "192.168.0.7", "127.0.0.1.nip.io", "localhost@evil.org", ""]
)
@pytest.mark.parametrize("path", ["/", "/api/v1/calls", "/api/v1/calls/C-01/recording", "/healthz", "/metrics"])
async def test_a_name_that_is_not_this_machine_gets_nothing(client: Client, host: str, path: str) -> None:
    answer = await client.get(path, headers={"Host": host})

    assert answer.status == 421
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8080"])
async def test_names_of_this_machine_are_answered(client: Client, host: str) -> None:
    assert (await client.get("/healthz", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},  # another port of this machine
        {"Origin": "https://evil.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "none"},
    ],
)
async def test_another_sites_page_cannot_ask_the_api(client: Client, said: dict[str, str]) -> None:
    assert (await client.get("/api/v1/calls", headers=said)).status == 403
    assert (await client.post("/api/v1/periods/2020-01/close", headers=said)).status == 403
    assert (await client.post("/api/v1/records", data=b"[]", headers=said)).status == 403


async def test_our_own_screens_may_ask(client: Client) -> None:
    own = {"Origin": f"http://127.0.0.1:{client.port}", "Sec-Fetch-Site": "same-origin"}
    assert (await client.get("/api/v1/calls", headers=own)).status == 200
    assert (await client.post("/api/v1/periods/2020-01/close", headers=own)).status != 403


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/calls", "/api/v1/nothing", "/api/v1/calls?limit=x"])
async def test_every_answer_carries_the_guarding_headers(client: Client, path: str) -> None:
    headers = (await client.get(path)).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "aiohttp" not in headers["Server"]


def test_styles_are_let_in_by_nonce_only() -> None:
    assert "style-src 'self';" in content_policy()
    assert "style-src 'self' 'nonce-abc';" in content_policy("abc")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v1/calls", "/api/v1/calls/C-01", "/", "/nothing"])
async def test_what_is_not_a_reading_is_a_problem(client: Client, method: str, path: str) -> None:
    answer = await client.request(method, path)
    problem = await answer.json()

    assert answer.status == 405
    assert answer.content_type == "application/problem+json"
    assert problem["instance"] == path
    assert "GET" in answer.headers["Allow"]


async def test_a_database_that_is_away_is_a_problem_with_when_to_come_again(services: Running, dsn: str) -> None:
    from aiohttp.test_utils import TestServer

    from qa.store.pool import Store
    from qa.web.app import make_app
    from tests.web.conftest import running

    store = await Store.open(dsn)
    await store.close()
    async with TestClient(TestServer(make_app(running(store, services.recordings)))) as client:
        for path in ("/api/v1/calls", "/api/v1/site", "/api/v1/calls/C-01", "/api/v1/stream", "/metrics"):
            answer = await client.get(path)
            assert answer.status == 503, path
            assert answer.content_type == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
        assert (await client.get("/healthz")).status == 200
        ready = await client.get("/readyz")
        assert ready.status == 503
        assert {check["name"]: check["ok"] for check in (await ready.json())["checks"]} == {
            "database": False, "schema": False, "backlog": False, "model": True,
        }  # fmt: skip
