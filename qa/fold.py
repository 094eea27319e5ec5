"""Runs the folds where the events meet: calls and seats with news are folded again, ended calls are assembled.

One transaction claims a piece of news, folds and stores; a rollback gives it back. It transcribes and scores nothing:
that is a durable job, enqueued in the same transaction as the recording.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from ingest.callvalue import Call
from ingest.errors import SpoolError
from ingest.events import Event
from ingest.events import Leg as LegEvent
from ingest.session import fold_call
from ingest.spool import Contents, all_files, contents, release, remove
from ingest.whose import asked, assigned
from qa import calls as rows
from qa import seatfold
from qa.handover import Places
from qa.jobs import HEAR, Step
from qa.seatfold import digest, parsed
from qa.sound import Found, Leg, Material, Shelf, align, keep, legs_of, stems
from qa.store import calls, events, ledger, queue, recordings, seating, spools
from qa.store.errors import StoreAway, StoreBusy, StoreFull
from qa.store.pool import Store, Tx
from speech.errors import AudioError

ACTOR = "fold"
LONGEST = timedelta(hours=1)  # between two tries of what cannot be folded
LATE = timedelta(seconds=30)  # media or signalling that is still missing is not waited for any longer
HANDED_LATE = timedelta(minutes=2)  # so long an ended call waits for files of other machines that are on their way
LOOK = timedelta(seconds=2)
SILENT = timedelta(hours=4)  # a call of which nothing at all was heard for so long is taken for over
NO_SIGNALLING, NO_MEDIA, ADOPTED = "no signalling", "no media", "adopted"
LEGS_OVER, NOTHING_CAME = "legs_over", "silent"
log = structlog.get_logger(__name__)


async def _no_step(_: str) -> None:
    """Nobody watches the steps."""


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that is stored of one conversation, folded."""

    call: Call
    told: Sequence[Event]
    marks: Sequence[spools.LegMark]
    legs: dict[str, Leg]

    @property
    def signalled(self) -> bool:
        """Somebody said more of it than whose audio comes."""
        return any(not isinstance(event, LegEvent) for event in self.told)

    @property
    def heard(self) -> bool:
        return any(leg.started for leg in self.legs.values())

    @property
    def silent(self) -> bool:
        """All its audio is over."""
        begun = [leg for leg in self.legs.values() if leg.started]
        return bool(begun) and all(leg.ended for leg in begun)


