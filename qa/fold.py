"""Runs the folds where the events meet: calls and seats with news are folded again, ended calls are assembled.

One transaction claims a piece of news, folds and stores; a rollback gives it back. It transcribes and scores nothing:
that is a durable job, enqueued in the same transaction as the recording.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

import structlog

from ingest.binding import aliases
from ingest.errors import SpoolError
from ingest.events import Event, parse_event
from ingest.legs import LegAudio
from ingest.seats import Away, SeatLog, away_episodes, fold_seat
from ingest.session import Call, fold_call
from ingest.spool import Contents, all_files, contents, read_leg, release
from qa import calls as rows
from qa.assemble import RATE, Assembled, assemble, put, write
from qa.jobs import HEAR, SCORE_AWAY, Step
from qa.late import add, aligned
from qa.store import calls, events, ledger, queue, recordings, seats, spools
from qa.store.errors import StoreFull
from qa.store.pool import Store, Tx
from speech.audio import decode
from speech.errors import AudioError

ACTOR = "fold"
LATE = timedelta(seconds=30)  # media or signalling that is still missing is not waited for any longer
log = structlog.get_logger(__name__)


async def _no_step(_: str) -> None:
    """Nobody watches the steps."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What the marks say of one leg: whose it is, since when, whether it is over."""

    role: str
    started: bool
    ended: bool


