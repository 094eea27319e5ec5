"""What an acknowledgement rests on, seen from outside: a sync for each commit, and before each acknowledgement."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path

import aiohttp
import pytest

from ingest import spool
from tests.ingest import lab

MESSAGES = 30
_SYNCED = re.compile(r"(fsync|fdatasync)(\(\d+\)| resumed>\)) += 0")


async def sends(process: lab.Process) -> int:
    """One message after the other is durable; the commits that it took."""
    async with lab.client(process.url, lab.hello()) as sender:
        for n in range(MESSAGES):
            await sender.send(lab.tone(800, n * 800))
            await sender.durable()
        async with aiohttp.ClientSession() as http, http.get(f"{process.url}/healthz") as answer:
            commits: int = (await answer.json())["commits"]
    return commits


async def test_each_commit_is_synced(tmp_path: Path, shim: Path) -> None:
    counts = tmp_path / "syncs"
    process = await lab.start(tmp_path / "spool", LD_PRELOAD=str(shim), SYNC_COUNTS=str(counts))
    async with asyncio.timeout(lab.WAIT_S):
        while len(spool.files(tmp_path / "spool")) < 2 or list((tmp_path / "spool").glob("*-journal")):
            await lab.tick()  # the next file is made, which syncs, too
    counts.touch()  # counted from here on
    commits = await sends(process)
    assert counts.stat().st_size >= commits >= MESSAGES
    assert await process.stop() == 0


@pytest.mark.slow
async def test_a_sync_has_returned_before_each_acknowledgement(tmp_path: Path) -> None:
    tracer, trace = shutil.which("strace"), tmp_path / "trace"
    if tracer is None:
        pytest.skip("there is no strace to watch the process with")
    process = await lab.start(tmp_path / "spool")
    command = [tracer, "-f", "-o", str(trace), "-s", "64", "-e", "trace=fsync,fdatasync,sendto,write,writev"]
    watch = await asyncio.create_subprocess_exec(*command, "-p", str(process.child.pid), stderr=asyncio.subprocess.PIPE)
    assert watch.stderr is not None
    said = await asyncio.wait_for(watch.stderr.readline(), lab.WAIT_S)
    if b"attached" not in said:
        pytest.skip(f"strace may not look into a process here: {said.decode().strip()}")
    await sends(process)
    watch.terminate()
    await watch.communicate()
    assert await process.stop() == 0

    synced = acks = 0
    for line in trace.read_text(errors="replace").splitlines():
        if _SYNCED.search(line):
            synced += 1
        if '\\"ack\\"' in line:
            acks += 1
            assert synced, f"acknowledgement {acks} without a sync before it: {line}"
            synced = 0
    assert acks >= MESSAGES


@pytest.mark.slow
async def test_a_disk_that_takes_long_to_sync_loses_nothing(tmp_path: Path, shim: Path) -> None:
    waits = tmp_path / "waits"
    process = await lab.start(tmp_path / "spool", LD_PRELOAD=str(shim), SYNC_WAITS=str(waits))
    waits.touch()
    await sends(process)
    waits.unlink()
    assert await process.stop() == 0
    assert spool.read_leg(tmp_path / "spool", "c1", "agent").segments == [(0, lab.tone(MESSAGES * 800))]
