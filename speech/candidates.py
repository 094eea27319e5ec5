"""What may be a hit, and whether it stands there as its entry asks: whole, unbroken, with its slots. No search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from speech.lexicon import FUZZY_FROM, Entry, How, Phrase, breaks_clause, breaks_sentence
from speech.normal import fold_text
from speech.stream import Stream

PARTICLES = "啊吧呢嘛呀哦啦"
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
    if one.entry.whole:
        before = fold_text(stream.whole[stream.starts[one.first] : one.start])
        alone = one.first == one.last and not before.strip(PARTICLES)  # said twice, it counts once
        return alone and _whole(fold_text(stream.text(one.first, one.first)), one.phrase)
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
    """Nothing but the phrase, once or repeated, and particles."""
    at = 0
    while at < len(folded):
        if folded.startswith(phrase, at):
            at += len(phrase)
        elif folded[at] in PARTICLES:
            at += 1
        else:
            return False
    return True
