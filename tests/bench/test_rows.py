"""Rows as programs and people read them, and how a goal is judged."""

from __future__ import annotations

import json

import pytest

from qa.bench import BENCHES, ONLY_BY_NAME, BenchError, chosen
from qa.bench.rows import HEADER, Row, compared, missing, verdict

KEYS = ["name", "ours", "peer", "ratio", "unit", "goal", "runs", "spread", "note"]


def test_a_row_has_the_nine_keys_and_is_json() -> None:
    row = compared("x", "s", [1.0, 1.1, 1.2], [1.0, 1.0, 1.0], goal=1.5).as_dict()

    assert list(row) == KEYS
    assert json.loads(json.dumps(row)) == row
    assert (row["ours"], row["peer"], row["ratio"], row["runs"]) == (1.1, 1.0, 1.1, 3)


def test_the_ratio_is_that_of_each_pair() -> None:
    """A machine that slows down in the middle slows both sides of a pair."""
    row = compared("x", "s", [1.0, 10.0, 1.0], [1.0, 10.0, 1.0])

    assert row.ratio == 1.0


@pytest.mark.parametrize(
    ("within", "says"),
    [
        ((1.0, 1.1), "goal met"),
        ((1.0, 1.11), "reaches over it"),
        ((1.2, 1.3), "goal missed"),
        (None, "not judged"),
    ],
)
def test_a_goal_is_judged_by_the_upper_end(within: tuple[float, float] | None, says: str) -> None:
    assert says in verdict(within, 1.1)


@pytest.mark.parametrize(
    ("within", "says"), [((2.0, 3.0), "goal met"), ((1.9, 2.5), "reaches under it"), ((1.0, 1.9), "goal missed")]
)
def test_where_more_is_better_the_lower_end_judges(within: tuple[float, float], says: str) -> None:
    assert says in verdict(within, 2.0, more=True)


def test_a_least_is_shown_as_one() -> None:
    text = compared("scorer", "calls/s", [4.0] * 6, [2.0] * 6, goal=2.0, more=True).as_text()
    assert "≥ 2.00" in text and "goal met (lower end of the 95 % interval)" in text


def test_a_missing_peer_is_a_row_that_says_so() -> None:
    row = missing("scorer-zen-engine", "calls/s", "zen-engine is not installed; make bench installs it")

    assert row.as_dict() == {
        "name": "scorer-zen-engine", "ours": None, "peer": None, "ratio": None, "unit": "calls/s", "goal": None,
        "runs": 0, "spread": {}, "note": "zen-engine is not installed; make bench installs it",
    }  # fmt: skip
    assert "zen-engine is not installed" in row.as_text()


def test_columns_stand_under_their_heads() -> None:
    text = compared("phrases", "CPU s", [0.4] * 6, [0.1] * 6, goal=4.0).as_text().splitlines()[0]

    assert HEADER.index("unit") == text.index("CPU s")
    assert HEADER.index("goal") == text.index("≤ 4.00")


@pytest.mark.parametrize(("value", "shown"), [(0.000123456, 0.0001235), (12345.6, 12346), (0, 0), (1.00049, 1.0)])
def test_four_digits_are_shown(value: float, shown: float) -> None:
    assert Row("x", "s", ours=value).as_dict()["ours"] == shown


def test_all_benches_run_unless_named_but_for_the_long_ones() -> None:
    assert set(chosen([])) == set(BENCHES) - ONLY_BY_NAME
    assert chosen(["spool", "phrases", "spool"]) == ["spool", "phrases"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BenchError) as caught:
        chosen(["spol", "phrases", "x"])

    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["bench spol", "bench x"]
    assert all(name in caught.value.faults[0] for name in BENCHES)
