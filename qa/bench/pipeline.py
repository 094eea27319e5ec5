"""The whole way from a recording to a scorecard beside the bare library doing the same hearing. It judges no text.

Both sides decode the same file, split it, bring it to 16 kHz, look for speech with the same options, and transcribe the
same utterances with the same model and options. Ours then also guards, folds, finds phrases and scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from qa.bench.pairs import in_turn
from qa.bench.random_model import SENTENCE, cached
from qa.bench.rows import Row, compared, missing
from qa.bench.scratch import cache_folder, scratch_folder
from qa.facts import SiteView, call_facts
from qa.heard import from_transcript
from qa.record import CallRecord
from qa.services import model_folder
from qa.site import demo_overlay, matcher
from scoring.engine import score
from scoring.load import load_overlay, load_pack, shipped
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.scorecard import to_json
from speech import vad
from speech.audio import decode, write_flac
from speech.engine import EngineIdentity, Heard, Utterance
from speech.errors import ModelError
from speech.pipeline import hear
from speech.whisper import PROFILES, SCRIPT_PROMPT, SEED, WhisperEngine, check_folder

GOALS = {"tiny": 1.10, "small": 1.03}
PAIRS = {"tiny": 15, "small": 11, "fixture": 11}
QUICK_PAIRS = 2
SECONDS, QUICK_SECONDS = {"tiny": 60, "small": 24}, 12  # small-size takes seven times as long
PAUSE_S = 1.5  # between two bundled calls
ROLES = ("customer", "agent")
RECORD = CallRecord(direction="in", rings=2, end="answered", hung_up_by="customer")
FIXTURE_NOTE = "the bundled test model: a window costs it so little that the fixed work shows; no goal"

Window = tuple[int, int, int]  # channel, from and to in milliseconds


def rows(name: str, quick: bool) -> Iterator[Row]:
    """`pipeline` is tiny-size and, without a goal, the bundled model; `pipeline-small` is small-size."""
    with scratch_folder() as folder:
        call = folder / "call.flac"
        size = "small" if name == "pipeline-small" else "tiny"
        if not bundled_call(call, QUICK_SECONDS if quick else SECONDS[size]):
            yield missing(name, "CPU s", "not run: no bundled recordings in qa/demo/audio to hear")
            return
        yield _row(name, cached(size, cache_folder()), call, size, quick)
        if size == "tiny":
            yield _fixture(call, quick)


def bundled_call(path: Path, seconds: int) -> bool:
    """One long call out of the bundled ones, two channels at 8 kHz; False when none are there."""
    folder = Path(str(files("qa.demo") / "audio"))
    pieces, length = [], 0
    for one in sorted(folder.glob("*.flac")):
        audio = decode(one)
        if audio.channels != 2 or audio.rate != 8000:
            continue
        pieces += [audio.pcm, np.zeros((2, int(PAUSE_S * 8000)), np.int16)]
        length += audio.duration_ms + int(PAUSE_S * 1000)
        if length >= seconds * 1000:
            break
    if pieces:
        write_flac(path, np.concatenate(pieces, axis=1)[:, : seconds * 8000], 8000)
    return bool(pieces)


def _fixture(call: Path, quick: bool) -> Row:
    try:
        folder = model_folder("fixture")
        check_folder(folder)
    except ModelError as error:
        return missing("pipeline-fixture", "CPU s", f"not run: {error}")
    return _row("pipeline-fixture", folder, call, "fixture", quick)


def _row(name: str, folder: Path, call: Path, size: str, quick: bool) -> Row:
    ours = Ours(folder, call)
    windows = ours.windows()
    raw = Raw(folder, call, windows)
    seconds = in_turn(ours.run, raw.run, QUICK_PAIRS if quick else PAIRS[size])
    spoken = sum(end - start for _, start, end in windows) / 1000
    whole = decode(call).duration_ms / 1000
    note = f"{len(windows)} utterances, {spoken:.0f} s, of a call of {whole:.0f} s; int8, 1 thread"
    note += f"; {FIXTURE_NOTE}" if size == "fixture" else f"; random weights that say {len(SENTENCE)} tokens each"
    return compared(name, "CPU s", *seconds, goal=GOALS.get(size), note=f"{note}; peer: bare faster-whisper")


class Ours:
    """Decode, split, resample, voice activity, recogniser, guards, phrases, facts, rules: one scorecard."""

    def __init__(self, folder: Path, call: Path) -> None:
        self._engine = WhisperEngine(folder, device="cpu", compute_type="int8", threads=1)
        self._call, self._matcher = call, matcher()
        self._pack: Pack = load_pack(shipped("bes"))
        self._overlay: Overlay = load_overlay(demo_overlay(), [self._pack])

    def run(self) -> dict[str, Any]:
        return self._scored(self._engine)

    def windows(self) -> list[Window]:
        """What is handed to the recogniser: one run with a listener that takes notes."""
        listener = _Notes(self._engine.identity())
        self._scored(listener)
        return listener.windows

    def _scored(self, engine: WhisperEngine | _Notes) -> dict[str, Any]:
        transcript = hear(decode(self._call), engine, "zh", ROLES)
        facts = call_facts("bench", RECORD, from_transcript(transcript, self._matcher), SiteView())
        return to_json(score(self._pack, self._overlay, facts, None))


@dataclass(slots=True)
class _Notes:
    """A recogniser that hears nothing and keeps what it was given."""

    who: EngineIdentity
    windows: list[Window]

    def __init__(self, who: EngineIdentity) -> None:
        self.who, self.windows = who, []

    def identity(self) -> EngineIdentity:
        return self.who

    def transcribe(self, utterances: Sequence[Utterance], language: str, *, hints: bool = True) -> list[Heard]:
        self.windows += [(one.channel, one.start_ms, one.end_ms) for one in utterances]
        return [Heard("") for _ in utterances]


class Raw:
    """The library alone: its own decoding and resampling, its own voice activity, its own transcription."""

    def __init__(self, folder: Path, call: Path, windows: Sequence[Window]) -> None:
        import ctranslate2
        import faster_whisper
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        self._call, self._windows, self._seed = call, windows, ctranslate2.set_random_seed
        self._decode = faster_whisper.decode_audio
        options = VadOptions(
            threshold=0.4, min_silence_duration_ms=350, speech_pad_ms=0, min_speech_duration_ms=60
        )  # as ours; see speech/vad.py
        self._speech = partial(get_speech_timestamps, vad_options=options)
        model = faster_whisper.WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1, local_files_only=True
        )
        how = PROFILES["offline"]
        self._transcribe = partial(
            model.transcribe, language="zh", task="transcribe", beam_size=how.beam_size,
            temperature=list(how.temperature), compression_ratio_threshold=how.compression_ratio_threshold,
            log_prob_threshold=how.log_prob_threshold, no_speech_threshold=how.no_speech_threshold,
            condition_on_previous_text=False, without_timestamps=True, vad_filter=False,
            initial_prompt=SCRIPT_PROMPT["zh"] if check_folder(folder).script_prompt else None,
        )  # fmt: skip

    def run(self) -> list[str]:
        channels = self._decode(str(self._call), split_stereo=True)
        for samples in channels:
            self._speech(samples)
        texts = []
        for channel, start, end in self._windows:
            self._seed(SEED)
            sound = channels[channel][start * vad.RATE // 1000 : end * vad.RATE // 1000]
            segments, _ = self._transcribe(sound)
            texts.append("".join(segment.text for segment in segments))
        return texts
