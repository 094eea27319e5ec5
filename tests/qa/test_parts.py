"""Calls with several seats over a real store and spool: each agent is scored for own rings and own words only.

And what never came: signalling, media, the end of a call. It is shown as such, and put right when it comes after all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import pytest_asyncio

from ingest.rows import Row, body, micros
from ingest.shell.audiohook_socket import AudioHookWay
from ingest.shell.pcm_socket import PcmWay
from ingest.sources import Source, Sources
from qa.fold import LATE, SILENT
from qa.store import events, records, runs, seating
from qa.store.pool import Store
from scoring.facts import CallFacts, load
from scoring.records.admit import parse
from scoring.records.record import Record
from speech.audio import decode
from speech.pool import Recogniser
from tests.ingest.hook import KEY, HookClient
from tests.ingest.lab import tick, url
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa import engines
from tests.qa.lab import TALK_S, ZONE, Floor, at, floor, hearing, hum, voice
from tests.qa.test_fold import retired

LATE_S = LATE.total_seconds()
SEATS = {"s1": "A01", "s2": "A02", "s3": "A03"}


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def polite() -> Iterator[Recogniser]:
    with hearing(engines.polite) as one:
        yield one


def on(kind: str, seconds: float, seat: str | None = None, **own: Any) -> dict[str, Any]:
    """One event of call c1 at a seat."""
    told = {} if seat is None else {"seat": seat, "agent": SEATS[seat]}
    return raw(kind, seconds, **{"id": f"{kind}-{seat}-{seconds}", **told, **own})


def rung(seat: str, seconds: float, answered: float | None) -> list[dict[str, Any]]:
    told = [on("offered", seconds, seat, direction="in"), on("ringing", seconds, seat)]
    return told if answered is None else [*told, on("answered", answered, seat)]


def phone(leg: str, seat: str | None, role: str = "agent") -> dict[str, Any]:
    return on("leg", 1, seat, leg=leg, role=role)


async def facts(site: Floor, name: str) -> CallFacts:
    found = load((await site.current(f"call:{name}")).facts).call
    assert found is not None
    return found


async def lines(site: Floor, name: str) -> dict[str, str]:
    card = json.loads((await site.current(f"call:{name}")).card)
    return {line["rule"]: line["outcome"] for line in card["lines"]}


async def sound(site: Floor, name: str, role: str) -> set[int]:
    """The values of one party's channel, silence left out."""
    (one,) = await site.kept(name)
    return set(np.unique(decode(site.home / "recordings" / one.path).pcm[one.roles.index(role)])) - {0}


async def score(site: Floor, listening: Recogniser | None, *names: str) -> None:
    worker = site.worker(listening, keep_flac=True)
    for name in names:
        await worker.hear({"site": SITE, "call": name})


@pytest.mark.slow
async def test_a_blind_transfer_gives_two_scorecards_each_with_own_rings_and_own_words(
    site: Floor, polite: Recogniser
) -> None:
    """A01 answers in the second ring and transfers; A02 lets it ring four times. Both phones talk on all the time."""
    moved, again = 5 + TALK_S, 22 + TALK_S
    await site.tell(
        *rung("s1", 0, 5), on("transferred", moved, "s1", to="s2", how="blind"), *rung("s2", moved, again),
        phone("a1", "s1"), phone("a2", "s2"), phone("customer", None, "customer"),
    )  # fmt: skip
    quiet = hum(17 * 1000, 0)
    site.spooled("c1", "customer", voice("customer") + quiet + voice("customer"), 5)
    site.spooled("c1", "agent", voice("agent") + quiet + voice("agent"), 5, leg="a1")
    site.spooled("c1", "agent", voice("agent"), again, leg="a2")
    await site.tell(on("ended", again + TALK_S, by="customer"))
    await site.turn()
    assert await site.jobs() == {"hear": 2}
    await score(site, polite, "c1", "c1~2")

    first, second = await site.call("c1"), await site.call("c1~2")
    assert [(one.agent, one.seat, one.conversation) for one in (first, second)] == [
        ("A01", "s1", None), ("A02", "s2", "c1"),
    ]  # fmt: skip
    one, two = await facts(site, "c1"), await facts(site, "c1~2")
    assert (one.ring_count, two.ring_count) == (2, 4)
    assert [(turn.role, turn.text) for turn in one.turns] == [(turn.role, turn.text) for turn in two.turns]
    assert all(0 <= turn.start_ms < TALK_S * 1000 for turn in (*one.turns, *two.turns))
    assert (one.transfers, two.transfers) == (1, 0)
    assert (abs(int(str(one.talk_ms)) - TALK_S * 1000) < 2, abs(int(str(two.talk_ms)) - TALK_S * 1000) < 2) == (
        True, True,
    )  # fmt: skip
    assert ((await lines(site, "c1"))["BES-16"], (await lines(site, "c1~2"))["BES-16"]) == ("clear", "breach")
    assert [(await site.current(f"call:{name}")).agent for name in ("c1", "c1~2")] == ["A01", "A02"]


