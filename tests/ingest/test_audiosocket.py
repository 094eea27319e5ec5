"""The AudioSocket parser: the same events however the bytes are cut, and a documented error for the rest."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.audiosocket import (
    DTMF,
    ERROR,
    HANGUP,
    IDENT,
    KINDS,
    RATES,
    Audio,
    Dtmf,
    Event,
    Fault,
    Hangup,
    Ident,
    Parser,
    Skipped,
    packet,
)
from ingest.errors import AudioSocketError

UUID_1 = UUID("0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11")
HELLO = packet(IDENT, UUID_1.bytes)
FRAME = bytes(range(64)) * 5
CALL = HELLO + packet(0x10, FRAME) + packet(DTMF, b"5") + packet(0x02) + packet(ERROR, b"\x05") + packet(0x10, b"ab")
TOLD = [Ident(UUID_1), Audio(8000, FRAME), Dtmf("5"), Skipped(2, 0), Fault(5, ("hangup", "memory")), Audio(8000, b"ab")]


def parse(*parts: bytes) -> list[Event]:
    parser, events = Parser(), []
    for part in parts:
        events += parser.feed(part)
    return events


def joined(events: list[Event]) -> list[Event]:
    """Audio that follows upon audio as one: where it was cut says nothing."""
    out: list[Event] = []
    for event in events:
        if isinstance(event, Audio) and out and isinstance(out[-1], Audio) and out[-1].rate == event.rate:
            out[-1] = Audio(event.rate, out[-1].data + event.data)
        else:
            out.append(event)
    return out


def test_a_whole_call_in_one_read() -> None:
    assert parse(CALL + packet(HANGUP)) == [*TOLD, Hangup()]


def test_byte_by_byte() -> None:
    assert parse(*(bytes([byte]) for byte in CALL)) == TOLD


@given(st.lists(st.integers(0, len(CALL)), max_size=12))
def test_any_cut_gives_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(CALL)]

    assert parse(*(CALL[start:end] for start, end in pairwise(edges))) == TOLD


def test_equal_packets_in_one_read_are_one_event() -> None:
    talk = [packet(0x10, FRAME[at:] + FRAME[:at]) for at in range(0, 50, 10)]

    assert parse(HELLO, talk[0], b"".join(talk[1:]))[2:] == [Audio(8000, b"".join(part[3:] for part in talk[1:]))]


@given(st.lists(st.sampled_from([packet(0x10, b"ab" * 3), packet(0x10, b"cd" * 3), packet(0x10, b"e" * 6),
                                 packet(0x10, b"ab"), packet(DTMF, b"1")]), max_size=12),
       st.lists(st.integers(0, 200), max_size=8))  # fmt: skip
def test_talk_sounds_the_same_however_cut(talk: list[bytes], cuts: list[int]) -> None:
    data = b"".join(talk)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]

    assert joined(parse(HELLO, *(data[start:end] for start, end in pairwise(edges)))) == joined(parse(HELLO + data))


def test_the_end_may_come_without_a_word_and_half_a_packet_is_noticed() -> None:
    parser = Parser()
    events = list(parser.feed(CALL + packet(0x10, FRAME)[:100]))

    assert events == TOLD
    assert parser.rest == 100


def test_nothing_is_read_behind_a_hangup() -> None:
    parser = Parser()

    assert list(parser.feed(HELLO + packet(HANGUP) + b"GET / HTTP/1.1"))[-1] == Hangup()
    assert list(parser.feed(b"\x99" * 1000)) == []
    assert parser.rest <= 14


@pytest.mark.parametrize("kind", RATES)
def test_every_rate_may_send_two_hundred_milliseconds(kind: int) -> None:
    most = bytes(min(RATES[kind] * 200 // 1000 * 2, 65534))  # the length field ends before 200 ms of 192 kHz

    assert parse(HELLO, packet(kind, most))[1] == Audio(RATES[kind], most)
    if len(most) < 65534:
        with pytest.raises(AudioSocketError, match="audio packet"):
            parse(HELLO, packet(kind, most + b"\0\0"))


def test_unknown_kinds_are_skipped_by_their_length_and_counted() -> None:
    parser = Parser()
    events = list(parser.feed(HELLO + packet(0x77, bytes(60_000)) + packet(0x10, b"ab")))

    assert events[1:] == [Skipped(0x77, 60_000), Audio(8000, b"ab")]
    assert parser.skipped == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "the UUID .* comes first"),
        (packet(KINDS[8000], FRAME), "the UUID .* comes first"),
        (packet(IDENT, b"short"), "send 16 bytes, once"),
        (HELLO + HELLO, "send 16 bytes, once"),
        (HELLO + packet(0x10), "0 bytes; send whole 16-bit samples"),
        (HELLO + packet(0x10, b"abc"), "3 bytes; send whole 16-bit samples"),
        (HELLO + b"\x10\xff\xfe", "65534 bytes"),
        (HELLO + packet(DTMF, b"12"), "one digit a packet"),
        (HELLO + packet(ERROR, bytes(17)), "at most 16"),
        (HELLO + packet(0x10, b"ab") + packet(0x12, b"ab"), "16000 Hz after 8000 Hz"),
    ],
)
def test_what_cannot_be_is_named(data: bytes, says: str) -> None:
    with pytest.raises(AudioSocketError, match=says):
        parse(data)


def test_what_came_before_a_fault_is_not_lost() -> None:
    parser, seen = Parser(), []
    with pytest.raises(AudioSocketError):
        for event in parser.feed(CALL + packet(IDENT, UUID_1.bytes)):
            seen.append(event)

    assert seen == TOLD


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes_are_taken_or_refused_the_same_way_however_cut(data: bytes, cuts: list[int]) -> None:
    def outcome(*parts: bytes) -> tuple[list[Event], str]:
        parser, events = Parser(), []
        try:
            for part in parts:
                for event in parser.feed(part):
                    events.append(event)
        except AudioSocketError as error:
            return joined(events), str(error)
        return joined(events), ""

    data = HELLO + data
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert outcome(data) == outcome(*(data[start:end] for start, end in pairwise(edges)))
