from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest

from speech import pipeline, vad
from speech.audio import Audio, decode
from speech.engine import Heard, Utterance
from speech.scripted import Line, ScriptedEngine
from speech.transcript import Transcript, from_json, to_json
from tests.speech.values import CALL

ROLES = ["customer", "agent"]
SCRIPT = [
    Line(1, 1000, 4700, "您好,很高兴为您服务。", avg_logprob=-0.05),
    Line(0, 3000, 6200, "我家宽带上不了网。"),
    Line(1, 8000, 10_200, "这不归我管。", avg_logprob=None),
    Line(1, 11_500, 15_600, "感谢您的来电,再见。"),
]


def heard(script: list[Line], audio: Audio | None = None, roles: list[str] | None = ROLES) -> Transcript:
    return pipeline.hear(audio or decode(CALL), ScriptedEngine(script), "zh", roles)


def test_both_parties_are_heard_in_order_with_their_times() -> None:
    transcript = heard(SCRIPT)

    assert [(transcript.role(turn.channel), turn.text) for turn in transcript.turns] == [
        ("agent", "您好,很高兴为您服务。"),
        ("customer", "我家宽带上不了网。"),
        ("agent", "这不归我管。"),
        ("agent", "感谢您的来电,再见。"),
    ]
    assert [turn.confidence for turn in transcript.turns[::2]] == [Decimal("0.95"), None]
    assert all(turn.start_ms < turn.end_ms <= transcript.duration_ms for turn in transcript.turns)
    assert transcript.channels == "split"
    assert transcript.speech_ms[1] > transcript.speech_ms[0] > 3000


def test_speech_is_known_even_where_nothing_was_recognised() -> None:
    transcript = heard([])

    assert transcript.turns == ()
    assert len(transcript.speech) == 4
    assert transcript.dropped == (("empty", 4),)


def test_guards_drop_and_doubt() -> None:
    loop = Line(1, 8000, 10_200, "我去查一下" * 4)
    silence = Line(1, 1000, 4700, "谢谢观看")
    unsure = Line(0, 3000, 6200, "好的,我知道了", avg_logprob=-1.4, no_speech_prob=0.9)
    transcript = heard([silence, unsure, loop, SCRIPT[3]])

    assert [turn.doubted for turn in transcript.turns] == [True, False]
    assert transcript.dropped == (("invented", 1), ("no_speech", 1))


def test_a_mono_recording_has_no_parties() -> None:
    both = decode(CALL).pcm.sum(axis=0, dtype=np.int32).clip(-32768, 32767).astype(np.int16)
    lines = [Line(0, 500, 16_000, "您好,再见,请讲,谢谢您的来电和支持")]
    for audio in (Audio(both.reshape(1, -1), 8000), Audio(np.stack([both, both // 2]).astype(np.int16), 8000)):
        transcript = heard(lines, audio)

        assert (transcript.channels, transcript.roles) == ("mixed", ("unknown",))
        assert {turn.channel for turn in transcript.turns} <= {0}


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        (["agent", "customer"], ("agent", "customer")),
        (None, ("unknown", "unknown")),
        (["agent"], ("agent", "unknown")),
        (["boss", "agent", "x"], ("unknown", "agent")),
    ],
)
def test_parties_are_who_the_caller_says(roles: list[str] | None, expected: tuple[str, ...]) -> None:
    assert pipeline.layout(decode(CALL), roles) == ("split", expected)


def test_one_named_party_alone_on_a_mono_line_is_that_party() -> None:
    mono = Audio(decode(CALL).pcm[1:], 8000)

    assert pipeline.layout(mono, ["agent"]) == ("split", ("agent",))
    assert pipeline.layout(mono, ["agent", "customer"]) == ("mixed", ("unknown",))


def test_long_recordings_are_heard_in_blocks_without_losing_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "BLOCK_SECONDS", 8)
    monkeypatch.setattr(pipeline, "QUIET_SECONDS", 3)

    whole = heard(SCRIPT)

    assert [turn.text for turn in whole.turns] == [line.text for line in SCRIPT]
    assert abs(whole.turns[3].start_ms - 11_550) < 150


def test_progress_reaches_the_end() -> None:
    told: list[tuple[int, int]] = []
    pipeline.hear(decode(CALL), ScriptedEngine(SCRIPT), "zh", ROLES, lambda done, whole: told.append((done, whole)))

    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


class Suggestible(ScriptedEngine):
    """Hears what it was told to expect, and nothing without."""

    def transcribe(self, utterances: Sequence[Utterance], language: str, *, hints: bool = True) -> list[Heard]:
        heard = super().transcribe(utterances, language)
        return heard if hints else [Heard("") for _ in heard]


def test_a_disputed_turn_is_heard_again_without_hints() -> None:
    engine, audio = Suggestible(SCRIPT), decode(CALL)
    turn = pipeline.hear(audio, engine, "zh", ROLES).turns[2]

    assert pipeline.hear_again(audio, engine, "zh", turn.channel, turn.start_ms, turn.end_ms).text == ""


def test_a_transcript_travels_as_json_without_change() -> None:
    import json

    transcript = heard(SCRIPT)

    assert from_json(json.loads(json.dumps(to_json(transcript)))) == transcript


def test_the_same_script_has_the_same_name_and_another_one_another() -> None:
    assert ScriptedEngine(SCRIPT).identity() == ScriptedEngine(list(SCRIPT)).identity()
    assert ScriptedEngine(SCRIPT).identity() != ScriptedEngine(SCRIPT[1:]).identity()


def test_levels_are_measured_where_somebody_speaks() -> None:
    transcript = heard(SCRIPT)

    assert all(-40 < one.level_db < -15 for one in transcript.speech)
    assert vad.level(np.zeros(100, dtype=np.float32)) == -120.0