@dataclass(slots=True)
class Folder:
    """The folds of one site. ``now`` is the clock; ``waiting`` holds ended calls whose audio is not complete,
    ``open`` when a call that nobody ends is looked at again, ``aside`` what could not be folded: until when, and how
    long that wait was. Where machines share the database, ``shared`` is the folder of their spool files, ``machine``
    this one's name, ``patience`` until when a call waits for their files, ``late`` calls of which files came later."""

    store: Store
    site: str
    zone: ZoneInfo
    spool: Path
    folder: Path
    now: Callable[[], datetime]
    step: Step = _no_step
    silent_after: timedelta = SILENT
    reasons: Mapping[str, str] = field(default_factory=dict)
    waiting: dict[str, datetime] = field(default_factory=dict)
    open: dict[str, datetime] = field(default_factory=dict)
    aside: dict[tuple[events.Kind, str], tuple[datetime, timedelta]] = field(default_factory=dict)
    shared: Path | None = None
    machine: str = ""
    patience: dict[str, datetime] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.site, Places(self.spool, self.shared, self.machine), self.folder, self.step)

    async def resume(self) -> None:
        """After a start: calls that had ended before are looked at again."""
        async with self.store.site(self.site, ACTOR) as tx:
            for state in ("live", "ended"):
                after: str | None = None
                while True:
                    page = await calls.page(tx, calls.Filter(state=state), after, 200)
                    for one in page.items:
                        await events.mark_due(tx, "call", one.call.conversation or one.call.id)
                    if (after := page.next) is None:
                        break

    async def turn(self) -> int:
        """Fold what has news and finish what is complete or late; how many pieces of work were done."""
        return await self.fold() + await self.finish()

    async def fold(self) -> int:
        """Everything that has news, folded: what the floor looks at, so nothing slow is done here."""
        done = 0
        while True:
            async with self.store.site(self.site, ACTOR) as tx:
                await self._ask_again(tx)
                due = await events.take_due(tx, 20)
                for one in sorted(due, key=lambda one: one.kind, reverse=True):  # who sits where, then whose calls
                    await self._one(tx, one)
            done += len(due)
            if not due:
                break
        return done + await self._give_up()

    async def finish(self) -> int:
        """Assemble the ended calls whose audio is complete or late. May run beside ``fold``, not beside itself."""
        done = 0
        ready = {name: until for name, until in self.waiting.items() if until <= self.now()}
        there = await self._there() if ready else set()
        for name, until in ready.items():
            self.waiting.pop(name, None)  # what is told of it from here on makes it wait anew
            try:
                if await self._awaits(name, there):
                    continue
                await self._finish(name)
            except (StoreAway, StoreBusy, asyncio.CancelledError):
                self.waiting.setdefault(name, until)
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, this call waits and the others go on
                known = isinstance(error, OSError | SpoolError | AudioError | StoreFull)
                log.error("call.not_assembled", call=name, says=str(error) if known else repr(error)[:500])
                self.waiting.setdefault(name, self.now() + LATE)
                continue
            done += 1
        return done

    async def _one(self, tx: Tx, due: events.Due, given_up: bool = False) -> None:
        """A call or seat that cannot be folded is undone and set aside: it must not hold up all the others."""
        name = (due.kind, due.id)
        try:
            async with tx.apart():
                if due.kind == "call":
                    await self._call(tx, due.id, given_up)
                else:
                    await seatfold.fold(tx, due.id, self.zone, due.from_at, self.reasons)
        except (StoreAway, StoreBusy, StoreFull):
            raise
        except Exception as error:
            wait = min(2 * self.aside[name][1], LONGEST) if name in self.aside else LATE
            self.aside[name] = (self.now() + wait, wait)
            log.error("fold.set_aside", what=due.kind, id=due.id, says=repr(error)[:500], exc_info=True)
        else:
            self.aside.pop(name, None)

    async def _ask_again(self, tx: Tx) -> None:
        """What was set aside is tried again after a while, each time a longer one."""
        for (kind, id), (at, wait) in list(self.aside.items()):
            if at <= self.now():
                self.aside[kind, id] = (at + wait, wait)
                await events.mark_due(tx, kind, id)

    async def _give_up(self) -> int:
        """Look again at open calls of which nothing came for too long."""
        late = [name for name, until in self.open.items() if until <= self.now()]
        for name in late:
            async with self.store.site(self.site, ACTOR) as tx:
                await self._one(tx, events.Due("call", name, self.now()), given_up=True)
        return len(late)

    async def _known(self, tx: Tx, name: str) -> Known:
        told = parsed(await events.for_call(tx, name))
        marks = await spools.marks(tx, name)
        call = fold_call(told) if told else Call(name)
        names = {(seat, at): await self._whose(tx, seat, at) for seat, at in asked(call)}
        call = assigned(call, lambda seat, at: names.get((seat, at)))
        return Known(call, told, marks, legs_of(call, marks))

    async def _whose(self, tx: Tx, seat: str, at: datetime) -> str | None:
        local = at.astimezone(self.zone).replace(tzinfo=None)
        return await seating.logged_in(tx, seat, at) or await seating.planned(tx, seat, local)

    async def _call(self, tx: Tx, name: str, given_up: bool = False) -> None:
        self.open.pop(name, None)
        known = await self._known(tx, name)
        if (not known.told and not known.marks) or await spools.call_of(tx, name) not in (None, name):
            return  # nothing of its own, or audio that belongs to a call with another name
        await ledger.hold_subject(tx, f"call:{name}")  # a worker that scores it now writes the row, too
        await self._adopt(tx, known)
        before = {one.id: one for one in await calls.parts(tx, name)}
        ended = known.call.end is not None or (not known.signalled and known.silent)
        why = None if ended else self._over(before.get(name), known, given_up)
        if not ended and why is None:
            self.open[name] = self.now() + self._patience(before.get(name), known, given_up)
        fresh = self._rows(known, before.get(name), ended or why is not None, why, given_up)
        late = name in self.late
        for one in fresh:
            await self._put(tx, before.get(one.id), one, known, late)
        self.late.discard(name)
        for gone in before.keys() - {one.id for one in fresh}:
            await self._withdraw(tx, before[gone])

    def _over(self, before: calls.Call | None, known: Known, given_up: bool) -> str | None:
        """Why a call that nobody ended is over all the same; an orphan is shown as one before it is given up."""
        shown = known.signalled or (before is not None and before.orphan is not None)
        if (given_up and shown) or self._stays_over(before, known):
            return LEGS_OVER if known.silent else NOTHING_CAME
        return None

    def _patience(self, before: calls.Call | None, known: Known, given_up: bool) -> timedelta:
        """How long an open call is left alone: all its audio is over, nobody has signalled it, or it simply goes on."""
        orphan = given_up or (before is not None and before.orphan is not None)
        soon = known.silent if known.signalled else not orphan
        return LATE if soon else self.silent_after

    def _stays_over(self, before: calls.Call | None, known: Known) -> bool:
        """It was taken for over, and nothing has come since that says anything else."""
        if before is None or before.concluded is None:
            return False
        again = self._rows(known, before, True, before.concluded, True)[0]
        return _same(before, again)

    def _rows(
        self, known: Known, before: calls.Call | None, ended: bool, why: str | None, given_up: bool
    ) -> list[calls.Call]:
        state = "ended" if ended else "live"
        moments = [event.at for event in known.told] or [mark.at for mark in known.marks if mark.at]
        first = min(moments or [self.now()])
        fresh = rows.part_rows(known.call, known.told, first, state, self.zone, over=why is not None)
        audio = {leg: {"started": one.started, "ended": one.ended} for leg, one in known.legs.items()}
        orphan = NO_SIGNALLING if not known.signalled and (given_up or (before and before.orphan)) else None
        return [
            one  # nobody talked, and when it was over is known
            if rows.was_missed(one)
            else replace(one, folded={**one.folded, "audio": audio}, concluded=why, orphan=orphan)
            for one in fresh
        ]

    async def _put(self, tx: Tx, before: calls.Call | None, fresh: calls.Call, known: Known, late: bool) -> None:
        if before is not None and _same(before, fresh) and before.state not in ("live", "ended") and not late:
            return
        if before == fresh and rows.was_missed(fresh) and fresh.state == "live":
            return  # a long wait may have many
        if fresh.id != known.call.id:
            await ledger.hold_subject(tx, f"call:{fresh.id}")
        await calls.upsert(tx, fresh)
        if fresh.state == "ended":
            self.waiting.setdefault(fresh.id, self.now() + LATE)
            if fresh.concluded or (known.told and known.call.end is not None and _complete(known.call, known.legs)):
                self.waiting[fresh.id] = self.now()

    async def _withdraw(self, tx: Tx, gone: calls.Call) -> None:
        """A part that later news took back: nobody's any more, and whatever it cost is taken back with it."""
        if gone.folded.get("withdrawn"):
            return
        await ledger.hold_subject(tx, f"call:{gone.id}")
        await calls.upsert(tx, rows.withdrawn(gone))
        self.waiting[gone.id] = self.now()

    async def _adopt(self, tx: Tx, known: Known) -> None:
        """Audio that was kept as a call of its own while nobody knew whose it was."""
        for name in {mark.call for mark in known.marks} - {known.call.id}:
            orphan = await calls.find(tx, name)
            if orphan is not None and orphan.orphan != ADOPTED:
                await ledger.hold_subject(tx, f"call:{name}")
                await calls.upsert(tx, replace(rows.withdrawn(orphan), conversation=known.call.id, orphan=ADOPTED))
                self.open.pop(name, None)
                self.waiting[name] = self.now()

    async def _there(self) -> set[str]:
        """The spool files that can be read now; of one machine, whatever it has."""
        return stems(await asyncio.to_thread(self.shelf.places.processes)) if self.shared is not None else set()

    async def _awaits(self, name: str, there: set[str]) -> bool:
        """Files of other machines that may hold some of it are on their way: it waits for them, but not for ever."""
        if self.shared is None:
            return False
        async with self.store.site(self.site, ACTOR) as tx:
            row = await calls.get(tx, name)
            call = row.conversation or name
            absent = await self.shelf.absent(tx, call, await spools.marks(tx, call), there)
        if not absent or self.patience.setdefault(name, self.now() + HANDED_LATE) <= self.now():
            self.patience.pop(name, None)
            if absent:
                log.warning("call.not_waited_for", call=name, processes=sorted(absent))
            return False
        self.waiting[name] = self.now() + LOOK
        return True

    async def _finish(self, name: str) -> None:
        """Assemble what there is of an ended part and leave the rest to a durable job."""
        what, found = None, Found()
        async with self.store.site(self.site, ACTOR) as tx:
            row = await calls.get(tx, name)
            known = await self._known(tx, name if row.orphan == ADOPTED else row.conversation or name)
            number = rows.number_of(row)
            gone = bool(row.folded.get("withdrawn")) or rows.was_missed(row)
            stale = gone or number > max(1, len(known.call.parts))
            if not stale:
                what = await self.shelf.material(tx, name, known.call, number, known.told, known.legs, known.marks)
        recording = await self.shelf.recorded(what, found) if what is not None else None
        async with self.store.site(self.site, ACTOR) as tx:
            await ledger.hold_subject(tx, f"call:{name}")
            now = await calls.get(tx, name)
            stands = now.state != "live" and _same(row, now)
            if stands:
                kept = await keep(tx, recording) if recording is not None else True
                if what is not None and what.stands is not None and recording is None:
                    await align(tx, what.stands, what.met_at)
                sound = await recordings.of_call(tx, name)
                await calls.upsert(tx, made := _recorded(now, known, bool(sound)))
                await self._note(tx, known.call.id, what, found)
                heard = [(one.audio_sha, one.answer_ms, one.gaps) for one in sound]
                await queue.enqueue(tx, HEAR, {"call": name}, f"{name}/{digest(made.folded, heard)}")
            else:  # there is news of it, which says other times or parts
                kept = recording is None or recording.path in {one.path for one in await recordings.of_call(tx, name)}
        if recording is not None and not kept:
            await asyncio.to_thread(self.shelf.drop, recording)
        if not stands and now.state != "live":
            self.waiting.setdefault(name, self.now())
        if not stands:
            return
        ms, gaps = (recording.duration_ms, len(recording.gaps)) if recording else (0, 0)
        log.info("call.assembled", call=name, ms=ms, gaps=gaps)

    async def _note(self, tx: Tx, call: str, what: Material | None, found: Found) -> None:
        """Which files it was assembled with, so that one that comes later is not taken for read; what was left out."""
        for one in found.refused:
            if await spools.refuse(tx, call, one):
                log.warning("audio.refused", call=call, leg=one.leg, process=one.home, says=one.why)
        if self.shared is not None:
            there = stems(what.files) if what is not None else await self._there()
            await spools.read(tx, call, found.files | (set(await spools.of_call(tx, call)) & there))

    async def tidy(self) -> int:
        """Remove spool files that tailer and assembler have both passed; how many went."""
        if self.shared is not None:
            return await self._tidy_shared()
        gone = 0
        for path in all_files(self.spool):
            try:
                held = await asyncio.to_thread(contents, path)
                if held.retired and await self._passed(path.stem, held):
                    await asyncio.to_thread(release, path, held.last_rowid, held.legs)
                    gone += 1
            except SpoolError as error:  # it stays, and the others go
                log.warning("spool.kept", says=str(error))
        return gone

    async def _tidy_shared(self) -> int:
        """The same of files that were handed over, without opening one; each machine then takes its own copy away.
        Calls that were assembled before such a file came are assembled anew."""
        assert self.shared is not None
        paths = await asyncio.to_thread(all_files, self.shared)
        async with self.store.site(self.site, ACTOR) as tx:
            handed = await spools.handed(tx, [path.stem for path in paths])
        gone = 0
        for path in paths:
            if path.stem not in handed:
                continue  # its machine is about to say that it is there
            if handed[path.stem].released or await self._released(path.stem):
                await asyncio.to_thread(remove, path)
                gone += 1
        return gone

    async def _released(self, spool: str) -> bool:
        """Whether a file that was handed over is needed no more; from then on it may go."""
        async with self.store.site(self.site, ACTOR) as tx:
            names = await spools.calls_in(tx, spool)
            unread = set(names) - await spools.readers(tx, spool)
            for name in sorted(unread):
                await self._again(tx, name)
            if unread or not await self._assembled(tx, names):
                return False
            await spools.release(tx, spool)
        return True

    async def _again(self, tx: Tx, call: str) -> None:
        """A file came after a call was assembled: it is assembled anew."""
        parts = await calls.parts(tx, call)
        if parts and all(part.state not in ("live", "ended") for part in parts):
            self.late.add(call)
            await events.mark_due(tx, "call", call)

    async def _passed(self, spool: str, held: Contents) -> bool:
        """Carried whole, and every call that has audio in it is assembled with nothing new since."""
        async with self.store.site(self.site, ACTOR) as tx:
            if await spools.cursor(tx, spool) < held.last_rowid:
                return False
            names = {call for call, _ in held.legs}
            return await self._assembled(tx, {await spools.call_of(tx, name) or name for name in names})

    async def _assembled(self, tx: Tx, names: Iterable[str]) -> bool:
        if await events.count_due(tx):
            return False
        for name in names:
            parts = await calls.parts(tx, name)
            if not parts or any(part.state in ("live", "ended") for part in parts):
                return False
        return True


def _recorded(row: calls.Call, known: Known, sound: bool) -> calls.Call:
    """The row of a part that is assembled; where a side of it never came, it says which."""
    orphan = row.orphan
    if orphan != ADOPTED and not row.folded.get("withdrawn"):
        alone = row.conclusion == "answered" and not sound and not known.heard
        orphan = NO_SIGNALLING if not known.signalled else NO_MEDIA if alone else None
    return replace(row, state="recorded", orphan=orphan)


def _complete(call: Call, legs: dict[str, Leg]) -> bool:
    """Nothing more to wait for: no conversation, or every registered leg began and is over."""
    if call.answered_at is None:
        return all(leg.ended or not leg.started for leg in legs.values())
    return bool(legs) and all(leg.started and leg.ended for leg in legs.values())


def _same(before: calls.Call, fresh: calls.Call) -> bool:
    return replace(before, state=fresh.state, orphan=fresh.orphan) == fresh
