"""Work days: the week, public holidays with make-up days, and what a site says above both."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.records.calendar import WorkCalendar, built_in
from scoring.records.period import Period
from tests.scoring.records.build import record

CHINA, KOREA = WorkCalendar("CN"), WorkCalendar("KR")


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 1, 1), False), (date(2026, 1, 2), False), (date(2026, 1, 4), True),
        (date(2026, 2, 14), True), (date(2026, 2, 15), False), (date(2026, 2, 23), False), (date(2026, 2, 24), True),
        (date(2026, 2, 28), True), (date(2026, 4, 6), False), (date(2026, 5, 5), False), (date(2026, 5, 9), True),
        (date(2026, 6, 19), False), (date(2026, 9, 20), True), (date(2026, 9, 25), False), (date(2026, 10, 7), False),
        (date(2026, 10, 8), True), (date(2026, 10, 10), True), (date(2026, 10, 17), False),
        (date(2025, 10, 8), False), (date(2025, 10, 11), True), (date(2024, 2, 9), True), (date(2024, 2, 18), True),
    ],
)  # fmt: skip
def test_china_works_on_the_weekends_it_moved(day: date, worked: bool) -> None:
    assert CHINA.is_workday(day) is worked


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 16), False), (date(2026, 3, 2), False), (date(2026, 5, 1), False), (date(2026, 7, 17), False),
        (date(2026, 8, 17), False), (date(2026, 10, 5), False), (date(2026, 10, 10), False), (date(2025, 7, 17), True),
        (date(2026, 9, 28), True),
    ],
)  # fmt: skip
def test_korea_has_substitute_days_and_no_worked_weekends(day: date, worked: bool) -> None:
    assert KOREA.is_workday(day) is worked


def test_the_last_workday_of_a_month_may_be_a_made_up_saturday() -> None:
    assert CHINA.last_workday(Period("2026-02")) == date(2026, 2, 28)
    assert KOREA.last_workday(Period("2026-02")) == date(2026, 2, 27)
    assert CHINA.last_workday(Period("2026-W08")) is None  # the whole week is Spring Festival


def test_work_days_are_counted_over_holidays() -> None:
    assert CHINA.add_workdays(date(2026, 2, 13), 2) == date(2026, 2, 24)
    assert CHINA.add_workdays(date(2026, 2, 24), -2) == date(2026, 2, 13)
    assert CHINA.add_workdays(date(2026, 2, 15), 0) == date(2026, 2, 15)


def test_a_year_without_data_follows_the_week_and_an_unknown_country_has_no_holidays() -> None:
    assert CHINA.is_workday(date(2031, 10, 1))
    assert built_in("XX") == built_in("../cn") == {}
    assert WorkCalendar("XX").is_workday(date(2026, 10, 1))


def test_what_a_site_says_wins() -> None:
    closed = record("calendar", day="2026-03-06", workday=False)
    own = WorkCalendar("CN", {closed.fields["day"]: closed.fields["workday"], date(2026, 10, 1): True})

    assert not own.is_workday(date(2026, 3, 6))
    assert own.is_workday(date(2026, 10, 1))
    assert CHINA.is_workday(date(2026, 3, 6))


def test_a_calendar_without_any_work_day_is_told_and_does_not_hang() -> None:
    never = WorkCalendar("XX", {date(2026, 1, 1) + timedelta(n): False for n in range(9000)})

    with pytest.raises(ValueError, match="kind calendar"):
        never.add_workdays(date(2026, 1, 1), 1)


@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(1, 60), st.sampled_from([CHINA, KOREA]))
def test_forth_and_back_is_the_same_work_day(day: date, n: int, calendar: WorkCalendar) -> None:
    later = calendar.add_workdays(day, n)

    assert calendar.is_workday(later)
    between = [day + timedelta(k) for k in range(1, (later - day).days + 1)]
    assert sum(map(calendar.is_workday, between)) == n
    if calendar.is_workday(day):
        assert calendar.add_workdays(later, -n) == day
