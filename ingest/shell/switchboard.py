"""One Asterisk put together: what it signals, and the taps that its signalling asks for. Knows no protocol itself."""

from __future__ import annotations

import asyncio

from ingest.ami_names import AmiConfig
from ingest.ari import AriConfig
from ingest.shell.ami_client import AmiClient
from ingest.shell.ari_client import AriTaps
from ingest.shell.core import Core
from ingest.taps import Tap


class Switchboard:
    """A part of an ingest process. Without *ari* nothing is tapped: the audio comes another way, or not at all."""

    def __init__(self, core: Core, secret: bytes, ami: AmiConfig, ari: AriConfig | None = None) -> None:
        self.taps = AriTaps(ari, core, secret) if ari is not None else None
        want = self.taps.want if self.taps is not None else _leave
        self.signals = AmiClient(ami, core, want, kept=core.spool.folder / f"{ami.pbx}.heard")

    async def start(self) -> None:
        """Returns at once; a switchboard that is away is tried again for as long as it takes."""
        if self.taps is not None:
            await self.taps.start()
        await self.signals.start()

    async def stop(self) -> None:
        await self.signals.stop()
        if self.taps is not None:
            await asyncio.shield(self.taps.stop())


def _leave(tap: Tap) -> None:
    """Nothing is tapped: the audio comes another way, or not at all."""
