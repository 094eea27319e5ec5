"""Admission: sound records of every kind, refusals by field and reason, round trips, the shorthand of scenarios."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.records.admit import Defaults, expand, implied, parse, plain, restored
from scoring.records.kinds import FIELDS, MODELS
from scoring.records.period import Period
from scoring.records.record import Record
from tests.scoring.records.build import SOUND, ZONE, fields, raw, record, refused


def moment(*parts: int) -> datetime:
    """A moment as records hold it: without a zone, local to the site."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


@pytest.mark.parametrize("kind", MODELS)
def test_a_sound_record_of_every_kind_is_taken_and_written_back_the_same(kind: str) -> None:
    taken = record(kind)
    written = plain(taken)

    assert (taken.kind, taken.id) == (kind, "r1")
    assert parse(json.loads(json.dumps(written)), ZONE) == restored(json.loads(json.dumps(written))) == taken
    assert set(written) == set(raw(kind))


@pytest.mark.parametrize("kind", MODELS)
def test_what_a_kind_needs_is_asked_for_all_at_once(kind: str) -> None:
    found = parse({"kind": kind}, ZONE)
    need = {"id", "source", *MODELS[kind].NEED, MODELS[kind].WHEN[0]}

    assert set(fields(found)) == need


def test_values_come_typed() -> None:
    call = record("call")
    assert call.start == moment(2026, 3, 2, 9, 0, 14, 990_000)
    assert call.local_day == date(2026, 3, 2)
    assert call.get("rings") == Decimal(2) and isinstance(call.get("rings"), Decimal)
    assert call.get("turns")[0]["confidence"] == Decimal("0.95")
    assert call.get("queue") is None
    assert record("attendance").get("late") == Decimal(300_000)
    assert record("attendance").local_day == date(2026, 3, 2)
    assert record("report").period == Period("2026-03")
    assert record("report").local_day is record("report").start is None
    assert record("rating").get("items") == {"help": Decimal(4), "voice": "good"}
    assert record("case").get("class") == "quality"
    assert record("observation", rule="A80-L02").get("rule") == ("A80-L02",)


def test_what_was_not_said_of_a_call_is_not_given() -> None:
    assert set(record("call", turns=None, holds=None, rings=None).fields) == {
        "kind", "id", "agent", "direction", "offered_at", "source",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "local"),
    [
        ("2026-03-02T09:00", moment(2026, 3, 2, 9)),
        ("2026-03-02 09:00:14.990", moment(2026, 3, 2, 9, 0, 14, 990_000)),
        ("2026-03-02T09:00:00,5", moment(2026, 3, 2, 9, 0, 0, 500_000)),
        ("2026-03-02T01:00:00Z", moment(2026, 3, 2, 9)),
        ("2026-03-02T10:00:00+09:00", moment(2026, 3, 2, 9)),
        ("2026-03-01T20:00:00-0500", moment(2026, 3, 2, 9)),
        (moment(2026, 3, 2, 9), moment(2026, 3, 2, 9)),
        (moment(2026, 3, 2, 1).replace(tzinfo=UTC), moment(2026, 3, 2, 9)),
    ],
)
def test_moments_become_local_to_the_site(written: Any, local: datetime) -> None:
    assert record("order", at=written).start == local


@pytest.mark.parametrize(
    ("written", "ms"), [("0:05:00", 300_000), ("5:01", 301_000), ("1:00:00.5", 3_600_500), ("480:00", 28_800_000)]
)
def test_durations_become_milliseconds(written: str, ms: int) -> None:
    assert record("attendance", late=written).get("late") == ms


@pytest.mark.parametrize(("written", "number"), [("-0.5", "-0.5"), ("+2", "2"), (7, "7"), (".5", "0.5"), ("10", "10")])
def test_numbers_are_exact(written: Any, number: str) -> None:
    assert record("observation", points=written).get("points") == Decimal(number)


