"""What machines that watch the service are told."""

from __future__ import annotations

from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from qa.web.app import make_app
from tests.web.conftest import Running

Client = TestClient[Any, Any]


async def test_a_service_that_is_well_is_ready(client: Client) -> None:
    answer = await client.get("/readyz")
    checks = {check["name"]: check for check in (await answer.json())["checks"]}

    assert answer.status == 200
    assert set(checks) == {"database", "schema", "backlog", "model"}
    assert "to fold" in checks["backlog"]["detail"]


async def test_a_model_that_is_still_loading_is_not_ready(services: Running) -> None:
    services.status["model"] = "loading"
    try:
        async with TestClient(TestServer(make_app(services))) as client:
            answer = await client.get("/readyz")
            assert answer.status == 503
            assert (await answer.json())["ready"] is False
            assert (await client.get("/healthz")).status == 200
    finally:
        services.status["model"] = "fixture"


async def test_figures_are_readable_by_prometheus(client: Client) -> None:
    await client.get("/healthz")
    text = await (await client.get("/metrics")).text()
    found = {family.name: family for family in text_string_to_metric_families(text)}
    calls = {sample.labels["kind"]: sample.value for sample in found["seatwatch_calls"].samples}

    assert (calls["calls"], calls["scored"], calls["live"]) == (10, 8, 1)
    assert any(sample.labels.get("route") == "/healthz" for sample in found["seatwatch_http_requests"].samples)
    assert "seatwatch_http_seconds" in found


async def test_labels_never_carry_what_a_stranger_wrote(client: Client) -> None:
    await client.get("/api/v1/calls/some-strange-id")
    text = await (await client.get("/metrics")).text()

    assert "some-strange-id" not in text
