"""Forty plain rules over calls, once as a pack of ours and once as the numbers that general engines compare.

Each asks of an answered incoming call whether one number lies above a limit. Ours reads facts as they are stored, keeps
unknown apart from known, and gives evidence; the others get the facts flattened, with -1 for what is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scoring.facts import Facts, Unknown
from scoring.load import pack_from_files
from scoring.pack import Pack

UNKNOWN = -1
# fact -> unit of its limit, as written, and as a number; four each
LIMITS: dict[str, tuple[str, tuple[tuple[str, float], ...]]] = {
    "ring_count": ("ring", (("2", 2), ("3", 3), ("4", 4), ("6", 6))),
    "ring_seconds": ("percent", (("10", 10), ("15", 15), ("20", 20), ("25", 25))),
    "answer_seconds": ("percent", (("8", 8), ("12", 12), ("18", 18), ("28", 28))),
    "talk_ms": ("duration", (("0:30", 30_000), ("1:00", 60_000), ("2:00", 120_000), ("3:30", 210_000))),
    "hold_ms": ("duration", (("0:10", 10_000), ("0:30", 30_000), ("1:00", 60_000), ("2:00", 120_000))),
    "silence_ms": ("duration", (("0:03", 3_000), ("0:08", 8_000), ("0:12", 12_000), ("0:18", 18_000))),
    "talk_over_ms": ("duration", (("0:01", 1_000), ("0:02", 2_000), ("0:03", 3_000), ("0:05", 5_000))),
    "agent_share": ("ratio", (("0.2", 0.2), ("0.4", 0.4), ("0.6", 0.6), ("0.8", 0.8))),
    "loudness_rise_db": ("decibel", (("3", 3), ("6", 6), ("8", 8), ("9.5", 9.5))),
    "transfers": ("count", (("0", 0), ("1", 1), ("2", 2), ("3", 3))),
}
_HEAD = """
id: forty
version: "1"
title: {zh: 四十条规则, ko: 마흔 개 규칙, en: Forty rules}
prefix: FORTY-
sources: [{file: none.txt, sha256: "%s", line: 1}]
sections: [{file: rules.yaml, title: Forty rules}]
""" % ("0" * 64)  # fmt: skip
_RULE = """
{id}:
  cite: "{at}"
  quote: 一个数超过限度
  title: {{zh: 超过限度, ko: 한도 초과, en: Above a limit}}
  decide: auto
  per: call
  needs: [call]
  tests:
  - {{each: call, where: conversation, breach: {fact} > limit}}
  limit: {{unit: {unit}, values: {{0001-01-01: "{limit}"}}}}
  points: {{unit: point, values: {{0001-01-01: "-1"}}}}
"""


def _rows() -> Iterator[tuple[str, str, str, str, float]]:
    at = 0
    for fact, (unit, limits) in LIMITS.items():
        for text, number in limits:
            at += 1
            yield f"FORTY-{at:02}", fact, unit, text, number


def forty_pack() -> Pack:
    """The forty as data, loaded as every pack is."""
    rules = [
        _RULE.format(id=id, at=at, fact=fact, unit=unit, limit=text)
        for at, (id, fact, unit, text, _) in enumerate(_rows(), 1)
    ]
    return pack_from_files({"pack.yaml": _HEAD, "rules.yaml": "".join(rules)})


def forty_conditions() -> dict[str, tuple[tuple[str, float], ...]]:
    """The same for the others: names that must all be greater than a number."""
    return {id: (("talked_in", 0), (fact, number)) for id, fact, _, _, number in _rows()}


def flat(facts: Facts) -> dict[str, Any]:
    """One call as numbers."""
    call = facts.call
    if call is None:
        raise ValueError(f"{facts.subject} is no call")
    talked = call.direction == "in" and call.end == "answered"
    return {"talked_in": int(talked), **{name: _number(getattr(call, name)) for name in LIMITS}}


def _number(value: Any) -> float:
    return UNKNOWN if isinstance(value, Unknown) else float(value)
