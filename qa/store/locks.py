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
    held = handle(path)
    try:
        while not _try(held, fcntl.LOCK_EX):  # noqa: ASYNC110 - another process holds it; no event tells
            await asyncio.sleep(PAUSE_S)
        yield
    finally:
        os.close(held)


class Users:
    """Our share in a server; ``leave`` tells whether nobody else has one."""

    def __init__(self, path: Path) -> None:
        self._handle = handle(path)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Give the share back. Call it inside ``alone``."""
        try:
            return _try(self._handle, fcntl.LOCK_EX)
        finally:
            os.close(self._handle)


def handle(path: Path, flags: int = 0) -> int:
    """A file of ours beside the cluster; what root makes in a user's folder is the user's."""
    opened = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o600)
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.fchown(opened, owner.st_uid, owner.st_gid)
    return opened


def _try(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
