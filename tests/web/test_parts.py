"""What lists and pages say of a conversation's parts, of what never came, and of calls that are nobody's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from qa.fold import LATE, SILENT
from qa.store.pool import Store
from qa.web.app import make_app
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa.lab import Floor, floor, hum
from tests.web.conftest import running
from tests.web.test_calls import got, ids

Client = TestClient[Any, Any]
FIRST = {"seat": "s1", "agent": "A01"}
SECOND = {"seat": "s2", "agent": "A02"}


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path) as one:
        yield one


@pytest_asyncio.fixture
async def screens(site: Floor) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(running(site.store, site.home)))) as client:
        yield client


async def transferred(site: Floor) -> None:
    await site.tell(
        raw("offered", 0, id="0", queue="sales", direction="in"),
        raw("offered", 12, id="1", direction="in", **FIRST), raw("ringing", 12.5, id="2", **FIRST),
        raw("answered", 16, id="3", **FIRST), raw("transferred", 30, id="4", how="blind", **FIRST),
        raw("offered", 30, id="5", **SECOND), raw("ringing", 31, id="6", **SECOND),
        raw("answered", 36, id="7", **SECOND), raw("ended", 60, id="8", by="customer"),
        raw("seat", 60, id="9", seat="s2", status="wrap_up"), raw("seat", 72, id="a", seat="s2", status="ready"),
    )  # fmt: skip
    await site.turn()
    await site.turn(LATE.total_seconds())


async def test_each_part_names_all_of_its_conversation_and_has_its_own_measures(site: Floor, screens: Client) -> None:
    await transferred(site)
    assert set(await ids(screens, "")) == {"c1", "c1~2"}
    one, two = await got(screens, "/calls/c1"), await got(screens, "/calls/c1~2")

    assert one["parts"] == two["parts"] == ["c1", "c1~2"]
    assert [part["agent"] for part in (one, two)] == ["A01", "A02"]
    assert [part["offers"] for part in (one, two)] == [
        [{"seat": "s1", "agent": "A01", "ring_seconds": 3.5, "end": "answered"}],
        [{"seat": "s2", "agent": "A02", "ring_seconds": 5.0, "end": "answered"}],
    ]
    assert [part["metrics"]["queue_seconds"] for part in (one, two)] == [12.5, None]
    assert [part["metrics"]["ring_seconds"] for part in (one, two)] == [3.5, 5.0]
    assert [part["metrics"]["talk_seconds"] for part in (one, two)] == [14.0, 24.0]
    assert [part["metrics"]["wrap_up_seconds"] for part in (one, two)] == [None, 12.0]
    assert len((await got(screens, "/calls/c1~2/events"))["items"]) == 9
    assert one["orphan"] == "no media"
    assert "no_media" in one["warnings"]
    assert [part["part"] for part in (one, two)] == [
        {"kind": "first", "number": 1}, {"kind": "transferred", "number": 2},
    ]  # fmt: skip
    assert one["conversation"] == two["conversation"]
    assert [(part["id"], part["seat"], part["kind"]) for part in one["conversation"]] == [
        ("c1", "s1", "first"), ("c1~2", "s2", "transferred"),
    ]  # fmt: skip
    kinds = ("later", "missed", "no_media", "orphan", "no_signalling")
    assert [await ids(screens, f"kind={kind}") for kind in kinds] == [["c1~2"], [], ["c1~2", "c1"], ["c1~2", "c1"], []]


@pytest.mark.slow
async def test_what_is_taken_back_leaves_the_list_and_says_why_where_it_is_asked_for(
    site: Floor, screens: Client
) -> None:
    await transferred(site)
    await site.tell(raw("ended", 32, id="earlier", by="customer"))
    await site.turn()
    await site.turn(LATE.total_seconds())

    assert await ids(screens, "") == ["c1"]
    assert (await got(screens, "/calls/c1~2"))["warnings"] == ["withdrawn"]
    assert (await got(screens, "/calls/c1"))["parts"] == []


@pytest.mark.slow
async def test_adopted_audio_leads_to_the_call_that_took_it(site: Floor, screens: Client) -> None:
    ident = site.uuid("c1", "agent", "agent")
    await site.audiosocket(ident, hum(400))
    await site.turn()
    await site.turn(LATE.total_seconds())
    orphan = (await got(screens, "/calls"))["items"][0]
    assert (orphan["id"], orphan["orphan"], orphan["warnings"]) == (str(ident), "no signalling", ["no_signalling"])

    bound = raw("leg", 5, id="leg", leg="agent", role="agent", audio={"audiosocket": str(ident)})
    await site.tell(raw("answered", 5, id="1", **FIRST), bound, raw("ended", 6, id="2"))
    await site.turn()
    await site.turn(LATE.total_seconds())
    assert await ids(screens, "") == ["c1"]
    assert (await got(screens, f"/calls/{ident}"))["parts"] == ["c1"]
    assert await ids(screens, "kind=adopted") == [str(ident)]
    assert await ids(screens, "kind=no_signalling") == []


async def test_calls_without_an_agent_are_listed_apart_and_an_end_nobody_told_is_said(
    site: Floor, screens: Client
) -> None:
    await site.tell(raw("offered", 0, id="1", seat="s9"), raw("offered", 0, id="2", call="c2", **FIRST))
    await site.turn()
    await site.turn(SILENT.total_seconds())

    assert (await ids(screens, "unassigned=true"), await ids(screens, "unassigned=false")) == (["c1"], ["c2"])
    assert await ids(screens, "kind=unended&unassigned=true") == ["c1"]
    totals = (await got(screens, "/site"))["totals"]
    assert (totals["unassigned"], totals["orphans"]) == (1, 0)
    one = await got(screens, "/calls/c1")
    assert (one["state"], one["concluded"], one["warnings"], one["agent"]) == ("ended", "silent", ["unended"], None)


async def test_a_ring_that_nobody_took_is_listed_and_linked_and_on_no_board(site: Floor, screens: Client) -> None:
    await site.tell(
        raw("offered", 0, id="1", direction="in", **FIRST), raw("ringing", 0.5, id="2", **FIRST),
        raw("redirected", 20, id="3", **FIRST), raw("offered", 21, id="4", **SECOND),
        raw("ringing", 23, id="5", **SECOND),
    )  # fmt: skip
    await site.turn()
    assert [one["id"] for one in (await got(screens, "/calls"))["items"]] == ["c1~101", "c1"]
    assert [await ids(screens, f"state={state}") for state in ("live", "ended")] == [["c1"], ["c1~101"]]
    assert [one["call"]["id"] for one in (await got(screens, "/board"))["seats"] if one["call"]] == ["c1"]

    await site.tell(raw("answered", 25, id="6", **SECOND), raw("ended", 60, id="7", by="customer"))
    await site.turn()
    await site.turn(LATE.total_seconds())
    call, ring = await got(screens, "/calls/c1"), await got(screens, "/calls/c1~101")
    assert call["parts"] == ring["parts"] == ["c1", "c1~101"]
    assert [one["end"] for one in call["offers"]] == ["no_answer", "answered"]
    assert (call["part"], ring["part"]) == ({"kind": "first", "number": 1}, {"kind": "missed", "number": 1})
    assert [(part["id"], part["agent"]) for part in call["conversation"]] == [("c1~101", "A01"), ("c1", "A02")]
    assert (await ids(screens, "kind=missed"), await ids(screens, "kind=later")) == (["c1~101"], [])
    assert ring["offers"] == [{"seat": "s1", "agent": "A01", "ring_seconds": 19.5, "end": "no_answer"}]
    assert (ring["agent"], ring["end"], ring["orphan"], ring["warnings"]) == ("A01", "redirected", None, [])
    assert (ring["metrics"]["ring_seconds"], ring["metrics"]["talk_seconds"], ring["recording"]) == (19.5, None, False)
    assert len((await got(screens, "/calls/c1~101/events"))["items"]) == 7


async def test_a_ring_ends_where_voicemail_takes_the_call_and_a_queue_rings_nowhere(
    site: Floor, screens: Client
) -> None:
    await site.tell(
        raw("ringing", 0, id="1", **FIRST), raw("redirected", 20, id="2", to="voicemail", **FIRST),
        raw("ended", 60, id="3", by="customer"), raw("offered", 0, id="4", call="q1", queue="sales"),
    )  # fmt: skip
    await site.turn()
    mail = await got(screens, "/calls/c1")
    assert (mail["end"], mail["metrics"]["ring_seconds"], mail["offers"][0]["ring_seconds"]) == ("voicemail", 20, 20)
    assert (await got(screens, "/calls/q1"))["metrics"]["ring_seconds"] is None

    await site.tell(raw("ended", 50, id="5", call="q1", by="customer"))
    await site.turn()
    waited = (await got(screens, "/calls/q1"))["metrics"]
    assert (waited["ring_seconds"], waited["ring_count"], waited["queue_seconds"]) == (None, None, 50)

    await site.turn(LATE.total_seconds())
    for name in ("c1", "q1"):
        await site.worker(None).hear({"site": SITE, "call": name})
    mail, waited = [(await got(screens, f"/calls/{name}"))["metrics"] for name in ("c1", "q1")]
    assert (mail["ring_seconds"], mail["ring_count"]) == (20, 5)
    assert (waited["ring_seconds"], waited["ring_count"]) == (0, 0)
