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
    """What is known of one call. ``end`` stays None until the call is over (or left the seat by a redirection)."""

    id: str
    state: State = State.IDLE
    direction: str | None = None
    agent: str | None = None
    seat: str | None = None
    queue: str | None = None
    number: str | None = None
    offers: tuple[Offer, ...] = ()
    offered_at: datetime | None = None
    ringing_at: datetime | None = None  # of the seat that answered, else of the seat that rang last
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    end: str | None = None  # answered, abandoned, no_answer, redirected, voicemail, probe
    hung_up_by: str = "unknown"
    rings: int | None = None  # the phone's own count
    holds: tuple[Hold, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    legs: Mapping[str, str] = field(default_factory=dict)  # leg -> role
    out_of_turn: tuple[str, ...] = ()  # ids of events that did not fit
    clock_doubted: bool = False  # the leading source told an answer before its own ringing
    voicemail: bool = False
    probe: bool = False


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
    return replace(call, end=_end(call))


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
        offered_at=call.offered_at or event.at,
        probe=call.probe or event.probe,
    )
    return _change(call, event, lambda offer: replace(offer, offered_at=offer.offered_at or event.at))[0]


def _ringing(call: Call, event: Event) -> Call:
    call, offer = _change(call, event, lambda offer: replace(offer, ringing_at=offer.ringing_at or event.at))
    return call if call.answered_at else replace(call, ringing_at=offer.ringing_at)


def _answered(call: Call, event: Event) -> Call:
    before = call.answered_at
    call, taken = _change(call, event, lambda offer: replace(offer, answered_at=event.at))
    if before is not None:  # the second seat of a transferred call
        return call
    return replace(call, answered_at=event.at, ringing_at=taken.ringing_at, seat=taken.seat, agent=taken.agent)


def _redirected(call: Call, event: Event) -> Call:
    assert isinstance(event, Redirected)
    call = replace(call, voicemail=event.to == "voicemail")
    return _change(call, event, lambda offer: replace(offer, redirected_at=event.at))[0]


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
    return replace(call, ended_at=event.at, hung_up_by=event.by, rings=event.rings)


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


def _change(call: Call, event: Event, change: Callable[[Offer], Offer]) -> tuple[Call, Offer]:
    """The call with the offer that the event is about changed; a new one where the seat has none open."""
    at = _index(call, event)
    offers = call.offers if at is not None else (*call.offers, Offer(event.seat, event.agent))
    at = len(offers) - 1 if at is None else at
    old = offers[at]
    new = change(replace(old, seat=old.seat or event.seat, agent=old.agent or event.agent))
    call = replace(call, offers=(*offers[:at], new, *offers[at + 1 :]))
    if call.answered_at is not None:
        return call, new
    return replace(call, seat=new.seat or call.seat, agent=new.agent or call.agent), new


def _index(call: Call, event: Event) -> int | None:
    """The newest open offer of the event's seat; an event without a seat is about the newest open one."""
    for at in range(len(call.offers) - 1, -1, -1):
        offer = call.offers[at]
        if offer.open and (event.seat is None or offer.seat in (None, event.seat)):
            return at
    return None


def _seen(call: Call) -> tuple[bool, int]:
    """How much of a call a source saw: an answer first, then the number of moments."""
    moments = (call.offered_at, call.ringing_at, call.answered_at, call.ended_at)
    return call.answered_at is not None, sum(at is not None for at in moments)


def _fill(lead: Call, other: Call) -> Call:
    """What the leading source did not see. Ring times never mix two clocks, so ringing stays the leading source's."""
    ended = lead.ended_at is None and other.ended_at is not None
    return replace(
        lead,
        state=State.ENDED if ended else (other.state if lead.state is State.IDLE else lead.state),
        direction=lead.direction or other.direction,
        agent=lead.agent or other.agent,
        seat=lead.seat or other.seat,
        queue=lead.queue or other.queue,
        number=lead.number or other.number,
        offers=lead.offers or other.offers,
        offered_at=lead.offered_at or other.offered_at,
        ended_at=lead.ended_at or other.ended_at,
        hung_up_by=other.hung_up_by if lead.hung_up_by == "unknown" else lead.hung_up_by,
        rings=other.rings if lead.rings is None else lead.rings,
        holds=lead.holds or other.holds,
        transfers=lead.transfers or other.transfers,
        legs={**other.legs, **lead.legs},
        out_of_turn=lead.out_of_turn + other.out_of_turn,
        voicemail=lead.voicemail or other.voicemail,
        probe=lead.probe or other.probe,
    )


def _end(call: Call) -> str | None:
    """How the call ended for the seat."""
    if call.probe:
        return "probe"
    if call.ended_at is None and call.state is not State.REDIRECTED:
        return None
    if call.answered_at is not None:
        return "answered"
    if call.voicemail:
        return "voicemail"
    if any(offer.redirected_at for offer in call.offers[-1:]):
        return "redirected"
    return "no_answer" if call.hung_up_by in ("agent", "system") else "abandoned"
