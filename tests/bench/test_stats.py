"""Medians and intervals: against values worked out by hand, and against what an interval promises."""

from __future__ import annotations

import random

import pytest

from qa.bench.stats import interval95, median, percentile, quartiles


def test_the_median_of_an_even_number_lies_between() -> None:
    assert median([4, 1, 3, 2]) == 2.5


def test_quartiles_hold_the_middle_half() -> None:
    assert quartiles([1, 2, 3, 4, 5]) == (2, 4)
    assert quartiles([7]) == (7, 7)


@pytest.mark.parametrize(
    ("runs", "left_out"),
    [(6, 0), (8, 0), (9, 1), (11, 1), (12, 2), (15, 3), (25, 7)],  # the usual table of the sign test
)
def test_the_interval_is_the_one_of_the_sign_test(runs: int, left_out: int) -> None:
    values = [float(at) for at in range(runs)]

    assert interval95(list(reversed(values))) == (values[left_out], values[-1 - left_out])


@pytest.mark.parametrize("runs", [1, 2, 5])
def test_too_few_runs_have_no_interval(runs: int) -> None:
    assert interval95([1.0] * runs) is None


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    draw = random.Random(1)
    tries = 2_000
    held = 0
    for _ in range(tries):
        within = interval95([draw.expovariate(1.0) for _ in range(11)])  # skewed, as run times are; median ln 2
        assert within is not None
        held += within[0] <= 0.6931 <= within[1]

    assert held / tries >= 0.95


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value
