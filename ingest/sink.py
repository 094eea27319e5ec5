"""Where committed rows go: the port that the tailer needs and a store implements. Knows no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Kind = Literal["event", "audio", "gap", "start", "end", "clock"]


@dataclass(frozen=True, slots=True)
class SpoolRow:
    """One committed row. Payload: canonical event JSON, or for legs a JSON object.

    start: role, rate, encoding, at, epoch · gap: start_sample, samples, cause · end: samples, cause
    A gap's since (a sample): noticed at start_sample, it began there, and what lies between sounded samples later.
    clock: sample, at, peak_dbfs, span_ms (the first two, the last two, or all)
    """

    rowid: int
    kind: Kind
    source: str
    call: str  # the AudioSocket UUID while no leg event has bound it
    leg: str
    seq: int
    at: datetime
    payload: bytes


class Sink(Protocol):
    """Raises ``ingest.errors.SinkAway`` (or an OSError) when it cannot be reached; anything else ends the tailer."""

    async def cursor(self, spool_id: str) -> int:
        """The last rowid of that spool file that was taken, 0 if none."""
        ...

    async def take(self, spool_id: str, upto: int, rows: Sequence[SpoolRow]) -> None:
        """Keep the rows and the cursor *upto* in one transaction; taking the same rows again changes nothing."""
        ...
