"""The functions of the pack language that need nothing but their arguments: numbers, words, days and moments."""

from __future__ import annotations

import ast
import calendar
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from scoring.expr import MISSING, Compiler, ExprError, Fn, Function, Scope, milliseconds, truth
from scoring.facts import Unknown
from scoring.records.period import Period
from scoring.values import Known


def plain(function: Callable[..., Any], least: int, most: int | None = None) -> Function:
    """A function of settled values: an unknown argument makes it unknown, one that is not given makes it None."""

    def build(compiler: Compiler, node: ast.Call) -> Fn:
        compiler.only(node)
        parts = compiler.arguments(node, least, least if most is None else most)

        def run(scope: Scope) -> Any:
            values = [part(scope) for part in parts]
            doubt = next((one for one in values if isinstance(one, Unknown)), None)
            if doubt is not None:
                return doubt
            if any(one is None for one in values):
                return None
            try:
                return function(*values)
            except (TypeError, AttributeError, ValueError, OverflowError):
                raise _unfit(node, values) from None

        return run

    return Function(build, function.__doc__ or "")


def _unfit(node: ast.Call, values: Iterable[Any]) -> ExprError:
    says = ", ".join(repr(one) for one in values)
    return ExprError(f"{ast.unparse(node)} cannot take {says}; give values of the right kind")


def form(build: Callable[[Compiler, ast.Call], Fn]) -> Function:
    return Function(build, build.__doc__ or "")


def _has(compiler: Compiler, node: ast.Call) -> Fn:
    """has(x): x is given."""
    (part,) = compiler.arguments(node, 1, 1)

    def run(scope: Scope) -> Any:
        value = part(scope)
        return value if isinstance(value, Unknown) else value is not None

    return run


def _missing(compiler: Compiler, node: ast.Call) -> Fn:
    """missing(x): x is not given."""
    has = _has(compiler, node)

    def run(scope: Scope) -> Any:
        value = has(scope)
        return value if isinstance(value, Unknown) else not value

    return run


def _known(compiler: Compiler, node: ast.Call) -> Fn:
    """known(x): x is neither unknown nor missing; always true or false."""
    (part,) = compiler.arguments(node, 1, 1)
    return lambda scope: not isinstance(value := part(scope), Unknown) and value is not None


def _coalesce(compiler: Compiler, node: ast.Call) -> Fn:
    """coalesce(a, b, ...): the first that is given."""
    parts = compiler.arguments(node, 1)

    def run(scope: Scope) -> Any:
        for part in parts:
            value = part(scope)
            if value is not None:
                return value
        return None

    return run


def _extreme(pick: Callable[[list[Any]], int]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """min/max(a, b, ...): arguments that are not given are passed over (no cap)."""
        parts = compiler.arguments(node, 1)

        def run(scope: Scope) -> Any:
            start = len(scope.trace)
            found: list[tuple[Any, list[tuple[str, Any]]]] = []
            for part in parts:
                value = part(scope)
                read = scope.trace[start:]
                del scope.trace[start:]
                if isinstance(value, Unknown):
                    scope.trace += read
                    return value
                if value is not None:
                    found.append((value, read))
                else:
                    scope.trace += [one for one in read if not isinstance(one[1], Known)]
                start = len(scope.trace)
            if not found:
                return None
            try:
                at = pick([value for value, _ in found])
            except TypeError:
                raise _unfit(node, [value for value, _ in found]) from None
            for number, (_, read) in enumerate(found):
                scope.trace += read if number == at else [one for one in read if not isinstance(one[1], Known)]
            return found[at][0]

        return run

    return build


def _least(values: list[Any]) -> int:
    return min(range(len(values)), key=lambda at: (values[at], at))


def _most(values: list[Any]) -> int:
    return max(range(len(values)), key=lambda at: (values[at], -at))


def _clamp(compiler: Compiler, node: ast.Call) -> Fn:
    """clamp(x, low, high): x kept between the two; a bound that is not given does not bind."""
    if len(node.args) != 3:
        raise ExprError(f"{ast.unparse(node)}: takes x, low, high; correct it")
    x, low, high = node.args
    inner = ast.Call(ast.Name("max", ast.Load()), [x, low], [])
    return compiler.compile(ast.Call(ast.Name("min", ast.Load()), [inner, high], []))


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    """percent(a, b): a of b in percent; no value when b is 0."""
    return None if whole == 0 else part * 100 / whole


def _day(moment: Any) -> date:
    """day(x): the local day of a moment, the first day of a period."""
    if isinstance(moment, datetime):
        return moment.date()
    return moment if isinstance(moment, date) else moment.first


def _date(year: Decimal, month: Decimal, number: Decimal) -> date:
    """date(y, m, d)"""
    return date(int(year), int(month), int(number))


def _time(moment: datetime) -> Decimal:
    """time(x): milliseconds since midnight."""
    return milliseconds(moment - datetime.combine(moment.date(), time()))


def _at_time(when: date, clock: str) -> datetime:
    """at_time(day, '17:00')"""
    return datetime.combine(_day(when), time.fromisoformat(clock))


def _add_days(when: date, number: Decimal) -> date:
    """add_days(day, n): the first day is not counted, so n days after it."""
    return _day(when) + timedelta(days=int(number))


def _add_months(when: date, number: Decimal) -> date:
    """add_months(day, n): by calendar; a missing day number becomes the last day of the month."""
    first = _day(when)
    months = first.year * 12 + first.month - 1 + int(number)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(first.day, calendar.monthrange(year, month + 1)[1]))