@pytest.mark.parametrize(
    ("kind", "changed", "field", "says"),
    [
        # types
        ("order", {"amount": 129.9}, "amount", 'write the number as a quoted string: "129.9"'),
        ("order", {"amount": "1,000"}, "amount", "is no number"),
        ("order", {"amount": "1e3"}, "amount", "is no number"),
        ("order", {"amount": "NaN"}, "amount", "is no number"),
        ("order", {"amount": True}, "amount", "is no number"),
        ("order", {"at": "2026-03-02"}, "at", "write a date and time"),
        ("order", {"at": date(2026, 3, 2)}, "at", "write a date and time"),
        ("order", {"at": 1_772_413_200}, "at", "write a date and time"),
        ("order", {"at": "1772413200"}, "at", "write a date and time"),
        ("order", {"at": "2026-02-30T09:00"}, "at", "no moment of the calendar"),
        ("order", {"at": "2026-03-02T24:00"}, "at", "no moment of the calendar"),
        ("order", {"at": "2026-03-02T09:00:00+99:00"}, "at", "no moment of the calendar"),
        ("order", {"at": None}, "at", "an order says when by at"),
        ("order", {"sampled": "yes"}, "sampled", "neither true nor false"),
        ("order", {"sampled": 1}, "sampled", "neither true nor false"),
        ("exam", {"day": "2026-3-2"}, "day", "write a day like 2026-03-01"),
        ("exam", {"day": "2026-02-29"}, "day", "no day of the calendar"),
        ("exam", {"day": "2026-03-02T09:00"}, "day", "write a day"),
        ("exam", {"day": moment(2026, 3, 2, 9)}, "day", "write a day"),
        ("exam", {"day": 20260302}, "day", "write a day"),
        ("attendance", {"late": "5 min"}, "late", "write a duration"),
        ("attendance", {"late": "0:5:0"}, "late", "write a duration"),
        ("attendance", {"late": "0:75"}, "late", "write a duration"),
        ("attendance", {"late": 300}, "late", "write a duration"),
        ("report", {"period": 2026}, "period", "always quoted"),
        ("report", {"period": "March"}, "period", "is no period"),
        ("report", {"period": "2025-W53"}, "period", "is no period"),
        ("report", {"chars": "200"}, "chars", "no whole number"),
        ("report", {"chars": 200.0}, "chars", "no whole number"),
        ("report", {"chars": -1}, "chars", "greater than or equal to 0"),
        ("observation", {"n": 0}, "n", "greater than or equal to 1"),
        ("call", {"rings": True}, "rings", "no whole number"),
        ("call", {"direction": "inbound"}, "direction", "write one of 'in', 'out' or 'internal'"),
        ("call", {"turns": [{"role": "agent", "text": "x", "confidence": 0.5}]}, "turns.0.confidence", "quoted string"),
        ("call", {"turns": [{"role": "boss", "text": "x"}]}, "turns.0.role", "is not known here"),
        ("call", {"turns": [{"text": "x"}]}, "turns.0.role", "is missing here"),
        ("call", {"turns": [{"role": "agent", "text": "x", "mood": 1}]}, "turns.0.mood", "there is no such field"),
        ("call", {"turns": "none"}, "turns", "is no list"),
        ("call", {"roles": ["agent", "customer", "agent"]}, "roles", "at most 2"),
        ("work_order", {"corrections": [{"at": "soon", "cause": "customer"}]}, "corrections.0.at", "date and time"),
        ("rating", {"items": {"help": "fine"}}, "items.help", "one of the words very_satisfied"),
        ("rating", {"items": {"help": 4.5}}, "items.help", "quoted string"),
        ("exam", {"agent": 17}, "agent", 'write it in quotes: "17"'),
        ("exam", {"agent": "Lin\nWu"}, "agent", "one line"),
        ("exam", {"agent": "  "}, "agent", "is empty"),
        ("exam", {"agent": "Lin "}, "agent", "begins or ends with a blank"),
        ("exam", {"agent": "x" * 257}, "agent", "longer than 256"),
        ("event", {"present": ["Lin", ""]}, "present.1", "is empty"),
        ("rating", {"items": {"": "4"}}, "items.", "is empty"),
        ("observation", {"reason": "half \ud800"}, "reason", "lone surrogate"),
        ("observation", {"reason": "a NUL \0"}, "reason", "NUL"),
        # the envelope
        ("exam", {"colour": "red"}, "colour", "an exam has no such field"),
        ("exam", {"id": None}, "id", "an id of its own"),
        ("exam", {"id": ""}, "id", "is empty"),
        ("exam", {"source": None}, "source", "write one of exam, person"),
        ("exam", {"source": "crm"}, "source", "does not come from 'crm'"),
        ("exam", {"source": "gossip"}, "source", "is not known here"),
        ("observation", {"source": "telephony"}, "source", "write one of person"),
        ("exam", {"source": "person"}, "entered_by", "who entered it"),
        ("observation", {"entered_by": None}, "entered_by", "who entered it"),
        ("exam", {"supersedes": "r0"}, "reason", "why the old record is replaced"),
        ("exam", {"void": True}, "void", "give supersedes"),
        ("exam", {"team": "north"}, "team", "instead of agent"),
        # when
        ("exam", {"at": "2026-03-02T09:00"}, "at", "an exam says when by day; move it there"),
        ("report", {"at": "2026-03-02T09:00"}, "period", "at stands there already"),
        ("observation", {"at": "2026-03-02T09:00"}, "day", "at stands there already"),
        ("call", {"day": "2026-03-02"}, "day", "says when by offered_at"),
        ("call", {"offered_at": None}, "offered_at", "cannot do without"),
        ("shift", {"until": None}, "until", "with at it says when it ends"),
        ("leave", {"until": "2026-03-02T10:00"}, "until", "the whole day"),
        ("shift", {"until": "2026-03-02T08:59"}, "until", "lies before at"),
        ("attendance", {"clock_in": "2026-03-02T09:00", "clock_out": "2026-03-02T08:00"}, "clock_out", "before"),
        # what a kind says
        ("observation", {"reason": None}, "reason", "cannot do without"),
        ("observation", {"rule": []}, "rule", "at least 1"),
        ("observation", {"rule": None}, "rule", "cannot do without"),
        ("figure", {"name": "happiness"}, "name", "is no figure"),
        ("figure", {"of": None}, "of", "is a share"),
        ("figure", {"of": "-1"}, "of", "not negative"),
        ("case", {"case_type": "gossip"}, "case_type", "is no process"),
        ("case", {"stage": "trial_ok"}, "stage", "no stage of a complaint"),
        ("case", {"case_type": None, "stage": "nowhere"}, "stage", "no stage of any process"),
        ("audit", {"authorised": None}, "authorised", "cannot do without"),
    ],
)
def test_a_wrong_field_is_refused_by_name_with_what_to_do(
    kind: str, changed: dict[str, Any], field: str, says: str
) -> None:
    told = refused(kind, **changed)

    assert says in told[field], told
    assert list(told) == [field]


