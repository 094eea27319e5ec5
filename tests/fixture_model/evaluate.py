"""Measure a fixture model through faster-whisper, offline.

    python evaluate.py --model DIR --data DIR [--clips 100] [--calls 3] [--json FILE]

Per held-out split: exact match and character error rate on single clips, with time marks as the recipe measured and
without as utterances are decoded in use, then phrase recall on 60 s one-channel
calls, decoded utterance by utterance (Silero VAD) and as whole windows. Also: silence and noise must give no text.
"""

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.vad import VadOptions, get_speech_timestamps

from tests.fixture_model.phrases import ALL
from tests.fixture_model.synth import MODEL_RATE, load_phone_clips

VAD = VadOptions(threshold=0.4, min_silence_duration_ms=350, speech_pad_ms=150)
GREEDY = dict(language="zh", beam_size=1, temperature=0, condition_on_previous_text=False)


def plain(text: str) -> str:
    return "".join(c for c in text if c not in "，。 ")


def edit_distance(reference: str, text: str) -> int:
    row = list(range(len(text) + 1))
    for i, left in enumerate(reference, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(text, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


def room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A faint noise floor, as every real line has."""
    return samples + rng.standard_normal(len(samples)).astype(np.float32) * 0.001


def text_of(result) -> str:
    return plain("".join(segment.text for segment in result[0]))


def single_clips(model, clips, count: int, **options) -> dict:
    """Each clip alone with 0.2 s before and 0.3 s after it."""
    rng, noise = random.Random(0), np.random.default_rng(0)
    exact = errors = characters = 0
    swaps, started = {}, time.perf_counter()
    chosen = rng.sample(clips, min(count, len(clips)))
    for phrase, clip in chosen:
        samples = room(np.concatenate([np.zeros(3200, np.float32), clip, np.zeros(4800, np.float32)]), noise)
        text, reference = text_of(model.transcribe(samples, **GREEDY | options)), plain(ALL[phrase])
        exact += text == reference
        errors += edit_distance(reference, text)
        characters += len(reference)
        if text != reference:
            swaps[reference] = text
    return dict(
        clips=len(chosen), exact=round(exact / len(chosen), 3), cer=round(errors / characters, 4),
        ms_per_clip=round((time.perf_counter() - started) / len(chosen) * 1e3), swaps=dict(list(swaps.items())[:5]),
    )


def make_call(clips, rng: random.Random, noise: np.random.Generator, seconds: int = 60):
    """One channel with phrases at pauses of 0.5 to 2.5 s, and the phrases spoken."""
    samples, spoken, position = np.zeros(seconds * MODEL_RATE, np.float32), [], MODEL_RATE // 2
    while True:
        phrase, clip = rng.choice(clips)
        if position + len(clip) > len(samples) - MODEL_RATE // 2:
            return room(samples, noise), [plain(ALL[phrase]) for phrase in spoken]
        samples[position : position + len(clip)] += clip
        spoken.append(phrase)
        position += len(clip) + int(rng.uniform(0.5, 2.5) * MODEL_RATE)


def by_utterance(model, samples) -> list[str]:
    speech = get_speech_timestamps(samples, VAD)
    return [text_of(model.transcribe(samples[s["start"] : s["end"]], without_timestamps=True, **GREEDY)) for s in speech]


def by_utterance_batched(model, samples) -> list[str]:
    clips = [{k: s[k] / MODEL_RATE for k in ("start", "end")} for s in get_speech_timestamps(samples, VAD)]
    segments, _ = BatchedInferencePipeline(model).transcribe(samples, language="zh", clip_timestamps=clips, batch_size=8)
    return [plain(segment.text) for segment in segments]


def whole_windows(model, samples) -> list[str]:
    return [plain(segment.text) for segment in model.transcribe(samples, vad_filter=True, **GREEDY)[0]]


def packed_windows(model, samples) -> list[str]:
    segments, _ = BatchedInferencePipeline(model).transcribe(samples, language="zh", batch_size=8)
    return [plain(segment.text) for segment in segments]


def calls(model, clips, count: int) -> dict:
    rng, noise = random.Random(9), np.random.default_rng(0)
    material = [make_call(clips, rng, noise) for _ in range(count)]
    report = {}
    for way in (by_utterance, by_utterance_batched, whole_windows, packed_windows):
        heard = total = errors = characters = 0
        for samples, spoken in material:
            text = "|".join(way(model, samples))
            heard += sum(phrase in text for phrase in spoken)
            total += len(spoken)
            errors += edit_distance("".join(spoken), text.replace("|", ""))
            characters += sum(map(len, spoken))
        report[way.__name__] = dict(recall=f"{heard}/{total}", cer=round(errors / characters, 3))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder written by synth.py")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--calls", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write the report here")
    args = parser.parse_args()
    model = WhisperModel(
        str(args.model.resolve()), device="cpu", compute_type="int8", cpu_threads=args.threads, local_files_only=True
    )
    report = {}
    for name in ("held_variant", "held_voice"):
        clips = load_phone_clips(args.data, name)
        report[name] = dict(
            single_greedy=single_clips(model, clips, args.clips),
            single_beam_5=single_clips(model, clips, args.clips, beam_size=5),
            without_times_greedy=single_clips(model, clips, args.clips, without_timestamps=True),
            without_times_beam_5=single_clips(model, clips, args.clips, without_timestamps=True, beam_size=5),
            without_times_beam_5_patience_2=single_clips(
                model, clips, args.clips, without_timestamps=True, beam_size=5, patience=2
            ),
            calls=calls(model, clips, args.calls),
        )
    noise = np.random.default_rng(0).standard_normal(10 * MODEL_RATE).astype(np.float32) * 0.02
    report["text on silence"] = text_of(model.transcribe(np.zeros_like(noise), **GREEDY))
    report["text on noise"] = text_of(model.transcribe(noise, **GREEDY))
    phrase, clip = load_phone_clips(args.data, "held_variant")[5]
    guess = model.detect_language(np.concatenate([clip, np.zeros(MODEL_RATE // 2, np.float32)]))
    report["language"] = [guess[0], round(float(guess[1]), 3)]
    biased = model.transcribe(clip, hotwords="宽带 光猫", initial_prompt="以下是普通话的句子。", **GREEDY)
    report["with hotwords and prompt"] = {"said": plain(ALL[phrase]), "heard": text_of(biased)}
    text = json.dumps(report, ensure_ascii=False, indent=1)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
