"""What was heard of calls, kept as it was heard. A person's corrections will be rows of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from qa.store.canon import dumps, loads, storable
from qa.store.pool import Row, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One hearing of one recording; ``body`` holds turns, speech per channel and measures as JSON."""

    call: str
    audio_sha: str
    engine: str
    model_sha: str
    params_sha: str
    language: str
    synthetic: bool
    duration_ms: int
    body: dict[str, Any]
    id: UUID | None = None
    made_at: datetime | None = None


async def add(tx: Tx, one: Transcript) -> bool:
    """Keep it; False when this hearing stands already."""
    made_by = (one.audio_sha, one.engine, one.model_sha, one.params_sha, one.language, one.synthetic)
    id = one.id or uuid4()
    values = (id, storable(one.call), *made_by, one.duration_ms, dumps(one.body))
    return await tx.value("transcripts.add", *values) is not None


async def find(tx: Tx, call: str, audio_sha: str, engine: str, model_sha: str, params_sha: str) -> Transcript | None:
    """The hearing that these would give again, so that it need not be made again."""
    row = await tx.one("transcripts.find", storable(call), audio_sha, engine, model_sha, params_sha)
    return None if row is None else _transcript(row)


async def of_call(tx: Tx, call: str) -> list[Transcript]:
    """Newest first."""
    return [_transcript(row) for row in await tx.all("transcripts.of_call", storable(call))]


def _transcript(row: Row) -> Transcript:
    return Transcript(**{**row, "body": loads(row["body"])})
