"""The hash chain of a site's ledger: h_n = SHA-256(h_(n-1) ‖ canonical(row_n)), over runs and entries together.

Pure: it hashes values and names the first place where a chain is broken; it reads no database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qa.store.canon import dumps, loads

START = bytes(32)
_RUN = (
    "id", "subject", "inputs", "engine", "pack_sha", "overlay_sha", "facts_sha", "day", "at", "agent", "seat",
    "card_sha", "automatic", "counted", "assumed", "unknown", "flagged", "actor", "made_at", "seq",
)  # fmt: skip
_ENTRY = (
    "id", "run", "subject", "agent", "rule", "event", "cite", "outcome", "decide", "counts", "points", "assumed",
    "evidence", "day", "origin", "reverses", "depth", "actor", "made_at", "seq",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: the number and the hash of its last row."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where the chain does not hold."""

    seq: int
    what: str


def link(before: bytes, kind: str, row: Mapping[str, Any]) -> bytes:
    """The hash of a row that follows *before*."""
    told = {name: row[name] for name in (_RUN if kind == "run" else _ENTRY)}
    if kind == "entry" and isinstance(told["evidence"], str):
        told["evidence"] = loads(told["evidence"])
    return hashlib.sha256(before + dumps({"kind": kind, **told}).encode()).digest()


def check(head: Head, kind: str, row: Mapping[str, Any]) -> Head | Break:
    """One row further, or why not."""
    seq = row["seq"]
    if seq != head.seq + 1:
        missing = f"row {head.seq + 1} is missing" if seq > head.seq + 1 else f"number {seq} stands twice"
        return Break(head.seq + 1, f"{missing}; next is {kind} {row['id']}")
    if row["prev_hash"] != head.hash:
        return Break(seq, f"{kind} {row['id']} does not follow the row before it")
    if link(head.hash, kind, row) != row["hash"]:
        return Break(seq, f"{kind} {row['id']} was changed after it was written")
    if kind == "run":
        for name in ("card", "facts"):
            if hashlib.sha256(row[name]).hexdigest() != row[f"{name}_sha"]:
                return Break(seq, f"the {name} of run {row['id']} were changed after it was written")
    return Head(seq, row["hash"])
