"""The record kind `call`: one call at one seat, as the import, the sidecar of a recording and a folded call say it.

Every field may be absent: what is not said is unknown, never a default.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from scoring.records.envelope import Envelope, Part
from scoring.records.fields import Count, Exact, Flag, Line, Milliseconds, Moment, Role, Text


class Hold(Part):
    at: Moment
    until: Moment | None = None


class Transfer(Part):
    at: Moment
    to: Line = ""
    how: Literal["blind", "attended"] = "blind"


class GapRow(Part):
    """Audio of one party that is missing, in milliseconds from the answer."""

    role: Role
    start_ms: Milliseconds
    end_ms: Milliseconds
    cause: Line = "loss"


class TurnRow(Part):
    """One utterance; milliseconds from the answer. Without times turns follow one another."""

    role: Role
    text: Text
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None
    confidence: Exact | None = None


class HitRow(Part):
    """A phrase that another system found."""

    category: Line
    entry: Line
    role: Role
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None
    confidence: Exact | None = None


class CallRecord(Envelope):
    """One call at one seat; a transfer makes a further record with the same ``chain``."""

    NEED: ClassVar[tuple[str, ...]] = ("direction", "offered_at")
    FROM: ClassVar[tuple[str, ...]] = ("telephony",)
    WHEN: ClassVar[tuple[str, ...]] = ("offered_at",)

    kind: Literal["call"] = "call"
    seat: Line | None = None
    direction: Literal["in", "out", "internal"] | None = None
    queue: Line | None = None
    chain: Line | None = None
    number: Line | None = None
    known_customer: Flag | None = None
    business: Flag | None = None
    queued_at: Moment | None = None
    offered_at: Moment | None = None
    ringing_at: Moment | None = None
    answered_at: Moment | None = None
    ended_at: Moment | None = None
    end: Literal["answered", "abandoned", "no_answer", "redirected", "voicemail", "probe"] | None = None
    rings: Annotated[Count, Field(le=1000)] | None = None
    hung_up_by: Literal["customer", "agent", "system", "unknown"] | None = None
    transfers: tuple[Transfer, ...] = ()
    holds: tuple[Hold, ...] = ()
    gaps: tuple[GapRow, ...] = ()
    channels: Literal["split", "mixed", "none"] | None = None
    roles: Annotated[tuple[Role, ...], Field(max_length=2)] | None = None
    language: Line | None = None
    dialect_asked: Flag | None = None
    turns: tuple[TurnRow, ...] | None = None
    hits: tuple[HitRow, ...] | None = None
    note: Text | None = None
    history_shown: Flag | None = None
