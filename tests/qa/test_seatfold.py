"""A seat's history is folded from a checkpoint on, and always to what the whole of it would give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.events import Event, canonical, parse_event
from ingest.seats import away_episodes, fold_seat
from qa import seatfold
from qa.seatfold import Folded, stretches
from qa.store import events, seats
from qa.store.pool import Store, Tx
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa.lab import ZONE, Floor, at, floor

FAR = at(10**8)
MINUTE = 60
NUMBERS = count()  # every example has a seat of its own


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path) as one:
        yield one


def parsed(told: dict[str, Any]) -> Event:
    one = parse_event(told)
    assert isinstance(one, Event), one
    return one


async def refold(tx: Tx, seat: str) -> Folded:
    """Fold a seat by the news that it has, as the folds do."""
    (due,) = [one for one in await events.take_due(tx) if (one.kind, one.id) == ("seat", seat)]
    return await seatfold.fold(tx, seat, ZONE, due.from_at)


async def put(tx: Tx, told: dict[str, Any], seat: str) -> None:
    one = parsed({**told, "seat": seat})
    named = (one.call, one.leg, one.seat, one.agent)
    await events.append(tx, one.source, one.id, one.at, None, one.type, *named, canonical(one).decode())


def day(seat: str, minutes: int) -> list[dict[str, Any]]:
    """A seat that is ready and busy by turns, a minute each."""
    return [
        raw("seat", n * MINUTE, seat=seat, id=f"{seat}-{n}", status="ready" if n % 2 else "busy")
        for n in range(minutes)
    ]


async def test_only_the_last_minutes_are_folded_again(store: Store) -> None:
    async with store.site(SITE, "test") as tx:
        for one in day("s1", 200):
            await put(tx, one, "s1")
        assert await refold(tx, "s1") == Folded(None, 200)
        await put(tx, raw("seat", 200 * MINUTE, id="next", status="talking"), "s1")
        assert await refold(tx, "s1") == Folded(at(194 * MINUTE), 7)
        told = [one for one in await seats.history(tx, "s1", at(-1), FAR) if one.kind == "status"]
        assert (len(told), told[-1].value, told[-2].until_at) == (201, "talking", at(200 * MINUTE))


async def test_the_switchboard_s_reasons_are_told_in_the_site_s_words(store: Store) -> None:
    async with store.site(SITE, "test") as tx:
        for n, reason in enumerate(("Tea ", "lunch", None)):
            await put(tx, raw("seat", n * MINUTE, id=f"e{n}", status="busy", reason=reason), "s1")
        await seatfold.fold(tx, "s1", ZONE, None, {"tea": "break"})
        told = [one.reason for one in await seats.history(tx, "s1", at(-1), FAR)]
        assert told == ["break", "lunch", None]


async def test_an_older_event_has_the_whole_folded_once(store: Store) -> None:
    async with store.site(SITE, "test") as tx:
        for one in day("s1", 60):
            await put(tx, one, "s1")
        await refold(tx, "s1")
        await put(tx, raw("seat", 90, id="late", status="hold"), "s1")
        assert await refold(tx, "s1") == Folded(None, 61)
        assert await seatfold.fold(tx, "s1", ZONE, at(55 * MINUTE)) == Folded(at(54 * MINUTE), 6)
        told = await seats.history(tx, "s1", at(80), at(100))
        assert [one.value for one in told] == ["ready", "hold"]


async def test_an_absence_is_never_cut(store: Store) -> None:
    async with store.site(SITE, "test") as tx:
        for one in (raw("seat", 0, id="in", status="ready", agent="A01"), raw("presence", 60, id="gone")):
            await put(tx, one, "s1")
        await refold(tx, "s1")
        for n in range(2, 60):
            await put(tx, raw("presence", n * MINUTE, id=f"p{n}"), "s1")
            await refold(tx, "s1")
        await put(tx, raw("presence", 3600, id="back", present="yes"), "s1")
        assert (await refold(tx, "s1")).since == at(60)
        (away,) = (await seats.page_away(tx, "s1")).items
        assert (away.away_ms, away.ready_ms, away.agent) == (3540_000, 3540_000, "A01")


def clocked(name: str, seconds: float, status: str = "busy", **own: Any) -> dict[str, Any]:
    """An event by a sender's clock, which is some seconds ahead of ours."""
    when = datetime.now(UTC) + timedelta(seconds=seconds)
    kind = "presence" if "present" in own else "seat"
    own = own if kind == "presence" else {"status": status, **own}
    return {**raw(kind, 0, id=name, **own), "at": when.isoformat()}


async def states(tx: Tx, seat: str, kind: str = "status") -> list[tuple[str, bool]]:
    """The stretches in their order, and whether each still holds."""
    told = await seats.since(tx, seat, at(-1))
    return [(one.value, one.until_at is None) for one in told if one.kind == kind]


