"""Seats that let a call ring, over a real store: scored for their own ring, and for nothing that others said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest_asyncio

from qa.fold import LATE
from qa.reconciling import ours
from qa.store import calls, captures, runs
from qa.store.pool import Store
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa.lab import Floor, at, floor, hum
from tests.qa.test_parts import facts, lines, on, phone, rung, score, sound

LATE_S = LATE.total_seconds()


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path) as one:
        yield one


async def missing(site: Floor) -> None:
    """s1 lets it ring for 20 s, s2's phone is dead, s3 and s2 race, s3 takes it and talks."""
    await site.tell(
        *rung("s1", 0, None), on("redirected", 20, "s1"), on("offered", 21, "s2"), on("redirected", 30, "s2"),
        *rung("s2", 31, None), *rung("s3", 31, 35), on("redirected", 35.1, "s2"),
        phone("a1", "s1"), phone("a3", "s3"), phone("customer", None, "customer"),
    )  # fmt: skip
    site.spooled("c1", "agent", hum(30000, 3), 35, leg="a3")
    site.spooled("c1", "customer", hum(30000, 9), 35)
    await site.tell(on("ended", 65, by="customer"))
    await site.turn()
    await site.turn(LATE_S)


async def test_a_seat_that_let_a_call_ring_is_scored_for_its_ring_alone(site: Floor) -> None:
    await missing(site)
    async with site.store.site(SITE, "test") as tx:
        assert [one.id for one in await calls.parts(tx, "c1")] == ["c1", "c1~101"]
    await score(site, None, "c1", "c1~101")

    call, ring = await site.call("c1"), await site.call("c1~101")
    assert (call.agent, call.conversation, call.folded["parts"]) == ("A03", None, ["c1", "c1~101"])
    assert [offer["seat"] for offer in call.folded["offers"]] == ["s1", "s2", "s2", "s3"]
    assert call.folded["offer_ends"] == ["no_answer", "no_answer", "lost", "answered"]
    assert (ring.agent, ring.seat, ring.conversation, ring.state) == ("A01", "s1", "c1", "scored")
    assert (ring.conclusion, ring.ended_at, ring.orphan, ring.concluded) == ("redirected", at(20), None, None)
    assert ([len(await site.kept(name)) for name in ("c1", "c1~101")], await sound(site, "c1", "agent")) == (
        [1, 0],
        {3},
    )

    found = await facts(site, "c1~101")
    assert (found.direction, found.end, found.ring_count, found.ring_seconds) == ("in", "redirected", 5, Decimal(20))
    assert (found.talk_ms, found.hold_ms, found.channels, found.text) == (0, 0, "none", "none")
    own = await lines(site, "c1~101")
    assert own["BES-16"] == "breach"
    assert {rule for rule, outcome in own.items() if outcome in ("breach", "unknown")} == {"BES-16"}
    assert ((await lines(site, "c1"))["BES-16"], (await facts(site, "c1")).ring_count) == ("clear", 1)


async def test_a_ring_taken_away_within_the_limit_does_not_apply(site: Floor) -> None:
    await site.tell(*rung("s1", 0, None), on("redirected", 14, "s1"), *rung("s2", 15, None))
    await site.tell(on("ended", 40, by="customer"))
    await site.turn()
    await site.turn(LATE_S)
    await score(site, None, "c1", "c1~101")

    assert ((await site.call("c1")).agent, (await site.call("c1~101")).agent) == ("A02", "A01")
    assert [(await lines(site, name))["BES-16"] for name in ("c1", "c1~101")] == ["breach", "na"]
    assert "breach" not in (await lines(site, "c1~101")).values()


async def test_a_missed_ring_that_later_news_take_back_costs_nothing_any_more(site: Floor) -> None:
    """Its answer was told late: from then on it is the call, and who had answered later has a part."""
    await missing(site)
    await score(site, None, "c1", "c1~101")
    assert (await lines(site, "c1~101"))["BES-16"] == "breach"

    await site.tell(on("answered", 19, "s1"), on("transferred", 19.5, "s1", to="s3", how="blind"))
    await site.turn()
    await site.turn(LATE_S)
    await score(site, None, "c1", "c1~2", "c1~101")
    assert [(await site.call(name)).agent for name in ("c1", "c1~2", "c1~101")] == ["A01", "A03", None]
    assert (await site.call("c1~101")).folded["withdrawn"] is True
    async with site.store.site(SITE, "test") as tx:
        assert runs.in_force(await runs.entries(tx, "call:c1~101")) == []


async def test_missed_rings_of_a_call_that_goes_on_are_kept_as_they_were(site: Floor) -> None:
    """Between two tries a queue has the call with no seat; what was scored then stands when it goes on."""
    await site.tell(*rung("s1", 0, None), on("redirected", 20, "s1"))
    await site.turn()
    assert (await site.call("c1")).agent == "A01"
    await site.tell(on("offered", 25, "s2"), on("ringing", 27, "s2"))
    await site.turn()
    ring = await site.call("c1~101")
    assert ((await site.call("c1")).agent, ring.agent, ring.state) == ("A02", "A01", "live")

    await site.tell(on("redirected", 35, "s2"))
    await site.turn()
    await site.turn(LATE_S)
    await score(site, None, "c1", "c1~101")
    assert (await lines(site, "c1~101"))["BES-16"] == "breach"
    await site.tell(*rung("s3", 38, 40), on("ended", 60, by="customer"))
    await site.turn()
    await site.turn(LATE_S)
    await score(site, None, "c1", "c1~101", "c1~102")
    assert [(await site.call(name)).agent for name in ("c1", "c1~101", "c1~102")] == ["A03", "A01", "A02"]
    assert [(await lines(site, name))["BES-16"] for name in ("c1", "c1~101", "c1~102")] == ["clear", "breach", "na"]


async def test_who_logged_in_late_has_the_missed_ring_too(site: Floor) -> None:
    await site.tell(
        raw("offered", 0, id="1", seat="s9", direction="in"), raw("ringing", 0, id="2", seat="s9"),
        raw("redirected", 20, id="3", seat="s9"), *rung("s2", 21, 23), on("ended", 40, by="customer"),
    )  # fmt: skip
    await site.turn()
    assert (await site.call("c1~101")).agent is None

    await site.tell(raw("seat", -600, seat="s9", status="ready", agent="A07"))
    await site.turn()
    assert (await site.call("c1~101")).agent == "A07"


async def test_a_missed_ring_is_no_call_of_its_own_in_a_list_of_another_system(site: Floor) -> None:
    await missing(site)
    async with site.store.site(SITE, "test") as tx:
        known = await captures.known(tx, at(-60), at(600))
    (one,) = ours(known)
    assert (one.id, one.answered_at, one.ended_at, one.sound is not None) == ("c1", at(35), at(65), True)
