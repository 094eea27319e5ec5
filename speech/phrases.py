"""Finds the phrases of all lists in what was said: fast pass over everything, care only where something may be.

One automaton runs over the whole call by ear (every exact match is also one by ear). Only turns in which it stops are
folded with their way back, matched exactly and by sound, and put through the guards. No points, no rules.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from ahocorasick_rs import AhoCorasick, MatchKind

from speech import context
from speech.lexicon import (
    FUZZY_FROM,
    Entry,
    How,
    Lexicon,
    Phrase,
    Severity,
    breaks_clause,
    breaks_sentence,
)
from speech.normal import ear, fold, fold_text, sound, sounds

PARTICLES = "啊吧呢嘛呀哦啦"
JOIN_MS = 5000  # a phrase may run on into the same party's next turn within this time
NEAR_MS = 5000  # how far unless_followed_by and unless_preceded_by look
LEAD_MS = 1500  # a pause within which a sentence goes on
HOMOPHONE_TRUST = Decimal("0.7")  # how much of the turn's confidence a match by sound keeps
Role = str


@dataclass(frozen=True, slots=True)
class TurnText:
    """One turn as the matcher needs it; turns of one role and channel are one stream of speech."""

    role: Role
    start_ms: int
    end_ms: int
    text: str
    confidence: Decimal | None = None
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
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


class _Said:
    """A turn, or two that follow each other, folded when somebody asks."""

    __slots__ = ("__dict__", "border", "first", "lead", "raw", "turns")

    def __init__(self, turns: Sequence[TurnText], first: int, lead: str) -> None:
        self.turns, self.first, self.lead = turns, first, lead
        self.raw = "".join(one.text for one in turns)
        self.border = len(turns[0].text)

    @cached_property
    def folded(self) -> str:
        return self._fold[0]

    @cached_property
    def back(self) -> tuple[int, ...]:
        return self._fold[1]

    @cached_property
    def _fold(self) -> tuple[str, tuple[int, ...]]:
        done = fold(self.raw)
        return done.text, done.index_map

    @cached_property
    def ear(self) -> str:
        return sound(self.folded)


@dataclass(frozen=True, slots=True)
class _Found:
    """A candidate: an entry at folded positions of a stretch."""

    entry: Entry
    order: int
    phrase: str
    how: How
    start: int
    end: int
    raw_start: int
    raw_end: int


class _Needles:
    """Strings in one automaton, each with the entries that it stands for."""

    def __init__(self, pairs: Iterable[tuple[str, tuple[int, Phrase]]]) -> None:
        self._owners: dict[str, list[tuple[int, Phrase]]] = {}
        for text, owner in pairs:
            self._owners.setdefault(text, []).append(owner)
        self.texts = list(self._owners)
        self._by_index = list(self._owners.values())
        self._search = AhoCorasick(self.texts, matchkind=MatchKind.Standard)

    def find(self, text: str) -> Iterator[tuple[int, Phrase, int, int]]:
        """Every place of every string, overlapping ones too."""
        for index, start, end in self._search.find_matches_as_indexes(text, overlapping=True):
            for order, phrase in self._by_index[index]:
                yield order, phrase, start, end


class Matcher:
    """All lists, compiled once. ``find`` never raises for any text."""

    def __init__(self, lexicons: Iterable[Lexicon], line: str = "voice") -> None:
        self._line = line
        self._entries = [entry for one in lexicons for entry in one.entries]
        pairs = [(order, phrase) for order, entry in enumerate(self._entries) for phrase in entry.phrases]
        self._exact = _Needles((phrase.text, (order, phrase)) for order, phrase in pairs)
        self._sounds = _Needles(
            (way, (order, phrase))
            for order, phrase in pairs
            if self._entries[order].fuzzy and not self._entries[order].whole and _han(phrase.text) >= FUZZY_FROM
            for way in sounds(phrase.text)
        )
        self._slotted = [order for order, entry in enumerate(self._entries) if entry.patterns]
        anchors = [sound(anchor) for order in self._slotted for anchor in self._entries[order].anchors]
        plain = [sound(text) for text in self._exact.texts]
        gate = sorted({*plain, *self._sounds.texts, *anchors})
        self._reach = max(map(len, gate), default=0)
        self._gate = AhoCorasick(gate, matchkind=MatchKind.LeftmostLongest)
        self._border = AhoCorasick(gate, matchkind=MatchKind.Standard)

    def find(self, turns: Sequence[TurnText]) -> list[Hit]:
        """Hits of one call in order. The customer's words are never hits; an unknown speaker's carry ``unknown``."""
        streams: dict[tuple[Role, int], list[int]] = {}
        for index, turn in enumerate(turns):
            if turn.role != "customer":
                streams.setdefault((turn.role, turn.channel), []).append(index)
        hits = [hit for stream in streams.values() for hit in self._stream(turns, stream)]
        hits.sort(key=lambda hit: (hit.turn, hit.start_ms, hit.end_ms, hit.category, hit.entry))
        return hits

    def _stream(self, turns: Sequence[TurnText], stream: list[int]) -> Iterator[Hit]:
        """One party's turns: gate, candidates of turns and of borders, then the longest of each category."""
        heard = ear([turns[index].text for index in stream])
        starts = [0, *accumulate(map(len, heard))]
        inside, borders = self._gated("".join(heard), starts)
        borders |= {place for place in inside if self._crosses(heard, place)}
        found: list[tuple[int, _Said, _Found]] = []
        for place in sorted(inside | borders | {border + 1 for border in borders}):
            said = _Said([turns[stream[place]]], place, _lead(turns, stream, place))
            found.extend((0, said, one) for one in self._candidates(said))
        for place in sorted(borders):
            first, second = turns[stream[place]], turns[stream[place + 1]]
            if second.start_ms - first.end_ms <= JOIN_MS:
                said = _Said([first, second], place, _lead(turns, stream, place))
                found.extend((1, said, one) for one in self._candidates(said) if _spans(said, one))
        kept = [(said, one) for _, said, one in found if not self._taken_back(turns, stream, said, one)]
        for said, one in _longest(kept, [len(turns[index].text) for index in stream]):
            if one.entry.channel in ("", self._line):
                yield _hit(said, one, stream)

    def _gated(self, text: str, starts: list[int]) -> tuple[set[int], set[int]]:
        """Turns that the automaton stops in, and turns after which it runs over the border."""
        inside: set[int] = set()
        borders: set[int] = set()
        for _, start, end in self._gate.find_matches_as_indexes(text):
            first = bisect_right(starts, start) - 1
            last = bisect_right(starts, end - 1) - 1
            inside.add(first)
            if last != first:
                inside.add(last)
                borders.update(range(first, last))
        return inside, borders

    def _crosses(self, heard: list[str], place: int) -> bool:
        """Does anything run over the border behind a turn that the gate stopped in? It hides what overlaps."""
        if place + 1 == len(heard):
            return False
        tail, head = heard[place][-self._reach :], heard[place + 1][: self._reach]
        found = self._border.find_matches_as_indexes(tail + head, overlapping=True)
        return any(start < len(tail) < end for _, start, end in found)

    def _candidates(self, said: _Said) -> Iterator[_Found]:
        """Everything that the strings and patterns say, before any guard."""
        back = said.back
        for order, phrase, start, end in self._exact.find(said.folded):
            entry = self._entries[order]
            found = _Found(entry, order, phrase.text, phrase.how, start, end, back[start], back[end - 1] + 1)
            if _fits(said, found, phrase):
                yield found
        for order, phrase, start, end in self._sounds.find(said.ear):
            if said.folded[start:end] != phrase.text:
                entry = self._entries[order]
                found = _Found(entry, order, phrase.text, "homophone", start, end, back[start], back[end - 1] + 1)
                if _fits(said, found, phrase):
                    yield found
        for order in self._slotted:
            entry = self._entries[order]
            for pattern, anchor in zip(entry.patterns, entry.anchors, strict=True):
                if anchor in said.folded:
                    for match in pattern.finditer(said.folded):
                        start, end = match.span()
                        raw = back[start], back[end - 1] + 1
                        if not breaks_sentence(said.raw[slice(*raw)]):
                            yield _Found(entry, order, match.group(), "pattern", start, end, *raw)

    def _taken_back(self, turns: Sequence[TurnText], stream: list[int], said: _Said, one: _Found) -> bool:
        """Do the words around the hit take it back?"""
        entry, raw, after = one.entry, said.raw, said.folded[one.end : one.end + 16]
        if entry.exclude and context.excluded(entry.exclude, said.folded, one.start, one.end):
            return True
        if one.how == "homophone" and entry.exclude:
            by_ear = tuple(sound(word) for word in entry.exclude)
            if context.excluded(by_ear, said.ear, one.start, one.end):
                return True
        led, start = said.lead + raw, len(said.lead) + one.raw_start
        if context.negated(entry, one.phrase, led, start) or context.quoted(entry, led, start, after):
            return True
        if context.softened(entry, raw, one.raw_start, one.raw_end):
            return True
        if not entry.formula and context.denied_after(after):
            return True
        return (entry.followed != () and _near(turns, stream, said, one, entry.followed, True)) or (
            entry.preceded != () and _near(turns, stream, said, one, entry.preceded, False)
        )


