"""From the spool to a file on the shelf: the recording of one part of a call, new or with what came since it was made.

Reads spool files and earlier recordings, writes recordings; decides neither what a call was nor when it is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from ingest.binding import aliases
from ingest.callvalue import Call
from ingest.events import Event
from ingest.legs import LegAudio
from ingest.pieces import Refused, machine
from ingest.spool import read_uses
from qa.assemble import RATE, Assembled, assemble, put, write
from qa.handover import Places
from qa.jobs import Step
from qa.late import add, aligned
from qa.store import recordings, spools
from qa.store.pool import Tx
from qa.windows import Legs, of_part
from speech.audio import decode

BEYOND = timedelta(seconds=2)
NOT_HANDED_OVER = "not_handed_over"  # it is stored on another machine, which has not given it out yet


@dataclass(frozen=True, slots=True)
class Leg:
    """What the marks say of one leg: whose it is, whether it has begun and is over; its first ``start``, how long it
    is where that was said, and which processes have pieces of it."""

    role: str
    started: bool
    ended: bool
    start: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 0
    homes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Material:
    """All that a recording of one part is made from.

    ``files`` are those that can be read now, by process; ``absent`` the processes that have more, not handed over yet.
    ``stands`` is the one of which part of the spool has gone; ``base`` one of the whole conversation, made before
    anybody knew that it had parts; ``adopted`` those of legs that were kept as calls, by their one-time name.
    """

    id: str
    call: Call  # the whole conversation
    number: int  # which part of it, from 1
    told: Sequence[Event]
    legs: Mapping[str, Leg]
    files: Mapping[str, Sequence[Path]]
    absent: frozenset[str] = frozenset()
    stands: recordings.Recording | None = None
    base: recordings.Recording | None = None
    adopted: Mapping[str, recordings.Recording] = field(default_factory=dict)

    @property
    def met_at(self) -> datetime | None:
        """Zero of the recording: when this part first had the customer."""
        return self.call.parts[self.number - 1].met_at if len(self.call.parts) > 1 else self.call.answered_at

    @property
    def left_at(self) -> datetime | None:
        parts = self.call.parts
        return parts[self.number - 1].left_at or self.call.ended_at if len(parts) > 1 else self.call.ended_at


@dataclass(slots=True)
class Found:
    """What reading the spool came to, beside the sound: the files with rows of the call, and audio that is nobody's."""

    files: set[str] = field(default_factory=set)
    refused: list[spools.RefusedAudio] = field(default_factory=list)


