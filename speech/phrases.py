"""Finds the phrases of all lists in what was said, and drops what the words around take back. No points, no rules.

One automaton runs over the whole call by ear; only where it stops are words compared and guards asked.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from speech import context
from speech.candidates import Found, Searcher
from speech.lexicon import How, Lexicon, Severity
from speech.normal import fold_text, sound
from speech.stream import Stream, TurnText
from speech.transcript import Role

__all__ = ["Hit", "Matcher", "TurnText"]

NEAR_MS = 5000  # how far unless_followed_by and unless_preceded_by look
LEAD_MS = 1500  # a pause within which a sentence goes on
HOMOPHONE_TRUST = Decimal("0.7")  # how much of the turn's confidence a match by sound keeps


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


class Matcher:
    """All lists, compiled once; ``line`` is the channel whose own phrases count beside the common ones."""

    def __init__(self, lexicons: Iterable[Lexicon], line: str = "voice") -> None:
        self._line = line
        self._search = Searcher(lexicons)

    def find(self, turns: Sequence[TurnText]) -> list[Hit]:
        """Hits of one call in order. The customer's words are never hits; an unknown speaker's carry ``unknown``."""
        streams: dict[tuple[Role, int], list[int]] = {}
        for index, turn in enumerate(turns):
            if turn.role != "customer":
                streams.setdefault((turn.role, turn.channel), []).append(index)
        hits = [hit for stream in streams.values() for hit in self._stream(turns, stream)]
        hits.sort(key=lambda hit: (hit.turn, hit.start_ms, hit.end_ms, hit.category, hit.entry))
        return hits

    def _stream(self, turns: Sequence[TurnText], indexes: Sequence[int]) -> Iterator[Hit]:
        """One party's turns: candidates that the words around do not take back, then the longest of each category."""
        stream = Stream([turns[index] for index in indexes])
        found = [one for one in self._search.find(stream) if not _taken_back(stream, one)]
        for one in _longest(found) if len(found) > 1 else found:
            if one.entry.channel in ("", self._line):
                yield _hit(stream, one, indexes[one.first])


def _taken_back(stream: Stream, one: Found) -> bool:
    """Do the words around the hit take it back?"""
    entry, raw = one.entry, stream.text(one.first, one.last)
    start, end = one.start - stream.starts[one.first], one.end - stream.starts[one.first]
    lead = _lead(stream, one.first)
    after = fold_text(raw[end : end + 24]) if _hangul(one.phrase) else ""
    return (
        (entry.exclude != () and _excluded(stream, one))
        or context.negated(entry, one.phrase, lead + raw, len(lead) + start)
        or context.quoted(entry, lead + raw, len(lead) + start, after)
        or context.softened(entry, raw, start, end)
        or (after != "" and not entry.formula and context.denied_after(after))
        or (entry.followed != () and _near(stream, one, entry.followed, later=True))
        or (entry.preceded != () and _near(stream, one, entry.preceded, later=False))
    )


def _hangul(phrase: str) -> bool:
    return "\uac00" <= phrase[0] <= "\ud7a3"


def _excluded(stream: Stream, one: Found) -> bool:
    """Inside a longer, harmless word; a match by sound is also excluded by sound."""
    folded, shift = stream.folded(one.first, one.last), stream.starts[one.first]
    start = bisect_left(folded.index_map, one.start - shift)
    end = bisect_left(folded.index_map, one.end - shift)
    if context.excluded(one.entry.exclude, folded.text, start, end):
        return True
    if one.how != "homophone":
        return False
    return context.excluded(tuple(map(sound, one.entry.exclude)), sound(folded.text), start, end)


def _lead(stream: Stream, turn: int) -> str:
    """What the same party said just before: a pause does not end a negation or a quotation."""
    return "" if turn == 0 or stream.pause_ms(turn - 1) > LEAD_MS else stream.turns[turn - 1].text


def _near(stream: Stream, one: Found, words: tuple[str, ...], *, later: bool) -> bool:
    """One of the words in the same utterance, or in the same party's turns within a few seconds."""
    start_ms, end_ms = stream.times(one.start, one.end)
    if later:
        own = stream.whole[one.end : stream.starts[one.last + 1]]
        turns = [turn for turn in stream.turns[one.last + 1 :] if turn.start_ms - end_ms <= NEAR_MS]
    else:
        own = stream.whole[stream.starts[one.first] : one.start]
        turns = [turn for turn in stream.turns[: one.first] if start_ms - turn.end_ms <= NEAR_MS]
    texts = [fold_text(text) for text in (own, *(turn.text for turn in turns))]
    return any(word in text for word in words for text in texts)


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
    start_ms, end_ms = stream.times(one.start, one.end)
    confidence = stream.turns[one.first].confidence
    if one.last != one.first:
        sure = (stream.turns[at].confidence for at in (one.first, one.last))
        confidence = min((value for value in sure if value is not None), default=None)
    if one.how == "homophone":
        confidence = ((Decimal(1) if confidence is None else confidence) * HOMOPHONE_TRUST).quantize(Decimal("0.01"))
    return Hit(
        category=one.entry.category,
        entry=one.entry.id,
        role=stream.turns[one.first].role,
        start_ms=start_ms,
        end_ms=end_ms,
        text=stream.whole[one.start : one.end],
        how=one.how,
        turn=turn,
        confidence=confidence,
        severity=one.entry.severity,
        part=one.entry.part,
    )
