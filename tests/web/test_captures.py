"""How much of each day was recorded, over HTTP: the newest finding of each day, with every call that is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from ingest.queue_log import LoggedCall
from qa.reconcile import Ours, Sound, reconcile
from qa.store import captures
from qa.web.captures import WHY, why
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


T0 = datetime(2026, 3, 2, 1, tzinfo=UTC)
LISTED = LoggedCall("1.1", "q", T0, T0, T0 + timedelta(seconds=60), "A01", "answered")
GAPS = ({"start_ms": 0, "end_ms": 1500, "cause": "loss"}, {"start_ms": 9000, "end_ms": 9500, "cause": "crash"})
CASES: list[tuple[str, Ours | None, dict[str, str]]] = [
    ("never_seen", None, {}),
    ("pending", Ours("1.1", T0, "ended"), {}),
    ("untapped", Ours("1.1", T0, "scored"), {}),
    ("unheard", Ours("1.1", T0, "scored", legs=2), {"legs": "2"}),
    ("unkept", Ours("1.1", T0, "scored", legs=2, heard=1), {}),
    ("lost", Ours("1.1", T0, "scored", sound=Sound(60_000, GAPS)), {"seconds": "2.0", "causes": "crash, loss"}),
    ("short", Ours("1.1", T0, "scored", sound=Sound(20_000)), {"ours": "20.0", "theirs": "60"}),
]


@pytest.mark.parametrize(("name", "known", "values"), CASES, ids=[name for name, _, _ in CASES])
def test_every_reason_has_a_name_that_screens_say_in_their_language(
    name: str, known: Ours | None, values: dict[str, str]
) -> None:
    (line,) = reconcile([LISTED], [known] if known else []).missing

    assert why(line.reason) == {"why": name, "values": values}


def test_a_reason_of_another_release_is_shown_as_it_is() -> None:
    assert {name for name, _, _ in CASES} == set(WHY)
    assert why("the tape was eaten") == {}
