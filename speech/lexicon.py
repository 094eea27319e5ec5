"""Phrase lists as values: checked, folded, ready to match. It reads no files and matches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from speech.errors import LexiconError
from speech.normal import CLAUSE_END, SENTENCE_END, fold_text

How = Literal["exact", "variant", "pattern", "homophone"]
Severity = Literal["ordinary", "low", "critical"]

CATEGORIES = (
    "greeting", "request_honorific", "thanks", "apology", "closing", "soft_refusal", "hold_transfer",
    "hedged_promise", "stiff", "evading", "blaming", "insulting", "impatient", "arguing", "absolute_promise",
)  # fmt: skip
MODES = (
    "required", "required_when_refusing", "required_when_holding", "required_when_promising", "forbidden",
    "forbidden_critical",
)  # fmt: skip
SLOTS = frozenset("×○~〜")  # stand for a number, a name or a stem: a text with one is no matching string
POLITE, PLAIN = "您", "你"
ANYWHERE = -1
FUZZY_FROM = 4  # characters; shorter phrases sound like too many others
_TEXTS = ("zh", "ko", "en", "note", "zh_pattern", "ko_pattern", "zh_match", "ko_match")
_LISTS = ("zh_variants", "ko_variants", "exclude", "softeners", "unless_followed_by", "unless_preceded_by")
_CHOICES = {
    "match": ("substring", "whole_utterance"),
    "severity": ("ordinary", "low"),
    "part": ("pre_closing",),
    "channel": ("chat", "counter"),
    "no_pinyin": (True, False),
    "ko_whole": (True, False),
    "ko_word": (True, False),
    "from_source": (True, False),
}
_LEXICON_KEYS = frozenset(("category", "mode", "clauses", "use", "channel", "formula", "entries", "tests"))
# Literals, groups, alternatives and bounded slots: nothing that can run long on a stranger's text.
_PATTERN = re.compile(r"(?:[^\W_]|[()?|]|\.\{\d{1,2},\d{1,2}\})+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One string to find, folded; ``breaks``: it spans a sentence or a clause itself, so a text may break in it too.
    ``spaces``: a Korean word begins where it begins and holds at most so many spaces; -1: it may stand anywhere."""

    text: str
    how: How
    breaks: bool
    whole: bool = False
    spaces: int = ANYWHERE


@dataclass(frozen=True, slots=True)
class Entry:
    """One numbered entry of a list, with what forbids a hit around it."""

    id: str
    category: str
    phrases: tuple[Phrase, ...]
    patterns: tuple[re.Pattern[str], ...]
    anchors: tuple[str, ...]  # a literal part of each pattern
    fuzzy: bool
    courtesy: bool
    formula: bool
    exclude: tuple[str, ...]
    softeners: tuple[str, ...]
    followed: tuple[str, ...]
    preceded: tuple[str, ...]
    channel: str
    severity: Severity
    part: str


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence that a list brings along; ``entries`` must be found, all of them, or nothing at all."""

    text: str
    role: Literal["agent", "customer"]
    entries: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One category: its entries in order (an earlier one wins a tie) and its own examples."""

    category: str
    mode: str
    entries: tuple[Entry, ...]
    examples: tuple[Example, ...]


def lexicons(trees: Iterable[Mapping[str, Any]]) -> tuple[Lexicon, ...]:
    """Lists as plain dicts, as values; every fault of every list at once."""
    faults: list[str] = []
    seen: dict[str, str] = {}
    done = [_lexicon(tree, seen, faults) for tree in trees]
    for category in {one.category for one in done if sum(two.category == one.category for two in done) > 1}:
        faults.append(f"{category}: two lists have this category; join them")
    if faults:
        raise LexiconError(faults)
    return tuple(done)


def _lexicon(tree: Mapping[str, Any], seen: dict[str, str], faults: list[str]) -> Lexicon:
    category, mode = str(tree.get("category")), str(tree.get("mode"))
    if category not in CATEGORIES:
        faults.append(f"{category}: this category is unknown; use one of {', '.join(CATEGORIES)}")
    if mode not in MODES:
        faults.append(f"{category}: mode {mode!r} is unknown; use one of {', '.join(MODES)}")
    for key in tree.keys() - _LEXICON_KEYS:
        faults.append(f"{category}: key {key!r} is unknown; take it out or correct it")
    formula = tree.get("formula", False) is True
    entries = tuple(_entry(one, category, mode, formula, seen, faults) for one in tree.get("entries") or ())
    if not entries:
        faults.append(f"{category}: it has no entries; write at least one")
    return Lexicon(category, mode, entries, tuple(_examples(tree.get("tests") or {}, category, faults)))


