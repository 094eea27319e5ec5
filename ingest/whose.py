"""Whose seat it was: an event that names the agent stands, else whoever a lookup names. Pure; looks nothing up itself.

The lookup is a value, ``whose(seat, at)``: from the seat's log-ins, from a roster, from who always sits there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from ingest.callvalue import Call, Offer

Whose = Callable[[str, datetime], str | None]


def nobody(_seat: str, _at: datetime) -> str | None:
    return None


def asked(call: Call) -> Iterator[tuple[str, datetime]]:
    """The seats and instants at which the call needs to know whose the seat was."""
    for offer in (*call.offers, *(part.offer for part in call.parts)):
        at = _instant(offer)
        if offer.agent is None and offer.seat is not None and at is not None:
            yield offer.seat, at


def assigned(call: Call, whose: Whose = nobody) -> Call:
    """The call with its agents; what the lookup does not know stays nobody's."""
    before = call.concluding
    offers = tuple(_of(offer, whose) for offer in call.offers)
    parts = tuple(replace(part, offer=_of(part.offer, whose)) for part in call.parts)
    agent = call.agent
    if agent is None and before is not None and before.seat is not None and before.seat == call.seat:
        agent = _of(before, whose).agent
    return replace(call, offers=offers, parts=parts, agent=agent)


def _of(offer: Offer, whose: Whose) -> Offer:
    at = _instant(offer)
    if offer.agent is not None or offer.seat is None or at is None:
        return offer
    return replace(offer, agent=whose(offer.seat, at))


def _instant(offer: Offer) -> datetime | None:
    """When it matters who sits there: at the answer, else while it rang."""
    return offer.answered_at or offer.ringing_at or offer.offered_at
