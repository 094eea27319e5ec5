"""Runs two sides in turn, A B A B, and takes the CPU seconds of each. It judges nothing."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

Work = Callable[[], object]


def cpu_seconds(work: Work) -> float:
    """User and system time of this process with all its threads: another program's load hardly shows in it."""
    gc.collect()
    began = time.process_time()
    kept = work()  # what a side makes is let go after the clock has been read
    took = time.process_time() - began
    del kept
    return took


def in_turn(ours: Work, peer: Work, runs: int) -> tuple[list[float], list[float]]:
    """CPU seconds of both sides, run by run, after one run of each that does not count."""
    ours()
    peer()
    gc.collect()
    gc.freeze()  # a library that collects garbage in the middle must not pay for what the benchmark holds
    try:
        pairs = [(cpu_seconds(ours), cpu_seconds(peer)) for _ in range(runs)]
    finally:
        gc.unfreeze()
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
