"""Write a CTranslate2 Whisper folder that faster-whisper loads offline. numpy only, no torch, no transformers.

    python build_ct2.py --weights weights_f16.npz --out DIR      the fixture model
    python build_ct2.py --random small --out DIR                 random weights in the real model's dimensions

A random model decodes noise: it shows what a window and a token cost, never accuracy.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from ctranslate2.specs import whisper_spec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.fixture_model.phrases import ALL

FIXTURE_SHAPE = dict(width=128, encoder_layers=2, decoder_layers=2, heads=2, mels=80)
REAL_SHAPES = {
    "tiny": dict(width=384, encoder_layers=4, decoder_layers=4, heads=6, mels=80),
    "base": dict(width=512, encoder_layers=6, decoder_layers=6, heads=8, mels=80),
    "small": dict(width=768, encoder_layers=12, decoder_layers=12, heads=12, mels=80),
    "medium": dict(width=1024, encoder_layers=24, decoder_layers=24, heads=16, mels=80),
    "large-v3-turbo": dict(width=1280, encoder_layers=32, decoder_layers=4, heads=20, mels=128),
}
ENCODER_POSITIONS = 1500
DECODER_POSITIONS = 448
REAL_TEXT_TOKENS = 50256


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
    tokens += ["<|notimestamps|>"] + [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
    return tokens, codes


def make_tokenizer(texts: list[str], languages: int = 99, text_tokens: int | None = None):
    """Byte-level BPE whose merges never cross a character, plus Whisper's special tokens.

    Any text can be encoded; each character seen in ``texts`` is one token. ``text_tokens`` pads the text part
    with unused entries up to a real model's size. Returns (tokenizer, vocabulary, language codes).
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex("."), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4000, min_frequency=1, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    tokenizer.train_from_iterator(texts * 3, trainer)  # fewer than 3 repeats leaves rare merges out
    if text_tokens:
        data = json.loads(tokenizer.to_str())
        entries = data["model"]["vocab"]
        while len(entries) < text_tokens:
            entries[f"unused{len(entries)}"] = len(entries)
        tokenizer = Tokenizer.from_str(json.dumps(data))
    empty_id = tokenizer.get_vocab_size()
    specials, codes = special_tokens(languages)
    tokenizer.add_tokens([AddedToken("<|empty|>", normalized=False)])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in specials])
    vocabulary = [""] * tokenizer.get_vocab_size()
    for token, token_id in tokenizer.get_vocab().items():
        vocabulary[token_id] = token
    vocabulary[empty_id] = ""  # CTranslate2 takes a model for multilingual only if this entry is the empty string
    return tokenizer, vocabulary, codes