async def arrives(store: Store, seat: str, *told: dict[str, Any]) -> list[tuple[str, bool]]:
    """Each event in a transaction of its own, folded as it comes."""
    for one in told:
        async with store.site(SITE, "test") as tx:
            await put(tx, one, seat)
            await refold(tx, seat)
    async with store.site(SITE, "test") as tx:
        return await states(tx, seat, "presence" if "present" in told[-1] else "status")


DAY = 86400


async def test_a_state_of_tomorrow_does_not_stand_above_what_is_told_later(store: Store) -> None:
    wrong = clocked("e1", DAY, reason="tea")
    assert await arrives(store, "s1", clocked("e0", -9, "ready"), wrong) == [("ready", False), ("busy", True)]
    assert await arrives(store, "s1", clocked("e2", -5, "ringing")) == [("ready", False), ("ringing", True)]
    assert await arrives(store, "s1", clocked("e3", 0, "talking")) == [
        ("ready", False), ("ringing", False), ("talking", True),
    ]  # fmt: skip
    async with store.site(SITE, "test") as tx:
        assert (await seatfold.fold(tx, "s1", ZONE)).events == 3
        assert len(await events.for_seat(tx, "s1")) == 4, "it is kept all the same"


async def test_nobody_there_tomorrow_is_no_absence_once_somebody_is_there(store: Store) -> None:
    told = (clocked("e0", -60, present="yes"), clocked("e1", DAY, present="no"), clocked("e2", -3, present="yes"))
    assert await arrives(store, "s1", *told) == [("yes", True)]
    async with store.site(SITE, "test") as tx:
        assert (await seats.page_away(tx, "s1")).items == ()


@pytest.mark.parametrize("ahead_s", [30, 3600, DAY])
async def test_a_clock_that_is_ahead_all_along_changes_nothing(store: Store, ahead_s: float) -> None:
    """Calls of the same source carry the same clock: whose seat it was must not move against them."""
    told = [clocked(f"e{n}", ahead_s - 9 + n, status) for n, status in enumerate(("ready", "talking", "wrap_up"))]
    assert await arrives(store, "s1", *told) == [("ready", False), ("talking", False), ("wrap_up", True)]
    other = [clocked("x0", -3000, "ready"), clocked("x1", ahead_s + 1, present="yes")]
    await arrives(store, "s1", *other)  # older news, and another sensor, say nothing of it
    async with store.site(SITE, "test") as tx:
        assert [one for one, _ in await states(tx, "s1")] == ["ready", "talking", "wrap_up"]


async def test_a_clock_that_was_set_forth_and_back_is_believed_from_then_on(store: Store) -> None:
    told = [clocked("e0", -2, "ready"), clocked("e1", 3600, "busy"), clocked("e2", 3601, "ready"),
            clocked("e3", 0, "talking"), clocked("e4", 1, "wrap_up")]  # fmt: skip
    assert await arrives(store, "s1", *told) == [("ready", False), ("talking", False), ("wrap_up", True)]


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.sampled_from(["ready", "busy", "talking", "offline", "yes", "no", "unknown", "answered"]),
        st.sampled_from([None, None, "A01", "A02"]),
        st.sampled_from(["sensor", "person", "inferred"]),
        st.integers(0, 12),
    ),
    max_size=14,
)


def told(seat: str, n: int, minute: int, what: str, agent: str | None, by: str) -> dict[str, Any]:
    own = {"id": f"{seat}-{n}", "seat": seat, **({"agent": agent} if agent else {})}
    if what == "answered":
        return raw("answered", minute * MINUTE, **own)
    if what in ("yes", "no"):
        return raw("presence", minute * MINUTE, present=what, by=by, **own)
    confidence = "inferred" if by == "inferred" else "observed"
    return raw("seat", minute * MINUTE, status=what, confidence=confidence, **own)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_piece_by_piece_in_any_order_gives_what_the_whole_gives(site: Floor, data: st.DataObject) -> None:
    drawn = data.draw(EVENTS)
    seat = f"seat-{next(NUMBERS)}"
    late = sorted(enumerate(drawn), key=lambda one: one[1][0] + one[1][4])  # minutes late, some by more than others
    arriving = [told(seat, n, minute, what, agent, by) for n, (minute, what, agent, by, _) in late]
    async with site.store.site(SITE, "test") as tx:
        for one in arriving:
            await put(tx, one, seat)
            await refold(tx, seat)
        kept = await seats.history(tx, seat, at(-1), FAR)
        found = (await seats.page_away(tx, seat, None, 200)).items
    if not drawn:
        return
    whole = fold_seat([parsed(one) for one in arriving])
    last = {(one.kind, one.at): one for one in stretches(whole)}  # of several at one instant the last one stands
    assert {(one.kind, one.at): one for one in kept if one.until_at != one.at} == {
        key: one for key, one in last.items() if one.until_at != one.at
    }
    assert {(one.at, one.until_at, one.agent, one.away_ms, one.ready_ms, one.contradicted) for one in found} == {
        (one.at, one.until, one.agent, one.away_ms, one.ready_ms, one.contradicted) for one in away_episodes(whole)
    }
