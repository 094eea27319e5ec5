"""The append-only ledger: runs, entries, reversals and the pointer to each subject's current run, in one transaction.

An entry is never changed. When another run becomes current, the entries in force are reversed, each at most once;
when inputs return that were scored before, the reversals are reversed in turn. What concerns a closed period is booked
on the first open day. It computes no score.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from qa.store import chain, outbox, packs
from qa.store.canon import dumps, storable
from qa.store.chain import Head
from qa.store.pool import Row, Tx

Hook = Callable[[str], Awaitable[None]]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """A line that takes or gives points. ``event`` tells apart what the rule met several times in one run."""

    rule: str
    event: str
    cite: str
    outcome: str
    decide: str
    counts: bool
    points: Decimal
    assumed: bool = False
    evidence: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """One scoring of one subject with all that replays it."""

    subject: str
    inputs: str
    engine: int
    day: date | None
    pack: packs.Pack
    overlay: packs.Overlay
    facts: bytes
    card: bytes
    automatic: Decimal
    counted: Decimal
    assumed: bool
    unknown: int
    flagged: int
    at: datetime | None = None
    agent: str | None = None
    seat: str | None = None
    entries: tuple[NewEntry, ...] = ()
    notice: dict[str, Any] = field(default_factory=dict)  # what the outbox row carries beside the totals


@dataclass(frozen=True, slots=True)
class RunResult:
    """``new``: the run was written. ``moved``: it became the current one of its subject."""

    run: UUID
    new: bool
    moved: bool


async def hold_subject(tx: Tx, subject: str) -> None:
    """Wait until nobody else scores this subject; read the facts after this and record in the same transaction."""
    await tx.run("ledger.hold_subject", subject)


async def record(tx: Tx, new: NewRun, *, hook: Hook | None = None) -> RunResult:
    """Write a run once per (subject, inputs) and make it current; the same inputs again do nothing.

    ``hook`` is awaited with the name of each step as it is reached, for tests that stop the process there.
    """
    await tx.run("ledger.lock")
    stands: UUID | None = await tx.value("ledger.same", storable(new.subject), new.inputs)
    pointed: UUID | None = await tx.value("ledger.pointed", storable(new.subject))
    if stands is not None and stands == pointed:
        return RunResult(stands, new=False, moved=False)
    writer = await _Writer.begin(tx)
    run = await writer.run(new) if stands is None else stands
    await _reached(hook, "run")
    if pointed is not None:
        await writer.turn(pointed, on=False)
    await _reached(hook, "reversals")
    if stands is None:
        for one in new.entries:
            await writer.entry(run, new, one)
    else:
        await writer.turn(run, on=True)
    await _reached(hook, "entries")
    await tx.run("ledger.point", storable(new.subject), run)
    await _reached(hook, "pointer")
    await outbox.put(tx, "scored", new.subject, _notice(new, run, pointed))
    await _reached(hook, "outbox")
    return RunResult(run, new=stands is None, moved=True)


async def head(tx: Tx) -> Head:
    """Where the chain ends now; export it to a place that the database's user cannot write."""
    row = await tx.need("ledger.head", "the chain")
    return Head(row["seq"], row["hash"])


class _Writer:
    """Appends rows to the chain within one transaction."""

    def __init__(self, tx: Tx, head: Head, at: datetime) -> None:
        self._tx = tx
        self._head = head
        self._at = at
        self._booked: dict[date, date] = {}

    @classmethod
    async def begin(cls, tx: Tx) -> _Writer:
        row = await tx.need("ledger.head", "the chain")
        return cls(tx, Head(row["seq"], row["hash"]), row["at"])

    async def run(self, new: NewRun) -> UUID:
        await packs.put(self._tx, new.pack)
        await packs.put_overlay(self._tx, new.overlay)
        row = {
            "id": uuid4(), "subject": storable(new.subject), "inputs": new.inputs, "engine": new.engine,
            "pack_sha": new.pack.sha, "overlay_sha": new.overlay.sha,
            "facts_sha": await packs.put_facts(self._tx, new.facts),
            "day": new.day, "at": new.at, "agent": storable(new.agent), "seat": storable(new.seat),
            "card": new.card, "card_sha": packs.fingerprint(new.card),
            "automatic": new.automatic + ZERO, "counted": new.counted + ZERO, "assumed": new.assumed,
            "unknown": new.unknown, "flagged": new.flagged,
        }  # fmt: skip
        return await self._append("run", row)

    async def entry(self, run: UUID, new: NewRun, one: NewEntry) -> None:
        id = uuid4()
        row = {
            "id": id, "run": run, "subject": storable(new.subject), "agent": storable(new.agent), "rule": one.rule,
            "event": storable(one.event), "cite": one.cite, "outcome": one.outcome, "decide": one.decide,
            "counts": one.counts, "points": one.points + ZERO, "assumed": one.assumed, "evidence": dumps(one.evidence),
            "day": new.day, "origin": id, "reverses": None, "depth": 0,
        }  # fmt: skip
        await self._append("entry", row)

    async def turn(self, run: UUID, *, on: bool) -> None:
        """Put a run's entries in force or out of it, each by one more entry of the opposite sign."""
        for last in await self._tx.all("ledger.last_of_run", run):
            if (last["depth"] % 2 == 0) is on:
                continue
            same = ("run", "subject", "agent", "rule", "event", "cite", "outcome", "decide", "counts", "assumed",
                    "evidence", "day", "origin")  # fmt: skip
            row = {name: last[name] for name in same}
            opposite = {"id": uuid4(), "points": -last["points"] + ZERO, "reverses": last["id"]}
            await self._append("entry", {**row, **opposite, "depth": last["depth"] + 1})

    async def _open(self, day: date | None) -> date | None:
        """The day an entry is booked on: its own, or, when that lies in a closed period, the first open one."""
        if day is not None and day not in self._booked:
            self._booked[day] = await self._tx.value("ledger.booked", day)
        return None if day is None else self._booked[day]

    async def _append(self, kind: str, row: dict[str, Any]) -> UUID:
        if kind == "entry":
            row = {**row, "day": await self._open(row["day"])}
        seq = self._head.seq + 1
        full = {**row, "made_at": self._at, "seq": seq, "actor": self._tx.actor}
        hash = chain.link(self._head.hash, kind, full)
        values = {**row, "made_at": self._at, "seq": seq, "prev_hash": self._head.hash, "hash": hash}
        await self._tx.run(f"ledger.add_{kind}", *(values[name] for name in _COLUMNS[kind]))
        self._head = Head(seq, hash)
        id: UUID = row["id"]
        return id


_COLUMNS = {
    "run": (
        "id", "subject", "inputs", "engine", "pack_sha", "overlay_sha", "facts_sha", "day", "at", "agent", "seat",
        "card", "card_sha", "automatic", "counted", "assumed", "unknown", "flagged", "made_at", "seq", "prev_hash",
        "hash",
    ),
    "entry": (
        "id", "run", "subject", "agent", "rule", "event", "cite", "outcome", "decide", "counts", "points", "assumed",
        "evidence", "day", "origin", "reverses", "depth", "made_at", "seq", "prev_hash", "hash",
    ),
}  # fmt: skip


async def _reached(hook: Hook | None, point: str) -> None:
    if hook is not None:
        await hook(point)


def _notice(new: NewRun, run: UUID, before: UUID | None) -> Row:
    totals = {"automatic": new.automatic, "counted": new.counted, "assumed": new.assumed, "unknown": new.unknown}
    return {**new.notice, "run": run, "before": before, "agent": new.agent, "total": totals}
