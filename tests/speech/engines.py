"""Makers of engines for child processes: well behaved ones and others. Module level, so that they can travel."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from speech.engine import EngineIdentity, Heard, Utterance
from speech.errors import ModelError
from speech.scripted import Line, ScriptedEngine

LINES = (Line(1, 1000, 4700, "您好,请讲。"), Line(0, 3000, 6200, "我家宽带上不了网。"))


def scripted() -> ScriptedEngine:
    return ScriptedEngine(LINES)


def without_model() -> ScriptedEngine:
    raise ModelError("there is no model; copy one")


class _Odd(ScriptedEngine):
    """Names the priority and threads of its process, and ends or hangs when the language says so."""

    def identity(self) -> EngineIdentity:
        say = f"nice {os.nice(0)}, threads {os.environ['OMP_NUM_THREADS']}, policy {os.sched_getscheduler(0)}"
        return EngineIdentity(say, "", "", True)

    def transcribe(self, utterances: Sequence[Utterance], language: str, *, hints: bool = True) -> list[Heard]:
        match language:
            case "crash":
                os._exit(7)
            case "hang" if utterances[0].channel == 1:  # the first channel is told as progress
                threading.Event().wait()
        return super().transcribe(utterances, language, hints=hints)


def odd() -> ScriptedEngine:
    return _Odd(LINES)
