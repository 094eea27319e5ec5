"""Where benchmarks keep models and write files: on the disk that holds the product's data. It removes what it made."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qa.settings import load_settings


def cache_folder() -> Path:
    """Models that are built once; it may be deleted at any time."""
    folder = load_settings().data / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder beside the cache, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=cache_folder()) as name:
        yield Path(name)
