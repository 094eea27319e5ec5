"""Guards against invented speech: what a recogniser writes is not evidence until it passes here. Pure; no audio."""

from __future__ import annotations

import re
import unicodedata
import zlib
from decimal import Decimal
from enum import Enum
from math import exp

from speech.engine import Heard
from speech.normal import fold_text

NO_SPEECH_ABOVE = 0.6
LOGPROB_BELOW = -1.0
RATIO_ABOVE = 2.4
UNITS_PER_SECOND = (0.5, 12.0)
SPEECH_SHARE = 0.3

# Strings that recognisers of this family write on silence; the last layer, and only for a whole utterance.
INVENTED = (
    "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "明镜需要您的支持 欢迎收看订阅明镜",
    "优优独播剧场——YoYo Television Series Exclusive", "优优独播剧场——YoYo 电视剧独家播出", "音樂播放中", "音乐",
    "谢谢观看", "谢谢大家观看", "感谢观看", "字幕由Amara.org社区提供", "字幕志愿者", "中文字幕志愿者",
    "시청해주셔서 감사합니다", "구독과 좋아요 부탁드립니다", "자막 제공 및 자막을 사용하였습니다",
    "한글자막 by 한효정", "MBC 뉴스 이덕영입니다",
    "ご視聴ありがとうございました", "Thank you for watching",
)  # fmt: skip
_INVENTED = frozenset(fold_text(one) for one in INVENTED)
_LOOP = re.compile(r"(.)\1{7,}|(.{2,20}?)\2{3,}", re.DOTALL)
_UNIT = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")


class Verdict(Enum):
    """What becomes of a recognised utterance."""

    KEEP = "keep"
    DOUBT = "doubt"  # shown, but no evidence
    EMPTY = "empty"  # nothing was recognised
    NO_SPEECH = "no_speech"  # the engine itself believes in silence
    INVENTED = "invented"  # a known string of silence


def judge(heard: Heard, window_ms: int, speech_ms: int) -> Verdict:
    """One utterance: ``window_ms`` of sound were decoded, ``speech_ms`` of them are speech."""
    text = fold_text(heard.text)
    if not text:
        return Verdict.EMPTY
    if no_speech(heard):
        return Verdict.NO_SPEECH
    if text in _INVENTED:
        return Verdict.INVENTED
    doubtful = (
        loops(text)
        or (heard.compression_ratio or compression_ratio(heard.text)) > RATIO_ABOVE
        or not UNITS_PER_SECOND[0] <= units(heard.text) * 1000 / max(window_ms, 1) <= UNITS_PER_SECOND[1]
        or speech_ms < SPEECH_SHARE * window_ms
    )
    return Verdict.DOUBT if doubtful else Verdict.KEEP


def no_speech(heard: Heard) -> bool:
    """Both signs together: either alone also stands on real speech."""
    if heard.no_speech_prob is None or heard.avg_logprob is None:
        return False
    return heard.no_speech_prob > NO_SPEECH_ABOVE and heard.avg_logprob < LOGPROB_BELOW


def loops(text: str) -> bool:
    """A piece of two or more characters four times in a row, or one character eight times; 好的好的 is speech."""
    return _LOOP.search(text) is not None


def compression_ratio(text: str) -> float:
    """How well the text packs; weak for Chinese (three bytes a character), therefore beside ``loops``."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def units(text: str) -> int:
    """Spoken units: characters of Chinese, Japanese and Korean, words or numbers of other scripts."""
    return len(_UNIT.findall(unicodedata.normalize("NFC", text)))


def confidence(avg_logprob: float | None) -> Decimal | None:
    """The mean token probability with two decimals; absent when the engine gives none."""
    if avg_logprob is None:
        return None
    return Decimal(f"{min(1.0, max(0.0, exp(min(avg_logprob, 0.0)))):.2f}")
