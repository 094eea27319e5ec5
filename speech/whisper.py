"""faster-whisper behind the port: loads one local folder, decodes utterances. It never fetches weights."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from speech.engine import EngineIdentity, Heard, Utterance
from speech.errors import ModelError

FILES = ("model.bin", "config.json", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")  # either; converters of different years write one or the other
FEATURES = "preprocessor_config.json"  # only models with 128 mel bands need it
RATE = 16_000
# Steers Chinese output to simplified characters with punctuation; ordinary words only, never a phrase that counts.
SCRIPT_PROMPT = {"zh": "以下是普通话的句子。"}
SEED = 7


@dataclass(frozen=True, slots=True)
class Profile:
    """How carefully to decode; part of what names a transcript."""

    beam_size: int = 5
    patience: float = 2.0  # with 1 a beam may end on shorter wrong hypotheses before the sure one is complete
    temperature: tuple[float, ...] = (0.0, 0.2, 0.4)
    compression_ratio_threshold: float = 2.4
    log_prob_threshold: float = -1.0
    no_speech_threshold: float = 0.6
    script_prompt: bool = True


PROFILES = {"offline": Profile(), "live": Profile(beam_size=1, patience=1.0)}


@dataclass(frozen=True, slots=True)
class Card:
    """What the model's folder says of itself (``card.json``)."""

    name: str
    synthetic: bool = False  # a test model: it may judge nobody
    script_prompt: bool = True


def check_folder(folder: Path) -> Card:
    """What a model needs must be there: without the tokenizer the library would go to the network for it."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: there is no such folder; give one that holds {', '.join(FILES)} and a vocabulary")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in VOCABULARIES):
        missing.append(" or ".join(VOCABULARIES))
    if missing:
        raise ModelError(f"{folder}: {', '.join(missing)} missing; copy the whole CTranslate2 Whisper folder")
    return _card(folder)


def _card(folder: Path) -> Card:
    path = folder / "card.json"
    if not path.is_file():
        note = folder / "MODEL.md"  # the recipe's own note, written beside a model trained from it
        synthetic = note.is_file() and "synthetic" in note.read_text(encoding="utf-8")
        return Card(folder.name, synthetic)
    try:
        said: Any = json.loads(path.read_text(encoding="utf-8"))
        return Card(str(said.get("name", folder.name)), bool(said["synthetic"]), bool(said.get("script_prompt", True)))
    except (ValueError, KeyError, AttributeError):
        raise ModelError(f'{path}: it must be a JSON object with "synthetic": true or false; mend it') from None


def folder_sha(folder: Path) -> str:
    """One hash over the files that the library reads, by name and bytes."""
    whole = hashlib.sha256()
    for name in (name for name in (*FILES, *VOCABULARIES, FEATURES) if (folder / name).is_file()):
        with (folder / name).open("rb") as file:
            whole.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


class WhisperEngine:
    """One loaded model. Utterances are decoded one by one, each alone in its window."""

    def __init__(
        self,
        folder: Path,
        *,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        compute_type: str | None = None,
        threads: int = 1,
        profile: str = "offline",
        terms: Sequence[str] = (),
    ) -> None:
        if profile not in PROFILES:
            raise ModelError(f"profile {profile!r} is unknown; use one of {', '.join(PROFILES)}")
        card = check_folder(folder)
        os.environ["HF_HUB_OFFLINE"] = "1"
        import ctranslate2  # slow imports: only the process that listens pays for them
        import faster_whisper
        import tqdm

        tqdm.tqdm.set_lock(threading.RLock())  # its own lock between processes would be left behind when this one ends

        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        compute_type = compute_type or ("float16" if device == "cuda" else "int8")
        self._seed = ctranslate2.set_random_seed
        self._profile, self._terms, self._card = PROFILES[profile], tuple(terms), card
        try:
            self._model = faster_whisper.WhisperModel(
                str(folder),
                device=device,
                compute_type=compute_type,
                cpu_threads=threads,
                num_workers=1,
                local_files_only=True,
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{folder}: the model does not load ({error}); copy the folder again") from None
        params = {
            **asdict(self._profile),
            "terms": self._terms,
            "prompt": SCRIPT_PROMPT,
            "compute_type": compute_type,
            "ctranslate2": ctranslate2.__version__,
        }
        self._identity = EngineIdentity(
            engine=f"faster-whisper {faster_whisper.__version__}",
            model_sha=folder_sha(folder),
            params_sha=hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest(),
            synthetic=card.synthetic,
        )

    def identity(self) -> EngineIdentity:
        """Library, weights and options by name and hash."""
        return self._identity

    def transcribe(self, utterances: Sequence[Utterance], language: str, *, hints: bool = True) -> list[Heard]:
        """Text of each utterance; the same bytes give the same text."""
        return [self._decode(one, language, hints) for one in utterances]

    def _decode(self, utterance: Utterance, language: str, hints: bool) -> Heard:
        how = self._profile
        prompt = SCRIPT_PROMPT.get(language) if how.script_prompt and self._card.script_prompt else None
        self._seed(SEED)  # the fallback temperatures draw lots
        segments, _ = self._model.transcribe(
            utterance.samples, language=language, task="transcribe", beam_size=how.beam_size,
            patience=how.patience,
            temperature=list(how.temperature), compression_ratio_threshold=how.compression_ratio_threshold,
            log_prob_threshold=how.log_prob_threshold, no_speech_threshold=how.no_speech_threshold,
            condition_on_previous_text=False, initial_prompt=prompt, without_timestamps=True, vad_filter=False,
            hotwords=" ".join(self._terms) if hints and self._terms else None,
        )  # fmt: skip
        return _joined(list(segments))


def _joined(segments: Sequence[Any]) -> Heard:
    """The worst of the segments speaks for the utterance; one utterance rarely has two."""
    if not segments:
        return Heard("")
    return Heard(
        "".join(one.text for one in segments).strip(),
        min(one.avg_logprob for one in segments),
        max(one.no_speech_prob for one in segments),
        max(one.compression_ratio for one in segments),
    )
