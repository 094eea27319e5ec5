"""Builders for speech tests: sounds, files, lists. No expectations."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from speech.lexicon import lexicons
from speech.phrases import Hit, Matcher, TurnText

HERE = Path(__file__).parent
CALL = HERE / "audio" / "call.flac"  # espeak-ng: customer on the first channel, agent on the second
MODEL = HERE.parents[1] / "speech" / "fixture"


def noise(seconds: float, rate: int = 8000, channels: int = 1, level: int = 3000) -> NDArray[np.int16]:
    draw = np.random.default_rng(seed=11)
    return (draw.normal(size=(channels, int(seconds * rate))).clip(-3, 3) * level).astype(np.int16)


def wav(
    path: Path,
    data: bytes,
    *,
    channels: int = 1,
    rate: int = 8000,
    tag: int = 1,
    bits: int = 16,
    size: int | None = None,
) -> Path:
    """A WAV file whose head says what the caller wants, true or not."""
    block = channels * bits // 8
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, tag, channels, rate, rate * block, block,
        bits, b"data", len(data) if size is None else size,
    )  # fmt: skip
    path.write_bytes(head + data)
    return path


def matcher(category: str, *entries: dict[str, Any], mode: str = "forbidden", **more: Any) -> Matcher:
    return Matcher(lexicons([{"category": category, "mode": mode, "entries": list(entries), **more}]))


def agent(*texts: str, gap_ms: int = 500) -> list[TurnText]:
    """The agent's turns, two seconds each."""
    return [TurnText("agent", at * (2000 + gap_ms), at * (2000 + gap_ms) + 2000, text) for at, text in enumerate(texts)]


def ids(hits: list[Hit]) -> list[str]:
    return [hit.entry for hit in hits]
