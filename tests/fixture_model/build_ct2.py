"""Write a CTranslate2 Whisper folder that faster-whisper loads offline. numpy only, no torch, no transformers.

    python -m tests.fixture_model.build_ct2 --weights A/weights_f16.npz B/weights_f16.npz --out DIR    the fixture model
    python -m tests.fixture_model.build_ct2 --random small --out DIR               random weights in real dimensions

A random model decodes noise: it shows what a window and a token cost, never accuracy. How a folder is filled stands in
qa/bench/whisper_folder.py, which the benchmarks share.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qa.bench.random_model import REAL_SHAPES, REAL_TEXT_TOKENS, RandomWeights
from qa.bench.whisper_folder import (
    DECODER_POSITIONS,
    ENCODER_POSITIONS,
    Shape,
    build,
    make_tokenizer,
    sinusoids,
    special_tokens,
)
from tests.fixture_model.phrases import ALL

__all__ = [
    "DECODER_POSITIONS",
    "ENCODER_POSITIONS",
    "FIXTURE_SHAPE",
    "FileWeights",
    "build",
    "make_tokenizer",
    "sinusoids",
    "special_tokens",
]

FIXTURE_SHAPE = Shape(width=128, encoder_layers=2, decoder_layers=2, heads=2, mels=80)


class FileWeights:
    """Weights from the .npz files that train.py writes, the mean of several; shapes are checked."""

    def __init__(self, paths: Sequence[Path]):
        files = [np.load(path) for path in paths]
        self.arrays = {name: np.mean([file[name].astype(np.float32) for file in files], axis=0) for name in files[0].files}
        # As one file would have stored it, so that the mean of one is that one.
        self.arrays = {name: array.astype(np.float16).astype(np.float32) for name, array in self.arrays.items()}

    def get(self, name: str, *shape: int) -> np.ndarray:
        array = self.arrays[name]
        if array.shape != shape:
            raise ValueError(f"{name}: shape {array.shape}, expected {shape}")
        return array


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--weights", type=Path, nargs="+", help=".npz written by train.py; of several the mean")
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
