"""Writes a folder that CTranslate2 and faster-whisper load offline, from any weights. No torch, no network.

A folder holds five files; without its tokenizer.json the library would go and fetch one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypedDict

import numpy as np
from ctranslate2.specs import whisper_spec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

Array = NDArray[np.float32]
ENCODER_POSITIONS = 1500
DECODER_POSITIONS = 448


class Shape(TypedDict):
    """The dimensions of a Whisper model."""

    width: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    mels: int


class Weights(Protocol):
    """Where arrays come from, by name; the same name is asked for once."""

    def get(self, name: str, *shape: int) -> Array: ...


def special_tokens(languages: int) -> tuple[list[str], list[str]]:
    """Whisper's special tokens in their required order, and the language codes among them.

    CTranslate2 derives the number of languages from the distance between startoftranscript and nospeech,
    so the order and the count matter; the order of the languages does not.
    """
    codes = list(_LANGUAGE_CODES)[:languages]
    if "zh" not in codes:
        codes[-1] = "zh"
    tokens = ["<|endoftext|>", "<|startoftranscript|>"]
    tokens += [f"<|{code}|>" for code in codes]
    tokens += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
    tokens += ["<|notimestamps|>"] + [f"<|{at * 0.02:.2f}|>" for at in range(1501)]
    return tokens, codes


def make_tokenizer(
    texts: Sequence[str], languages: int = 99, text_tokens: int | None = None
) -> tuple[Tokenizer, list[str], list[str]]:
    """Byte-level BPE whose merges never cross a character, plus Whisper's special tokens.

    Any text can be encoded; each character seen in ``texts`` is one token. ``text_tokens`` pads the text part
    with unused entries up to a real model's size. Returns (tokenizer, vocabulary, language codes).
    """
    tokenizer = _text_tokenizer(texts)
    if text_tokens:
        tokenizer = _padded(tokenizer, text_tokens)
    empty_id = tokenizer.get_vocab_size()
    specials, codes = special_tokens(languages)
    tokenizer.add_tokens([AddedToken("<|empty|>", normalized=False)])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in specials])
    vocabulary = [""] * tokenizer.get_vocab_size()
    for token, token_id in tokenizer.get_vocab().items():
        vocabulary[token_id] = token
    vocabulary[empty_id] = ""  # CTranslate2 takes a model for multilingual only if this entry is the empty string
    return tokenizer, vocabulary, codes


def _text_tokenizer(texts: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    parts = [
        pre_tokenizers.Split(Regex("."), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=4000, min_frequency=1, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator([*texts] * 3, trainer)  # fewer than 3 repeats leaves rare merges out
    return tokenizer


def _padded(tokenizer: Tokenizer, size: int) -> Tokenizer:
    data = json.loads(tokenizer.to_str())
    entries = data["model"]["vocab"]
    while len(entries) < size:
        entries[f"unused{len(entries)}"] = len(entries)
    return Tokenizer.from_str(json.dumps(data))


def sinusoids(length: int, channels: int) -> Array:
    """Whisper's fixed encoder positions: sines in the first half of the channels, cosines in the second."""
    rates = np.exp(-np.log(10000) / (channels // 2 - 1) * np.arange(channels // 2))
    angles = np.arange(length)[:, None] * rates[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def build(
    out: Path,
    weights: Weights,
    shape: Shape,
    tokenizer: Tokenizer,
    vocabulary: Sequence[str],
    codes: Sequence[str],
    quantization: str = "int8",
) -> None:
    """Fill CTranslate2's Whisper specification from ``weights`` and save all five files of the folder."""
    spec = whisper_spec.WhisperSpec(shape["encoder_layers"], shape["heads"], shape["decoder_layers"], shape["heads"])
    _fill_encoder(spec.encoder, weights, shape)
    _fill_decoder(spec.decoder, weights, shape, len(vocabulary))
    token_id = {token: number for number, token in enumerate(vocabulary)}
    space = tokenizer.encode(" ", add_special_tokens=False).ids[0]
    spec.register_vocabulary(list(vocabulary))
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [space, token_id["<|endoftext|>"]]
    spec.config.lang_ids = [token_id[f"<|{code}|>"] for code in codes]
    upper_half = range(shape["decoder_layers"] // 2, shape["decoder_layers"])
    spec.config.alignment_heads = [[layer, head] for layer in upper_half for head in range(shape["heads"])]
    spec.validate()
    spec.optimize(quantization=quantization)
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))
    (out / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    features = {"chunk_length": 30, "feature_size": shape["mels"], "hop_length": 160, "n_fft": 400}
    features["sampling_rate"] = 16000
    (out / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")


def _linear(target: Any, weights: Weights, name: str, rows: int, columns: int) -> None:
    target.weight = weights.get(name + ".weight", rows, columns)
    target.bias = weights.get(name + ".bias", rows)


def _norm(target: Any, weights: Weights, name: str, width: int) -> None:
    target.gamma = weights.get(name + ".gain", width)
    target.beta = weights.get(name + ".bias", width)


def _fill_block(layer: Any, weights: Weights, name: str, width: int) -> None:
    """Self-attention and feed-forward part, which encoder and decoder share."""
    _linear(layer.self_attention.linear[0], weights, name + ".self_qkv", 3 * width, width)
    _linear(layer.self_attention.linear[1], weights, name + ".self_out", width, width)
    _norm(layer.self_attention.layer_norm, weights, name + ".self_norm", width)
    _linear(layer.ffn.linear_0, weights, name + ".ffn_in", 4 * width, width)
    _linear(layer.ffn.linear_1, weights, name + ".ffn_out", width, 4 * width)
    _norm(layer.ffn.layer_norm, weights, name + ".ffn_norm", width)


def _fill_encoder(encoder: Any, weights: Weights, shape: Shape) -> None:
    width = shape["width"]
    for number, (conv, inputs) in enumerate(((encoder.conv1, shape["mels"]), (encoder.conv2, width)), 1):
        conv.weight = weights.get(f"encoder.conv{number}.weight", width, inputs, 3)
        conv.bias = weights.get(f"encoder.conv{number}.bias", width)
    encoder.position_encodings.encodings = sinusoids(ENCODER_POSITIONS, width)
    _norm(encoder.layer_norm, weights, "encoder.norm", width)
    for number, layer in enumerate(encoder.layer):
        _fill_block(layer, weights, f"encoder.{number}", width)


def _fill_decoder(decoder: Any, weights: Weights, shape: Shape, tokens: int) -> None:
    width = shape["width"]
    decoder.embeddings.weight = weights.get("decoder.embedding", tokens, width)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = weights.get("decoder.positions", DECODER_POSITIONS, width)
    _norm(decoder.layer_norm, weights, "decoder.norm", width)
    for number, layer in enumerate(decoder.layer):
        name = f"decoder.{number}"
        _fill_block(layer, weights, name, width)
        _linear(layer.attention.linear[0], weights, name + ".cross_q", width, width)
        _linear(layer.attention.linear[1], weights, name + ".cross_kv", 2 * width, width)
        _linear(layer.attention.linear[2], weights, name + ".cross_out", width, width)
        _norm(layer.attention.layer_norm, weights, name + ".cross_norm", width)
