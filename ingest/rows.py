"""Rows on their way into the spool, their checksum, and the joining of a leg's frames. No files, no threads."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.events import Event, canonical
from ingest.sink import Kind

JOINED_BYTES = 256 * 1024  # frames of one leg are joined up to this size
ROW_OVERHEAD = 200  # what a row costs in the queue beside its payload
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One row to be stored. Audio carries where it stands in its leg; ``name`` is the id of an event."""

    kind: Kind
    source: str
    call: str
    leg: str
    at_us: int
    payload: bytes
    seq: int = 0
    sample: int = 0
    samples: int = 0
    epoch: int = 0
    name: str = ""
    mono_us: int = 0
    key_id: str | None = None  # names the key that the payload is encrypted with; None = plain

    @property
    def size(self) -> int:
        return len(self.payload) + ROW_OVERHEAD


@dataclass(frozen=True, slots=True)
class Admit:
    """What admission must remember over a restart: a UUID or token that is registered, or used."""

    id: str
    state: str  # registered | used
    until_us: int
    call: str
    leg: str
    role: str
    size: int = ROW_OVERHEAD


def crc(row: Row) -> int:
    """Over everything that is read back, so that a flipped bit in any column shows."""
    head = f"{row.kind}\0{row.source}\0{row.call}\0{row.leg}\0{row.at_us}\0{row.seq}\0{row.sample}\0{row.samples}"
    return zlib.crc32(row.payload, zlib.crc32(f"{head}\0{row.epoch}\0{row.name}".encode()))


def coalesce(rows: Iterable[Row]) -> list[Row]:
    """One commit's rows with the adjoining frames of each leg joined; the order within a leg stays."""
    out: list[list[Row]] = []
    last: dict[tuple[str, str], list[Row]] = {}
    held: dict[tuple[str, str], int] = {}
    for row in rows:
        leg = (row.call, row.leg)
        run = last.get(leg)
        if row.kind == "audio" and run and _follows(run[-1], row) and held[leg] + len(row.payload) <= JOINED_BYTES:
            run.append(row)
            held[leg] += len(row.payload)
            continue
        out.append([row])
        last[leg], held[leg] = out[-1], len(row.payload)
    return [_join(run) for run in out]


def _follows(before: Row, row: Row) -> bool:
    return (
        before.kind == "audio"
        and (before.source, before.epoch, before.key_id) == (row.source, row.epoch, None)
        and before.seq + 1 == row.seq
        and before.sample + before.samples == row.sample
    )


def _join(run: list[Row]) -> Row:
    """The seq of a joined row is its last one: everything up to it is in."""
    if len(run) == 1:
        return run[0]
    payload = b"".join(row.payload for row in run)
    return replace(run[0], seq=run[-1].seq, samples=sum(row.samples for row in run), payload=payload)


def event_row(event: Event, mono_us: int = 0) -> Row:
    return Row(
        kind="event",
        source=event.source,
        call=event.call or "",
        leg=event.leg or "",
        at_us=micros(event.at),
        payload=canonical(event),
        name=event.id,
        mono_us=mono_us,
    )


def event_key(source: str, ident: str) -> bytes:
    return hashlib.blake2b(f"{source}\0{ident}".encode(), digest_size=16).digest()


def content_key(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=8).digest()


def body(values: Mapping[str, Any]) -> bytes:
    """The payload of a start, gap or end row."""
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def start_of(row: Row) -> dict[str, Any]:
    """What a start row says of its leg."""
    said: dict[str, Any] = json.loads(row.payload)
    return said


def micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def moment(at_us: int) -> datetime:
    return _EPOCH + at_us * _MICROSECOND