@pytest.mark.parametrize("bad", [None, [], "call", 7, {7: "x"}, {}, {"kind": "gossip"}, {"kind": ["call"]}])
def test_what_is_no_record_is_refused(bad: Any) -> None:
    assert fields(parse(bad, ZONE)) in (["record"], ["kind"])


def test_open_lists_take_a_site_s_own_words_and_closed_ones_do_not() -> None:
    assert record("person", role="night_lead").get("role") == "night_lead"
    assert record("case", cause="A80-V02").get("cause") == "A80-V02"
    assert "is not known here" in refused("leave", leave="sabbatical")["leave"]


def test_a_withdrawal_needs_no_content() -> None:
    gone = parse(
        {"kind": "exam", "id": "v1", "supersedes": "r1", "void": True, "reason": "typing error", "source": "exam"}, ZONE
    )

    assert isinstance(gone, Record)


def test_a_person_may_enter_any_kind() -> None:
    assert all(record(kind, source="person", entered_by="Zhao").get("source") == "person" for kind in MODELS)


def test_a_person_belongs_to_a_team_as_well() -> None:
    assert record("person", team="north").get("team") == "north"


# --- the shorthand of scenarios


def test_lists_stand_for_one_record_for_each_combination() -> None:
    found = expand({"kind": "exam", "agent": ["Lin", "Wu"], "day": ["2026-03-01", "2026-03-02"]}, "g7")

    assert [(one["id"], one["agent"], one["day"]) for one in found] == [
        ("g7-1", "Lin", "2026-03-01"),
        ("g7-2", "Lin", "2026-03-02"),
        ("g7-3", "Wu", "2026-03-01"),
        ("g7-4", "Wu", "2026-03-02"),
    ]
    assert [one["id"] for one in expand({"id": "w1", "at": ["2026-03-01T09:00"]}, "g7")] == ["w1-1"]
    assert expand({"kind": "exam"}, "g7") == [{"kind": "exam", "id": "g7"}]
    assert expand({"kind": "exam", "id": "w1"}, "g7") == [{"kind": "exam", "id": "w1"}]
    assert [one["rule"] for one in expand({"rule": ["A", "B"], "agent": ["Lin", "Wu"]})] == [["A", "B"]] * 2


