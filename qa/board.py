"""The board as a picture in memory: every seat with what holds there now, its call, and whose it is.

It is read whole, or seat by seat as the bell tells; it writes nothing and decides no alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ingest.callvalue import Offer
from ingest.rings import cadence
from ingest.seat_metrics import at_work_since
from ingest.seats import Interval
from qa.board_alarms import CallNow, Limits, SeatNow
from qa.calls import stored_offers
from qa.settings import Settings
from qa.store import board, people
from qa.store.board import Going, Open
from qa.store.events import AHEAD
from qa.store.people import Role
from qa.store.pool import Tx
from qa.store.seats import Stretch

LOOK_BACK = timedelta(hours=16)  # no shift is longer
RECENT_EVERY = timedelta(minutes=10)
WORK_EVERY = timedelta(minutes=1)
WORK_AT_ONCE = 50  # agents whose shift is read in one look
_BEFORE_OR_AFTER = ("ready", "offline", "wrap_up")  # a call that is older than this state is over at this seat


@dataclass(frozen=True, slots=True)
class Who:
    """An agent's name and team, where the site has entered them."""

    name: str | None = None
    team: str | None = None


def limits(settings: Settings) -> Limits:
    return Limits(
        rings=settings.alarm_rings,
        ring_period_seconds=cadence(settings.rhythm).period_s,
        away_seconds=settings.alarm_away_seconds,
        unreachable_seconds=settings.alarm_unreachable_seconds,
        silent_seconds=settings.alarm_silent_seconds,
        wrap_up_seconds=settings.alarm_wrap_up_seconds,
        work_minutes=settings.alarm_work_minutes,
        rest_minutes=settings.alarm_rest_minutes,
    )


def interval(one: Stretch) -> Interval:
    """A stored stretch of state as the folds speak of it."""
    return Interval(one.value, one.at, one.until_at, one.reason, one.confidence, one.agent)


def believed(one: Open, now: datetime) -> Open:
    """What a clock that is ahead said holds since nobody knows when, and nobody saw it."""
    ahead = one.at is not None and one.at > now + AHEAD
    return replace(one, at=None, confidence="inferred") if ahead else one


def at_seats(call: Going, now: datetime | None = None) -> dict[str, tuple[str | None, CallNow]]:
    """Where a call is now: seat -> agent and the call as that seat has it. Seats that gave it away have it no more.

    Moments that are still to come are those of a wrong clock and told to nobody.
    """
    found = _at_seats(call)
    if now is None:
        return found
    return {seat: (agent, _until(one, now + AHEAD)) for seat, (agent, one) in found.items()}


def _until(call: CallNow, last: datetime) -> CallNow:
    told = (call.ringing_at, call.answered_at, call.held_at, call.silent_since)
    rang, answered, held, silent = (at if at is None or at <= last else None for at in told)
    return replace(call, ringing_at=rang, answered_at=answered, held_at=held, silent_since=silent)


def _at_seats(call: Going) -> dict[str, tuple[str | None, CallNow]]:
    offers = stored_offers(call.folded)
    if not offers:
        offers = [Offer(call.seat, call.agent, call.offered_at, call.ringing_at, call.answered_at)]
    taken = max((one for one in offers if one.answered_at), key=lambda one: one.answered_at or call.at, default=None)
    base = CallNow(call.id, "offered", call.direction, call.queue)
    found: dict[str, tuple[str | None, CallNow]] = {}
    for one in offers:
        if one.seat is None or one.redirected_at:
            continue
        if one is taken:
            found[one.seat] = (one.agent, _talking(call, one, base))
        elif one.answered_at is None and (taken is None or _latest(one) > _latest(taken)):
            state = "ringing" if one.ringing_at else "offered"
            found[one.seat] = (one.agent, replace(base, state=state, ringing_at=one.ringing_at))
    return found


def _latest(offer: Offer) -> float:
    """The last thing that is known of it, as a number that can be compared."""
    times = (offer.answered_at, offer.ringing_at, offer.offered_at)
    return max((at.timestamp() for at in times if at is not None), default=0.0)


def _talking(call: Going, offer: Offer, base: CallNow) -> CallNow:
    holds = call.folded.get("record", {}).get("holds", ())
    held_at = _instant(holds[-1].get("at")) if holds and not holds[-1].get("until") else None
    return replace(
        base,
        state="hold" if held_at else "talking",
        ringing_at=offer.ringing_at,
        answered_at=offer.answered_at,
        held_at=held_at,
        silent_since=_silent_since(call, offer),
    )


