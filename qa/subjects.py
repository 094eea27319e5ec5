"""Records of calls, chats and seats as what the scorer judges one by one: facts with their agent and day. Pure.

The same facts come from the phones (``fold``, ``seats``); here they come from records that somebody imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from ingest.rings import cadence
from ingest.seats import Away, Interval, SeatLog, Seen, away_episodes
from qa.facts import NOTHING, Heard, SiteView, away_facts, call_facts
from qa.heard import MS_A_CHARACTER, from_record, hits_of
from qa.record import CallRecord, localised
from scoring.facts import CallFacts, Cause, Facts, Turn, Unknown
from scoring.period.world import CallItem
from scoring.records.admit import plain
from scoring.records.book import Book
from scoring.records.record import Record, order
from speech.phrases import Matcher

MISSING = Unknown(Cause.MISSING)


@dataclass(frozen=True, slots=True)
class Ears:
    """The phrases of each channel, and what the site decided that facts depend on."""

    zone: ZoneInfo
    view: SiteView
    voice: Matcher
    chat: Matcher


def items_of(book: Book, ears: Ears) -> tuple[CallItem, ...]:
    """Every call, chat and absence that stands in a book."""
    return (*call_items(book, ears), *chat_items(book, ears), *away_items(book, ears))


def call_items(book: Book, ears: Ears) -> Iterator[CallItem]:
    logs = seat_logs(book, ears.zone)
    for record in book.of_kind("call"):
        start = record.start
        if start is None:
            continue
        call = localised(CallRecord.model_validate(plain(record)), ears.zone)
        heard = from_record(call, ears.voice) if call.turns is not None or call.hits is not None else NOTHING
        ready = _was_ready(logs.get(_seat(record)), start.replace(tzinfo=ears.zone))
        facts = call_facts(record.id, call, _channels(call, heard), ears.view, ready)
        yield CallItem(record.id, record.get("agent"), start.date(), facts, record)


def _was_ready(log: SeatLog | None, offered: datetime) -> bool | None:
    """What the seat's own state said just before the call was offered; a guess or an unknown state says neither."""
    held = log.state_at(offered - timedelta(milliseconds=1)) if log is not None else None
    if held is None or held.state == "unknown" or held.confidence == "inferred":
        return None
    return held.state == "ready"


def _channels(call: CallRecord, heard: Heard) -> Heard:
    """Without turns the record's own word on its channels still holds."""
    if call.channels is None or heard is not NOTHING:
        return heard
    return Heard(channels=call.channels)


def chat_items(book: Book, ears: Ears) -> Iterator[CallItem]:
    """A chat is a conversation whose every word is written: nothing is misheard, nothing rings."""
    for record in book.of_kind("chat"):
        start = record.start
        if start is None:
            continue
        turns = tuple(_chat_turns(record, start))
        rhythm = cadence(ears.view.cadence)
        end = record.get("ended_at")
        call = CallFacts(
            direction="in",
            end="answered" if any(turn.role == "agent" for turn in turns) else "no_answer",
            ring_seconds=MISSING,
            ring_count=MISSING,
            ring_source="none",
            ring_period_s=rhythm.period_s,
            ring_on_s=rhythm.on_s,
            answer_seconds=_first_answer(turns),
            talk_ms=_ms(start, end) if end is not None else max((turn.end_ms for turn in turns), default=0),
            hold_ms=0,
            silence_ms=MISSING,
            talk_over_ms=MISSING,
            agent_share=MISSING,
            loudness_rise_db=MISSING,
            hung_up_by="unknown",
            channels="split",
            text="given",
            known_customer=MISSING,
            business=True,
            transfers=0,
            seat_was_ready=MISSING,
            turns=turns,
            hits=hits_of(ears.chat, turns),
        )
        facts = Facts(f"chat:{record.id}", record.get("agent"), None, _at(start, ears.zone), call=call)
        yield CallItem(record.id, record.get("agent"), start.date(), facts, record)


def _chat_turns(record: Record, start: datetime) -> Iterator[Turn]:
    for row in record.get("turns") or ():
        begin = _ms(start, row["at"])
        yield Turn(row["role"], begin, begin + MS_A_CHARACTER * len(row["text"]), row["text"])


def _first_answer(turns: Iterable[Turn]) -> Decimal | Unknown:
    said = [turn.start_ms for turn in turns if turn.role == "agent"]
    return Decimal(min(said)) / 1000 if said else MISSING


