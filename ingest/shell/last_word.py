"""When a switchboard was last heard: kept as a file's time, so that a killed process leaves it to the next one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path


class LastWord:
    """One switchboard's; without a path nothing is kept. Nothing here waits for the disk."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def read(self) -> datetime | None:
        """Of a process that did not end as it should; None where there was none."""
        try:
            return None if self._path is None else datetime.fromtimestamp(self._path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def keep(self, at: datetime) -> None:
        """Each word: one that is left out would leave the state that it told standing for the whole hole."""
        if self._path is None:
            return
        try:
            os.utime(self._path, (at.timestamp(), at.timestamp()))
        except FileNotFoundError:
            self._path.touch()
            os.utime(self._path, (at.timestamp(), at.timestamp()))

    def forget(self) -> None:
        """What happened was told: nothing is left for the next process."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
