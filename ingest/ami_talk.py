"""What is remembered of one Asterisk: channels, calls, and each seat's chance at a call. Holds no rules.

Bounded: beyond the limits the oldest is forgotten, so that a PBX that never hangs up cannot fill the memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

MOST_CHANNELS = 20_000
MOST_CALLS = 10_000


@dataclass(slots=True)
class Channel:
    uid: str
    name: str
    linked: str  # the Uniqueid of the channel that began the conversation
    at: datetime  # when it was made, or first heard of
    seat: str | None
    ringing_at: datetime | None = None
    up_at: datetime | None = None
    held: bool = False

    @property
    def local(self) -> bool:
        """Half of a detour through the dialplan: no phone, no party."""
        return self.name.startswith("Local/")

    @property
    def far_half(self) -> bool:
        return self.local and self.name.endswith(";2")

    @property
    def began(self) -> bool:
        """The conversation began with this channel."""
        return self.uid == self.linked


@dataclass(slots=True)
class Offer:
    """One seat's chance at a call; a seat with two phones has one."""

    seat: str
    at: datetime
    channels: dict[str, Channel] = field(default_factory=dict)
    told: bool = False
    legs: set[str] = field(default_factory=set)  # its channels that were named as the agent's leg
    passed: bool = False  # it has handed the call on; that it leaves is known
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    over_at: datetime | None = None  # its phones fell silent; what follows says why


@dataclass(slots=True)
class Call:
    id: str
    linked: str
    direction: str = "in"
    queue: str | None = None
    number: str | None = None
    wanted: bool = True
    told: bool = False  # a seat or a queue was offered it
    customer: Channel | None = None
    legged: bool = False  # the other party's leg was named
    offers: dict[str, Offer] = field(default_factory=dict)  # by seat: open or answered
    silent: list[Offer] = field(default_factory=list)  # no longer ringing, not yet explained
    answered: bool = False
    moving: bool = False  # transferred, and nobody has answered since
    by: str | None = None  # who hung up first
    left_at: datetime | None = None  # the last seat left; the other party may stay

    def of(self, uid: str) -> Offer | None:
        return next((offer for offer in self.offers.values() if uid in offer.channels), None)

    @property
    def talking(self) -> list[Offer]:
        return [offer for offer in self.offers.values() if offer.answered_at is not None]


class Memory:
    """Channels by Uniqueid, calls by Linkedid."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.calls: dict[str, Call] = {}
        self.forgotten = 0

    def keep(self, channel: Channel) -> Channel:
        if len(self.channels) >= MOST_CHANNELS:
            del self.channels[next(iter(self.channels))]
            self.forgotten += 1
        self.channels[channel.uid] = channel
        return channel

    def call(self, pbx: str, linked: str) -> Call:
        if linked not in self.calls:
            if len(self.calls) >= MOST_CALLS:
                del self.calls[next(iter(self.calls))]
                self.forgotten += 1
            self.calls[linked] = Call(f"{pbx}-{linked}"[:128], linked)
        return self.calls[linked]

    def rename(self, call: Call, linked: str) -> None:
        """The call and all its channels get another Linkedid; its own id stays."""
        for channel in self.channels.values():
            if channel.linked == call.linked:
                channel.linked = linked
        del self.calls[call.linked]
        call.linked = linked
        self.calls[linked] = call