async def three(site: Floor, *told: dict[str, Any], seconds: float) -> None:
    """Everybody's phone hums a value of its own from the first second to the last."""
    await site.tell(*told, phone("a1", "s1"), phone("a2", "s2"), phone("a3", "s3"), phone("customer", None, "customer"))
    for leg, value in (("a1", 1), ("a2", 2), ("a3", 3)):
        site.spooled("c1", "agent", hum(int(seconds * 1000), value), 0, leg=leg)
    site.spooled("c1", "customer", hum(int(seconds * 1000), 9), 0)
    await site.tell(on("ended", seconds, by="customer"))
    await site.turn()
    await site.turn(LATE_S)


async def heard_between(site: Floor, name: str, role: str, start: float, end: float) -> set[int]:
    """What one party's channel holds between two instants of the call."""
    (one,) = await site.kept(name)
    assert one.origin_at is not None
    pcm = decode(site.home / "recordings" / one.path).pcm[one.roles.index(role)]
    first, last = (int((at(seconds) - one.origin_at).total_seconds() * 8000) for seconds in (start, end))
    return set(np.unique(pcm[max(0, first) : max(0, last)]))


async def test_a_blind_transfer_parts_rings_sound_and_scores(site: Floor) -> None:
    await three(site, *rung("s1", 0, 4), on("transferred", 10, "s1", how="blind"), *rung("s2", 10, 26), seconds=30)
    await score(site, None, "c1", "c1~2")

    assert [await sound(site, name, "agent") for name in ("c1", "c1~2")] == [{1}, {2}]
    assert [await heard_between(site, "c1~2", "customer", 26.1, 29.9), len(await site.kept("c1~2"))] == [{9}, 1]
    assert [(await facts(site, name)).ring_count for name in ("c1", "c1~2")] == [1, 4]
    assert [(await lines(site, name))["BES-16"] for name in ("c1", "c1~2")] == ["clear", "breach"]
    assert [(await site.current(f"call:{name}")).agent for name in ("c1", "c1~2")] == ["A01", "A02"]


async def test_an_attended_transfer_leaves_the_consultation_to_nobody(site: Floor) -> None:
    await three(
        site, *rung("s1", 0, 4), on("held", 10, "s1"), *rung("s2", 11, 15),
        on("transferred", 20, "s1", to="s2", how="attended"), seconds=30,
    )  # fmt: skip

    assert await sound(site, "c1", "agent") == {1}
    assert await heard_between(site, "c1", "agent", 15.1, 19.9) == {0}
    assert await heard_between(site, "c1", "agent", 5, 14.9) == {1}
    (one,), (two,) = await site.kept("c1"), await site.kept("c1~2")
    assert (await sound(site, "c1~2", "agent"), await sound(site, "c1~2", "customer")) == ({2}, {9})
    assert (one.duration_ms, two.duration_ms, two.origin_at, two.answer_ms) == (20000, 10000, at(20), 0)
    assert (one.gaps, two.gaps) == ((), ())

    await score(site, None, "c1", "c1~2")
    first, second = await facts(site, "c1"), await facts(site, "c1~2")
    assert (first.ring_count, second.ring_count, second.answer_seconds) == (1, 1, Decimal(4))
    assert (first.talk_ms, first.hold_ms, second.talk_ms) == (16000, 10000, 10000)


