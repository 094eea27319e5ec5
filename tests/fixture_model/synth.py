"""Speak every phrase with espeak-ng and store 8 kHz clips, split by voice, speed and pitch.

    python synth.py --out DIR

writes DIR/{train,valid,held_variant,held_voice}.npz. Splits never share a (voice, speed, pitch) triple:
train         8 voices, speed and pitch on a grid of 5
valid         the same voices, other speeds and pitches (early stopping only)
held_variant  the same voices, a third set of speeds and pitches (reported)
held_voice    two voices that occur nowhere else (reported)
Needs the espeak-ng program with its ``cmn`` voice. The module also holds the telephone-band functions
(G.711 round trip, clip loading) that train.py and evaluate.py share.
"""

import argparse
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soxr

from tests.fixture_model.phrases import ALL

PHONE_RATE = 8000
MODEL_RATE = 16000
TRAIN_VOICES = ["+m1", "+m3", "+m7", "+f1", "+f2", "+f4", "+f5", ""]
HELD_VOICES = ["+m4", "+f3"]
SPLITS = ("train", "valid", "held_variant", "held_voice")


def speak(text: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    """One phrase as trimmed int16 samples at 8 kHz."""
    command = ["espeak-ng", "-v", "cmn" + voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    # A streamed WAV carries no valid length, so the 44-byte header is read by hand.
    rate = int.from_bytes(wav[24:28], "little")
    pcm = np.frombuffer(wav[44:], "<i2").astype(np.float32) / 32768
    pcm = soxr.resample(pcm, rate, PHONE_RATE, quality="HQ")
    loud = np.flatnonzero(np.abs(pcm) > 0.01)
    if loud.size:
        pcm = pcm[max(0, loud[0] - 160) : loud[-1] + 400]
    return (np.clip(pcm, -1, 1) * 32767).astype(np.int16)


def plan(seed: int) -> dict[str, list[tuple[int, str, int, int]]]:
    """(phrase index, voice, speed, pitch) for every clip of every split."""
    rng = random.Random(seed)
    jobs: dict[str, list[tuple[int, str, int, int]]] = {name: [] for name in SPLITS}
    for phrase in range(len(ALL)):
        for voice in TRAIN_VOICES:
            for _ in range(4):
                jobs["train"].append((phrase, voice, rng.randrange(125, 215, 5), rng.randrange(25, 75, 5)))
            jobs["held_variant"].append(
                (phrase, voice, rng.choice([128, 143, 158, 173, 188, 203]), rng.choice([28, 43, 58, 72]))
            )
        for voice in HELD_VOICES:
            for _ in range(2):
                jobs["held_voice"].append((phrase, voice, rng.choice([133, 158, 183, 203]), rng.choice([33, 48, 63])))
    rng = random.Random(seed + 1)
    for phrase in range(len(ALL)):
        for voice in rng.sample(TRAIN_VOICES, 2):
            jobs["valid"].append((phrase, voice, rng.choice([131, 146, 161, 176, 191, 206]), rng.choice([31, 46, 61])))
    return jobs


def _g711_levels() -> dict[str, np.ndarray]:
    """The sorted decoder output levels of both G.711 laws, on a scale of ±1."""
    code = np.arange(256)
    u = ~code & 0xFF
    mu = (((u & 15) << 3) + 0x84 << (u >> 4 & 7)) - 0x84
    mu = np.where(u & 0x80, -mu, mu)
    a = code ^ 0x55
    exponent, mantissa = a >> 4 & 7, a & 15
    alaw = np.where(exponent == 0, (mantissa << 4) + 8, (mantissa << 4) + 0x108 << np.maximum(exponent - 1, 0))
    alaw = np.where(a & 0x80, alaw, -alaw)
    return {"mulaw": np.unique(mu / 32768.0), "alaw": np.unique(alaw / 32768.0)}


_LEVELS = _g711_levels()


def g711(x: np.ndarray, law: str) -> np.ndarray:
    """Round trip through 8-bit G.711: every sample moves to the nearest decoder level."""
    levels = _LEVELS[law]
    edges = (levels[1:] + levels[:-1]) / 2
    return levels[np.searchsorted(edges, x)].astype(np.float32)


def to_model_rate(x: np.ndarray) -> np.ndarray:
    """8 kHz to the 16 kHz that Whisper models expect."""
    return soxr.resample(x.astype(np.float32), PHONE_RATE, MODEL_RATE, quality="HQ")


def load_split(folder: Path, name: str) -> list[tuple[int, np.ndarray]]:
    """(phrase index, float32 samples at 8 kHz, not degraded) for every clip of a split."""
    with np.load(Path(folder) / f"{name}.npz") as data:
        ends = np.cumsum(data["length"])
        pcm = data["pcm"].astype(np.float32) / 32768
        return [(int(p), pcm[e - n : e]) for p, n, e in zip(data["phrase"], data["length"], ends)]


def load_phone_clips(folder: Path, name: str) -> list[tuple[int, np.ndarray]]:
    """Clips as they arrive from a phone: random level, G.711 (laws alternate), 16 kHz. Always the same."""
    clips = []
    for number, (phrase, pcm) in enumerate(load_split(folder, name)):
        level = 10 ** (random.Random(number).uniform(-14, 0) / 20)
        clips.append((phrase, to_model_rate(g711(pcm * level, "mulaw" if number % 2 else "alaw"))))
    return clips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the .npz files")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=4, help="espeak-ng processes at a time")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, jobs in plan(args.seed).items():
        with ThreadPoolExecutor(args.jobs) as pool:
            clips = list(pool.map(lambda job: speak(ALL[job[0]], *job[1:]), jobs))
        np.savez(
            args.out / f"{name}.npz",
            phrase=np.array([job[0] for job in jobs]),
            length=np.array([len(clip) for clip in clips]),
            pcm=np.concatenate(clips),
            voice=np.array([f"cmn{job[1]} speed {job[2]} pitch {job[3]}" for job in jobs]),
        )
        print(f"{name}: {len(clips)} clips, {sum(map(len, clips)) / PHONE_RATE:.0f} s")


if __name__ == "__main__":
    main()