def _entry(
    tree: Mapping[str, Any], category: str, mode: str, formula: bool, seen: dict[str, str], faults: list[str]
) -> Entry:
    place = f"{category}.{tree.get('id', '?')}"
    _check(tree, place, faults)
    if str(tree.get("id")) in seen:
        faults.append(f"{place}: this id stands twice; give the second one its own")
    seen[str(tree.get("id"))] = category
    patterns = [str(tree[key]) for key in ("zh_pattern", "ko_pattern") if key in tree]
    usable = [one for one in patterns if _PATTERN.fullmatch(one) and _compiles(one)]
    misheard = mode.startswith("required") and category != "request_honorific"
    for one in patterns:
        if one not in usable:
            faults.append(f"{place}: pattern {one!r} may hold characters, ( ) ? | and slots like .{{1,8}}; rewrite it")
    folded = [fold_pattern(one) for one in usable]
    folded += [one.replace(POLITE, PLAIN) for one in folded if misheard and POLITE in one]
    phrases = tuple(_phrases(tree, place, bool(patterns), faults))
    if misheard:
        phrases += tuple(_misheard(phrases))
    severity: Severity = "critical" if mode == "forbidden_critical" else "ordinary"
    return Entry(
        id=str(tree.get("id")),
        category=category,
        phrases=phrases,
        patterns=tuple(re.compile(one) for one in folded),
        anchors=tuple(_anchor(one) for one in folded),
        fuzzy=tree.get("no_pinyin") is not True,
        courtesy=mode.startswith("required"),
        formula=formula,
        exclude=_folded(tree, "exclude"),
        softeners=_folded(tree, "softeners"),
        followed=_folded(tree, "unless_followed_by"),
        preceded=_folded(tree, "unless_preceded_by"),
        channel=str(tree.get("channel", "")),
        severity=cast(Severity, tree["severity"]) if "severity" in tree else severity,
        part=str(tree.get("part", "")),
    )


def _check(tree: Mapping[str, Any], place: str, faults: list[str]) -> None:
    """Keys, and the kind of each value."""
    for key, value in tree.items():
        if key == "id":
            continue
        if key in _TEXTS:
            good = isinstance(value, str) and value != ""
        elif key in _LISTS:
            good = isinstance(value, list) and all(isinstance(one, str) and fold_text(one) for one in value)
        elif key in _CHOICES:
            good = value in _CHOICES[key]
        else:
            faults.append(f"{place}: key {key!r} is unknown; take it out or correct it")
            continue
        if not good:
            faults.append(f"{place}.{key}: {value!r} does not fit; write text, a list of texts, or one of its words")


def _phrases(tree: Mapping[str, Any], place: str, has_pattern: bool, faults: list[str]) -> Iterable[Phrase]:
    found: dict[str, Phrase] = {}
    for language in ("zh", "ko"):
        main = tree.get(f"{language}_match", tree.get(language))
        texts = [main] if isinstance(main, str) else []
        literal = [one for one in texts if not SLOTS & set(one)]
        if texts and not literal and f"{language}_pattern" not in tree:
            faults.append(f"{place}.{language}: it has a slot; add {language}_pattern or {language}_match")
        variants = tree.get(f"{language}_variants", [])
        for text in [*literal, *(variants if isinstance(variants, list) else [])]:
            folded = fold_text(str(text))
            found.setdefault(folded, _phrase(tree, language, str(text), folded, "exact" if text == main else "variant"))
    if "" in found:
        faults.append(f"{place}: a text is empty after folding; write at least one letter")
    if not found and not has_pattern:
        faults.append(f"{place}: it has nothing to match; write zh or ko")
    return found.values()


def _phrase(tree: Mapping[str, Any], language: str, text: str, folded: str, how: How) -> Phrase:
    korean = language == "ko"
    whole = tree.get("match") == "whole_utterance" or (korean and tree.get("ko_whole") is True)
    spaces = text.count(" ") if korean and tree.get("ko_word") is True else ANYWHERE
    return Phrase(folded, how, any(char in CLAUSE_END for char in text), whole, spaces)


def _misheard(phrases: Iterable[Phrase]) -> Iterable[Phrase]:
    """Courtesy as recognisers write it: 你 for 您. It proves no lack of courtesy, so it counts, with less trust."""
    for phrase in phrases:
        if POLITE in phrase.text and len(phrase.text) > 1:
            yield Phrase(phrase.text.replace(POLITE, PLAIN), "homophone", phrase.breaks, phrase.whole)


def _folded(tree: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = tree.get(key)
    return tuple(fold_text(str(one)) for one in value) if isinstance(value, list) else ()


def fold_pattern(pattern: str) -> str:
    """A pattern over folded text: its characters folded, its signs kept."""
    pieces = re.split(r"(\.\{\d+,\d+\}|[()?|])", pattern)
    return "".join(one if at % 2 else fold_text(one) for at, one in enumerate(pieces))


def _anchor(pattern: str) -> str:
    """The longest run of characters that every match must hold: outside groups and options."""
    flat = re.sub(r"\([^()]*\)\??|.\?|\.\{\d+,\d+\}", "\n", pattern)
    return max(flat.split("\n"), key=len)


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return "|" not in re.sub(r"\([^()]*\)", "", pattern) and _anchor(fold_pattern(pattern)) != ""


def _examples(tests: Mapping[str, Any], category: str, faults: list[str]) -> Iterable[Example]:
    for kind in ("must_hit", "must_not_hit"):
        for one in tests.get(kind, ()):
            if not isinstance(one, dict) or one.keys() - {"text", "channel", "entries", "why"} or "text" not in one:
                faults.append(f"{category}.tests.{kind}: an example needs text, channel, why and, to hit, entries")
                continue
            entries = tuple(one.get("entries", ()))
            if (kind == "must_hit") != bool(entries):
                faults.append(f"{category}.tests.{kind}: {one['text']!r}: entries belong to must_hit, and only there")
            role = one.get("channel", "agent")
            if role not in ("agent", "customer"):
                faults.append(f"{category}.tests.{kind}: {one['text']!r}: channel is agent or customer")
            yield Example(str(one["text"]), role, entries, str(one.get("why", "")))


def breaks_sentence(raw: str) -> bool:
    """Does a sentence end inside this raw text?"""
    return any(char in SENTENCE_END for char in raw)


def breaks_clause(raw: str) -> bool:
    """Does a clause end inside this raw text?"""
    return any(char in CLAUSE_END for char in raw)
