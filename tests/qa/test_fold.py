"""The folds over a real store and a real spool: what becomes of calls, legs and seats, whatever comes late or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest_asyncio

from ingest.spool import all_files, contents
from qa.calls import stored_record
from qa.fold import LATE
from qa.services import keep_folding
from qa.store import calls, events, seats
from qa.store.duty import Duty
from qa.store.errors import StoreAway
from qa.store.pool import Store
from speech.audio import decode
from tests.ingest.lab import tick
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa.lab import ZONE, Floor, at, floor, hum

LATE_S = LATE.total_seconds()


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path) as one:
        yield one


def ring(call: str = "c1") -> list[dict[str, object]]:
    own = {"call": call, "seat": "s1", "agent": "A01"}
    return [
        raw("offered", 0, id=f"{call}-offered", direction="in", **own),
        raw("ringing", 0, id=f"{call}-ringing", **own),
    ]


def answer(call: str = "c1", seconds: float = 5) -> list[dict[str, object]]:
    return [*ring(call), raw("answered", seconds, id=f"{call}-answered", call=call, seat="s1", agent="A01")]


def leg(site: Floor, role: str, call: str = "c1") -> dict[str, object]:
    return raw("leg", 5, id=f"{call}-{role}", call=call, leg=role, role=role,
               audio={"stream": site.token(call, role, role)})  # fmt: skip


def ended(seconds: float = 7, call: str = "c1", **own: object) -> dict[str, object]:
    return raw("ended", seconds, id=f"{call}-ended", **{"call": call, "by": "customer", **own})


async def test_an_answered_call_with_two_legs_becomes_one_recording_and_one_job(site: Floor) -> None:
    await site.tell(*answer(), leg(site, "agent"), leg(site, "customer"))
    await site.stream("c1", "agent", hum(2000, 700), 5)
    await site.stream("c1", "customer", hum(2000, -300), 5)
    await site.turn()
    assert (await site.call()).state == "live"

    await site.tell(ended())
    await site.turn()
    call, (one,) = await site.call(), await site.kept()
    assert (call.state, call.conclusion, call.agent, call.seat, call.day) == (
        "recorded", "answered", "A01", "s1", at(0).date(),
    )  # fmt: skip
    assert call.folded["record"]["hung_up_by"] == "customer"
    assert call.folded["audio"] == {role: {"started": True, "ended": True} for role in ("agent", "customer")}
    assert (one.format, one.roles, one.duration_ms, one.answer_ms, one.gaps) == (
        "flac", ("customer", "agent"), 2000, 0, (),
    )  # fmt: skip
    heard = decode(site.home / "recordings" / one.path)
    assert heard.pcm[0].tolist() == [-300] * 16000
    assert heard.pcm[1].tolist() == [700] * 16000
    assert await site.jobs() == {"hear": 1}
    assert len(site.files) == 1


async def test_a_leg_over_audiosocket_and_one_over_stream_meet_in_one_recording(site: Floor) -> None:
    ident = site.uuid("c1", "agent", "agent")
    bound = raw("leg", 5, id="c1-agent", leg="agent", role="agent", audio={"audiosocket": str(ident)})
    await site.tell(*answer(), bound, leg(site, "customer"))
    await site.audiosocket(ident, hum(400, 50))
    await site.stream("c1", "customer", hum(400, 60), 5)
    await site.tell(ended())
    await site.turn()

    call, (one,) = await site.call(), await site.kept()
    assert call.folded["audio"] == {role: {"started": True, "ended": True} for role in ("agent", "customer")}
    assert set(np.unique(decode(site.home / "recordings" / one.path).pcm[1])) == {0, 50}


async def test_audio_of_a_uuid_that_an_event_binds_later_belongs_to_its_call(site: Floor) -> None:
    ident = site.uuid("c1", "agent", "agent")
    await site.audiosocket(ident, hum(400, 50))
    await site.turn()
    bound = raw("leg", 5, id="c1-agent", leg="agent", role="agent", audio={"audiosocket": str(ident)})
    await site.tell(*answer(), bound, ended())
    await site.turn()
    await site.turn(LATE_S)

    (one,) = await site.kept()
    assert 50 in decode(site.home / "recordings" / one.path).pcm[1]


async def test_an_abandoned_call_is_scored_without_a_recording(site: Floor) -> None:
    await site.tell(*ring(), ended(17.2))
    await site.turn()

    call = await site.call()
    assert (call.state, call.conclusion, await site.kept()) == ("recorded", "abandoned", [])
    assert await site.jobs() == {"hear": 1}
    assert site.files == []


async def test_a_leg_that_ends_after_the_hang_up_is_waited_for(site: Floor) -> None:
    await site.tell(*answer(), leg(site, "agent"), ended())
    await site.turn()
    assert ((await site.call()).state, await site.jobs()) == ("ended", {})

    await site.stream("c1", "agent", hum(2000), 5)
    await site.turn(1)
    (one,) = await site.kept()
    assert one.duration_ms == 2000
    assert await site.jobs() == {"hear": 1}


async def test_a_leg_that_was_registered_and_never_heard_is_a_gap_after_the_wait(site: Floor) -> None:
    await site.tell(*answer(), leg(site, "agent"), leg(site, "customer"))
    await site.stream("c1", "customer", hum(2000), 5)
    await site.tell(ended())
    await site.turn()
    await site.turn(LATE_S - 1)
    assert (await site.call()).state == "ended"

    await site.turn(1)
    (one,) = await site.kept()
    assert one.gaps == ({"role": "agent", "start_ms": 0, "end_ms": 2000, "cause": "no_leg"},)
    assert (await site.call()).state == "recorded"


async def test_audio_without_any_event_is_kept_as_a_call_of_its_own_after_the_wait(site: Floor) -> None:
    await site.stream("orphan", "agent", hum(1000), 5)
    await site.turn()
    assert (await site.call("orphan")).state == "ended"
    assert await site.kept("orphan") == []

    await site.turn(LATE_S)
    (one,) = await site.kept("orphan")
    assert (one.duration_ms, one.roles) == (1000, ("customer", "agent"))
    call = await site.call("orphan")
    assert (call.state, call.conclusion, call.at) == ("recorded", None, at(5))
    assert await site.jobs() == {"hear": 1}


async def test_the_same_news_twice_make_no_second_job(site: Floor) -> None:
    await site.tell(*ring(), ended(17.2))
    await site.turn()
    await site.tell(*ring(), ended(17.2))
    async with site.store.site(SITE, "test") as tx:
        await events.mark_due(tx, "call", "c1")
    await site.turn(LATE_S)

    assert await site.jobs() == {"hear": 1}
    assert (await site.call()).state == "recorded"


async def test_a_late_event_folds_the_call_again(site: Floor) -> None:
    await site.tell(*ring(), ended(17.2))
    await site.turn()
    await site.tell(raw("answered", 4, id="late", seat="s1", agent="A01"))
    await site.turn()
    await site.turn(LATE_S)

    call = await site.call()
    assert (call.conclusion, call.agent, call.answered_at) == ("answered", "A01", at(4))
    assert await site.jobs() == {"hear": 2}


async def test_a_late_leg_makes_a_second_recording_and_leaves_the_first_one_whole(site: Floor) -> None:
    await site.tell(*answer(), leg(site, "agent"), leg(site, "customer"))
    await site.stream("c1", "customer", hum(2000, 9), 5)
    await site.tell(ended())
    await site.turn()
    await site.turn(LATE_S)
    (first,) = await site.kept()
    before = (site.home / "recordings" / first.path).read_bytes()

    await site.stream("c1", "agent", hum(2000, 4), 5)
    await site.turn(LATE_S)
    newest, older = await site.kept()
    assert (older.path, (site.home / "recordings" / older.path).read_bytes()) == (first.path, before)
    assert newest.path != older.path
    assert set(np.unique(decode(site.home / "recordings" / newest.path).pcm[1])) == {4}
    assert newest.gaps == ()


async def test_what_was_recorded_and_changed_in_nothing_is_not_written_again(site: Floor) -> None:
    await site.tell(*answer(), leg(site, "agent"))
    await site.stream("c1", "agent", hum(2000), 5)
    await site.tell(ended())
    await site.turn()
    await site.tell(raw("held", 6, id="late"))
    await site.turn(LATE_S)

    assert len(await site.kept()) == 1
    assert len(site.files) == 1


async def test_a_broken_off_turn_gives_its_news_back(site: Floor) -> None:
    """An instant that no turn can fold here: the clock of the test fails once."""
    await site.stream("orphan", "agent", hum(500), 5)
    await site.tell(*ring(), ended(17.2))

    def broken() -> object:
        raise RuntimeError("the clock stands still")

    site.folder.now, clock = broken, site.folder.now  # type: ignore[assignment]
    try:
        await site.turn()
    except RuntimeError as error:
        assert "stands still" in str(error)
    site.folder.now = clock
    await site.turn()

    assert (await site.call()).state == "recorded"


async def test_news_that_come_while_a_call_is_assembled_are_not_lost(site: Floor) -> None:
    await talked(site)
    told: list[str] = []

    async def meanwhile(point: str) -> None:
        if point == "written" and not told:
            told.append(point)
            await site.tell(raw("held", 5.5, id="h", call="c1"), raw("resumed", 6, id="r", call="c1"))
            await site.folder.fold()

    site.folder.step = meanwhile
    await site.turn()
    assert told and (await site.call()).state == "ended" and (await site.kept(), await site.jobs()) == ([], {})

    await site.turn()
    call = await site.call()
    assert call.state == "recorded" and len(stored_record(call.folded).holds) == 1
    (one,) = await site.kept()
    assert site.files == [Path(one.path).name]
    assert await site.jobs() == {"hear": 1}


async def test_the_floor_does_not_wait_for_a_call_that_is_assembled(site: Floor) -> None:
    await talked(site)
    begun, go_on, wake = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def long(point: str) -> None:
        if point == "assembled":
            begun.set()
            await go_on.wait()

    site.folder.step = long
    folding = asyncio.create_task(keep_folding(site.folder, Duty(site.store.dsn, SITE, "folds"), wake))
    try:
        await asyncio.wait_for(begun.wait(), 20)
        await site.tell(raw("seat", 8, id="s", seat="s1", status="busy", reason="break"))
        wake.set()
        async with asyncio.timeout(20):
            while not (await stretches(site)):
                await tick()
        assert (await site.call()).state == "ended"
        go_on.set()
        async with asyncio.timeout(20):
            while (await site.call()).state != "recorded":
                await tick()
    finally:
        folding.cancel()
        await asyncio.gather(folding, return_exceptions=True)


async def test_a_database_that_went_away_while_a_call_was_assembled_is_found_again(site: Floor) -> None:
    await talked(site)
    await site.folder.fold()
    away = [1, 2]

    async def breaks(point: str) -> None:
        if point == "written" and away:
            raise StoreAway(f"database: away, {away.pop()}")

    site.folder.step = breaks
    folding = asyncio.create_task(keep_folding(site.folder, Duty(site.store.dsn, SITE, "folds"), asyncio.Event()))
    try:
        async with asyncio.timeout(20):
            while (await site.call()).state != "recorded":
                await tick()
    finally:
        folding.cancel()
        await asyncio.gather(folding, return_exceptions=True)
    assert away == []


async def talked(site: Floor) -> None:
    """A whole call that nobody has folded yet."""
    await site.tell(*answer(), leg(site, "agent"), leg(site, "customer"))
    await site.stream("c1", "agent", hum(2000, 700), 5)
    await site.stream("c1", "customer", hum(2000, -300), 5)
    await site.tell(ended())


async def stretches(site: Floor) -> list[str]:
    async with site.store.site(SITE, "test") as tx:
        return [str(one.value) for one in await seats.history(tx, "s1", at(7.9), at(100)) if one.kind == "status"]


class Unreadable(dict[str, str]):
    """Words of a site among which one cannot be looked up."""

    def get(self, word: str, default: Any = None) -> Any:
        if word == "bad":
            raise LookupError(word)
        return default


async def test_what_cannot_be_folded_holds_up_nothing_else_and_is_tried_again(site: Floor) -> None:
    site.folder.reasons = Unreadable()
    await site.tell(raw("seat", 0, id="1", seat="s1", status="busy", reason="bad"), *ring(), ended(17.2))
    await site.tell(raw("seat", 0, id="2", seat="s2", status="busy", reason="lunch"))
    await site.turn()
    async with site.store.site(SITE, "test") as tx:
        assert [len(await seats.history(tx, seat, at(0), at(100))) for seat in ("s1", "s2")] == [0, 1]
    assert (await site.call()).state == "recorded"
    assert list(site.folder.aside) == [("seat", "s1")]

    site.folder.reasons = {}
    await site.turn(LATE_S - 1)
    assert list(site.folder.aside) == [("seat", "s1")]
    await site.turn(2)
    async with site.store.site(SITE, "test") as tx:
        assert len(await seats.history(tx, "s1", at(0), at(100))) == 1
    assert site.folder.aside == {}


async def test_after_a_restart_ended_calls_are_finished_even_when_there_are_many(site: Floor) -> None:
    """More calls than a page of the list holds."""
    for first in (0, 105):
        names = [f"c{number}" for number in range(first, first + 105)]
        await site.tell(*(event for name in names for event in (*answer(name), leg(site, "agent", name))))
        await site.tell(*(ended(call=name) for name in names))
    await site.turn()
    async with site.store.site(SITE, "test") as tx:
        assert await calls.count(tx) == {"ended": 210}

    fresh = site.again()
    await fresh.resume()
    await fresh.turn()
    site.clock[0] += LATE
    await fresh.turn()
    async with site.store.site(SITE, "test") as tx:
        assert await calls.count(tx) == {"recorded": 210}


async def test_an_empty_seat_becomes_an_episode_and_a_job_when_somebody_is_back(site: Floor) -> None:
    await site.tell(raw("seat", 0, status="ready", agent="A01"), raw("presence", 10, present="no", by="sensor"))
    await site.turn()
    async with site.store.site(SITE, "test") as tx:
        (open_one,) = (await seats.page_away(tx, "s1")).items
    assert (open_one.until_at, open_one.away_ms, await site.jobs()) == (None, None, {})

    await site.tell(raw("presence", 85, present="yes", by="sensor"))
    await site.turn()
    async with site.store.site(SITE, "test") as tx:
        (episode,) = (await seats.page_away(tx, "s1")).items
        told = await seats.history(tx, "s1", at(0), at(100))
    assert (episode.away_ms, episode.ready_ms, episode.status, episode.agent) == (75000, 75000, "ready", "A01")
    assert [(one.kind, one.value) for one in told] == [("presence", "no"), ("presence", "yes"), ("status", "ready")]
    assert await site.jobs() == {"score_away": 1}


async def test_an_episode_is_one_and_the_same_whatever_offset_its_sender_writes(site: Floor) -> None:
    told = [{**one, "at": datetime.fromisoformat(str(one["at"])).astimezone(ZONE).isoformat()} for one in away(10, 85)]
    await site.tell(raw("seat", 0, status="ready"), *told)
    await site.turn()
    async with site.store.site(SITE, "test") as tx:
        (episode,) = (await seats.page_away(tx, "s1")).items

    assert episode.id == f"s1:{at(10).isoformat()}"


async def test_news_of_a_seat_score_only_the_episodes_that_changed(site: Floor) -> None:
    await site.tell(raw("seat", 0, status="ready"), *away(10, 85))
    await site.turn()
    await site.tell(*away(200, 300), raw("seat", 400, status="busy", reason="break"))
    await site.turn()
    await site.tell(raw("seat", 500, status="ready"))
    await site.turn()

    assert await site.jobs() == {"score_away": 2}


def away(start: float, end: float) -> list[dict[str, object]]:
    return [
        raw("presence", start, present="no", by="sensor"),
        raw("presence", end, present="yes", by="sensor"),
    ]


async def retired(site: Floor) -> list[Path]:
    """The files that are no longer written, once the spool has put them away."""
    while True:
        await site.ingest.flush()
        old = [path for path in all_files(site.home / "spool") if path.stem < site.ingest.spool.live_id]
        if old and all(contents(path).retired for path in old):
            return old


async def test_spool_files_go_only_when_carried_and_assembled(store: Store, tmp_path: Path) -> None:
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        await site.tell(*answer(), leg(site, "agent"), leg(site, "customer"))
        await site.stream("c1", "agent", hum(300), 5)
        held = [path for path in await retired(site) if contents(path).legs]
        await site.turn()
        await site.folder.tidy()
        assert held
        assert all(path.exists() for path in held)

        await site.stream("c1", "customer", hum(300), 5)
        await site.tell(ended(5.3))
        await site.turn()
        await site.tell(*ring("c2"))
        old = await retired(site)
        await site.ingest.flush()
        await site.turn()
        assert await site.folder.tidy() == len(old)
        assert not any(path.exists() for path in old)


async def test_a_spoilt_spool_file_holds_no_other_one(store: Store, tmp_path: Path) -> None:
    """Its own process would set it aside; where that one is not started any more, the others go on."""
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        await site.tell(*ring("c1"), ended(5))
        old = await retired(site)
        spoilt = site.folder.spool / "left" / "000000000001-00000000000000aa.db"
        spoilt.parent.mkdir()
        spoilt.write_bytes(b"this is no database, " * 400)
        await site.turn()
        assert await site.folder.tidy() == len(old)
        assert spoilt.exists()


async def test_late_audio_of_a_recorded_call_is_kept_until_it_was_assembled(store: Store, tmp_path: Path) -> None:
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        await site.tell(*answer(), leg(site, "agent"), leg(site, "customer"))
        await site.stream("c1", "customer", hum(300, 5), 5)
        await site.tell(ended(5.3))
        await site.turn()
        await site.turn(LATE_S)
        assert len(await site.kept()) == 1

        await site.stream("c1", "agent", hum(300, 6), 5)
        await site.tell(*ring("c2"))
        late = [path for path in await retired(site) if ("c1", "agent") in contents(path).legs]
        await site.folder.tidy()
        assert late
        assert all(path.exists() for path in late)

        await site.turn()
        await site.folder.tidy()
        await site.turn(LATE_S)
        newest, _ = await site.kept()
        assert set(np.unique(decode(site.home / "recordings" / newest.path).pcm)) == {5, 6}


async def test_a_leg_without_a_sample_holds_no_spool_file_for_ever(store: Store, tmp_path: Path) -> None:
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        await site.tell(*answer(), leg(site, "agent"))
        await site.stream("c1", "agent", b"", 5)
        await site.tell(ended())
        await site.turn()
        await site.turn(LATE_S)
        assert ((await site.call()).state, await site.kept()) == ("recorded", [])

        await site.tell(*ring("c2"))
        old = await retired(site)
        await site.turn()
        await site.folder.tidy()
        assert not any(path.exists() for path in old)


async def test_audio_that_comes_after_the_spool_has_gone_joins_the_recording(store: Store, tmp_path: Path) -> None:
    """Both parties are in it then, nothing of the first is lost, and nothing is missing any more."""
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        await site.tell(*answer(), leg(site, "agent"), leg(site, "customer"))
        await site.stream("c1", "customer", hum(300, 5), 5)
        await site.tell(ended(5.3))
        await site.turn()
        await site.turn(LATE_S)
        await site.tell(*ring("c2"))
        await retired(site)
        await site.turn()
        assert await site.folder.tidy() > 0
        (before,) = await site.kept()
        assert [gap["cause"] for gap in before.gaps] == ["no_leg"]

        await site.stream("c1", "agent", hum(300, 6), 5)
        await site.turn()
        await site.turn(LATE_S)
        newest = (await site.kept())[0]
        pcm = decode(site.home / "recordings" / newest.path).pcm
        assert (set(pcm[0]), set(pcm[1]), newest.gaps) == ({5}, {6}, ())
        assert await site.jobs() == {"hear": 2}


async def test_an_answer_told_late_moves_the_recording_s_time_line(store: Store, tmp_path: Path) -> None:
    """In time for the spool or after it: turns are counted from the answer, not from the first sample."""
    async with floor(store, tmp_path, rotate_bytes=1) as site:
        await site.tell(*ring(), leg(site, "agent"), leg(site, "customer"))
        for role, value in (("customer", 5), ("agent", 6)):
            await site.stream("c1", role, hum(3000, value), 5)
        await site.tell(ended(8))
        await site.turn()
        await site.turn(LATE_S)
        assert (await site.kept())[0].answer_ms == 0

        await site.tell(raw("answered", 7, call="c1"))
        await site.turn()
        await site.turn(LATE_S)
        assert {one.answer_ms for one in await site.kept()} == {2000}
