"""Strings and patterns at work on a stream of speech: every place where one stands. It takes nothing back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from speech.lexicon import FUZZY_FROM, Entry, How, Lexicon, Phrase, breaks_clause, breaks_sentence
from speech.normal import fold_text, sound, sounds
from speech.stream import Stream, ascii_codes

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
class _Owner:
    """What a string stands for: a phrase, which may be ``fuzzy`` (written otherwise), or the anchor of a pattern."""

    order: int
    entry: Entry
    phrase: Phrase | None
    fuzzy: bool = False


class Searcher:
    """All entries of all lists in one automaton by ear; what it finds is checked against the words."""

    def __init__(self, lexicons: Iterable[Lexicon]) -> None:
        entries = [entry for one in lexicons for entry in one.entries]
        owners: dict[str, dict[tuple[int, str], _Owner]] = {}
        self._ways: dict[str, frozenset[str]] = {}
        for order, entry in enumerate(entries):
            for phrase in entry.phrases:
                fuzzy = entry.fuzzy and not entry.whole and _han(phrase.text) >= FUZZY_FROM
                ways = (sound(phrase.text), *(sounds(phrase.text) if fuzzy else ()))
                self._ways[phrase.text] = frozenset(ways)
                for way in ways:
                    owners.setdefault(ascii_codes(way), {})[order, phrase.text] = _Owner(order, entry, phrase, fuzzy)
            for anchor in entry.anchors:
                owners.setdefault(ascii_codes(sound(anchor)), {})[order, ""] = _Owner(order, entry, None)
        self._owners = [list(one.values()) for one in owners.values()]
        self._search = AhoCorasick(list(owners), matchkind=MatchKind.Standard, implementation=Implementation.DFA)

    def find(self, stream: Stream) -> list[Found]:
        """Everything that stands there, before any guard."""
        found: list[Found] = []
        slots: dict[tuple[int, int], Entry] = {}
        for index, left, right in self._search.find_matches_as_indexes(stream.heard, overlapping=True):
            start, end = stream.raw(left, right)
            first, last = stream.turn_of(start), stream.turn_of(end - 1)
            for owner in self._owners[index]:
                if owner.phrase is None:
                    slots[owner.order, first] = owner.entry
                elif how := self._how(owner.phrase, owner.fuzzy, stream.whole[start:end]):
                    one = Found(owner.entry, owner.order, owner.phrase.text, how, start, end, first, last)
                    if _fits(stream, one, owner.phrase):
                        found.append(one)
        for (order, turn), entry in slots.items():
            found.extend(_slots(stream, entry, order, turn))
        return found

    def _how(self, phrase: Phrase, fuzzy: bool, raw: str) -> How | None:
        """As written, only by sound, or a chance of the codes."""
        if raw == phrase.text:
            return phrase.how
        folded = fold_text(raw)
        if folded == phrase.text:
            return phrase.how
        return "homophone" if fuzzy and sound(folded) in self._ways[phrase.text] else None


def _slots(stream: Stream, entry: Entry, order: int, turn: int) -> Iterator[Found]:
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


def _han(text: str) -> int:
    """Characters that have a Chinese reading (digits are read too)."""
    return sum(1 for char in text if "\u3400" <= char <= "\u9fff" or char.isdigit())


def _fits(stream: Stream, one: Found, phrase: Phrase) -> bool:
    """A whole utterance must be whole. No phrase runs over the end of a sentence that is not its own, no short one
    over a comma, and none into a turn that is not the next."""
    if one.entry.whole:
        return one.first == one.last and _whole(fold_text(stream.text(one.first, one.first)), one.phrase)
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
