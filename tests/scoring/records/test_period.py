"""Periods by their names: bounds, neighbours, months and weeks inside."""

from __future__ import annotations

import pickle
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.records.period import Kind, Period

DAYS = st.dates(date(1, 2, 1), date(9000, 1, 1))
KINDS: list[Kind] = ["week", "month", "quarter", "year"]


@pytest.mark.parametrize(
    ("text", "kind", "first", "last"),
    [
        ("2026-03", "month", date(2026, 3, 1), date(2026, 3, 31)),
        ("2024-02", "month", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-W10", "week", date(2026, 3, 2), date(2026, 3, 8)),
        ("2026-W01", "week", date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-W53", "week", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026Q4", "quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026", "year", date(2026, 1, 1), date(2026, 12, 31)),
        ("9999-12", "month", date(9999, 12, 1), date.max),
    ],
)
def test_a_name_says_the_days(text: str, kind: str, first: date, last: date) -> None:
    period = Period(text)

    assert (period.kind, period.first, period.last, str(period)) == (kind, first, last, text)


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-00", "2026-3", "2025-W53", "2026-W54", "2026Q5", "2026q1", "26", "0000", "2026-03-01",
             "2026-03\n", "２０２６"]
)  # fmt: skip
def test_what_is_no_period_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match='write "2026-03"'):
        Period(text)


@given(DAYS, st.sampled_from(KINDS))
def test_the_period_of_a_day_holds_it_and_is_named_again_the_same(day: date, kind: Kind) -> None:
    period = Period.of(day, kind)

    assert day in period
    assert period.first in period and period.last in period
    assert period.first == date.min or period.first - timedelta(1) not in period
    assert Period(str(period)) == period == pickle.loads(pickle.dumps(period))


@given(DAYS, st.sampled_from(KINDS), st.integers(-30, 30), st.integers(-30, 30))
def test_steps_add_up_and_neighbours_touch(day: date, kind: Kind, n: int, m: int) -> None:
    day += timedelta(days=366 * 65)
    period = Period.of(day, kind)

    assert period.next(n).next(m) == period.next(n + m)
    assert period.next(0) == period
    assert period.next().first == period.last + timedelta(1)
    assert (period.next(n) < period.next(m)) == (n < m)


@given(DAYS)
def test_a_year_is_its_months_and_its_quarters_months(day: date) -> None:
    year = Period.of(day, "year")

    assert len(year.months()) == 12
    assert [day for one in year.months() for day in one.days] == list(year.days)
    assert Period.of(day, "quarter").months()[0].first == Period.of(day, "quarter").first


@given(DAYS, st.sampled_from(["month", "quarter", "year"]))
def test_the_weeks_of_a_stretch_are_those_whose_monday_lies_in_it(day: date, kind: Kind) -> None:
    period = Period.of(day, kind)

    mondays = [one for one in period.days if one.weekday() == 0]
    assert [week.first for week in period.weeks()] == mondays


def test_a_month_is_its_own_only_month_and_a_week_its_own_only_week() -> None:
    assert Period("2026-03").months() == (Period("2026-03"),)
    assert Period("2026-W10").weeks() == (Period("2026-W10"),)


def test_a_period_is_a_value() -> None:
    assert {Period("2026-03"): 1}[Period("2026-03")] == 1
    assert Period("2026-01") != Period("2026Q1")
    assert sorted([Period("2026"), Period("2026-01"), Period("2025-12")]) == [
        Period("2025-12"),
        Period("2026-01"),
        Period("2026"),
    ]
    with pytest.raises(AttributeError):
        Period("2026-03").first = date(2026, 3, 2)
