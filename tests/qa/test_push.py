"""`push` against real ingest: what a file or a pipe holds is, sample by sample, what the spool holds."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from ingest.errors import ClientError
from ingest.spool import read_leg
from qa.push import Job, push_file, text
from qa.score import Usage
from speech.audio import decode, decode_raw, write_flac
from speech.errors import AudioError
from tests.ingest.lab import ROOT, running, stored_events, url
from tests.speech.values import noise, wav

STEREO = noise(1.5, channels=2)


@pytest_asyncio.fixture
async def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """Ingest on free ports; settings point to it."""
    async with running(tmp_path / "spool") as ingest:
        monkeypatch.setenv("SEATWATCH_INGEST_PORT", str(ingest.http_port))
        monkeypatch.setenv("SEATWATCH_DATA", str(tmp_path / "data"))
        yield tmp_path / "spool"


def job(file: object, **own: Any) -> Job:
    given: dict[str, Any] = {
        "file": str(file), "call": "c1", "roles": None, "url": None, "seat": None, "agent": None, "rate": 8000,
        "encoding": "slin", "fast": True,
    }  # fmt: skip
    return Job(**{**given, **own})


async def pushed(one: Job) -> dict[str, Any]:
    return await asyncio.to_thread(push_file, one, lambda *_: None)


def samples(spool: Path, leg: str, call: str = "c1") -> np.ndarray[Any, Any]:
    found = read_leg(spool, call, leg)
    assert (found.gaps, found.ended) == ([], "end")
    ((start, data),) = found.segments
    assert start == 0
    return decode_raw(data, {"slin": "slin", "ulaw": "mulaw", "alaw": "alaw"}[found.encoding], found.rate).pcm[0]


async def test_a_stereo_file_becomes_two_legs(spool: Path, tmp_path: Path) -> None:
    write_flac(tmp_path / "call.flac", STEREO)
    report = await pushed(job(tmp_path / "call.flac", call=None))

    assert report["call"] == "call"
    assert [(leg["leg"], leg["role"], leg["samples"]) for leg in report["legs"]] == [
        ("customer", "customer", 12000), ("agent", "agent", 12000),
    ]  # fmt: skip
    assert all(leg["durable"] == leg["messages"] for leg in report["legs"])
    assert np.array_equal(samples(spool, "customer", "call"), STEREO[0])
    assert np.array_equal(samples(spool, "agent", "call"), STEREO[1])
    assert "call call: 1.5 s durable" in text(report)


async def test_channels_may_be_the_other_way_round(spool: Path, tmp_path: Path) -> None:
    write_flac(tmp_path / "call.flac", STEREO)
    await pushed(job(tmp_path / "call.flac", roles=("agent", "customer")))

    assert np.array_equal(samples(spool, "agent"), STEREO[0])


async def test_a_single_channel_is_nobody_s_unless_named(spool: Path, tmp_path: Path) -> None:
    write_flac(tmp_path / "call.flac", STEREO[:1])
    mixed = await pushed(job(tmp_path / "call.flac"))
    named = await pushed(job(tmp_path / "call.flac", call="c2", roles=("agent",)))

    assert [leg["role"] for leg in mixed["legs"] + named["legs"]] == ["unknown", "agent"]
    assert np.array_equal(samples(spool, "agent", "c2"), STEREO[0])


async def test_mu_law_without_a_head_is_read_by_its_ending(spool: Path, tmp_path: Path) -> None:
    (tmp_path / "call.ulaw").write_bytes(bytes(range(256)) * 10)
    report = await pushed(job(tmp_path / "call.ulaw"))

    (leg,) = report["legs"]
    assert np.array_equal(samples(spool, leg["leg"]), decode(tmp_path / "call.ulaw").pcm[0])


async def test_a_rate_that_the_wire_has_not_is_brought_to_one(spool: Path, tmp_path: Path) -> None:
    file = wav(tmp_path / "call.wav", noise(1, 11_025).astype("<i2").tobytes(), rate=11_025)
    report = await pushed(job(file))

    assert abs(report["seconds"] - 1) < 0.01


async def test_who_sat_there_is_told(spool: Path, tmp_path: Path) -> None:
    from contextlib import closing

    from ingest.spool import Reader, all_files

    write_flac(tmp_path / "call.flac", STEREO)
    await pushed(job(tmp_path / "call.flac", seat="s7", agent="A07"))

    with closing(Reader(all_files(spool)[0])) as reader:
        told = b"".join(row.payload for row in reader.after(0)[1] if row.kind == "event")
    assert b'"seat":"s7"' in told
    assert b'"agent":"A07"' in told


async def test_it_writes_as_a_source_with_a_key_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the settings that ingest has too, or from elsewhere by the key alone; a key writes as its own source only."""
    from ingest.sources import Source, Sources

    keys = ("acd-key-of-tests-1", "acd-key-of-tests-2")
    write_flac(tmp_path / "call.flac", STEREO)
    (tmp_path / "here.toml").write_text(f'[[sources]]\nname = "acd"\nkeys = {list(keys)}\n')
    (tmp_path / "elsewhere.toml").write_text("")
    senders = Sources([Source("acd", keys), Source("other", ("another-key-of-tests",))])
    async with running(tmp_path / "spool", sources=senders) as ingest:
        monkeypatch.setenv("SEATWATCH_INGEST_PORT", str(ingest.http_port))
        monkeypatch.setenv("SEATWATCH_SETTINGS", str(tmp_path / "here.toml"))
        await pushed(job(tmp_path / "call.flac", call="p1", source="acd"))
        monkeypatch.setenv("SEATWATCH_SETTINGS", str(tmp_path / "elsewhere.toml"))
        monkeypatch.setenv("SEATWATCH_SOURCE_KEY", keys[1])
        await pushed(job(tmp_path / "call.flac", call="p2", source="acd"))
        with pytest.raises(ClientError, match="'acd' only"):
            await pushed(job(tmp_path / "call.flac", call="p3"))

    told = stored_events(tmp_path / "spool")
    assert {(one["source"], one["call"]) for one in told} == {("acd", "p1"), ("acd", "p2")}
    assert np.array_equal(samples(tmp_path / "spool", "agent", "p1"), STEREO[1])


