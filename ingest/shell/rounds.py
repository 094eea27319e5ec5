"""Senders of small frames are read in rounds: what comes in between waits in the system's own buffers.

A frame of 20 ms costs its wake-up, not its bytes. Audio is gathered before it is stored in any case, and what a crash
takes from a socket's buffer it would have taken from ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

ROUND_S = 0.1
SPREAD_S = 0.02  # a round's reads are done by then, and go to the spool together


class Rounds:
    """Lives on one event loop. *flush* stores what a round has gathered."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._resting: list[asyncio.ReadTransport] = []

    def rest(self, transport: asyncio.ReadTransport) -> None:
        """Read no more from this connection until the next round. Its end is seen then, too."""
        if not transport.is_reading():
            return
        transport.pause_reading()
        if not self._resting:
            asyncio.get_running_loop().call_later(ROUND_S, self.begin)
        self._resting.append(transport)

    def begin(self) -> None:
        """Read again wherever reading rests, and store what was heard."""
        resting, self._resting = self._resting, []
        for transport in resting:
            if not transport.is_closing():
                transport.resume_reading()
        asyncio.get_running_loop().call_later(SPREAD_S, self._flush)
