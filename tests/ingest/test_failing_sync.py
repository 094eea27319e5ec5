"""A disk whose syncs fail: nothing more is acknowledged, the process ends with a message, a new one goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ingest import spool
from tests.ingest import lab


async def test_a_sync_that_fails_is_never_acknowledged_nor_tried_again(tmp_path: Path, shim: Path) -> None:
    folder, fails = tmp_path / "spool", tmp_path / "fails"
    process = await lab.start(folder, LD_PRELOAD=str(shim), SYNC_FAILS=str(fails))
    ports = (process.http, process.audio)
    async with lab.client(process.url, lab.hello()) as sender:
        await sender.send(lab.tone(800))
        await sender.durable()
        fails.touch()
        death = asyncio.create_task(process.killed())
        await sender.send(lab.tone(800, 800))
        told = await death
        assert "SQLITE_IOERR" in told and "check the disk and start again" in told
        assert process.child.returncode == 1
        assert sender.progress.durable == 1
        assert spool.read_leg(folder, "c1", "agent").samples >= 800

        process = await lab.start(folder, ports=ports)
        await asyncio.wait_for(sender.finish(), lab.WAIT_S)
    assert await process.stop() == 0

    leg = spool.read_leg(folder, "c1", "agent")
    assert (leg.segments, leg.gaps, leg.ended) == ([(0, lab.tone(1600))], [], "end")