def _month_day(period: Any, number: Decimal) -> date:
    """month_day(month, n): the n-th day, at most the last of the month."""
    first = period.first if hasattr(period, "first") else _day(period)
    return date(first.year, first.month, min(int(number), calendar.monthrange(first.year, first.month)[1]))


def _week_day(period: Any, number: Decimal) -> date:
    """week_day(week, n): 1 = Monday."""
    return _day(period.first) + timedelta(days=int(number) - 1)


def _quarter(when: Any) -> Any:
    """quarter_of(x): the quarter that holds it."""
    return Period.of(_day(when), "quarter")


def _month(when: Any) -> Any:
    """month_of(x): the calendar month that holds it."""
    return Period.of(_day(when), "month")


def _week(when: Any) -> Any:
    """week_of(x): the ISO week that holds it."""
    return Period.of(_day(when), "week")


def _rounded(number: Decimal) -> Decimal:
    """round2(x): half up to 0.01."""
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _length(value: Any) -> Decimal:
    """len(x): items of a list, characters of a text."""
    return Decimal(len(value))


def _times(factor: int) -> Callable[[Decimal], Decimal]:
    def length(number: Decimal) -> Decimal:
        return number * factor

    return length


def _ordered(kind: Callable[[Any, Any], bool]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        one, other = compiler.arguments(node, 2, 2)

        def run(scope: Scope) -> Any:
            a, b = one(scope), other(scope)
            if isinstance(a, Unknown) or isinstance(b, Unknown):
                return a if isinstance(a, Unknown) else b
            if a is None or b is None:
                return MISSING
            try:
                return kind(a, b)
            except TypeError:
                raise _unfit(node, (a, b)) from None

        return run

    return build


def _surely(compiler: Compiler, node: ast.Call) -> Fn:
    """surely(x): true only when x is certainly true; what is unknown or not given is false."""
    (part,) = compiler.arguments(node, 1, 1)
    return lambda scope: (value := part(scope)) is not None and truth(value) is True


FUNCTIONS: dict[str, Function] = {
    "has": form(_has),
    "missing": form(_missing),
    "known": form(_known),
    "surely": form(_surely),
    "coalesce": form(_coalesce),
    "min": form(_extreme(_least)),
    "max": form(_extreme(_most)),
    "clamp": form(_clamp),
    "contains": form(_ordered(lambda rows, one: one in rows)),
    "len": plain(_length, 1),
    "abs": plain(abs, 1),
    "floor": plain(lambda x: x.to_integral_value(ROUND_FLOOR), 1),
    "ceil": plain(lambda x: x.to_integral_value(ROUND_CEILING), 1),
    "round2": plain(_rounded, 1),
    "percent": plain(_percent, 2),
    "seconds": plain(_times(1000), 1),
    "minutes": plain(_times(60_000), 1),
    "hours": plain(_times(3_600_000), 1),
    "days": plain(_times(86_400_000), 1),
    "day": plain(_day, 1),
    "date": plain(_date, 3),
    "time": plain(_time, 1),
    "at_time": plain(_at_time, 2),
    "add_days": plain(_add_days, 2),
    "add_months": plain(_add_months, 2),
    "add_years": plain(lambda when, number: _add_months(when, number * 12), 2),
    "month_day": plain(_month_day, 2),
    "week_day": plain(_week_day, 2),
    "weekday": plain(lambda when: Decimal(_day(when).isoweekday()), 1),
    "days_between": plain(lambda a, b: Decimal((_day(b) - _day(a)).days), 2),
    "month_of": plain(_month, 1),
    "quarter_of": plain(_quarter, 1),
    "week_of": plain(_week, 1),
    "month_number": plain(lambda when: Decimal(_day(when).month), 1),
    "year_of": plain(lambda when: Decimal(_day(when).year), 1),
    "first_of": plain(lambda period: period.first, 1),
    "last_of": plain(lambda period: period.last, 1),
    "next": plain(lambda period, number=Decimal(1): period.next(int(number)), 1, 2),
}
