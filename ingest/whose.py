"""Whose seat it was: signalling that names the agent stands, else the agent's own leg, else whoever a lookup names.

Pure; looks nothing up itself. What legs say never moves what signalling said, and two legs that differ say nothing of
a seat that signalling left open. The lookup is a value, ``whose(seat, at)``: from the seat's log-ins, from a roster,
from who always sits there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ingest.callvalue import Call, Offer, Part
from ingest.events import Event, Leg
from ingest.order import by_time

Whose = Callable[[str, datetime], str | None]


def nobody(_seat: str, _at: datetime) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Named:
    """Where an agent's leg comes from, and whose it is; ``at``: when it was first told."""

    seat: str | None
    agent: str | None
    at: datetime


def named_by_legs(events: Iterable[Event]) -> dict[str, Named]:
    """What the legs of agents say of seat and agent; of a leg that says two things the earlier one stands."""
    found: dict[str, Named] = {}
    for event in by_time(one for one in events if isinstance(one, Leg) and one.role == "agent"):
        if event.seat is None and event.agent is None:
            continue
        before = found.setdefault(str(event.leg), Named(event.seat, event.agent, event.at))
        if not _differ(before.seat, event.seat) and not _differ(before.agent, event.agent):
            found[str(event.leg)] = Named(before.seat or event.seat, before.agent or event.agent, before.at)
    return found


def with_legs(call: Call, legs: Mapping[str, Named]) -> Call:
    """The call with the seats and agents that its legs name where its signalling names none."""
    if not legs:
        return call
    alone = _alone(legs.values())
    only = alone if len(call.parts) == 1 else None  # with several, which of them is meant must be told
    parts = tuple(replace(part, offer=_by_leg(part.offer, legs, part.leg, only)) for part in call.parts)
    told = tuple(_by_leg(one, legs, _phone(one, call.parts), only) for one in call.offers)
    call = replace(call, offers=told, parts=parts)
    one: Offer | Named | None = call.concluding or alone
    if one is None or _differ(call.seat, one.seat) or _differ(call.agent, one.agent):
        return call
    since = alone.at if alone is not None and not call.offers else None
    return replace(call, seat=call.seat or one.seat, agent=call.agent or one.agent, named_at=since)


def _alone(legs: Iterable[Named]) -> Named | None:
    """What all of them say together; None where they differ."""
    said = list(legs)
    seats, agents = {one.seat for one in said} - {None}, {one.agent for one in said} - {None}
    if not said or len(seats) > 1 or len(agents) > 1:
        return None
    return Named(next(iter(seats), None), next(iter(agents), None), min(one.at for one in said))


def _phone(offer: Offer, parts: Iterable[Part]) -> str | None:
    """The leg on which an offer was answered."""
    taken = (one.leg for one in parts if (one.seat, one.answered_at) == (offer.seat, offer.answered_at))
    return next(taken, None)


def _by_leg(offer: Offer, legs: Mapping[str, Named], phone: str | None, only: Named | None) -> Offer:
    """Which leg it was answered on; else what is said of its seat; else, of the only part, what all legs say."""
    own = legs.get(phone) if phone is not None else None
    if offer.answered_at is None:
        own = only = None
    if own is None and offer.seat is not None:
        own = _alone(one for one in legs.values() if one.seat == offer.seat) if offer.agent is None else None
    said = own or only
    if said is None or _differ(offer.seat, said.seat) or _differ(offer.agent, said.agent):
        return offer
    return replace(offer, seat=offer.seat or said.seat, agent=offer.agent or said.agent)


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def asked(call: Call) -> Iterator[tuple[str, datetime]]:
    """The seats and instants at which the call needs to know whose the seat was."""
    for offer in (*call.offers, *(part.offer for part in call.parts)):
        at = _instant(offer)
        if offer.agent is None and offer.seat is not None and at is not None:
            yield offer.seat, at
    if call.agent is None and call.seat is not None and call.named_at is not None:
        yield call.seat, call.named_at


def assigned(call: Call, whose: Whose = nobody) -> Call:
    """The call with its agents; what the lookup does not know stays nobody's."""
    before = call.concluding
    offers = tuple(_of(offer, whose) for offer in call.offers)
    parts = tuple(replace(part, offer=_of(part.offer, whose)) for part in call.parts)
    agent = call.agent
    if agent is None and before is not None and before.seat is not None and before.seat == call.seat:
        agent = _of(before, whose).agent
    if agent is None and call.seat is not None and call.named_at is not None:
        agent = whose(call.seat, call.named_at)
    return replace(call, offers=offers, parts=parts, agent=agent)


def _of(offer: Offer, whose: Whose) -> Offer:
    at = _instant(offer)
    if offer.agent is not None or offer.seat is None or at is None:
        return offer
    return replace(offer, agent=whose(offer.seat, at))


def _instant(offer: Offer) -> datetime | None:
    """When it matters who sits there: at the answer, else while it rang."""
    return offer.answered_at or offer.ringing_at or offer.offered_at
