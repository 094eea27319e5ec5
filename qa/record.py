"""The record kind `call` of the data contract, as the sidecar of a recording and as what a folded call becomes.

Every field may be absent: what is not said is unknown, never a default. No files, no clock.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

Role = Literal["agent", "customer", "unknown"]
Text = Annotated[str, Field(max_length=256)]


def _quoted(value: object) -> object:
    if not isinstance(value, str | Decimal):
        raise ValueError(f'write the number as a quoted string: "{value}"')
    return value


def _moment(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("write a date and time like 2026-03-01T09:00:14.990, local or with its offset")
    return value


Exact = Annotated[Decimal, BeforeValidator(_quoted)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Milliseconds = Annotated[int, Field(strict=True, ge=-86_400_000, le=86_400_000)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Hold(Part):
    at: Moment
    until: Moment | None = None


class Transfer(Part):
    at: Moment
    to: Text = ""
    how: Literal["blind", "attended"] = "blind"


class GapRow(Part):
    role: Role
    start_ms: Milliseconds
    end_ms: Milliseconds
    cause: Text = "loss"


class TurnRow(Part):
    role: Role
    text: Annotated[str, Field(max_length=10_000)]
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None
    confidence: Exact | None = None


class CallRecord(Part):
    """One call at one seat; names and meanings are those of the import contract."""

    kind: Literal["call"] = "call"
    id: Text | None = None
    agent: Text | None = None
    team: Text | None = None
    source: Text | None = None
    reason: Text | None = None
    seat: Text | None = None
    direction: Literal["in", "out", "internal"] | None = None
    queue: Text | None = None
    chain: Text | None = None
    number: Text | None = None
    known_customer: Annotated[bool, Field(strict=True)] | None = None
    business: Annotated[bool, Field(strict=True)] | None = None
    queued_at: Moment | None = None
    offered_at: Moment | None = None
    ringing_at: Moment | None = None
    answered_at: Moment | None = None
    ended_at: Moment | None = None
    end: Literal["answered", "abandoned", "no_answer", "redirected", "voicemail", "probe"] | None = None
    rings: Annotated[int, Field(strict=True, ge=0, le=1000)] | None = None
    hung_up_by: Literal["customer", "agent", "system", "unknown"] | None = None
    transfers: tuple[Transfer, ...] = ()
    holds: tuple[Hold, ...] = ()
    gaps: tuple[GapRow, ...] = ()
    channels: Literal["split", "mixed", "none"] | None = None
    roles: Annotated[tuple[Role, ...], Field(max_length=2)] | None = None
    language: Literal["zh", "ko"] | None = None
    dialect_asked: Annotated[bool, Field(strict=True)] | None = None
    turns: tuple[TurnRow, ...] | None = None
    note: Text | None = None
    history_shown: Annotated[bool, Field(strict=True)] | None = None


class RecordError(Exception):
    """A record that is refused: place, field and what to do, one line a fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


_ADVICE = {
    "extra_forbidden": "no such field; the fields are those of the record kind `call`",
}


def read_record(place: str, raw: Any, zone: ZoneInfo) -> CallRecord:
    """Check one record; times without offset are local to the site. Raises RecordError with every fault."""
    if not isinstance(raw, dict):
        raise RecordError([f"{place}: a call record is an object with named fields"])
    try:
        record = CallRecord.model_validate(raw)
    except ValidationError as error:
        raise RecordError([f"{place}: {_says(one)}" for one in error.errors()]) from None
    return localised(record, zone)


def _says(one: Any) -> str:
    where = ".".join(map(str, one["loc"])) or "the record"
    what = _ADVICE.get(one["type"]) or one["msg"].removeprefix("Value error, ")
    return f"{where}: {what}"


def localised(record: CallRecord, zone: ZoneInfo) -> CallRecord:
    """Give naive times the site's zone."""

    def aware(at: datetime | None) -> datetime | None:
        return at.replace(tzinfo=zone) if at is not None and at.tzinfo is None else at

    names = ("queued_at", "offered_at", "ringing_at", "answered_at", "ended_at")
    update: dict[str, Any] = {name: aware(getattr(record, name)) for name in names}
    update["holds"] = tuple(
        hold.model_copy(update={"at": aware(hold.at), "until": aware(hold.until)}) for hold in record.holds
    )
    update["transfers"] = tuple(one.model_copy(update={"at": aware(one.at)}) for one in record.transfers)
    return record.model_copy(update=update)
