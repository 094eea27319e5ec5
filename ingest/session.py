"""One call as a table over its stored events. Folds only; what an end means for a score is decided elsewhere.

Every source is told by its own clock; the source that saw most of the call leads, the others fill what it did not see.
An event that does not fit is kept in ``out_of_turn`` and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ingest.events import Answered, Ended, Event, Held, Leg, Offered, Redirected, Resumed, Ringing, Transferred
from ingest.order import by_source, ties


class State(StrEnum):
    IDLE = "idle"  # nothing but legs so far
    OFFERED = "offered"  # a seat was called; it does not ring yet
    RINGING = "ringing"
    REDIRECTED = "redirected"  # taken away from the seat before an answer
    TALKING = "talking"
    HELD = "held"
    TRANSFERRED = "transferred"  # answered here, on its way to somebody else
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Offer:
    """One seat's chance to take the call."""

    seat: str | None
    agent: str | None
    offered_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    redirected_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.answered_at is None and self.redirected_at is None


@dataclass(frozen=True, slots=True)
class Hold:
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    at: datetime
    to: str | None
    how: str | None


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of one call. ``end`` stays None until the call is over (or left the seat by a redirection).

    ``seat``, ``agent``, ``offered_at`` and ``ringing_at`` are all of one offer, the concluding one: what rang at
    another seat is never this seat's ring time.
    """

    id: str
    state: State = State.IDLE
    direction: str | None = None
    agent: str | None = None
    seat: str | None = None
    queue: str | None = None
    number: str | None = None
    offers: tuple[Offer, ...] = ()
    first_offered_at: datetime | None = None  # to any seat or queue, as any source saw it; no ring time rests on it
    offered_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    end: str | None = None  # answered, abandoned, no_answer, redirected, voicemail, probe
    hung_up_by: str = "unknown"
    rings: int | None = None  # the phone's own count
    holds: tuple[Hold, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    legs: Mapping[str, str] = field(default_factory=dict)  # leg -> role
    out_of_turn: tuple[str, ...] = ()  # ids of events that did not fit
    clock_doubted: bool = False  # the ring time means nothing: ringing after the answer, or two sources' clocks in it
    clocks_mixed: bool = False  # answered_at and ended_at come from different sources
    voicemail: bool = False
    probe: bool = False

    @property
    def concluding(self) -> Offer | None:
        """The offer that was answered first, else the last one."""
        taken = (offer for offer in self.offers if offer.answered_at and offer.answered_at == self.answered_at)
        return next(taken, self.offers[-1] if self.offers else None)

    @property
    def alert_ended_at(self) -> datetime | None:
        """When the concluding seat stopped ringing; a redirected call may go on elsewhere for long after that."""
        offer = self.concluding
        return self.answered_at or (offer and offer.redirected_at) or self.ended_at


_NEXT: dict[tuple[State, type[Event]], State] = {
    (State.IDLE, Offered): State.OFFERED,
    (State.IDLE, Ringing): State.RINGING,
    (State.IDLE, Answered): State.TALKING,
    (State.IDLE, Redirected): State.REDIRECTED,
    (State.IDLE, Ended): State.ENDED,
    (State.OFFERED, Offered): State.OFFERED,
    (State.OFFERED, Ringing): State.RINGING,
    (State.OFFERED, Answered): State.TALKING,
    (State.OFFERED, Redirected): State.REDIRECTED,
    (State.OFFERED, Ended): State.ENDED,
    (State.RINGING, Offered): State.RINGING,
    (State.RINGING, Ringing): State.RINGING,
    (State.RINGING, Answered): State.TALKING,
    (State.RINGING, Redirected): State.REDIRECTED,
    (State.RINGING, Ended): State.ENDED,
    (State.REDIRECTED, Offered): State.OFFERED,
    (State.REDIRECTED, Ringing): State.RINGING,
    (State.REDIRECTED, Answered): State.TALKING,
    (State.REDIRECTED, Redirected): State.REDIRECTED,
    (State.REDIRECTED, Ended): State.ENDED,
    (State.TALKING, Held): State.HELD,
    (State.TALKING, Transferred): State.TRANSFERRED,
    (State.TALKING, Ended): State.ENDED,
    (State.HELD, Resumed): State.TALKING,
    (State.HELD, Transferred): State.TRANSFERRED,
    (State.HELD, Ended): State.ENDED,
    (State.TRANSFERRED, Offered): State.TRANSFERRED,
    (State.TRANSFERRED, Ringing): State.TRANSFERRED,
    (State.TRANSFERRED, Answered): State.TALKING,
    (State.TRANSFERRED, Held): State.HELD,
    (State.TRANSFERRED, Resumed): State.TALKING,
    (State.TRANSFERRED, Transferred): State.TRANSFERRED,
    (State.TRANSFERRED, Ended): State.ENDED,
}


def fold_call(events: Iterable[Event]) -> Call:
    """All events of one call, from any sources in any order of arrival."""
    told = by_source(events)
    if not told:
        raise ValueError("events: a call has at least one event")
    names = {event.call for source in told.values() for event in source}
    if len(names) != 1 or None in names:
        raise ValueError(f"events: one call is folded at a time, these belong to {sorted(map(str, names))}")
    name = str(names.pop())
    walks = [_walk(Call(name), source) for source in told.values()]
    walks.sort(key=_seen, reverse=True)  # stable: equal ones stay in the order of their names
    call = walks[0]
    for other in walks[1:]:
        call = _fill(call, other)
    return _clocks(replace(call, end=_end(call)), walks)


def _walk(call: Call, events: Iterable[Event]) -> Call:
    """The events of one source. Of several with one stamp, the one that fits goes first."""
    for tie in ties(events):
        while tie:
            fits = [event for event in tie if (call.state, type(event)) in _NEXT]
            call = step(call, tie.pop(tie.index(fits[0]) if fits else 0))
    return call


def step(call: Call, event: Event) -> Call:
    """One stored event further; what does not fit is kept and shown, never dropped."""
    if isinstance(event, Leg):
        return replace(call, legs={**call.legs, str(event.leg): event.role})
    to = _NEXT.get((call.state, type(event)))
    if to is None:
        return replace(call, out_of_turn=(*call.out_of_turn, event.id), clock_doubted=_doubt(call, event))
    return replace(_EFFECT[type(event)](call, event), state=to)


def _doubt(call: Call, event: Event) -> bool:
    """Ringing after the same seat's answer: the sender's clock jumped, so its ring time means nothing."""
    late = isinstance(event, Offered | Ringing) and call.answered_at is not None
    return call.clock_doubted or (late and event.seat in (None, call.seat))


def _offered(call: Call, event: Event) -> Call:
    assert isinstance(event, Offered)
    call = replace(
        call,
        direction=call.direction or event.direction,
        queue=event.queue or call.queue,
        number=event.number or call.number,
        first_offered_at=call.first_offered_at or event.at,
        probe=call.probe or event.probe,
    )
    return _change(call, event, lambda offer: replace(offer, offered_at=_since(offer, event)))


def _since(offer: Offer, event: Event) -> datetime:
    """An offer without a seat (to a queue) lends its time until the seat's own is told."""
    own = offer.seat is None and event.seat is not None
    return event.at if own or offer.offered_at is None else offer.offered_at


