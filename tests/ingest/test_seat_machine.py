"""The table of a seat's changes, what it lets be inferred, and its pictures in the documents."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import STATES
from ingest.seat_machine import MAY_INFER, STEPS, admits, change, diagram, matrix
from ingest.seats import SeatLog, fold_seat, step
from tests.ingest.values import event

DOCUMENT = (Path(__file__).parents[2] / "docs" / "seats.md").read_text(encoding="utf-8")
PAIRS = list(product(STATES, STATES))


def test_the_pictures_of_the_document_are_drawn_from_the_table() -> None:
    assert re.findall(r"```mermaid\n(.*?)\n?```", DOCUMENT, re.DOTALL) == [diagram()]
    assert matrix() in DOCUMENT


def test_the_table_names_known_states_and_says_why() -> None:
    for (before, after), why in STEPS.items():
        assert {before, after} <= set(STATES) - {"unknown"}
        assert why
    assert {state for pair in MAY_INFER.items() for state in (pair[0], *pair[1])} <= set(STATES)


def test_every_state_is_left_and_reached() -> None:
    for ends in (0, 1):
        assert {pair[ends] for pair in STEPS} == set(STATES) - {"unknown"}


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_what_was_seen_is_taken_after_anything(before: str, after: str) -> None:
    assert admits(before, True, after, False)
    assert admits(before, False, after, False)
    assert admits(before, False, after, True), "a guess may follow a guess"
    assert admits(None, True, after, True)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_guess_takes_the_place_of_nothing_that_still_holds(before: str, after: str) -> None:
    allowed = after == "unknown" or before == "unknown" or after in MAY_INFER.get(before, ())

    assert admits(before, True, after, True) == allowed


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("ready", "ringing", "usual"),
        ("ready", "hold", "leap"),
        ("offline", "talking", "leap"),
        ("ready", "ready", "same"),
        ("busy", "busy", "usual"),
        ("talking", "unknown", "usual"),
        ("unknown", "hold", "usual"),
        (None, "talking", "usual"),
    ],
)
def test_a_step_that_was_left_out_is_a_leap(before: str | None, after: str, kind: str) -> None:
    assert change(before, after) == kind


def test_the_end_of_a_call_may_be_followed_by_an_inferred_wrap_up_until_something_is_seen() -> None:
    told = [
        event("seat", 0, status="talking"),
        event("seat", 5, status="wrap_up", confidence="inferred"),
        event("seat", 9, status="ready"),
        event("seat", 12, status="busy", confidence="inferred"),
        event("seat", 14, status="ready", confidence="inferred"),
    ]

    assert [(one.state, one.confidence) for one in fold_seat(told).intervals] == [
        ("talking", "observed"), ("wrap_up", "inferred"), ("ready", "observed"),
    ]  # fmt: skip


SEEN = st.tuples(st.sampled_from(STATES), st.sampled_from(["observed", "snapshot"]))
ANY = st.tuples(st.sampled_from(STATES), st.sampled_from(["observed", "snapshot", "inferred"]))


@given(st.lists(ANY, min_size=1, max_size=20))
def test_guesses_never_change_when_something_was_seen(told: list[tuple[str, str]]) -> None:
    """Every seen state stands in the log at its own instant, whatever was guessed around it."""
    log = SeatLog("s1")
    for number, (status, confidence) in enumerate(told):
        before = log
        log = step(log, event("seat", number, status=status, confidence=confidence))
        last = log.intervals[-1]
        if confidence != "inferred":
            assert (last.state, last.confidence) == (status, confidence)
        elif log != before:
            assert before == SeatLog("s1") or admits(
                before.intervals[-1].state, before.intervals[-1].confidence != "inferred", status, True
            )
