"""Rings that nobody took: offers that were taken away from a seat while the call went on without it. Pure.

The offer that concludes the call is the call itself and none of these, nor is a race that another seat won, a caller
who gave up, or a phone that never rang. What a missed ring costs is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from ingest.callvalue import RACE, Call, Offer, Part

FIRST = 101  # answers have the numbers before: neither kind moves the other's names
MOST_MISSED = 50  # rows of one call; all its offers are on the call itself all the same


@dataclass(frozen=True, slots=True)
class Missed:
    """One such offer under its name. ``settled_at``: since then it is missed, and no longer the call's own last one."""

    id: str
    offer: Offer
    until: datetime
    settled_at: datetime


def missed(call: Call, over: bool = False) -> tuple[Missed, ...]:
    """In the order in which they were settled. *over*: nobody said that the call ended, and no more is waited for.

    While the call goes on, one counts as soon as something later than a race is known of the call: what comes in the
    order of its clock then only adds to them.
    """
    if call.probe:
        return ()
    found = [one for at in range(len(call.offers)) if (one := _missed(call, at)) is not None]
    last = max(_moments(call), default=None)
    sure = [
        one for one in found if over or call.ended_at is not None or (last is not None and last > one.settled_at + RACE)
    ]
    sure.sort(key=lambda one: one.settled_at)  # stable: equal ones as they were offered
    return tuple(
        replace(one, id=f"{call.id}~{number}") for number, one in enumerate(sure[:MOST_MISSED], FIRST)
    )  # fmt: skip


def _missed(call: Call, at: int) -> Missed | None:
    offer = call.offers[at]
    until = offer.redirected_at or call.ended_at
    if offer is call.concluding or offer.ringing_at is None or until is None:
        return None
    if offer.seat is None and offer.agent is None:
        return None  # nobody's
    if call.concluded(offer) != "no_answer" or any(_took(part, offer, until) for part in call.parts):
        return None
    after = (_begun(call.offers[at + 1]) if at + 1 < len(call.offers) else None, call.answered_at)
    left = min((one for one in after if one is not None), default=until)
    return Missed(call.id, offer, until, max(until, left))


def _took(part: Part, offer: Offer, until: datetime) -> bool:
    """Another source says that this seat did answer it."""
    assert offer.ringing_at is not None
    return part.seat is not None and part.seat == offer.seat and offer.ringing_at <= part.answered_at <= until


def _begun(offer: Offer) -> datetime | None:
    return min((one for one in _times(offer)), default=None)


def _times(offer: Offer) -> Iterator[datetime]:
    told = (offer.offered_at, offer.ringing_at, offer.answered_at, offer.redirected_at)
    return (one for one in told if one is not None)


def _moments(call: Call) -> Iterator[datetime]:
    """Everything by which one can tell how far the call has come."""
    for offer in call.offers:
        yield from _times(offer)
    for part in call.parts:
        yield part.answered_at
        if part.left_at is not None:
            yield part.left_at


def missed_call(call: Call, one: Missed) -> Call:
    """It as a call at that seat: what rang there, and nothing of the others.

    Where the customer was with somebody when it began to ring, a colleague called.
    """
    offer = one.offer
    away = offer.redirected_at is not None
    return replace(
        call,
        id=one.id,
        direction="internal" if any(_has_customer(part, offer) for part in call.parts) else call.direction,
        agent=offer.agent,
        seat=offer.seat,
        offers=(offer,),
        first_offered_at=offer.offered_at or offer.ringing_at,
        offered_at=offer.offered_at,
        ringing_at=offer.ringing_at,
        answered_at=None,
        ended_at=one.until,
        end="redirected" if away else "no_answer",
        hung_up_by="unknown" if away else call.hung_up_by,
        rings=None,
        holds=(),
        transfers=(),
        parts=(),
        legs={},
        leg_seats={},
        clock_doubted=call.clock_doubted or (not away and call.end_elsewhere),
        clocks_mixed=False,
        voicemail=False,
    )


def _has_customer(part: Part, offer: Offer) -> bool:
    at = offer.ringing_at
    if at is None or part.met_at is None or part.met_at > at or (part.left_at is not None and part.left_at <= at):
        return False
    handed = {gone.at for gone in part.transfers}  # a transfer that came back left the customer waiting meanwhile
    return not any(one.at in handed and one.at <= at and (one.until is None or at < one.until) for one in part.holds)