async def test_a_consulted_agent_is_scored_for_no_customer(site: Floor) -> None:
    await three(
        site, *rung("s1", 0, 4), on("held", 10, "s1"), *rung("s2", 11, 15), on("ended", 20, "s2", by="agent"),
        on("resumed", 21, "s1"), seconds=30,
    )  # fmt: skip
    await score(site, None, "c1", "c1~2")

    assert (await site.kept("c1~2"), await sound(site, "c1", "agent")) == ([], {1})
    assert (await site.call("c1~2")).orphan is None
    second = await facts(site, "c1~2")
    assert (second.direction, second.talk_ms, second.channels) == ("internal", 0, "none")
    assert (await lines(site, "c1~2"))["BES-16"] == "na"
    assert set((await lines(site, "c1~2")).values()) == {"na"}


async def test_a_conference_of_three_has_three_parts_and_three_voices(site: Floor) -> None:
    await three(
        site, *rung("s1", 0, 4), *rung("s2", 8, 10), *rung("s3", 11, 15), on("ended", 22, "s1", by="agent"),
        on("ended", 26, "s2", by="agent"), seconds=30,
    )  # fmt: skip

    names = ("c1", "c1~2", "c1~3")
    assert [await sound(site, name, "agent") for name in names] == [{1}, {2}, {3}]
    assert [(await site.call(name)).agent for name in names] == ["A01", "A02", "A03"]
    windows = [(one.duration_ms, one.origin_at) for name in names for one in await site.kept(name)]
    assert windows == [(22000, at(0)), (16000, at(10)), (15000, at(15))]
    await score(site, None, *names)
    assert [(await facts(site, name)).hung_up_by for name in names] == ["agent", "agent", "customer"]
    assert [(await facts(site, name)).talk_ms for name in names] == [18000, 16000, 15000]


async def test_a_part_that_later_news_take_back_costs_nothing_any_more(site: Floor) -> None:
    """What looked like two seats was one: the second answer came from a clock that was wrong."""
    moved = [on("transferred", 20, "s1", to="s2", how="blind"), *rung("s2", 20, 42)]
    await site.tell(*rung("s1", 0, 4), *moved, on("ended", 60, by="customer"))
    await site.turn()
    await site.turn(LATE_S)
    await score(site, None, "c1", "c1~2")
    assert (await lines(site, "c1~2"))["BES-16"] == "breach"

    await site.tell(on("ended", 30, id="earlier", by="customer"))
    await site.turn()
    await site.turn(LATE_S)
    await score(site, None, "c1", "c1~2")
    gone = await site.call("c1~2")
    assert (gone.agent, gone.folded["withdrawn"], (await site.call("c1")).ended_at) == (None, True, at(30))
    async with site.store.site(SITE, "test") as tx:
        assert runs.in_force(await runs.entries(tx, "call:c1~2")) == []


@pytest.mark.slow
async def test_a_call_known_as_one_part_is_cut_when_the_spool_has_gone(store: Store, tmp_path: Path) -> None:
    """The transfer is told a day later: what was recorded as one agent's is parted after all."""
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        await site.tell(*rung("s1", 0, 4))
        site.spooled("c1", "agent", hum(26000, 1), 4)
        site.spooled("c1", "customer", hum(26000, 9), 4)
        await site.tell(on("ended", 30, by="customer"))
        await site.turn()
        await site.turn(LATE_S)
        await site.tell(raw("offered", 0, call="c2", seat="s1"))
        await retired(site)
        await site.turn()
        assert await site.folder.tidy() > 0

        await site.tell(on("transferred", 10, "s1", to="s2", how="blind"), *rung("s2", 10, 16))
        await site.turn()
        await site.turn(LATE_S)
        one, two = (await site.kept("c1"))[0], (await site.kept("c1~2"))[0]
        assert (one.duration_ms, one.origin_at, two.duration_ms, two.origin_at) == (6000, at(4), 14000, at(16))


