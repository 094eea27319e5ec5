"""Puts recordings into the store as calls: events, legs that are over, the sound, and news for the folds.

A call that came this way is a call whose spool has gone: the folds list it, align it with later signalling, and leave
hearing and scoring to the same job as of any other call. The same content twice is once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from ingest.events import Event, Refusal, parse_event, to_json
from ingest.rows import body
from ingest.session import Call, fold_call
from qa.assemble import RATE, put
from qa.intake.placing import SOURCE, Placed, events, first_moment, placed
from qa.intake.plan import Item
from qa.intake.sound import Sound, holes
from qa.record import CallRecord
from qa.store import events as stored
from qa.store import ledger, recordings, records, spools
from qa.store.canon import dumps
from qa.store.pool import Tx


@dataclass(frozen=True, slots=True)
class Ready:
    """A call with its sound, converted and waiting beside the recordings."""

    item: Item
    sound: Sound
    rung: tuple[int, int] | None = None  # rings are heard, and nobody says when the answer was

    @property
    def digest(self) -> str:
        """Names this content, whatever the files were called."""
        told = f"{self.item.call}\n{self.item.record.model_dump_json()}\n{self.sound.sha}"
        return hashlib.sha256(told.encode()).hexdigest()[:24]


@dataclass(slots=True)
class Shelf:
    """Where recordings lie, and what was put there in this transaction: a rollback takes it away again."""

    folder: Path
    site: str
    mark: str = field(default_factory=lambda: uuid4().hex[:12])
    fresh: list[Path] = field(default_factory=list)

    @property
    def incoming(self) -> Path:
        """Where this process converts."""
        return self.folder / self.site / f"incoming-{self.mark}"

    def stage(self, n: int) -> Path:
        return self.incoming / f"{n:06d}.flac"

    def place(self, call: str, sound: Sound) -> Path:
        """The finished file under its name; relative to the folder."""
        key = uuid5(NAMESPACE_URL, f"seatwatch:{self.site}:{call}")
        path = Path(self.site) / key.hex[:2] / f"{key}-{sound.sha[:12]}.flac"
        whole = self.folder / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        there = whole.exists()
        put(sound.path, whole)
        if not there:
            self.fresh.append(whole)
        return path

    def undo(self) -> None:
        for path in self.fresh:
            path.unlink(missing_ok=True)
        self.fresh.clear()


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one: taken, known already, or refused; ``note`` says what is not known of one that was taken."""

    new: bool = False
    refused: tuple[Refusal, ...] = ()
    note: str | None = None


async def keep(tx: Tx, shelf: Shelf, one: Ready, switchboards: Sequence[str] = ()) -> Kept:
    """Take one call, unless it stands or contradicts what stands. ``switchboards``: names that stand in front of the
    ids of calls that signalling told of."""
    one = await _named(tx, one, switchboards)
    call = one.item.call
    await ledger.hold_subject(tx, f"call:{call}")
    known, kept = await stored.for_call(tx, call), await recordings.of_call(tx, call)
    if any(event.id.startswith(f"{one.digest}-") for event in known) or one.digest in await _marked(tx, call):
        return Kept()
    if why := await _against(tx, one, known, kept):
        return Kept(refused=(why,))
    record = await _record(tx, one, known)
    spot = placed(record, one.sound.duration_ms, holes(one.sound), one.sound.roles, one.rung)
    faults = [] if known else await _tell(tx, call, events(call, record, one.sound.duration_ms, spot, one.digest))
    if faults:
        return Kept(refused=tuple(faults))
    await _legs(tx, one, spot)
    await recordings.add(tx, _recording(shelf, one, spot))
    await stored.mark_due(tx, "call", call)
    return Kept(True, note=spot.doubt or _doubt(record))


async def _named(tx: Tx, one: Ready, switchboards: Sequence[str]) -> Ready:
    """A recorder names its files by the switchboard's own id; here the switchboard's name stands in front of it."""
    for name in switchboards:
        call = f"{name}-{one.item.call}"
        if await stored.for_call(tx, call):
            return replace(one, item=replace(one.item, call=call))
    return one