def _silent_since(call: Going, offer: Offer) -> datetime | None:
    """What a listener told; without one, the answer, where legs were announced and none of them ever began; else what
    the legs' own reports show."""
    if told := _instant(call.folded.get("silent_since")):
        return told
    legs = call.folded.get("audio") or {}
    if legs and not any(leg.get("started") for leg in legs.values()):
        return offer.answered_at
    return _quiet_since(call, offer)


def _quiet_since(call: Going, offer: Offer) -> datetime | None:
    """Since when no leg that sounds carries voice, or one of them, if it has carried none since the answer: who only
    listens for a while is no silent line. Hold does not count, and a leg without a report says nothing."""
    levels, roles = call.folded.get("levels") or {}, call.folded.get("legs") or {}
    legs = (call.folded.get("audio") or {}).items()
    sounding = [name for name, leg in legs if leg.get("started") and not leg.get("ended")]
    quiet = {name: at for name in sounding if (at := _instant(levels.get(name, {}).get("quiet_since")))}
    if not quiet or offer.answered_at is None:
        return None
    heard = {roles.get(name, "unknown") for name in sounding}
    if len(quiet) == len(sounding) and ("unknown" in heard or {"customer", "agent"} <= heard):
        since = max(quiet.values())
    else:
        mute = [at for name, at in quiet.items() if not _heard_after(levels[name], offer.answered_at)]
        if not mute:
            return None
        since = min(mute)
    holds = call.folded.get("record", {}).get("holds", ())
    resumed = [at for hold in holds if (at := _instant(hold.get("until")))]
    return max(since, offer.answered_at, *resumed)


def _heard_after(level: Mapping[str, Any], at: datetime) -> bool:
    heard_at = _instant(level.get("heard_at"))
    return heard_at is not None and heard_at > at


def seat_now(
    seat: str,
    status: Open | None,
    presence: Open | None,
    calls: Iterable[tuple[str | None, CallNow]],
    agent: str | None = None,
) -> SeatNow:
    """One seat from what was told of it. ``agent``: whose seat it is where nobody logged in there."""
    now = SeatNow(seat, agent=agent)
    if status is not None:
        now = replace(
            now, state=status.value, since=status.at, reason=status.reason, confidence=status.confidence,
            agent=status.agent or agent,
        )  # fmt: skip
    if presence is not None:
        now = replace(
            now, present=presence.value, present_since=presence.at, present_by=presence.source,
            excused_until=presence.excused_until,
        )  # fmt: skip
    current = max(calls, key=lambda one: _moment(one[1]) or 0.0, default=None)
    return now if current is None else _with_call(now, *current)


def _with_call(now: SeatNow, agent: str | None, call: CallNow) -> SeatNow:
    """What the call's own signalling shows of the seat, unless the seat's state is newer."""
    moment = call.held_at or call.answered_at or call.ringing_at
    newer = now.since is None or moment is None or moment >= now.since
    if not newer and now.state in _BEFORE_OR_AFTER:
        return now
    shown = replace(now, call=call, agent=now.agent or agent)
    if call.state == "offered" or moment is None or not newer or now.state == call.state:
        return shown
    return replace(shown, state=call.state, since=moment, reason=None, confidence="observed")


def _moment(call: CallNow) -> float | None:
    at = call.answered_at or call.ringing_at
    return at.timestamp() if at else None


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


