"""``postmaster.pid`` and the process it names: who serves a data folder, and how far it is. Reads only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """What the server wrote about itself."""

    pid: int
    port: int
    sockets: Path | None
    status: str  # starting, stopping, ready, standby, or '' while it is being written


def read(cluster: Path) -> Note | None:
    """The note, or None when there is none (or only half of one yet)."""
    try:
        lines = (cluster / "postmaster.pid").read_text(encoding="utf-8", errors="surrogateescape").split("\n")
        pid = abs(int(lines[0]))
    except (FileNotFoundError, ValueError):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else 0
    sockets = Path(lines[4]) if len(lines) > 4 and lines[4] else None
    return Note(pid, port, sockets, lines[7].strip() if len(lines) > 7 else "")


def alive(pid: int) -> bool:
    """A process with this number exists, be it a zombie or somebody else's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def serves(pid: int, cluster: Path) -> bool | None:
    """The process is a postgres in this folder; None where the system does not let us see."""
    if not alive(pid):
        return False
    try:
        place = os.readlink(f"/proc/{pid}/cwd")
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except PermissionError:
        return None
    except OSError:
        return False if Path("/proc/self/cwd").exists() else None  # a zombie has no folder
    return name.startswith("postgres") and os.path.realpath(cluster) == place
