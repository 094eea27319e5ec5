"""Where the audio of calls lies and what is missing in it. No audio is read here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from qa.store.canon import dumps, loads, storable
from qa.store.pool import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One file of a call. ``path`` is inside the store of recordings; ``roles`` by channel; gaps as assembled."""

    call: str
    path: str
    audio_sha: str
    format: str
    rate: int
    channels: int
    size_bytes: int
    duration_ms: int
    answer_ms: int | None
    roles: tuple[str, ...]
    gaps: tuple[dict[str, Any], ...] = ()
    origin_at: datetime | None = None
    id: UUID | None = None
    made_at: datetime | None = None
    rings: dict[str, Any] | None = None  # what rings in it before the answer; None: not listened for


async def add(tx: Tx, one: Recording) -> bool:
    """Keep it; False when this audio of this call stands already."""
    id = one.id or uuid4()
    sizes = (one.rate, one.channels, one.size_bytes, one.duration_ms, one.answer_ms)
    told = (dumps(one.roles), dumps(one.gaps))
    names = (storable(one.call), one.path, one.audio_sha, one.format)
    return await tx.value("recordings.add", id, *names, *sizes, *told, one.origin_at, dumps(one.rings)) is not None


async def of_call(tx: Tx, call: str) -> list[Recording]:
    """Kept ones, newest first."""
    return [_recording(row) for row in await tx.all("recordings.of_call", storable(call))]


async def align(tx: Tx, call: str, answer_ms: int | None, gaps: Sequence[dict[str, Any]]) -> None:
    """Later signalling moved the answer, or the gaps with it."""
    await tx.run("recordings.align", storable(call), answer_ms, dumps(gaps))


async def rang(tx: Tx, id: UUID, rings: dict[str, Any]) -> None:
    """Keep what was heard to ring before the answer."""
    await tx.run("recordings.rang", id, dumps(rings))


async def drop(tx: Tx, id: UUID) -> None:
    """Say that its file is gone."""
    await tx.run("recordings.drop", id)


async def every(tx: Tx) -> list[Recording]:
    return [_recording(row) for row in await tx.all("recordings.every")]


def _recording(row: Row) -> Recording:
    told = {
        "roles": tuple(loads(row["roles"])),
        "gaps": tuple(loads(row["gaps"])),
        "rings": loads(row["rings"] or "null"),
    }
    return Recording(**{**row, **told})
