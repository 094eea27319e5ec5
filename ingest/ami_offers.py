"""How a call goes on at one Asterisk: who is offered it, whose phone rings, who answers, who leaves, when it is over.

Told in events of the form of POST /events, and in taps. Why a phone fell silent shows only afterwards (somebody else
answered, the caller gave up, the time was over), so that news waits for its reason. It reads no manager events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ingest.ami_names import AmiConfig, Names
from ingest.ami_seats import AmiSeats
from ingest.ami_talk import Call, Channel, Memory, Offer
from ingest.taps import Tap

Told = Iterator["dict[str, Any] | Tap"]


class AmiOffers:
    """One PBX. ``_by`` is the manager event that is being told, ``_confidence`` is set while a snapshot is."""

    def __init__(self, config: AmiConfig) -> None:
        self.config = config
        self.names = Names(config)
        self.seats = AmiSeats(config.pbx, self.names, config.wrap_up_seconds)
        self.counts: Counter[str] = Counter()
        self._memory = Memory()
        self._by = ""
        self._confidence: str | None = None

    def _call(self, linked: str) -> Call:
        return self._memory.call(self.config.pbx, linked)

    def _rings(self, channel: Channel, at: datetime) -> Told:
        """The phone rings: the first word of it counts."""
        if channel.ringing_at or channel.up_at or channel.far_half:
            return
        channel.ringing_at = at
        if channel.seat is None:
            yield from self._far_end(channel, "ringing", at)
            return
        yield from self.seats.channel(channel.seat, channel.uid, "ringing", at, self._by)
        if channel.began:
            return  # the PBX calls the seat first, to connect it with somebody: its own ring is no offer
        call = self._call(channel.linked)
        offer = self._offer(call, channel)
        yield from self._tell_offer(call, offer, at)
        if offer.ringing_at is None and offer.answered_at is None:
            offer.ringing_at = at
            if self._confidence is None:  # a ring that was not heard to begin has no length
                yield from self._say(call, "ringing", at, channel.uid, offer.seat, leg=channel.uid)
        yield from self._leg(call, offer, channel, at)

    def _up(self, channel: Channel, at: datetime) -> Told:
        if channel.up_at or channel.far_half:
            return
        channel.up_at = at
        if channel.seat is None:
            yield from self._far_end(channel, "answered", at)
            return
        yield from self.seats.channel(channel.seat, channel.uid, "up", at, self._by)
        if not channel.began:
            yield from self._answer(self._call(channel.linked), channel, at)

    def _answer(self, call: Call, channel: Channel, at: datetime) -> Told:
        offer = self._offer(call, channel)
        yield from self._tell_offer(call, offer, at)
        yield from self._leg(call, offer, channel, at, answered=True)
        if offer.answered_at is not None:
            return
        offer.answered_at, call.by, call.left_at, call.moving, call.answered = at, None, None, False, True
        yield from self._say(call, "answered", at, channel.uid, offer.seat, leg=channel.uid)
        yield from self._explain(call, "answered by another seat")

    def _far_end(self, channel: Channel, kind: str, at: datetime) -> Told:
        """The party that a seat calls: its ringing and its answer are the call's."""
        call = self._memory.calls.get(channel.linked)
        if call is None or call.direction != "out" or call.customer is not channel:
            return
        offer = next(iter(call.offers.values()), None)
        if offer is None or (kind == "ringing" and (offer.ringing_at or offer.answered_at)) or offer.answered_at:
            return
        if kind == "ringing":
            offer.ringing_at = at
            if self._confidence is not None:
                return  # a ring that was not heard to begin has no length
        else:
            offer.answered_at, call.answered, call.by = at, True, None
        yield from self._say(call, kind, at, channel.uid, offer.seat)

    def _offer(self, call: Call, channel: Channel) -> Offer:
        assert channel.seat is not None
        offer = call.offers.setdefault(channel.seat, Offer(channel.seat, channel.at))
        offer.channels.setdefault(channel.uid, channel)
        if call.customer is None:
            root = self._memory.channels.get(call.linked)
            if root is not None and not root.local and root is not channel:
                call.customer = root
        if (
            call.customer is not None
            and call.customer.seat is not None
            and call.queue is None
            and call.direction == "in"
        ):
            call.direction = "internal"
        return offer

    def _tell_offer(self, call: Call, offer: Offer, at: datetime) -> Told:
        """An offer counts once its phone rings, or answers; it began when the phone was called."""
        if offer.told:
            return
        offer.told = call.told = True
        yield from self._moves_on(call, offer.seat)
        yield from self._other_leg(call, at)
        uid = next(iter(offer.channels), call.linked)
        yield from self._say(
            call, "offered", offer.at if self._confidence is None else at, uid, offer.seat,
            direction=call.direction, queue=call.queue, number=call.number,
        )  # fmt: skip

    def _moves_on(self, call: Call, to: str | None) -> Told:
        """The seat had left, the other party stayed, and is now offered to somebody else: so it was passed on."""
        if call.answered and call.left_at is not None and not call.talking and not call.moving:
            call.moving = True
            yield from self._say(call, "transferred", call.left_at, call.linked, None, to=to)
        call.left_at = None

    def _explain(self, call: Call, cause: str) -> Told:
        """Now it is known why phones fell silent."""
        silent, call.silent = call.silent, []
        for offer in silent:
            assert offer.over_at is not None
            yield from self._say(
                call, "redirected", offer.over_at, next(iter(offer.channels), call.linked), offer.seat, cause=cause
            )

    def _over(self, call: Call, offer: Offer, at: datetime, cause: str | None) -> Told:
        """An unanswered offer has ended; *cause* None = what comes next will say why."""
        call.offers.pop(offer.seat, None)
        if not offer.told:
            yield from self.seats.never_rang(offer.seat, offer.at, at)
            return
        offer.over_at = at
        call.silent.append(offer)
        if cause is None and call.talking:
            cause = "answered by another seat"
        if cause is not None:
            yield from self._explain(call, cause)

    def _leg(self, call: Call, offer: Offer, channel: Channel, at: datetime, answered: bool = False) -> Told:
        """Each phone of the seat is a leg; a detour is one only where it is all there is at the answer."""
        if channel.uid in offer.legs or (channel.local and (offer.legs or not answered)):
            return
        offer.legs.add(channel.uid)
        yield from self._say_leg(call, channel, "agent", at, offer.seat)

    def _other_leg(self, call: Call, at: datetime) -> Told:
        if call.customer is not None and not call.legged:
            call.legged = True
            role = "customer" if call.customer.seat is None else "agent"
            yield from self._say_leg(call, call.customer, role, at, call.customer.seat)

    def _say(self, call: Call, kind: str, at: datetime, uid: str, seat: str | None, **own: Any) -> Told:
        """One event in the form of POST /events. The same news has the same id."""
        if not call.wanted:
            return
        event = {
            "source": self.config.pbx,
            "id": f"{self.config.pbx}:{uid}:{self._by}:{at.timestamp():.6f}:{kind}:{seat or ''}"[:128],
            "at": at.isoformat(),
            "type": kind,
            "call": call.id,
            "seat": seat,
            "agent": self.names.agent(seat),
            "confidence": self._confidence,
            **own,
        }
        yield {key: value for key, value in event.items() if value is not None}

    def _say_leg(self, call: Call, channel: Channel, role: str, at: datetime, seat: str | None) -> Told:
        yield from self._say(call, "leg", at, channel.uid, seat, leg=channel.uid, role=role, channel=channel.name[:128])
        if call.wanted and call.direction != "internal":  # colleagues among themselves are not listened to
            yield Tap(call.id, channel.uid, role, channel.uid, at, seat)

    def _moved(self, channel: Channel, linked: str, at: datetime) -> Told:
        """Asterisk joins conversations by giving their channels one Linkedid, the oldest one."""
        before, into = self._memory.calls.get(channel.linked), self._memory.calls.get(linked)
        if before is not None and into is None:
            self._memory.rename(before, linked)  # the same conversation goes on under another number
            return
        channel.linked = linked
        if before is None or into is None:
            return
        was_in = channel is before.customer
        if (offer := before.of(channel.uid)) is not None:
            was_in = was_in or offer.answered_at is not None
            del offer.channels[channel.uid]
            if not offer.channels:
                del before.offers[offer.seat]
        yield from self._comes_in(channel, into, channel is before.customer, at)
        if was_in and not before.talking:
            yield from self._joined(before, into, at)

    def _comes_in(self, channel: Channel, call: Call, customer: bool, at: datetime) -> Told:
        """From another conversation: as the other party where there was none, or as one more seat."""
        if customer and channel.seat is None and (call.customer is None or call.customer.seat):
            call.customer, call.legged = channel, False
            yield from self._other_leg(call, at)
        elif channel.seat is None or channel.up_at is None or channel.local or channel is call.customer:
            return
        elif call.told and call.of(channel.uid) is None:
            self._offer(call, channel).told = True  # it was asked in the other call
            yield from self._answer(call, channel, at)

    def _joined(self, call: Call, into: Call, at: datetime) -> Told:
        if self._memory.calls.pop(call.linked, None) is not None and call.told and into is not call:
            yield from self._say(call, "ended", at, call.linked, None, by="agent", joined=into.id)

    def _gone(self, channel: Channel, at: datetime) -> Told:
        self._memory.channels.pop(channel.uid, None)
        call = self._memory.calls.get(channel.linked)
        if call is not None:
            yield from self._leaves(call, channel, at)
        if channel.seat is not None:
            yield from self.seats.channel(channel.seat, channel.uid, "gone", at, self._by)

    def _leaves(self, call: Call, channel: Channel, at: datetime) -> Told:
        offer = call.of(channel.uid)
        if offer is not None:
            offer.channels.pop(channel.uid) if len(offer.channels) > 1 else None
            alone = channel.uid in offer.channels
            if alone and offer.answered_at is None and call.direction != "out":
                yield from self._over(call, offer, at, None)
            elif alone:
                yield from self._seat_leaves(call, call.offers.pop(offer.seat), at)
        over = channel is call.customer or (call.direction != "in" and channel.began)
        if over or not any(one.linked == call.linked for one in self._memory.channels.values()):
            yield from self._end(call, at)

    def _seat_leaves(self, call: Call, offer: Offer, at: datetime) -> Told:
        """One of several goes, or the last one; whether the other party stays for somebody else is not known yet."""
        if call.talking and not offer.passed and call.direction != "out":
            yield from self._say(call, "ended", at, next(iter(offer.channels)), offer.seat, by="agent")
        elif not call.talking and not call.moving:
            call.left_at = call.left_at or at

    def _end(self, call: Call, at: datetime) -> Told:
        """When the last seat had left, the call was over for everybody that we hear."""
        self._memory.calls.pop(call.linked, None)
        by = call.by or ("unknown" if call.answered or self._confidence else "system")
        if by == "customer":
            call.silent = []
        yield from self._explain(call, "given up")
        for offer in call.offers.values():
            if not offer.told:
                yield from self.seats.never_rang(offer.seat, offer.at, at)
        if call.told:
            ended_at = call.left_at if call.answered and call.left_at is not None and not call.moving else at
            yield from self._say(call, "ended", ended_at, call.linked, None, by=by)
