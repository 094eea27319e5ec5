"""Turns what PostgreSQL's programs printed into one line for the person who can fix it. Reads text only."""

from __future__ import annotations

from pathlib import Path

_KNOWN = (
    ("No space left on device", "the disk is full; free space there and start again"),
    ("still in use", "parts of a killed server still run; wait a few seconds and start again"),
    ("Address already in use", "another server sits on its socket; stop that one and start again"),
    ("was initialized by PostgreSQL version", "it was made by another version; see SEATWATCH_PG_BIN"),
    (
        "valid checkpoint record",
        "its files are damaged; move the folder away and run `seatwatch restore` with a backup",
    ),
    ("invalid page", "its files are damaged; move the folder away and run `seatwatch restore` with a backup"),
    ("Permission denied", "we may not read or write it; give it back to the user who runs seatwatch"),
    ("wrong ownership", "it belongs to another user; run seatwatch as that one, or choose another data folder"),
    ("invalid permissions", "others may enter it; run: chmod 700 on it"),
    ("Cannot allocate memory", "memory is short; stop something and start again"),
    ("could not create shared memory", "shared memory is short; enlarge /dev/shm and start again"),
)


def explain(place: Path, printed: str, log: Path | None = None) -> str:
    """Place, what, what to do."""
    for sign, says in _KNOWN:
        if sign in printed:
            return f"{place}: {says}"
    lines = [line for line in printed.splitlines() if line.strip()]
    loud = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:"))]
    last = (loud or lines or ["it said nothing"])[-1].strip()
    return f"{place}: PostgreSQL did not start: {last}" + (f"; more in {log}" if log else "")


def tail(log: Path, begins: int, most: int = 8000) -> str:
    """The end of a log, from where this start began."""
    try:
        with log.open("rb") as file:
            file.seek(max(begins, log.stat().st_size - most))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
