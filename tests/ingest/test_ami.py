"""The manager protocol's parser: the same blocks however the bytes are cut, a documented error for the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ami import (
    BLOCK_BYTES,
    BLOCK_LINES,
    LINE_BYTES,
    AmiParser,
    Block,
    action,
    challenge_key,
    no_answer_ring_ms,
    seconds,
    stamp,
    text,
)
from ingest.errors import AmiError

RECORDED = (Path(__file__).parent / "recordings" / "queue.ami").read_bytes()
SHORT = (
    b"Asterisk Call Manager/11.0.0\r\n"
    b"Response: Success\r\nActionID: a-1\r\nMessage: Authentication accepted\r\n\r\n"
    b"Event: QueueMemberPause\r\nTimestamp: 1795309507.962552\r\n"
    b"MemberName: \xe5\xbc\xa0\xe4\xb8\x89: A\r\nPausedReason: \r\n\r\n"
    b"\r\nEvent: Hold\nUniqueid: 1.2\n\n"
)
TOLD = [
    {"Response": "Success", "ActionID": "a-1", "Message": "Authentication accepted"},
    {"Event": "QueueMemberPause", "Timestamp": "1795309507.962552", "MemberName": "张三: A", "PausedReason": ""},
    {"Event": "Hold", "Uniqueid": "1.2"},
]


def parse(*parts: bytes) -> list[Block]:
    parser = AmiParser()
    blocks: list[Block] = []
    for part in parts:
        blocks += parser.feed(part)
    return blocks


@pytest.mark.parametrize("cut", range(len(SHORT) + 1))
def test_a_cut_at_any_byte_gives_the_same_blocks(cut: int) -> None:
    assert parse(SHORT[:cut], SHORT[cut:]) == TOLD


def test_byte_by_byte() -> None:
    assert parse(*(bytes([byte]) for byte in SHORT)) == TOLD


@given(st.lists(st.integers(0, len(RECORDED)), max_size=40))
def test_a_recording_cut_anywhere_gives_the_same_blocks(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(RECORDED)]

    assert parse(*(RECORDED[start:end] for start, end in pairwise(edges))) == WHOLE


WHOLE = parse(RECORDED)


def test_the_banner_is_kept_and_may_be_missing() -> None:
    parser = AmiParser()
    list(parser.feed(SHORT))

    assert parser.banner == "Asterisk Call Manager/11.0.0"
    assert parse(SHORT.partition(b"\r\n")[2]) == TOLD
    assert parser.rest == 0


@given(st.binary(max_size=400), st.integers(0, 400))
def test_anything_is_blocks_or_the_documented_error(data: bytes, cut: int) -> None:
    try:
        parse(data[:cut], data[cut:])
    except AmiError as error:
        assert str(error).startswith(("AMI", "first line"))


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"Event: Hold\r\nno colon here\r\n",
        b"Event: Hold\r\n: no key\r\n",
        b"Event: a\0b\r\n",
        b"E" * (LINE_BYTES + 1),
        b"Event: " + b"x" * LINE_BYTES + b"\r\n",
        b"".join(b"Key%d: v\r\n" % n for n in range(BLOCK_LINES + 1)),
        b"".join(b"K%d: %s\r\n" % (n, b"x" * 16_000) for n in range(BLOCK_BYTES // 16_000 + 1)),
    ],
)
def test_what_is_no_ami_is_refused_after_what_came_before(data: bytes) -> None:
    parser = AmiParser()
    before = list(parser.feed(b"Event: First\r\n\r\n")) if data.startswith(b"Event") else []

    with pytest.raises(AmiError):
        list(parser.feed(data))
    assert len(before) in (0, 1)


def test_what_waits_for_its_end_is_bounded() -> None:
    parser = AmiParser()
    with pytest.raises(AmiError):
        for _ in range(LINE_BYTES + 2):
            list(parser.feed(b"x"))
    assert parser.rest <= LINE_BYTES + 1


def test_an_action_is_one_block() -> None:
    assert action("Login", Username="qa", Secret="s e:c") == b"Action: Login\r\nUsername: qa\r\nSecret: s e:c\r\n\r\n"


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_value_writes_a_second_line(key: str, value: str) -> None:
    try:
        line = action("Ping", **{key: value})
    except (ValueError, TypeError):
        return
    assert line.count(b"\r\n") == 3 and line.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\nb", "a\rb", "a\0b", "x" * 5000])
def test_a_value_that_would_break_out_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="AMI field"):
        action("Login", Username=value)


def test_the_challenge_is_answered_with_its_md5() -> None:
    assert challenge_key("840415273", "secret") == "81c3ab5534a432bec402f6d988ee45b4"


def test_a_timestamp_keeps_its_microseconds() -> None:
    assert stamp({"Timestamp": "1795309507.962552"}) == datetime(2026, 11, 22, 1, 5, 7, 962552, UTC)
    assert stamp({"Timestamp": "1795309507"}) == datetime(2026, 11, 22, 1, 5, 7, 0, UTC)
    for wrong in ("", "soon", "-1", "1e9", "99999999999", "12.x"):
        assert stamp({"Timestamp": wrong}) is None


def test_units_are_those_of_each_event() -> None:
    assert seconds({"RingTime": "7"}, "RingTime") == 7
    assert no_answer_ring_ms({"RingTime": "12000"}) == 12000
    assert seconds({"RingTime": "x"}, "RingTime") is None


def test_text_of_strangers_is_one_short_line() -> None:
    assert text({"MemberName": "An\x1b[31mn\u202e\r"}, "MemberName") == "An[31mn"
    assert text({"A": "<unknown>", "B": "x" * 500}, "A", "B") == "x" * 128
    assert text({"A": "  "}, "A", "C") is None
