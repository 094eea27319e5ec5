"""A full disk: acknowledgements stop, senders are slowed, nothing acknowledged is lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import spool
from ingest.admission import Opened
from ingest.errors import ClientError
from ingest.shell.client import post_events
from ingest.shell.legs import LegWriter
from ingest.shell.writer import SpoolLimits
from tests.ingest import lab
from tests.ingest.test_tail import Kept
from tests.ingest.values import raw

DISK_BYTES = 4 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("there is no mount command to make a small disk with")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"a small disk needs the right to mount: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(64 * 1024))
        except OSError:
            return ballast


async def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk: Path) -> None:
    folder = small_disk / "spool"
    async with lab.running(folder) as ingest, lab.client(lab.url(ingest), lab.hello()) as sender:
        await sender.send(lab.tone(800))
        await sender.durable()
        assert (await post_events(lab.url(ingest), [raw("offered")]))["accepted"] == 1
        ballast, sent = fill(small_disk), 800
        async with asyncio.timeout(lab.WAIT_S):
            while ingest.spool.state != "full" or not sender.progress.throttled:
                if sent < 40_000:
                    await sender.send(lab.tone(800, sent))
                    sent += 800
                await lab.tick()
        acked = sender.progress.durable
        with pytest.raises(ClientError, match="503"):
            await post_events(lab.url(ingest), [raw("ringing", 1)])
        assert not ingest.spool.roomy
        assert sender.progress.durable == acked
        ballast.unlink()
        await asyncio.wait_for(sender.finish(), lab.WAIT_S)
        assert (await post_events(lab.url(ingest), [raw("ringing", 1)]))["duplicates"] == 1
        leg = spool.read_leg(folder, "c1", "agent")

    assert (leg.segments, leg.gaps, leg.ended) == ([(0, lab.tone(sent))], [], "end")


async def test_a_start_on_a_full_disk_sets_nothing_aside(small_disk: Path) -> None:
    folder = small_disk / "spool"
    process = await lab.start(folder, "after-ack:3")
    ports, sent = (process.http, process.audio), 0
    async with lab.client(process.url, lab.hello()) as sender:
        death = asyncio.create_task(process.killed())
        while not death.done():
            await sender.send(lab.tone(800, sent))
            sent += 800
            await asyncio.wait([death], timeout=0.01)
        found, ballast = sorted(path.name for path in folder.glob("*.db")), fill(small_disk)
        with pytest.raises(AssertionError, match="the disk is full"):
            await lab.start(folder, ports=ports)
        assert [path.name for path in sorted(folder.glob("*.db"))] == found
        assert not (folder / "quarantine").exists()

        ballast.unlink()
        process = await lab.start(folder, ports=ports)
        await asyncio.wait_for(sender.finish(), lab.WAIT_S)
    assert await process.stop() == 0
    leg = spool.read_leg(folder, "c1", "agent")
    assert (leg.segments, leg.gaps, leg.ended) == ([(0, lab.tone(sent))], [], "end")


async def test_legs_and_carrying_outlive_a_full_disk(small_disk: Path) -> None:
    """A leg that cannot wait keeps its place: what the queue could not hold is an overrun, the rest is there."""
    sink, rotating = Kept(), SpoolLimits(rotate_bytes=40_000, queue_bytes=40_000)
    async with lab.running(small_disk / "spool", sink=sink, spool=rotating) as ingest:
        leg = LegWriter(ingest.core, Opened("c1", "customer", "customer"), "pbx", clocked=False)
        ingest.core.mono = lambda: leg.samples / 8000  # real pace, as fast as the disk takes it

        async def plays(seconds: float) -> None:
            for _ in range(int(seconds * 50)):
                leg.audio(lab.tone(160, leg.samples))
                await asyncio.sleep(0)

        for _ in range(8):
            await plays(1)
            await ingest.flush()
        ballast = fill(small_disk)
        async with asyncio.timeout(lab.WAIT_S):
            while ingest.spool.state != "full" or leg.whole:
                await plays(0.2)
                ingest.core.flush_legs()
                await lab.tick()
        assert ingest.error is None
        ballast.unlink()
        async with asyncio.timeout(lab.WAIT_S):
            while ingest.spool.state != "ok" or ingest.spool.fill:
                await lab.tick()
        await plays(1)
        leg.end("hangup")
        await ingest.flush()
        assert ingest.error is None
        found = spool.read_leg(small_disk / "spool", "c1", "customer")
    assert {cause for *_, cause in found.gaps} == {"overrun"} and found.ended == "hangup"
    assert sum(len(data) // 2 for _, data in found.segments) + sum(lost for _, lost, _ in found.gaps) == leg.samples
    assert all(data == lab.tone(len(data) // 2, start) for start, data in found.segments)
    assert [row.kind for row in sink.rows if row.kind not in ("gap", "clock")] == ["start", "end"]
