from __future__ import annotations

from decimal import Decimal

import pytest

from speech import guards
from speech.engine import Heard
from speech.guards import Verdict, judge


@pytest.mark.parametrize(
    ("no_speech", "logprob", "verdict"),
    [(0.9, -1.5, Verdict.NO_SPEECH), (0.9, -0.5, Verdict.KEEP), (0.1, -1.5, Verdict.KEEP), (None, -1.5, Verdict.KEEP)],
)
def test_only_both_signs_of_silence_together_drop_an_utterance(
    no_speech: float | None, logprob: float, verdict: Verdict
) -> None:
    assert judge(Heard("您好很高兴为您服务", logprob, no_speech), 2000, 1700) is verdict


@pytest.mark.parametrize(
    "text", ["请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "(音樂播放中)", "谢谢观看。", "시청해주셔서 감사합니다."]
)
def test_strings_of_silence_are_dropped(text: str) -> None:
    assert judge(Heard(text, -0.1, 0.0), 4000, 3000) is Verdict.INVENTED


def test_thanks_to_a_person_are_no_string_of_silence() -> None:
    assert judge(Heard("谢谢您的耐心等待", -0.1, 0.0), 2000, 1500) is Verdict.KEEP


@pytest.mark.parametrize("text", ["好的好的好的", "对对对对", "行了行了,别说了"])
def test_people_repeat_themselves(text: str) -> None:
    assert not guards.loops(text)


@pytest.mark.parametrize("text", ["我去查一下" * 4, "哈" * 8, "谢谢" * 12])
def test_a_loop_is_doubted(text: str) -> None:
    assert judge(Heard(text, -0.1, 0.0), 1000 * len(text) // 4, 1000 * len(text) // 5) is Verdict.DOUBT


@pytest.mark.parametrize(
    ("chars", "window_ms", "verdict"),
    [(12, 1000, Verdict.KEEP), (13, 1000, Verdict.DOUBT), (1, 2000, Verdict.KEEP), (1, 2001, Verdict.DOUBT)],
)
def test_impossible_pace_is_doubted(chars: int, window_ms: int, verdict: Verdict) -> None:
    text = "天地玄黄宇宙洪荒日月盈昃辰"[:chars]

    assert judge(Heard(text, -0.1, 0.0), window_ms, window_ms) is verdict


def test_text_over_little_speech_is_doubted() -> None:
    assert judge(Heard("您好请讲", -0.1, 0.0), 2000, 599) is Verdict.DOUBT
    assert judge(Heard("您好请讲", -0.1, 0.0), 2000, 600) is Verdict.KEEP


def test_a_high_compression_ratio_is_doubted() -> None:
    assert judge(Heard("您好请讲", -0.1, 0.0, 2.5), 2000, 1500) is Verdict.DOUBT


def test_punctuation_alone_is_nothing() -> None:
    assert judge(Heard(" 。…", -0.1, 0.0), 2000, 1500) is Verdict.EMPTY


def test_pace_counts_words_of_other_scripts_as_one() -> None:
    assert guards.units("您好 WiFi 5 고객님") == 2 + 2 + 3


def test_confidence_has_two_decimals_and_stays_between_zero_and_one() -> None:
    assert guards.confidence(0.3) == Decimal("1.00")
    assert guards.confidence(-0.1) == Decimal("0.90")
    assert guards.confidence(-1e9) == Decimal("0.00")
    assert guards.confidence(None) is None
