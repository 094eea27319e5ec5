"""One recording session: what is offered, who speaks, and what is stored of it. Speaks no SIP on the wire."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest import sdp, siprec
from ingest.admission import Opened
from ingest.errors import SipError, SpoolError, SpoolFull
from ingest.rtp import Receiver
from ingest.sdp import Offered
from ingest.shell.core import Core
from ingest.shell.legs import LegWriter
from ingest.shell.siprec_media import MediaLeg, Ports
from ingest.sip import Request
from ingest.sip_parts import Part, parts
from ingest.siprec import Metadata, Speaker
from ingest.siprec_config import (
    SiprecConfig,
    answered_event,
    call_name,
    ended_event,
    leg_event,
    leg_labels,
    transferred_event,
)

AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class _Told:
    """The body of an INVITE or UPDATE."""

    offer: tuple[Offered, ...]
    metadata: Metadata | None


class Session:
    """From INVITE to BYE. ``open`` and ``change`` return the answer's body, and raise SipError or SpoolError."""

    def __init__(self, core: Core, config: SiprecConfig, ports: Ports, request: Request, peer: str) -> None:
        self._core, self._config, self._ports, self._peer = core, config, ports, peer
        self._request = request
        self.call = call_name(config.source, request.call_id)
        self.legs: list[MediaLeg | None] = []  # one for each m-line
        self._names: list[str] = []
        self._offer: tuple[Offered, ...] = ()
        self._metadata = Metadata()
        self._said: dict[str, Speaker] = {}
        self._version = 0
        self._body = b""
        self._events = 0
        self._answered: set[str] = set()  # legs whose answer has been told
        self.over = ""
        self.started_s = core.mono()

    @property
    def open_legs(self) -> list[MediaLeg]:
        return [leg for leg in self.legs if leg is not None and not leg.over]

    async def open(self) -> bytes:
        told = self._read(self._request)
        if not told.offer:
            raise SipError("INVITE: has no SDP; a recording client offers its streams", 488)
        if not self._core.spool.roomy:
            raise SpoolFull("spool: is nearly full, no new call is taken now")
        return await self._take(told)

    async def change(self, request: Request) -> bytes:
        """An empty answer means that the request offered nothing and wants nothing."""
        told = self._read(request)
        if not told.offer:
            if told.metadata is not None:
                await self._learn(told.metadata, self._offer, self._names)
            return self._body if request.method == "INVITE" else b""
        if len(told.offer) < len(self._offer):
            raise SipError("SDP: fewer m-lines than before; keep their order, and set port 0 for one that is gone", 488)
        return await self._take(told)

    async def end(self, cause: str) -> None:
        """Once: close the legs, and say that the call ended where its sender said so."""
        if self.over:
            return
        self.over = cause
        for leg in self.legs:
            if leg is not None:
                leg.end(cause)
        if self._version and cause == "hangup":
            await self._tell_end()

    async def tell_answer(self) -> None:
        """As soon as it can be said."""
        if told := self._answer():
            await self._store_surely(told)

    def tick(self, now_s: float) -> str:
        """Why this session is over by the clock, empty while it is not."""
        for leg in self.open_legs:
            leg.tick(now_s)
        sending = [leg.heard_s for leg in self.open_legs if leg.sends]
        if now_s - self.started_s > self._config.longest_seconds:
            return "too long"
        if sending and now_s - max(sending) > self._config.silence_seconds:
            return "idle"
        broken = any(leg is not None and leg.broken for leg in self.legs)
        return "error" if broken and not self.open_legs else ""

    def _read(self, request: Request) -> _Told:
        found = parts(request)
        described = _first(found, ("application/sdp",))
        known = any(part.kind in ("application/sdp", *siprec.KINDS) for part in found)
        if found and not known and request.method == "INVITE":
            raise SipError(f"body: neither SDP nor metadata but {found[0].kind[:60]!r}", 415)
        offer = sdp.read(described.data) if described else ()
        if any(one.port for one in offer) and not any(one.taken for one in offer):
            raise SipError("SDP: no stream is G.711 (PCMU or PCMA) over RTP/AVP; offer one", 488)
        return _Told(offer, self._read_metadata(_first(found, siprec.KINDS)))

    def _read_metadata(self, part: Part | None) -> Metadata | None:
        """A recording without metadata is worth more than none; what is wrong with it is counted and logged."""
        if part is None:
            return None
        try:
            return siprec.read(part.data)
        except SipError as error:
            self._core.refuse("siprec metadata", error)
            return None

    async def _take(self, told: _Told) -> bytes:
        """Take an offer: new m-lines get a port and a leg, known ones go on, those at port 0 end."""
        offer, before = told.offer, self._offer
        hosts = frozenset({self._peer, *(one.address for one in offer if one.address)})
        fresh: dict[int, socket.socket] = {}
        try:
            for place in (place for place, one in enumerate(offer) if self._wants(place, one)):
                fresh[place] = self._ports.take()
            await self._learn(told.metadata, offer, self._named(offer, fresh))
            await self._go_on()
            self.legs += [None] * (len(offer) - len(self.legs))
            for place in list(fresh):
                self.legs[place] = await self._start(place, fresh.pop(place), hosts)
            await self._go_on()
        finally:
            for bound in fresh.values():
                bound.close()
        for leg, one, was in zip(self.legs, offer, before, strict=False):
            if leg is not None and not leg.over:
                leg.change(one, was, hosts) if one.taken else leg.end("end")
        self._version += 1
        live = [leg.port if leg is not None and not leg.over else 0 for leg in self.legs]
        self._body = sdp.answer(offer, live, self._config.address, int(self.started_s * 1000), self._version)
        return self._body

    async def _go_on(self) -> None:
        """SipError when the session was ended while we waited: what was opened is closed, the end is told once."""
        if not self.over:
            return
        for leg in self.open_legs:
            leg.end(self.over)
        if self.over == "hangup" and not self._version:
            await self._tell_end()
        raise SipError("session: was ended while it was taken", 487)

    def _wants(self, place: int, one: Offered) -> bool:
        """A leg that ended stays ended: what a sender offers at its place again is a new leg."""
        leg = self.legs[place] if place < len(self.legs) else None
        return one.taken and (leg is None or leg.over)

    def _named(self, offer: Sequence[Offered], fresh: Collection[int]) -> list[str]:
        """The legs' names, one for each m-line."""
        names = [*self._names, *leg_labels(offer)[len(self._names) :]]
        return [self._core.fresh_leg(self.call, name) if place in fresh else name for place, name in enumerate(names)]

    async def _start(self, place: int, bound: socket.socket, hosts: frozenset[str]) -> MediaLeg:
        one = self._offer[place]
        law = one.codecs[0][1]
        leg = MediaLeg(self._core, self._writer(self._names[place], law), Receiver(hosts, dict(one.codecs), law))
        leg.sends = one.sends
        await leg.listen(bound)
        return leg

    async def _learn(self, new: Metadata | None, offer: tuple[Offered, ...], names: list[str]) -> None:
        """Store who speaks where, for legs about which something is new; then it holds."""
        names = list(names)
        metadata = siprec.merge(self._metadata, new) if new is not None else self._metadata
        places = [place for place, one in enumerate(offer) if one.taken]
        labels = [leg_labels(offer)[place] for place in places]
        speakers = dict(zip(places, siprec.speakers(metadata, labels, self._config.roles), strict=True))
        turned = [place for place, speaker in speakers.items() if self._another_seat(place, names[place], speaker)]
        if turned:
            await self.tell_answer()  # who has spoken so far is told before somebody else does
        values = [self._turn(self._said[names[place]], speakers[place]) for place in turned]
        for place in turned:
            names[place] = self._core.fresh_leg(self.call, leg_labels(offer)[place])
        told = {place: one for place, one in speakers.items() if self._said.get(names[place]) != one}
        for place, label in zip(places, labels, strict=True):
            if (one := told.get(place)) is not None:
                values.append(leg_event(self._config, self.call, names[place], self._number(), self._core.now(), one,
                                        metadata.session, label))  # fmt: skip
        if values:
            await self._store(values)
        self._metadata, self._offer, self._names = metadata, offer, names
        self._said |= {names[place]: one for place, one in told.items()}
        for place in turned:
            self._hand_over(place)

    def _turn(self, before: Speaker, now: Speaker) -> dict[str, object]:
        at = self._core.now()
        return transferred_event(self._config, self.call, self._number(), at, str(before.seat), str(now.seat))

    def _another_seat(self, place: int, name: str, now: Speaker) -> bool:
        """Its stream goes on with another seat's voice: what each of them says is a leg of its own."""
        leg, before = self.legs[place] if place < len(self.legs) else None, self._said.get(name)
        if leg is None or leg.over or leg.first_at is None or before is None:
            return False
        return before.seat is not None and now.seat is not None and before.seat != now.seat

    def _hand_over(self, place: int) -> None:
        leg = self.legs[place]
        if leg is not None and not leg.over:
            leg.hand_over(self._writer(self._names[place], leg.receiver.law))

    def _writer(self, name: str, law: str) -> LegWriter:
        return LegWriter(self._core, Opened(self.call, name, self._said[name].role), self._config.source, law)

    def _number(self) -> int:
        """A process that starts anew does not repeat what an earlier one said of the same Call-ID."""
        self._events += 1
        return int(self._core.now().timestamp() * 1000) * 1000 + self._events % 1000

    async def _store(self, values: list[dict[str, object]]) -> None:
        taken = await self._core.take_events(values, self._config.source)
        for _, refusal in taken.refused:
            self._core.refuse("siprec event", f"{refusal.field}: {refusal.reason}")

    async def _tell_end(self) -> None:
        """The sender says it once."""
        at = self._core.now()
        await self._store_surely([*self._answer(), ended_event(self._config, self.call, self._number(), at)])

    @property
    def answer_due(self) -> bool:
        """Whether the answer is still to be told."""
        return self._voice() is not None

    def _answer(self) -> list[dict[str, object]]:
        told: list[dict[str, object]] = []
        while (voice := self._voice()) is not None:
            name, at = voice
            self._answered |= {name} if self._said[name].role == "agent" else set(self._names)
            told.append(answered_event(self._config, self.call, self._number(), at, name, self._said[name].seat))
        return told

    def _voice(self) -> tuple[str, datetime] | None:
        """The leg whose first sound was an answer: a seat's; where nobody knows the seat, the last one to be heard."""
        heard = [(name, leg.first_at) for name, leg in zip(self._names, self.legs, strict=False) if leg is not None]
        seats = [one for one in heard if self._said[one[0]].role == "agent"]
        came = [(name, at) for name, at in seats or heard if at is not None and name not in self._answered]
        if not came or (not seats and len(came) < len(heard)):
            return None
        return min(came, key=_at) if seats else max(came, key=_at)

    async def _store_surely(self, values: list[dict[str, object]]) -> None:
        """Nobody says it again: we try until it is stored."""
        while True:
            try:
                await self._store(values)
                return
            except SpoolFull:
                await asyncio.sleep(AGAIN_S)
            except SpoolError as error:
                self._core.refuse("siprec event", error)
                return


def _at(one: tuple[str, datetime]) -> datetime:
    return one[1]


def _first(found: Sequence[Part], kinds: Sequence[str]) -> Part | None:
    return next((part for part in found if part.kind in kinds), None)
