"""Records and what was heard become facts: durations, rings, ends; what is not known is Unknown with its cause."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.seats import Away
from qa.facts import NOTHING, Heard, SiteView, away_facts, call_facts
from qa.record import CallRecord, RecordError, read_record
from scoring.facts import Cause, Gap, Unknown, dump, load

ZONE = ZoneInfo("Asia/Shanghai")
BASE = {"direction": "in", "offered_at": "2026-03-02T09:00:00"}


def record(**fields: Any) -> CallRecord:
    return read_record("test", {**BASE, **fields}, ZONE)


def call(heard: Heard = NOTHING, cadence: str = "cn", **fields: Any) -> Any:
    return call_facts("k", record(**fields), heard, SiteView(cadence)).call


@pytest.mark.parametrize(
    ("answered", "rings"),
    [("09:00:00", 0), ("09:00:04.999", 1), ("09:00:05", 2), ("09:00:14.999", 3), ("09:00:15.000", 4)],
)
def test_rings_are_counted_from_the_first_alert_to_the_answer(answered: str, rings: int) -> None:
    facts = call(answered_at=f"2026-03-02T{answered}")

    assert (facts.ring_count, facts.ring_source, facts.end) == (rings, "clock", "answered")


def test_the_seat_s_own_ringing_counts_and_not_the_wait_in_the_queue() -> None:
    facts = call(ringing_at="2026-03-02T09:00:10", answered_at="2026-03-02T09:00:12")

    assert (facts.ring_seconds, facts.answer_seconds) == (Decimal(2), Decimal(2))


def test_the_phone_s_own_count_wins_over_the_clock() -> None:
    facts = call(answered_at="2026-03-02T09:00:17", rings=3)

    assert (facts.ring_count, facts.ring_source, facts.ring_seconds) == (3, "phone", Decimal(17))


def test_clocks_that_ran_apart_leave_interruptions_unknown_and_nothing_else() -> None:
    heard = Heard(talk_over_ms=900, silence_ms=100, gaps=(Gap("agent", 5000, 5000, "drift"),))
    facts = call(heard, answered_at="2026-03-02T09:00:10")

    assert (facts.talk_over_ms, facts.silence_ms) == (Unknown(Cause.CLOCK), 100)
    assert call(Heard(talk_over_ms=900), answered_at="2026-03-02T09:00:10").talk_over_ms == 900


def test_another_country_rings_at_another_pace() -> None:
    assert call(answered_at="2026-03-02T09:00:10").ring_count == 3
    assert call(cadence="kr", answered_at="2026-03-02T09:00:10").ring_count == 4


def test_a_clock_that_ran_backwards_is_doubted_and_not_counted() -> None:
    facts = call(answered_at="2026-03-02T08:59:59")

    assert facts.ring_seconds == facts.ring_count == Unknown(Cause.CLOCK)


def test_without_any_signalling_nothing_is_known_of_rings_or_direction() -> None:
    facts = call_facts("k", CallRecord(), Heard(channels="split", text="recognised", duration_ms=4000)).call

    assert facts is not None
    assert facts.direction == facts.ring_count == Unknown(Cause.MISSING)
    assert (facts.end, facts.talk_ms, facts.hung_up_by) == ("answered", 4000, "unknown")


@pytest.mark.parametrize(("by", "end"), [("customer", "abandoned"), ("agent", "no_answer"), ("system", "no_answer")])
def test_an_unanswered_call_ends_by_who_hung_up(by: str, end: str) -> None:
    assert call(ended_at="2026-03-02T09:00:07", hung_up_by=by).end == end


def test_a_hold_that_was_never_taken_back_lasts_to_the_end() -> None:
    facts = call(
        answered_at="2026-03-02T09:00:05",
        ended_at="2026-03-02T09:01:05",
        holds=[{"at": "2026-03-02T09:00:10", "until": "2026-03-02T09:00:20"}, {"at": "2026-03-02T09:01:00"}],
    )

    assert (facts.talk_ms, facts.hold_ms) == (60_000, 15_000)


def test_times_without_an_offset_are_the_site_s() -> None:
    assert call_facts("k", record()).at == "2026-03-02T09:00:00+08:00"
    assert call_facts("k", record(offered_at="2026-03-02T09:00:00+00:00")).at == "2026-03-02T09:00:00+00:00"


def away(ms: int | None = 40_000, **other: Any) -> Away:
    moment = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    told = {"seat": "S1", "agent": "A", "at": moment, "until": moment, "away_ms": ms, "ready_ms": ms,
            "status": "ready", "source": "presence"}  # fmt: skip
    return Away(**{**told, **other})


def test_a_leave_register_that_is_not_connected_excuses_and_accuses_nobody() -> None:
    free, bound = SiteView(), SiteView(leave_connected=True)

    assert away_facts(away(), False, free).away.approved == Unknown(Cause.REGISTER)  # type: ignore[union-attr]
    assert away_facts(away(), False, bound).away.approved is False  # type: ignore[union-attr]


def test_an_absence_that_still_lasts_has_no_length() -> None:
    facts = away_facts(away(None, until=None), None).away

    assert facts is not None
    assert facts.away_ms == facts.ready_ms == facts.until == Unknown(Cause.MISSING)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("rings", "3", "rings"),
        ("direction", "inbound", "direction"),
        ("offered_at", "yesterday", "offered_at"),
        ("offered_at", 1_700_000_000, "date and time"),
        ("colour", "red", "no such field"),
        ("known_customer", "no", "known_customer"),
        ("turns", [{"role": "agent", "text": "x", "confidence": 0.5}], "quoted string"),
        ("gaps", [{"role": "agent", "start_ms": 1.5, "end_ms": 3}], "gaps.0.start_ms"),
        ("roles", ["customer", "agent", "agent"], "roles"),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, value: Any, says: str) -> None:
    with pytest.raises(RecordError) as told:
        record(**{field: value})

    assert says in str(told.value)
    assert str(told.value).startswith("test: ")


def test_all_faults_of_a_record_are_told_at_once() -> None:
    with pytest.raises(RecordError) as told:
        record(rings=-1, direction="up", colour="red")

    assert len(told.value.faults) == 3


@given(
    st.integers(-5, 40), st.integers(-5, 600), st.one_of(st.none(), st.integers(0, 9)),
    st.sampled_from(["customer", "agent", "system", "unknown"]),
)  # fmt: skip
def test_any_times_give_facts_that_survive_their_journey(answer: int, end: int, rings: int | None, by: str) -> None:
    """Durations are never negative, and the stored bytes give the same facts."""

    def at(second: int) -> str:
        return datetime.fromtimestamp(1_772_413_200 + second, UTC).isoformat()

    told = record(offered_at=at(0), answered_at=at(answer), ended_at=at(end), rings=rings, hung_up_by=by)
    facts = call_facts("k", told)
    assert load(dump(facts)) == facts
    assert facts.call is not None
    for value in (facts.call.ring_seconds, facts.call.talk_ms, facts.call.answer_seconds):
        assert isinstance(value, Unknown) or value >= 0


def test_an_absence_that_the_seat_s_own_phone_contradicts_has_no_length() -> None:
    facts = away_facts(away(contradicted=True), False, SiteView(leave_connected=True)).away

    assert facts is not None
    assert facts.away_ms == facts.ready_ms == Unknown(Cause.CLOCK)
