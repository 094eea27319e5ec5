"""What an Asterisk's lists show when a connection is new: seats, and the calls that go on. Reads no other news.

What happened before has no time of its own. A call that was known goes on as it was; one that was not is told from
now on, and both its parties are tapped, whoever of them began it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ingest.ami import Block, text
from ingest.ami_names import mask, ours
from ingest.ami_offers import AmiOffers, Told
from ingest.ami_talk import Channel
from ingest.taps import Tap

_MAKES = frozenset({
    "Newchannel", "Newstate", "DialBegin", "DialState", "AgentCalled", "AgentConnect", "QueueCallerJoin", "BridgeEnter",
    "snapshot",
})  # fmt: skip


class AmiSnapshot(AmiOffers):
    """``lost``, ``restore`` and ``unheard`` around a lost connection."""

    def lost(self, since: datetime) -> list[dict[str, Any]]:
        """The connection is gone: from then on nothing is known of any seat."""
        return list(self.seats.lost(since))

    def unheard(self, since: datetime) -> list[dict[str, Any]]:
        """After ``restore``: another process of ours had the connection until then."""
        return list(self.seats.unheard(since))

    def restore(
        self,
        members: Iterable[Block] | None,
        channels: Iterable[Block] | None,
        devices: Iterable[Block] | None,
        at: datetime,
    ) -> list[dict[str, Any] | Tap]:
        """What the lists of a new connection show. None = no list."""
        self._by, self._confidence = "snapshot", "snapshot"
        out: list[dict[str, Any] | Tap] = []
        sits, here = None, None
        with self.seats.quiet():
            if members is not None:
                members = list(members)
                sits = {(self._member_seat(block), block.get("Queue", "")) for block in members}
            for block in members or ():
                list(self.seats.member(block, at))
            for block in devices or ():
                list(self.seats.device(block, at))
            if channels is not None:
                shown = [block for block in channels if not ours(block.get("Channel", "")) and block.get("Uniqueid")]
                here = {block["Uniqueid"] for block in shown}
                out += self._lists(shown, here, at)
        out += self.seats.restored(sits, here, at)
        self._confidence = None
        return out

    def _lists(self, shown: list[Block], here: set[str], at: datetime) -> Told:
        """Every channel that there is. All are known before one is told: their order says nothing."""
        for channel in [one for one in self._memory.channels.values() if one.uid not in here]:
            yield from self._gone(channel, at)
        for block in shown:
            yield from self._seen(block, "", at)
        for block in sorted(shown, key=self._later):
            yield from self._shown(block, shown, at)

    def _later(self, block: Block) -> bool:
        """Who began a conversation comes first: the others are told as its parties."""
        channel = self._channel(block)
        return channel is None or not channel.began

    def _shown(self, block: Block, shown: list[Block], at: datetime) -> Told:
        channel, state = self._channel(block), block.get("ChannelState")
        if channel is None:
            return
        if channel.seat and channel.began and not channel.local:
            shows = "up" if block.get("BridgeId") else "open"
            yield from self.seats.channel(channel.seat, channel.uid, shows, at, self._by)
            if (far := self._outside(channel, shown)) is not None:
                yield from self._dials_out(channel, far, block, at)
        elif state in ("5", "6"):
            self._left_to(channel, shown)
            yield from (self._rings if state == "5" else self._up)(channel, at)

    def _left_to(self, channel: Channel, shown: list[Block]) -> None:
        """Who began the conversation has handed it over and gone: the seat talks with the other party."""
        if channel.seat is not None and channel.linked not in self._memory.channels:
            call = self._call(channel.linked)
            call.customer = call.customer or self._outside(channel, shown)

    def _outside(self, channel: Channel, shown: list[Block]) -> Channel | None:
        """The party of this conversation that sits at no seat; of several that are called, the one that answered."""
        found: Channel | None = None
        for block in shown:
            one, state = self._channel(block), block.get("ChannelState")
            if one is None or one is channel or one.linked != channel.linked or one.seat is not None or one.local:
                continue
            if found is None or state == "6":
                found = one
        return found

    def _dials_out(self, source: Channel, dest: Channel, block: Block, at: datetime) -> Told:
        """A seat has called, or calls now, somebody outside."""
        call = self._call(source.linked)
        if call.told:
            return
        call.direction, call.customer = "out", dest
        call.number = mask(number) if (number := text(block, "Exten", "DestCallerIDNum")) else None
        offer = self._offer(call, source)
        offer.at = at
        yield from self._tell_offer(call, offer, at)
        yield from self._leg(call, offer, source, at)

    def _seen(self, block: Block, side: str, at: datetime) -> Told:
        """A channel that the block names: remembered; moved, if it now belongs to another conversation."""
        uid, name = block.get(f"{side}Uniqueid", ""), block.get(f"{side}Channel", "")
        linked = block.get(f"{side}Linkedid", "") or uid
        if not uid or not name or len(uid) > 100 or len(linked) > 100 or not f"{uid}{linked}".isprintable():
            return
        channel = self._memory.channels.get(uid)
        if channel is None:
            if self._by in _MAKES:  # what is said of a channel after its end does not bring it back
                self._memory.keep(Channel(uid, name[:200], linked, at, self.names.seat(name)))
        elif channel.linked != linked:
            yield from self._moved(channel, linked, at)

    def _channel(self, block: Block, side: str = "") -> Channel | None:
        return self._memory.channels.get(block.get(f"{side}Uniqueid", ""))

    def _member_seat(self, block: Block) -> str:
        device = text(block, "Location", "Interface") or ""
        return self.names.seat(device) or self.names.member(device, text(block, "StateInterface"), None)