@pytest.mark.parametrize(
    ("left", "filled"),
    [
        ({"kind": "exam", "agent": "Lin", "day": "2026-03-02", "exam": "typing"}, {"id": "g7", "source": "exam"}),
        ({"kind": "exam", "agent": "Lin", "day": "2026-03-02", "exam": "typing", "entered_by": "Zhao"},
         {"source": "person", "entered_by": "Zhao"}),
        ({"kind": "observation", "agent": "Lin", "day": "2026-03-02", "rule": "X", "reason": "seen"},
         {"source": "person", "entered_by": "assessor"}),
        ({"kind": "seat_status", "agent": "Lin", "at": "2026-03-02T09:00", "present": False}, {"source": "presence"}),
        ({"kind": "seat_status", "agent": "Lin", "at": "2026-03-02T09:00", "status": "ready"}, {"source": "telephony"}),
        ({"kind": "seat_status", "agent": "Lin", "at": "2026-03-02T09:00", "present": False, "entered_by": "Zhao"},
         {"source": "person"}),
        ({"kind": "person", "agent": "Lin"}, {"role": "agent", "hired": date(2020, 1, 1), "day": date(2020, 1, 1)}),
        ({"kind": "person", "agent": "Lin", "hired": date(2026, 2, 10)}, {"day": date(2026, 2, 10)}),
        ({"kind": "person", "agent": "Lin", "hired": date(2026, 2, 10), "day": date(2026, 3, 1)},
         {"day": date(2026, 3, 1)}),
    ],
)  # fmt: skip
def test_a_scenario_may_leave_out_what_the_place_says(left: dict[str, Any], filled: dict[str, Any]) -> None:
    taken = parse(left, ZONE, defaults=Defaults("g7"))

    assert isinstance(taken, Record), taken
    assert {name: taken.get(name) for name in filled} == filled


def test_a_scenario_may_not_leave_out_a_reason() -> None:
    assert fields(parse({"kind": "observation", "day": "2026-03-02", "rule": "X"}, ZONE, defaults=Defaults("g1"))) == [
        "reason"
    ]


def test_a_name_that_stands_only_in_records_is_a_person() -> None:
    found = implied(
        [record("exam", agent="Wu"), record("exam", agent="Lin"), record("person", "p1", agent="Lin")], ZONE
    )

    assert [(one.get("agent"), one.get("role"), one.get("hired")) for one in found] == [
        ("Wu", "agent", date(2020, 1, 1))
    ]


# --- properties

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(MODELS)), st.data())
def test_any_field_with_any_value_is_taken_or_refused_by_its_name(kind: str, data: st.DataObject) -> None:
    """Nothing but a record or letters comes back, and what is taken survives its journey."""
    name = data.draw(st.sampled_from(sorted(FIELDS[kind])))
    if name == "kind":
        return
    found = parse(raw(kind, **{name: data.draw(JUNK)}), ZONE)

    if isinstance(found, Record):
        written = json.loads(json.dumps(plain(found)))
        assert parse(written, ZONE) == restored(written) == found
    else:
        assert found and all(one.field and one.reason for one in found)


@given(
    st.datetimes(moment(2000, 1, 1), moment(2100, 1, 1)), st.decimals(-10**9, 10**9, places=3),
    st.integers(0, 10**8), WORDS,
)  # fmt: skip
def test_written_and_read_again_is_the_same(at: datetime, number: Decimal, ms: int, word: str) -> None:
    order = record("order", word, at=at.isoformat(), amount=f"{number:f}")
    late = record("attendance", late=f"{ms // 3_600_000}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}")

    assert (order.start, order.get("amount"), order.id) == (at, number, word)
    assert late.get("late") == ms
    for one in (order, late):
        assert parse(json.loads(json.dumps(plain(one))), ZONE) == one


@given(st.datetimes(moment(2000, 1, 1), moment(2100, 1, 1)), st.integers(-12 * 60, 14 * 60))
def test_the_same_instant_is_the_same_local_moment_whatever_its_offset(at: datetime, minutes: int) -> None:
    instant = at.replace(tzinfo=UTC)
    shifted = (instant + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"

    assert record("order", at=f"{shifted}{offset}").start == record("order", at=instant).start


def test_every_kind_has_a_sound_example_here() -> None:
    assert set(SOUND) == set(MODELS)
