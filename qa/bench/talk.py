"""Call-like Chinese and Korean talk and lists of phrases, made from a seed. It is no test of what is found."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from scoring.load import read_yaml
from speech.lexicon import Lexicon, lexicons
from speech.phrases import TurnText

SEED = 20_261_121
COMMAS, STOPS = {"zh": "，", "ko": ", "}, {"zh": "。。。？", "ko": "..?"}
BEFORE = ("不是", "我没说", "您刚才说", "您说的是")  # negated or quoted
TAKEN_BACK = 0.15  # of the phrases
KOREAN_CALLS = 0.25
WITH_PHRASE = 0.1  # of the utterances; as in recorded talk, most hold none
TURNS = 30


@cache
def words(language: str) -> tuple[str, ...]:
    """Ordinary words, zh or ko."""
    return tuple(read_yaml(Path(__file__).with_name("words.yaml")).value[language].split())


@dataclass(frozen=True, slots=True)
class Lists:
    """Phrase lists, and the same phrases as bare strings."""

    lexicons: tuple[Lexicon, ...]
    strings: tuple[str, ...]
    shipped: int


def phrase_lists(trees: Sequence[dict[str, Any]], size: int) -> Lists:
    """The shipped lists, padded evenly with made phrases until they hold ``size`` different strings."""
    shipped = _strings(lexicons(trees))
    draw = random.Random(SEED)
    known, added = set(shipped), 0
    entries: list[list[dict[str, Any]]] = [[] for _ in trees]
    while len(known) < size:
        phrase = "".join(draw.sample([word for word in words("zh") if not word.isascii()], 3))
        at = added % len(trees)
        grown = {**trees[at], "entries": [{"id": f"MADE-{added:04}", "zh": phrase}]}
        strings = set(_strings(lexicons([grown])))  # a list may add a form that is often misheard
        if strings & known or len(known | strings) > size:
            continue
        known |= strings
        entries[at] += grown["entries"]
        added += 1
    padded = [{**tree, "entries": [*tree["entries"], *more]} for tree, more in zip(trees, entries, strict=True)]
    done = lexicons(padded)
    return Lists(done, tuple(_strings(done)), len(shipped))


def _strings(lists: Sequence[Lexicon]) -> list[str]:
    return list(dict.fromkeys(phrase.text for one in lists for entry in one.entries for phrase in entry.phrases))


def calls(phrases: Sequence[str], size: int) -> list[list[TurnText]]:
    """Whole calls until their text has ``size`` bytes of UTF-8. All of it is the agent's: nothing is skipped."""
    draw = random.Random(SEED)
    said: dict[str, list[str]] = {"zh": [], "ko": []}
    for one in phrases:
        said["ko" if any("가" <= char <= "힣" for char in one) else "zh"].append(one)
    made, bytes_made = [], 0
    while bytes_made < size:
        language = "ko" if draw.random() < KOREAN_CALLS else "zh"
        turns = list(_turns(draw, language, said[language]))
        made.append(turns)
        bytes_made += sum(len(turn.text.encode()) for turn in turns)
    return made


def _turns(draw: random.Random, language: str, phrases: Sequence[str]) -> Iterator[TurnText]:
    now = 0
    for _ in range(TURNS):
        text = _utterance(draw, language, phrases)
        until = now + 200 * len(text)
        yield TurnText("agent", now, until, text, Decimal("0.90"))
        now = until + draw.randrange(300, 3000)


def _utterance(draw: random.Random, language: str, phrases: Sequence[str]) -> str:
    glue = " " if language == "ko" else ""
    clauses = [glue.join(draw.choices(words(language), k=draw.randrange(2, 6))) for _ in range(draw.randrange(1, 5))]
    if draw.random() < WITH_PHRASE:
        before = draw.choice(BEFORE) if language == "zh" and draw.random() < TAKEN_BACK else ""
        clauses.insert(draw.randrange(len(clauses) + 1), before + draw.choice(phrases))
    return COMMAS[language].join(clauses) + draw.choice(STOPS[language])
