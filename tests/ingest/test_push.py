"""A recording becomes legs, one a channel, durable when push returns."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingest import spool
from ingest.errors import ClientError
from ingest.session import fold_call
from ingest.shell.push import Sound, Target, push, split
from tests.ingest import lab
from tests.ingest.test_tail import Kept
from tests.ingest.values import T0


def record(path: Path, *channels: bytes, rate: int = 8000, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(width)
        file.setframerate(rate)
        frames = (b"".join(part) for part in zip(*(chunks(one, width) for one in channels), strict=True))
        file.writeframes(b"".join(frames))
    return path


def chunks(data: bytes, width: int) -> list[bytes]:
    return [data[at : at + width] for at in range(0, len(data), width)]


async def test_a_stereo_recording_becomes_two_legs(tmp_path: Path) -> None:
    sink, seen = Kept(), []
    path = record(tmp_path / "call.wav", lab.tone(12_345), lab.tone(12_345, 500))
    async with lab.running(tmp_path / "spool", sink=sink) as ingest:
        target = Target(lab.url(ingest), "call-1", fast=True)
        report = await push(path, target, on_progress=lambda at, total: seen.append((at, total)), now=T0)
        await ingest.flush()
        customer = spool.read_leg(tmp_path, "call-1", "customer")
        agent = spool.read_leg(tmp_path, "call-1", "agent")

    assert customer.segments == [(0, lab.tone(12_345))]
    assert agent.segments == [(0, lab.tone(12_345, 500))]
    assert (customer.role, agent.role, agent.ended, agent.started_at) == ("customer", "agent", "end", T0)
    assert [(leg.leg, leg.messages, leg.durable, leg.samples) for leg in report.legs] == [
        ("customer", 16, 16, 12_345),
        ("agent", 16, 16, 12_345),
    ]
    assert seen[-1] == (12_345 / 8000, 12_345 / 8000)
    events = [json.loads(row.payload)["type"] for row in sink.rows if row.kind == "event"]
    assert events == ["answered", "leg", "leg", "ended"]


async def test_what_push_says_folds_into_an_answered_call(tmp_path: Path) -> None:
    from ingest.events import Event, parse_event

    sink = Kept()
    path = record(tmp_path / "mono.wav", lab.tone(800))
    async with lab.running(tmp_path / "spool", sink=sink) as ingest:
        await push(path, Target(lab.url(ingest), "call-1", fast=True))
        await ingest.flush()
    told = [parse_event(json.loads(row.payload)) for row in sink.rows if row.kind == "event"]
    call = fold_call(one for one in told if isinstance(one, Event))

    assert (call.end, call.legs) == ("answered", {"channel-0": "unknown"})


async def test_standard_input_comes_in_pieces_of_any_length(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        data = bytes(range(251)) * 20
        for at in range(0, len(data), 333):
            yield data[at : at + 333]

    async with lab.running(tmp_path) as ingest:
        sound = Sound(8000, "ulaw", 1, pieces())
        await push(sound, Target(lab.url(ingest), "call-1", roles=("agent",), fast=True))
        leg = spool.read_leg(tmp_path, "call-1", "agent")

    assert (leg.encoding, leg.segments) == ("ulaw", [(0, bytes(range(251)) * 20)])


async def test_at_real_pace_a_recording_takes_its_time(tmp_path: Path) -> None:
    path = record(tmp_path / "short.wav", lab.tone(2400))
    async with lab.running(tmp_path / "spool") as ingest:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await push(path, Target(lab.url(ingest), "call-1"))

    assert loop.time() - began >= 0.29


async def test_a_file_that_is_no_plain_wav_goes_through_the_decoder(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield lab.tone(800)

    path = tmp_path / "call.flac"
    path.write_bytes(b"fLaC and so on")
    async with lab.running(tmp_path / "spool") as ingest:
        target = Target(lab.url(ingest), "call-1", fast=True)
        report = await push(path, target, decode=lambda path: Sound(8000, "slin", 1, pieces(), 0.1))
        assert report.legs[0].samples == 800
        with pytest.raises(ClientError, match=r"is no plain WAV .*convert it to 16-bit WAV"):
            await push(path, target)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path / "absent.wav", "cannot be read"),
        (lambda path: record(path / "empty.wav", b""), "0 samples; convert"),
        (lambda path: record(path / "six.wav", *[lab.tone(10)] * 6), "6 channels"),
        (lambda path: record(path / "odd.wav", lab.tone(10), rate=11025), "11025 Hz"),
        (lambda path: record(path / "8bit.wav", bytes(10), width=1), "8 bits"),
    ],
)
async def test_a_recording_that_cannot_be_sent_says_why(tmp_path: Path, make: object, says: str) -> None:
    with pytest.raises(ClientError, match=says):
        await push(make(tmp_path), Target("http://127.0.0.1:9", "call-1"))  # type: ignore[operator]


async def test_the_same_call_is_not_pushed_twice(tmp_path: Path) -> None:
    path = record(tmp_path / "call.wav", lab.tone(800))
    async with lab.running(tmp_path / "spool") as ingest:
        await push(path, Target(lab.url(ingest), "call-1", fast=True))
        with pytest.raises(ClientError, match="refused the 'call-1' call"):
            await push(path, Target(lab.url(ingest), "call-1", fast=True))


def test_channels_are_taken_apart_by_sample() -> None:
    assert split(b"aAbBcC", "ulaw", 2, 1) == b"ABC"
    assert split(b"aaAAbbBB", "slin", 2, 0) == b"aabb"
    assert split(b"aabb", "slin", 1, 0) == b"aabb"