def sinusoids(length: int, channels: int) -> np.ndarray:
    """Whisper's fixed encoder positions: sines in the first half of the channels, cosines in the second."""
    rates = np.exp(-np.log(10000) / (channels // 2 - 1) * np.arange(channels // 2))
    angles = np.arange(length)[:, None] * rates[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


class RandomWeights:
    """Stands in for a trained weight file: gaussian matrices, unit gains, zero biases."""

    def __init__(self, seed: int = 0):
        self.rng = np.random.default_rng(seed)

    def get(self, name: str, *shape: int) -> np.ndarray:
        if name.endswith(".gain"):
            return np.ones(shape, np.float32)
        if name.endswith(".bias"):
            return np.zeros(shape, np.float32)
        return self.rng.standard_normal(shape, dtype=np.float32) * np.float32(0.02)


class FileWeights:
    """Weights from the .npz that train.py writes; shapes are checked."""

    def __init__(self, path: Path):
        with np.load(path) as data:
            self.arrays = {name: data[name].astype(np.float32) for name in data.files}

    def get(self, name: str, *shape: int) -> np.ndarray:
        array = self.arrays[name]
        if array.shape != shape:
            raise ValueError(f"{name}: shape {array.shape}, expected {shape}")
        return array


def build(out: Path, weights, shape: dict, tokenizer, vocabulary, codes, quantization: str = "int8") -> None:
    """Fill CTranslate2's Whisper specification from ``weights`` and save all five files of the folder."""
    width, mels, heads = shape["width"], shape["mels"], shape["heads"]
    spec = whisper_spec.WhisperSpec(shape["encoder_layers"], heads, shape["decoder_layers"], heads)

    def linear(target, name, rows, columns):
        target.weight = weights.get(name + ".weight", rows, columns)
        target.bias = weights.get(name + ".bias", rows)

    def norm(target, name):
        target.gamma = weights.get(name + ".gain", width)
        target.beta = weights.get(name + ".bias", width)

    def self_attention_and_ffn(layer, name):
        linear(layer.self_attention.linear[0], name + ".self_qkv", 3 * width, width)
        linear(layer.self_attention.linear[1], name + ".self_out", width, width)
        norm(layer.self_attention.layer_norm, name + ".self_norm")
        linear(layer.ffn.linear_0, name + ".ffn_in", 4 * width, width)
        linear(layer.ffn.linear_1, name + ".ffn_out", width, 4 * width)
        norm(layer.ffn.layer_norm, name + ".ffn_norm")

    encoder, decoder = spec.encoder, spec.decoder
    for number, (conv, inputs) in enumerate(((encoder.conv1, mels), (encoder.conv2, width)), 1):
        conv.weight = weights.get(f"encoder.conv{number}.weight", width, inputs, 3)
        conv.bias = weights.get(f"encoder.conv{number}.bias", width)
    encoder.position_encodings.encodings = sinusoids(ENCODER_POSITIONS, width)
    norm(encoder.layer_norm, "encoder.norm")
    for number, layer in enumerate(encoder.layer):
        self_attention_and_ffn(layer, f"encoder.{number}")
    decoder.embeddings.weight = weights.get("decoder.embedding", len(vocabulary), width)
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = weights.get("decoder.positions", DECODER_POSITIONS, width)
    norm(decoder.layer_norm, "decoder.norm")
    for number, layer in enumerate(decoder.layer):
        name = f"decoder.{number}"
        self_attention_and_ffn(layer, name)
        linear(layer.attention.linear[0], name + ".cross_q", width, width)
        linear(layer.attention.linear[1], name + ".cross_kv", 2 * width, width)
        linear(layer.attention.linear[2], name + ".cross_out", width, width)
        norm(layer.attention.layer_norm, name + ".cross_norm")

    token_id = {token: number for number, token in enumerate(vocabulary)}
    space = tokenizer.encode(" ", add_special_tokens=False).ids[0]
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [space, token_id["<|endoftext|>"]]
    spec.config.lang_ids = [token_id[f"<|{code}|>"] for code in codes]
    upper_half = range(shape["decoder_layers"] // 2, shape["decoder_layers"])
    spec.config.alignment_heads = [[layer, head] for layer in upper_half for head in range(heads)]
    spec.validate()
    spec.optimize(quantization=quantization)
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))
    # Without tokenizer.json faster-whisper would try to download one.
    (out / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    features = dict(chunk_length=30, feature_size=mels, hop_length=160, n_fft=400, sampling_rate=16000)
    (out / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=Path, help=".npz written by train.py")
    source.add_argument("--random", choices=REAL_SHAPES, help="random weights in this model's dimensions")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--quantization", default="int8", choices=["int8", "float16", "float32"])
    args = parser.parse_args()
    if args.weights:
        build(args.out, FileWeights(args.weights), FIXTURE_SHAPE, *make_tokenizer(ALL), args.quantization)
    else:
        languages = 100 if args.random == "large-v3-turbo" else 99
        parts = make_tokenizer(ALL, languages, REAL_TEXT_TOKENS)
        build(args.out, RandomWeights(), REAL_SHAPES[args.random], *parts, args.quantization)
    print(f"{args.out}: model.bin {(args.out / 'model.bin').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
