"""Several sources' walks over one call as one call: the one that saw most leads, the others fill what it did not see.

Ring times and parts never mix two clocks; where an end has to, the call says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.callvalue import Call, Part, State


def merged(walks: Sequence[Call]) -> Call:
    """Walks of one call in the order of their sources' names."""
    ranked = sorted(walks, key=_seen, reverse=True)  # stable: equal ones stay in the order of their names
    call = ranked[0]
    for other in ranked[1:]:
        call = _fill(call, other)
    return _parted(_clocks(call, ranked), ranked)


def _seen(call: Call) -> tuple[bool, bool, int]:
    """How much of a call a source saw: an answer first, then times that can be trusted, then the number of moments."""
    moments = (call.first_offered_at, call.ringing_at, call.answered_at, call.ended_at)
    return call.answered_at is not None, not call.clock_doubted, sum(at is not None for at in moments)


def _fill(lead: Call, other: Call) -> Call:
    """What the leading source did not see. Ring times never mix two clocks: an offer is told by one source alone."""
    ended = lead.ended_at is None and other.ended_at is not None
    blank = not lead.offers
    seat, agent = _whose(lead, other)
    return replace(
        lead,
        state=State.ENDED if ended else (other.state if lead.state is State.IDLE else lead.state),
        direction=lead.direction or other.direction,
        agent=agent,
        seat=seat,
        queue=lead.queue or other.queue,
        number=lead.number or other.number,
        offers=lead.offers or other.offers,
        first_offered_at=lead.first_offered_at or other.first_offered_at,
        offered_at=other.offered_at if blank else lead.offered_at,
        ringing_at=other.ringing_at if blank else lead.ringing_at,
        ended_at=lead.ended_at or other.ended_at,
        hung_up_by=other.hung_up_by if lead.hung_up_by == "unknown" else lead.hung_up_by,
        rings=other.rings if lead.rings is None and not _differ(seat, other.seat) else lead.rings,
        holds=lead.holds or other.holds,
        transfers=lead.transfers or other.transfers,
        parts=_parts(lead, other),
        legs={**other.legs, **lead.legs},
        leg_seats={**other.leg_seats, **lead.leg_seats},
        out_of_turn=lead.out_of_turn + other.out_of_turn,
        voicemail=lead.voicemail or other.voicemail,
        probe=lead.probe or other.probe,
    )


def _whose(lead: Call, other: Call) -> tuple[str | None, str | None]:
    """Seat and agent, never one of this offer with one of another."""
    offer = other.concluding
    lost = lead.answered_at is not None and offer is not None and offer.redirected_at is not None
    if lost or _differ(lead.seat, other.seat) or _differ(lead.agent, other.agent):
        return lead.seat, lead.agent
    return lead.seat or other.seat, lead.agent or other.agent


def _parts(lead: Call, other: Call) -> tuple[Part, ...]:
    """All of one source: the one that tells more of them, with the agents that the other one names."""
    most, less = (other, lead) if len(other.parts) > len(lead.parts) else (lead, other)
    names = {offer.seat: offer.agent for offer in less.offers if offer.seat is not None and offer.agent is not None}
    return tuple(
        part
        if part.agent or part.seat not in names
        else replace(part, offer=replace(part.offer, agent=names[part.seat]))
        for part in most.parts
    )


def _parted(call: Call, walks: Iterable[Call]) -> Call:
    """Parts that go on until an end that another source told mix two clocks, too."""
    if len(call.parts) < 2:
        return call
    most = max(walks, key=lambda walk: len(walk.parts))
    borrowed = most.ended_at is None and call.ended_at is not None
    return replace(call, clocks_mixed=call.clocks_mixed or borrowed)


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _clocks(call: Call, walks: Iterable[Call]) -> Call:
    """What mixes two clocks: the offers and the end are each of the first source that told any."""
    rang = next((walk for walk in walks if walk.offers), None)
    ended = next((walk for walk in walks if walk.ended_at is not None), None)
    if rang is None or ended is None or rang is ended:
        return replace(call, clock_doubted=rang is not None and rang.clock_doubted)
    return replace(
        call,
        end_elsewhere=True,
        clock_doubted=rang.clock_doubted or rang.alert_ended_at is None,
        clocks_mixed=call.answered_at is not None,
    )
