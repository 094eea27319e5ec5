"""How often a line of the same kind is logged: a flood of bad requests fills no disk. No clock, writes nothing.

What a stranger wrote stands in a line of a log with its unprintable characters spelt out: no line breaks, no colours,
no text that runs backwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BURST = 10  # lines of one kind at once
LINE_S = 1.0  # then one in this time
CHARS = 300


@dataclass(slots=True)
class Quiet:
    """``left_out`` for each line that could be written. Kinds are ours, not a stranger's."""

    _kinds: dict[str, tuple[float, float, int]] = field(default_factory=dict)  # level, when, left out since

    def left_out(self, kind: str, now_s: float) -> int | None:
        """How many of the kind were left out before this line; None: leave this one out, too."""
        level, at_s, left = self._kinds.get(kind, (0.0, now_s, 0))
        level = max(0.0, level - (now_s - at_s) / LINE_S)
        if level > BURST - 1:
            self._kinds[kind] = (level, now_s, left + 1)
            return None
        self._kinds[kind] = (level + 1, now_s, 0)
        return left


def spelt(text: str) -> str:
    """The begin of a text as it may stand in a line of a log."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:CHARS])
