"""Versions: the same again, replacing, withdrawing; order, people and cases of a book."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.records.admit import parse
from scoring.records.book import Book, BookError
from scoring.records.period import Period
from scoring.records.record import Record, Refusal
from tests.scoring.records.build import ZONE, record


def void(of: str, id: str = "v1", kind: str = "exam") -> Record:
    found = parse({"kind": kind, "id": id, "supersedes": of, "void": True, "reason": "error", "source": "exam"}, ZONE)
    assert isinstance(found, Record)
    return found


def exam(id: str, score: str = "60", **other: Any) -> Record:
    return record("exam", id, score=score, **other)


def better(id: str, of: str, score: str = "70") -> Record:
    return exam(id, score, supersedes=of, reason="read again")


def added(book: Book, record: Record) -> Book:
    found = book.add(record)
    assert isinstance(found, Book), found
    return found


def refusal(book: Book, record: Record) -> Refusal:
    found = book.add(record)
    assert isinstance(found, Refusal)
    return found


def test_the_same_record_again_changes_nothing() -> None:
    book = Book.of([exam("a")])

    assert book.add(exam("a")) is book
    assert Book.of([exam("a"), exam("a")]).all() == (exam("a"),)


def test_other_content_under_a_known_id_is_refused_unless_it_supersedes() -> None:
    book = Book.of([exam("a")])

    assert refusal(book, exam("a", "61")).field == "id"
    replaced = added(book, better("a", "a"))
    assert replaced.get("a") == better("a", "a")
    assert replaced.versions("a") == (exam("a"), better("a", "a"))
    assert replaced.add(exam("a")) is replaced, "an old version again is no news"


def test_a_replaced_record_stays_readable_and_does_not_hold() -> None:
    book = Book.of([exam("a"), better("b", "a"), better("c", "b", "80")])

    assert [one.id for one in book.of_kind("exam")] == ["c"]
    assert [one.id for one in book.versions("a")] == [one.id for one in book.versions("c")] == ["a", "b", "c"]
    assert book.get("a") == book.get("c") == better("c", "b", "80")
    assert len(book.all()) == 3


def test_a_withdrawn_record_holds_no_more_until_a_new_version_takes_the_withdrawal_back() -> None:
    book = Book.of([exam("a"), void("a")])

    assert book.of_kind("exam") == ()
    assert book.get("a") is book.get("v1") is None
    assert [one.id for one in book.versions("a")] == ["a", "v1"]
    assert refusal(book, better("b", "a")).field == "supersedes"
    assert "withdrawal" in refusal(book, void("v1", "v2")).reason
    back = added(book, better("b", "v1"))
    assert back.get("a") == back.of_kind("exam")[0] == better("b", "v1")
    assert [one.id for one in back.versions("a")] == ["a", "v1", "b"]


@pytest.mark.parametrize(
    ("new", "field", "says"),
    [
        (better("b", "nobody"), "supersedes", "there is no record"),
        (better("d", "a"), "supersedes", "was replaced by 'b'"),
        (better("o", "b"), "id", "stands already"),
        (record("order", "e", supersedes="b", reason="x"), "kind", "is an exam"),
    ],
)
def test_what_cannot_replace_is_refused(new: Record, field: str, says: str) -> None:
    found = refusal(Book.of([exam("a"), better("b", "a"), exam("o")]), new)

    assert found.field == field and says in found.reason


def test_the_book_it_was_added_to_stays_as_it_was() -> None:
    before = Book.of([exam("a")])
    added(before, better("b", "a"))

    assert before.get("a") == exam("a")
    assert before.versions("a") == (exam("a"),)


def test_all_refusals_of_a_list_come_at_once_with_their_places() -> None:
    with pytest.raises(BookError) as told:
        Book.of([exam("a"), exam("a", "61"), better("b", "z")])

    assert [(at, why.field) for at, _, why in told.value.refused] == [(1, "id"), (2, "supersedes")]
    assert told.value.faults[0].startswith("record 2 (a): id: ")


def test_records_stand_in_the_order_of_their_days_then_moments_then_ids() -> None:
    late = record("leave", "b", day=None, at="2026-03-02T10:00", until="2026-03-02T11:00")
    found = Book.of([late, record("leave", "z"), record("leave", "a", day="2026-03-03"), record("leave", "y")])

    assert [one.id for one in found.of_kind("leave")] == ["y", "z", "b", "a"]
    assert found.of_kind("leave", "Lin") == found.of_kind("leave")
    assert found.of_kind("leave", "Wu") == ()


def person(id: str, day: str, **other: Any) -> Record:
    return record("person", id, day=day, **other)


def test_a_person_holds_from_the_day_until_the_next_record() -> None:
    book = Book.of([person("p2", "2026-03-15", team="south"), person("p1", "2026-03-01", team="north")])

    assert book.person("Lin", date(2026, 2, 28)) is None
    assert book.team("Lin", date(2026, 3, 14)) == "north"
    assert book.team("Lin", date(2026, 3, 15)) == "south"
    assert book.team("Wu", date(2026, 3, 15)) == "-"


def test_people_of_a_month_are_who_worked_or_has_a_record_in_it() -> None:
    book = Book.of(
        [
            person("p1", "2026-03-01", agent="Lin"),
            person("p2", "2025-01-01", agent="Wu", left="2026-02-27"),
            person("p3", "2026-04-01", agent="Qian"),
            exam("e1", agent="Zhao"),
            record("figure", "f1", agent="Sun", period="2026-03"),
        ]
    )

    assert book.people(Period("2026-03")) == ("Lin", "Sun", "Zhao")
    assert book.people(Period("2026-02")) == ("Wu",)
    assert book.people(Period("2026-04")) == ("Lin", "Qian")


def case(id: str, at: str, **other: Any) -> Record:
    return record("case", id, at=at, **{"case_type": None, **other})


def test_the_first_record_of_a_case_says_which_process_it_is() -> None:
    first = case("1", "2026-03-01T09:00", case_type="complaint")
    book = Book.of([case("2", "2026-03-02T09:00", stage="closed"), first])

    assert book.case_type("c1") == "complaint"
    assert refusal(Book(), case("1", "2026-03-01T09:00")).field == "case_type"
    with pytest.raises(BookError, match="case_type"):
        Book.of([case("1", "2026-03-01T09:00"), case("2", "2026-03-02T09:00", case_type="complaint")])


def test_a_stage_belongs_to_the_process_of_its_case() -> None:
    book = Book.of([case("1", "2026-03-01T09:00", case_type="award", stage="proposed")])

    assert "no stage of an award" in refusal(book, case("2", "2026-03-02T09:00", stage="solved")).reason
    assert "is an award" in refusal(book, case("2", "2026-03-02T09:00", case_type="loss", stage="found")).reason
    assert isinstance(book.add(case("2", "2026-03-02T09:00", stage="approved")), Book)


def test_the_days_a_site_names_come_out_for_its_calendar() -> None:
    book = Book.of([record("calendar", day="2026-03-07"), record("calendar", "r2", day="2026-03-06", workday=False)])

    assert book.workdays() == {date(2026, 3, 7): True, date(2026, 3, 6): False}


STEPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "a", "b", "c", "d"]), st.sampled_from(["60", "70"])),
    max_size=12,
)


@given(STEPS, st.integers(0, 12))
def test_one_by_one_or_in_one_go_gives_the_same_book(steps: list[tuple[str, str, str]], cut: int) -> None:
    """No record is lost, at most one of a chain holds, and a second import changes nothing."""
    records = [better(id, of, score) if of else exam(id, score) for id, of, score in steps]
    book, refused = Book().take(records)

    slow = Book()
    for one in records:
        found = slow.add(one)
        slow = found if isinstance(found, Book) else slow
    assert (slow.all(), slow.of_kind("exam")) == (book.all(), book.of_kind("exam"))
    assert book.take(book.all())[0] is book
    assert book.take(records[:cut])[0].all()[: len(book.all())] == book.all()
    for one in book.of_kind("exam"):
        assert book.versions(one.id)[-1] == one == book.get(one.id)
    assert len({book.versions(one.id)[0] for one in book.all()}) == len(book.of_kind("exam"))
    assert len(book.all()) + len(refused) <= len(records)