def _doubt(record: CallRecord) -> str | None:
    if record.end in (None, "answered") and record.answered_at is None:
        return "answered_at is not said: its ring time is unknown"
    return None


async def _marked(tx: Tx, call: str) -> set[str]:
    """Contents whose legs are known, for calls that others told of."""
    return {mark.spool.removeprefix("import-") for mark in await spools.marks(tx, call) if mark.source == SOURCE}


async def _against(
    tx: Tx, one: Ready, known: Sequence[stored.StoredEvent], kept: Sequence[recordings.Recording]
) -> Refusal | None:
    call, record = one.item.call, one.item.record
    if kept:
        return Refusal("id", f"{call} has another recording already; give this one another id")
    if any(event.source == SOURCE for event in known):
        return Refusal("id", f"{call} is known with other content; give this one another id")
    if not known and first_moment(record) is None:
        told = "when the call was is missing; give it in the line or in NAME.json beside the recording"
        return Refusal("offered_at", told if one.item.said else f"no line, no NAME.json, and no call {call}: {told}")
    versions = await records.versions(tx, call)
    if versions and versions[-1].record.get("void") is not True and versions[-1].record.kind == "call":
        return Refusal(
            "id", f"{call} stands as a record without a recording and would count twice; withdraw that first"
        )
    return None


async def _record(tx: Tx, one: Ready, known: Sequence[stored.StoredEvent]) -> CallRecord:
    """What is said of the call; its times are those of its own signalling, where there is any."""
    if not known:
        return one.item.record
    told = [event for event in (parse_event(row.body) for row in known) if isinstance(event, Event)]
    folded = fold_call(told) if told else Call(one.item.call)
    moments: dict[str, datetime | None] = {
        "queued_at": folded.first_offered_at, "offered_at": folded.offered_at, "ringing_at": folded.ringing_at,
        "answered_at": folded.answered_at, "ended_at": folded.ended_at,
    }  # fmt: skip
    return one.item.record.model_copy(update=moments)


async def _tell(tx: Tx, call: str, raws: Sequence[dict[str, Any]]) -> list[Refusal]:
    for raw in raws:
        event = parse_event(raw)
        if isinstance(event, Refusal):
            return [event]
        told = to_json(event)
        await stored.append(
            tx, source=event.source, id=event.id, at=event.at, seq=raw["seq"], type=event.type, call=event.call,
            leg=event.leg, seat=event.seat, agent=event.agent, body=dumps(told),
        )  # fmt: skip
    return []


async def _legs(tx: Tx, one: Ready, spot: Placed) -> None:
    """Each party's leg as begun and over, in a spool that has gone: nobody waits for more of it."""
    call, spool = one.item.call, f"import-{one.digest}"
    for n, (role, end_ms) in enumerate(sorted(one.sound.ends_ms.items())):
        at = spot.origin_at.isoformat() if spot.origin_at else None
        start = {"role": role, "rate": RATE, "encoding": "slin", "at": at, "epoch": 1}
        over = {"samples": end_ms * RATE // 1000, "cause": "end"}
        for row, (kind, told) in enumerate((("start", start), ("end", over))):
            mark = spools.LegMark(spool, 2 * n + row + 1, kind, SOURCE, call, role, None, spot.origin_at, {})
            await spools.mark(tx, mark, body(told).decode())
        await spools.holds(tx, spool, call, role)


def _recording(shelf: Shelf, one: Ready, spot: Placed) -> recordings.Recording:
    sound = one.sound
    return recordings.Recording(
        call=one.item.call,
        path=str(shelf.place(one.item.call, sound)),
        audio_sha=sound.sha,
        format="flac",
        rate=RATE,
        channels=len(sound.roles),
        size_bytes=sound.size_bytes,
        duration_ms=sound.duration_ms,
        answer_ms=spot.answer_ms,
        roles=sound.roles,
        gaps=spot.gaps,
        origin_at=spot.origin_at,
    )
