"""Events are read strictly, with the field and the reason, and written back as they came."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.body import MOST_EVENTS, split_body
from ingest.errors import BodyError
from ingest.events import EVENT_BYTES, KINDS, Event, Leg, Presence, Refusal, canonical, parse_event, posted, to_json
from tests.ingest.values import events_of, raw

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
UUID = "0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11"


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_comes_back_from_what_is_stored(kind: str) -> None:
    first = parse_event(raw(kind))

    assert isinstance(first, KINDS[kind])
    assert parse_event(json.loads(canonical(first))) == first


@given(events_of(tuple(KINDS), most=3))
def test_writing_and_reading_again_changes_nothing(events: list[Event]) -> None:
    assert [parse_event(to_json(event)) for event in events] == events


@given(JSON)
def test_any_json_is_taken_or_refused_with_a_field_and_a_reason(value: object) -> None:
    found = parse_event(value)

    assert isinstance(found, Refusal)
    assert found.field and found.reason


@given(st.sampled_from(tuple(KINDS)), st.sampled_from(("at", "call", "leg", "by", "audio", "status", "id", "x")), JSON)
def test_any_value_in_any_field_is_taken_or_refused(kind: str, field: str, value: object) -> None:
    found = parse_event(raw(kind) | {field: value})

    if isinstance(found, Event):
        assert len(canonical(found)) <= EVENT_BYTES
    else:
        assert found.reason


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"type": "bridged"}, "type", "must be one of offered, ringing"),
        ({"type": None}, "type", "is missing"),
        ({"at": "2026-03-01T09:00:00"}, "at", "offset"),
        ({"at": "2026-02-30T09:00:00Z"}, "at", "no date of the calendar"),
        ({"at": "1969-01-01T00:00:00Z"}, "at", "set the sender's clock"),
        ({"at": 1772355600}, "at", "must be a string, not a number"),
        ({"id": ""}, "id", "is empty"),
        ({"id": "x" * 129}, "id", "129 characters; at most 128"),
        ({"source": "a\r\nb"}, "source", "control character"),
        ({"call": None}, "call", "every ended event names its call"),
        ({"call": "c1~2"}, "call", "as parts of calls are named"),
        ({"by": "boss"}, "by", "must be one of customer, agent"),
        ({"rings": True}, "rings", "whole number from 0 to 1000"),
        ({"rings": 3.0}, "rings", "whole number"),
        ({"extra": "\ud800"}, "extra", "half of a surrogate pair"),
        ({"extra": "a\0b"}, "extra", "NUL"),
        ({"extra": 1 << 70}, "extra", "64 bits"),
        ({"extra": 1e300}, "extra", "64 bits"),  # a store writes it out in 301 digits, and that is no fraction any more
        ({"extra": [float("inf")]}, "extra", "64 bits"),
        ({"extra": {"x": float("nan")}}, "extra", "64 bits"),
        ({"extra": [[[[[[[[[1]]]]]]]]]}, "extra", "nested deeper than 8"),
        ({"extra": list(range(300))}, "extra", "more than 256 values"),
        ({"extra": "x" * EVENT_BYTES}, "event", "larger than"),
    ],
)
def test_a_refusal_names_the_field_and_says_why(change: dict[str, Any], field: str, says: str) -> None:
    found = parse_event(raw("ended") | change)

    assert isinstance(found, Refusal)
    assert found.field == field
    assert says in found.reason


@pytest.mark.parametrize(
    ("audio", "field"),
    [({"audiosocket": "nonsense"}, "audio.audiosocket"), ({"rtp": "x"}, "audio"), ("x", "audio"), ([], "audio")],
)
def test_audio_of_a_leg_is_a_uuid_or_a_token(audio: object, field: str) -> None:
    found = parse_event(raw("leg", audio=audio))

    assert isinstance(found, Refusal)
    assert found.field == field


@pytest.mark.parametrize(
    ("kind", "change", "field", "says"),
    [
        ("leg", {"audio": {}}, "audio", "exactly one of"),
        ("leg", {"audio": {"audiosocket": None}}, "audio", "exactly one of"),
        ("leg", {"audio": {"audiosocket": UUID, "stream": "token"}}, "audio", "exactly one of"),
        ("seat", {"seq": "x"}, "seq", "a whole number from 0"),
        ("seat", {"seq": -1}, "seq", "a whole number from 0"),
        ("seat", {"seq": 1.5}, "seq", "a whole number from 0"),
        ("seat", {"seq": True}, "seq", "a whole number from 0"),
        ("seat", {"seat": "10\u202e01"}, "seat", "the control character U+202E"),
        ("ended", {"call": "c\u20661"}, "call", "the control character U+2066"),
        ("ended", {"agent": "A\u200f1"}, "agent", "the control character U+200F"),
        ("ended", {"source": "a\x85b"}, "source", "the control character U+0085"),
        ("redirected", {"to": "s\u2028"}, "to", "the control character U+2028"),
    ],
)
def test_what_makes_no_sense_is_refused_at_the_door(kind: str, change: dict[str, Any], field: str, says: str) -> None:
    """And read all the same where it is stored, or came from a switchboard."""
    found = posted(raw(kind) | change)

    assert isinstance(found, Refusal)
    assert found.field == field and says in found.reason
    assert isinstance(parse_event(raw(kind) | change), Event)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("leg", {}),
        ("leg", {"audio": {"audiosocket": UUID}}),
        ("leg", {"audio": {"stream": "token", "audiosocket": None}}),
        ("seat", {"seq": 0, "seat": "坐席 １２ é 상담\u200d"}),
        ("seat", {"seq": (1 << 63) - 1, "note": "\u200fa remark"}),
        ("seat", {"audio": {}, "seq": None}),
    ],
)
def test_what_makes_sense_goes_through_the_door_as_it_is(kind: str, change: dict[str, Any]) -> None:
    value = raw(kind) | change
    assert posted(value) is value and isinstance(parse_event(value), Event)


@given(JSON | st.dictionaries(st.sampled_from(("type", "seq", "audio", "seat")), JSON))
def test_any_json_comes_to_the_door(value: object) -> None:
    found = posted(value)
    assert found is value or isinstance(found, Refusal)


def test_a_uuid_is_kept_in_small_letters() -> None:
    found = parse_event(raw("leg", audio={"audiosocket": UUID.upper()}))

    assert isinstance(found, Leg)
    assert found.audiosocket == UUID


def test_presence_may_be_said_as_true_or_false() -> None:
    found = parse_event(raw("presence", present=False, by="person"))

    assert isinstance(found, Presence)
    assert (found.present, found.by) == ("no", "person")


def test_unknown_keys_are_kept() -> None:
    found = parse_event(raw("held", vendor={"trunk": [1, 2]}))

    assert isinstance(found, Event)
    assert found.extra == {"vendor": {"trunk": [1, 2]}}
    assert to_json(found)["vendor"] == {"trunk": [1, 2]}


def test_json_and_json_lines_say_the_same() -> None:
    events = [raw("offered"), raw("ringing", 1), raw("ended", 9)]
    lines = "\n".join(map(json.dumps, events))

    assert split_body(json.dumps(events).encode()) == split_body(lines.encode()) == events
    assert split_body(("\ufeff" + lines + "\r\n\n").encode()) == events
    assert split_body(json.dumps(events[0], indent=1).encode()) == events[:1]


def test_a_line_that_is_no_json_does_not_spoil_the_others() -> None:
    found = split_body(b'{"a": 1}\n{broken\n{"b": 2}\n')

    assert found[0] == {"a": 1} and found[2] == {"b": 2}
    assert isinstance(found[1], Refusal)


@pytest.mark.parametrize(
    "line", ['{"a": NaN}', '{"a": 1, "a": 2}', "[" * 30000, '{"a":' * 30000, "1" * 5000, '"\\ud800', "}"]
)
def test_json_that_only_python_would_take_is_refused(line: str) -> None:
    body = (line + "\n{}").encode()

    if line.startswith("["):
        with pytest.raises(BodyError, match="no JSON list"):
            split_body(body)
    else:
        assert isinstance(split_body(body)[0], Refusal)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"\xff\xfe{", "no UTF-8"),
        (b"[1, 2", "no JSON list"),
        (json.dumps([1] * (MOST_EVENTS + 1)).encode(), "at most 1000 in one request"),
        (b"{}\n" * (MOST_EVENTS + 1), "at most 1000"),
        (b" " * (4 * 1024 * 1024 + 1), "at most 4194304"),
    ],
)
def test_a_body_that_cannot_be_taken_says_what_to_send(body: bytes, says: str) -> None:
    with pytest.raises(BodyError, match=says):
        split_body(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused_with_the_documented_error(body: bytes) -> None:
    try:
        values = split_body(body)
    except BodyError as error:
        assert str(error).startswith("body: ")
    else:
        assert values


@pytest.mark.parametrize("fraction", [0.5, -1e-300, 5.0, 1e15])
def test_a_fraction_that_a_store_gives_back_exactly_is_the_same_event(fraction: float) -> None:
    """A store keeps fractions as decimals: an event that was taken is read again, whatever it says beside the known."""
    first = parse_event({**raw("answered"), "extra": {"x": [fraction]}})
    assert isinstance(first, Event)
    again = parse_event(json.loads(canonical(first), parse_float=Decimal))
    assert isinstance(again, Event)
    assert canonical(again) == canonical(first)