async def test_the_same_call_twice_is_refused_with_its_reason(spool: Path, tmp_path: Path) -> None:
    write_flac(tmp_path / "call.flac", STEREO)
    await pushed(job(tmp_path / "call.flac"))

    with pytest.raises(ClientError, match="c1"):
        await pushed(job(tmp_path / "call.flac"))


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"roles": ("boss",)}, "--roles boss"),
        ({"encoding": "mp3"}, "--encoding mp3"),
        ({"rate": 12345}, "--rate 12345"),
        ({"file": "none.wav"}, "none.wav: there is no such file"),
        ({"file": "-", "call": None}, "give --call"),
    ],
)
async def test_a_wrong_argument_is_said_before_anything_is_sent(
    spool: Path, tmp_path: Path, own: dict[str, Any], says: str
) -> None:
    write_flac(tmp_path / "call.flac", STEREO)

    with pytest.raises(Usage, match=says):
        await pushed(job(**{"file": tmp_path / "call.flac", **own}))


async def test_what_is_no_recording_is_said(spool: Path, tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_text("not a recording")
    with pytest.raises(AudioError, match=r"call\.wav"):
        await pushed(job(tmp_path / "call.wav"))


async def test_nobody_listening_is_said(spool: Path, tmp_path: Path) -> None:
    write_flac(tmp_path / "call.flac", STEREO)
    with pytest.raises(ClientError, match="is ingest running there"):
        await pushed(job(tmp_path / "call.flac", url="http://127.0.0.1:9"))


@pytest.mark.parametrize(("encoding", "width"), [("slin", 2), ("ulaw", 1)])
async def test_a_pipe_is_streamed_until_it_closes(tmp_path: Path, encoding: str, width: int) -> None:
    """Two channels, interleaved, in pieces that end in the middle of a sample."""
    data = np.random.default_rng(7).integers(0, 256, 8000 * 2 * width, dtype=np.uint8).tobytes()
    async with running(tmp_path / "spool") as ingest:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qa.cli", "push", "-", "--call", "live", "--roles", "customer,agent",
            "--encoding", encoding, "--url", url(ingest), "--fast",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        )  # fmt: skip
        assert child.stdin is not None
        for at in range(0, len(data), 777):
            child.stdin.write(data[at : at + 777])
            await child.stdin.drain()
        child.stdin.close()
        said, wrong = await asyncio.wait_for(child.communicate(), 60)
        assert (child.returncode, wrong) == (0, b""), wrong.decode()

    assert b"call live: 1.0 s durable" in said
    law = {"slin": "slin", "ulaw": "mulaw"}[encoding]
    for channel, role in enumerate(("customer", "agent")):
        frames = np.frombuffer(data, np.uint8).reshape(-1, 2, width)[:, channel].tobytes()
        assert np.array_equal(samples(tmp_path / "spool", role, "live"), decode_raw(frames, law, 8000).pcm[0])
