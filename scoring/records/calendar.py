"""Which days are worked: the week, the public holidays of a jurisdiction (data beside this file) and what a site says.

Built in are China with its make-up work days and Korea, 2024 to 2026. In other years the week alone decides, until
records of kind `calendar` say more. No clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from scoring.load import read_yaml
from scoring.records.period import Period

_FOLDER = Path(__file__).parent / "holidays"
_DAY = timedelta(days=1)
_FAR = 3660  # no calendar of people is free for ten years; who asks further has a fault in the data


class _Holiday(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    first: date
    last: date


class _Year(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    source: str
    off: tuple[_Holiday, ...]
    work: tuple[date, ...]


_YEARS = TypeAdapter(dict[Annotated[str, Field(pattern=r"^\d{4}$")], _Year])


@cache
def built_in(jurisdiction: str) -> Mapping[date, bool]:
    """The days that differ from the week there; true = worked. Nothing for a jurisdiction that has no data."""
    path = _FOLDER / f"{jurisdiction.lower()}.yaml"
    if not jurisdiction.isalpha() or not path.is_file():
        return MappingProxyType({})
    found: dict[date, bool] = {}
    for year in _YEARS.validate_python(read_yaml(path).value).values():
        found |= {day: False for one in year.off for day in _days(one.first, one.last)}
        found |= dict.fromkeys(year.work, True)
    return MappingProxyType(found)


def _days(first: date, last: date) -> tuple[date, ...]:
    return tuple(first + _DAY * n for n in range((last - first).days + 1))


class WorkCalendar:
    """The work days of a site. What the site says of a day wins over the built-in holidays, these over the week."""

    __slots__ = ("_special", "jurisdiction")

    def __init__(self, jurisdiction: Literal["CN", "KR"] | str, overrides: Mapping[date, bool] | None = None) -> None:
        self.jurisdiction = jurisdiction
        self._special = {**built_in(jurisdiction), **(overrides or {})}

    def is_workday(self, day: date) -> bool:
        special = self._special.get(day)
        return day.weekday() < 5 if special is None else special

    def add_workdays(self, day: date, n: int) -> date:
        """The n-th work day after a day, which itself is not counted; a negative n counts back, 0 is the day itself."""
        step = _DAY if n > 0 else -_DAY
        left = abs(n)
        for _ in range(_FAR * 2 + left * 3):
            if not left:
                return day
            day += step
            left -= self.is_workday(day)
        raise ValueError(f"no work day in ten years near {day}; correct the records of kind calendar")

    def last_workday(self, period: Period) -> date | None:
        """The last work day in a period; None if it has none."""
        return next((day for day in reversed(period.days) if self.is_workday(day)), None)
