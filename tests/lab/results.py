"""Where the lab's tables are kept: a file each in LAB/results, shown once more when everything has run."""

from __future__ import annotations

from collections.abc import Iterable

from tests.lab.asterisk import LAB

FOLDER = LAB / "results"


def keep(name: str, lines: Iterable[str]) -> str:
    """The table as text; its file is named after what it compares."""
    text = "\n".join(line.rstrip() for line in lines)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")
    return text


def forget() -> None:
    """Tables of an earlier run do not speak for this one."""
    for path in FOLDER.glob("*.txt"):
        path.unlink()


def shown() -> str:
    found = sorted(FOLDER.glob("*.txt"))
    if not found:
        return f"no table in {FOLDER}: the tests that compare with the switchboard's own log did not run"
    return "\n\n".join(f"{path}\n{path.read_text(encoding='utf-8').rstrip()}" for path in found)
