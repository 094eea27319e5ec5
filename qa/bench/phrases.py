"""The phrase engine with all guards beside a bare automaton, and beside one regular expression, on the same text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qa.bench.pairs import Work, in_turn
from qa.bench.rows import Row, compared, missing
from qa.bench.talk import calls, phrase_lists
from scoring.load import load_lexicons
from speech.phrases import Matcher

GOAL = 4.0
PHRASES = 1000
BYTES, QUICK_BYTES = 3_000_000, 150_000
PAIRS, QUICK_PAIRS = 25, 3
RE_PAIRS, RE_QUICK_PAIRS = 7, 2


def rows(name: str, quick: bool) -> Iterator[Row]:
    """Folding, sounds, negation, quotation and times on our side; lists of (phrase, from, to) on the other."""
    lists = phrase_lists(load_lexicons(), PHRASES)
    talk = calls(lists.strings, QUICK_BYTES if quick else BYTES)
    texts = [turn.text for call in talk for turn in call]
    matcher = Matcher(lists.lexicons)
    hits = sum(len(matcher.find(call)) for call in talk)
    size = sum(len(text.encode()) for text in texts)

    def ours() -> object:
        return [matcher.find(call) for call in talk]

    note = (
        f"{len(lists.strings)} phrases ({lists.shipped} shipped, the others made), {size / 1e6:.2f} MB in {len(texts)} "
        f"utterances of {len(talk)} calls; {hits} hits"
    )
    pairs, re_pairs = (QUICK_PAIRS, RE_QUICK_PAIRS) if quick else (PAIRS, RE_PAIRS)
    bare, found = bare_automaton(lists.strings, texts)
    if bare is None:
        yield missing(name, "CPU s", f"not run: {found}")
    else:
        seconds = in_turn(ours, bare, pairs)
        yield compared(name, "CPU s", *seconds, goal=GOAL, note=f"{note}; peer: {found}")
    expression, found = alternation(lists.strings, texts)
    seconds = in_turn(ours, expression, re_pairs)
    yield compared(f"{name}-re", "CPU s", *seconds, note=f"peer: {found}")


def bare_automaton(strings: tuple[str, ...], texts: list[str]) -> tuple[Work | None, str]:
    """ahocorasick-rs as it is published: leftmost longest, each utterance by itself, as written."""
    try:
        from ahocorasick_rs import AhoCorasick, MatchKind
    except ImportError:
        return None, "ahocorasick-rs is not installed; make bench installs it"
    search = AhoCorasick(strings, matchkind=MatchKind.LeftmostLongest)

    def run() -> object:
        return [search.find_matches_as_indexes(text) for text in texts]

    hits = sum(len(search.find_matches_as_indexes(text)) for text in texts)
    return run, f"bare ahocorasick-rs, leftmost longest, each utterance by itself, {hits} hits as written"


def alternation(strings: tuple[str, ...], texts: list[str]) -> tuple[Work, str]:
    """One alternation, the longest first: otherwise a short phrase hides a long one."""
    search = re.compile("|".join(re.escape(one) for one in sorted(strings, key=len, reverse=True)))

    def run() -> object:
        return [search.findall(text) for text in texts]

    hits = sum(len(search.findall(text)) for text in texts)
    return run, f"Python's re, one alternation, {hits} hits as written; no goal"
