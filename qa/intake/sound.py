"""One call's files on one time line: two channels at 8 kHz, FLAC, written as they are read. Opens no database.

Memory does not grow with length; the length counts decoded samples, whatever a head says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa.assemble import CHANNELS, RATE
from speech.audio import MAX_SECONDS, Flow, flowing, rows_of, write_flac_of
from speech.errors import AudioError

Rows = NDArray[np.int16]
NOTHING = np.zeros((1, 0), np.int16)


@dataclass(frozen=True, slots=True)
class Part:
    """One file, and whose sound each of its channels is; None: as the call's record says, or as our own are laid."""

    path: Path
    roles: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sound:
    """What was written. ``ends_ms``: where each party's own sound ends; a party without a file is missing here."""

    path: Path
    sha: str
    size_bytes: int
    roles: tuple[str, ...]
    ends_ms: dict[str, int]

    @property
    def duration_ms(self) -> int:
        return max(self.ends_ms.values())


def convert(parts: Sequence[Part], roles: tuple[str, ...] | None, target: Path, longest: float = MAX_SECONDS) -> Sound:
    """Write the call's sound to *target*. Raises AudioError; then nothing is left there."""
    lengths: dict[str, int] = {}
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as stack:
            flows = [stack.enter_context(flowing(part.path, longest)) for part in parts]
            said = [_roles(part, flow, roles) for part, flow in zip(parts, flows, strict=True)]
            rows = _laid(said)
            write_flac_of(target, _together(flows, said, rows, lengths), len(rows), RATE)
        with target.open("rb") as file:
            sha = hashlib.file_digest(file, "sha256").hexdigest()
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    ends = {role: samples * 1000 // RATE for role, samples in lengths.items()}
    return Sound(target, sha, target.stat().st_size, rows, ends)


def _roles(part: Part, flow: Flow, said: tuple[str, ...] | None) -> tuple[str, ...]:
    wanted = part.roles or said or (CHANNELS if flow.channels == 2 else ("unknown",))
    if len(wanted) != flow.channels:
        what = f"it has {flow.channels} channels, and `roles` names {len(wanted)}"
        raise AudioError(str(part.path), what, "name one party for each channel")
    return wanted


def _laid(said: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The rows of the recording: both parties where any is known, else one that is mixed."""
    named = {role for roles in said for role in roles}
    return CHANNELS if named & set(CHANNELS) else ("unknown",)


def _together(
    flows: Sequence[Flow], said: Sequence[tuple[str, ...]], rows: tuple[str, ...], lengths: dict[str, int]
) -> Iterator[Rows]:
    """Second by second; whoever has no sound is silent, and ``lengths`` says how far each party's own sound goes."""
    done = 0
    for pieces in zip_longest(*(rows_of(flow, RATE) for flow in flows), fillvalue=NOTHING):
        out = np.zeros((len(rows), max(piece.shape[1] for piece in pieces)), np.int16)
        for piece, roles in zip(pieces, said, strict=True):
            for row, role in zip(piece, roles, strict=False):
                at = rows.index(role) if role in rows else None
                if at is not None and len(row):
                    out[at, : len(row)] = row
                    lengths[role] = done + len(row)
        done += out.shape[1]
        if out.shape[1]:
            yield out


def holes(sound: Sound) -> list[dict[str, Any]]:
    """Where a party is missing in it, in milliseconds of the recording."""
    total, found = sound.duration_ms, list[dict[str, Any]]()
    for role in sound.roles:
        end = sound.ends_ms.get(role)
        cause = "no_leg" if end is None else "short"
        if end is None or total - end > 100:
            found.append({"role": role, "start_ms": end or 0, "end_ms": total, "cause": cause})
    return found
