"""The one place where calls, what was heard of them and empty seats become facts that a rule may ask.

Pure: values in, values out. What is not known becomes Unknown with its cause; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeVar

from ingest.rings import cadence, ring_count
from ingest.seats import Away
from qa.record import CallRecord
from scoring.facts import AwayFacts, CallFacts, Cause, End, Facts, Gap, Hit, Turn, Unknown

MISSING = Unknown(Cause.MISSING)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one call; all times in milliseconds from the answer."""

    channels: Literal["split", "mixed", "none"] = "none"
    text: Literal["recognised", "synthetic", "given", "none"] = "none"
    turns: tuple[Turn, ...] = ()
    hits: tuple[Hit, ...] = ()
    gaps: tuple[Gap, ...] = ()
    duration_ms: int | None = None
    silence_ms: int | None = None
    talk_over_ms: int | None = None
    agent_share: Decimal | None = None
    loudness_rise_db: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SiteView:
    """What a site has decided that facts depend on."""

    cadence: str = "cn"
    leave_connected: bool = False


NOTHING = Heard()


T = TypeVar("T")


def known(value: T | None) -> T | Unknown:
    return MISSING if value is None else value


def seconds_between(start: datetime | None, stop: datetime | None) -> Decimal | Unknown:
    """Seconds with milliseconds; a clock that ran backwards is no duration."""
    if start is None or stop is None:
        return MISSING
    if stop < start:
        return Unknown(Cause.CLOCK)
    return Decimal((stop - start) // timedelta(milliseconds=1)) / 1000


def milliseconds(seconds: Decimal | Unknown) -> int | Unknown:
    return seconds if isinstance(seconds, Unknown) else int(seconds * 1000)


def begun(record: CallRecord) -> datetime | None:
    """When the call belongs: its offer, else the first moment that is known of it."""
    return record.offered_at or record.queued_at or record.ringing_at or record.answered_at


def _end(record: CallRecord, heard: Heard) -> End | Unknown:
    if record.end:
        return record.end
    if record.answered_at or heard.duration_ms:  # recordings start at the answer
        return "answered"
    if record.ended_at:
        return "no_answer" if record.hung_up_by in ("agent", "system") else "abandoned"
    return MISSING


def _talk(record: CallRecord, heard: Heard) -> int | Unknown:
    talk = milliseconds(seconds_between(record.answered_at, record.ended_at))
    if isinstance(talk, Unknown) and talk.cause is Cause.MISSING and heard.duration_ms is not None:
        return heard.duration_ms
    return talk


def _hold(record: CallRecord) -> int | Unknown:
    """No hold in a record that tells of the conversation is none; in one that tells nothing it is unknown."""
    if not record.holds and record.answered_at is None and record.ended_at is None:
        return MISSING
    total = 0
    for hold in record.holds:
        part = milliseconds(seconds_between(hold.at, hold.until or record.ended_at))
        if isinstance(part, Unknown):
            return part
        total += part
    return total


def _first_transfer(record: CallRecord) -> int | None:
    """When the call was first handed on, from the answer; None without a transfer, or where that cannot be known."""
    if not record.transfers:
        return None
    after = milliseconds(seconds_between(record.answered_at, min(one.at for one in record.transfers)))
    return None if isinstance(after, Unknown) else after


def _drifted(heard: Heard) -> bool:
    """The two parties' clocks ran apart in this call."""
    return any(gap.cause == "drift" for gap in heard.gaps)


def call_facts(
    subject: str,
    record: CallRecord,
    heard: Heard = NOTHING,
    site: SiteView = SiteView(),
    seat_was_ready: bool | None = None,
) -> Facts:
    """Facts of one call from its record and from what was heard."""
    rhythm = cadence(site.cadence)
    alert = record.ringing_at or record.offered_at
    ring = seconds_between(alert, record.answered_at or record.ended_at)
    counted = ring if isinstance(ring, Unknown) else ring_count(ring, rhythm.period_s)
    call = CallFacts(
        direction=known(record.direction),
        end=_end(record, heard),
        ring_seconds=ring,
        ring_count=record.rings if record.rings is not None else counted,
        ring_source="phone" if record.rings is not None else "none" if isinstance(ring, Unknown) else "clock",
        ring_period_s=rhythm.period_s,
        ring_on_s=rhythm.on_s,
        answer_seconds=seconds_between(alert, record.answered_at),
        talk_ms=_talk(record, heard),
        hold_ms=_hold(record),
        silence_ms=known(heard.silence_ms),
        talk_over_ms=Unknown(Cause.CLOCK) if _drifted(heard) else known(heard.talk_over_ms),
        agent_share=known(heard.agent_share),
        loudness_rise_db=known(heard.loudness_rise_db),
        hung_up_by=record.hung_up_by or "unknown",
        channels=heard.channels,
        text=heard.text,
        known_customer=known(record.known_customer),
        business=known(record.business),
        transfers=len(record.transfers),
        transfer_ms=_first_transfer(record),
        seat_was_ready=known(seat_was_ready),
        language="ko" if record.language == "ko" else "zh",
        turns=heard.turns,
        hits=heard.hits,
        gaps=heard.gaps + tuple(Gap(row.role, row.start_ms, row.end_ms, row.cause) for row in record.gaps),
    )
    at = begun(record)
    return Facts(
        subject=f"call:{subject}", agent=record.agent, seat=record.seat, at=at.isoformat() if at else None, call=call
    )


def _length(away: Away, ms: int | None) -> int | Unknown:
    """How long; where the seat's own phone says that somebody was there, nobody can say."""
    return Unknown(Cause.CLOCK) if away.contradicted else known(ms)


def away_facts(away: Away, approved: bool | None, site: SiteView = SiteView(), told: bool | None = None) -> Facts:
    """Facts of a stretch with nobody at the seat; a leave register that is not connected excuses and accuses nobody."""
    allowed: bool | Unknown = known(approved) if site.leave_connected else Unknown(Cause.REGISTER)
    episode = AwayFacts(
        at=away.at.isoformat(),
        until=away.until.isoformat() if away.until else MISSING,
        away_ms=_length(away, away.away_ms),
        ready_ms=_length(away, away.ready_ms),
        status=away.status,
        source="person" if away.source == "person" else "presence",
        approved=allowed,
        told=known(told) if site.leave_connected else Unknown(Cause.REGISTER),
    )
    return Facts(f"away:{away.seat}:{away.at.isoformat()}", away.agent, away.seat, away.at.isoformat(), away=episode)
