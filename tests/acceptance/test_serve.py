"""`serve ingest` takes calls whatever the database is doing: before it is there, and after a start on a full spool."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.acceptance.house import ROOT, House, Part, eventually, free_ports
from tests.ingest.values import raw


async def _started(house: House, **more: str) -> Part:
    """A process that listens; nobody has seen a database yet."""
    log = house.home / f"serve-{len(house.parts)}.log"
    with log.open("wb") as out:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "qa.cli", "serve", "ingest",
            stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env=house.env() | more, cwd=ROOT,
        )  # fmt: skip
    house.parts.append(one := Part(child, log))
    return one


async def test_what_comes_before_the_database_is_kept_and_acknowledged(tmp_path: Path) -> None:
    away = f"postgresql://me:hidden-word@127.0.0.1:{free_ports(1)[0]}/x"
    house = House(tmp_path, admin="", url=away)
    one = await _started(house)
    try:
        await house.tell(raw("offered"), raw("presence"))

        async def waits() -> bool:
            return "trying again" in one.said()

        await eventually(waits, "that the database is waited for")
        assert "hidden-word" not in one.said()
        await house.tell(raw("offered", id="e2"))
        one.child.terminate()
        assert await one.end() == 0
        assert "what came in is kept" in one.said()
    finally:
        await house.close()


async def test_processes_share_the_ports_and_keep_their_own_spools(tmp_path: Path) -> None:
    away = f"postgresql://me@127.0.0.1:{free_ports(1)[0]}/x"
    house = House(tmp_path, admin="", url=away)
    both = [await _started(house, SEATWATCH_INGEST_SHARE="true") for _ in range(2)]
    try:
        for one in both:

            async def listens(one: Part = one) -> bool:
                return "listening" in one.said()

            await eventually(listens, "that both listen")
        port = str(house.ports[0])
        assert sorted(path.name for path in house.spool.iterdir()) == [port, f"{port}.2"]
        await house.tell(raw("presence"))
    finally:
        await house.close()
