"""A folded call as a record of the data contract and as the row that lists show. Pure; the fold itself is ingest's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ingest.callvalue import Call, Offer, Part
from ingest.events import Event, Offered
from ingest.missed import missed, missed_call
from ingest.parts import part_call, part_ids
from qa.record import CallRecord, Hold, Transfer
from qa.store.calls import Call as Row

OFFER_MOMENTS = ("offered_at", "ringing_at", "answered_at", "redirected_at")  # as `Offer` has them, in its order
LEFT_THE_SEAT = ("redirected", "voicemail")  # it may go on elsewhere for long after it stopped ringing
WITHDRAWN = "withdrawn"  # lists show it no more
BESIDE = ("known_customer", "business", "language", "dialect_asked")  # keys that senders may add to `offered`


def record(call: Call, events: Iterable[Event]) -> CallRecord:
    """What the telephone said of the call, in the words of the import contract."""
    beside = _beside(events)
    return CallRecord(
        id=call.id,
        agent=call.agent,
        seat=call.seat,
        direction=call.direction,  # type: ignore[arg-type]  # ingest admits the same three words
        queue=call.queue,
        number=call.number,
        queued_at=call.first_offered_at,
        offered_at=call.offered_at,
        ringing_at=call.ringing_at,
        answered_at=call.answered_at,
        ended_at=call.alert_ended_at if call.end in LEFT_THE_SEAT else call.ended_at,
        end=call.end,  # type: ignore[arg-type]  # the fold concludes the contract's words only
        rings=call.rings,
        hung_up_by=call.hung_up_by,  # type: ignore[arg-type]  # ingest admits the same four words
        holds=tuple(Hold(at=hold.at, until=hold.until) for hold in call.holds),
        transfers=tuple(Transfer(at=one.at, to=one.to or "", how=_how(one.how)) for one in call.transfers),
        **beside,
    )


def _how(how: str | None) -> Any:
    return how if how in ("blind", "attended") else "blind"


def _beside(events: Iterable[Event]) -> dict[str, Any]:
    """Facts of the call that a sender knows beside the signalling; a value of another type is no fact."""
    found: dict[str, Any] = {}
    for event in events:
        if isinstance(event, Offered):
            found |= {name: event.extra[name] for name in BESIDE if _sound(name, event.extra.get(name))}
    return found


def _sound(name: str, value: object) -> bool:
    return value in ("zh", "ko") if name == "language" else isinstance(value, bool)


def row(call: Call, events: list[Event], first: datetime, state: str, zone: ZoneInfo) -> Row:
    """The stored row: state for lists, times for filters, everything that the fold found as JSON."""
    begun = call.first_offered_at or first
    told = record(call, events).model_dump(mode="json", exclude_none=True)
    return Row(
        id=call.id,
        state=state,
        at=begun,
        direction=call.direction,
        agent=call.agent,
        seat=call.seat,
        queue=call.queue,
        number=call.number,
        day=begun.astimezone(zone).date(),
        offered_at=call.offered_at,
        ringing_at=call.ringing_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        conclusion=call.end,
        hung_up_by=call.hung_up_by,
        folded={
            "record": told,
            "phone": str(call.state),
            "clock_doubted": call.clock_doubted,
            "clocks_mixed": call.clocks_mixed,
            "out_of_turn": list(call.out_of_turn),
            "legs": dict(call.legs),
            "offers": [_offer(one) for one in call.offers],
        },
    )


def part_rows(
    call: Call, events: Sequence[Event], first: datetime, state: str, zone: ZoneInfo, *, over: bool = False
) -> list[Row]:
    """One row for each part of a conversation and for each missed ring; a call with one part, or none, is the row it
    always was.

    *over*: nobody said that it ended, and it is taken for over all the same; an answer it had, an end is not known.
    """
    if over and call.end is None and call.answered_at is not None:
        call = replace(call, end="answered")
    rang = missed(call, over)
    ids = (*(part_ids(call) or (call.id,)), *(one.id for one in rang))
    beyond = [_missed_row(call, ids, row(missed_call(call, one), [], first, state, zone)) for one in rang]
    if len(call.parts) < 2:
        whole = _told(call, row(call, list(events), first, state, zone))
        return [_linked(call, ids, whole) if beyond else whole, *beyond]
    parts = [_part_row(call, number, ids, row(part_call(call, number), list(events), first, state, zone))
             for number in range(1, len(call.parts) + 1)]  # fmt: skip
    return [*parts, *beyond]


def _linked(call: Call, ids: Sequence[str], one: Row) -> Row:
    """A row that knows the others of its conversation."""
    record = {**one.folded["record"], "chain": call.id}
    return replace(one, folded={**one.folded, "record": record, "parts": list(ids)})


def _missed_row(call: Call, ids: Sequence[str], one: Row) -> Row:
    """A ring that nobody took: a row with its own times, in which nobody talked."""
    one = _linked(call, ids, replace(one, conversation=call.id))
    return replace(one, folded={**one.folded, "offer_ends": ["no_answer"], "missed": True})


def _told(call: Call, one: Row) -> Row:
    """What became of each offer, and whether any seat was called at all."""
    ends = [call.concluded(offer) for offer in call.offers]
    beside = {"offer_ends": ends} | ({"queued_only": True} if call.queued_only else {})
    return replace(one, folded={**one.folded, **beside})


def _part_row(call: Call, number: int, ids: Sequence[str], one: Row) -> Row:
    part = call.parts[number - 1]
    own = part_call(call, number)
    beside = {
        "offer_ends": [call.concluded(offer) for offer in own.offers],
        "part": {"number": number, **_moments(part)},
    }
    one = _linked(call, ids, replace(one, conversation=None if number == 1 else call.id))
    return replace(one, folded={**one.folded, **beside})


def _moments(part: Part) -> dict[str, Any]:
    """When this part had the customer, and when its agent talked to other agents meanwhile."""
    asides = [{"at": _iso(one.at), "until": one.until and _iso(one.until)} for one in part.asides]
    return {"met_at": part.met_at and _iso(part.met_at), "left_at": part.left_at and _iso(part.left_at),
            "asides": asides}  # fmt: skip


def number_of(row: Row) -> int:
    """Which part of its conversation a row is, from 1; that of the call itself where it has one only."""
    number: int = row.folded.get("part", {}).get("number", 1)
    return number


def was_missed(row: Row) -> bool:
    """Whether it is a ring that nobody took: it has no sound."""
    return bool(row.folded.get("missed"))


def withdrawn(row: Row) -> Row:
    """A row that later news took back: nobody's call, with no moments that could be judged."""
    record = {key: row.folded["record"][key] for key in ("kind", "id", "chain") if key in row.folded["record"]}
    return Row(
        id=row.id,
        state="ended",
        at=row.at,
        day=row.day,
        conversation=row.conversation,
        concluded=WITHDRAWN,
        folded={"record": record, "withdrawn": True},
    )


def _offer(offer: Offer) -> dict[str, Any]:
    told: dict[str, Any] = {"seat": offer.seat, "agent": offer.agent}
    told |= {name: _iso(getattr(offer, name)) for name in OFFER_MOMENTS if getattr(offer, name)}
    return told


def _iso(at: datetime) -> str:
    return at.isoformat()


def stored_offers(folded: Mapping[str, Any]) -> list[Offer]:
    """The offers back from the stored row; which phones rang for them is not kept there."""
    return [_stored_offer(told) for told in folded.get("offers", ())]


def _stored_offer(told: Mapping[str, Any]) -> Offer:
    moments = (told.get(name) for name in OFFER_MOMENTS)
    offered, rang, answered, redirected = (None if at is None else datetime.fromisoformat(at) for at in moments)
    return Offer(told.get("seat"), told.get("agent"), offered, rang, answered, redirected)


def stored_record(folded: Mapping[str, Any]) -> CallRecord:
    """The record back from the stored row."""
    return CallRecord.model_validate(folded["record"])
