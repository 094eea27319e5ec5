"""Dialogues as people write them to try phrases: form checked, each case with its faults. It matches nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qa.heard import MS_A_CHARACTER, PAUSE_MS
from scoring.errors import PackError
from scoring.load import Document
from speech.lexicon import CATEGORIES
from speech.phrases import TurnText

_CASE = frozenset(("id", "why", "lang", "turns", "hit", "miss"))
_TURN = frozenset(("role", "text", "start_ms", "end_ms"))
_LANGUAGES = ("zh", "ko")
_ROLES = ("agent", "customer", "unknown")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A category that must be hit, perhaps in one turn."""

    category: str
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One case: who says what, what must be found in it and what must not; with ``faults`` it cannot be tried."""

    id: str
    why: str
    turns: tuple[TurnText, ...]
    hit: tuple[Wanted, ...]
    miss: tuple[str, ...]
    faults: tuple[str, ...] = ()


def dialogues(document: Document) -> list[Dialogue]:
    """A file's dialogues, each with the faults of its own form; PackError if it is no list of them."""
    if not isinstance(document.value, list):
        raise PackError([f"{document.name}:1: this is no list; write one dialogue per list item"])
    seen: set[str] = set()
    return [_dialogue(document, at, tree, seen) for at, tree in enumerate(document.value)]


def _dialogue(document: Document, at: int, tree: Any, seen: set[str]) -> Dialogue:
    nameless = f"case {at + 1}"
    if not isinstance(tree, dict):
        fault = f"{document.at((at,))}: this is no dialogue; write id, turns, hit, miss"
        return Dialogue(nameless, "", (), (), (), (fault,))
    faults: list[str] = []
    for key in sorted(tree.keys() - _CASE, key=str):
        faults.append(f"{document.at((at, key))}: key {key!r} is unknown; use {', '.join(sorted(_CASE))}")
    name = tree.get("id")
    if not isinstance(name, str):
        faults.append(f"{document.at((at,))}: the dialogue lacks an id; write one in quotes")
    elif name in seen:
        faults.append(f"{document.at((at, 'id'))}: id {name!r} stands twice; give this one its own")
    else:
        seen.add(name)
    if str(tree.get("lang", "zh")).split("-")[0].lower() not in _LANGUAGES:
        faults.append(f"{document.at((at, 'lang'))}: language {tree['lang']!r} is unknown; use zh or ko, or zh-CN")
    turns = _turns(document, at, tree.get("turns"), faults)
    hit = _wishes(document, at, tree, "hit", len(turns), faults)
    miss = tuple(one.category for one in _wishes(document, at, tree, "miss", 0, faults))
    return Dialogue(nameless if name is None else str(name), str(tree.get("why", "")), turns, hit, miss, tuple(faults))


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
