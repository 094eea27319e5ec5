"""Imported records as facts: calls, chats and empty seats say what the phones would have said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from qa.facts import SiteView
from qa.site import chat_matcher, matcher
from qa.subjects import Ears, away_items, call_items, chat_items, items_of
from scoring.facts import AwayFacts, CallFacts, Cause, Unknown
from scoring.records.admit import Defaults, expand, parse
from scoring.records.book import Book
from scoring.records.record import Record

ZONE = ZoneInfo("Asia/Shanghai")
EARS = Ears(ZONE, SiteView(leave_connected=True), matcher(), chat_matcher())
CALL = {"kind": "call", "agent": "An", "direction": "in", "offered_at": "2026-03-02T09:00:00"}
TALK = [{"role": "agent", "text": "您好,请讲", "start_ms": 300, "end_ms": 2000}]


def book(*raws: dict[str, Any]) -> Book:
    found: list[Record] = []
    for at, raw in enumerate(raws):
        for one in expand(raw, f"g{at + 1}"):
            read = parse(one, ZONE, defaults=Defaults(str(one["id"])))
            assert isinstance(read, Record), read
            found.append(read)
    return Book.of(found)


def call(**more: Any) -> CallFacts:
    (item,) = call_items(book(CALL | more), EARS)
    assert item.facts.call is not None
    return item.facts.call


def away(*raws: dict[str, Any]) -> list[AwayFacts]:
    return [item.facts.away for item in away_items(book(*raws), EARS) if item.facts.away is not None]


def seat(at: str, until: str | None, **more: Any) -> dict[str, Any]:
    return {
        "kind": "seat_status",
        "agent": "An",
        "at": f"2026-03-02T{at}",
        "until": until and f"2026-03-02T{until}",
        **more,
    }


def leave(at: str, until: str, **more: str) -> dict[str, Any]:
    times = {name: f"2026-03-02T{clock}" for name, clock in more.items()}
    span = {"at": f"2026-03-02T{at}", "until": f"2026-03-02T{until}"}
    return {"kind": "leave", "agent": "An", "leave": "break", **span, **times}


def test_a_call_belongs_to_the_local_day_of_its_offer() -> None:
    (item,) = call_items(book(CALL | {"offered_at": "2026-03-31T16:30:00Z"}), EARS)

    assert item.day.isoformat() == "2026-04-01"
    assert item.agent == "An"


def test_a_call_without_turns_says_nothing_of_words() -> None:
    assert call().text == "none"
    assert call(turns=[]).text == "given"


def test_turns_bring_hits_and_the_first_transfer_counts_from_the_answer() -> None:
    facts = call(
        answered_at="2026-03-02T09:00:05",
        ended_at="2026-03-02T09:01:00",
        turns=TALK,
        transfers=[{"at": "2026-03-02T09:00:45", "to": "S2"}, {"at": "2026-03-02T09:00:35", "to": "S3"}],
    )

    assert "GREE-03" in [hit.entry for hit in facts.hits]
    assert (facts.transfers, facts.transfer_ms) == (2, 30_000)


def test_hits_of_another_system_stand_in_for_our_own() -> None:
    found = [{"category": "closing", "entry": "CLOS-01", "role": "agent", "start_ms": 400, "end_ms": 900}]

    assert [(hit.entry, hit.turn) for hit in call(turns=TALK, hits=found).hits] == [("CLOS-01", 0)]


def test_a_seat_that_stood_ready_is_known_at_the_offer() -> None:
    ready = [seat("08:00:00", "09:30:00", status="ready")]
    guess = [seat("08:00:00", "09:30:00", status="ready", confidence="inferred")]

    def was_ready(*raws: dict[str, Any]) -> bool | Unknown | None:
        (item,) = call_items(book(CALL, *raws), EARS)
        return item.facts.call.seat_was_ready if item.facts.call else None

    assert was_ready(*ready) is True
    assert was_ready(seat("08:00:00", "09:30:00", status="busy")) is False
    assert was_ready(*guess) == was_ready() == Unknown(Cause.MISSING)


def test_a_chat_is_a_conversation_in_which_nothing_rings() -> None:
    (item,) = chat_items(
        book(
            {
                "kind": "chat",
                "agent": "An",
                "at": "2026-03-02T10:00:00",
                "turns": [
                    {"role": "customer", "at": "2026-03-02T10:00:00", "text": "在吗", "question": True},
                    {"role": "agent", "at": "2026-03-02T10:00:20", "text": "亲,您好"},
                ],
            }
        ),
        EARS,
    )
    facts = item.facts.call

    assert facts is not None
    assert (facts.answer_seconds, facts.ring_count, facts.text) == (Decimal(20), Unknown(Cause.MISSING), "given")
    assert "GREE-15" in [hit.entry for hit in facts.hits]  # a greeting of written chats


def test_an_absence_lasts_as_long_as_its_record_says() -> None:
    (found,) = away(seat("10:00:00", "10:05:01", present=False))

    assert (found.away_ms, found.ready_ms, found.source) == (301_000, 0, "presence")


def test_ready_time_ends_with_the_record_that_said_so() -> None:
    (found,) = away(
        seat("09:00:00", "10:02:00", status="ready"), seat("10:00:00", "10:06:00", present=False, entered_by="Ma")
    )

    assert (found.away_ms, found.ready_ms, found.source) == (360_000, 120_000, "person")


def test_whoever_picks_up_is_there() -> None:
    (found,) = away(seat("08:59:00", "09:06:00", present=False), CALL | {"answered_at": "2026-03-02T09:00:05"})

    assert found.away_ms == Unknown(Cause.CLOCK)


def test_leave_excuses_what_it_covers_and_telling_counts_beforehand() -> None:
    absent = seat("10:00:00", "10:10:00", present=False)

    def excused(*leaves: dict[str, Any]) -> tuple[object, object]:
        (found,) = away(absent, *leaves)
        return found.approved, found.told

    assert excused() == (False, False)
    assert excused(leave("10:00:00", "10:10:00", approved_at="09:50:00")) == (True, True)
    assert excused(leave("10:00:00", "10:09:59", approved_at="09:50:00")) == (False, False)
    assert excused(leave("09:55:00", "10:30:00", told_at="10:00:00")) == (False, True)
    assert excused(leave("09:55:00", "10:30:00", told_at="10:00:01")) == (False, False)


def test_a_guess_of_absence_is_no_absence() -> None:
    assert away(seat("10:00:00", "10:10:00", present=False, confidence="inferred")) == []


def test_everything_that_a_book_tells_is_found() -> None:
    found = items_of(book(CALL, seat("10:00:00", "10:10:00", present=False)), EARS)

    assert [item.facts.kind for item in found] == ["call", "away"]
