"""Ingest that hears every seat's call of the lab from its first ring on; also a process of its own, to be killed.

python -m tests.lab.tapping FOLDER      prints a line for each leg that is heard, ends with standard input
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ingest.ari import AriConfig
from ingest.shell.ari_client import AriTaps
from ingest.shell.service import Ingest
from ingest.taps import Tap
from tests.ingest import lab
from tests.ingest.values import SECRET
from tests.lab.ami import Block, listening
from tests.lab.asterisk import ARI, ARI_SECRET, ARI_USER, pause

ARI_CONFIG = AriConfig("lab", f"http://127.0.0.1:{ARI}", ARI_USER, ARI_SECRET, app="labtaps")
UP_S = 10


@dataclass
class Tapping:
    ingest: Ingest
    taps: AriTaps

    async def until_heard(self, legs: int, seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while self.taps.heard < legs:
                await lab.tick()

    async def until_quiet(self, seconds: float = 10) -> None:
        """No tap is wanted, and what was stored is on disk."""
        async with asyncio.timeout(seconds):
            while self.taps.open or self.ingest.core.open_legs.total():
                await lab.tick()
        await self.ingest.flush()


@asynccontextmanager
async def tapping(folder: Path, config: AriConfig = ARI_CONFIG, **own: object) -> AsyncIterator[Tapping]:
    async with lab.running(folder, **own) as ingest:
        taps = AriTaps(replace(config, media_port=ingest.audiosocket_port), ingest.core, SECRET)
        await taps.start()
        try:
            await asyncio.wait_for(taps.up.wait(), UP_S)
            yield Tapping(ingest, taps)
        finally:
            await taps.stop()


def taps_of(ringing: Block) -> tuple[Tap, Tap]:
    """The customer's and the seat's leg of a call whose seat rings."""
    call, seat = ringing["Linkedid"], ringing["Uniqueid"]
    at = datetime.fromtimestamp(float(ringing["Timestamp"]), UTC)
    customer = Tap(f"lab-{call}", call, "customer", call, at)
    return customer, Tap(f"lab-{call}", seat, "agent", seat, at, "1001")


async def main(folder: str) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    async with tapping(Path(folder)) as hearing, listening() as ami:
        print("up", flush=True)
        for tap in taps_of(await ami.rings()):
            hearing.taps.want(tap)
        await hearing.until_heard(2)
        await pause(1)
        await hearing.ingest.flush()
        print("heard", flush=True)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
