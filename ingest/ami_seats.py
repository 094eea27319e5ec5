"""The state of each seat of one Asterisk, from its queue memberships, its device and its channels. Knows no calls.

Asterisk says everything once per queue and often twice; a change is told once. What the channels show goes before what
the device shows, that before the membership.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ingest.ami import Block, text
from ingest.ami_names import Names

DEAD_AFTER = timedelta(seconds=2)  # called for so long without a ring: the phone is not there
MOST_SEATS = 10_000
NOT_CONNECTED = "not connected to the PBX"
_STATUS = {  # Status of a queue member, as the device states are called
    "0": "UNKNOWN", "1": "NOT_INUSE", "2": "INUSE", "3": "BUSY", "4": "INVALID", "5": "UNAVAILABLE", "6": "RINGING",
    "7": "RINGINUSE", "8": "ONHOLD",
}  # fmt: skip
_IN_USE = ("INUSE", "BUSY", "RINGINUSE", "ONHOLD")
_AWAY = ("UNAVAILABLE", "INVALID")
Told = tuple[str, str | None, str, str | None]  # status, reason, confidence, agent


@dataclass(slots=True)
class _Seat:
    name: str
    pauses: dict[str, str | None] = field(default_factory=dict)  # queue -> reason, of the queues it is paused in
    queues: set[str] = field(default_factory=set)
    was_member: bool = False
    device: str | None = None
    channels: dict[str, str] = field(default_factory=dict)  # Uniqueid -> open, ringing, up
    held: set[str] = field(default_factory=set)
    dead: bool = False  # it was called and did not ring
    wrap_until: datetime | None = None
    told: Told | None = None

    def state(self, at: datetime) -> tuple[str, str | None, str]:
        """Status, reason, confidence."""
        shown = self.channels.values()
        if self.held:
            return "hold", None, "observed"
        for of_channel, status in (("up", "talking"), ("ringing", "ringing"), ("open", "off_hook")):
            if of_channel in shown:
                return status, None, "observed"
        if self.was_member and not self.queues:
            return "offline", None, "observed"
        if self.queues and self.pauses.keys() >= self.queues:
            return "busy", next((why for why in self.pauses.values() if why), None), "observed"
        if self.device in _IN_USE:
            return "off_hook", None, "observed"
        if self.device in _AWAY:
            return "unreachable", None, "observed"
        if self.wrap_until is not None and at < self.wrap_until:
            return "wrap_up", None, "inferred"
        if self.dead:
            return "unreachable", "called, did not ring", "inferred"
        return ("unknown" if self.device in (None, "UNKNOWN") and not self.queues else "ready"), None, "observed"


class AmiSeats:
    """One PBX. What changes a seat yields one event, or none if nothing is new."""

    def __init__(self, pbx: str, names: Names, wrap_up_seconds: float) -> None:
        self._pbx, self._names, self._wrap_up = pbx, names, timedelta(seconds=wrap_up_seconds)
        self._seats: dict[str, _Seat] = {}
        self._quiet = False
        self._latest: datetime | None = None  # of what was told
        self._wrapping: set[str] = set()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Takes everything in and tells nothing, until ``restored`` tells what stands."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    @property
    def after_latest(self) -> datetime | None:
        """Just after the last thing that was told: both clocks never agree to the millisecond."""
        return None if self._latest is None else self._latest + timedelta(milliseconds=1)

    def known(self) -> tuple[str, ...]:
        return tuple(self._seats)

    def member(self, block: Block, at: datetime, confidence: str = "observed") -> Iterator[dict[str, Any]]:
        """QueueMemberStatus, Pause, Added, and QueueMember of a snapshot: they carry the whole membership."""
        device, queue = text(block, "Interface", "Location"), text(block, "Queue")
        if device is None or queue is None:
            return
        name = self._names.member(device, text(block, "StateInterface"), text(block, "MemberName", "Name"))
        if (seat := self._seat(name)) is None:
            return
        seat.was_member = True
        seat.queues.add(queue)
        if block.get("Paused") == "1":
            seat.pauses[queue] = text(block, "PausedReason", "Reason")
        else:
            seat.pauses.pop(queue, None)
        if (device_state := _STATUS.get(block.get("Status", ""))) is not None:
            self._device(seat, device_state)
        yield from self._tell(seat, at, block.get("Event", ""), confidence)

    def removed(self, block: Block, at: datetime) -> Iterator[dict[str, Any]]:
        """QueueMemberRemoved: out of its last queue, a seat is offline."""
        seat = self._of(text(block, "Interface", "Location") or "")
        if seat is not None:
            seat.queues.discard(text(block, "Queue") or "")
            seat.pauses.pop(text(block, "Queue") or "", None)
            yield from self._tell(seat, at, "QueueMemberRemoved")
            if not seat.queues:
                self._names.left(seat.name)

    def device(self, block: Block, at: datetime, confidence: str = "observed") -> Iterator[dict[str, Any]]:
        """DeviceStateChange; pseudo-devices of queues are nobody's."""
        seat = self._of(text(block, "Device") or "")
        if seat is not None:
            self._device(seat, block.get("State", ""))
            yield from self._tell(seat, at, "DeviceStateChange", confidence)

    def channel(
        self, name: str, uid: str, shows: str, at: datetime, by: str, confidence: str = "observed"
    ) -> Iterator[dict[str, Any]]:
        """One of the seat's channels: open (the handset is lifted), ringing, up, or gone."""
        if (seat := self._seat(name)) is None:
            return
        if shows == "gone":
            seat.held.discard(uid)
            if seat.channels.pop(uid, None) is None:
                return
            if not seat.channels:
                seat.device = "NOT_INUSE" if seat.device in (*_IN_USE, "RINGING") else seat.device
        else:
            seat.channels[uid] = shows
            seat.dead, seat.wrap_until = False, None
        yield from self._tell(seat, at, by, confidence)

    def hold(self, name: str, uid: str, held: bool, at: datetime) -> Iterator[dict[str, Any]]:
        seat = self._seats.get(name)
        if seat is not None and uid in seat.channels:
            (seat.held.add if held else seat.held.discard)(uid)
            yield from self._tell(seat, at, "Hold" if held else "Unhold")

    def complete(self, name: str, at: datetime) -> None:
        """The seat's talk is over; its work may go on for the configured time. Nothing shows it, so it is inferred."""
        seat = self._seats.get(name)
        if seat is not None and self._wrap_up:
            seat.wrap_until = at + self._wrap_up
            self._wrapping.add(name)

    def never_rang(self, name: str, since: datetime, at: datetime) -> Iterator[dict[str, Any]]:
        """The seat was called from *since* to *at*, and its phone never rang."""
        seat = self._seat(name)
        if seat is not None and at - since >= DEAD_AFTER and not seat.channels:
            seat.dead = True
            yield from self._tell(seat, at, "DialEnd")

    def tick(self, now: datetime) -> Iterator[dict[str, Any]]:
        """Wrap-up times that have run out by now."""
        for name in sorted(self._wrapping):
            seat = self._seats[name]
            if seat.wrap_until is not None and seat.wrap_until <= now:
                ended, seat.wrap_until = seat.wrap_until, None
                yield from self._tell(seat, ended, "wrap_up")
            if seat.wrap_until is None:
                self._wrapping.discard(name)

    def lost(self, since: datetime) -> Iterator[dict[str, Any]]:
        """Nothing is heard of the PBX since then: nothing is known of any seat."""
        if self._latest is not None:  # the end of a wrap-up may have been told since
            since = max(since, self._latest + timedelta(microseconds=1))
        for seat in self._seats.values():
            seat.wrap_until, seat.dead, seat.told = None, False, None
            yield self._event(seat, since, ("unknown", NOT_CONNECTED, "observed", None), "lost")

    def unheard(self, since: datetime) -> Iterator[dict[str, Any]]:
        """An earlier process heard its last word then, and could not say so: nothing is known from there on."""
        for seat in self._seats.values():
            yield self._event(seat, since, ("unknown", NOT_CONNECTED, "observed", None), "unheard")

    def restored(
        self, members: set[tuple[str, str]] | None, channels: set[str] | None, at: datetime
    ) -> Iterator[dict[str, Any]]:
        """A list is whole: memberships and channels that it does not name are gone. Each seat is told anew."""
        for seat in self._seats.values():
            if members is not None:
                seat.queues = {queue for queue in seat.queues if (seat.name, queue) in members}
                seat.pauses = {queue: why for queue, why in seat.pauses.items() if queue in seat.queues}
            if channels is not None:
                seat.channels = {uid: shows for uid, shows in seat.channels.items() if uid in channels}
                seat.held &= channels
            yield from self._tell(seat, at, "snapshot", "snapshot")

    def _seat(self, name: str) -> _Seat | None:
        if name not in self._seats and len(self._seats) >= MOST_SEATS:
            return None
        return self._seats.setdefault(name, _Seat(name))

    def _of(self, device: str) -> _Seat | None:
        name = self._names.seat(device)
        return None if name is None else self._seat(name)

    def _device(self, seat: _Seat, state: str) -> None:
        if seat.device in _AWAY and state not in _AWAY:
            seat.dead = False  # it has come back
        seat.device = state

    def _tell(self, seat: _Seat, at: datetime, by: str, confidence: str = "observed") -> Iterator[dict[str, Any]]:
        if self._quiet:
            return
        status, reason, how = seat.state(at)
        how = confidence if how == "observed" else how
        agent = self._names.agent(seat.name)
        before = seat.told
        if before is not None and before[:2] == (status, reason) and before[3] == agent:
            return
        seat.told = (status, reason, how, agent)
        yield self._event(seat, at, seat.told, by)

    def _event(self, seat: _Seat, at: datetime, told: Told, by: str) -> dict[str, Any]:
        status, reason, confidence, agent = told
        self._latest = at if self._latest is None else max(at, self._latest)
        event = {
            "source": self._pbx,
            "id": f"{self._pbx}:{seat.name}:{by}:{at.timestamp():.6f}:{status}"[:128],
            "at": at.isoformat(),
            "type": "seat",
            "seat": seat.name,
            "status": status,
            "reason": reason,
            "confidence": confidence,
            "agent": agent,
        }
        return {key: value for key, value in event.items() if value is not None}
