"""Ring counts around each edge, and the countries' cadences."""

from __future__ import annotations

from datetime import timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rings import CADENCES, ring_count, seconds_between
from tests.ingest.values import T0


@pytest.mark.parametrize(
    ("seconds", "rings"),
    [("0", 0), ("0.001", 1), ("4.999", 1), ("5.0", 2), ("9.999", 2), ("10", 3), ("14.999", 3), ("15.0", 4)],
)
def test_a_ring_begins_with_each_period_in_china(seconds: str, rings: int) -> None:
    assert ring_count(Decimal(seconds), CADENCES["cn"].period_s) == rings


@given(st.decimals(0, 600, places=3), st.decimals(1, 10, places=1))
def test_longer_ringing_never_counts_less(seconds: Decimal, period: Decimal) -> None:
    assert ring_count(seconds, period) <= ring_count(seconds + Decimal("0.001"), period)
    assert ring_count(seconds + period, period) == ring_count(seconds, period) + (1 if seconds else 2)


def test_a_clock_that_went_back_rings_nothing() -> None:
    assert ring_count(Decimal("-3"), Decimal(5)) == 0


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="take it from CADENCES"):
        ring_count(Decimal(1), Decimal(0))


@pytest.mark.parametrize(
    ("country", "on_s", "period_s"),
    [("cn", "1", "5"), ("kr", "1", "3"), ("us", "2", "6"), ("jp", "1", "3"), ("tw", "1", "3"), ("de", "1", "5"),
     ("fr", "1.5", "5"), ("es", "1.5", "4.5"), ("uk", "1.0", "3")],
)  # fmt: skip
def test_cadences_have_their_period(country: str, on_s: str, period_s: str) -> None:
    assert (CADENCES[country].on_s, CADENCES[country].period_s) == (Decimal(on_s), Decimal(period_s))


def test_seconds_are_exact_and_know_offsets() -> None:
    later = (T0 + timedelta(microseconds=14_999_001)).astimezone(timezone(timedelta(hours=8)))

    assert seconds_between(T0, later) == Decimal("14.999001")
    assert seconds_between(later, T0) == Decimal("-14.999001")
