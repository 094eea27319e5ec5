"""The tailer: carries committed rows to the sink, in order, at least once. Never touches sockets or audio.

The sink's own cursor says where to go on, so a tailer that was killed starts again from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ingest import spool
from ingest.errors import SinkAway, SpoolError, SpoolFailed
from ingest.sink import Sink, SpoolRow

POLL_S = 0.1
BACKOFF_S = (0.1, 5.0)  # first and longest wait while the sink is away
BATCH = 500
QUIET_ROWS = 2000  # audio rows passed before the cursor alone is moved


class Tailer:
    """One process's spool folder; ``wake`` after a commit saves the poll."""

    def __init__(self, folder: Path, sink: Sink, passed: Callable[[str], None] = lambda spool_id: None) -> None:
        self._folder, self._sink, self._passed = folder, sink, passed
        self._readers: dict[str, spool.Reader] = {}
        self._at: dict[str, int] = {}  # read up to here
        self._kept: dict[str, int] = {}  # the sink's cursor
        self._done: set[str] = set()
        self._wake = asyncio.Event()
        self._one = asyncio.Lock()
        self._backoff_s = 0.0
        self.away = False
        self.carried = 0

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._pause()
                await self.once()
        finally:
            self.close()

    async def once(self) -> bool:
        """Carry what is there; False when the sink is away, or a file cannot be read now: the rest has to wait."""
        try:
            async with self._one:  # asked for while it runs: after it, not through it
                await self._all()
        except SpoolFailed:
            raise  # a spoilt file: the next start sets it aside
        except (SinkAway, OSError, SpoolError):  # a full disk or no descriptor left may stop a reader, too
            low, high = BACKOFF_S
            self._backoff_s, self.away = min(high, max(low, self._backoff_s * 2)), True
            return False
        self._backoff_s, self.away = 0.0, False
        return True

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._backoff_s or POLL_S):
                await self._wake.wait()
                await asyncio.sleep(self._backoff_s)  # while the sink is away, commits do not hurry us
        except TimeoutError:
            return
        finally:
            self._wake.clear()

    async def _all(self) -> None:
        paths = [path for path in spool.files(self._folder) if path.stem not in self._done]
        for path, following in zip(paths, [*paths[1:], None], strict=False):
            frozen = following is not None and self._reader(following).begun()
            await self._drain(path)
            if not frozen:
                return
            await self._move_cursor(path.stem)
            self._finish(path)

    async def _drain(self, path: Path) -> None:
        """Everything that this file holds now."""
        spool_id = path.stem
        if spool_id not in self._kept:
            self._kept[spool_id] = self._at[spool_id] = await self._sink.cursor(spool_id)
        while True:
            upto, rows = self._reader(path).after(self._at[spool_id], BATCH)
            if rows or upto - self._kept[spool_id] >= QUIET_ROWS:
                await self._take(spool_id, upto, rows)
            moved, self._at[spool_id] = upto > self._at[spool_id], upto
            if not moved:
                return

    async def _take(self, spool_id: str, upto: int, rows: list[SpoolRow]) -> None:
        await self._sink.take(spool_id, upto, rows)
        self._kept[spool_id] = upto
        self.carried += len(rows)

    async def _move_cursor(self, spool_id: str) -> None:
        """Over the audio at the end of a file that will not grow any more."""
        if self._kept[spool_id] < self._at[spool_id]:
            await self._take(spool_id, self._at[spool_id], [])

    def _reader(self, path: Path) -> spool.Reader:
        if path.stem not in self._readers:
            self._readers[path.stem] = spool.Reader(path)
        return self._readers[path.stem]

    def _finish(self, path: Path) -> None:
        self._readers.pop(path.stem).close()
        self._done.add(path.stem)
        self._passed(path.stem)

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()
        self._at.clear()
        self._kept.clear()
