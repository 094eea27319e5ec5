"""The record kind `call` as the sidecar of a recording: read with all fields optional, times given the site's zone.

The model itself is the import contract's (`scoring/records/call.py`). No files, no clock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from scoring.records.call import CallRecord, GapRow, Hold, Transfer, TurnRow

__all__ = ["CallRecord", "GapRow", "Hold", "RecordError", "Transfer", "TurnRow", "localised", "read_record"]

LANGUAGES = ("zh", "ko")


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
    if record.language not in (None, *LANGUAGES):
        raise RecordError([f"{place}: language: {record.language!r} is no language we hear; use zh or ko"])
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
