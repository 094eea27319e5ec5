"""Many first runs of many subjects in one go, each in the chain as ``ledger.record`` would have written it.

For archives that are taken over or made for measuring; a subject that has a run already is refused by the database.
Nothing goes to the outbox: nobody waits for news of what is long past.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from qa.store import chain, packs
from qa.store.canon import dumps, storable
from qa.store.ledger import _COLUMNS, ZERO, NewEntry, NewRun
from qa.store.pool import Tx

Full = dict[str, Any]
_ADD = {"run": "bulk.add_runs", "entry": "bulk.add_entries"}


async def add_runs(tx: Tx, new: Sequence[NewRun]) -> None:
    """All of them, with their entries and pointers, in one transaction; some hundreds at a time are quickest."""
    await tx.run("ledger.lock")
    for pack in {one.pack.sha: one.pack for one in new}.values():
        await packs.put(tx, pack)
    for overlay in {one.overlay.sha: one.overlay for one in new}.values():
        await packs.put_overlay(tx, overlay)
    bodies = {packs.fingerprint(one.facts): one.facts for one in new}
    await tx.run("bulk.add_facts", list(bodies), list(bodies.values()))
    row = await tx.need("ledger.head", "the chain")
    writer = _Writer(row["seq"], row["hash"], row["at"], tx.actor)
    runs, entries = writer.rows(new)
    # each kind in its own statement: the chain is checked row by row, so stretches of one kind go together
    for kind, part in _stretches(runs, entries):
        await tx.run(_ADD[kind], *_columns(kind, part))
    await tx.run("bulk.point_new", [one["subject"] for one in runs], [one["id"] for one in runs])


class _Writer:
    """Numbers and hashes rows one after the other."""

    def __init__(self, seq: int, hash: bytes, at: Any, actor: str) -> None:
        self.seq, self.hash, self.at, self.actor = seq, hash, at, actor

    def rows(self, new: Iterable[NewRun]) -> tuple[list[Full], list[Full]]:
        """Runs first, then all entries."""
        listed = list(new)
        runs = [self._next("run", _run(one)) for one in listed]
        told = [(run["id"], one, entry) for run, one in zip(runs, listed, strict=True) for entry in one.entries]
        return runs, [self._next("entry", _entry(*one)) for one in told]

    def _next(self, kind: str, row: Full) -> Full:
        self.seq += 1
        full = {**row, "made_at": self.at, "seq": self.seq, "actor": self.actor}
        before, self.hash = self.hash, chain.link(self.hash, kind, full)
        return {**full, "prev_hash": before, "hash": self.hash}


def _stretches(runs: list[Full], entries: list[Full]) -> Iterable[tuple[str, list[Full]]]:
    return [one for one in (("run", runs), ("entry", entries)) if one[1]]


def _columns(kind: str, rows: list[Full]) -> list[list[Any]]:
    return [[row[name] for row in rows] for name in _COLUMNS[kind]]


def _run(one: NewRun) -> Full:
    return {
        "id": uuid4(), "subject": storable(one.subject), "inputs": one.inputs, "engine": one.engine,
        "pack_sha": one.pack.sha, "overlay_sha": one.overlay.sha, "facts_sha": packs.fingerprint(one.facts),
        "day": one.day, "at": one.at, "agent": storable(one.agent), "seat": storable(one.seat), "card": one.card,
        "card_sha": packs.fingerprint(one.card), "automatic": one.automatic + ZERO, "counted": one.counted + ZERO,
        "assumed": one.assumed, "unknown": one.unknown, "flagged": one.flagged,
    }  # fmt: skip


def _entry(run: UUID, new: NewRun, one: NewEntry) -> Full:
    id = uuid4()
    return {
        "id": id, "run": run, "subject": storable(new.subject), "agent": storable(new.agent), "rule": one.rule,
        "event": storable(one.event), "cite": one.cite, "outcome": one.outcome, "decide": one.decide,
        "counts": one.counts, "points": one.points + ZERO, "assumed": one.assumed, "evidence": dumps(one.evidence),
        "day": new.day, "origin": id, "reverses": None, "depth": 0,
    }  # fmt: skip
