"""A folded call as a record of the contract, as a stored row, and back again."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from ingest.events import Event
from ingest.session import fold_call
from qa.calls import record, row, stored_record
from qa.store.canon import dumps, loads
from tests.ingest.values import T0, event
from tests.qa.lab import ZONE, at

OWN = {"seat": "s1", "agent": "A01"}
CALL = [
    event("offered", 0, direction="in", queue="sales", number="13800000000", **OWN),
    event("ringing", 0.5, **OWN),
    event("answered", 9, **OWN),
    event("held", 20),
    event("resumed", 25),
    event("transferred", 40, to="s2", how="attended"),
    event("ended", 60, by="customer", rings=2),
]


def test_what_the_telephone_said_in_the_words_of_the_contract() -> None:
    told = record(fold_call(CALL), CALL)

    assert (told.id, told.agent, told.seat, told.direction, told.queue, told.number) == (
        "c1", "A01", "s1", "in", "sales", "13800000000",
    )  # fmt: skip
    assert (told.offered_at, told.ringing_at, told.answered_at, told.ended_at) == (at(0), at(0.5), at(9), at(60))
    assert (told.end, told.hung_up_by, told.rings) == ("answered", "customer", 2)
    assert [(hold.at, hold.until) for hold in told.holds] == [(at(20), at(25))]
    assert [(one.at, one.to, one.how) for one in told.transfers] == [(at(40), "s2", "attended")]
    assert (told.known_customer, told.business, told.turns) == (None, None, None)


def test_the_record_comes_back_from_the_stored_row() -> None:
    told = row(fold_call(CALL), CALL, T0, "ended", ZONE)

    assert stored_record(loads(dumps(told.folded))) == record(fold_call(CALL), CALL)


def test_the_row_holds_what_lists_show() -> None:
    told = row(fold_call(CALL), CALL, T0, "live", ZONE)

    assert (told.id, told.state, told.at, told.day) == ("c1", "live", at(0), date(2026, 3, 1))
    assert (told.conclusion, told.hung_up_by, told.folded["phone"]) == ("answered", "customer", "ended")
    assert told.folded["offers"] == [
        {"seat": "s1", "agent": "A01", "offered_at": at(0).isoformat(), "ringing_at": at(0.5).isoformat(),
         "answered_at": at(9).isoformat()},
    ]  # fmt: skip
    json.dumps(told.folded)


def test_the_day_is_the_day_of_the_site() -> None:
    """A quarter past four in the afternoon in London is the next day in Shanghai."""
    late = [event("offered", 7.25 * 3600, **OWN)]

    assert late[0].at.date() == date(2026, 3, 1)
    assert row(fold_call(late), late, T0, "live", ZONE).day == date(2026, 3, 2)


def test_a_call_that_was_never_offered_begins_with_its_first_event() -> None:
    told = [event("ended", 60)]

    assert row(fold_call(told), told, T0 - timedelta(seconds=9), "ended", ZONE).at == at(-9)


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        ({"known_customer": True, "business": False}, (True, False, None, None)),
        ({"language": "ko", "dialect_asked": True}, (None, None, "ko", True)),
        ({"known_customer": "yes", "business": 1, "language": "en", "dialect_asked": None}, (None, None, None, None)),
        ({"known_customer": None, "unheard_of": 7}, (None, None, None, None)),
    ],
)
def test_what_a_sender_knows_beside_the_signalling(
    extra: dict[str, object], found: tuple[bool | str | None, ...]
) -> None:
    """A value of another type is no fact, and no fault either: what is unknown stays unknown."""
    told: list[Event] = [event("offered", 0, **OWN, **extra), event("ended", 9)]
    one = record(fold_call(told), told)

    assert (one.known_customer, one.business, one.language, one.dialect_asked) == found
    assert stored_record(row(fold_call(told), told, T0, "ended", ZONE).folded) == one


def test_a_later_offer_says_it_better_and_one_that_is_silent_takes_nothing_back() -> None:
    told = [
        event("offered", 0, known_customer=False, **OWN),
        event("redirected", 5, seat="s1"),
        event("offered", 6, seat="s2", known_customer=True),
        event("redirected", 9, seat="s2"),
        event("offered", 10, seat="s3"),
    ]

    assert record(fold_call(told), told).known_customer is True


def test_a_transfer_of_which_nothing_is_said_is_blind() -> None:
    told = [event("offered", 0, **OWN), event("answered", 3, **OWN), event("transferred", 5), event("ended", 9)]

    assert [(one.to, one.how) for one in record(fold_call(told), told).transfers] == [("", "blind")]