def _ms(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() * 1000)


def _at(moment: datetime, zone: ZoneInfo) -> str:
    return moment.replace(tzinfo=zone).isoformat()


def away_items(book: Book, ears: Ears) -> Iterator[CallItem]:
    """Stretches with nobody at a seat."""
    for log in seat_logs(book, ears.zone).values():
        for away in away_episodes(log):
            approved, told = _leave(book, away)
            facts = away_facts(away, approved, ears.view, told)
            yield CallItem(facts.subject.partition(":")[2], away.agent, away.at.date(), facts)


def _seat(record: Record) -> str:
    """The seat of a record; one that names none speaks of its agent's."""
    return str(record.get("seat") or f"agent:{record.get('agent')}")


def seat_logs(book: Book, zone: ZoneInfo) -> dict[str, SeatLog]:
    """The time line of every seat that a record tells of."""
    seats: dict[str, list[Record]] = {}
    for record in book.of_kind("seat_status"):
        seats.setdefault(_seat(record), []).append(record)
    return {
        seat: seat_log(seat, records, tuple(_answers(book, seat, zone)), zone)
        for seat, records in sorted(seats.items())
    }


def _answers(book: Book, seat: str, zone: ZoneInfo) -> Iterator[datetime]:
    """When somebody picked up at a seat: then somebody was there."""
    for call in book.of_kind("call"):
        if _seat(call) == seat and call.get("answered_at") is not None:
            yield call.get("answered_at").replace(tzinfo=zone)


def seat_log(seat: str, records: Iterable[Record], answers: tuple[datetime, ...], zone: ZoneInfo) -> SeatLog:
    """A seat's records as its time line; where a record ends and none goes on, nothing is known."""
    told = sorted(records, key=order)
    states = [
        Interval(
            one.get("status"), *_span(one, zone), one.get("reason"), one.get("confidence") or "observed", _who(one)
        )
        for one in told
        if one.get("status") is not None
    ]
    seen = [
        Seen("yes" if one.get("present") else "no", *_span(one, zone), _witness(one), _who(one))
        for one in told
        if one.get("present") is not None
    ]
    return SeatLog(seat, tuple(_states(states)), tuple(_presence(seen)), tuple(sorted(answers)))


def _who(record: Record) -> str | None:
    agent: str | None = record.get("agent")
    return agent


def _span(record: Record, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    start, until = record.start, record.get("until")
    if start is None:
        raise ValueError(f"{record.id}: the state of a seat begins at a moment; give at")
    return start.replace(tzinfo=zone), None if until is None else until.replace(tzinfo=zone)


def _witness(record: Record) -> str:
    if record.get("confidence") == "inferred":
        return "inferred"
    return "person" if record.get("source") == "person" else "sensor"


def _states(found: list[Interval]) -> Iterator[Interval]:
    for at, one in enumerate(found):
        following = found[at + 1].at if at + 1 < len(found) else None
        until = min((end for end in (one.until, following) if end is not None), default=None)
        yield Interval(one.state, one.at, until, one.reason, one.confidence, one.agent)
        if until is not None and until != following:
            yield Interval("unknown", until, following, None, "observed", one.agent)


def _presence(found: list[Seen]) -> Iterator[Seen]:
    for at, one in enumerate(found):
        following = found[at + 1].at if at + 1 < len(found) else None
        until = min((end for end in (one.until, following) if end is not None), default=None)
        yield Seen(one.present, one.at, until, one.by, one.agent)


def _leave(book: Book, away: Away) -> tuple[bool, bool]:
    """Whether the register of leave says that this absence was approved, and that a superior was told before it."""
    begin = away.at.replace(tzinfo=None)
    end = away.until.replace(tzinfo=None) if away.until is not None else begin
    own = [one for one in book.of_kind("leave", away.agent) if away.agent is not None and _covers(one, begin, end)]
    approved = any(one.get("approved_at") is not None for one in own)
    told = any(one.get("told_at") is not None and one.get("told_at") <= begin for one in own)
    return approved, approved or told


def _covers(leave: Record, begin: datetime, end: datetime) -> bool:
    start, until = leave.start, leave.get("until")
    if start is None:
        return leave.local_day == begin.date() == end.date()
    return bool(start <= begin and until is not None and end <= until)
