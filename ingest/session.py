"""One call as a table over its stored events. Folds only; what an end means for a score is decided elsewhere.

Every source is told by its own clock; the source that saw most of the call leads, the others fill what it did not see.
An event that does not fit is kept in ``out_of_turn`` and changes nothing. What happens at other seats while somebody
has the customer (a consult, a conference, one seat of several that leaves) moves the parts and not the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from ingest import parts, whose
from ingest.callvalue import Call, Hold, Offer, Part, State, Transfer
from ingest.events import Answered, Ended, Event, Held, Leg, Offered, Redirected, Resumed, Ringing, Transferred
from ingest.merge import merged
from ingest.order import by_source, ties

__all__ = ["Call", "Hold", "Offer", "Part", "State", "Transfer", "fold_call", "step"]

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
    call = merged([_walk(Call(name), source) for source in told.values()])
    call = whose.with_legs(call, whose.named_by_legs(event for source in told.values() for event in source))
    return replace(call, end=_end(call), parts=parts.with_asides(call.parts))


def _walk(call: Call, events: Iterable[Event]) -> Call:
    """The events of one source. Of several with one stamp, the one that fits goes first."""
    for tie in ties(events):
        while tie:
            fits = [event for event in tie if (call.state, type(event)) in _NEXT or _beside(call, event)]
            call = step(call, tie.pop(tie.index(fits[0]) if fits else 0))
    return call


def step(call: Call, event: Event) -> Call:
    """One stored event further; what does not fit is kept and shown, never dropped."""
    if event.leg is not None and event.seat is not None and isinstance(event, Leg | Ringing | Answered | Held):
        call = replace(call, leg_seats={**call.leg_seats, event.leg: event.seat})
    if isinstance(event, Leg):
        return replace(call, legs={**call.legs, str(event.leg): event.role})
    if _stands(call, event):
        return call
    if _beside(call, event):
        return _elsewhere(call, event)
    to = _NEXT.get((call.state, type(event)))
    if to is None:
        return replace(call, out_of_turn=(*call.out_of_turn, event.id), clock_doubted=_doubt(call, event))
    call = replace(_EFFECT[type(event)](call, event), state=to)
    handed = to is State.TRANSFERRED and parts.here(call.parts)
    return replace(call, state=State.TALKING) if handed else call


def _stands(call: Call, event: Event) -> bool:
    """A snapshot after a reconnection tells again what stands: that a seat has the customer."""
    told = isinstance(event, Offered | Ringing | Answered) and event.extra.get("confidence") == "snapshot"
    return told and event.seat is not None and event.seat in parts.seats_here(call.parts)


def _beside(call: Call, event: Event) -> bool:
    """Whether it is about one phone of several, or a seat beside the one that has the customer."""
    if isinstance(event, Redirected) and _one_phone(call, event):
        return True
    if call.state not in (State.TALKING, State.HELD, State.TRANSFERRED):
        return False
    there = parts.seats_here(call.parts)
    match event:
        case Redirected():
            return event.seat is not None and event.seat not in there
        case Offered() | Ringing() | Answered():
            other = event.seat is not None and None not in there and event.seat not in there
            return other and call.state is not State.TRANSFERRED
        case Held() | Resumed() | Transferred():
            return len(parts.here(call.parts)) > 1
        case Ended():
            return event.by != "customer" and _leaves(call, event)
        case _:
            return False


def _one_phone(call: Call, event: Redirected) -> bool:
    """A second phone of a seat stops while the first one rings on, or after it was answered there."""
    if event.leg is None:
        return False
    return any(
        offer.seat == event.seat and event.leg in offer.phones and len(offer.phones) > 1 and offer.redirected_at is None
        for offer in call.offers
    )


def _leaves(call: Call, event: Ended) -> bool:
    """An end for one seat only: others are still there, or the customer is on the way to another seat."""
    there = parts.here(call.parts)
    if parts.named(call.parts, event) is not None:
        return len(there) > 1
    if event.seat is None or event.seat not in {offer.seat for offer in call.offers}:
        return False
    coming = any(offer.open and offer.seat not in (None, event.seat) for offer in call.offers)
    return bool(there) or (call.state is State.TRANSFERRED and coming)


def _elsewhere(call: Call, event: Event) -> Call:
    """What another seat or phone did. The table stands where it stood, but for who has the customer."""
    match event:
        case Redirected() if _one_phone(call, event):
            return _phone_stops(call, event)
        case Redirected():
            return _change(call, event, lambda offer: replace(offer, redirected_at=event.at))
        case Offered():
            return _change(call, event, lambda offer: replace(offer, offered_at=_since(offer, event)))
        case Ringing():
            return _ringing(call, event)
        case Answered():
            call = _picked_up(call, event)
        case Ended() if parts.named(call.parts, event) is None:
            return _gives_up(call, event)
        case _:
            told = parts.told(call.parts, event)
            if told is None:
                return replace(call, out_of_turn=(*call.out_of_turn, event.id))
            call = replace(call, parts=told)
            if isinstance(event, Transferred):
                call = replace(call, transfers=(*call.transfers, Transfer(event.at, event.to, event.how)))
    return replace(call, state=State.HELD if parts.customer_held(call.parts) else State.TALKING)


def _phone_stops(call: Call, event: Event) -> Call:
    offers = tuple(
        replace(offer, phones=tuple(phone for phone in offer.phones if phone != event.leg))
        if offer.seat == event.seat and offer.redirected_at is None
        else offer
        for offer in call.offers
    )
    return replace(call, offers=offers)


def _gives_up(call: Call, event: Event) -> Call:
    """A seat that was called and is not in the call: its offer is over, if it was open."""
    at = _index(call, event)
    return call if at is None else _change(call, event, lambda offer: replace(offer, redirected_at=event.at))


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
    def rings(offer: Offer) -> Offer:
        phones = offer.phones if event.leg in (None, *offer.phones) else (*offer.phones, str(event.leg))
        return replace(offer, ringing_at=offer.ringing_at or event.at, phones=phones)

    return _change(call, event, rings)


def _answered(call: Call, event: Event) -> Call:
    return _picked_up(replace(call, answered_at=call.answered_at or event.at), event)  # the first answer stays


def _picked_up(call: Call, event: Event) -> Call:
    at = _index(call, event)
    late = event.extra.get("confidence") == "snapshot"  # found answered after a reconnection: when, nobody saw
    call = replace(call, clock_doubted=call.clock_doubted or late)
    call = _change(call, event, lambda offer: replace(offer, answered_at=event.at))
    offer = call.offers[-1 if at is None else at]
    return replace(call, parts=parts.answered(call.parts, offer, event))


def _redirected(call: Call, event: Event) -> Call:
    assert isinstance(event, Redirected)
    call = replace(call, voicemail=event.to == "voicemail")
    return _change(call, event, lambda offer: replace(offer, redirected_at=event.at))


def _held(call: Call, event: Event) -> Call:
    return _told(replace(call, holds=(*call.holds, Hold(event.at))), event)


def _resumed(call: Call, event: Event) -> Call:
    return _told(_closed(call, event), event)


def _closed(call: Call, event: Event) -> Call:
    if not call.holds or call.holds[-1].until is not None:
        return call
    return replace(call, holds=(*call.holds[:-1], replace(call.holds[-1], until=event.at)))


def _transferred(call: Call, event: Event) -> Call:
    assert isinstance(event, Transferred)
    call = _told(_closed(call, event), event)
    return replace(call, transfers=(*call.transfers, Transfer(event.at, event.to, event.how)))


def _ended(call: Call, event: Event) -> Call:
    assert isinstance(event, Ended)
    call = replace(_closed(call, event), parts=parts.ended(call.parts, event))
    rings = None if _differ(call.seat, event.seat) else event.rings  # another seat's phone counted its own
    return replace(call, ended_at=event.at, hung_up_by=event.by, rings=rings)


def _told(call: Call, event: Event) -> Call:
    return replace(call, parts=parts.told(call.parts, event) or call.parts)


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


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
    told = isinstance(event, Offered | Ringing)
    if call.queue is not None and new.seat is None and event.seat is not None and not told:
        new = replace(new, offered_at=None)  # it was the queue's since then; when this seat was called, nobody said
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
