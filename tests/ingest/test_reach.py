"""Nothing that a sender declares puts a leg ahead of the time that has passed, and what has passed is taken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import spool
from ingest.admission import Opened
from ingest.errors import PaceError, StreamError
from ingest.reach import LONGEST_S, Reach
from ingest.shell.core import Core
from ingest.shell.legs import LegWriter
from ingest.stream import PROTOCOL, Hello, Hole, Piece, write_finish, write_hello, write_hole, write_piece
from ingest.streamleg import StreamLeg
from speech.audio import MAX_SECONDS
from tests.ingest import lab, test_audiohook_socket, test_twilio_socket
from tests.ingest.hook import HookClient
from tests.ingest.test_service import Socket, stored
from tests.ingest.test_twilio import CALL_SID, SID, frame, media
from tests.ingest.test_twilio_socket import LOOSE, Provider

FRAME = b"\x7f" * 800
HOUR = 3600 * 8000


def test_a_leg_is_as_far_as_time_and_a_burst_allow() -> None:
    reach = Reach(100.0, known_s=10.0, factor=1.5, slack_s=7.0)

    assert (reach.most_s(100.0), reach.most_s(110.0)) == (17.0, 32.0)
    assert (reach.wait_s(15.0, 100.0), reach.wait_s(18.0, 100.0), reach.wait_s(18.0, 102.0)) == (0.0, 2.0, 0.0)
    assert reach.most_s(90.0) == 17.0  # a clock that goes back takes nothing away
    assert reach.most_s(1e9) == LONGEST_S


def test_what_is_there_already_moves_the_reach_and_never_back() -> None:
    reach = Reach(0.0)
    reach.found(50.0, 10.0)
    assert reach.most_s(11.0) == 56.0
    reach.found(5.0, 12.0)
    assert reach.most_s(12.0) == 57.0


def test_no_leg_is_longer_than_what_can_be_heard() -> None:
    assert LONGEST_S == MAX_SECONDS


@pytest.mark.parametrize("message", [Piece(2, 84_001, b"ab"), Hole(2, 84_000, "pause"), Hole(9, 84_000, "overrun")])
def test_stream_declares_no_time_to_come(message: Piece | Hole) -> None:
    leg = StreamLeg(lab.hello())
    leg.greet(leg.hello)
    leg.piece(Piece(1, 0, b"ab"))
    take = leg.piece if isinstance(message, Piece) else leg.hole

    with pytest.raises(StreamError, match="as far as the leg can be by now"):
        take(message, 10.5)  # type: ignore[arg-type]
    assert (leg.taken, leg.sample) == (1, 1)
    assert take(message, 10.6)  # type: ignore[arg-type]


def test_audio_of_stream_ends_where_no_leg_is_longer() -> None:
    leg = StreamLeg(lab.hello())
    leg.greet(leg.hello)
    leg.hole(Hole(1, 4 * HOUR - 2, "pause"))
    with pytest.raises(StreamError, match="no leg is longer than 4 hours"):
        leg.piece(Piece(2, 4 * HOUR - 2, b"ab" * 3))
    assert leg.piece(Piece(2, 4 * HOUR - 2, b"ab" * 2))


async def answer(url: str, hello: Hello, *messages: str | bytes) -> int | None:
    """How the server closes; it says why before that where it refuses."""
    async with Socket(url) as client:
        for message in (write_hello(hello), *messages):
            await client.say(message)
        async with asyncio.timeout(lab.WAIT_S):
            async for _ in client.ws:
                continue
        return client.ws.close_code


@pytest.mark.parametrize(
    "ahead",
    [
        write_piece(Piece(2, 144_000_000, FRAME)),
        write_hole(Hole(2, 172_800_000, "pause")),
        write_hole(Hole(2, 10 * 8000 + 1, "loss")),
    ],
)
@pytest.mark.parametrize("at", [timedelta(0), timedelta(days=1)])
async def test_nothing_of_it_is_stored_over_stream(tmp_path: Path, ahead: str | bytes, at: timedelta) -> None:
    """A leg that says it begins tomorrow has no more time than others."""
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = lambda: 7.0
        hello = replace(lab.hello(), at=datetime.now(UTC) + at + timedelta(seconds=1))
        assert await answer(lab.url(ingest), hello, write_piece(Piece(1, 0, FRAME)), ahead) == PROTOCOL
        await ingest.flush()
    leg = spool.read_leg(tmp_path, "c1", "agent")
    assert (leg.gaps, leg.samples, leg.segments) == ([], 400, [(0, FRAME)])


async def test_who_comes_back_after_an_hour_declares_it(tmp_path: Path) -> None:
    """To a process that knows the leg from its files, or not at all."""
    hello = replace(lab.hello(), at=datetime.now(UTC) - timedelta(hours=1))
    missing = write_hole(Hole(9, HOUR - 400, "overrun"))
    async with lab.running(tmp_path) as first, Socket(lab.url(first)) as client:
        await client.say(write_hello(hello))
        await client.say(write_piece(Piece(1, 0, FRAME)))
        while (await client.hear()).get("durable") != 1:
            continue
    async with lab.running(tmp_path) as second:
        assert await answer(lab.url(second), hello, missing, write_finish(9)) == 1000
        other = replace(lab.hello("c2"), at=hello.at)
        assert await answer(lab.url(second), other, missing, write_finish(9)) == 1000
    assert spool.read_leg(tmp_path, "c1", "agent").gaps == [(400, HOUR - 400, "overrun")]
    assert spool.read_leg(tmp_path, "c2", "agent").gaps == [(0, HOUR - 400, "overrun")]


async def test_a_clock_of_tomorrow_keeps_what_was_stored_before_a_restart(tmp_path: Path) -> None:
    hello = replace(lab.hello(), at=datetime.now(UTC) + timedelta(days=1))
    async with lab.running(tmp_path) as first, Socket(lab.url(first)) as client:
        await client.say(write_hello(hello))
        await client.say(write_hole(Hole(1, 9 * 8000, "loss")))
        while (await client.hear()).get("durable") != 1:
            continue
    async with lab.running(tmp_path) as second:
        assert await answer(lab.url(second), hello, write_hole(Hole(2, 9 * 8000, "loss")), write_finish(2)) == 1000
    assert spool.read_leg(tmp_path, "c1", "agent").samples == 18 * 8000


def writer(core: Core, clocked: bool) -> LegWriter:
    return LegWriter(core, Opened("c1", "agent", "agent"), "media", "ulaw", clocked=clocked)


@pytest.mark.parametrize("clocked", [True, False])
@pytest.mark.parametrize("heard", [True, False])
async def test_a_leg_that_nobody_resumes_declares_what_has_passed(tmp_path: Path, clocked: bool, heard: bool) -> None:
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = lambda: 100.0
        leg = writer(ingest.core, clocked)
        if heard:
            leg.audio(b"\x11" * 800)
        began = leg.samples
        with pytest.raises(PaceError, match="as far as the leg can be by now"):
            leg.gap(6 * 8000, "pause")
        assert leg.samples == began
        ingest.core.mono = lambda: 100.0 + 1200.0
        leg.gap(1200 * 8000, "pause")  # a caller on hold for twenty minutes
        leg.end("end")
        await ingest.flush()
    assert [count for _, count, cause in spool.read_leg(tmp_path, "c1", "agent").gaps if cause == "pause"] == [
        9_600_000
    ]


def bursts() -> Iterator[tuple[str, list[str]]]:
    yield "number", [media("inbound", 1, frame(1)), media("inbound", 900_000, frame(2))]
    yield "stamp", [media("inbound", 1, frame(1), 20), media("inbound", 2, frame(2), 18_000_000)]
    yield "most", [media("inbound", 1, frame(1)), media("inbound", 1 << 52, frame(2))]


@pytest.mark.parametrize("messages", [said for _, said in bursts()], ids=[name for name, _ in bursts()])
async def test_nothing_of_it_is_stored_over_media_stream(tmp_path: Path, messages: list[str]) -> None:
    async with test_twilio_socket.ingest_at(tmp_path, LOOSE) as ingest, Provider(lab.url(ingest)) as twilio:
        await twilio.start()
        for message in messages:
            await twilio.ws.send_str(message)
        await twilio.stop()
        assert await twilio.code() == PROTOCOL
        leg = await stored(tmp_path, CALL_SID, f"inbound-{SID[-8:]}", ended="error")
    assert (leg.gaps, leg.samples) == ([], 160)


@pytest.mark.parametrize("kind", ["discarded", "resumed"])
@pytest.mark.parametrize("said", [("PT0S", "PT5.1S"), ("PT0S", "PT14000S"), ("PT6S", "PT0S")])
@pytest.mark.parametrize("heard", [True, False])
async def test_nothing_of_it_is_stored_over_audiohook(
    tmp_path: Path, kind: str, said: tuple[str, str], heard: bool
) -> None:
    async with test_audiohook_socket.ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as client:
        ingest.core.mono = lambda: 100.0
        await client.open()
        if heard:
            await client.send(b"aA" * 800)
        if kind == "resumed":
            await client.say("paused")
        await client.say(kind, dict(zip(("start", "discarded"), said, strict=True)))
        told = await client.hear("disconnect")
        assert told["reason"] == "error" and "as far as the leg can be by now" in told["info"]
        await client.finish()
        legs = [await stored(tmp_path, *client.leg(name), ended="error") for name in ("external", "internal")]
    assert [(leg.gaps, leg.samples) for leg in legs] == [([], 800 * heard)] * 2


async def test_a_pause_of_audiohook_is_as_long_as_it_was(tmp_path: Path) -> None:
    async with test_audiohook_socket.ingest_at(tmp_path) as ingest, HookClient(lab.url(ingest)) as client:
        await client.open()
        await client.send(b"aA" * 800)
        await client.say("paused")
        await client.say("ping")
        await client.hear("pong")
        mono = ingest.core.mono
        ingest.core.mono = lambda: mono() + 1200
        await client.say("resumed", {"start": "PT0.1S", "discarded": "PT1200S"})
        await client.send(b"bB" * 800)
        await client.finish()
        leg = await stored(tmp_path, *client.leg("external"), ended="end")
    assert leg.gaps == [(800, 9_600_000, "pause")]


def test_a_fast_sender_that_leaves_time_out_is_slowed() -> None:
    """At one and a half times its pace there is still room for what it declares."""
    now_s, position_s, reach = 100.0, 5.0, Reach(100.0, 0.0, 1.5, 10.0)
    for _ in range(50):
        assert position_s + 4.0 <= reach.most_s(now_s)
        position_s += 4.0
        now_s += reach.wait_s(position_s, now_s)
    assert now_s == pytest.approx(100.0 + 50 * 4 / 1.5)


def test_the_letter_names_the_place() -> None:
    leg = StreamLeg(lab.hello())
    leg.greet(leg.hello)
    with pytest.raises(StreamError) as caught:
        leg.hole(Hole(1, 240_000, "pause"), 12.0)
    assert str(caught.value).startswith("call 'c1' leg 'agent': seq 1: reaches second 30, and second 12 is as far")
