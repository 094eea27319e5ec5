"""The bundled recordings: every word is heard, also a little later; vocabulary, sidecars and script agree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qa.demo.script import FOLDER, calls
from qa.record import read_record
from qa.services import fixture_model
from qa.settings import Settings
from scoring.load import read_yaml
from speech.audio import decode
from speech.whisper import check_folder
from tests.fixture_model.listen import hears
from tests.fixture_model.phrases import ALL

HEARD = [call for call in calls() if call.audio is not None]
MOST_SPEECH_MS = 20_000


def lines(path: Path) -> list[dict]:
    return json.loads(path.with_suffix(".lines.json").read_text(encoding="utf-8"))["lines"]


@pytest.mark.parametrize("call", HEARD, ids=lambda call: call.id)
def test_every_recording_is_heard_exactly(call) -> None:
    audio = decode(call.audio)

    assert all(hears(fixture_model(), audio, lines(call.audio), shift_ms) for shift_ms in (0, 23))


def test_the_model_says_of_itself_that_it_is_synthetic() -> None:
    assert check_folder(fixture_model()).synthetic


def test_whatever_is_said_in_the_demo_is_in_the_model_s_vocabulary() -> None:
    said = {line["text"] for raw in read_yaml(FOLDER / "calls.yaml").value for line in raw.get("lines", ())}

    assert said <= set(ALL)


@pytest.mark.parametrize("call", HEARD, ids=lambda call: call.id)
def test_a_recording_holds_at_most_twenty_seconds_of_speech_and_a_true_sidecar(call) -> None:
    spoken = sum(line["end_ms"] - line["start_ms"] for line in lines(call.audio))
    told = json.loads(call.audio.with_suffix(".json").read_text(encoding="utf-8"))
    record = read_record(call.id, told, Settings(data=Path("unused")).zone)

    assert spoken <= MOST_SPEECH_MS
    assert record.answered_at is not None and record.offered_at is not None
    assert record.answered_at - record.offered_at == call.ring
    assert (record.agent, record.seat, record.direction) == (call.agent, call.seat, call.direction)
