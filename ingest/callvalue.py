"""What a call is made of: offers to seats, the parts that seats took in it, holds, transfers. Folds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

RACE = timedelta(seconds=1)  # a seat that stops ringing this near to another one's answer has lost a race


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
    """One seat's chance to take the call. A seat with two phones rings once: ``phones`` are those that ring for it."""

    seat: str | None
    agent: str | None
    offered_at: datetime | None = None
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    redirected_at: datetime | None = None
    phones: tuple[str, ...] = ()

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
class Part:
    """One seat in the call, from its answer until it left. ``met_at`` is when it first had the customer: an agent who
    is only consulted never has."""

    offer: Offer
    answered_at: datetime
    met_at: datetime | None = None
    left_at: datetime | None = None
    hung_up_by: str = "unknown"  # a transfer is nobody's hanging up
    holds: tuple[Hold, ...] = ()
    asides: tuple[Hold, ...] = ()  # with other seats while the customer was on hold
    transfers: tuple[Transfer, ...] = ()
    leg: str | None = None  # the phone that answered

    @property
    def seat(self) -> str | None:
        return self.offer.seat

    @property
    def agent(self) -> str | None:
        return self.offer.agent

    @property
    def here(self) -> bool:
        return self.left_at is None

    @property
    def held(self) -> bool:
        """This seat has put the others on hold, and not taken them back."""
        return bool(self.holds) and self.holds[-1].until is None


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of one call. ``end`` stays None until the call is over (or left the seat by a redirection).

    ``seat``, ``agent``, ``offered_at`` and ``ringing_at`` are all of one offer, the concluding one: what rang at
    another seat is never this seat's ring time. ``parts`` tells who had the customer when, one for each answer.
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
    parts: tuple[Part, ...] = ()  # in the order of their answers, all told by one source
    legs: Mapping[str, str] = field(default_factory=dict)  # leg -> role
    leg_seats: Mapping[str, str] = field(default_factory=dict)  # leg -> the seat whose phone it is
    named_at: datetime | None = None  # when a leg named the seat of a call of which signalling says nothing
    out_of_turn: tuple[str, ...] = ()  # ids of events that did not fit
    clock_doubted: bool = False  # the ring time means nothing: ringing after the answer, or two sources' clocks in it
    clocks_mixed: bool = False  # answered_at and ended_at come from different sources
    end_elsewhere: bool = False  # ended_at comes from a source that did not tell the offers
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

    @property
    def queued_only(self) -> bool:
        """It waited in a queue and no seat was ever called."""
        told = any(offer.seat or offer.agent or offer.ringing_at or offer.answered_at for offer in self.offers)
        return self.queue is not None and bool(self.offers) and not told

    def concluded(self, offer: Offer) -> str | None:
        """What became of one offer: answered, lost (another seat was quicker), no_answer, cancelled; None = open."""
        if offer.answered_at is not None:
            return "answered"
        begun = offer.ringing_at or offer.offered_at
        until = offer.redirected_at or self.ended_at
        for other in self.offers:
            won = other.answered_at
            if won is not None and (begun is None or begun <= won) and (until is None or won <= until + RACE):
                return "lost"
        if offer.redirected_at is not None:
            return "no_answer"
        if self.ended_at is None:
            return None
        return "no_answer" if self.hung_up_by in ("agent", "system") else "cancelled"
