"""Readings chosen in a site's overlay as it is written: comments, order and every other decision stay. Pure text.

What comes out is read again and compared; an overlay that is written in a way that this does not understand is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from qa.setup.toml import Unsafe, lines_of
from scoring import overlay as overlays
from scoring.errors import PackError
from scoring.load import parse_yaml
from scoring.overlay import Overlay

HEAD = """# What site {site} decided over the regulation {pack}, each number from its day on.
# Rules that need recognised speech are only flagged for review until they are listed under trust.
"""
WHY = "  # how «within N rings» is read, chosen at first set-up"


def begun(site: str, pack: str) -> str:
    """The text of an overlay that decides nothing yet."""
    return HEAD.format(site=site, pack=pack) + "\ntrust: []\n"


def edited(text: str, modes: Mapping[str, str]) -> str:
    """The text with these readings, by rule; raises Unsafe, or PackError for a text that is no overlay."""
    stands = _read(text)
    words = {f"{rule}.mode": mode for rule, mode in modes.items()}
    meant = replace(stands, words={**stands.words, **words})
    for rule, mode in modes.items():
        if stands.words.get(f"{rule}.mode") != mode:
            text = _set(text, rule, mode)
    try:
        found = _read(text)
    except PackError:
        raise Unsafe from None
    if found.sha != meant.sha:
        raise Unsafe
    return text


def _read(text: str) -> Overlay:
    document = parse_yaml("overlay", text)
    return Overlay() if document.value is None else overlays.from_mapping(document.value, document.at)


def _set(text: str, rule: str, mode: str) -> str:
    lines, name = lines_of(text), re.escape(rule)
    for at, line in enumerate(lines):
        if re.match(rf"{name}\.mode\s*:", line):
            return _joined([*lines[:at], f"{rule}.mode: {mode}", *lines[at + 1 :]])
        if re.match(rf"{name}\s*:\s*(#.*)?$", line):
            return _joined(_in_block(lines, at, mode))
    block = [*([""] if lines and lines[-1].strip() else []), f"{rule}:", f"  mode: {mode}{WHY}"]
    return _joined([*lines, *block])


def _in_block(lines: list[str], head: int, mode: str) -> list[str]:
    at, indent = head + 1, None
    while at < len(lines) and (not lines[at].strip() or lines[at][0] in " \t"):
        key = re.match(r"(\s+)([\w-]+)\s*:", lines[at])
        if key and indent is None:
            indent = key[1]
        if key and key[1] == indent and key[2] == "mode":
            return [*lines[:at], f"{indent}mode: {mode}", *lines[at + 1 :]]
        at += 1
    return [*lines[: head + 1], f"{indent or '  '}mode: {mode}{WHY}", *lines[head + 1 :]]


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
