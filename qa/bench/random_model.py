"""Random weights in the real dimensions of Whisper: what a window and a token cost, and never an accuracy.

``cached`` makes the model say one fixed sentence to every sound. Otherwise random weights would never end a text, and
hundreds of useless tokens would hide what the rest of the pipeline costs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qa.bench.whisper_folder import Array, Shape, build, make_tokenizer
from speech.whisper import SCRIPT_PROMPT

REAL_SHAPES: dict[str, Shape] = {
    "tiny": Shape(width=384, encoder_layers=4, decoder_layers=4, heads=6, mels=80),
    "base": Shape(width=512, encoder_layers=6, decoder_layers=6, heads=8, mels=80),
    "small": Shape(width=768, encoder_layers=12, decoder_layers=12, heads=12, mels=80),
    "medium": Shape(width=1024, encoder_layers=24, decoder_layers=24, heads=16, mels=80),
    "large-v3-turbo": Shape(width=1280, encoder_layers=32, decoder_layers=4, heads=20, mels=128),
}
REAL_TEXT_TOKENS = 50256
# 20 characters, one token each: what an utterance of four seconds holds in a real call.
SENTENCE = "您好请问有什么可以帮您我来为您查询一下吧"
LOUD = 4.0  # how far a position drowns everything that the layers add
SHARP = 3.0  # gain of the last norm: the wanted token gets nearly all of the probability
RECIPE = 1  # raised with every change of what is built


class RandomWeights:
    """Stands in for a trained weight file: gaussian matrices, unit gains, zero biases."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def get(self, name: str, *shape: int) -> Array:
        if name.endswith(".gain"):
            return np.ones(shape, np.float32)
        if name.endswith(".bias"):
            return np.zeros(shape, np.float32)
        return self.rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)


class SpeakingWeights(RandomWeights):
    """Random weights whose decoder positions pull towards the tokens of one sentence, from ``first`` on, then the end.

    The arithmetic is that of any weights: the same matrices, the same number of steps for every sound.
    """

    def __init__(self, first: int, tokens: Sequence[int], end: int, seed: int = 0) -> None:
        super().__init__(seed)
        self._first, self._tokens, self._end = first, tokens, end
        self._embedding: Array = np.zeros((0, 0), np.float32)

    def get(self, name: str, *shape: int) -> Array:
        array = super().get(name, *shape)
        if name == "decoder.embedding":
            self._embedding = array
        elif name == "decoder.norm.gain":
            array *= np.float32(SHARP)
        elif name == "decoder.positions":
            for at in range(self._first, shape[0]):
                step = at - self._first
                towards = self._embedding[self._tokens[step] if step < len(self._tokens) else self._end]
                array[at] = towards * np.float32(LOUD * shape[1] ** 0.5 / np.linalg.norm(towards))
        return array


def cached(size: str, folder: Path) -> Path:
    """The speaking random model of this size under ``folder``, built at the first call (seconds)."""
    recipe = hashlib.sha256(f"{RECIPE} {SENTENCE} {sorted(SCRIPT_PROMPT.items())}".encode()).hexdigest()[:8]
    out = folder / f"random-{size}-{recipe}"
    if not out.is_dir():
        half = out.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        build_speaking(size, half)
        half.rename(out)
    return out


def build_speaking(size: str, out: Path) -> None:
    """Write the folder, with a card that lets it judge nobody."""
    prompt = " " + SCRIPT_PROMPT["zh"]
    tokenizer, vocabulary, codes = make_tokenizer([SENTENCE, prompt], _languages(size), REAL_TEXT_TOKENS)
    said = tokenizer.encode(SENTENCE, add_special_tokens=False).ids
    told = tokenizer.encode(prompt, add_special_tokens=False).ids
    # startofprev and the prompt, then startoftranscript, language and task; notimestamps asks for the first token
    first = 1 + len(told) + 3
    weights = SpeakingWeights(first, said, vocabulary.index("<|endoftext|>"))
    build(out, weights, REAL_SHAPES[size], tokenizer, vocabulary, codes)
    card = {"name": f"random weights, {size} size", "synthetic": True}
    (out / "card.json").write_text(json.dumps(card), encoding="utf-8")


def _languages(size: str) -> int:
    return 100 if size == "large-v3-turbo" else 99
