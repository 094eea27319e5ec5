"""The command `push`: a recording or standard input becomes the legs of a call, durable when the command returns."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.legs import WIDTHS
from ingest.shell.push import ROLES, Sound, Target, push
from ingest.stream import RATES
from qa.paths import no_file
from qa.score import Usage
from qa.settings import Settings, load_settings
from speech.audio import Audio, as_float, decode, resample

CHUNK_MS = 100
Step = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What the command line asks for."""

    file: str
    call: str | None
    roles: tuple[str, ...] | None
    url: str | None
    seat: str | None
    agent: str | None
    rate: int
    encoding: str
    fast: bool
    source: str | None = None  # as which of [[sources]] it writes


def push_file(job: Job, step: Step) -> dict[str, Any]:
    """Send it; raises ClientError, AudioError or Usage with what to do."""
    settings = load_settings()
    wrong = [role for role in job.roles or () if role not in (*ROLES, "unknown")]
    if wrong:
        raise Usage(f"--roles {wrong[0]}: no such party; use agent, customer or unknown, by channel")
    if job.rate not in RATES:
        raise Usage(f"--rate {job.rate}: not on the wire; use {', '.join(map(str, RATES))}")
    if job.encoding not in WIDTHS:
        raise Usage(f"--encoding {job.encoding}: not known; use {', '.join(WIDTHS)}")
    source = _stdin(job) if job.file == "-" else Path(job.file)
    if isinstance(source, Path) and (lacks := no_file(source, "give a recording, or - for standard input")):
        raise Usage(lacks)
    target = Target(
        url=job.url or f"http://{settings.host}:{settings.ingest_port}",
        call=job.call or _name(job.file),
        roles=job.roles or ROLES,
        key=_key(settings, job.source),
        fast=job.fast,
        source=job.source or "push",
        seat=job.seat,
        agent=job.agent,
    )

    def tell(seconds: float, total: float | None) -> None:
        step(int(seconds), int(total or seconds), target.call)

    return asdict(asyncio.run(push(source, target, _decoded, tell)))


def _key(settings: Settings, source: str | None) -> str | None:
    """The first key of the named source where the settings have it, else the key that they have for all."""
    own = next((key for one in settings.sources if one.name == source for key in one.keys), settings.source_key)
    return own.get_secret_value() if own else None


def _name(file: str) -> str:
    if file == "-":
        raise Usage("push -: standard input has no name; give --call NAME")
    return re.sub(r"[^\w.-]", "_", Path(file).stem)[:128]


def _decoded(path: Path) -> Sound:
    """Any recording that the product reads, as 16-bit samples at a rate that the wire has."""
    audio = decode(path)
    if audio.rate not in RATES:
        audio = Audio(np.stack([_at_8_khz(row, audio.rate) for row in audio.pcm]), 8000)

    async def pieces() -> AsyncIterator[bytes]:
        size = audio.rate * CHUNK_MS // 1000
        for at in range(0, audio.pcm.shape[1], size):
            yield audio.pcm[:, at : at + size].T.astype("<i2").tobytes()

    return Sound(audio.rate, "slin", audio.channels, pieces(), audio.duration_ms / 1000)


def _at_8_khz(row: NDArray[np.int16], rate: int) -> NDArray[np.int16]:
    return (np.clip(resample(as_float(row), rate, 8000), -1, 32767 / 32768) * 32768).astype(np.int16)


def text(report: dict[str, Any]) -> str:
    """What was sent, for people."""
    lines = [f"call {report['call']}: {report['seconds']:.1f} s durable"]
    for leg in report["legs"]:
        sent = f"{leg['samples']} samples in {leg['messages']} messages, {leg['durable']} of them durable"
        lines.append(f"  {leg['leg']} ({leg['role']}): {sent}")
    return "\n".join(lines)


def _stdin(job: Job) -> Sound:
    """Raw samples as they come; one channel, or as many as roles are given."""
    size = job.rate * CHUNK_MS // 1000 * WIDTHS[job.encoding] * len(job.roles or ("unknown",))

    async def pieces() -> AsyncIterator[bytes]:
        while data := await asyncio.to_thread(os.read, sys.stdin.fileno(), size):
            yield data

    return Sound(job.rate, job.encoding, len(job.roles or ("unknown",)), pieces())
