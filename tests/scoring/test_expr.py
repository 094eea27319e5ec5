"""The language of packs: three values, exact numbers, what is not given, days and moments, and what it refuses."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.expr import MAX_LENGTH, MISSING, ExprError, Names, Scope, compile_expression
from scoring.facts import Cause, Unknown
from scoring.functions import FUNCTIONS
from scoring.records.period import Period

NAMES = Names(frozenset("abcdxy"), frozenset(), frozenset({"person"}), {}, FUNCTIONS)
moment = datetime.fromisoformat  # moments are local to the site and carry no zone
NO_TEXT = Unknown(Cause.NO_TEXT)


class _Nobody:
    def name(self, name: str, scope: Scope) -> Any:
        return None


def value(text: str, fields: Mapping[str, Any] | None = None) -> Any:
    return compile_expression(text, NAMES)(Scope(dict(fields or {}), _Nobody()))


# three values ---------------------------------------------------------------------------------------------------------

TRUE, FALSE, OPEN = True, False, NO_TEXT


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (TRUE, TRUE, TRUE, TRUE), (TRUE, FALSE, FALSE, TRUE), (TRUE, OPEN, OPEN, TRUE),
        (FALSE, TRUE, FALSE, TRUE), (FALSE, FALSE, FALSE, FALSE), (FALSE, OPEN, FALSE, OPEN),
        (OPEN, TRUE, OPEN, TRUE), (OPEN, FALSE, FALSE, OPEN), (OPEN, OPEN, OPEN, OPEN),
    ],
)  # fmt: skip
def test_and_and_or_decide_as_soon_as_one_side_can(a: Any, b: Any, both: Any, either: Any) -> None:
    assert value("a and b", {"a": a, "b": b}) == both
    assert value("a or b", {"a": a, "b": b}) == either


def test_not_keeps_what_is_unknown() -> None:
    assert [value("not a", {"a": one}) for one in (True, False, NO_TEXT, None)] == [False, True, NO_TEXT, MISSING]


def test_the_first_cause_is_the_one_that_is_told() -> None:
    assert value("a and b", {"a": NO_TEXT, "b": Unknown(Cause.REGISTER)}).cause is Cause.NO_TEXT


def test_a_choice_on_an_unknown_is_unknown_and_the_other_branch_is_not_asked() -> None:
    assert value("1 if a else 2", {"a": NO_TEXT}) == NO_TEXT
    assert value("1 if a else b", {"a": True, "b": NO_TEXT}) == 1


TRUTH = st.sampled_from([True, False, NO_TEXT])
FIELDS = st.fixed_dictionaries(dict.fromkeys("abcd", TRUTH))


def _formulas() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["a", "b", "c", "d", "True", "False"])
    return st.recursive(
        leaves,
        lambda one: st.one_of(
            one.map(lambda x: f"(not {x})"),
            st.tuples(one, st.sampled_from(["and", "or"]), one).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
        ),
        max_leaves=8,
    )


def _kleene(text: str, fields: Mapping[str, Any]) -> float:
    """The same by arithmetic: false 0, unknown a half, true 1; and = least, or = most, not = 1 - x."""

    def walk(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=one):
                return float(one)  # type: ignore[arg-type]
            case ast.Name(id=name):
                return 0.5 if isinstance(fields[name], Unknown) else float(fields[name])
            case ast.UnaryOp(operand=inner):
                return 1 - walk(inner)
            case ast.BoolOp(op=ast.And(), values=rows):
                return min(map(walk, rows))
            case ast.BoolOp(values=rows):
                return max(map(walk, rows))
        raise AssertionError(node)

    return walk(ast.parse(text, mode="eval").body)


@given(_formulas(), FIELDS)
def test_and_or_and_not_are_kleene_s(text: str, fields: dict[str, Any]) -> None:
    found = value(text, fields)

    assert (0.5 if isinstance(found, Unknown) else float(found)) == _kleene(text, fields)


@given(_formulas(), FIELDS, st.fixed_dictionaries({}, optional={name: st.booleans() for name in "abcd"}))
def test_learning_more_never_turns_a_decision_round(text: str, fields: dict[str, Any], news: dict[str, bool]) -> None:
    learnt = {name: news.get(name, one) if isinstance(one, Unknown) else one for name, one in fields.items()}
    before = value(text, fields)

    assert isinstance(before, Unknown) or value(text, learnt) == before


@given(_formulas(), FIELDS, st.dictionaries(st.sampled_from(["x", "y", "z"]), TRUTH))
def test_facts_of_other_names_decide_nothing(text: str, fields: dict[str, Any], other: dict[str, Any]) -> None:
    assert value(text, {**fields, **other}) == value(text, fields)


# numbers --------------------------------------------------------------------------------------------------------------

EXACT = st.decimals(-10_000, 10_000, places=6)


@given(EXACT, EXACT)
def test_adding_and_multiplying_are_exact(a: Decimal, b: Decimal) -> None:
    fields = {"a": a, "b": b}

    assert value("a + b - b", fields) == a
    assert value("a * b", fields) == a * b
    assert value("-(-a)", fields) == a


@given(st.decimals(0, 999_999, places=6))
def test_a_number_as_it_is_written_is_the_number(number: Decimal) -> None:
    assert value(f"{number:f}") == number


def test_whole_numbers_of_any_length_and_fractions_of_fifteen_digits_are_kept() -> None:
    assert value("123456789012345678901234 + 0") == Decimal("123456789012345678901234")
    assert value("0.123456789012345") == Decimal("0.123456789012345")
    assert value("1_000.5") == Decimal("1000.5") and value("1e3") == 1000


def test_a_tenth_three_times_is_three_tenths() -> None:
    assert value("0.1 + 0.1 + 0.1 == 0.3") is True


@given(EXACT, EXACT)
def test_comparisons_agree_with_the_numbers(a: Decimal, b: Decimal) -> None:
    fields = {"a": a, "b": b}
    found = [value(f"a {sign} b", fields) for sign in ("<", "<=", "==", ">=", ">", "!=")]

    assert found == [a < b, a <= b, a == b, a >= b, a > b, a != b]
    assert value("a < b < 3", fields) is (a < b < 3)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("round2(0.125)", "0.13"), ("round2(-0.125)", "-0.13"), ("round2(0.115)", "0.12"), ("floor(-0.5)", "-1"),
        ("ceil(-0.5)", "0"), ("percent(1, 3) > 33.3", True), ("percent(0, 5)", "0"), ("percent(5, 0)", None),
        ("1 / 0", None), ("0 / 0", None), ("min(3, 2, x)", "2"), ("max(3, x)", "3"), ("min(x)", None),
        ("clamp(120, 0, 105)", "105"), ("clamp(-1, 0, 105)", "0"), ("clamp(120, 0, x)", "120"), ("abs(-2.5)", "2.5"),
        ("minutes(1.5)", "90000"), ("hours(1)", "3600000"), ("days(1)", "86400000"), ("seconds(0.5)", "500"),
        ("len('您好')", "2"), ("'b' in ('a', 'b')", True), ("'c' not in ('a', 'b')", True),
    ],
)  # fmt: skip
def test_functions_of_numbers(text: str, wanted: Any) -> None:
    assert value(text) == (Decimal(wanted) if isinstance(wanted, str) else wanted)


@given(st.lists(EXACT | st.none(), min_size=1, max_size=5))
def test_min_and_max_pass_over_what_is_not_given(numbers: list[Decimal | None]) -> None:
    fields = dict(zip("abcde", numbers, strict=False))
    names = ", ".join("abcd"[: len(numbers)])
    known = [one for one in numbers[:4] if one is not None]

    assert value(f"min({names})", fields) == min(known, default=None)
    assert value(f"max({names})", fields) == max(known, default=None)


# what is not given ----------------------------------------------------------------------------------------------------


def test_arithmetic_keeps_what_is_not_given_and_a_comparison_with_it_is_unknown() -> None:
    assert value("x + 1") is None
    assert value("-x") is None
    for text in ("x > 1", "x == 1", "x != 1", "x in (1, 2)", "x < x", "x and True", "not x", "x / 0 > 1"):
        assert value(text) == MISSING, text


def test_has_missing_coalesce_known_and_surely_answer_what_is_not_given() -> None:
    asked = ("has(x)", "missing(x)", "known(x)", "surely(x)", "coalesce(x, 7)", "x is None")
    assert [value(text) for text in asked] == [False, True, False, False, 7, True]
    assert [value(text, {"x": True}) for text in asked] == [True, False, True, True, True, False]
    unknown = [value(text, {"x": NO_TEXT}) for text in asked]
    assert unknown == [NO_TEXT, NO_TEXT, False, False, NO_TEXT, NO_TEXT]


def test_a_part_of_nobody_is_not_given() -> None:
    assert value("person.role") is None
    assert value("person.role == 'agent'") == MISSING


def test_an_unknown_argument_makes_a_function_unknown() -> None:
    for text in (
        "floor(x)",
        "min(1, x)",
        "percent(x, 2)",
        "day(x)",
        "days_between(x, x)",
        "x + 1",
        "1 < x",
        "x in (1,)",
    ):
        assert value(text, {"x": NO_TEXT}) == NO_TEXT, text


# days and moments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("add_months(date(2026, 1, 31), 1)", date(2026, 2, 28)),
        ("add_months(date(2024, 1, 31), 1)", date(2024, 2, 29)),
        ("add_months(date(2026, 3, 31), -1)", date(2026, 2, 28)),
        ("add_months(date(2026, 11, 30), 3)", date(2027, 2, 28)),
        ("add_years(date(2024, 2, 29), 1)", date(2025, 2, 28)),
        ("add_days(date(2026, 12, 31), 1)", date(2027, 1, 1)),
        ("date(2026, 3, 1) - date(2026, 2, 28)", Decimal(1)),
        ("days_between(date(2024, 2, 28), date(2024, 3, 1))", Decimal(2)),
        ("month_day(date(2026, 2, 3), 30)", date(2026, 2, 28)),
        ("month_day(next(month_of(date(2026, 1, 31))), 30)", date(2026, 2, 28)),
        ("weekday(date(2026, 3, 1))", Decimal(7)),
        ("week_day(week_of(date(2026, 1, 1)), 6)", date(2026, 1, 3)),
        ("last_of(month_of(date(2024, 2, 1)))", date(2024, 2, 29)),
        ("quarter_of(date(2026, 12, 31))", Period("2026Q4")),
        ("next(quarter_of(date(2026, 12, 31)))", Period("2027Q1")),
        ("next(week_of(date(2026, 12, 31)), -1)", Period("2026-W52")),
        ("at_time(date(2026, 3, 1), '17:00')", moment("2026-03-01T17:00")),
        ("time(at_time(date(2026, 3, 1), '00:00:01'))", Decimal(1000)),
        ("at_time(date(2026, 3, 2), '00:00') - at_time(date(2026, 3, 1), '23:59')", Decimal(60_000)),
        ("at_time(date(2026, 3, 1), '23:59') + minutes(1)", moment("2026-03-02T00:00")),
        ("at_time(date(2026, 3, 1), '23:59') <= date(2026, 3, 1)", True),
        ("at_time(date(2026, 3, 2), '00:00') <= date(2026, 3, 1)", False),
        ("max(date(2026, 3, 1), date(2026, 3, 2))", date(2026, 3, 2)),
        ("min(at_time(date(2026, 3, 1), '09:00'), at_time(date(2026, 3, 1), '08:00'))", moment("2026-03-01T08:00")),
    ],
)
def test_days_go_by_the_calendar_and_moments_by_the_clock(text: str, wanted: Any) -> None:
    assert value(text) == wanted


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-600, 600))
def test_months_later_is_the_same_day_or_the_last_of_the_month(day: date, months: int) -> None:
    found = value(f"add_months(a, {months})", {"a": day})

    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found.day < day.day and Period.of(found, "month").last == found)


@given(st.datetimes(moment("2000-01-01T00:00"), moment("2100-01-01T00:00")), st.integers(-(10**12), 10**12))
def test_a_length_in_milliseconds_there_and_back_is_exact(start: datetime, length: int) -> None:
    fields = {"a": start, "b": Decimal(length)}

    assert value("a + b - a", fields) == length
    assert value("a + b - b", fields) == start


# refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("a +", "cannot be read"),
        ("", "cannot be read"),
        ("q > 1", "there is no name 'q' here; fields are a, b, c"),
        ("nothing(a)", "there is no function 'nothing'; known are"),
        ("a.real", "only it, person, case and new have parts"),
        ("it.q", "the finding's subject has no such field"),
        ("a[0]", "not part of the language"),
        ("lambda: 1", "not part of the language"),
        ("[x for x in a]", "not part of the language"),
        ("a ** 2", "not part of the language"),
        ("a % 2", "not part of the language"),
        ("f'{a}'", "not part of the language"),
        ("(a := 1)", "not part of the language"),
        ("{'a': 1}", "not part of the language"),
        ("~a", "write not or -"),
        ("1j", "no number, word, True, False or None"),
        ("b'x'", "no number, word, True, False or None"),
        ("a > 0.123456789012345678901", "0.123456789012345678901: not all of its digits can be kept"),
        ("1234567890123456789.5 + a", "1234567890123456789.5: not all of its digits can be kept"),
        ("a < 1e999", "1e999: not all of its digits can be kept"),
        ("a is b", "is compares with None, True or False only"),
        ("floor()", "takes 1 arguments, not 0"),
        ("floor(1, 2)", "takes 1 arguments, not 2"),
        ("floor(1, up=2)", "there is no option 'up'"),
        ("clamp(1, 2)", "takes x, low, high"),
        ("__import__('os')", "there is no function '__import__'"),
        ("a.__class__", "only it, person, case and new have parts"),
        ("a" + " + a" * MAX_LENGTH, "split it with let"),
        ("(" * 300 + "a" + ")" * 300, "cannot be read"),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_a_letter(text: str, letter: str) -> None:
    with pytest.raises(ExprError) as refused:
        compile_expression(text, NAMES)

    assert letter in str(refused.value)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("'a' + 1", "cannot be computed together"),
        ("1 < 'a'", "cannot be compared"),
        ("1 and True", "is no condition"),
        ("floor('a')", "give values of the right kind"),
        ("at_time(date(2026, 3, 1), '25:00')", "give values of the right kind"),
        ("date(2026, 2, 30)", "give values of the right kind"),
        ("add_days(date(2026, 3, 1), 9999999999)", "give values of the right kind"),
        ("at_time(date(2026, 3, 1), '09:00') + days(99999999)", "cannot be computed together"),
        ("at_time(date(2026, 3, 1), '09:00') - date(2026, 3, 1)", "cannot be computed together"),
        ("1 in 2", "cannot be compared"),
        ("contains(2, 1)", "give values of the right kind"),
        ("max(2, date(2026, 3, 1))", "give values of the right kind"),
        ("min(1, 'b')", "give values of the right kind"),
        ("-'a'", "cannot be computed"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_a_letter(text: str, letter: str) -> None:
    with pytest.raises(ExprError) as refused:
        value(text)

    assert letter in str(refused.value)


SYMBOLS = st.sampled_from(
    [*"abx()+-*/<>=,.", " and ", " or ", " not ", " in ", " if ", " else ", "1", "'w'", "min", "day"]
)


@given(st.lists(SYMBOLS, max_size=12).map("".join) | st.text(max_size=20))
def test_any_text_is_an_expression_or_refused_and_never_breaks(text: str) -> None:
    try:
        value(text, {"a": Decimal(2), "b": True})
    except ExprError as refused:
        assert str(refused)
