"""Where somebody speaks on one channel, and how loud: energy gate, then Silero. It recognises no words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
FRAME = RATE // 50  # 20 ms
GATE_DB = -55.0  # quieter than this in every frame is a silent line: the detector is not even asked
LONGEST_MS = 28_000  # a window of the recogniser is 30 s

Span = tuple[int, int]
Samples = NDArray[np.float32]


def frame_levels(samples: Samples) -> NDArray[np.float32]:
    """Root mean square of each 20 ms, in dB below full scale."""
    whole = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.einsum("ij,ij->i", whole, whole) / FRAME
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), dtype=np.float32)


def level(samples: Samples) -> float:
    """Loudness of a stretch in dB below full scale, one decimal."""
    power = float(np.dot(samples, samples)) / max(len(samples), 1)
    return round(10 * float(np.log10(max(power, 1e-12))), 1)


def speech_spans(samples: Samples, threshold: float = 0.4, min_silence_ms: int = 350, pad_ms: int = 150) -> list[Span]:
    """Stretches of speech of one channel at 16 kHz, in milliseconds, widened by ``pad_ms`` on both sides."""
    levels = frame_levels(samples)
    if not (levels > GATE_DB).any():
        return []
    from faster_whisper.vad import VadOptions, get_speech_timestamps  # slow import, and not for a silent line

    options = VadOptions(
        threshold=threshold, min_silence_duration_ms=min_silence_ms, speech_pad_ms=0, min_speech_duration_ms=60
    )
    found = get_speech_timestamps(samples, options)
    spans = [(one["start"] * 1000 // RATE, one["end"] * 1000 // RATE) for one in found]
    loud = [span for span in spans if (levels[span[0] // 20 : span[1] // 20 + 1] > GATE_DB).any()]
    return pad(loud, pad_ms, len(samples) * 1000 // RATE)


def pad(spans: Sequence[Span], pad_ms: int, end_ms: int) -> list[Span]:
    """Each span wider on both sides, but never into its neighbour: a short pause is shared between the two."""
    wide: list[Span] = []
    for index, (start, end) in enumerate(spans):
        before = start if index == 0 else (start - spans[index - 1][1]) // 2
        after = end_ms - end if index + 1 == len(spans) else (spans[index + 1][0] - end) // 2
        wide.append((start - max(0, min(pad_ms, before)), end + max(0, min(pad_ms, after))))
    return wide


def cut_long(span: Span, samples: Samples, longest_ms: int = LONGEST_MS) -> list[Span]:
    """A span that no window of the recogniser holds, cut where it is quietest."""
    start, end = span
    parts: list[Span] = []
    while end - start > longest_ms:
        at = quietest(samples, start + longest_ms // 2, start + longest_ms)
        parts.append((start, at))
        start = at
    return [*parts, (start, end)]


def quietest(samples: Samples, from_ms: int, to_ms: int) -> int:
    """The middle of the quietest 100 ms between two moments, in milliseconds."""
    levels = frame_levels(samples[from_ms * RATE // 1000 : to_ms * RATE // 1000])
    if len(levels) < 5:
        return (from_ms + to_ms) // 2
    smooth = np.convolve(levels, np.ones(5), mode="valid")
    return from_ms + (int(smooth.argmin()) * 20) + 50