def _han(text: str) -> int:
    """Characters that have a Chinese reading (digits are read too)."""
    return sum(1 for char in text if "\u3400" <= char <= "\u9fff" or char.isdigit())


def _fits(said: _Said, one: _Found, phrase: Phrase) -> bool:
    """Whole utterances must be whole; no phrase runs over the end of a sentence that is not its own, no short one
    over a comma or into the next turn."""
    if one.entry.whole:
        return len(said.turns) == 1 and _whole(said.folded, one.phrase)
    if phrase.breaks:
        return True
    short = len(phrase.text) < FUZZY_FROM
    if one.raw_start < said.border < one.raw_end:
        pieces = (said.raw[one.raw_start : said.border].rstrip("。. "), said.raw[said.border : one.raw_end])
        return not short and not any(breaks_sentence(piece) for piece in pieces)
    inside = said.raw[one.raw_start : one.raw_end]
    return not (breaks_clause(inside) if short else breaks_sentence(inside))


def _whole(folded: str, phrase: str) -> bool:
    """Nothing but the phrase, once or repeated, and particles."""
    rest = folded
    while rest:
        if rest.startswith(phrase):
            rest = rest[len(phrase) :]
        elif rest[0] in PARTICLES:
            rest = rest[1:]
        else:
            return False
    return True


