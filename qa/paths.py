"""What a command says of a path that cannot be meant: nothing is there, or a folder where a file is wanted.

That is wrong usage, whatever the command. What lies inside a file is not looked at.
"""

from __future__ import annotations

from pathlib import Path


def no_file(path: Path, todo: str) -> str | None:
    """Why a path names no file, and what to give; None for a file."""
    if path.is_dir():
        return f"{path}: this is a folder; {todo}"
    return None if path.is_file() else f"{path}: there is no such file; {todo}"
