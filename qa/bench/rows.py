"""A published figure beside its peer, as the row that programs read and as lines for people. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log10
from typing import Any

from qa.bench.stats import Interval, interval95, median, quartiles

HEADER = f"{'':24}{'ours':>11}{'peer':>11}{'ratio':>8}  {'95 % of ratio':15}{'goal':8}{'unit':12}runs"


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of ours and of the peer, and the median of the ratios run by run. What is not there is None."""

    name: str
    unit: str
    ours: float | None = None
    peer: float | None = None
    ratio: float | None = None
    goal: float | None = None
    runs: int = 0
    spread: dict[str, Interval | None] = field(default_factory=dict)
    note: str = ""
    more: bool = False  # the more the better: the goal is a least

    def as_dict(self) -> dict[str, Any]:
        """The nine keys of `bench --json`; ``spread`` holds quartiles, and the 95 % interval of the ratio's median."""
        spread = {name: None if two is None else [_short(two[0]), _short(two[1])] for name, two in self.spread.items()}
        return {
            "name": self.name,
            "ours": _short(self.ours),
            "peer": _short(self.peer),
            "ratio": _short(self.ratio),
            "unit": self.unit,
            "goal": self.goal,
            "runs": self.runs,
            "spread": spread,
            "note": self.note,
        }

    def as_text(self) -> str:
        """Two lines: the figures in columns, and what is to be said about them."""
        within = self.spread.get("ratio_95")
        span = f"{_say(within[0])} … {_say(within[1])}" if within else ""
        goal = f"{'≥' if self.more else '≤'} {self.goal:.2f}" if self.goal is not None else "–"
        figures = f"{_say(self.ours):>11}{_say(self.peer):>11}{_say(self.ratio):>8}  {span:15}{goal:8}{self.unit:12}"
        return f"{self.name:24}{figures}{self.runs:>4}" + (f"\n    {self.note}" if self.note else "")


def compared(
    name: str, unit: str, ours: Sequence[float], peer: Sequence[float], goal: float | None = None, note: str = "",
    *, more: bool = False,
) -> Row:  # fmt: skip
    """Runs of both sides in turn: the ratio is that of each pair. A goal is judged by the interval's worse end."""
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    within = interval95(ratios)
    spread = {"ours": quartiles(ours), "peer": quartiles(peer), "ratio": quartiles(ratios), "ratio_95": within}
    if goal is not None:
        said = verdict(within, goal, more=more)
        note = f"{said}; {note}" if note else said
    return Row(name, unit, median(ours), median(peer), median(ratios), goal, len(ratios), spread, note, more)


def verdict(within: Interval | None, goal: float, *, more: bool = False) -> str:
    """Met only when the whole interval lies under the goal, or, the more the better, over it."""
    if within is None:
        return "goal not judged: too few runs for a 95 % interval"
    if more:
        if within[0] >= goal:
            return "goal met (lower end of the 95 % interval)"
        return "goal missed" if within[1] < goal else "goal missed: the 95 % interval reaches under it"
    if within[1] <= goal:
        return "goal met (upper end of the 95 % interval)"
    return "goal missed" if within[0] > goal else "goal missed: the 95 % interval reaches over it"


def alone(name: str, unit: str, ours: Sequence[float], note: str) -> Row:
    """Our runs without a peer; the note says why."""
    spread: dict[str, Interval | None] = {"ours": quartiles(ours)}
    return Row(name, unit, ours=median(ours), runs=len(ours), spread=spread, note=note)


def missing(name: str, unit: str, what: str, ours: Sequence[float] = ()) -> Row:
    """A row that says that the peer, or what both sides need, is not there."""
    return alone(name, unit, ours, what) if ours else Row(name, unit, note=what)


def _short(value: float | None) -> float | None:
    """Four digits that count: more would only pretend."""
    if value is None or value == 0:
        return value
    return round(value, max(0, 3 - int(log10(abs(value)) // 1)))


def _say(value: float | None) -> str:
    return "–" if value is None else f"{_short(value):,.10g}"
