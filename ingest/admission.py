"""Who may open a leg: UUIDs and tokens are signed or registered, each opens one leg once. No clock, no storage.

What must survive a restart is handed out as ``Admit`` values and comes back through ``remember``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ingest.errors import TokenError
from ingest.events import Leg
from ingest.rows import Admit, micros
from ingest.tokens import check_uuid, looks_signed, proven, read_stream_token, uuid_stands_for

REGISTERED_FOR = timedelta(hours=1)  # a registered UUID or token waits this long for its first use
REMEMBERED_FOR = timedelta(hours=4)  # a used one is known at least this long: the longest call, with its resumes
MOST = 100_000
SHARE = MOST // 4  # that one source may have registered and not used: it does not keep the others out
LOOK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Opened:
    """A leg that may begin, and what to store with its first row."""

    call: str
    leg: str
    role: str
    admit: Admit | None = None  # None where the sender was admitted by its key

    @property
    def admits(self) -> list[Admit]:
        return [self.admit] if self.admit else []

    @property
    def once(self) -> str | None:
        """The one-time UUID or token that it was opened with; a session that its sender names himself is none."""
        return self.admit.id if self.admit and (self.admit.leg or not self.admit.call) else None


class Admission:
    """All UUIDs and tokens of one ingest process. Not shared between threads."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: dict[str, Admit] = {}
        self._whose: dict[str, str] = {}  # what a source has registered; since the last look some of it may be used
        self._waits: Counter[str] = Counter()
        self._look_at = datetime.min.replace(tzinfo=UTC)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def remember(self, known: Iterable[Admit]) -> None:
        """What an earlier process wrote down."""
        self._known |= {one.id: one for one in known}

    def fault(self, event: Leg, now: datetime) -> str | None:
        """Why a ``leg`` event cannot be taken, None if it can; nothing is remembered yet."""
        for name in filter(None, (event.audiosocket, event.stream)):
            known = self._known.get(name)
            if known and known.call and (known.call, known.leg) != (event.call, event.leg):
                return "is registered for another leg; a UUID or token opens one leg only"
        ident = UUID(event.audiosocket) if event.audiosocket else None
        ours = ident is not None and self._is_signed(ident, now)
        if ident and ours and not uuid_stands_for(ident, str(event.call), str(event.leg), event.role):
            return "is signed for another call, leg or role"
        if len(self._known) >= MOST:
            return "admission is full; try again later"
        if (event.audiosocket or event.stream) and self._waiting(event.source, now) >= SHARE:
            return f"source {event.source!r} has {SHARE} that it does not use; register each when it is needed"
        return None

    def register(self, event: Leg, now: datetime) -> list[Admit]:
        """Remember the UUID or token of a ``leg`` event; what to store with the event."""
        self._forget(now)
        fresh: list[Admit] = []
        for name in filter(None, (event.audiosocket, event.stream)):
            until = micros(now + REGISTERED_FOR)
            if name not in self._known:
                self._whose[name] = event.source
                self._waits[event.source] += 1
            known = self._known.get(name, Admit(name, "registered", until, "", "", ""))
            fresh.append(replace(known, call=str(event.call), leg=str(event.leg), role=event.role))
            self._known[name] = fresh[-1]
        return fresh

    def open_audiosocket(self, ident: UUID, now: datetime) -> Opened:
        """Use up a UUID. While no event has bound it, the UUID itself stands for the call."""
        name, known = str(ident), self._known.get(str(ident))
        self._unused(known, name, now)
        if known is None:
            until = check_uuid(self._secret, ident, now)
            opened = ("", "", "", max(until, now + REMEMBERED_FOR))
        else:
            opened = (known.call, known.leg, known.role, now + REMEMBERED_FOR)
        admit = Admit(name, "used", micros(opened[3]), *opened[:3])
        self._known[name] = admit
        if not admit.call:
            return Opened(name, "audiosocket", "unknown", admit)
        return Opened(admit.call, admit.leg, admit.role, admit)

    def open_stream(self, token: str, call: str, leg: str, role: str, now: datetime) -> Opened:
        """Check a token for the leg that a hello names. The same token opens the same leg again: that is a resume."""
        said = self.fits(token, call, leg, role, now)
        admit = Admit(token, "used", micros(now + REMEMBERED_FOR), *said)
        self._known[token] = admit
        return Opened(*said, admit)

    def prove(self, token: str, call: str, leg: str, role: str) -> None:
        """TokenError for a signed token that is not ours or not this leg's: that needs no look at what others know."""
        if token not in self._known and looks_signed(token):
            grant = proven(self._secret, token)
            _same((grant.call, grant.leg, grant.role), (call, leg, role))

    def fits(self, token: str, call: str, leg: str, role: str, now: datetime) -> tuple[str, str, str]:
        """The leg that a token opens now; TokenError when it is not this one. Nothing is used up."""
        return _same(self._said(token, now), (call, leg, role))

    def is_used(self, name: str) -> bool:
        """Whether a UUID or token has opened its leg."""
        known = self._known.get(name)
        return known is not None and known.state == "used"

    def open_token(self, token: str, now: datetime) -> Opened:
        """The leg that a token was made for, once: for senders that never resume."""
        if self.is_used(token):
            raise TokenError("token: was used before; make a new one for each leg")
        said = self._said(token, now)
        admit = self._known[token] = Admit(token, "used", micros(now + REMEMBERED_FOR), *said)
        return Opened(*said, admit)

    def _said(self, token: str, now: datetime) -> tuple[str, str, str]:
        """Call, leg and role that a registered or signed token stands for."""
        known = self._known.get(token)
        if known is not None and known.call:
            if known.state == "registered" and known.until_us < micros(now):
                raise TokenError("token: was registered too long ago; send the leg event again")
            return known.call, known.leg, known.role
        if looks_signed(token):
            grant = read_stream_token(self._secret, token, now)
            return grant.call, grant.leg, grant.role
        raise TokenError("token: is neither signed nor registered; send a leg event with audio.stream first")

    def open_stream_once(self, token: str, call: str, leg: str, role: str, now: datetime) -> Opened:
        """The same for senders that cannot resume: a token that was used opens nothing more."""
        known = self._known.get(token)
        if known is not None and known.state == "used":
            raise TokenError("token: was used before; make a new one for each stream")
        return self.open_stream(token, call, leg, role, now)

    def open_once(self, name: str, call: str, now: datetime) -> Admit:
        """A session that its sender names himself: each name once. What to store, so that a restart changes nothing."""
        if name in self._known:
            raise TokenError(f"{name}: was here before; begin a new session under a new id")
        self._forget(now)
        if len(self._known) >= MOST:
            raise TokenError("admission: is full; try again later")
        admit = self._known[name] = Admit(name, "used", micros(now + REMEMBERED_FOR), call, "", "")
        return admit

    def _waiting(self, source: str, now: datetime) -> int:
        """Names that this source has registered and that wait; now and then those that do no more are taken off."""
        if self._waits[source] >= SHARE and now >= self._look_at:
            self._look_at = now + LOOK_AGAIN
            self._look(now)
        return self._waits[source]

    def _look(self, now: datetime) -> None:
        waiting = (one.id for one in self.snapshot(now) if one.state == "registered")
        self._whose = {name: self._whose[name] for name in waiting if name in self._whose}
        self._waits = Counter(self._whose.values())

    def _is_signed(self, ident: UUID, now: datetime) -> bool:
        try:
            check_uuid(self._secret, ident, now)
        except TokenError:
            return False
        return True

    def _unused(self, known: Admit | None, name: str, now: datetime) -> None:
        if known is not None and known.state == "used":
            raise TokenError(f"UUID {name}: was used before; make a new one for each leg")
        if known is not None and known.until_us < micros(now):
            raise TokenError(f"UUID {name}: was registered too long ago; send the leg event again")

    def snapshot(self, now: datetime) -> list[Admit]:
        """What is still worth remembering, for the next spool file. The one call that may come from another thread."""
        return [one for one in self._known.copy().values() if one.until_us >= micros(now)]

    def _forget(self, now: datetime) -> None:
        if len(self._known) >= MOST // 2:
            self._known = {one.id: one for one in self.snapshot(now)}
            self._look(now)


def _same(said: tuple[str, str, str], asked: tuple[str, str, str]) -> tuple[str, str, str]:
    if said != asked:
        raise TokenError("token: was made for another call, leg or role; use each token for its own leg")
    return said
