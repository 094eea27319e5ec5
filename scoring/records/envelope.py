"""What every record carries, whatever its kind: who, when, from where, and what it replaces."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from scoring.records.fields import Day, Flag, Line, Lines, Moment, Ref, Source, Term, Text


class Part(BaseModel):
    """A piece inside a record. Fields that it has not are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Envelope(Part):
    """Every field may be absent here; which ones a kind needs stands in NEED and is asked on admission."""

    NEED: ClassVar[tuple[str, ...]] = ()
    FROM: ClassVar[tuple[str, ...]] = ()  # who delivers it; a person may enter any kind
    WHEN: ClassVar[tuple[str, ...]] = ()  # exactly one of these says when

    kind: str
    id: Line | None = None
    agent: Line | None = None
    team: Line | None = None
    source: Source | None = None
    entered_by: Line | None = None
    reason: Text | None = None
    supersedes: Ref | None = None
    void: Flag | None = None
    evidence: Lines | None = None


class Dated(Envelope):
    """A record that says when by a moment, a day or a period."""

    at: Moment | None = None
    day: Day | None = None
    period: Term | None = None
