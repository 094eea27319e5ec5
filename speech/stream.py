"""One party's turns as one string by ear, in codes that one automaton reads fast. It finds nothing.

Every character becomes one byte by its sound. Codes are fewer than syllables, so what an automaton finds in them
must be checked against the words; but a phrase is never passed over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from speech.normal import Folded, fold, fold_text, melts, plain, sound
from speech.transcript import Role

_DROPPED, _MANY, _NEW = 0, 254, 255  # falls out when folded; has no single code; not met before
_CODES = 253
_TABLE: NDArray[np.uint8] = np.full(0x110000, _NEW, dtype=np.uint8)
_FOLDED: NDArray[np.uint32] = np.zeros(0x110000, dtype="<u4")  # filled together with the table of codes


class TurnText(NamedTuple):
    """One turn as the matcher needs it; turns of one role and channel are one stream of speech."""

    role: Role
    start_ms: int
    end_ms: int
    text: str
    confidence: Decimal | None = None
    channel: int = 0


def byte_codes(heard: str) -> bytes:
    """A string by ear (as ``normal.sound`` writes it) in codes."""
    return bytes(1 + ord(char) % _CODES for char in heard)


def _points(text: str) -> NDArray[np.intp]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.intp)


def _learn(code: int) -> None:
    folded = fold_text(chr(code))
    heard = sound(folded)
    _FOLDED[code] = ord(folded) if len(folded) == 1 else 0
    _TABLE[code] = _MANY if len(heard) > 1 or not plain(chr(code)) else (byte_codes(heard)[0] if heard else _DROPPED)


def _codes(points: NDArray[np.intp]) -> bytes:
    """One code per raw character."""
    codes = _TABLE.take(points).tobytes()
    if _NEW not in codes:
        return codes
    for code in set(points.tolist()):
        if _TABLE[code] == _NEW:
            _learn(code)
    return _TABLE.take(points).tobytes()


class Stream:
    """The turns joined; positions are raw positions in the whole unless a turn is named. ``heard`` is in codes,
    ``written`` folded (``letters`` the same as numbers): what stands at one place in both is the same character."""

    __slots__ = ("_kept", "heard", "letters", "melting", "starts", "turns", "whole", "written")

    def __init__(self, turns: Sequence[TurnText]) -> None:
        self.turns = turns
        texts = [turn.text for turn in turns]
        self.whole = "".join(texts)
        self.starts = [0, *accumulate(map(len, texts))]
        points = _points(self.whole)
        codes = _codes(points)
        self.melting = _MANY in codes
        if self.melting:
            self._by_turn(texts)
            return
        coded = np.frombuffer(codes, dtype=np.uint8)
        self._kept: NDArray[np.intp] = (coded != _DROPPED).nonzero()[0]
        letters = _FOLDED.take(points.take(self._kept))
        self.letters: NDArray[np.generic] = letters
        self.written = letters.tobytes().decode("utf-32-le", "surrogatepass")
        self.heard = coded.take(self._kept).tobytes()

    def _by_turn(self, texts: Sequence[str]) -> None:
        """The longer way, for text in which characters melt together or fold to several."""
        folded = [fold(text) for text in texts]
        self.written = "".join(one.text for one in folded)
        self.heard = byte_codes(sound(self.written))
        self._kept = np.array(
            [start + at for start, one in zip(self.starts, folded, strict=False) for at in one.index_map[:-1]],
            dtype=np.intp,
        )
        self.letters = _points(self.written)

    def raw(self, start: int, end: int) -> tuple[int, int]:
        """Raw positions of a stretch of ``heard``."""
        return self._kept.item(start), self.after(self._kept.item(end - 1))

    def after(self, position: int) -> int:
        """The raw position behind a character and all that melts into it."""
        position += 1
        while self.melting and position < len(self.whole) and melts(self.whole[position]):
            position += 1
        return position

    def turn_of(self, position: int) -> int:
        """Index of the turn that a raw position lies in."""
        return bisect_right(self.starts, position) - 1

    def begins(self, place: int) -> bool:
        """Does a turn begin at this place of ``heard``?"""
        at = bisect_right(self.starts, self._kept.item(place)) - 1
        return place == 0 or self._kept.item(place - 1) < self.starts[at]

    def text(self, first: int, last: int) -> str:
        """Raw text of some turns in a row."""
        return self.whole[self.starts[first] : self.starts[last + 1]]

    def folded(self, first: int, last: int) -> Folded:
        """The same, folded, with its way back."""
        return fold(self.text(first, last))

    def pause_ms(self, turn: int) -> int:
        """Time between a turn and the one after it."""
        return self.turns[turn + 1].start_ms - self.turns[turn].end_ms

    def times(self, first: int, last: int, start: int, end: int) -> tuple[int, int]:
        """Milliseconds by position, from turn ``first`` to ``last``: each character of a turn takes an equal share."""
        one, two = self.turns[first], self.turns[last]
        from_ms = one.start_ms + (start - self.starts[first]) * (one.end_ms - one.start_ms) // len(one.text)
        to_ms = two.start_ms - (self.starts[last] - end) * (two.end_ms - two.start_ms) // len(two.text)
        return from_ms, to_ms
