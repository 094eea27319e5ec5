"""The named points at which a test may have a process of the product killed. Without a setting they do nothing."""

from __future__ import annotations

from ingest.shell.faults import POINTS as INGEST
from ingest.shell.faults import Faults
from qa.handover import POINTS as HANDOVER
from qa.settings import Settings

FOLD = ("assembled", "written")
WORKER = ("transcribed", "run", "reversals", "entries", "pointer", "outbox")


def faults(settings: Settings) -> Faults:
    """The one point of this process at which a test wants it dead."""
    return Faults.parse(settings.fault or None, (*INGEST, *FOLD, *WORKER, *HANDOVER))
