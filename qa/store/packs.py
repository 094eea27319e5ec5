"""Packs, overlays and facts kept by fingerprint, so that any run can be replayed from the database alone.

Bytes in, the same bytes out; what they mean is for ``scoring`` to say.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from qa.store.errors import Conflict
from qa.store.pool import Tx


@dataclass(frozen=True, slots=True)
class Pack:
    """A regulation as it was used. ``sha`` is scoring's fingerprint; ``body`` all its files in one piece."""

    sha: str
    id: str
    version: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the site had decided over the pack; ``sha`` is scoring's fingerprint."""

    sha: str
    body: bytes


def fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def put(tx: Tx, pack: Pack) -> None:
    """Keep it; the same fingerprint with other bytes is refused."""
    sha = fingerprint(pack.body)
    if not await tx.run("packs.put", pack.sha, pack.id, pack.version, pack.body, sha):
        row = await tx.need("packs.get", f"pack {pack.sha}", pack.sha)
        _same(row["body_sha"], sha, f"pack {pack.id} {pack.sha}")


async def put_overlay(tx: Tx, overlay: Overlay) -> None:
    """Keep it; the same fingerprint with other bytes is refused."""
    sha = fingerprint(overlay.body)
    if not await tx.run("packs.put_overlay", overlay.sha, overlay.body, sha):
        row = await tx.need("packs.overlay", f"overlay {overlay.sha}", overlay.sha)
        _same(row["body_sha"], sha, f"overlay {overlay.sha}")


async def put_facts(tx: Tx, body: bytes) -> str:
    """Keep facts; their fingerprint."""
    sha = fingerprint(body)
    await tx.run("packs.put_facts", sha, body)
    return sha


async def get(tx: Tx, sha: str) -> Pack:
    row = await tx.need("packs.get", f"pack {sha}", sha)
    return Pack(row["sha"], row["id"], row["version"], row["body"])


async def overlay(tx: Tx, sha: str) -> Overlay:
    row = await tx.need("packs.overlay", f"overlay {sha}", sha)
    return Overlay(row["sha"], row["body"])


def _same(stands: str, wanted: str, what: str) -> None:
    if stands != wanted:
        raise Conflict(f"{what}: other bytes stand under this fingerprint; raise the version, a used one never changes")