@dataclass(slots=True)
class Folder:
    """The folds of one site. ``now`` is the clock; ``waiting`` holds ended calls whose audio is not complete."""

    store: Store
    site: str
    zone: ZoneInfo
    spool: Path
    folder: Path
    now: Callable[[], datetime]
    step: Step = _no_step
    waiting: dict[str, datetime] = field(default_factory=dict)

    async def resume(self) -> None:
        """After a start: calls that had ended before are looked at again."""
        async with self.store.site(self.site, ACTOR) as tx:
            for state in ("live", "ended"):
                after: str | None = None
                while True:
                    page = await calls.page(tx, calls.Filter(state=state), after, 200)
                    for one in page.items:
                        await events.mark_due(tx, "call", one.call.id)
                    if (after := page.next) is None:
                        break

    async def turn(self) -> int:
        """Fold what has news and finish what is complete or late; how many pieces of work were done."""
        done = 0
        while True:
            async with self.store.site(self.site, ACTOR) as tx:
                due = await events.take_due(tx, 20)
                for one in due:
                    await (self._call(tx, one.id) if one.kind == "call" else self._seat(tx, one.id))
            done += len(due)
            if not due:
                break
        for name in [name for name, until in self.waiting.items() if until <= self.now()]:
            try:
                await self._finish(name)
            except (OSError, SpoolError, AudioError, StoreFull) as error:  # this call waits; the others go on
                log.error("call.not_assembled", call=name, says=str(error))
                self.waiting[name] = self.now() + LATE
                continue
            self.waiting.pop(name, None)  # only now: a database that went away meanwhile leaves it waiting
            done += 1
        return done

    async def _call(self, tx: Tx, name: str) -> None:
        told = await _events(tx, name)
        marks = await spools.marks(tx, name)
        if not told and not marks:
            return
        call = fold_call(told) if told else Call(name)
        await ledger.hold_subject(tx, f"call:{name}")  # a worker that scores it now writes the row, too
        before = await calls.find(tx, name)
        legs = _legs(call, marks)
        ended = call.end is not None or (not told and all(leg.ended for leg in legs.values()))
        state = "ended" if ended else "live"
        first = min([event.at for event in told] or [mark.at for mark in marks if mark.at] or [self.now()])
        fresh = rows.row(call, told, first, state, self.zone)
        fresh.folded["audio"] = {leg: {"started": one.started, "ended": one.ended} for leg, one in legs.items()}
        if before is not None and _same(before, fresh) and before.state not in ("live", "ended"):
            return
        await calls.upsert(tx, fresh)
        if ended:
            complete = bool(told) and _complete(call, legs)
            self.waiting.setdefault(name, self.now() + LATE)
            if complete:
                self.waiting[name] = self.now()

    async def _finish(self, name: str) -> None:
        """Assemble what there is of an ended call and leave the rest to a durable job."""
        async with self.store.site(self.site, ACTOR) as tx:
            told = await _events(tx, name)
            marks = await spools.marks(tx, name)
            settled = await self._settled(tx, name)
        recording = await self._recorded(name, told, marks, settled)
        async with self.store.site(self.site, ACTOR) as tx:
            await ledger.hold_subject(tx, f"call:{name}")
            kept = await _keep(tx, recording) if recording is not None else True
            if settled is not None and recording is None:
                await _align(tx, settled, told)
            row = replace(await calls.get(tx, name), state="recorded")
            await calls.upsert(tx, row)
            heard = [(one.audio_sha, one.answer_ms, one.gaps) for one in await recordings.of_call(tx, name)]
            await queue.enqueue(tx, HEAR, {"call": name}, f"{name}/{_digest(row.folded, heard)}")
        if recording is not None and not kept:
            await asyncio.to_thread((self.folder / recording.path).unlink, missing_ok=True)
        ms, gaps = (recording.duration_ms, len(recording.gaps)) if recording else (0, 0)
        log.info("call.assembled", call=name, ms=ms, gaps=gaps)

    async def _settled(self, tx: Tx, name: str) -> recordings.Recording | None:
        """The recording that stands where part of the spool has gone: what is left alone would give less than it."""
        there = {path.stem for path in all_files(self.spool)}
        gone = set(await spools.of_call(tx, name)) - there
        return next(iter(await recordings.of_call(tx, name)), None) if gone else None

    async def _recorded(
        self,
        name: str,
        told: Sequence[Event],
        marks: Iterable[spools.LegMark],
        settled: recordings.Recording | None,
    ) -> recordings.Recording | None:
        call = fold_call(told) if told else Call(name)
        audio = await asyncio.to_thread(self._audio, name, _legs(call, marks), told)
        if settled is None:
            one = await asyncio.to_thread(assemble, audio, call.answered_at, call.ended_at)
        else:
            one = await asyncio.to_thread(self._added, settled, audio)
        await self.step("assembled")
        if one is None:
            return None
        recording = await asyncio.to_thread(self._write, name, one)
        await self.step("written")
        return recording

    def _audio(self, name: str, legs: dict[str, Leg], told: Sequence[Event]) -> dict[str, tuple[str, LegAudio]]:
        found: dict[str, tuple[str, LegAudio]] = {}
        for leg, what in legs.items():
            try:
                audio = read_leg(self.spool, name, leg, aliases(told, name, leg))
            except SpoolError:
                continue  # registered, but never a sample of it: the assembler maps the hole
            found[leg] = (what.role, audio)
        return found

    def _added(self, settled: recordings.Recording, audio: dict[str, tuple[str, LegAudio]]) -> Assembled | None:
        """The stored recording with what came since; None when it had everything."""
        kind: Literal["split", "mixed"] = "split" if len(settled.roles) == 2 else "mixed"
        pcm = decode(self.folder / settled.path).pcm
        stands = Assembled(pcm, settled.roles, kind, settled.answer_ms or 0, settled.gaps, settled.origin_at)
        return add(stands, audio)

    def _write(self, name: str, one: Assembled) -> recordings.Recording:
        key = uuid5(NAMESPACE_URL, f"seatwatch:{self.site}:{name}")  # files are named by ids of our own
        shelf = Path(self.site) / key.hex[:2]
        fresh = self.folder / shelf / f"{key}.new"
        sha = write(one, fresh)
        path = shelf / f"{key}-{sha[:12]}.flac"  # other sound, other name: what stands is never written over
        put(fresh, self.folder / path)
        return recordings.Recording(
            call=name,
            path=str(path),
            audio_sha=sha,
            format="flac",
            rate=RATE,
            channels=len(one.roles),
            size_bytes=(self.folder / path).stat().st_size,
            duration_ms=one.duration_ms,
            answer_ms=one.answer_ms,
            roles=one.roles,
            gaps=one.gaps,
            origin_at=one.origin_at,
        )

    async def _seat(self, tx: Tx, name: str) -> None:
        told = [event for event in await _seat_events(tx, name) if event.type in ("seat", "presence", "answered")]
        if not told:
            return
        folded = fold_seat(told)
        found = [_episode(one, self.zone) for one in away_episodes(folded)]
        before = {one.id: one for one in await _stored_away(tx, name)}
        await seats.replace(tx, name, _stretches(folded))
        await seats.replace_away(tx, name, found)
        for one in found:
            if one.until_at is not None and before.get(one.id) != one:
                await queue.enqueue(tx, SCORE_AWAY, {"episode": one.id}, f"{one.id}/{_digest(asdict(one))}")
        for gone in before.keys() - {one.id for one in found}:
            one = before[gone]
            if one.until_at is not None:  # it may have been scored: what no longer stands must not cost anything
                job = {"episode": gone, "withdrawn": _withdrawn(one)}
                await queue.enqueue(tx, SCORE_AWAY, job, f"{gone}/withdrawn")

    async def tidy(self) -> int:
        """Remove spool files that tailer and assembler have both passed; how many went."""
        gone = 0
        for path in all_files(self.spool):
            held = await asyncio.to_thread(contents, path)
            if held.retired and await self._passed(path.stem, held):
                await asyncio.to_thread(release, path, held.last_rowid, held.legs)
                gone += 1
        return gone

    async def _passed(self, spool: str, held: Contents) -> bool:
        """Carried whole, and every call that has audio in it is assembled with nothing new since."""
        async with self.store.site(self.site, ACTOR) as tx:
            if await spools.cursor(tx, spool) < held.last_rowid or await events.count_due(tx):
                return False
            for name in {call for call, _ in held.legs}:
                call = await calls.find(tx, await spools.call_of(tx, name) or name)
                if call is None or call.state in ("live", "ended"):
                    return False
        return True


