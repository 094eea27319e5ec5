"""How far a leg can have come by now. Knows no clock: seconds come in as values.

Audio costs its sender bytes, declared time costs nothing: so what a sender says of gaps, jumps and pauses is held
against the clock before a row of it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest.pace import BURST_S

LONGEST_S = 4 * 3600.0  # the hearing holds no longer recording in memory: beyond it nobody would ever hear the leg


@dataclass(slots=True)
class Reach:
    """``known_s`` of a leg had passed when it was first seen, at *since_s* of the monotonic clock. ``factor``: how much
    faster than it sounds a sender may bring it."""

    since_s: float
    known_s: float = 0.0
    factor: float = 1.0
    slack_s: float = BURST_S

    def most_s(self, now_s: float) -> float:
        """The second of the leg up to which its sender may declare time."""
        return min(LONGEST_S, self._passed_s(now_s) + self.slack_s)

    def wait_s(self, position_s: float, now_s: float) -> float:
        """Seconds until a leg that stands there is no more than a burst ahead of its time."""
        return max(0.0, (position_s - self._passed_s(now_s) - BURST_S) / self.factor)

    def found(self, position_s: float, now_s: float) -> None:
        """So much of the leg is there already, wherever it was taken."""
        self.since_s, self.known_s = now_s, max(self._passed_s(now_s), position_s)

    def _passed_s(self, now_s: float) -> float:
        return self.known_s + max(0.0, now_s - self.since_s) * self.factor
