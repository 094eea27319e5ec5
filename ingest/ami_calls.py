"""Asterisk's manager events, each read for what it says of calls, legs and seats. Concludes nothing, opens nothing.

A ring begins with Newstate Ringing or DialState RINGING, whichever comes first, never with AgentCalled or DialBegin: a
phone that is not there is called, too. What says the same again says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ingest.ami import Block, no_answer_ring_ms, seconds, stamp, text
from ingest.ami_names import AmiConfig, mask, ours
from ingest.ami_offers import Told
from ingest.ami_snapshot import AmiSnapshot
from ingest.ami_talk import Call, Channel
from ingest.taps import Tap

RING_DIFFERS_S = 2.0  # whole seconds at both ends, and one to spare
_VOICEMAIL = ("voicemail", "vmauthenticate", "minivmrecord")
_PARTY = {"caller": "customer", "agent": "agent"}


class AmiCalls(AmiSnapshot):
    """``feed`` block by block; ``lost`` and ``restore`` around a lost connection; ``tick`` when nothing comes."""

    def __init__(self, config: AmiConfig) -> None:
        super().__init__(config)
        self._on: dict[str, Callable[[Block, datetime], Told]] = {
            "Newchannel": self._newchannel,
            "Newstate": self._newstate,
            "Newexten": self._newexten,
            "Rename": self._rename,
            "DialBegin": self._dial_begin,
            "DialState": self._dial_state,
            "DialEnd": self._dial_end,
            "AgentCalled": self._agent_called,
            "AgentConnect": self._agent_connect,
            "AgentRingNoAnswer": self._no_answer,
            "AgentComplete": self._agent_complete,
            "QueueCallerJoin": self._join_queue,
            "QueueCallerAbandon": self._abandon,
            "QueueCallerLeave": self._leave_queue,
            "QueueMemberStatus": self._member,
            "QueueMemberPause": self._member,
            "QueueMemberAdded": self._member,
            "QueueMemberRemoved": lambda block, at: self.seats.removed(block, at),
            "DeviceStateChange": lambda block, at: self.seats.device(block, at),
            "Hold": self._hold,
            "Unhold": self._hold,
            "BlindTransfer": self._blind,
            "AttendedTransfer": self._attended,
            "HangupRequest": self._hangup_request,
            "Hangup": self._hangup,
        }

    def feed(self, block: Block, received_at: datetime) -> list[dict[str, Any] | Tap]:
        """What one event says. *received_at* stands in where the PBX gives no time of its own."""
        if any(ours(block.get(key, "")) for key in ("Channel", "DestChannel")):
            self.counts["own channels"] += 1
            return []
        at = stamp(block)
        if at is None:
            self.counts["without a time"] += 1
            at = received_at
        self._by = block.get("Event", "")[:40]
        out: list[dict[str, Any] | Tap] = list(self.seats.tick(at))
        out += self._seen(block, "", at)
        out += self._seen(block, "Dest", at)
        if (handler := self._on.get(self._by)) is not None:
            out += handler(block, at)
        return out

    def tick(self, now: datetime) -> list[dict[str, Any]]:
        """What time alone changes."""
        return list(self.seats.tick(now))

    def _newchannel(self, block: Block, at: datetime) -> Told:
        channel = self._channel(block)
        if channel is not None and channel.seat and channel.began and not channel.local:
            yield from self.seats.channel(channel.seat, channel.uid, "open", at, self._by)

    def _newstate(self, block: Block, at: datetime) -> Told:
        channel = self._channel(block)
        if channel is not None and block.get("ChannelState") == "5":
            yield from self._rings(channel, at)
        elif channel is not None and block.get("ChannelState") == "6":
            yield from self._up(channel, at)

    def _rename(self, block: Block, at: datetime) -> Told:
        channel, name = self._channel(block), block.get("Newname", "")
        if channel is not None and name:
            channel.name = name[:200]
            channel.seat = channel.seat or self.names.seat(name)
        yield from ()

    def _dial_begin(self, block: Block, at: datetime) -> Told:
        source, dest = self._channel(block), self._channel(block, "Dest")
        if dest is None or (source is not None and source.local and dest.seat is None):
            return
        if source is not None and source.seat and source.began and not source.local and dest.seat is None:
            yield from self._dials_out(source, dest, block, at)
        elif dest.seat is not None and not dest.far_half:
            call = self._call(dest.linked)
            if call.customer is None and source is not None and not source.local:
                call.customer = source
                call.number = self._number(block)
            self._offer(call, dest)
            yield from self._explain(call, "offered again")

    def _dial_state(self, block: Block, at: datetime) -> Told:
        dest = self._channel(block, "Dest")
        if dest is not None and block.get("DialStatus") == "RINGING":
            yield from self._rings(dest, at)

    def _dial_end(self, block: Block, at: datetime) -> Told:
        """Comes once or twice for one dial; the second one finds nothing open."""
        dest, status = self._channel(block, "Dest"), block.get("DialStatus", "")
        if dest is None:
            return
        if status == "ANSWER":
            yield from self._up(dest, at)
            return
        call = self._memory.calls.get(dest.linked)
        offer = call.of(dest.uid) if call is not None and dest.seat else None
        if call is None or offer is None or offer.answered_at is not None:
            return
        if all(one is dest or one.ringing_at is None for one in offer.channels.values()):
            yield from self._over(
                call, offer, at, None if status == "CANCEL" else (text(block, "DialStatus") or "").lower()
            )
        else:
            del offer.channels[dest.uid]  # the seat's other phone rings on

    def _agent_called(self, block: Block, at: datetime) -> Told:
        dest, device = self._channel(block, "Dest"), text(block, "Interface")
        if dest is None or device is None:
            return
        dest.seat = self.names.member(device, text(block, "StateInterface"), text(block, "MemberName", "AgentName"))
        call = self._call(dest.linked)
        self._in_queue(call, block)
        self._offer(call, dest)
        yield from self._explain(call, "offered again")
        if dest.ringing_at is not None:  # it rang before anybody said whose phone it is
            rang, dest.ringing_at = dest.ringing_at, None
            yield from self._rings(dest, rang)

    def _in_queue(self, call: Call, block: Block) -> None:
        customer = self._channel(block)
        call.queue = text(block, "Queue") or call.queue
        call.wanted = self.names.queue(call.queue)
        call.number = call.number or self._number(block)
        if call.customer is None and customer is not None and not customer.local:
            call.customer = customer

    def _agent_connect(self, block: Block, at: datetime) -> Told:
        """A second witness of the answer, and of the ring time in whole seconds."""
        dest, told = self._channel(block, "Dest"), seconds(block, "RingTime")
        if dest is None:
            return
        yield from self._up(dest, at)
        if told is not None and dest.ringing_at and dest.up_at:
            rang = (dest.up_at - dest.ringing_at).total_seconds()
            self.counts["ring time differs"] += abs(rang - told) > RING_DIFFERS_S

    def _no_answer(self, block: Block, at: datetime) -> Told:
        dest = self._channel(block, "Dest")
        call = self._memory.calls.get(dest.linked) if dest is not None else None
        offer = call.of(dest.uid) if call is not None and dest is not None else None
        if call is not None and offer is not None and offer.answered_at is None:
            told_ms = no_answer_ring_ms(block)
            if told_ms is not None and offer.ringing_at is not None:
                rang = (at - offer.ringing_at).total_seconds()
                self.counts["ring time differs"] += abs(rang - told_ms / 1000) > RING_DIFFERS_S
            yield from self._over(call, offer, at, "noanswer")

    def _agent_complete(self, block: Block, at: datetime) -> Told:
        dest, reason = self._channel(block, "Dest"), block.get("Reason", "")
        if dest is None or dest.seat is None:
            return
        self.seats.complete(dest.seat, at)
        call = self._memory.calls.get(dest.linked)
        if call is None:
            return
        if reason == "transfer":
            if not call.moving:
                call.moving = True
                yield from self._say(call, "transferred", at, dest.uid, dest.seat)
        else:
            call.by, call.left_at = _PARTY.get(reason, call.by), at

    def _join_queue(self, block: Block, at: datetime) -> Told:
        channel = self._channel(block)
        if channel is None:
            return
        call = self._call(channel.linked)
        self._in_queue(call, block)
        yield from self._explain(call, "queued again")
        yield from self._moves_on(call, call.queue)
        call.told = True
        yield from self._say(
            call, "offered", at, channel.uid, None, direction=call.direction, queue=call.queue, number=call.number
        )

    def _abandon(self, block: Block, at: datetime) -> Told:
        call = self._memory.calls.get(block.get("Linkedid", ""))
        if call is not None:
            call.by = call.by or "customer"
            call.silent = []  # the caller's own end is the end of these rings
        yield from ()

    def _leave_queue(self, block: Block, at: datetime) -> Told:
        """Whoever is called from now on is not called by the queue."""
        call = self._memory.calls.get(block.get("Linkedid", ""))
        if call is not None:
            call.queue = None
        yield from ()

    def _newexten(self, block: Block, at: datetime) -> Told:
        """Only where the site lets us read the dialplan: the caller is sent to voice mail."""
        call = self._memory.calls.get(block.get("Linkedid", ""))
        if call is None or not call.told or call.answered or block.get("Application", "").lower() not in _VOICEMAIL:
            return
        yield from self._explain(call, "voicemail")
        yield from self._say(call, "redirected", at, call.linked, None, to="voicemail")

    def _number(self, block: Block) -> str | None:
        number = text(block, "CallerIDNum")
        return mask(number) if number else None

    def _member(self, block: Block, at: datetime) -> Told:
        return self.seats.member(block, at)

    def _hold(self, block: Block, at: datetime) -> Told:
        """On the holder's channel; a customer's own hold is not the seat's."""
        channel, held = self._channel(block), self._by == "Hold"
        if channel is None or channel.seat is None or channel.held == held:
            return
        channel.held = held
        yield from self.seats.hold(channel.seat, channel.uid, held, at)
        call = self._memory.calls.get(channel.linked)
        if call is not None and call.answered:
            yield from self._say(call, "held" if held else "resumed", at, channel.uid, channel.seat, leg=channel.uid)

    def _blind(self, block: Block, at: datetime) -> Told:
        channel = self._memory.channels.get(block.get("TransfererUniqueid", ""))
        call = self._memory.calls.get(channel.linked) if channel is not None else None
        if channel is None or call is None or channel.seat is None or block.get("Result") != "Success":
            return
        call.moving, call.left_at, call.queue = True, None, None
        self._passes(call, channel)
        to = self.names.dialled(text(block, "Extension"))
        yield from self._say(call, "transferred", at, channel.uid, channel.seat, to=to, how="blind")

    def _passes(self, call: Call, channel: Channel) -> None:
        if (offer := call.of(channel.uid)) is not None:
            offer.passed = True

    def _attended(self, block: Block, at: datetime) -> Told:
        """A seat that asked a colleague first joins both talks and leaves; the consultation ends in the first call."""
        first = self._memory.channels.get(block.get("OrigTransfererUniqueid", ""))
        second = self._memory.channels.get(block.get("SecondTransfererUniqueid", ""))
        call = self._memory.calls.get(first.linked) if first is not None else None
        if first is None or call is None or first.seat is None or block.get("Result", "Success") != "Success":
            return
        asked = self._memory.calls.get(second.linked) if second is not None else None
        others = [offer for offer in (asked or call).talking if offer.seat != first.seat]
        to = others[0].seat if others else self.names.dialled(text(block, "SecondTransfererExten"))
        call.moving, call.left_at = True, None
        self._passes(call, first)
        yield from self._say(call, "transferred", at, first.uid, first.seat, to=to, how="attended")
        if asked is None or asked is call:
            return
        for channel in [one for offer in others for one in offer.channels.values()]:
            yield from self._moved(channel, call.linked, at)
        yield from self._joined(asked, call, at)

    def _hangup_request(self, block: Block, at: datetime) -> Told:
        """Whose phone said goodbye first; a seat that is passing the call on says none."""
        channel = self._channel(block)
        call = self._memory.calls.get(channel.linked) if channel is not None else None
        if channel is not None and call is not None and call.by is None:
            if channel is call.customer:
                call.by = "customer"
            elif (
                channel.seat is not None and not call.moving and not [o for o in call.talking if o.seat != channel.seat]
            ):
                call.by = "agent"
        yield from ()

    def _hangup(self, block: Block, at: datetime) -> Told:
        channel = self._channel(block)
        if channel is not None:
            yield from self._gone(channel, at)
