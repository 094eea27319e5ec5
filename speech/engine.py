"""The port behind which any recogniser sits: two methods, plain values. It names no engine and loads none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """Who listens, with which weights and options; ``synthetic`` marks a test model that may judge nobody."""

    engine: str
    model_sha: str
    params_sha: str
    synthetic: bool


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """One stretch of speech of one channel: float32 mono at 16 kHz, and where it lies in the recording."""

    channel: int
    start_ms: int
    end_ms: int
    samples: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the engine made of one utterance; what it cannot tell is None."""

    text: str
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None


class Transcriber(Protocol):
    """A recogniser. One answer per utterance, in order; an utterance without text gives an empty one."""

    def identity(self) -> EngineIdentity: ...

    def transcribe(self, utterances: Sequence[Utterance], language: str, *, hints: bool = True) -> list[Heard]:
        """``hints=False`` leaves out neutral terms, to hear a disputed turn again without them."""
        ...
