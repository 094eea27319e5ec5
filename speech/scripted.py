"""A conversation as data behind the recogniser's port: says each line where it stands. Listens to nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from speech.engine import EngineIdentity, Heard, Utterance


@dataclass(frozen=True, slots=True)
class Line:
    """One spoken line of the script and how sure the engine shall seem."""

    channel: int
    start_ms: int
    end_ms: int
    text: str
    avg_logprob: float | None = -0.1
    no_speech_prob: float | None = 0.0


class ScriptedEngine:
    """Answers each utterance with the lines whose middle lies inside it."""

    def __init__(self, lines: Sequence[Line], *, synthetic: bool = False) -> None:
        self._lines = tuple(lines)
        script = hashlib.sha256(repr(self._lines).encode()).hexdigest()
        self._identity = EngineIdentity("scripted", script, hashlib.sha256(b"").hexdigest(), synthetic)

    def identity(self) -> EngineIdentity:
        """The script is the model."""
        return self._identity

    def transcribe(self, utterances: Sequence[Utterance], language: str, *, hints: bool = True) -> list[Heard]:
        """Lines by place; language and hints change nothing."""
        return [self._answer(one) for one in utterances]

    def _answer(self, heard: Utterance) -> Heard:
        lines = [
            line
            for line in self._lines
            if line.channel == heard.channel and heard.start_ms <= (line.start_ms + line.end_ms) // 2 < heard.end_ms
        ]
        if not lines:
            return Heard("")
        sure = [line.avg_logprob for line in lines if line.avg_logprob is not None]
        silent = [line.no_speech_prob for line in lines if line.no_speech_prob is not None]
        return Heard("".join(line.text for line in lines), min(sure, default=None), max(silent, default=None))
