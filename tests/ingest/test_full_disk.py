"""A full disk: acknowledgements stop, senders are slowed, nothing acknowledged is lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import spool
from ingest.errors import ClientError
from ingest.shell.client import post_events
from tests.ingest import lab
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
