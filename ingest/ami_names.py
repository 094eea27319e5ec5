"""Which seat an Asterisk channel, device or queue member belongs to, and which channels are only ours. Pure look-ups.

``PJSIP/1001-0000001a`` is a channel of the device ``PJSIP/1001``; ``Local/1001@from-queue-00000003;1`` is half of a
detour to extension 1001. A device that is neither in the site's table nor a member of a queue is no seat.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

# Made for a tap or by a bridge, never a party of a call: each would breed a ghost call.
OWN_CHANNELS = (
    "Snoop/", "AudioSocket/", "WebSocket/", "UnicastRTP/", "MulticastRTP/", "Recorder/", "Announcer/", "CBAnn/",
    "CBRec/", "ConfBridgeRecorder/", "Surrogate/", "Message/",
)  # fmt: skip
MOST_MEMBERS = 10_000
_CHANNEL_END = re.compile(r"-[0-9a-f]{8,}(;[12])?(<[A-Z]+>)?$")
_OPTIONS = re.compile(r"(@[^/]*)/[a-z]+$")


@dataclass(frozen=True, slots=True)
class AmiConfig:
    """One PBX. ``seats`` names seats by interface (``PJSIP/1001``) or extension (``1001``); absent ones name
    themselves if they are queue members."""

    pbx: str
    host: str
    user: str
    secret: str = field(repr=False)
    port: int = 5038
    tls: bool = False
    seats: Mapping[str, str] = field(default_factory=dict)
    queues: tuple[str, ...] = ()  # none = all
    wrap_up_seconds: float = 0.0  # 0 = the end of a call is the end of its work
    members_are_agents: bool = True  # a queue member's name names the person; otherwise a roster does
    queue_log: str | None = None  # Asterisk's own log, where this machine can read it: fills what a reconnect missed


def ours(channel: str) -> bool:
    return channel.startswith(OWN_CHANNELS)


def interface(channel: str) -> str:
    """The device of a channel: its name without the number of the call, without Local's halves and options."""
    return _OPTIONS.sub(r"\1", _CHANNEL_END.sub("", channel))


def extension(device: str) -> str:
    """What a person would dial: ``PJSIP/1001`` and ``Local/1001@from-queue`` are 1001."""
    return device.partition("/")[2].partition("@")[0] or device


def mask(number: str) -> str:
    """The other party's number, all but its last four characters hidden."""
    return "*" * (len(number) - 4) + number[-4:]


class Names:
    """The site's table, and what the queues have said about their members."""

    def __init__(self, config: AmiConfig) -> None:
        self._config = config
        self._seats: dict[str, str] = {}  # device of a queue member -> seat
        self._behind: dict[str, str] = {}  # extension of a member that is reached by a detour -> seat
        self._agents: dict[str, str] = {}  # seat -> who is logged on there
        self._named: dict[str, str] = {}  # a member's name -> seat, as last heard

    def seat(self, channel: str) -> str | None:
        """The seat of a channel or device, None where it is nobody's."""
        device = interface(channel)
        if "/" not in device or ":" in device.partition("/")[0]:
            return None  # a pseudo-device, such as Queue:sales_pause_PJSIP/1001
        behind = None if device.startswith("Local/") else self._behind.get(extension(device))
        return self._listed(device) or self._seats.get(device) or behind

    def dialled(self, number: str | None) -> str | None:
        """What a transfer names: the seat of an extension, else the number itself."""
        return None if number is None else self._config.seats.get(number, number)

    def member(self, device: str, state_device: str | None, name: str | None) -> str:
        """A queue says that this device is one of its members; its seat."""
        key = interface(device)
        seat = self._listed(key) or (self._listed(interface(state_device)) if state_device else None) or extension(key)
        if len(self._seats) < MOST_MEMBERS:
            self._seats.setdefault(key, seat)
            if key.startswith("Local/"):
                self._behind.setdefault(extension(key), seat)
            if state_device and "/" in state_device:
                self._seats.setdefault(interface(state_device), seat)
            if name:
                self._named[name] = seat
            if name and self._config.members_are_agents and name not in (device, key, extension(key), seat):
                self._agents[seat] = name
        return seat

    def named(self, member: str) -> str | None:
        """The seat of a member that a log calls by its name only."""
        return self._named.get(member)

    def left(self, seat: str) -> None:
        """Nobody is logged on there any more."""
        self._agents.pop(seat, None)

    def agent(self, seat: str | None) -> str | None:
        return None if seat is None else self._agents.get(seat)

    def queue(self, name: str | None) -> bool:
        """Whether calls of this queue are wanted."""
        return not self._config.queues or name in self._config.queues

    def _listed(self, device: str) -> str | None:
        seats = self._config.seats
        return seats.get(device) or seats.get(device.partition("/")[2]) or seats.get(extension(device))
