"""The faults of scoring: each names a place, what is wrong there and what to do. It formats, it decides nothing.

ScoringError
 +-- PackError    a pack, an overlay or another YAML file cannot be used; carries all its faults
 +-- FactsError   bytes that are no facts, or facts that cannot be written down
"""

from __future__ import annotations

from collections.abc import Iterable


class ScoringError(Exception):
    """Scoring cannot go on with what it was given."""


class PackError(ScoringError):
    """These places of the pack must be corrected first."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class FactsError(ScoringError):
    """The facts cannot be read or written; nothing is scored from them."""

    def __init__(self, place: str, what: str, todo: str) -> None:
        self.place, self.what, self.todo = place, what, todo
        super().__init__(f"{place or 'facts'}: {what}; {todo}")
