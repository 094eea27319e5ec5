"""Finds the phrases of all lists in what was said, and drops what the words around take back. No points, no rules.

One automaton runs over the whole call by ear; only where it stops are words compared and guards asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from speech.candidates import PARTICLES, Found, Owner, fits, han, slots
from speech.context import taken_back
from speech.lexicon import FUZZY_FROM, Entry, How, Lexicon, Phrase, Severity
from speech.normal import sound, sounds
from speech.stream import Stream, TurnText, byte_codes
from speech.stutter import Fluent, fluent, pieces
from speech.transcript import Role

__all__ = ["Hit", "Matcher", "TurnText"]

HOMOPHONE_TRUST = Decimal("0.7")  # how much of the turn's confidence a match by sound keeps
_ORDER = attrgetter("turn", "start_ms", "end_ms", "category", "entry")


class Hit(NamedTuple):
    """A phrase found; ``turn`` is the index of the turn where it begins. Times narrow by position in the text."""

    category: str
    entry: str
    role: Role
    start_ms: int
    end_ms: int
    text: str
    how: How
    turn: int
    confidence: Decimal | None = None
    severity: Severity = "ordinary"
    part: str = ""


class _Searcher:
    """All entries of all lists in one automaton by ear; what it finds is checked against the words."""

    def __init__(self, lexicons: Iterable[Lexicon]) -> None:
        entries = [entry for one in lexicons for entry in one.entries]
        owners: dict[bytes, dict[tuple[int, str], Owner]] = {}
        self._short: dict[str, list[Owner]] = {}  # of one character: by ear they would be met all over the text
        self._ways: dict[str, frozenset[str]] = {}
        for order, entry in enumerate(entries):
            for phrase in entry.phrases:
                if len(phrase.text) == 1:
                    self._short.setdefault(phrase.text, []).append(Owner(order, entry, phrase))
                    continue
                fuzzy = entry.fuzzy and not phrase.whole and han(phrase.text) >= FUZZY_FROM
                ways = (sound(phrase.text), *(sounds(phrase.text) if fuzzy else ()))
                self._ways[phrase.text] = frozenset(ways)
                for way in ways:
                    owners.setdefault(byte_codes(way), {})[order, phrase.text] = Owner(order, entry, phrase, fuzzy)
            for anchor in entry.anchors:
                owners.setdefault(byte_codes(sound(anchor)), {})[order, ""] = Owner(order, entry, None)
        self._owners = [list(one.values()) for one in owners.values()]
        self._search = BytesAhoCorasick(list(owners), matchkind=MatchKind.Standard)
        self._search_short = re.compile("|".join(map(re.escape, self._short)) or "(?!)")
        longer = [text for text in self._ways if len(text) >= FUZZY_FROM]
        self._pairs, self._triples = pieces(longer, 2), pieces(longer, 3)

    def find(self, stream: Stream) -> list[Found]:
        """Everything that stands there, before any guard."""
        found: list[Found] = []
        anchored: dict[tuple[int, int], Entry] = {}
        for index, left, right in self._search.find_matches_as_indexes(stream.heard, overlapping=True):
            for owner in self._owners[index]:
                phrase = owner.phrase
                if phrase is None:
                    anchored[owner.order, stream.turn_of(stream.raw(left, right)[0])] = owner.entry
                elif phrase.whole and not _leads(stream, left):
                    continue
                elif how := self._how(phrase, owner.fuzzy, stream.written[left:right]):
                    found += _standing(stream, owner, phrase, how, left, right)
        for match in self._search_short.finditer(stream.written):
            for owner in self._short[match.group()]:
                phrase = owner.phrase
                if phrase is not None and (not phrase.whole or _leads(stream, match.start())):
                    found += _standing(stream, owner, phrase, phrase.how, *match.span())
        for (order, turn), entry in anchored.items():
            found.extend(slots(stream, entry, order, turn))
        smooth = fluent(stream, self._pairs, self._triples)
        if smooth is not None:
            found.extend(self._stuttered(stream, smooth))
        return found

    def _stuttered(self, stream: Stream, smooth: Fluent) -> Iterator[Found]:
        """Longer phrases with a stutter or a filler inside; as written only, by sound would be a guess on a guess."""
        for index, left, right in self._search.find_matches_as_indexes(smooth.heard, overlapping=True):
            span = smooth.span(left, right) if right - left >= FUZZY_FROM else None
            if span is None:
                continue
            written = "".join(stream.written[place] for place in smooth.places[left:right])
            for owner in self._owners[index]:
                phrase = owner.phrase
                if phrase is not None and not phrase.whole and written == phrase.text:
                    yield from _standing(stream, owner, phrase, phrase.how, *span)

    def _how(self, phrase: Phrase, fuzzy: bool, written: str) -> How | None:
        """As written, only by sound, or a chance of the codes."""
        if written == phrase.text:
            return phrase.how
        return "homophone" if fuzzy and sound(written) in self._ways[phrase.text] else None


def _leads(stream: Stream, place: int) -> bool:
    """May a whole utterance begin here: is nothing but a particle right before it in its turn?"""
    return stream.written[place - 1 : place] in PARTICLES or stream.begins(place)


def _standing(stream: Stream, owner: Owner, phrase: Phrase, how: How, left: int, right: int) -> tuple[Found, ...]:
    """The phrase heard at these places, if it stands there as its entry asks."""
    start, end = stream.raw(left, right)
    first = stream.turn_of(start)
    last = first if end <= stream.starts[first + 1] else stream.turn_of(end - 1)
    one = Found(owner.entry, owner.order, phrase.text, how, start, end, first, last)
    return (one,) if fits(stream, one, phrase) else ()


class Matcher:
    """All lists, compiled once; ``line`` is the channel whose own phrases count beside the common ones."""

    def __init__(self, lexicons: Iterable[Lexicon], line: str = "voice") -> None:
        self._line = line
        self._search = _Searcher(lexicons)

    def find(self, turns: Sequence[TurnText]) -> list[Hit]:
        """Hits of one call in order. The customer's words are never hits; an unknown speaker's carry ``unknown``."""
        parties: dict[tuple[Role, int], list[int]] = {}
        for at, turn in enumerate(turns):
            parties.setdefault((turn.role, turn.channel), []).append(at)
        hits: list[Hit] = []
        for (role, _), indexes in parties.items():
            if role != "customer":
                hits += self._stream(turns, indexes)
        hits.sort(key=_ORDER)
        return hits

    def _stream(self, turns: Sequence[TurnText], indexes: Sequence[int]) -> Iterator[Hit]:
        """One party's turns: candidates that the words around do not take back, then the longest of each category."""
        stream = Stream([turns[index] for index in indexes])
        found = [one for one in self._search.find(stream) if not taken_back(stream, one)]
        for one in _longest(found) if len(found) > 1 else found:
            if one.entry.channel in ("", self._line):
                yield _hit(stream, one, indexes[one.first])


def _longest(found: list[Found]) -> Iterator[Found]:
    """Within a category the longest match wins, then the earlier one, then the earlier entry; written before heard."""
    taken: dict[str, list[tuple[int, int]]] = {}
    for one in sorted(found, key=_rank):
        held = taken.setdefault(one.entry.category, [])
        if all(one.end <= left or right <= one.start for left, right in held):
            held.append((one.start, one.end))
            yield one


def _rank(one: Found) -> tuple[bool, int, int, int]:
    return one.how == "homophone", -len(one.phrase), one.start, one.order


def _hit(stream: Stream, one: Found, turn: int) -> Hit:
    when = stream.times(one.first, one.last, one.start, one.end)
    began = stream.turns[one.first]
    confidence = began.confidence
    if one.last != one.first:
        sure = (stream.turns[at].confidence for at in (one.first, one.last))
        confidence = min((value for value in sure if value is not None), default=None)
    if one.how == "homophone":
        confidence = ((Decimal(1) if confidence is None else confidence) * HOMOPHONE_TRUST).quantize(Decimal("0.01"))
    entry, text = one.entry, stream.whole[one.start : one.end]
    return Hit(entry.category, entry.id, began.role, *when, text, one.how, turn, confidence, entry.severity, entry.part)
