"""What may be a hit, and whether it stands there as its entry asks: whole, unbroken, with its slots. No search."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from speech.lexicon import ANYWHERE, FUZZY_FROM, Entry, How, Phrase, breaks_clause, breaks_sentence
from speech.normal import fold_text
from speech.stream import Stream

PARTICLES = "啊吧呢嘛"
# What people write together with the word that follows; any other syllable in front makes it the inside of a word.
KOREAN_LEADS = frozenset("이그저야너넌니난아어참또개왜좀막")
KOREAN_LONG_LEADS = ("진짜", "정말", "완전", "이런", "저런", "그런", "에이", "너무", "아주", "이거", "당신")
UNSPACED = 3  # more syllables in front, and no space in the turn: the recogniser writes no spaces
_HANGUL_END = re.compile("[가-힣]+$")
JOIN_MS = 5000  # a phrase may run on into the same party's next turn within this time


@dataclass(slots=True)
class Found:
    """An entry at raw positions of a stream, in turn ``first``; it may run on into the next one, ``last``."""

    entry: Entry
    order: int
    phrase: str
    how: How
    start: int
    end: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Owner:
    """What a string stands for: a phrase, which may be ``fuzzy`` (written otherwise), or the anchor of a pattern."""

    order: int
    entry: Entry
    phrase: Phrase | None
    fuzzy: bool = False


def slots(stream: Stream, entry: Entry, order: int, turn: int) -> Iterator[Found]:
    """The patterns of an entry in a turn where an anchor stands, and over both of its borders."""
    for first, last in ((turn, turn), (turn - 1, turn), (turn, turn + 1)):
        if first < 0 or last == len(stream.turns) or (first < last and stream.pause_ms(first) > JOIN_MS):
            continue
        folded, shift = stream.folded(first, last), stream.starts[first]
        for pattern in entry.patterns:
            for match in pattern.finditer(folded.text):
                start = shift + folded.index_map[match.start()]
                end = stream.after(shift + folded.index_map[match.end() - 1])
                one = Found(entry, order, match.group(), "pattern", start, end, first, last)
                inside = first == last or start < stream.starts[last] < end
                if inside and not breaks_sentence(stream.whole[start:end]):
                    yield one


def han(text: str) -> int:
    """Characters that have a Chinese reading (digits are read too)."""
    return sum(1 for char in text if "\u3400" <= char <= "\u9fff" or char.isdigit())


def fits(stream: Stream, one: Found, phrase: Phrase) -> bool:
    """A whole utterance must be whole. No phrase runs over the end of a sentence that is not its own, no short one
    over a comma, and none into a turn that is not the next."""
    if phrase.whole:
        return one.first == one.last and _whole(fold_text(stream.text(one.first, one.first)), one.phrase)
    if phrase.spaces != ANYWHERE and not _is_word(stream, one, phrase.spaces):
        return False
    if one.how == "homophone" and not phrase.breaks and not one.entry.courtesy:
        return not breaks_clause(stream.whole[one.start : one.end])  # 这个不贵,我关掉: two words, not one phrase
    short = len(phrase.text) < FUZZY_FROM
    if one.first != one.last:
        if one.last != one.first + 1 or stream.pause_ms(one.first) > JOIN_MS:
            return False
        border = stream.starts[one.last]
        pieces = (stream.whole[one.start : border].rstrip("。. "), stream.whole[border : one.end])
        return phrase.breaks or not (short or any(breaks_sentence(piece) for piece in pieces))
    if phrase.breaks or one.end - one.start == len(phrase.text):
        return True
    inside = stream.whole[one.start : one.end]
    return not (breaks_clause(inside) if short else breaks_sentence(inside))


def _whole(folded: str, phrase: str) -> bool:
    """Nothing but the phrase, once, and particles."""
    before, _, after = folded.partition(phrase)
    return not before.strip(PARTICLES) and not after.strip(PARTICLES)


def _is_word(stream: Stream, one: Found, spaces: int) -> bool:
    """Korean: the hit begins a word as it is written (no 병신 in 질병신고) and is not put together over a space
    (no 씨발 in 날씨 발표). Matching itself knows no spaces, so what is written together is still found."""
    if sum(map(str.isspace, stream.whole[one.start : one.end])) > spaces:
        return False
    before = unicodedata.normalize("NFC", stream.whole[stream.starts[one.first] : one.start])
    inside = _HANGUL_END.search(before)
    if inside is None or inside.group() in KOREAN_LEADS or inside.group().endswith(KOREAN_LONG_LEADS):
        return True
    spaced = any(map(str.isspace, stream.text(one.first, one.first)))
    return not spaced and len(inside.group()) > UNSPACED
