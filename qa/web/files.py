"""Opens a file below a folder and nowhere else: no way up, no symbolic link. It knows nothing of calls."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import BinaryIO

MOST_PARTS = 16


class OutsideFolder(Exception):
    """A path that leads out of its folder; it names no file."""


def open_below(folder: Path, relative: str) -> BinaryIO:
    """The file, opened step by step from its folder; OutsideFolder or OSError if there is none."""
    parts = PurePosixPath(relative).parts
    odd = [part for part in parts if part in ("..", "/") or "\0" in part or "\\" in part]
    if odd or not parts or len(parts) > MOST_PARTS:
        raise OutsideFolder(f"{relative!r}: not a path below its folder")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = deeper
        found = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise OutsideFolder(f"{relative!r}: not a plain file")
    return os.fdopen(found, "rb")