async def test_audio_nobody_signalled_is_an_orphan_until_a_later_event_binds_it(site: Floor) -> None:
    ident = site.uuid("c1", "agent", "agent")
    await site.audiosocket(ident, hum(400, 50))
    await site.turn()
    assert (await site.call(str(ident))).orphan is None  # signalling may still be on its way
    await site.turn(LATE_S)
    orphan = await site.call(str(ident))
    assert (orphan.orphan, orphan.agent, orphan.state) == ("no signalling", None, "recorded")

    bound = raw("leg", 5, id="c1-agent", leg="agent", role="agent", audio={"audiosocket": str(ident)})
    await site.tell(*rung("s1", 0, 4), bound, on("ended", 7, by="customer"))
    await site.turn()
    await site.turn(LATE_S)
    call, adopted = await site.call("c1"), await site.call(str(ident))
    assert (call.agent, call.orphan, adopted.orphan, adopted.conversation) == ("A01", None, "adopted", "c1")
    assert await sound(site, "c1", "agent") == {50}
    await score(site, None, "c1", str(ident))
    assert (await site.current(f"call:{ident}")).agent is None


@pytest.mark.slow
async def test_an_orphan_is_adopted_even_when_its_spool_has_gone(store: Store, tmp_path: Path) -> None:
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        ident = site.uuid("c1", "agent", "agent")
        await site.audiosocket(ident, hum(400, 50))
        await site.turn()
        await site.turn(LATE_S)
        await site.tell(raw("offered", 0, call="c2", seat="s1"))
        await retired(site)
        await site.turn()
        assert await site.folder.tidy() > 0

        bound = raw("leg", 5, id="c1-agent", leg="agent", role="agent", audio={"audiosocket": str(ident)})
        await site.tell(*rung("s1", 0, 4), bound, on("ended", 7, by="customer"))
        await site.turn()
        await site.turn(LATE_S)
        assert await sound(site, "c1", "agent") == {50}


async def test_a_leg_that_sounds_without_signalling_is_shown_before_it_ends(site: Floor) -> None:
    start = {"role": "agent", "rate": 8000, "encoding": "slin", "at": at(5).isoformat(), "epoch": 1}
    site.ingest.core.store([Row("start", "pbx", "o1", "agent", micros(at(5)), body(start), epoch=1)])
    await site.ingest.flush()
    await site.turn()
    await site.turn(LATE_S)
    assert ((await site.call("o1")).state, (await site.call("o1")).orphan) == ("live", "no signalling")

    await site.turn(SILENT.total_seconds())
    assert ((await site.call("o1")).state, (await site.call("o1")).concluded) == ("recorded", "silent")


async def test_an_answered_call_of_which_nothing_is_heard_says_so_until_it_is(site: Floor) -> None:
    await site.tell(*rung("s1", 0, 4), on("ended", 9, by="customer"))
    await site.turn()
    await site.turn(LATE_S)
    assert (await site.call()).orphan == "no media"

    site.spooled("c1", "agent", hum(5000, 5), 4)
    await site.ingest.flush()
    await site.turn()
    await site.turn(LATE_S)
    assert ((await site.call()).orphan, await sound(site, "c1", "agent")) == (None, {5})


async def test_a_call_that_nobody_ends_is_over_when_its_audio_is_and_an_end_is_still_taken(site: Floor) -> None:
    await site.tell(*rung("s1", 0, 4), phone("agent", "s1"), phone("customer", None, "customer"))
    for role in ("agent", "customer"):
        site.spooled("c1", role, hum(20000, 5), 4)
    await site.ingest.flush()
    await site.turn()
    await site.turn(LATE_S - 1)
    assert (await site.call()).state == "live"

    await site.turn(1)
    call = await site.call()
    assert (call.state, call.concluded, call.conclusion, call.ended_at) == ("recorded", "legs_over", "answered", None)
    await score(site, None, "c1")
    found = await facts(site, "c1")
    assert (found.end, found.hung_up_by, found.ring_count) == ("answered", "unknown", 1)

    await site.tell(on("ended", 24, by="customer"))
    await site.turn()
    call = await site.call()
    assert (call.state, call.concluded, call.ended_at, call.hung_up_by) == ("recorded", None, at(24), "customer")


async def test_a_call_of_which_nothing_more_comes_is_over_after_hours(site: Floor) -> None:
    await site.tell(*rung("s1", 0, None))
    await site.turn()
    await site.turn(SILENT.total_seconds() - 1)
    assert (await site.call()).state == "live"
    await site.turn(1)
    call = await site.call()
    assert (call.state, call.concluded, call.conclusion) == ("recorded", "silent", None)

    await site.turn(SILENT.total_seconds())
    assert (await site.call()).state == "recorded"


