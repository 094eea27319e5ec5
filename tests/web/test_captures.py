"""How much of each day was recorded, over HTTP: the newest finding of each day, with every call that is missing."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp.test_utils import TestClient

from qa.store import captures
from tests.postgres import SITE
from tests.web.conftest import Running

Client = TestClient[Any, Any]


def found(day: int, recorded: int, name: str = "queue_log") -> captures.Capture:
    missing = {
        "call": "1.1",
        "at": "2026-03-02T09:00:00+08:00",
        "state": "never_seen",
        "reason": "neither",
        "ours": None,
    }
    return captures.Capture(
        day=date(2026, 3, day), list=name, listed=recorded + 2, recorded=recorded, gaps=0, no_audio=0, never_seen=1,
        nothing=1, excluded=0, refused=0, unlisted=0, missing=(missing,),
    )  # fmt: skip


async def test_the_rate_of_each_day_can_be_listed(client: Client, services: Running) -> None:
    async with services.store.site(SITE, "kim") as tx:
        for one in (found(2, 1, "first"), found(2, 3), found(3, 9), found(5, 0)):
            await captures.add(tx, one)

    told = await (await client.get("/api/v1/captures")).json()
    assert [(one["day"], one["rate"]) for one in told["items"]] == [
        ("2026-03-05", 0), ("2026-03-03", 0.9), ("2026-03-02", 0.75),
    ]  # fmt: skip
    assert told["items"][2]["files"] == "queue_log" and told["items"][0]["actor"] == "kim"
    assert told["items"][0]["missing"][0]["reason"] == "neither"

    some = await (await client.get("/api/v1/captures?first=2026-03-03&last=2026-03-04")).json()
    assert [one["day"] for one in some["items"]] == ["2026-03-03"]
    assert (await client.get("/api/v1/captures?first=soon")).status == 400