@dataclass(slots=True)
class Picture:
    """All seats of a site. ``load`` reads everything, ``refresh`` what has news."""

    zone: ZoneInfo
    rest: timedelta
    status: dict[str, Open] = field(default_factory=dict)
    presence: dict[str, Open] = field(default_factory=dict)
    calls: dict[str, dict[str, tuple[str | None, CallNow]]] = field(default_factory=dict)  # call -> seat -> its share
    fixed: dict[str, str] = field(default_factory=dict)
    who: dict[str, Who] = field(default_factory=dict)
    work: dict[str, tuple[datetime, datetime | None]] = field(default_factory=dict)  # agent -> looked at, since
    recent: set[str] = field(default_factory=set)  # seats that had a call within a shift
    recent_at: datetime | None = None  # when those were looked up
    heard_at: datetime | None = None
    _now: dict[str, SeatNow] = field(default_factory=dict)
    _stale: set[str] | None = None  # seats with news; None: all of them

    def seats(self) -> Mapping[str, SeatNow]:
        """Every seat that is known of, in the order of their names; what had no news is not made anew."""
        if self._stale is None or self._stale:
            at = self._calls_at()
            names = {*self.status, *self.presence, *self.fixed, *self.recent, *at}
            if self._stale is None or names != self._now.keys():
                self._now = {name: self._now.get(name) or SeatNow(name) for name in sorted(names)}
            for name in names if self._stale is None else self._stale & names:
                self._now[name] = self._seat(name, at.get(name, ()))
            self._stale = set()
        return self._now

    def _calls_at(self) -> dict[str, list[tuple[str | None, CallNow]]]:
        at: dict[str, list[tuple[str | None, CallNow]]] = {}
        for shares in self.calls.values():
            for seat, share in shares.items():
                at.setdefault(seat, []).append(share)
        return at

    def _seat(self, name: str, calls: Iterable[tuple[str | None, CallNow]]) -> SeatNow:
        one = seat_now(name, self.status.get(name), self.presence.get(name), calls, self.fixed.get(name))
        if one.agent is None:
            return one
        who = self.who.get(one.agent, Who())
        _, since = self.work.get(one.agent, (None, None))
        resting = one.state in ("busy", "offline") and one.since is not None
        return replace(one, name=who.name, team=who.team, work_since=None if resting else since)

    async def load(self, tx: Tx, now: datetime) -> None:
        self.status, self.presence, self._stale = {}, {}, None
        self._hold(await board.held(tx), now)
        self.calls = {one.id: at_seats(one, now) for one in await board.going(tx)}
        self.recent.update(*self.calls.values())
        if self.recent_at is None or now - self.recent_at >= RECENT_EVERY:
            self.recent, self.recent_at = await board.recent(tx, now - LOOK_BACK), now
        self.fixed = await board.fixed(tx, now.astimezone(self.zone).date())
        self.who = teams(await people.everybody(tx))
        told = (await board.heard(tx), self.heard_at)
        self.heard_at = max((at for at in told if at is not None), default=None)

    async def refresh(self, tx: Tx, seats: set[str], calls: set[str], now: datetime) -> None:
        self._mark(seats, calls)
        if seats:
            for name in seats:
                self.status.pop(name, None)
                self.presence.pop(name, None)
            self._hold(await board.held(tx, sorted(seats)), now)
        if calls:
            for name in calls:
                self.calls.pop(name, None)
            self.calls |= {one.id: at_seats(one, now) for one in await board.going(tx, sorted(calls))}
            self._mark(set(), calls)
            self.recent.update(*(self.calls.get(name, ()) for name in calls))
        self.heard_at = now

    def work_due(self, now: datetime) -> list[str]:
        """Agents on duty whose shift was not looked at for a while, those never looked at first."""
        on = {one.agent for one in self.status.values() if one.agent and one.value != "offline"}
        for gone in self.work.keys() - on:
            del self.work[gone]
        old = [agent for agent in on if agent not in self.work or now - self.work[agent][0] >= WORK_EVERY]
        return sorted(old, key=lambda agent: (agent in self.work, agent))[:WORK_AT_ONCE]

    async def look_at_work(self, tx: Tx, agents: list[str], now: datetime) -> None:
        lines: dict[str, list[Interval]] = {agent: [] for agent in agents}
        for one in await board.work(tx, agents, now - LOOK_BACK):
            lines[one.agent or ""].append(interval(one))
        for agent, line in lines.items():
            self.work[agent] = (now, at_work_since(line, now, self.rest))
        self._mark([name for name, one in self._now.items() if one.agent in lines], ())

    def _mark(self, seats: Iterable[str], calls: Iterable[str]) -> None:
        if self._stale is not None:
            self._stale.update(seats, *(self.calls.get(name, ()) for name in calls))

    def _hold(self, found: Iterable[Open], now: datetime) -> None:
        for one in found:
            (self.status if one.kind == "status" else self.presence)[one.seat] = believed(one, now)


def teams(everybody: Iterable[people.Person]) -> dict[str, Who]:
    """Agent code -> who that is; the team is the one in which they hold the role of an agent."""
    found = {}
    for one in everybody:
        if one.agent is not None and one.left_at is None:
            team = next((held.team for held in one.roles if held.role is Role.AGENT and held.team), None)
            found[one.agent] = Who(one.name, team)
    return found
