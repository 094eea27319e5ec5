"""The least that durable writing costs: one thread, one file, one write and one fdatasync each 50 ms. No database."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

INTERVAL_S = 0.05


class PlainFile:
    """Put bytes in from any thread; ``done`` is called once they are on disk."""

    def __init__(self, path: Path) -> None:
        self.syncs_s: list[float] = []
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._waiting: list[tuple[bytes, Callable[[], None]]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write, name="plain-file")
        self._thread.start()

    def put(self, data: bytes, done: Callable[[], None]) -> None:
        with self._lock:
            self._waiting.append((data, done))

    def close(self) -> None:
        """Write what waits, then stop."""
        self._closing.set()
        self._thread.join()
        os.close(self._file)

    def _write(self) -> None:
        while True:
            last = self._closing.wait(INTERVAL_S)
            with self._lock:
                taken, self._waiting = self._waiting, []
            if taken:
                _all(self._file, b"".join(data for data, _ in taken))
                began = time.monotonic()
                os.fdatasync(self._file)
                self.syncs_s.append(time.monotonic() - began)
                for _, done in taken:
                    done()
            elif last:
                return


def _all(file: int, data: bytes) -> None:
    """A write may take less than it was given."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
