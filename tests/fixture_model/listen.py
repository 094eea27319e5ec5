"""How a recording is heard by a model folder: the check behind «every bundled recording decodes exactly»."""

from functools import cache
from pathlib import Path

import numpy as np

from speech.audio import Audio
from speech.pipeline import hear
from speech.transcript import Transcript
from speech.whisper import WhisperEngine

ROLES = ("customer", "agent")


@cache
def engine(model: Path) -> WhisperEngine:
    return WhisperEngine(model, device="cpu", compute_type="int8", threads=1)


def plain(text: str) -> str:
    """Words without punctuation, as the phrase rules see them."""
    return "".join(c for c in text if c.isalnum())


def shifted(audio: Audio, shift_ms: int) -> Audio:
    """The same audio a little later, as a tap or a clock would deliver it."""
    silence = np.zeros((audio.pcm.shape[0], audio.rate * shift_ms // 1000), audio.pcm.dtype)
    return Audio(np.concatenate([silence, audio.pcm], axis=1), audio.rate)


def said(transcript: Transcript, role: str) -> str:
    return "".join(plain(turn.text) for turn in transcript.turns if transcript.role(turn.channel) == role)


def hears(model: Path, audio: Audio, lines: list[dict], shift_ms: int = 0) -> bool:
    """Whether both parties' words come out exactly, in their order, and no utterance is thrown away."""
    transcript = hear(shifted(audio, shift_ms), engine(model), "zh", ROLES)
    wanted = {role: "".join(plain(line["text"]) for line in lines if line["role"] == role) for role in ROLES}
    doubted = any(turn.doubted for turn in transcript.turns)
    return not doubted and all(said(transcript, role) == words for role, words in wanted.items())