@pytest.mark.slow
async def test_a_call_that_was_given_up_stays_so_after_a_restart(site: Floor) -> None:
    await site.tell(*rung("s1", 0, None))
    await site.turn()
    await site.turn(SILENT.total_seconds())
    fresh = site.again()
    async with site.store.site(SITE, "test") as tx:
        await events.mark_due(tx, "call", "c1")
    await fresh.turn()

    assert ((await site.call()).state, await site.jobs()) == ("recorded", {"hear": 1})


@pytest.mark.parametrize(
    ("login", "fixed", "agent"),
    [("A07", "A08", "A07"), (None, "A08", "A08"), (None, None, None)],
    ids=["who logged in", "whose seat it always is", "nobody"],
)
async def test_whose_a_call_is_where_no_event_says_it(
    site: Floor, login: str | None, fixed: str | None, agent: str | None
) -> None:
    async with site.store.site(SITE, "test") as tx:
        if fixed is not None:
            await seating.assign(tx, seating.Assignment("s9", fixed, date(2026, 1, 1)))
    if login is not None:
        await site.tell(raw("seat", -600, seat="s9", status="ready", agent=login))
    await site.tell(
        raw("offered", 0, id="1", seat="s9", direction="in"), raw("ringing", 0, id="2", seat="s9"),
        raw("ended", 30, id="3", by="customer"),
    )  # fmt: skip
    await site.turn()
    await score(site, None, "c1")

    assert ((await site.call()).agent, (await site.current("call:c1")).agent) == (agent, agent)


async def test_a_log_in_that_is_told_late_gives_the_call_its_agent(site: Floor) -> None:
    await site.tell(raw("offered", 0, id="1", seat="s9"), raw("ended", 30, id="3", by="customer"))
    await site.turn()
    assert (await site.call()).agent is None

    await site.tell(raw("seat", -600, seat="s9", status="ready", agent="A07"))
    await site.turn()
    assert (await site.call()).agent == "A07"


async def test_an_agent_who_moves_in_mid_shift_is_found_at_the_new_seat(site: Floor) -> None:
    await site.tell(
        raw("seat", -600, id="in", seat="s8", status="ready", agent="A07"),
        raw("seat", -60, id="out", seat="s8", status="offline"),
        raw("seat", -50, id="new", seat="s9", status="ready", agent="A07"),
        raw("offered", 0, id="1", seat="s9"), raw("ended", 9, id="2", by="customer"),
        raw("offered", 0, id="3", call="c2", seat="s8"), raw("ended", 9, id="4", call="c2", by="customer"),
    )  # fmt: skip
    await site.turn()

    assert ((await site.call("c1")).agent, (await site.call("c2")).agent) == ("A07", None)


async def test_a_call_that_never_left_the_queue_charges_nobody(site: Floor) -> None:
    await site.tell(raw("offered", 0, id="1", queue="sales", direction="in"), raw("ended", 90, id="2", by="customer"))
    await site.turn()
    await score(site, None, "c1")

    call = await site.call()
    assert (call.conclusion, call.agent, call.seat) == ("abandoned", None, None)
    assert (await lines(site, "c1"))["BES-16"] == "na"


async def test_assignments_of_seats_hold_from_day_to_day(store: Store) -> None:
    async with store.site(SITE, "test") as tx:
        await seating.assign(tx, seating.Assignment("s1", "A01", date(2026, 3, 1), date(2026, 3, 9)))
        await seating.assign(tx, seating.Assignment("s1", "A02", date(2026, 3, 5)))
        noon = [at(0).replace(tzinfo=None) + timedelta(days=n) for n in (-2, 0, 4, 30)]
        assert [await seating.planned(tx, "s1", day) for day in noon] == [None, "A01", "A02", "A02"]
        assert len(await seating.assignments(tx)) == 2
        await seating.forget(tx, "s1", date(2026, 3, 5))
        assert await seating.planned(tx, "s1", noon[3]) is None


