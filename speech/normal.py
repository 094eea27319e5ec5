"""Folding: one spelling for matching, with the way back to the raw text. It finds nothing and knows no phrases."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import product

FILLERS = frozenset("嗯呃唔")  # hesitation, never part of a phrase
_DIGITS = dict(zip("〇零一二三四五六七八九幺两", "0012345678912", strict=True))
_MISPRINTS = {"臵": "置", "妳": "你", "祢": "你", "髙": "高"}
SENTENCE_END = frozenset("。!?!?…;;\n")
CLAUSE_END = SENTENCE_END | frozenset(",,、::")
_DROP = frozenset("PZSCM")  # punctuation, separators, symbols, controls, marks that stand alone
# Characters that melt into the one before: accents, Hangul vowels and finals, half-width sound marks.
_CLUSTER = re.compile(
    r"[^\u0300-\u036f\u1160-\u11ff\u3099\u309a\ud7b0-\ud7ff\uff9e\uff9f]?"
    r"[\u0300-\u036f\u1160-\u11ff\u3099\u309a\ud7b0-\ud7ff\uff9e\uff9f]+"
)
_SYLLABLES = 0xF0000  # private-use plane: one code point per toneless syllable


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; ``index_map[i]`` = the raw position that character i came from, one more at the end."""

    text: str
    index_map: tuple[int, ...]


@cache
def _simplified(char: str) -> str:
    return _opencc().convert(char)  # type: ignore[no-any-return]


@cache
def _opencc():  # type: ignore[no-untyped-def]  # the library has no types
    import opencc  # slow import

    return opencc.OpenCC("t2s")


def _fold_char(char: str) -> str:
    """One character or cluster, as it is matched: folded, or nothing."""
    kept = []
    for part in unicodedata.normalize("NFKC", char).casefold():
        part = _MISPRINTS.get(part, part)
        if "\u3400" <= part <= "\u9fff" or ord(part) > 0x1FFFF:
            part = _simplified(part)
            part = _MISPRINTS.get(part, part)
        part = _DIGITS.get(part, part)
        if part == "%" or (part not in FILLERS and unicodedata.category(part)[0] not in _DROP):
            kept.append(part)
    return "".join(kept)


class _Table(dict[int, str]):
    """A translation table that learns each character when it first meets it."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_char(chr(code))
        return folded


_FOLD = _Table()


def fold_text(text: str) -> str:
    """The folded text alone: width, case, script, digits, misprints; punctuation, spaces and fillers fall out."""
    if _CLUSTER.search(text):
        return "".join(part for _, part in _clusters(text))
    return text.translate(_FOLD)


def fold(text: str) -> Folded:
    """The folded text and the way back; positions count code points, so a character above U+FFFF is one."""
    pieces: list[str] = []
    back: list[int] = []
    parts = _clusters(text) if _CLUSTER.search(text) else ((at, _FOLD[ord(char)]) for at, char in enumerate(text))
    for at, part in parts:
        pieces.append(part)
        back.extend([at] * len(part))
    return Folded("".join(pieces), (*back, len(text)))


def _clusters(text: str) -> list[tuple[int, str]]:
    """Raw position and folded form of each character with what melts into it."""
    parts: list[tuple[int, str]] = []
    at = 0
    for match in _CLUSTER.finditer(text):
        parts.extend((i, _FOLD[ord(text[i])]) for i in range(at, match.start()))
        parts.append((match.start(), _fold_char(match.group())))
        at = match.end()
    parts.extend((i, _FOLD[ord(text[i])]) for i in range(at, len(text)))
    return parts


@cache
def _readings(char: str) -> tuple[str, ...]:
    """Toneless readings of a folded character, the common one first; empty for what is not Chinese."""
    from pypinyin import Style, pinyin  # slow import, 65 MB

    char = {value: key for key, value in _DIGITS.items() if key not in "〇零幺两"}.get(char, char)
    if char == "0":
        char = "零"
    if not ("\u3400" <= char <= "\u9fff"):
        return ()
    read = pinyin(char, style=Style.NORMAL, heteronym=True, v_to_u=False)[0]
    return tuple(dict.fromkeys(read))


@cache
def _code(syllable: str) -> str:
    """The code point that stands for a syllable in this process."""
    return chr(_SYLLABLES + _count(syllable))


_known: dict[str, int] = {}


def _count(syllable: str) -> int:
    return _known.setdefault(syllable, len(_known))


class _Sounds(dict[int, str]):
    """Folded character -> syllable; a character of several readings stands for its common one."""

    def __missing__(self, code: int) -> str:
        readings = _readings(chr(code))
        self[code] = sound = _code(readings[0]) if readings else chr(code)
        return sound


_SOUNDS = _Sounds()


class _Ear(dict[int, str]):
    """Raw character -> what is heard: folding and syllables in one step, for the fast pass over everything."""

    def __missing__(self, code: int) -> str:
        self[code] = heard = _FOLD[code].translate(_SOUNDS)
        return heard


EAR = _Ear()  # for str.translate; as long as no characters melt together it equals sound(fold_text(text))


def ear(texts: list[str]) -> list[str]:
    """Raw texts as they are heard, fast; a text whose characters melt together takes the longer way."""
    if unicodedata.is_normalized("NFC", "".join(texts)):
        return [text.translate(EAR) for text in texts]
    return [sound(fold_text(text)) for text in texts]


def sound(folded: str) -> str:
    """Folded text by ear: as many characters, Chinese ones replaced by their syllable."""
    return folded.translate(_SOUNDS)


def sounds(folded: str, limit: int = 64) -> tuple[str, ...]:
    """Every way to read a folded phrase; beyond ``limit`` ways, one character at a time departs from the common."""
    own = sound(folded)
    options = [
        tuple(dict.fromkeys((common, *map(_code, _readings(char)))))
        for char, common in zip(folded, own, strict=True)
    ]
    ways = 1
    for one in options:
        ways *= len(one)
    if ways <= limit:
        return tuple("".join(way) for way in product(*options))
    single = [
        own[:at] + other + own[at + 1 :] for at, choices in enumerate(options) for other in choices[1:]
    ]
    return (own, *single[: limit - 1])
