"""Lists and single calls as the screens ask for them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient

from tests.web.conftest import CALLS

Client = TestClient[Any, Any]


async def got(client: Client, path: str, status: int = 200) -> Any:
    answer = await client.get("/api/v1" + path)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def ids(client: Client, query: str) -> list[str]:
    return [row["id"] for row in (await got(client, f"/calls?{query}"))["items"]]


async def walk(client: Client, query: str) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = await got(client, f"/calls?{query}{cursor}")
        found += [row["id"] for row in page["items"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={quote(page['next'])}"


@pytest.mark.parametrize("sort", ["newest", "flagged"])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 10, 200])
async def test_pages_of_any_size_hold_each_call_once(client: Client, sort: str, limit: int) -> None:
    whole = await ids(client, f"sort={sort}&limit=200")

    assert sorted(whole) == sorted(one.id for one in CALLS)
    assert await walk(client, f"sort={sort}&limit={limit}") == whole


async def test_newest_first_is_the_order_of_time(client: Client) -> None:
    assert await ids(client, "") == [one.id for one in reversed(CALLS)]


async def test_flagged_first_puts_every_flagged_call_before_the_others(client: Client) -> None:
    found = await ids(client, "sort=flagged")

    assert set(found[:4]) == {"C-02", "C-03", "C-04", "C-07"}
    assert found[:4] == sorted(found[:4], reverse=True)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("flagged=true", {"C-02", "C-03", "C-04", "C-07"}),
        ("flagged=true&sort=flagged", {"C-02", "C-03", "C-04", "C-07"}),
        ("flagged=false&sort=flagged&outcome=unknown", {"C-05", "C-06"}),
        ("outcome=breach", {"C-02", "C-03", "C-07"}),
        ("outcome=review", {"C-04", "C-07"}),
        ("outcome=unknown", {"C-05", "C-06"}),
        ("outcome=met", set()),
        ("agent=A02", {"C-02", "C-03"}),
        ("agent=A02&outcome=breach&flagged=true", {"C-02", "C-03"}),
        ("day=2026-11-20&agent=A03", {"C-04"}),
        ("day=2026-11-19", set()),
        ("state=live", {"C-09"}),
        ("state=transcribed", {"C-08"}),
        ("text=c-0&state=live", {"C-09"}),
        ("text=%25", {"C/10 ..%2f 坐席"}),
        ("text=_", set()),
    ],
)
async def test_filters_narrow_the_list(client: Client, query: str, wanted: set[str]) -> None:
    assert set(await ids(client, query)) == wanted


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=201", "limit=x", "sort=best", "day=yesterday", "outcome=bad", "state=odd", "flagged=maybe"),
        *("cursor=AAAA", "cursor=%00", "sort=flagged&cursor=xyz", "agent=", f"text={'x' * 129}", "colour=red"),
        "agent=A01&agent=A02",
    ],
)
async def test_a_query_that_does_not_fit_is_a_problem_that_says_why(client: Client, query: str) -> None:
    problem = await got(client, f"/calls?{query}", 400)

    assert problem["status"] == 400
    assert len(problem["detail"]) > 10


async def test_a_call_carries_its_measures_and_what_names_its_run(client: Client) -> None:
    call = await got(client, "/calls/C-02")

    assert call["metrics"]["ring_count"] == 4
    assert call["metrics"]["ring_seconds"] == 17.2
    assert call["recording_info"]["roles"] == ["customer", "agent"]
    assert len(call["run"]["inputs"]) == 64
    assert call["flags"]["breach"][0]["rule"] == "BES-16"
    assert call["flags"]["breach"][0]["title"]["zh"]


async def test_automatic_and_counted_stand_apart_and_a_flag_for_review_moves_neither(client: Client) -> None:
    call = await got(client, "/calls/C-04")

    assert [flag["rule"] for flag in call["flags"]["review"]] == ["BES-14"]
    assert call["score"] == {"automatic": "0", "counted": "0", "assumed": False, "unknown": 0}


async def test_a_deducted_point_cites_clause_quote_and_evidence(client: Client) -> None:
    card = await got(client, "/calls/C-02/scorecard")
    line = next(line for line in card["lines"] if line["rule"] == "BES-16")

    assert (line["outcome"], line["cite"], line["points"]) == ("breach", "第二节 16", "-0.5")
    assert line["quote"] == "来电响铃三次以内不能接听的,一次扣分"
    assert line["assumed"] and line["counts"]
    assert {"ring_count", "ring_seconds"} <= {one["fact"] for one in line["evidence"]}


async def test_a_gap_in_the_greeting_leaves_the_rule_undecided(client: Client) -> None:
    call = await got(client, "/calls/C-06")

    assert call["flags"]["unknown"] == {"gap": 1}
    assert call["recording_info"]["gaps"] == [{"role": "agent", "start_ms": 0, "end_ms": 3000, "cause": "loss"}]


async def test_one_mixed_channel_is_told_as_such(client: Client) -> None:
    call = await got(client, "/calls/C-05")

    assert (call["channels"], call["recording_info"]["channels"], call["recording_info"]["roles"]) == (
        "mixed",
        "mixed",
        ["unknown"],
    )
    assert call["flags"]["unknown"] == {"mixed_channel": 2}  # courtesy, and whether the customer praised


async def test_a_call_nobody_answered_has_signalling_and_no_recording(client: Client) -> None:
    call = await got(client, "/calls/C-07")
    events = await got(client, "/calls/C-07/events")

    assert call["recording_info"] is None and call["channels"] == "none"
    assert [event["type"] for event in events["items"]] == ["offered", "ringing", "ended"]
    assert events["items"][-1]["offset_ms"] == 16800
    assert events["items"][-1]["detail"]["by"] == "customer"
    await got(client, "/calls/C-07/recording", 404)


async def test_a_transcript_is_there_before_the_score(client: Client) -> None:
    heard = await got(client, "/calls/C-08/transcript")

    assert [turn["role"] for turn in heard["turns"]] == ["agent", "customer", "agent"]
    assert heard["synthetic"] is True
    await got(client, "/calls/C-08/scorecard", 404)


async def test_a_live_call_is_live_and_has_neither_words_nor_score(client: Client) -> None:
    call = await got(client, "/calls/C-09")

    assert (call["state"], call["score"], call["run"]) == ("live", None, None)
    for part in ("transcript", "scorecard", "recording"):
        await got(client, f"/calls/C-09/{part}", 404)


@pytest.mark.parametrize("id", ["nothing", "..", "%00", "a" * 129, "'; DROP TABLE call; --", "C-01%20", "%F0%9F%98%80"])
@pytest.mark.parametrize("part", ["", "/transcript", "/scorecard", "/events", "/recording"])
async def test_an_id_that_names_no_call_is_a_problem_and_no_more(client: Client, id: str, part: str) -> None:
    answer = await client.get(f"/api/v1/calls/{id}{part}")

    assert answer.status in (400, 404)
    assert answer.content_type == "application/problem+json"


async def test_an_id_with_slashes_and_signs_is_an_id_like_any_other(client: Client) -> None:
    strange = CALLS[-1].id
    call = await got(client, f"/calls/{quote(strange, safe='')}")

    assert call["id"] == strange
    assert (await client.get(f"/api/v1/calls/{quote(strange, safe='')}/recording")).status == 200


async def test_an_empty_seat_comes_with_its_scorecard(client: Client) -> None:
    (episode,) = (await got(client, "/episodes"))["items"]

    assert (episode["seat"], episode["away_seconds"], episode["ready_seconds"]) == ("S06", 75.0, 75.0)
    assert [flag["rule"] for flag in episode["flags"]["breach"]] == ["BES-17"]
    assert episode["scorecard"]["total"]["automatic"] == "-0.5"


async def test_the_site_says_how_far_it_trusts_and_how_much_there_is(client: Client) -> None:
    site = await got(client, "/site")

    assert (site["loopback_only"], site["text_trusted"], site["synthetic_trusted"]) == (True, True, True)
    assert site["agents"] == ["A01", "A02", "A03"]
    assert site["totals"] == {
        "calls": 10, "live": 1, "scored": 8, "flagged": 4, "unknown": 2, "assumed": 3, "failed": 0, "unassigned": 0,
        "orphans": 0, "episodes": 1,
    }  # fmt: skip
