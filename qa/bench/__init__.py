"""`seatwatch bench`: published figures, each beside its peer in one run. It decides nothing about the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from qa.bench.rows import HEADER, Row

Show = Callable[[dict[str, Any], str], None]
# name -> module whose `rows(name, quick)` measures it; imported only when asked for
BENCHES = {
    "backtest": "qa.bench.backtest",
    "backtest-million": "qa.bench.backtest",
    "board": "qa.bench.board",
    "load": "qa.bench.load",
    "pipeline": "qa.bench.pipeline",
    "pipeline-small": "qa.bench.pipeline",
    "phrases": "qa.bench.phrases",
    "scorer": "qa.bench.scorer",
    "spool": "qa.bench.spool",
}
ONLY_BY_NAME = frozenset(("backtest-million", "pipeline-small"))


class BenchError(Exception):
    """A wrong argument; each fault is one line."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = list(faults)


def run_benches(names: Sequence[str], quick: bool, show: Show) -> None:
    """Measure what is named, or all that runs in minutes; each row is shown as soon as it stands."""
    header = HEADER + "\n"
    for row in measured(chosen(names), quick):
        show(row.as_dict(), header + row.as_text())
        header = ""


def chosen(names: Sequence[str]) -> list[str]:
    """The names in the order given, each once; BenchError lists those that are unknown."""
    unknown = [name for name in dict.fromkeys(names) if name not in BENCHES]
    if unknown:
        raise BenchError([f"bench {name}: there is none of this name; use {', '.join(BENCHES)}" for name in unknown])
    return list(dict.fromkeys(names)) or [name for name in BENCHES if name not in ONLY_BY_NAME]


def measured(names: Sequence[str], quick: bool) -> Iterator[Row]:
    for name in names:
        yield from import_module(BENCHES[name]).rows(name, quick)
