"""Dialogues as people write them to try phrases: form checked, every fault with its line. It matches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scoring.errors import PackError
from scoring.load import Document
from speech.lexicon import CATEGORIES
from speech.phrases import TurnText

MS_A_CHARACTER = 220  # turns without times follow one another at an ordinary pace of speech
PAUSE_MS = 600
_CASE = frozenset(("id", "why", "lang", "turns", "hit", "miss"))
_TURN = frozenset(("role", "text", "start_ms", "end_ms"))
_ROLES = ("agent", "customer", "unknown")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A category that must be hit, perhaps in one turn."""

    category: str
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One case: who says what, what must be found in it and what must not."""

    id: str
    why: str
    turns: tuple[TurnText, ...]
    hit: tuple[Wanted, ...]
    miss: tuple[str, ...]


def dialogues(document: Document) -> list[Dialogue]:
    """A file's dialogues; unknown keys and categories are refused, all faults at once."""
    faults: list[str] = []
    if not isinstance(document.value, list):
        raise PackError([f"{document.name}:1: this is no list; write one dialogue per list item"])
    cases = [_dialogue(document, at, tree, faults) for at, tree in enumerate(document.value)]
    seen: set[str] = set()
    for at, case in enumerate(cases):
        if case.id in seen:
            faults.append(f"{document.at((at, 'id'))}: id {case.id!r} stands twice; give this one its own")
        seen.add(case.id)
    if faults:
        raise PackError(faults)
    return cases


def _dialogue(document: Document, at: int, tree: Any, faults: list[str]) -> Dialogue:
    if not isinstance(tree, dict):
        faults.append(f"{document.at((at,))}: this is no dialogue; write id, turns, hit, miss")
        return Dialogue("", "", (), (), ())
    for key in tree.keys() - _CASE:
        faults.append(f"{document.at((at, key))}: key {key!r} is unknown; use {', '.join(sorted(_CASE))}")
    if not isinstance(tree.get("id"), str):
        faults.append(f"{document.at((at,))}: the dialogue lacks an id; write one in quotes")
    if tree.get("lang", "zh") not in ("zh", "ko"):
        faults.append(f"{document.at((at, 'lang'))}: language {tree['lang']!r} is unknown; use zh or ko")
    turns = _turns(document, at, tree.get("turns"), faults)
    hit = _wishes(document, at, tree, "hit", len(turns), faults)
    miss = _wishes(document, at, tree, "miss", 0, faults)
    return Dialogue(str(tree.get("id")), str(tree.get("why", "")), turns, hit, tuple(one.category for one in miss))


def _wishes(
    document: Document, at: int, tree: dict[str, Any], key: str, turns: int, faults: list[str]
) -> tuple[Wanted, ...]:
    rows = tree.get(key, [])
    if not isinstance(rows, list):
        faults.append(f"{document.at((at, key))}: {key} is no list; write [{rows}]")
        return ()
    return tuple(_wanted(document, (at, key, n), row, turns, faults) for n, row in enumerate(rows))


def _wanted(document: Document, path: tuple[object, ...], tree: Any, turns: int, faults: list[str]) -> Wanted:
    pinned = isinstance(tree, dict) and tree.keys() <= {"category", "turn"} and path[1] == "hit"
    category, turn = (tree.get("category"), tree.get("turn")) if pinned else (tree, None)
    if category not in CATEGORIES:
        faults.append(f"{document.at(path)}: category {category!r} is unknown; use one of {', '.join(CATEGORIES)}")
    if turn is not None and (type(turn) is not int or not 0 <= turn < turns):
        faults.append(f"{document.at(path)}: turn {turn!r} is not there; count the turns from 0")
        turn = None
    return Wanted(str(category), turn)


def _turns(document: Document, at: int, rows: Any, faults: list[str]) -> tuple[TurnText, ...]:
    if not isinstance(rows, list) or not rows:
        faults.append(f"{document.at((at, 'turns'))}: the dialogue has no turns; write at least one")
        return ()
    turns: list[TurnText] = []
    for n, row in enumerate(rows):
        now = turns[-1].end_ms + PAUSE_MS if turns else 0
        turn = _turn(document.at((at, "turns", n)), row, now, faults)
        turns += [] if turn is None else [turn]
    return tuple(turns)


def _turn(place: str, row: Any, now: int, faults: list[str]) -> TurnText | None:
    """One turn; without times it follows the one before."""
    if not isinstance(row, dict) or row.get("role") not in _ROLES or not isinstance(row.get("text"), str):
        faults.append(f"{place}: a turn needs role ({', '.join(_ROLES)}) and text")
        return None
    for key in row.keys() - _TURN:
        faults.append(f"{place}: key {key!r} is unknown; use {', '.join(sorted(_TURN))}")
    start, end = row.get("start_ms", now), row.get("end_ms")
    if type(start) is not int or (end is not None and (type(end) is not int or end < start)):
        faults.append(f"{place}: start_ms and end_ms are whole milliseconds, the end not before the start")
        return None
    return TurnText(row["role"], start, start + MS_A_CHARACTER * len(row["text"]) if end is None else end, row["text"])
