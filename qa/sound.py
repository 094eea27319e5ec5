"""From the spool to a file on the shelf: the recording of one part of a call, new or with what came since it was made.

Reads spool files and earlier recordings, writes recordings; decides neither what a call was nor when it is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from ingest.binding import aliases
from ingest.callvalue import Call
from ingest.errors import SpoolError
from ingest.events import Event
from ingest.legs import LegAudio
from ingest.spool import all_files, read_leg
from qa.assemble import RATE, Assembled, assemble, put, write
from qa.jobs import Step
from qa.late import add, aligned
from qa.store import recordings, spools
from qa.store.pool import Tx
from qa.windows import Legs, of_part
from speech.audio import decode

BEYOND = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Leg:
    """What the marks say of one leg: whose it is, since when, whether it is over."""

    role: str
    started: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class Material:
    """All that a recording of one part is made from.

    ``stands`` is the one of which part of the spool has gone; ``base`` one of the whole conversation, made before
    anybody knew that it had parts; ``adopted`` those of legs that were kept as calls, by their one-time name.
    """

    id: str
    call: Call  # the whole conversation
    number: int  # which part of it, from 1
    told: Sequence[Event]
    legs: Mapping[str, Leg]
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


def legs_of(call: Call, marks: Sequence[spools.LegMark]) -> dict[str, Leg]:
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


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a site's recordings lie, and the spool that they are made from."""

    site: str
    spool: Path
    folder: Path
    step: Step

    async def material(
        self, tx: Tx, id: str, call: Call, number: int, told: Sequence[Event], legs: Mapping[str, Leg]
    ) -> Material:
        """With what was recorded before, where part of the spool has gone: what is left alone would give less."""
        there = {path.stem for path in all_files(self.spool)}
        what = Material(id, call, number, told, legs)
        if not set(await spools.of_call(tx, call.id)) - there:
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

    async def recorded(self, what: Material) -> recordings.Recording | None:
        """The recording, on the disk; None where there is no sound, or nothing new to what stands."""
        whole = await asyncio.to_thread(self._audio, what)
        audio = of_part(what.call, what.number, whole)
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

    def _audio(self, what: Material) -> Legs:
        found: dict[str, tuple[str, LegAudio]] = {}
        if what.base is not None and what.base.origin_at is not None:
            return {role: (role, self._kept(what.base, role)) for role in what.base.roles}
        for leg, known in what.legs.items():
            names = aliases(what.told, what.call.id, leg)
            try:
                found[leg] = (known.role, read_leg(self.spool, what.call.id, leg, names))
            except SpoolError:  # registered, but no sample of it here: adopted from before, or a hole for the map
                kept = next((what.adopted[name] for name in names if name in what.adopted), None)
                if kept is not None and kept.origin_at is not None:
                    found[leg] = (known.role, self._kept(kept, known.role))
        return found

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