async def _keep(tx: Tx, one: recordings.Recording) -> bool:
    """Store it; False when this very sound stood already and its small copy has taken its place."""
    if await recordings.add(tx, one):
        return True
    await recordings.align(tx, one.call, one.answer_ms, one.gaps)
    return one.path in {other.path for other in await recordings.of_call(tx, one.call)}


async def _align(tx: Tx, stands: recordings.Recording, told: Sequence[Event]) -> None:
    """Signalling that came after the spool had gone moves the answer within the recording."""
    call = fold_call(told) if told else None
    if call is not None and call.answered_at is not None and stands.origin_at is not None:
        moved = aligned(stands.origin_at, stands.answer_ms or 0, stands.gaps, call.answered_at)
        await recordings.align(tx, stands.call, *moved)


def _digest(*values: object) -> str:
    """One name for these contents, so that a job for other contents is another job."""
    told = json.dumps(values, default=str, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


async def _stored_away(tx: Tx, seat: str) -> list[seats.AwayEpisode]:
    found: list[seats.AwayEpisode] = []
    after: str | None = None
    while True:
        page = await seats.page_away(tx, seat, after, 200)
        found += page.items
        if (after := page.next) is None:
            return found


def _withdrawn(one: seats.AwayEpisode) -> dict[str, str | None]:
    """What a worker needs to say of an episode that later news have taken back."""
    return {"seat": one.seat, "agent": one.agent, "at": one.at.isoformat(), "status": one.status, "source": one.source}


def _legs(call: Call, marks: Iterable[spools.LegMark]) -> dict[str, Leg]:
    """Legs by name: what events registered, and what the spool's marks say of each."""
    legs = {name: Leg(role, False, False) for name, role in call.legs.items()}
    for mark in marks:
        old = legs.get(mark.leg, Leg("unknown", False, False))
        if mark.kind == "start":
            role = old.role if old.role != "unknown" else str(mark.body.get("role", "unknown"))
            legs[mark.leg] = Leg(role, True, False)
        elif mark.kind == "end":
            legs[mark.leg] = replace(old, ended=True)
    return legs


def _complete(call: Call, legs: dict[str, Leg]) -> bool:
    """Nothing more to wait for: no conversation, or every registered leg began and is over."""
    if call.answered_at is None:
        return all(leg.ended or not leg.started for leg in legs.values())
    return bool(legs) and all(leg.started and leg.ended for leg in legs.values())


def _same(before: calls.Call, fresh: calls.Call) -> bool:
    return replace(before, state=fresh.state) == fresh


async def _events(tx: Tx, call: str) -> list[Event]:
    return _parsed(await events.for_call(tx, call))


async def _seat_events(tx: Tx, seat: str) -> list[Event]:
    return _parsed(await events.for_seat(tx, seat))


def _parsed(stored: Iterable[events.StoredEvent]) -> list[Event]:
    """Stored events were checked when they came in; one that an older release took and this one refuses is left out."""
    read = [(one, parse_event(one.body)) for one in stored]
    for one, event in read:
        if not isinstance(event, Event):
            log.warning("event.unreadable", source=one.source, id=one.id, field=event.field, reason=event.reason)
    return [event for _, event in read if isinstance(event, Event)]


def _episode(one: Away, zone: ZoneInfo) -> seats.AwayEpisode:
    return seats.AwayEpisode(
        id=f"{one.seat}:{one.at.astimezone(UTC).isoformat()}",
        seat=one.seat,
        at=one.at,
        agent=one.agent,
        until_at=one.until,
        day=one.at.astimezone(zone).date(),
        away_ms=one.away_ms,
        ready_ms=one.ready_ms,
        status=one.status,
        source=one.source,
        contradicted=one.contradicted,
    )


def _stretches(folded: SeatLog) -> list[seats.Stretch]:
    states = [
        seats.Stretch(
            seat=folded.seat,
            kind="status",
            at=one.at,
            until_at=one.until,
            value=one.state,
            reason=one.reason,
            confidence=one.confidence,
            agent=one.agent,
        )
        for one in folded.intervals
    ]
    seen = [
        seats.Stretch(
            seat=folded.seat,
            kind="presence",
            at=one.at,
            until_at=one.until,
            value=one.present,
            source=one.by,
            agent=one.agent,
        )
        for one in folded.presence
    ]
    return states + seen
