"""Folding: one spelling for matching, with the way back to the raw text. It finds nothing and knows no phrases."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

FILLERS = frozenset("嗯呃唔")  # hesitation, never part of a phrase
_DIGITS = dict(zip("〇零一二三四五六七八九幺两", "0012345678912", strict=True))
_NUMERALS = str.maketrans("0123456789", "零一二三四五六七八九")
_MISPRINTS = {"臵": "置", "妳": "你", "祢": "你", "髙": "高"}
SENTENCE_END = frozenset("。!?!?…;;\n")
CLAUSE_END = SENTENCE_END | frozenset(",,、::")
_DROP = frozenset("PZSCM")  # punctuation, separators, symbols, controls, marks that stand alone
# Characters that melt into the one before: accents, Hangul vowels and finals, half-width sound marks.
_MELTING = "\u0300-\u036f\u1160-\u11ff\u3099\u309a\ud7b0-\ud7ff\uff9e\uff9f"
_CLUSTER = re.compile(f"[^{_MELTING}]?[{_MELTING}]+")
_HAN = re.compile("[\u3400-\u9fff]+")
MANY_READINGS = 6  # characters of a phrase whose readings are mixed
_SYLLABLES = 0xE000  # private-use area: one code point per toneless syllable


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; ``index_map[i]`` = the raw position that character i came from, one more at the end."""

    text: str
    index_map: Sequence[int]


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
        if len(folded) != 1:
            (_WIDE if folded else _GONE).add(chr(code))
        return folded


_FOLD = _Table()
_GONE: set[str] = set()  # characters met so far that fall out
_WIDE: set[str] = set()  # characters met so far that fold to several


def fold_text(text: str) -> str:
    """The folded text alone: width, case, script, digits, misprints; punctuation, spaces and fillers fall out."""
    if not unicodedata.is_normalized("NFC", text):
        return "".join(part for _, part in _clusters(text))
    return text.translate(_FOLD)


def fold(text: str) -> Folded:
    """The folded text and the way back; positions count code points, so a character above U+FFFF is one."""
    if not unicodedata.is_normalized("NFC", text):
        parts = _clusters(text)
        back = [at for at, part in parts for _ in part]
        return Folded("".join(part for _, part in parts), (*back, len(text)))
    folded = text.translate(_FOLD)  # from here on the table knows every character of the text
    if not _WIDE.isdisjoint(text):
        return Folded(folded, (*(at for at, char in enumerate(text) for _ in _FOLD[ord(char)]), len(text)))
    if len(folded) == len(text):
        return Folded(folded, range(len(text) + 1))
    back = [at for at, char in enumerate(text) if char not in _GONE]
    back.append(len(text))
    return Folded(folded, back)


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

    char = char.translate(_NUMERALS)
    if not ("\u3400" <= char <= "\u9fff"):
        return ()
    read = pinyin(char, style=Style.NORMAL, heteronym=True, v_to_u=False)[0]
    return tuple(dict.fromkeys(read))


@cache
def _spoken(folded: str) -> tuple[str, ...]:
    """One reading per character as it is spoken in this phrase; empty for what is not Chinese."""
    from pypinyin import Style, lazy_pinyin  # slow import, 65 MB

    read = [""] * len(folded)
    for run in _HAN.finditer(folded.translate(_NUMERALS)):
        read[run.start() : run.end()] = lazy_pinyin(run.group(), style=Style.NORMAL, v_to_u=False)
    return tuple(read)


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


def melts(char: str) -> bool:
    """Does the character melt into the one before it?"""
    return _CLUSTER.match(char) is not None


def plain(char: str) -> bool:
    """Does the character fold by itself, whatever stands beside it?"""
    return not melts(char) and unicodedata.is_normalized("NFC", char)


def sound(folded: str) -> str:
    """Folded text by ear: as many characters, Chinese ones replaced by their syllable."""
    return folded.translate(_SOUNDS)


def sounds(folded: str) -> tuple[str, ...]:
    """Every way in which a folded phrase may be written by ear: each character by its common reading, as the text is
    read, or as it is spoken in this phrase. Readings that it never has there would make other words of it."""
    own = sound(folded)
    spoken = (_code(one) if one else char for char, one in zip(own, _spoken(folded), strict=True))
    options = [tuple(dict.fromkeys(pair)) for pair in zip(own, spoken, strict=True)]
    if sum(len(one) > 1 for one in options) > MANY_READINGS:
        return own, "".join(one[-1] for one in options)
    return tuple("".join(way) for way in product(*options))
