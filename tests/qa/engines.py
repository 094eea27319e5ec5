"""Makers of engines for the recogniser's child process. Module level, so that they can travel."""

from __future__ import annotations

import os
from collections.abc import Sequence

from speech.engine import Heard, Utterance
from speech.scripted import Line, ScriptedEngine

LINES = (
    Line(1, 900, 4800, "您好,请问有什么可以帮您", -0.02),
    Line(0, 2900, 6300, "我家宽带上不了网", -0.02),
    Line(1, 8000, 10_200, "请您稍等", -0.02),
    Line(1, 11_500, 15_600, "感谢您的来电,再见", -0.02),
)


def polite() -> ScriptedEngine:
    return ScriptedEngine(LINES)


def rude() -> ScriptedEngine:
    return ScriptedEngine((LINES[1], Line(1, 8000, 10_200, "跟你说不清", -0.02)))


class _Fragile(ScriptedEngine):
    """Ends its process when the language is Korean."""

    def transcribe(self, utterances: Sequence[Utterance], language: str, *, hints: bool = True) -> list[Heard]:
        if language == "ko":
            os._exit(7)
        return super().transcribe(utterances, language, hints=hints)


def fragile() -> ScriptedEngine:
    return _Fragile(LINES)
