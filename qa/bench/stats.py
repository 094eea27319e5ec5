"""Medians, quartiles and exact intervals of a few runs. It measures nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

Interval = tuple[float, float]


def median(values: Sequence[float]) -> float:
    """The middle value; of two middle ones their mean."""
    return float(statistics.median(values))


def quartiles(values: Sequence[float]) -> Interval:
    """Between which a run in the middle half lies; of one run, that run."""
    if len(values) < 2:
        return float(values[0]), float(values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return float(low), float(high)


def interval95(values: Sequence[float]) -> Interval | None:
    """Between which the true median lies in at least 95 of 100 cases, whatever the distribution (order statistics).

    Fewer than six runs cannot say it: then there is no interval.
    """
    runs = len(values)
    outside, cut = 0.0, 0
    while True:  # how many runs at each end may be left out
        outside += 2 * math.comb(runs, cut) / 2**runs
        if outside > 0.05:
            break
        cut += 1
    if cut == 0:
        return None
    ordered = sorted(values)
    return float(ordered[cut - 1]), float(ordered[-cut])


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of all values does not exceed (nearest rank)."""
    ordered = sorted(values)
    return float(ordered[max(0, math.ceil(share * len(ordered)) - 1)])
