"""Asterisk's call detail records: rows of one call together, what a queue does not tell, lines that are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.cdr import NO_SEAT, CdrRow, calls, rows
from ingest.events import Refusal
from ingest.queue_log import LoggedCall

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def row(id: str, *, dst: str = "PJSIP/1001-01", app: str = "Dial", data: str = "", at: int = 0, ring: int = 5,
        talk: int | None = 60, state: str = "ANSWERED") -> str:  # fmt: skip
    """One line as cdr_csv writes it with loguniqueid."""
    begin = START.astimezone(ZONE) + timedelta(seconds=at)
    answer = f"{begin + timedelta(seconds=ring):%Y-%m-%d %H:%M:%S}" if talk is not None else ""
    end = begin + timedelta(seconds=ring + (talk or 0))
    cells = ["", "13800000000", "8000", "incoming", '""Li, Lei"" <138>', "PJSIP/trunk-00", dst, app, data,
             f"{begin:%Y-%m-%d %H:%M:%S}", answer, f"{end:%Y-%m-%d %H:%M:%S}", "65", "60", state, "DOCUMENTATION",
             id, ""]  # fmt: skip
    return ",".join(f'"{cell}"' for cell in cells)


def read(*lines: str) -> list[LoggedCall]:
    found = [one for _, one in rows(lines, ZONE)]
    assert all(isinstance(one, CdrRow) for one in found), found
    return calls(one for one in found if isinstance(one, CdrRow))


def test_a_dialled_call_has_its_answer_and_its_end() -> None:
    (one,) = read(row("1.1"))

    assert (one.call, one.outcome, one.entered_at) == ("1.1", "answered", START)
    assert one.connected_at == START + timedelta(seconds=5)
    assert one.ended_at == START + timedelta(seconds=65)


def test_the_newer_columns_stand_last_with_and_without_the_users_field() -> None:
    whole, bare = row("1.2") + ',"","1.1",3', row("1.2").removesuffix(',""') + ',"","1.1",3'

    assert [one.call for one in (*read(whole), *read(bare))] == ["1.1", "1.1"]


def test_a_channel_that_was_made_to_listen_is_no_call() -> None:
    real = row("1.1")
    taps = [real.replace("PJSIP/trunk-00", name) for name in ("Snoop/1.1-00", "AudioSocket/127.0.0.1:9092-7b")]

    assert [one.call for one in read(real, *taps)] == ["1.1"]


def test_attempts_at_seats_are_one_call() -> None:
    (one,) = read(row("1.1", state="NO ANSWER", talk=None), row("1.1", dst="PJSIP/1002-02", at=12))

    assert (one.outcome, one.entered_at, one.ended_at) == ("answered", START, START + timedelta(seconds=77))


def test_a_queue_does_not_tell_when_a_seat_answered() -> None:
    (one,) = read(row("1.1", app="Queue", data="broadband,t,,,60"))

    assert (one.queue, one.outcome, one.connected_at) == ("broadband", "answered", None)


@pytest.mark.parametrize("state", ["NO ANSWER", "BUSY", "FAILED", "CONGESTION"])
def test_what_nobody_answered_needs_no_recording(state: str) -> None:
    assert read(row("1.1", state=state, talk=None))[0].outcome == "abandoned"


def test_a_mailbox_is_no_seat() -> None:
    assert read(row("1.1", dst="", app="VoiceMail"))[0].outcome == NO_SEAT


def test_who_waits_in_a_queue_and_hangs_up_gave_up() -> None:
    assert read(row("1.1", dst="", app="Queue", data="broadband"))[0].outcome == "abandoned"


def test_a_first_line_with_names_says_the_columns() -> None:
    head = '"start","end","answer","disposition","linkedid","dstchannel"'
    line = '"2026-03-02 09:00:00","2026-03-02 09:01:00","2026-03-02 09:00:05","ANSWERED","7.7","PJSIP/1001"'

    assert [(one.call, one.outcome) for one in read(head, line)] == [("7.7", "answered")]


@pytest.mark.parametrize(
    ("line", "field"),
    [("a,b", "start"), (row("1").replace("2026-03-02 09:00:00", "yesterday"), "start"), ('"a', "line"),
     (row("1", talk=-90), "end"), (row("1").replace('"ANSWERED"', '""'), "disposition"), ("x" * 9000, "line")],
)  # fmt: skip
def test_a_line_that_is_none_says_its_field(line: str, field: str) -> None:
    ((number, why),) = rows(["", line], ZONE)

    assert number == 2
    assert isinstance(why, Refusal) and why.field == field and why.reason


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r"), max_size=200), max_size=5))
def test_any_text_is_rows_or_refusals(lines: list[str]) -> None:
    assert all(isinstance(one, CdrRow | Refusal) for _, one in rows(lines, ZONE))