def legs_of(call: Call, marks: Sequence[spools.LegMark]) -> dict[str, Leg]:
    """Legs by name: what events registered, and what the spool's marks say of each.

    A leg that wandered from one machine to another is over once each of them says so.
    """
    legs = {name: Leg(role, False, False) for name, role in call.legs.items()}
    open_at: dict[str, set[str]] = {}  # machines that have begun a leg and not ended it
    for mark in marks:
        old, where = legs.get(mark.leg, Leg("unknown", False, False)), machine(mark.home or "")
        going = open_at.setdefault(mark.leg, set())
        homes = old.homes | {mark.home or ""}
        if mark.kind == "start":
            role = old.role if old.role != "unknown" else str(mark.body.get("role", "unknown"))
            going.add(where)
            legs[mark.leg] = Leg(role, True, False, old.start or mark.body, old.samples, homes)
        elif mark.kind == "end":
            going.discard(where)
            samples = max(old.samples, int(mark.body.get("samples", 0)))
            legs[mark.leg] = replace(old, ended=not going, samples=samples, homes=homes)
        elif mark.leg in legs:
            legs[mark.leg] = replace(old, homes=homes)
    return legs


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a site's recordings lie, and the spools that they are made from."""

    site: str
    places: Places
    folder: Path
    step: Step

    async def absent(self, tx: Tx, call: str, marks: Sequence[spools.LegMark], there: Collection[str]) -> set[str]:
        """Processes of other machines that have more of these legs, in files that cannot be read here now."""
        if self.places.shared is None:
            return set()
        unseen = await spools.handed(tx, set(await spools.of_call(tx, call)) - set(there))
        missing = {one.home for one in unseen.values() if not one.released}  # the folder is away
        spans: dict[str, tuple[str, str]] = {}
        going: dict[str, set[tuple[str, str]]] = {}
        for mark in marks:
            if mark.home is None or machine(mark.home) == self.places.machine:
                continue
            first, last = spans.get(mark.home, (mark.spool, mark.spool))
            spans[mark.home] = min(first, mark.spool), max(last, mark.spool)
            name, still = (mark.call, mark.leg), going.setdefault(mark.home, set())
            (still.discard if mark.kind == "end" else still.add)(name)
        for home, (first, last) in spans.items():
            upto = None if going[home] else last  # a leg that is not over may go on in any later file
            if await spools.awaited(tx, home, first, upto):
                missing.add(home)
        return missing

    async def material(
        self, tx: Tx, id: str, call: Call, number: int, told: Sequence[Event], legs: Mapping[str, Leg],
        marks: Sequence[spools.LegMark] = (),
    ) -> Material:  # fmt: skip
        """With what was recorded before, where part of the spool has gone: what is left alone would give less."""
        files = await asyncio.to_thread(self.places.processes)
        holding, there = set(await spools.of_call(tx, call.id)), stems(files)
        absent = await self.absent(tx, call.id, marks, there)
        what = Material(id, call, number, told, legs, self.places.of(files, holding), frozenset(absent))
        unseen = holding - there
        if not (await spools.gone(tx, unseen) if self.places.shared is not None else unseen):
            return what
        stands = next(iter(await recordings.of_call(tx, id)), None)
        if len(call.parts) > 1 and (stands is None or _longer(stands, what.left_at)):
            first = await recordings.of_call(tx, call.id)
            base = max(first, key=lambda one: one.duration_ms, default=None)
            return replace(what, base=base)
        adopted = {}
        for leg in legs:
            for name in aliases(told, call.id, leg):
                if kept := await recordings.of_call(tx, name):
                    adopted[name] = kept[0]
        return replace(what, stands=stands, adopted=adopted)

    async def recorded(self, what: Material, found: Found) -> recordings.Recording | None:
        """The recording, on the disk; None where there is no sound, or nothing new to what stands."""
        call, whole = await asyncio.to_thread(self._audio, what, found)
        audio = of_part(call, what.number, whole)
        if what.stands is None:
            one = await asyncio.to_thread(assemble, audio, what.met_at, what.left_at)
        else:
            one = await asyncio.to_thread(self._added, what.stands, audio)
        await self.step("assembled")
        if one is None:
            return None
        recording = await asyncio.to_thread(self._write, what.id, one)
        await self.step("written")
        return recording

    def drop(self, recording: recordings.Recording) -> None:
        (self.folder / recording.path).unlink(missing_ok=True)

    def _audio(self, what: Material, found: Found) -> tuple[Call, Legs]:
        """The sound of each leg; what came under its name elsewhere is a leg beside it, of the same seat."""
        if what.base is not None and what.base.origin_at is not None:
            return what.call, {role: (role, self._kept(what.base, role)) for role in what.base.roles}
        legs: dict[str, tuple[str, LegAudio]] = {}
        seats = dict(what.call.leg_seats)
        for leg, known in what.legs.items():
            names = aliases(what.told, what.call.id, leg)
            uses = read_uses(what.files, what.call.id, leg, names, lambda path: found.files.add(path.stem))
            found.refused += [_refused(leg, one) for one in uses.refused]
            audio = uses.audio or self._adopted(what, names, known.role)  # None: a hole for the map
            if known.started and known.homes & what.absent:
                audio = _pending(audio, known, what.left_at)
            if audio is None:
                continue
            legs[leg] = known.role, audio
            for number, beside in enumerate(uses.beside, 2):
                legs[name := f"{leg}@{number}"] = known.role, beside
                seats |= {name: seats[leg]} if leg in seats else {}
        return replace(what.call, leg_seats=seats), legs

    def _adopted(self, what: Material, names: Sequence[str], role: str) -> LegAudio | None:
        """Audio that was recorded before anybody knew whose it was."""
        kept = next((what.adopted[name] for name in names if name in what.adopted), None)
        return self._kept(kept, role) if kept is not None and kept.origin_at is not None else None

    def _kept(self, kept: recordings.Recording, role: str) -> LegAudio:
        """One party's sound as it was put away before."""
        pcm = decode(self.folder / kept.path).pcm
        own = kept.roles.index(role) if role in kept.roles else int(np.argmax(np.abs(pcm).max(axis=1)))
        samples = pcm[own].astype("<i2")
        shift, lost = kept.answer_ms or 0, []
        for gap in kept.gaps:
            if gap["role"] == kept.roles[own]:
                first = max(0, gap["start_ms"] + shift) * RATE // 1000
                last = min(len(samples), (gap["end_ms"] + shift) * RATE // 1000)
                lost += [(first, last - first, str(gap["cause"]))] if first < last else []
        return LegAudio(
            RATE, "slin", kept.origin_at, [(0, samples.tobytes())], lost, "end", role, len(samples)
        )  # fmt: skip

    def _added(self, settled: recordings.Recording, audio: Legs) -> Assembled | None:
        """The stored recording with what came since; None when it had everything."""
        if not any(leg.samples for _, leg in audio.values()):
            return None  # before a long recording is read for nothing
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


def stems(files: Mapping[str, Sequence[Path]]) -> set[str]:
    return {path.stem for paths in files.values() for path in paths}


def _refused(leg: str, one: Refused) -> spools.RefusedAudio:
    return spools.RefusedAudio(leg, one.process, one.began_at, one.why)


def _pending(audio: LegAudio | None, known: Leg, until: datetime | None) -> LegAudio | None:
    """A leg of which files are still on another machine: what is not there yet is a gap that says so."""
    said = known.start
    if audio is None:
        begun = datetime.fromisoformat(said["at"])
        audio = LegAudio(said["rate"], said["encoding"], begun, [], [], None, known.role)
    samples = known.samples
    if not known.ended and until is not None and audio.started_at is not None:
        samples = max(samples, int((until - audio.started_at).total_seconds() * audio.rate))
    gaps = [(at, count, NOT_HANDED_OVER if cause == "missing" else cause) for at, count, cause in audio.gaps]
    if samples > audio.samples:
        gaps.append((audio.samples, samples - audio.samples, NOT_HANDED_OVER))
    return replace(audio, gaps=gaps, samples=max(samples, audio.samples)) if samples or audio.samples else None


def _longer(one: recordings.Recording, until: datetime | None) -> bool:
    """It goes on after this part had left: nobody knew then that there was another one."""
    end = one.origin_at and one.origin_at + timedelta(milliseconds=one.duration_ms) - BEYOND
    return end is not None and until is not None and end > until


async def keep(tx: Tx, one: recordings.Recording) -> bool:
    """Store it; False when this very sound stood already and its small copy has taken its place."""
    if await recordings.add(tx, one):
        return True
    await recordings.align(tx, one.call, one.answer_ms, one.gaps)
    return one.path in {other.path for other in await recordings.of_call(tx, one.call)}


async def align(tx: Tx, stands: recordings.Recording, met_at: datetime | None) -> None:
    """Signalling that came after the spool had gone moves the answer within the recording."""
    if met_at is not None and stands.origin_at is not None:
        moved = aligned(stands.origin_at, stands.answer_ms or 0, stands.gaps, met_at)
        await recordings.align(tx, stands.call, *moved)
