from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from speech import pipeline
from speech.audio import decode
from speech.errors import ModelError
from speech.pool import Recogniser, whisper
from speech.whisper import FEATURES, FILES, VOCABULARIES, WhisperEngine, check_folder, folder_sha
from tests.speech.values import CALL, MODEL


def test_the_bundled_model_is_whole_and_says_that_it_is_synthetic() -> None:
    assert check_folder(MODEL).synthetic is True


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_a_folder_without_a_card_is_no_test_model(tmp_path: Path, vocabulary: str) -> None:
    for name in (*FILES, vocabulary):
        (tmp_path / name).touch()

    assert check_folder(tmp_path).synthetic is False


def test_a_folder_as_older_converters_write_it_loads_and_is_another_model(tmp_path: Path) -> None:
    older = shutil.copytree(MODEL, tmp_path / "older")
    words = json.loads((older / "vocabulary.json").read_text(encoding="utf-8"))
    (older / "vocabulary.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    for name in ("vocabulary.json", FEATURES):
        (older / name).unlink()

    assert WhisperEngine(older, device="cpu").identity().model_sha != folder_sha(MODEL)


def test_missing_files_are_named_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        check_folder(tmp_path / "none")
    (tmp_path / "model.bin").touch()
    with pytest.raises(ModelError, match=r"config\.json, tokenizer\.json, vocabulary\.json or vocabulary\.txt"):
        check_folder(tmp_path)


@pytest.mark.parametrize("card", ["", "[]", "{}", "synthetic"])
def test_a_card_that_does_not_say_whether_it_is_synthetic_is_refused(tmp_path: Path, card: str) -> None:
    for name in (*FILES, VOCABULARIES[0]):
        (tmp_path / name).touch()
    (tmp_path / "card.json").write_text(card)
    with pytest.raises(ModelError, match="synthetic"):
        check_folder(tmp_path)


def test_a_broken_model_file_is_a_letter(tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path / "model")
    (tmp_path / "model" / "model.bin").write_bytes(b"not a model")
    with pytest.raises(ModelError, match="does not load"):
        WhisperEngine(tmp_path / "model", device="cpu")


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ModelError, match="profile"):
        WhisperEngine(MODEL, profile="fast")


def test_the_model_hears_a_call_the_same_way_twice_and_marks_it_synthetic() -> None:
    engine, audio = WhisperEngine(MODEL, device="cpu"), decode(CALL)
    first = pipeline.hear(audio, engine, "zh", ["customer", "agent"])

    assert first == pipeline.hear(audio, engine, "zh", ["customer", "agent"])
    assert first.synthetic
    assert len(first.turns) == 4
    assert first.model_sha == folder_sha(MODEL)


def test_options_name_the_transcript() -> None:
    names = {
        WhisperEngine(MODEL, device="cpu", profile=profile, terms=terms).identity().params_sha
        for profile, terms in (("offline", ()), ("live", ()), ("offline", ("光猫",)))
    }

    assert len(names) == 3


def test_a_child_process_hears_what_this_one_hears() -> None:
    with Recogniser(whisper(MODEL, device="cpu")) as one:
        there = one.hear(CALL, "zh", ["customer", "agent"])
    here = pipeline.hear(decode(CALL), WhisperEngine(MODEL, device="cpu"), "zh", ["customer", "agent"])

    assert there == here


def test_the_card_of_the_bundled_model_is_plain_json() -> None:
    assert json.loads((MODEL / "card.json").read_text())["synthetic"] is True
