"""Asterisk's queue_log: units, whole seconds, refused lines, and the calls that it tells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ami_names import AmiConfig, Names
from ingest.events import Event, Refusal, parse_event
from ingest.queue_log import MOST_OPEN, PARAMETERS, LogLine, QueueLog, fill, read_calls, read_line
from ingest.seats import fold_seat
from ingest.session import Call, fold_call

RECORDED = (Path(__file__).parent / "recordings" / "queue_log").read_text().splitlines()
CONFIG = AmiConfig("lab", "", "", "", seats={"Seat 1001": "1001", "Seat 1002": "1002"})
AT = 1_795_309_450


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(AT + seconds, UTC)


def line(text: str) -> LogLine:
    found = read_line(text)
    assert isinstance(found, LogLine), found
    return found


def tell(lines: list[str], config: AmiConfig = CONFIG) -> list[Event]:
    log, events = QueueLog(config), []
    for text in lines:
        for raw in log.feed(line(text)) if isinstance(read_line(text), LogLine) else ():
            event = parse_event(raw)
            assert isinstance(event, Event), event
            events.append(event)
    return events


def fold(lines: list[str]) -> Call:
    return fold_call(one for one in tell(lines) if one.call)


def test_the_recording() -> None:
    found = [(one.outcome, one.wait_s, one.ring_s, one.agent) for one in read_calls(RECORDED, CONFIG)]

    assert found == [
        ("answered", 4, 4, "Seat 1001"), ("abandoned", 16, None, None), ("abandoned", 5, None, None),
        ("answered", 3, 3, "Seat 1002"), ("answered", 3, 3, "Seat 1001"), ("answered", 3, 2, "Seat 1001"),
    ]  # fmt: skip


def test_seconds_and_milliseconds() -> None:
    assert line("1795309475|1.1|q|A|RINGNOANSWER|12000").number("ring_ms") == 12000
    assert line("1795309475|1.1|q|A|CONNECT|7|1.2|6").number("ring_s") == 6


def test_an_answer_has_its_ring_in_whole_seconds_and_says_so() -> None:
    call = fold(RECORDED[:3])

    assert (call.ringing_at, call.answered_at, call.ended_at) == (at(0), at(4), at(8))
    assert (call.end, call.hung_up_by, call.seat, call.agent) == ("answered", "customer", "1001", "Seat 1001")
    assert {one.extra["resolution_s"] for one in tell(RECORDED)} == {1}
    assert {one.extra["origin"] for one in tell(RECORDED)} == {"queue_log"}
    assert {one.source for one in tell(RECORDED)} == {"lab-log"}


def test_an_offer_without_an_answer_blames_nobody() -> None:
    """The log says the same of a phone that was never there."""
    call = fold(RECORDED[3:7])

    assert [(offer.seat, offer.ringing_at) for offer in call.offers] == [(None, None)]
    assert (call.end, call.hung_up_by) == ("abandoned", "customer")


def test_what_one_second_holds_is_told_in_its_order() -> None:
    lines = [
        f"{AT}|1.1|q|NONE|ENTERQUEUE||5|1", f"{AT}|1.1|q|Seat 1001|RINGNOANSWER|0",
        f"{AT}|1.1|q|Seat 1002|CONNECT|0|1.2|0",
        f"{AT}|1.1|q|Seat 1002|COMPLETEAGENT|0|0|1",
    ]  # fmt: skip
    call = fold(lines)

    assert (call.end, call.seat, call.hung_up_by, call.out_of_turn) == ("answered", "1002", "agent", ())


ENDS = {
    "ABANDON|1|1|16": ("abandoned", "abandoned", 16),
    "EXITWITHTIMEOUT|1|1|60": ("timeout", "no_answer", 60),
    "EXITEMPTY|1|1|3": ("empty", "no_answer", 3),
    "EXITWITHKEY|2|1|1|9": ("key", "redirected", 9),
}


@pytest.mark.parametrize("end", ENDS)
def test_callers_who_leave_the_queue(end: str) -> None:
    lines = [f"{AT}|1.1|q|NONE|ENTERQUEUE||13912345678|1", f"{AT + 60}|1.1|q|NONE|{end}"]
    outcome, folded, wait = ENDS[end]
    [one], call = read_calls(lines, CONFIG), fold(lines)

    assert (one.outcome, one.wait_s, one.call, one.queue) == (outcome, wait, "lab-1.1", "q")
    assert (one.entered_at, one.connected_at, one.ended_at) == (at(0), None, at(60))
    assert (call.end, call.number) == (folded, "*******5678")


def test_a_call_in_two_queues_has_two_visits() -> None:
    lines = [
        f"{AT}|1.1|a|NONE|ENTERQUEUE||5|1",
        f"{AT + 9}|1.1|b|NONE|ENTERQUEUE||5|1",
        f"{AT + 12}|1.1|b|NONE|ABANDON|1|1|3",
    ]

    assert [(one.queue, one.outcome) for one in read_calls(lines, CONFIG)] == [("a", "queued"), ("b", "abandoned")]


def test_open_calls_stand_last_and_are_bounded() -> None:
    open_ones = [f"{AT}|{n}.1|q|NONE|ENTERQUEUE||5|1" for n in range(MOST_OPEN + 3)]
    found = read_calls(open_ones, CONFIG)

    assert len(found) == MOST_OPEN + 3
    assert {one.outcome for one in found} == {"open"}


def test_a_pause_is_told_once_and_never_overrules_what_was_seen() -> None:
    states = [one for one in tell(RECORDED) if one.type == "seat"]
    seen = parse_event(
        {"source": "lab", "id": "x", "at": at(30).isoformat(), "type": "seat", "seat": "1001", "status": "ready"}
    )
    assert isinstance(seen, Event)

    assert [one.extra.get("origin") for one in states] == ["queue_log"] * 2
    assert [one.state for one in fold_seat(states).intervals] == ["busy", "ready"]
    assert [one.state for one in fold_seat([seen, *states]).intervals] == ["ready"]


def test_a_hole_is_filled_with_whole_calls_and_nothing_else() -> None:
    told = fill(RECORDED, CONFIG, Names(CONFIG), at(14), at(30))

    assert {one["call"] for one in told} == {"lab-1795309463.2"}
    assert [one["type"] for one in told] == ["offered", "ended"]
    assert fill(RECORDED, CONFIG, Names(CONFIG), at(1000), at(2000)) == []
    assert [one["status"] for one in fill(RECORDED, CONFIG, Names(CONFIG), at(55), at(59))] == ["busy"]


def test_members_are_found_by_what_the_live_lists_say() -> None:
    names = Names(AmiConfig("lab", "", "", ""))
    names.member("PJSIP/1001", None, "Seat 1001")
    told = fill(RECORDED[:3], AmiConfig("lab", "", "", ""), names, at(0), at(10))

    assert {one.get("seat") for one in told if one["type"] == "answered"} == {"1001"}


def test_a_member_without_a_name_is_its_device_and_nobody() -> None:
    [*_, answered] = tell([f"{AT}|1.1|q|NONE|ENTERQUEUE||5|1", f"{AT + 2}|1.1|q|PJSIP/1001|CONNECT|2|1.2|2"])

    assert (answered.seat, answered.agent) == ("1001", None)


def test_a_second_reading_says_the_same() -> None:
    assert [one.id for one in tell(RECORDED)] == [one.id for one in tell(RECORDED)]
    assert len({one.id for one in tell(RECORDED)}) == len(tell(RECORDED))


REFUSED = {
    "yesterday|1.1|q|A|CONNECT|1|1.2|1": "time",
    "1795309450|1.1|q|A": "line",
    "1795309450|1.1|q\x1b[31m|A|CONNECT|1|1.2|1": "line",
    "1795309450|1.1|q|A<b>|CONNECT|1|1.2|1": "agent",
    "1795309450|NONE|q|A|CONNECT|1|1.2|1": "call",
    "1795309450|1.1|NONE|A|CONNECT|1|1.2|1": "queue",
    "1795309450|1.1|q|A|CONNECT|1|1.2|soon": "ring_s",
    "1795309450|1.1|q|A|RINGNOANSWER|12.5": "ring_ms",
    "2026-13-01 00:00:00|1.1|q|A|CONNECT|1|1.2|1": "time",
    "2026-11-01 00:00:00|1.1|q|A|CONNECT|1|1.2|1": "time",
    "x" * 5000: "line",
    "1795309450" + "|x" * 40: "line",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_refused_line_names_its_field(text: str) -> None:
    found = read_line(text)

    assert isinstance(found, Refusal) and found.field == REFUSED[text] and found.reason


@pytest.mark.parametrize(
    "text", ["", "\n", "1795309450|NONE|NONE|NONE|QUEUESTART|", "1795309450|1.1|q|A|INFO|x", "1795309450|1.1|q|A|DID|5"]
)
def test_lines_of_no_concern_are_no_fault(text: str) -> None:
    assert read_line(text) is None


def test_both_forms_of_time() -> None:
    one, other = line("1795309450.25|1.1|q|A|ABANDON|1|1|1"), line("2026-11-22T09:04:10+0800|1.1|q|A|ABANDON|1|1|1")

    assert one.at == at(0) and other.at - at(0) in (timedelta(0), other.at - at(0))


CELLS = st.sampled_from(
    ["", "NONE", "1.1", "q", "A", "PJSIP/1001", "12000", "-1", "7", "x" * 200, "张三", str(AT), "\u202e"]
)


@given(
    st.lists(st.tuples(st.sampled_from([*PARAMETERS, "OTHER"]), st.lists(CELLS, min_size=3, max_size=8)), max_size=20)
)
def test_any_lines_are_events_nothing_or_refused(lines: list[tuple[str, list[str]]]) -> None:
    log = QueueLog(CONFIG)
    for verb, cells in lines:
        found = read_line("|".join([str(AT), *cells[:3], verb, *cells[3:]]))
        told: list[dict[str, Any]] = log.feed(found) if isinstance(found, LogLine) else []
        for one in told:
            assert isinstance(parse_event(one), Event), one


@given(st.text(max_size=200))
def test_any_text_is_a_line_or_not(text: str) -> None:
    assert isinstance(read_line(text), LogLine | Refusal | None)
