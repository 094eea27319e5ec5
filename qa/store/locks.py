"""Who uses an embedded server: a shared lock per process that works with it, an exclusive one to start or stop it.

The kernel frees both when a process dies, so a killed one leaves nothing that stands in the way.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PAUSE_S = 0.05


@asynccontextmanager
async def alone(path: Path) -> AsyncIterator[None]:
    """One process at a time in here."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _try(handle, fcntl.LOCK_EX):  # noqa: ASYNC110 - another process holds it; no event tells
            await asyncio.sleep(PAUSE_S)
        yield
    finally:
        os.close(handle)


class Users:
    """Our share in a server; ``leave`` tells whether nobody else has one."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Give the share back. Call it inside ``alone``."""
        try:
            return _try(self._handle, fcntl.LOCK_EX)
        finally:
            os.close(self._handle)


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
