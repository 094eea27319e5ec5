"""When a switchboard was last heard: kept as a file's time, so that a killed process leaves it to the next one."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

APART = timedelta(seconds=1)  # so often it is kept at most


class LastWord:
    """One switchboard's; without a path nothing is kept. Nothing here waits for the disk."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept: datetime | None = None

    def read(self) -> datetime | None:
        """Of a process that did not end as it should; None where there was none."""
        try:
            return None if self._path is None else datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def keep(self, at: datetime) -> None:
        if self._path is None or (self._kept is not None and abs(at - self._kept) < APART):
            return
        self._kept = at
        self._path.touch()
        os.utime(self._path, (at.timestamp(), at.timestamp()))

    def forget(self) -> None:
        """What happened was told: nothing is left for the next process."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