def planned(id: str, agent: str, seat: str, **when: str) -> Record:
    found = parse({"kind": "shift", "id": id, "agent": agent, "seat": seat, "source": "roster", **when}, ZONE)
    assert isinstance(found, Record), found
    return found


async def test_a_roster_says_whose_seat_it_is_and_says_nothing_where_it_names_two(store: Store) -> None:
    """09:00 UTC is 17:00 at the site."""
    evening = {"at": "2026-03-01T16:00", "until": "2026-03-02T00:00"}
    shifts = [
        planned("late", "A05", "s1", **evening), planned("day", "A06", "s2", day="2026-03-01"),
        planned("two", "A07", "s2", day="2026-03-02"), planned("more", "A08", "s2", day="2026-03-02"),
    ]  # fmt: skip
    five = at(0).astimezone(ZONE).replace(tzinfo=None)
    async with store.site(SITE, "test") as tx:
        taken = await records.add_records(tx, shifts, name="roster")
        assert taken.accepted == 4, taken
        await seating.assign(tx, seating.Assignment("s2", "A01", date(2026, 1, 1)))
        hours = [five - timedelta(hours=2), five, five + timedelta(hours=8)]
        assert [await seating.planned(tx, "s1", hour) for hour in hours] == [None, "A05", None]
        days = [five - timedelta(days=1), five, five + timedelta(days=1)]
        assert [await seating.planned(tx, "s2", day) for day in days] == ["A01", "A06", None]


async def fork(site: Floor, call: str, seconds: int) -> None:
    """One stereo connection of /pcm whose opening names the seat and who sits there."""
    opening = {"call": call, "mix": "stereo", "seat": "P2", "agent": "AP"}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{url(site.ingest)}/pcm", protocols=["audio.drachtio.org"]) as ws,
    ):
        await ws.send_str(json.dumps(opening))
        for _ in range(seconds * 10):
            await ws.send_bytes(np.full(2 * 800, 7, "<i2").tobytes())
    async with asyncio.timeout(10):
        while site.ingest.core.open_legs.total():
            await tick()
    await site.ingest.flush()


@pytest.mark.parametrize("signalled", [True, False])
async def test_a_call_is_that_of_the_agent_whom_the_opening_of_its_media_names(
    store: Store, tmp_path: Path, signalled: bool
) -> None:
    async with floor(store, tmp_path, ways=[PcmWay]) as site:
        if signalled:
            moments = (("offered", 0), ("ringing", 1), ("answered", 5), ("ended", 7))
            await site.tell(*(raw(kind, when, call="p1", seat="P2") for kind, when in moments))
        await fork(site, "p1", 2)
        await site.turn()
        await site.turn(LATE_S)
        await site.turn(LATE_S)
        call = await site.call("p1")
        await score(site, None, "p1")

        assert (call.seat, call.agent, call.state) == ("P2", "AP", "recorded")
        assert call.orphan == (None if signalled else "no signalling")
        assert (await site.current("call:p1")).agent == "AP"


@pytest.mark.parametrize("seat", ["G8", None])
async def test_a_call_is_that_of_the_agent_whom_audiohook_s_own_settings_name(
    store: Store, tmp_path: Path, seat: str | None
) -> None:
    """Whether the switchboard says at which seat it was answered, or only that it was."""
    async with floor(store, tmp_path, ways=[AudioHookWay], sources=Sources([Source("genesys", (KEY,))])) as site:
        async with HookClient(url(site.ingest), secret=None) as client:
            await client.open(customConfig={"seat": "G8", "agent": "AG8"})
            await client.send(b"\x55\xd5" * 8000)
            await client.finish()
        own = {"call": client.call, "source": "acd", **({"seat": seat} if seat else {})}
        moments = (("offered", 0), ("ringing", 1), ("answered", 5), ("ended", 7))
        taken = await site.ingest.core.take_events([raw(kind, when, **own) for kind, when in moments])
        await site.ingest.flush()
        await site.turn()
        await site.turn(LATE_S)
        await score(site, None, client.call)

        call = await site.call(client.call)
        assert (taken.refused, call.seat, call.agent, call.orphan) == ((), "G8", "AG8", None)
        assert (await site.current(f"call:{client.call}")).agent == "AG8"