def _spans(said: _Said, one: _Found) -> bool:
    return one.raw_start < said.border < one.raw_end


def _lead(turns: Sequence[TurnText], stream: list[int], place: int) -> str:
    """What the same party said just before: a pause does not end a negation or a quotation."""
    if place == 0:
        return ""
    before = turns[stream[place - 1]]
    return before.text if turns[stream[place]].start_ms - before.end_ms <= LEAD_MS else ""


def _near(
    turns: Sequence[TurnText], stream: list[int], said: _Said, one: _Found, words: tuple[str, ...], later: bool
) -> bool:
    """One of the words in the same utterance, or in the same party's turns within a few seconds."""
    own = said.folded[one.end :] if later else said.folded[: one.start]
    start_ms, end_ms = _times(said, one)
    texts = [own]
    if later:
        following = (turns[index] for index in stream[said.first + len(said.turns) :])
        texts += [fold_text(turn.text) for turn in following if turn.start_ms - end_ms <= NEAR_MS]
    else:
        before = (turns[index] for index in stream[: said.first])
        texts += [fold_text(turn.text) for turn in before if start_ms - turn.end_ms <= NEAR_MS]
    return any(word in text for word in words for text in texts)


def _longest(found: list[tuple[_Said, _Found]], lengths: list[int]) -> Iterator[tuple[_Said, _Found]]:
    """Within a category the longest match wins, then the earlier one, then the earlier entry; written before heard."""
    offsets = [0, *accumulate(lengths)]
    taken: dict[str, list[tuple[int, int]]] = {}

    def rank(pair: tuple[_Said, _Found]) -> tuple[bool, int, int, int]:
        said, one = pair
        return one.how == "homophone", one.start - one.end, offsets[said.first] + one.raw_start, one.order

    for said, one in sorted(found, key=rank):
        start, end = offsets[said.first] + one.raw_start, offsets[said.first] + one.raw_end
        spans = taken.setdefault(one.entry.category, [])
        if all(end <= left or right <= start for left, right in spans):
            spans.append((start, end))
            yield said, one


def _times(said: _Said, one: _Found) -> tuple[int, int]:
    """Milliseconds by position: each character of a turn takes an equal share of it."""
    first, last = said.turns[0], said.turns[-1]
    shift = said.border if len(said.turns) == 2 else 0
    start = first.start_ms + one.raw_start * (first.end_ms - first.start_ms) // max(len(first.text), 1)
    end = last.start_ms + -(-(one.raw_end - shift) * (last.end_ms - last.start_ms) // max(len(last.text), 1))
    return start, end


def _hit(said: _Said, one: _Found, stream: list[int]) -> Hit:
    start_ms, end_ms = _times(said, one)
    sure = [turn.confidence for turn in said.turns if turn.confidence is not None]
    confidence = min(sure) if sure else None
    if one.how == "homophone":
        confidence = ((confidence or Decimal(1)) * HOMOPHONE_TRUST).quantize(Decimal("0.01"))
    return Hit(
        category=one.entry.category,
        entry=one.entry.id,
        role=said.turns[0].role,
        start_ms=start_ms,
        end_ms=end_ms,
        text=said.raw[one.raw_start : one.raw_end],
        how=one.how,
        turn=stream[said.first],
        confidence=confidence,
        severity=one.entry.severity,
        part=one.entry.part,
    )
