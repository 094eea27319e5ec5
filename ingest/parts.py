"""Who is in a call and who has the customer: one part for each answer. Pure steps over the parts of one source.

A seat that holds the customer leaves the others alone with each other: what they say then is no talk with the customer.
The customer goes on to whoever is there when the holder resumes, hands over or leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from ingest.callvalue import Call, Hold, Offer, Part, Transfer
from ingest.events import Ended, Event, Held, Resumed, Transferred

Parts = tuple[Part, ...]
MOST_PARTS = 50  # answers in one call; a sender that claims more makes no rows with them


def here(parts: Parts) -> list[int]:
    return [at for at, part in enumerate(parts) if part.here]


def seats_here(parts: Parts) -> set[str | None]:
    return {part.seat for part in parts if part.here}


def named(parts: Parts, event: Event) -> int | None:
    """Which of those who are there the event names: by seat, else by phone, else by agent."""
    for at in here(parts):
        part = parts[at]
        if event.seat is not None and part.seat is not None:
            if event.seat == part.seat:
                return at
        elif event.leg is not None and part.leg is not None:
            if event.leg == part.leg:
                return at
        elif event.agent is not None and event.agent == part.agent:
            return at
    return None


def party(parts: Parts, event: Event) -> int | None:
    """The same; an event that names nobody is about the one who has been there longest."""
    found, there = named(parts, event), here(parts)
    if found is None and there and (len(there) == 1 or event.seat is None):
        return there[0]
    return found


def customer_held(parts: Parts) -> bool:
    """Somebody holds the customer and nobody else has him meanwhile."""
    met = [part for part in parts if part.here and part.met_at is not None]
    return any(part.held for part in met) and all(part.held for part in met)


def answered(parts: Parts, offer: Offer, event: Event) -> Parts:
    if len(parts) >= MOST_PARTS:
        return parts
    return _meet((*parts, Part(offer, event.at, leg=event.leg)), event.at)


def told(parts: Parts, event: Event) -> Parts | None:
    """A hold, a resume, a transfer or the end of one seat; None where it fits nobody who is there."""
    at = party(parts, event)
    if at is None:
        return _back(parts, event) if isinstance(event, Resumed) else None
    part = parts[at]
    match event:
        case Held() if not part.held:
            new = replace(part, holds=(*part.holds, Hold(event.at)))
        case Resumed() if part.held:
            new = _resumed(part, event.at)
        case Transferred():
            gone = Transfer(event.at, event.to, event.how)
            new = replace(_resumed(part, event.at), left_at=event.at, transfers=(*part.transfers, gone))
        case Ended():
            new = replace(_resumed(part, event.at), left_at=event.at, hung_up_by=event.by)
        case _:
            return None
    return _meet((*parts[:at], new, *parts[at + 1 :]), event.at)


def ended(parts: Parts, event: Ended) -> Parts:
    """The call is over for everybody who is still there."""
    return tuple(
        replace(_resumed(part, event.at), left_at=event.at, hung_up_by=event.by) if part.here else part
        for part in parts
    )


def _resumed(part: Part, at: datetime) -> Part:
    return replace(part, holds=(*part.holds[:-1], replace(part.holds[-1], until=at))) if part.held else part


def _back(parts: Parts, event: Event) -> Parts | None:
    """A transfer that nobody took comes back to whoever tried it; meanwhile the customer waited."""
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if part.left_at is not None and event.seat in (None, part.seat):
            again = replace(part, left_at=None, hung_up_by="unknown", holds=(*part.holds, Hold(part.left_at, event.at)))
            return (*parts[:at], again, *parts[at + 1 :])
    return None


def _meet(parts: Parts, at: datetime) -> Parts:
    """Whoever is there and not on hold has the customer, unless somebody holds him."""
    if customer_held(parts):
        return parts
    return tuple(
        replace(part, met_at=at) if part.here and part.met_at is None and not part.held else part for part in parts
    )


def with_asides(parts: Parts) -> Parts:
    """Each part with the stretches of its holds in which other seats were on the line."""
    return tuple(replace(part, asides=tuple(_asides(part, parts))) for part in parts)


def _asides(part: Part, parts: Sequence[Part]) -> Iterator[Hold]:
    found = [
        Hold(max(hold.at, other.answered_at), _sooner(hold.until, other.left_at))
        for hold in part.holds
        for other in parts
        if other is not part and _meets(hold, other)
    ]
    for one in sorted(found, key=lambda hold: hold.at):
        if one.until is None or one.at < one.until:
            yield one


def _meets(hold: Hold, other: Part) -> bool:
    return (hold.until is None or other.answered_at < hold.until) and (other.left_at is None or hold.at < other.left_at)


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def part_ids(call: Call) -> tuple[str, ...]:
    """The names under which the parts of a conversation are kept: the first one has the call's own."""
    return tuple(call.id if number == 1 else f"{call.id}~{number}" for number in range(1, len(call.parts) + 1))


def part_call(call: Call, number: int) -> Call:
    """One part (counted from 1) as a call at one seat: what rang, was said and held there, and nothing of the others.

    An agent who was only consulted had an internal call.
    """
    part = call.parts[number - 1]
    first = number == 1
    last = part.left_at is not None and part.left_at == call.ended_at
    before = tuple(offer for offer in call.offers if offer.answered_at is None and _earlier(offer, part))
    return replace(
        call,
        id=part_ids(call)[number - 1],
        direction=call.direction if part.met_at is not None else "internal",
        agent=part.agent,
        seat=part.seat,
        offers=(*before, part.offer) if first else (part.offer,),
        first_offered_at=call.first_offered_at if first else part.offer.offered_at or part.offer.ringing_at,
        offered_at=part.offer.offered_at,
        ringing_at=part.offer.ringing_at,
        answered_at=part.answered_at,
        ended_at=part.left_at or call.ended_at,
        end="answered" if call.end is not None else None,
        hung_up_by=call.hung_up_by if last else part.hung_up_by,
        rings=call.rings if part.seat == call.seat and first else None,
        holds=part.holds,
        transfers=part.transfers,
        parts=(part,),
        voicemail=False,
    )


def _earlier(offer: Offer, part: Part) -> bool:
    begun = offer.ringing_at or offer.offered_at
    return begun is None or begun <= part.answered_at
