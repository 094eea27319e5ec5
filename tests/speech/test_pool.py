from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from speech.audio import write_flac
from speech.errors import AudioError, ModelError, RecogniserCrashed, RecogniserLate
from speech.pool import Limits, Recogniser
from tests.speech import engines
from tests.speech.values import CALL

ROLES = ["customer", "agent"]


@pytest.fixture(scope="module")
def recogniser() -> Iterator[Recogniser]:
    with Recogniser(engines.odd, Limits(threads=2)) as one:
        yield one


def test_a_file_is_heard_in_a_child_of_lowest_priority(recogniser: Recogniser) -> None:
    says = recogniser.warm_up().engine
    told: list[int] = []
    transcript = recogniser.hear(CALL, "zh", ROLES, lambda done, whole: told.append(done * 100 // whole))

    assert says.startswith("nice 19, threads 2")
    assert recogniser.pid not in (None, os.getpid())
    assert [turn.text for turn in transcript.turns] == ["您好,请讲。", "我家宽带上不了网。"]
    assert told[-1] == 100


def test_a_bad_file_is_an_audio_error_and_the_child_lives_on(recogniser: Recogniser, tmp_path: Path) -> None:
    recogniser.warm_up()
    before = recogniser.pid
    with pytest.raises(AudioError, match="no such file"):
        recogniser.hear(tmp_path / "none.wav", "zh")

    assert recogniser.pid == before


def test_a_crash_is_said_and_a_new_child_takes_the_next_job(recogniser: Recogniser) -> None:
    recogniser.warm_up()
    before = recogniser.pid
    with pytest.raises(RecogniserCrashed, match="exit code 7"):
        recogniser.hear(CALL, "crash")

    assert len(recogniser.hear(CALL, "zh").turns) == 2
    assert recogniser.pid != before


async def test_a_cancelled_job_ends_its_child_and_the_next_one_is_heard(recogniser: Recogniser) -> None:
    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    job = asyncio.create_task(
        recogniser.hear_file(CALL, "hang", ROLES, lambda *_: loop.call_soon_threadsafe(begun.set))
    )
    await asyncio.wait_for(begun.wait(), 60)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job

    transcript = await asyncio.wait_for(recogniser.hear_file(CALL, "zh", ROLES), 60)
    assert len(transcript.turns) == 2


async def test_the_loop_runs_on_while_a_file_is_heard(recogniser: Recogniser) -> None:
    await recogniser.warmed_up()
    job = asyncio.create_task(recogniser.hear_file(CALL, "zh", ROLES))
    turns = 0
    while not (await asyncio.wait({job}, timeout=0.02))[0]:
        turns += 1

    assert turns > 3
    assert len((await job).turns) == 2


async def test_one_turn_is_heard_again(recogniser: Recogniser) -> None:
    heard = await recogniser.hear_file_again(CALL, "zh", 1, 1000, 4700)

    assert heard.text == "您好,请讲。"
    assert recogniser.hear_again(CALL, "zh", 0, 3000, 6200).text == "我家宽带上不了网。"


def test_a_child_that_hangs_is_ended_at_its_deadline() -> None:
    with Recogniser(engines.odd, Limits(stall_seconds=0.3)) as one, pytest.raises(RecogniserLate):
        one.hear(CALL, "hang")


def test_a_child_is_replaced_after_its_share_of_jobs() -> None:
    with Recogniser(engines.scripted, Limits(jobs=2)) as one:
        one.warm_up()
        first = one.pid
        one.hear(CALL, "zh")
        assert one.pid is None
        one.hear(CALL, "zh")
        assert one.pid != first


def test_a_child_that_has_grown_too_big_is_replaced() -> None:
    with Recogniser(engines.scripted, Limits(rss_mb=1)) as one:
        one.hear(CALL, "zh")
        assert one.pid is None


def test_a_model_that_is_not_there_is_said_at_the_start() -> None:
    with Recogniser(engines.without_model) as one, pytest.raises(ModelError, match="there is no model"):
        one.warm_up()


def test_a_file_that_unpacks_beyond_its_memory_is_refused_and_the_child_lives_on(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.flac"
    write_flac(bomb, np.zeros((2, 8000 * 3600), dtype=np.int16))
    with Recogniser(engines.scripted, Limits(decode_mb=64)) as one:
        one.warm_up()
        before = one.pid
        with pytest.raises(AudioError, match="memory"):
            one.hear(bomb, "zh")
        assert len(one.hear(CALL, "zh").turns) == 2
        assert one.pid == before


def test_closing_twice_and_closing_unused_is_harmless() -> None:
    one = Recogniser(engines.scripted)
    one.close()
    one.close()

    assert one.pid is None
