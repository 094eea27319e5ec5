"""Entries and reversals: what stands is what was entered and not taken back, and both sides sum to nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from scoring.engine import score
from scoring.facts import Facts
from scoring.ledger import Entry, LedgerError, entries_of, reversals, standing, total
from scoring.load import load_pack, shipped
from scoring.overlay import from_mapping
from tests.scoring.build import call
from tests.scoring.strategies import FACTS

PACK = load_pack(shipped("bes"))
TRUSTED = from_mapping({"trust": "all", "synthetic_ok": True})


def _entries(facts: Facts, run: str) -> tuple[Entry, ...]:
    return entries_of(score(PACK, TRUSTED, facts, date(2026, 11, 21)), run)


@given(FACTS)
def test_a_run_and_its_reversal_sum_to_nothing(facts: Facts) -> None:
    first = _entries(facts, "r1")
    back = reversals(first, "r1", "r2")

    assert total((*first, *back)) == 0
    assert standing((*first, *back)) == ()


@given(FACTS, FACTS)
def test_after_a_new_run_only_the_new_one_stands(old: Facts, new: Facts) -> None:
    first = _entries(old, "r1")
    second = _entries(new, "r2")
    book = (*first, *reversals(first, "r1", "r2"), *second)

    assert standing(book) == second
    assert total(book) == total(second)


def test_the_book_of_a_late_call() -> None:
    (entry,) = _entries(call({"ring_count": 4}), "r1")

    assert (entry.rule, entry.event, str(entry.points), entry.counts, entry.assumed) == (
        "BES-16", "call:k1", "-0.5", True, True,
    )  # fmt: skip


def test_contradictions_are_refused() -> None:
    first = _entries(call({"ring_count": 4}), "r1")
    back = reversals(first, "r1", "r2")

    with pytest.raises(LedgerError, match="is entered twice"):
        standing((*first, *first))
    with pytest.raises(LedgerError, match="is reversed twice"):
        standing((*first, *back, replace(back[0], run="r3")))
    with pytest.raises(LedgerError, match="was never entered"):
        standing(back)
    assert reversals((*first, *back), "r1", "r3") == ()