def _ringing(call: Call, event: Event) -> Call:
    return _change(call, event, lambda offer: replace(offer, ringing_at=offer.ringing_at or event.at))


def _answered(call: Call, event: Event) -> Call:
    call = replace(call, answered_at=call.answered_at or event.at)  # a transferred call keeps its first answer
    return _change(call, event, lambda offer: replace(offer, answered_at=event.at))


def _redirected(call: Call, event: Event) -> Call:
    assert isinstance(event, Redirected)
    call = replace(call, voicemail=event.to == "voicemail")
    return _change(call, event, lambda offer: replace(offer, redirected_at=event.at))


def _held(call: Call, event: Event) -> Call:
    return replace(call, holds=(*call.holds, Hold(event.at)))


def _resumed(call: Call, event: Event) -> Call:
    if not call.holds or call.holds[-1].until is not None:
        return call
    return replace(call, holds=(*call.holds[:-1], replace(call.holds[-1], until=event.at)))


def _transferred(call: Call, event: Event) -> Call:
    assert isinstance(event, Transferred)
    call = _resumed(call, event)
    return replace(call, transfers=(*call.transfers, Transfer(event.at, event.to, event.how)))


def _ended(call: Call, event: Event) -> Call:
    assert isinstance(event, Ended)
    call = _resumed(call, event)
    rings = None if _differ(call.seat, event.seat) else event.rings  # another seat's phone counted its own
    return replace(call, ended_at=event.at, hung_up_by=event.by, rings=rings)


_EFFECT: dict[type[Event], Callable[[Call, Event], Call]] = {
    Offered: _offered,
    Ringing: _ringing,
    Answered: _answered,
    Redirected: _redirected,
    Held: _held,
    Resumed: _resumed,
    Transferred: _transferred,
    Ended: _ended,
}


def _change(call: Call, event: Event, change: Callable[[Offer], Offer]) -> Call:
    """The call with the offer that the event is about changed; a new one where the seat has none open."""
    at = _index(call, event)
    offers = call.offers if at is not None else (*call.offers, Offer(event.seat, event.agent))
    at = len(offers) - 1 if at is None else at
    new = change(offers[at])
    new = replace(new, seat=new.seat or event.seat, agent=new.agent or event.agent)
    call = replace(call, offers=(*offers[:at], new, *offers[at + 1 :]))
    one = call.concluding
    assert one is not None
    return replace(call, seat=one.seat, agent=one.agent, offered_at=one.offered_at, ringing_at=one.ringing_at)


def _index(call: Call, event: Event) -> int | None:
    """The newest open offer that the event can be about."""
    for at in range(len(call.offers) - 1, -1, -1):
        if call.offers[at].open and _about(call.offers[at], event):
            return at
    return None


def _about(offer: Offer, event: Event) -> bool:
    """The seat tells offers apart; where one side has no seat the agent does, and where one has neither, nothing."""
    if offer.seat is not None and event.seat is not None:
        return offer.seat == event.seat
    return None in (offer.agent, event.agent) or offer.agent == event.agent


def _seen(call: Call) -> tuple[bool, int]:
    """How much of a call a source saw: an answer first, then the number of moments."""
    moments = (call.first_offered_at, call.ringing_at, call.answered_at, call.ended_at)
    return call.answered_at is not None, sum(at is not None for at in moments)


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
        legs={**other.legs, **lead.legs},
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
        clock_doubted=rang.clock_doubted or rang.alert_ended_at is None,
        clocks_mixed=call.answered_at is not None,
    )


def _end(call: Call) -> str | None:
    """How the call ended for the seat."""
    if call.probe:
        return "probe"
    offer = call.concluding
    left = offer is not None and offer.redirected_at is not None
    if call.ended_at is None and not (left and call.state is State.REDIRECTED):
        return None
    if call.answered_at is not None:
        return "answered"
    if call.voicemail:
        return "voicemail"
    if left:
        return "redirected"
    return "no_answer" if call.hung_up_by in ("agent", "system") else "abandoned"
