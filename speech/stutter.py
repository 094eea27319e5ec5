"""Where a party stammers: the words around, read without what is said again or fills a pause. It finds no phrases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from speech.stream import Stream

FILLER = "那个"  # beside those that folding drops everywhere
REACH = 14  # characters on either side that a phrase with a stutter inside may take
# Doubled in ordinary words (想想, 刚刚, 谢谢): never a stutter.
DOUBLED = frozenset("谢想看试等说问听聊讲查用走坐找算量常刚慢天人个家次每渐往好多大小爸妈哥姐弟妹爷奶叔公婆太")
_LETTERS = "\u3400"  # from here on Chinese and Korean writing: a doubled digit is a number
_BORDER = b"\0"  # no sound has this code


@dataclass(frozen=True, slots=True)
class Fluent:
    """Pieces of ``Stream.heard`` without their stutters, and the place there of each character."""

    heard: bytes
    places: list[int]

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The stretch of ``Stream.heard``; None where nothing was left out, so that nothing new is found."""
        first, last = self.places[start], self.places[end - 1] + 1
        return (first, last) if last - first > end - start else None


def pieces(phrases: Iterable[str], size: int) -> frozenset[str]:
    """Every so many characters that stand side by side in one of these."""
    return frozenset(phrase[at : at + size] for phrase in phrases for at in range(len(phrase) - size + 1))


def fluent(stream: Stream, pairs: frozenset[str], triples: frozenset[str]) -> Fluent | None:
    """The neighbourhood of every stutter that a phrase could hide, without it; None where there is none. ``pairs`` and
    ``triples`` are the pieces of all phrases."""
    dropped = _fillers(stream, pairs) | _repeats(stream, triples)
    if not dropped:
        return None
    heard: list[bytes] = []
    places: list[int] = []
    for start, end in _kept(sorted(dropped), len(stream.heard)):
        heard.append(stream.heard[start:end] if start < end else _BORDER)
        places += range(start, end) if start < end else (end,)
    return Fluent(b"".join(heard), places)


def _kept(dropped: list[int], size: int) -> Iterator[tuple[int, int]]:
    """The stretches around what is dropped; an empty one is a border between two places of stammering."""
    begin, end = max(0, dropped[0] - REACH), dropped[0] + REACH
    for place in dropped:
        if place - REACH > end:
            yield begin, end
            yield end, end
            begin = place - REACH
        if begin < place:
            yield begin, place
        begin, end = place + 1, place + REACH
    if begin < min(end, size):
        yield begin, min(end, size)


def _fillers(stream: Stream, pairs: frozenset[str]) -> set[int]:
    """Fillers between two characters that a phrase joins."""
    dropped: set[int] = set()
    written, at = stream.written, stream.written.find(FILLER)
    while at >= 0:
        end = at + len(FILLER)
        while written.startswith(FILLER, end):
            end += len(FILLER)
        if written[at - 1 : at] + written[end : end + 1] in pairs:
            dropped.update(range(at, end))
        at = written.find(FILLER, end)
    return dropped


def _repeats(stream: Stream, triples: frozenset[str]) -> set[int]:
    """A character or a pair said twice in a row, where a phrase joins it to what stands around."""
    letters, written = stream.letters, stream.written
    if letters.size < 4:
        return set()
    dropped: set[int] = set()
    for place in (letters[1:] == letters[:-1]).nonzero()[0].tolist():
        said = written[place]
        if said >= _LETTERS and said not in DOUBLED and _inside(written, place, said, triples):
            dropped.add(place + 1)
    for place, following in pairwise((letters[2:] == letters[:-2]).nonzero()[0].tolist()):
        if following == place + 1 and _pair_inside(written, place, triples):
            dropped.update((place + 2, place + 3))
    return dropped


def _inside(written: str, place: int, said: str, triples: frozenset[str]) -> bool:
    """Does some phrase go on from before a repeated character to after it? At its edges it is found as it stands."""
    left, right = place - 1, place + 2
    while left >= 0 and written[left] == said:
        left -= 1
    while written[right : right + 1] == said:
        right += 1
    return left >= 0 and written[left] + said + written[right : right + 1] in triples


def _pair_inside(written: str, place: int, triples: frozenset[str]) -> bool:
    """The same for a pair of different characters."""
    if written[place - 1 : place + 2] not in triples or written[place + 2 : place + 5] not in triples:
        return False
    first, second = written[place], written[place + 1]
    return first != second and min(first, second) >= _LETTERS
