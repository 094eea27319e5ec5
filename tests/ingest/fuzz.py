"""Endless variations of good input for time-boxed tests: bytes flipped, cut, doubled, spliced, numbers made absurd."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator, Sequence

SECONDS = 30.0
_ODD = ("-1", "0", "18446744073709551616", "1e999", "NaN", '"1"', "null", "true", "[]", "{}", '"\\ud800"', '"\\u0000"')
_NUMBER = re.compile(r"-?\d+")


def mutants(corpus: Sequence[str], seed: int, seconds: float = SECONDS) -> Iterator[str]:
    """Until the time is over. The same seed gives the same variations, as many as the machine manages."""
    dice, end_s = random.Random(seed), time.monotonic() + seconds
    while time.monotonic() < end_s:
        text = dice.choice(corpus)
        for _ in range(dice.randint(0, 4)):
            text = _changed(text, dice, corpus)
        yield text


def _changed(text: str, dice: random.Random, corpus: Sequence[str]) -> str:
    at, to = sorted((dice.randint(0, len(text)), dice.randint(0, len(text))))
    match dice.randrange(7):
        case 0:
            return text[:at] + chr(dice.randrange(0x2FF)) + text[at + 1 :]
        case 1:
            return text[:at] + text[to:]
        case 2:
            return text[:to] + text[at:]
        case 3:
            return text[:at] + dice.choice(corpus)[at:]
        case 4:
            numbers = list(_NUMBER.finditer(text))
            chosen = dice.choice(numbers) if numbers else None
            return text if chosen is None else text[: chosen.start()] + dice.choice(_ODD) + text[chosen.end() :]
        case 5:
            return text[:at] + dice.choice(_ODD) + text[to:]
        case _:
            return text[:at] + text[at:to] * dice.randint(2, 40) + text[to:]
