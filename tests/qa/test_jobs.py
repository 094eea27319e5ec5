"""The worker over a real store, a real recording and a recogniser that says what a script tells: once is once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from qa.store import calls, ledger, recordings, runs, seats, transcripts
from qa.store.pool import Store
from scoring.engine import run_inputs
from scoring.facts import load
from speech.audio import MAX_SECONDS, decode
from speech.errors import AudioError, RecogniserCrashed
from speech.pool import Recogniser
from tests.ingest.values import raw
from tests.postgres import SITE
from tests.qa import engines
from tests.qa.lab import TALK_S, Floor, at, floor, hearing

JOB = {"site": SITE, "call": "c1"}


@pytest.fixture(scope="module")
def polite() -> Iterator[Recogniser]:
    with hearing(engines.polite) as one:
        yield one


@pytest_asyncio.fixture
async def site(store: Store, tmp_path: Path) -> AsyncIterator[Floor]:
    async with floor(store, tmp_path) as one:
        yield one


async def texts(site: Floor, call: str = "c1") -> list[transcripts.Transcript]:
    async with site.store.site(SITE, "test") as tx:
        return await transcripts.of_call(tx, call)


async def lines(site: Floor, subject: str = "call:c1") -> dict[str, dict[str, Any]]:
    card = json.loads((await site.current(subject)).card)
    return {line["rule"]: line for line in card["lines"]}


async def walk(site: Floor) -> runs.Walk:
    async with site.store.site(SITE, "test") as tx:
        return await runs.walk_chain(tx)


async def test_hearing_a_call_twice_gives_one_transcript_and_one_run(site: Floor, polite: Recogniser) -> None:
    await site.spoken_call()
    worker = site.worker(polite, keep_flac=True)
    await worker.hear(JOB)
    await worker.hear(JOB)

    (heard,), (run,), call = await texts(site), await site.runs("call:c1"), await site.call()
    assert [turn["text"] for turn in heard.body["turns"]][:2] == ["您好,请问有什么可以帮您", "我家宽带上不了网"]
    assert (call.state, run.is_current, run.agent, run.actor) == ("scored", True, "A01", "worker")
    found = await lines(site)
    assert (found["BES-13a"]["outcome"], found["BES-16"]["outcome"]) == ("clear", "clear")
    assert (await walk(site)).clean


async def test_the_run_is_named_by_its_inputs(site: Floor, polite: Recogniser) -> None:
    await site.spoken_call()
    await site.worker(polite).hear(JOB)

    run, rules = await site.current("call:c1"), site.rules()
    assert run.inputs == run_inputs(rules.pack, rules.overlay, load(run.facts), (await site.call()).day)
    assert run.day == at(0).date()


async def test_opus_takes_the_place_of_flac_once_the_transcript_is_stored(site: Floor, polite: Recogniser) -> None:
    await site.spoken_call()
    (flac,) = await site.kept()
    await site.worker(polite).hear(JOB)

    (opus,), (heard,) = await site.kept(), await texts(site)
    assert (opus.format, opus.roles, opus.answer_ms, opus.gaps) == ("opus", flac.roles, flac.answer_ms, flac.gaps)
    assert heard.audio_sha == flac.audio_sha
    assert site.files == [Path(opus.path).name]
    assert abs(decode(site.home / "recordings" / opus.path).duration_ms - flac.duration_ms) <= 100

    await site.worker(polite).hear(JOB)
    assert (len(await texts(site)), len(await site.runs("call:c1")), await site.kept()) == (1, 1, [opus])


async def test_flac_stays_where_the_site_keeps_it(site: Floor, polite: Recogniser) -> None:
    await site.spoken_call()
    before = await site.kept()
    await site.worker(polite, keep_flac=True).hear(JOB)

    assert await site.kept() == before


async def test_flac_stays_while_nobody_has_heard_it(site: Floor) -> None:
    await site.spoken_call()
    await site.worker(None).hear(JOB)

    assert [one.format for one in await site.kept()] == ["flac"]
    found = await lines(site)
    assert (found["BES-13a"]["outcome"], found["BES-13a"]["cause"]) == ("unknown", "no_transcript")
    assert found["BES-16"]["outcome"] == "clear"


async def test_a_recogniser_that_ends_leaves_the_job_and_nothing_half_written(site: Floor) -> None:
    await site.spoken_call(language="ko")
    with hearing(engines.fragile) as fragile, pytest.raises(RecogniserCrashed):
        await site.worker(fragile).hear(JOB)

    assert (await texts(site), await site.runs("call:c1")) == ([], [])
    assert [one.format for one in await site.kept()] == ["flac"]
    assert (await site.call()).state == "failed"
    with hearing(engines.polite) as mended:
        await site.worker(mended).hear(JOB)
    assert ((await site.call()).state, len(await site.runs("call:c1"))) == ("scored", 1)


async def test_a_recording_that_cannot_be_read_is_named(site: Floor, polite: Recogniser) -> None:
    await site.spoken_call()
    (one,) = await site.kept()
    (site.home / "recordings" / one.path).write_bytes(b"not sound any more")

    with pytest.raises(AudioError, match=r"\.flac: "):
        await site.worker(polite).hear(JOB)
    assert (await site.call()).state == "failed"
    assert await site.runs("call:c1") == []


async def test_a_recording_that_is_too_long_is_not_tried_again_and_again(site: Floor, polite: Recogniser) -> None:
    await site.spoken_call()
    (one,) = await site.kept()
    with (site.home / "recordings" / "long.ulaw").open("wb") as file:
        file.truncate(MAX_SECONDS * 8000 + 8000)  # silence that takes no disk
    async with site.store.site(SITE, "test") as tx:
        await recordings.add(tx, replace(one, id=None, made_at=None, path="long.ulaw", audio_sha="long"))

    await site.worker(polite).hear(JOB)  # raises nothing: the job is over
    assert ((await site.call()).state, await site.runs("call:c1")) == ("failed", [])


async def test_a_worker_stopped_at_any_named_point_does_all_of_it_at_the_next_try(
    site: Floor, polite: Recogniser
) -> None:
    await site.spoken_call()
    for point in ("transcribed", "run", "reversals", "entries", "pointer", "outbox"):

        async def stop(here: str, point: str = point) -> None:
            if here == point:
                raise asyncio.CancelledError(here)

        with pytest.raises(asyncio.CancelledError, match=point):
            await site.worker(polite, step=stop).hear(JOB)
        assert (len(await texts(site)), await site.runs("call:c1")) == (1, []), point
        assert [one.format for one in await site.kept()] == ["flac"]

    await site.worker(polite).hear(JOB)
    assert (len(await texts(site)), len(await site.runs("call:c1"))) == (1, 1)
    assert (await walk(site)).clean


async def test_an_event_after_scoring_gives_a_new_run_and_reverses_the_old_one(site: Floor) -> None:
    ring = {"call": "c1", "seat": "s1", "agent": "A01"}
    await site.tell(
        raw("offered", 0, id="1", direction="in", **ring), raw("ringing", 0, id="2", **ring),
        raw("ended", 17.2, id="3", by="customer"),
    )  # fmt: skip
    await site.turn()
    await site.worker(None).hear(JOB)
    first = await site.current("call:c1")
    assert (await lines(site))["BES-16"]["outcome"] == "breach"

    await site.tell(raw("answered", 4, id="late", **ring))
    await site.turn()
    assert (await site.call()).state == "ended"
    await site.turn(60)
    await site.worker(None).hear(JOB)

    second = await site.current("call:c1")
    assert (await lines(site))["BES-16"]["outcome"] == "clear"
    assert second.id != first.id
    assert len(await site.runs("call:c1")) == 2
    async with site.store.site(SITE, "test") as tx:
        assert runs.in_force(await runs.entries(tx, "call:c1")) == []
    assert (await walk(site)).clean


async def test_an_event_that_comes_while_a_worker_scores_is_not_lost(site: Floor) -> None:
    """The worker has read the call and not yet written it when the folds want to."""
    await site.spoken_call()
    folding: list[asyncio.Task[int]] = []

    async def meanwhile(point: str) -> None:
        if point == "run" and not folding:
            await site.tell(raw("held", 6, id="late", call="c1"), raw("resumed", 8, id="later", call="c1"))
            folding.append(asyncio.create_task(site.turn()))
            async with asyncio.timeout(20):
                while not (folding[0].done() or await _somebody_waits(site)):
                    continue

    await site.worker(None, step=meanwhile).hear(JOB)
    await folding[0]

    assert (await site.call()).folded["record"]["holds"]
    await site.worker(None).hear(JOB)
    assert load((await site.current("call:c1")).facts).call.hold_ms == 2000  # type: ignore[union-attr]


async def _somebody_waits(site: Floor) -> bool:
    async with site.store.site(SITE, "test") as tx:
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
        return bool(await tx.connection.fetchval(waits))


async def test_a_phone_whose_clock_contradicts_itself_has_no_ring_times(site: Floor) -> None:
    ring = {"call": "c1", "seat": "s1", "agent": "A01"}
    await site.tell(
        raw("offered", 0, id="1", direction="in", **ring), raw("answered", 3, id="2", **ring),
        raw("ringing", 9, id="3", **ring), raw("ended", 20, id="4", by="customer"),
    )  # fmt: skip
    await site.turn()
    await site.turn(60)
    await site.worker(None).hear(JOB)

    line = (await lines(site))["BES-16"]
    assert (line["outcome"], line["cause"]) == ("unknown", "clock")


async def test_the_phone_s_own_count_stands_where_its_clock_does_not(site: Floor) -> None:
    ring = {"call": "c1", "seat": "s1", "agent": "A01"}
    await site.tell(
        raw("offered", 0, id="1", direction="in", **ring), raw("answered", 3, id="2", **ring),
        raw("ringing", 9, id="3", **ring), raw("ended", 20, id="4", by="customer", rings=4),
    )  # fmt: skip
    await site.turn()
    await site.turn(60)
    await site.worker(None).hear(JOB)

    assert (await lines(site))["BES-16"]["outcome"] == "breach"


@pytest.mark.parametrize(
    ("states", "ready"),
    [
        ([raw("seat", -60, status="ready")], True),
        ([raw("seat", -60, status="busy", reason="break")], False),
        ([raw("seat", -60, status="ready"), raw("seat", -5, status="busy", reason="break")], False),
        ([raw("seat", -60, status="unknown")], None),
        ([raw("seat", 1, status="ready")], None),
        ([], None),
    ],
    ids=["ready", "busy", "busy since", "unknown", "said later", "never said"],
)
async def test_whether_the_seat_was_ready_is_what_it_said_when_the_call_was_offered(
    site: Floor, states: list[dict[str, Any]], ready: bool | None
) -> None:
    ring = {"call": "c1", "seat": "s1", "agent": "A01"}
    await site.tell(
        *states, raw("offered", 0, id="1", direction="in", **ring), raw("ringing", 0, id="2", **ring),
        raw("ended", 18, id="3", by="system"),
    )  # fmt: skip
    await site.turn()
    await site.worker(None).hear(JOB)

    facts = load((await site.current("call:c1")).facts).call
    assert facts is not None
    assert (facts.seat_was_ready if isinstance(facts.seat_was_ready, bool) else None) is ready


async def test_an_empty_seat_is_scored_once_and_reversed_when_later_news_undo_it(site: Floor) -> None:
    await site.tell(
        raw("seat", 0, status="ready", agent="A01"),
        raw("presence", 10, present="no", by="sensor"), raw("presence", 85, present="yes", by="sensor"),
    )  # fmt: skip
    await site.turn()
    episode = f"s1:{at(10).isoformat()}"
    worker = site.worker(None)
    await worker.score_away({"site": SITE, "episode": episode})
    await worker.score_away({"site": SITE, "episode": episode})
    (run,) = await site.runs(f"away:{episode}")
    assert (await lines(site, f"away:{episode}"))["BES-17"]["outcome"] == "breach"
    assert (run.agent, run.seat, run.automatic < 0) == ("A01", "s1", True)

    await site.tell(raw("presence", 5, present="no", by="sensor", id="earlier"))
    await site.turn()
    async with site.store.site(SITE, "test") as tx:
        (moved,) = (await seats.page_away(tx, "s1")).items
    assert moved.id == f"s1:{at(5).isoformat()}"
    gone = {"seat": "s1", "agent": "A01", "at": at(10).isoformat(), "status": "ready", "source": "presence"}
    await worker.score_away({"site": SITE, "episode": episode, "withdrawn": gone})
    await worker.score_away({"site": SITE, "episode": moved.id})

    async with site.store.site(SITE, "test") as tx:
        assert runs.in_force(await runs.entries(tx, f"away:{episode}")) == []
        assert [one.rule for one in runs.in_force(await runs.entries(tx, f"away:{moved.id}"))] == ["BES-17"]
    assert (await walk(site)).clean


async def test_an_episode_that_was_taken_back_before_anybody_scored_it_is_no_failure(site: Floor) -> None:
    await site.worker(None).score_away({"site": SITE, "episode": "s1:never"})

    assert await site.runs("away:s1:never") == []


async def test_jobs_of_the_queue_do_it_all(site: Floor, polite: Recogniser) -> None:
    """The very jobs that the folds left, run by a real worker's queue."""
    from qa.jobs import HEAR
    from qa.store.queue import Queue

    await site.spoken_call()
    worker, done = site.worker(polite), asyncio.Event()

    async def hear(job: dict[str, Any]) -> None:
        await worker.hear(job)
        done.set()

    async with Queue.open(site.store.dsn) as jobs:
        jobs.handle(HEAR, hear)
        running = asyncio.create_task(jobs.run())
        async with asyncio.timeout(60):
            await done.wait()
        jobs.stop()
        await running
    assert ((await site.call()).state, await site.jobs()) == ("scored", {})


async def test_a_call_that_rang_again_meanwhile_is_not_said_to_be_scored(site: Floor) -> None:
    """A job of an earlier recording ends while the folds still wait for more of the call."""
    await site.spoken_call()
    async with site.store.site(SITE, "test") as tx:
        await ledger.hold_subject(tx, "call:c1")
        await calls.upsert(tx, replace(await calls.get(tx, "c1"), state="ended"))
    await site.worker(None).hear(JOB)

    assert (await site.call()).state == "ended"


async def test_a_call_nobody_knows_is_said(site: Floor) -> None:
    with pytest.raises(Exception, match="call nothing"):
        await site.worker(None).hear({"site": SITE, "call": "nothing"})


def test_the_script_lies_inside_the_recording() -> None:
    assert all(line.end_ms < TALK_S * 1000 for line in engines.LINES)
