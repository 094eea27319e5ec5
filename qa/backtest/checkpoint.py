"""Where a backtest stands, in a file beside the data: a killed one goes on from there. It knows no calls.

Named by everything that the result rests on: draft, what holds, days, and the end of the archive. The whole is written
beside the place and renamed, so that a kill leaves the file of before or that of after.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qa.backtest.tally import Tally
from scoring.canonical import canonical, digest

FORM = 1
EVERY_SECONDS = 1.0  # at most so much work is done twice
KEEP = 20  # abandoned ones beyond these are swept away, oldest first


class Checkpoint:
    """``done``: stretches that are in ``tally``; ``resumed``: how many were there at the start."""

    def __init__(self, folder: Path, named: Mapping[str, Any]) -> None:
        self._path = folder / f"{digest(canonical(dict(named)))[:32]}.json"
        self._written = time.monotonic()
        self.done: set[tuple[int, int]] = set()
        self.last: int | None = None  # the end of the archive when it began
        self.tally = Tally()
        self._read()
        self.resumed = len(self.done)

    def _read(self) -> None:
        try:
            told = json.loads(self._path.read_bytes())
            if told["form"] != FORM:
                return
            self.tally = Tally.from_json(told["tally"])
            self.done = {(a, b) for a, b in told["done"]}
            self.last = told["last"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
            self.tally, self.done, self.last = Tally(), set(), None  # of another form or damaged: begin anew

    def add(self, stretch: tuple[int, int], part: Tally) -> None:
        self.tally.add(part)
        self.done.add(stretch)
        if time.monotonic() - self._written >= EVERY_SECONDS:
            self.write()

    def write(self) -> None:
        told = {"form": FORM, "last": self.last, "done": sorted(self.done), "tally": self.tally.to_json()}
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(".part")
        fresh.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        fresh.replace(self._path)
        self._written = time.monotonic()

    def drop(self) -> None:
        """It is through: nothing is left to go on with."""
        self._path.unlink(missing_ok=True)
        left = sorted(self._path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
        for old in left[:-KEEP]:
            old.unlink(missing_ok=True)
