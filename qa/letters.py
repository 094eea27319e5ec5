"""Which errors are letters to the person at the command line, and with which exit code the command ends."""

from __future__ import annotations

DONE, FAILED, USAGE = 0, 1, 2


def letters(error: BaseException) -> tuple[list[str] | None, int]:
    """The lines to print and the exit code; None for a defect of ours, which keeps its traceback."""
    faults = getattr(error, "faults", None)
    if faults:
        return [str(fault) for fault in faults], USAGE
    if _named(error, "qa.store.errors", "StoreError"):
        return [str(error)], FAILED if _named(error, "qa.store.errors", "NotFound") else USAGE
    if any(_named(error, *place) for place in _SET_UP):
        return [str(error)], USAGE
    if any(_named(error, *place) for place in _WORK_FAILED):
        return [str(error)], FAILED
    if isinstance(error, OSError):
        return [_system(error)], USAGE
    return None, FAILED


_SET_UP = (
    ("speech.errors", "ModelError"),
    ("ingest.errors", "PortTaken"),
    ("ingest.errors", "SpoolLocked"),
    ("ingest.errors", "OpenToAll"),
    ("qa.web.guard", "NotLoopback"),
    ("qa.web.listen", "CannotListen"),
)
_WORK_FAILED = (
    ("speech.errors", "SpeechError"),
    ("ingest.errors", "IngestError"),
    ("scoring.errors", "ScoringError"),
)


def _named(error: BaseException, module: str, name: str) -> bool:
    """Whether it is of that class, without importing a module that this command did not need."""
    return any(kind.__module__ == module and kind.__name__ == name for kind in type(error).__mro__)


_TODO = {
    28: "no space left on this disk; free some and run it again",
    98: "the port is taken; stop what listens there or set another port (SEATWATCH_…_PORT)",
    13: "permission denied; use a folder of your own (SEATWATCH_DATA)",
}


def _system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return where + _TODO.get(error.errno or 0, f"{error.strerror or error}; check the path and try again")
