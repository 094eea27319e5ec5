"""The durable spool under a thousand legs at real pace, beside one plain file with the same bytes. Opens no sockets.

Both take the rows from the same sender in the same process and answer it after the sync, as ingest does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.rows import Row
from ingest.shell.writer import Spool, SpoolLimits
from qa.bench.legs import LATE_S, Pace, messages, play
from qa.bench.plain_file import PlainFile
from qa.bench.rows import Row as Shown
from qa.bench.rows import compared
from qa.bench.scratch import scratch_folder
from qa.bench.stats import percentile

LEGS, QUICK_LEGS = 1000, 200
SECONDS, QUICK_SECONDS = 15.0, 3.0
ROUNDS, QUICK_ROUNDS = 3, 1
ROTATE_S = 5.0  # so that a run holds rotations; 30 s is the default
HELD = 0.98  # of the asked rate must have been sent

Put = Callable[[Row, Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Side:
    """What one side of one round came to."""

    commits_ms: Sequence[float]
    acks_ms: Sequence[float]
    cores: float
    rows_s: float
    pace: Pace


def rows(name: str, quick: bool) -> Iterator[Shown]:
    """Commit times, cores and rows a second; every figure of the same rounds, spool and file in turn."""
    legs, seconds = (QUICK_LEGS, QUICK_SECONDS) if quick else (LEGS, SECONDS)
    ours, peer = [], []
    for at in range(QUICK_ROUNDS if quick else ROUNDS):
        with scratch_folder() as folder:
            ours.append(through_spool(folder / "spool", legs, seconds))
            peer.append(through_file(folder / f"plain-{at}", legs, seconds))
    doubt = inconclusive([side.pace for side in (*ours, *peer)], legs, seconds)
    note = f"{doubt}{legs} legs × 100 ms A-law for {seconds:g} s, rotated each {ROTATE_S:g} s; no goal"

    def row(which: str, unit: str, figure: Callable[[Side], float], says: str) -> Shown:
        return compared(f"{name}-{which}", unit, [figure(a) for a in ours], [figure(b) for b in peer],
                        note=f"{note}; {says}")  # fmt: skip

    sync = "COMMIT with synchronous=FULL; peer: fdatasync of one plain file each 50 ms"
    yield row("commit-p50", "ms", lambda side: percentile(side.commits_ms, 0.50), sync)
    yield row("commit-p99", "ms", lambda side: percentile(side.commits_ms, 0.99), sync)
    yield row("commit-max", "ms", lambda side: max(side.commits_ms), sync)
    yield row("ack-p99", "ms", lambda side: percentile(side.acks_ms, 0.99), "from the row to its durable answer")
    yield row("cores", "cores", lambda side: side.cores, "all threads but the sender's")
    yield row("rate", "rows/s", lambda side: side.rows_s, "on disk, of what was sent at real pace")


def inconclusive(paces: Sequence[Pace], legs: int, seconds: float) -> str:
    """Why a run says nothing, or an empty string: the sender itself was late or too slow."""
    late_s = percentile([late for pace in paces for late in pace.late_s], 0.99)
    asked = legs * messages(seconds)
    slowest = max(pace.wall_s for pace in paces)
    if late_s <= LATE_S and slowest <= seconds / HELD and all(pace.sent == asked for pace in paces):
        return ""
    return f"inconclusive: the sender was {late_s * 1000:.0f} ms late (p99), a run took {slowest:.1f} s; "


def through_spool(folder: Path, legs: int, seconds: float) -> Side:
    """The writer of ingest: queue, group commit, joining of frames, rotation, retiring of files."""
    commits = _Between()
    spool = Spool(folder, SpoolLimits(rotate_seconds=ROTATE_S), point=commits.point)
    spool.open()

    def put(row: Row, done: Callable[[], None]) -> None:
        spool.put([row], done)

    return _measured(legs, seconds, put, spool.close, commits.ms)


def through_file(path: Path, legs: int, seconds: float) -> Side:
    """The same bytes appended."""
    plain = PlainFile(path)

    def put(row: Row, done: Callable[[], None]) -> None:
        plain.put(row.payload, done)

    side = _measured(legs, seconds, put, plain.close, [])
    return Side([one * 1000 for one in plain.syncs_s], side.acks_ms, side.cores, side.rows_s, side.pace)


class _Between:
    """Milliseconds from just before COMMIT until it has returned."""

    def __init__(self) -> None:
        self.ms: list[float] = []
        self._began = 0.0

    def point(self, name: str) -> None:
        if name == "before-commit":
            self._began = time.monotonic()
        elif name == "after-commit-before-ack":
            self.ms.append((time.monotonic() - self._began) * 1000)


def _measured(legs: int, seconds: float, put: Put, close: Callable[[], None], commits_ms: Sequence[float]) -> Side:
    acks_ms: list[float] = []

    def send(row: Row) -> None:
        began = time.monotonic()
        put(row, lambda: acks_ms.append((time.monotonic() - began) * 1000))

    began, cpu = time.monotonic(), time.process_time()
    pace = play(legs, seconds, send)
    close()
    wall = time.monotonic() - began
    cores = (time.process_time() - cpu - pace.own_cpu_s) / wall
    return Side(commits_ms, acks_ms, cores, len(acks_ms) / pace.wall_s, pace)
