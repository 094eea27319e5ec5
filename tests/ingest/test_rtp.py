"""RTP: what was sent comes out in its order, or as a hole of its size; what others inject does not."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import RtpError
from ingest.g711 import alaw_sample, convert, ulaw_sample
from ingest.rtp import (
    EARLY,
    RATE,
    STREAMS_S,
    WINDOW_S,
    Hole,
    Packet,
    Piece,
    Receiver,
    Sound,
    parse,
)

HOME = ("192.0.2.7", 20000)
FRAME_S, FRAME = 0.02, 160
CODECS = {0: "ulaw", 8: "alaw"}


def rtp(
    seq: int, stamp: int, payload: bytes, source: int = 7, kind: int = 0, first: int = 0x80, middle: bytes = b""
) -> bytes:
    head = struct.pack(">BBHII", first, kind, seq % 65536, stamp % (1 << 32), source)
    return head + middle + payload


def frame(number: int) -> bytes:
    """Tells its own place."""
    return struct.pack(">I", number) * (FRAME // 4)


def packet(number: int, seq: int = 0, stamp: int = 0, **own: int) -> bytes:
    return rtp(seq + number, stamp + number * FRAME, frame(number), **own)


def receiver() -> Receiver:
    return Receiver(frozenset({HOME[0]}), CODECS, "ulaw")


def joined(pieces: list[Piece]) -> list[bytes | tuple[int, str]]:
    """Adjoining sound as one."""
    out: list[bytes | tuple[int, str]] = []
    for piece in pieces:
        if isinstance(piece, Hole):
            out.append((piece.samples, piece.cause))
        elif out and isinstance(out[-1], bytes):
            out[-1] += piece.data
        else:
            out.append(piece.data)
    return out


def play(numbers: list[int], seq: int = 0, stamp: int = 0) -> tuple[list[Piece], Receiver]:
    """Packets in this order, one every 20 ms."""
    one, out = receiver(), []
    for at, number in enumerate(numbers):
        out += one.feed(packet(number, seq, stamp), HOME, at * FRAME_S)
    return [*out, *one.drain()], one


def sent(numbers: range) -> bytes:
    return b"".join(frame(number) for number in numbers)


@given(st.integers(0, 65535), st.integers(0, (1 << 32) - 1))
def test_numbers_and_stamps_wrap(seq: int, stamp: int) -> None:
    pieces, one = play(list(range(12)), seq, stamp)

    assert joined(pieces) == [sent(range(12))]
    assert not one.counts


def test_a_long_call_wraps_twice() -> None:
    one, out = receiver(), []
    for number in range(150_000):
        out += one.feed(rtp(number, number * FRAME, b"\0" * FRAME), HOME, number * FRAME_S)

    assert sum(len(piece.data) for piece in [*out, *one.drain()] if isinstance(piece, Sound)) == 150_000 * FRAME
    assert not one.counts


@settings(max_examples=200)
@given(st.data())
def test_reorder_duplicates_and_loss(data: st.DataObject) -> None:
    """Whatever the network does within its window: each sample comes out at its place, or its place is a hole."""
    count = data.draw(st.integers(1, 60))
    lost = data.draw(st.sets(st.integers(1, count), max_size=10))
    twice = data.draw(st.sets(st.integers(0, count), max_size=10))
    chance = random.Random(data.draw(st.integers(0, 1 << 32)))
    late = [(n + chance.random() * 3, n) for n in range(count) if n not in lost]
    late += [(n + chance.random() * 3, n) for n in twice if n < count and n not in lost]
    order = [(at * FRAME_S, number) for at, number in sorted(late)]
    one, out = receiver(), []
    for now_s, number in order:
        out += one.feed(packet(number, 65530), HOME, now_s)
    out += one.drain()

    here = 0
    for piece in out:
        if isinstance(piece, Hole):
            assert piece.cause == "loss"
            assert set(range(here // FRAME, (here + piece.samples) // FRAME)) <= lost
            here += piece.samples
        else:
            assert piece.data == frame(here // FRAME)
            here += len(piece.data)
    heard = sum(isinstance(piece, Sound) for piece in out)
    assert heard == len({number for _, number in order})


def test_a_packet_later_than_the_window_is_a_hole_already() -> None:
    pieces, one = play([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 4, 11])

    assert joined(pieces) == [sent(range(4)), (FRAME, "loss"), sent(range(5, 12))]
    assert one.counts["late or twice"] == 1


def test_a_packet_that_waits_comes_out_when_the_window_closes() -> None:
    one = receiver()
    for number in range(8):
        one.feed(packet(number), HOME, number * FRAME_S)
    assert one.feed(packet(9), HOME, 0.18) == []
    assert one.waits
    assert one.flush(0.18 + WINDOW_S - 0.001) == []
    assert one.flush(0.18 + WINDOW_S) == [Hole(FRAME, "loss"), Sound(frame(9))]
    assert not one.waits


def test_the_first_packets_may_come_in_any_order() -> None:
    assert EARLY >= 2
    pieces, _ = play([2, 0, 1, 3, 4, 5, 6])

    assert joined(pieces) == [sent(range(7))]


def test_digits_and_comfort_noise_are_not_audio() -> None:
    one, out = receiver(), []
    for number, kind in enumerate([0, 0, 0, 0, 101, 13, 0, 0]):
        out += one.feed(packet(number, kind=kind), HOME, number * FRAME_S)

    assert joined([*out, *one.drain()]) == [sent(range(4)), (2 * FRAME, "discard"), sent(range(6, 8))]
    assert one.counts["not audio"] == 2


def test_silence_that_a_sender_leaves_out_is_no_loss() -> None:
    one, out = receiver(), []
    for number in range(6):
        out += one.feed(
            rtp(number, number * FRAME + (number > 4) * RATE, frame(number)), HOME, number * FRAME_S + (number > 4)
        )

    assert joined([*out, *one.drain()])[1] == (RATE, "discard")


@pytest.mark.parametrize(("clock", "source"), [(0, 7), (RATE * 3, 7), (99, 8), (RATE * 500, 7)])
def test_a_pause_lasts_as_long_as_it_lasted(clock: int, source: int) -> None:
    """Whether the sender's clock ran on, stood still, began anew or went astray."""
    one, out = receiver(), []
    for number in range(6):
        out += one.feed(packet(number), HOME, number * FRAME_S)
    out += one.flush(1.0)
    one.pause(held=True)
    out += one.feed(packet(6), HOME, 6 * FRAME_S)  # on its way when the sender said so
    one.pause(held=False)
    for number in range(7, 13):
        data = rtp(number, number * FRAME + clock, frame(number), source)
        out += one.feed(data, HOME, 3.0 + number * FRAME_S)

    first, hole, second = joined([*out, *one.drain()])
    assert (first, second) == (sent(range(7)), sent(range(7, 13)))
    assert hole == (3 * RATE, "pause")


def test_a_lost_stretch_beyond_belief_is_measured_by_our_clock() -> None:
    pieces: list[Piece] = []
    one = receiver()
    for number in range(6):
        pieces += one.feed(packet(number), HOME, number * FRAME_S)
    for number in range(6, 12):
        pieces += one.feed(rtp(number, number * FRAME + 100 * RATE, frame(number)), HOME, number * FRAME_S)

    assert joined([*pieces, *one.drain()]) == [sent(range(12))]


def test_another_stream_is_believed_when_two_packets_agree() -> None:
    one, out = receiver(), []
    for number in range(6):
        out += one.feed(packet(number), HOME, number * FRAME_S)
    for number in range(6, 12):
        out += one.feed(packet(number, seq=30_000, stamp=99, source=8), HOME, 1.0 + number * FRAME_S)
        out += one.feed(packet(number - 6), HOME, 1.0 + number * FRAME_S)  # the old one goes on: it is not heard

    assert joined([*out, *one.drain()]) == [sent(range(6)), (RATE, "loss"), sent(range(6, 12))]
    assert one.counts["stray"] > 0


def test_one_packet_of_another_stream_changes_nothing() -> None:
    one, out = receiver(), []
    for number in range(12):
        out += one.feed(packet(number), HOME, number * FRAME_S)
        out += one.feed(packet(number, source=100 + number), HOME, number * FRAME_S)

    assert joined([*out, *one.drain()]) == [sent(range(12))]
    assert one.counts["stray"] == 12


def test_a_flood_of_streams_is_refused_and_a_later_change_is_not() -> None:
    one = receiver()
    now_s = 0.0
    for source in range(40):
        for number in range(4):
            one.feed(packet(number, source=source), HOME, now_s)
            now_s += FRAME_S
    assert one.counts["too many streams"] > 60

    later = [one.feed(packet(number, source=99), HOME, 2 * STREAMS_S + number * FRAME_S) for number in range(6)]
    assert any(later)


def test_a_restart_of_the_numbers_is_another_stream() -> None:
    one, out = receiver(), []
    for number in range(6):
        out += one.feed(packet(number, seq=100), HOME, number * FRAME_S)
    for number in range(6, 12):
        out += one.feed(packet(number, seq=40_000), HOME, number * FRAME_S)

    assert joined([*out, *one.drain()]) == [sent(range(12))]


@pytest.mark.parametrize("address", [("192.0.2.7", 20001), ("192.0.2.9", 20000), ("127.0.0.1", 20000)])
def test_injection_from_another_address_is_refused(address: tuple[str, int]) -> None:
    one, out = receiver(), []
    for number in range(12):
        out += one.feed(packet(number), HOME, number * FRAME_S)
        assert one.feed(rtp(number + 1, (number + 1) * FRAME, b"\x55" * FRAME), address, number * FRAME_S) == []

    assert joined([*out, *one.drain()]) == [sent(range(12))]
    assert one.counts["foreign"] == 12


def test_a_stranger_does_not_take_the_port_and_neither_does_noise() -> None:
    one = receiver()
    for data, address in (
        (rtp(0, 0, b"!" * FRAME), ("203.0.113.5", 1)),
        (b"x" * 50, HOME),
        (packet(0, kind=101), (HOME[0], 9)),
    ):
        assert one.feed(data, address, 0.0) == []
    one.feed(packet(0), HOME, 0.1)

    assert one.drain() == [Sound(frame(0))]


def test_a_new_offer_lets_another_address_in() -> None:
    one = receiver()
    one.feed(packet(0), HOME, 0.0)
    one.renew(frozenset({"192.0.2.99"}), CODECS, moved=True)

    assert one.feed(packet(1), HOME, 0.02) == []
    assert one.feed(packet(1), ("192.0.2.99", 4), 0.04) == []
    assert joined(one.drain()) == [sent(range(2))]


def test_a_flood_is_dropped_and_the_call_goes_on() -> None:
    one = receiver()
    for _ in range(5000):
        one.feed(packet(0), HOME, 0.0)
    assert one.counts["flood"] > 4000

    out = [piece for number in range(1, 50) for piece in one.feed(packet(number), HOME, 5 + number * FRAME_S)]
    assert sum(isinstance(piece, Sound) for piece in out) >= 45


def test_the_other_law_is_converted() -> None:
    one = receiver()
    one.feed(rtp(0, 0, bytes(range(160)), kind=8), HOME, 0.0)

    (sound,) = one.drain()
    assert isinstance(sound, Sound)
    for byte, told in zip(range(160), sound.data, strict=True):
        assert abs(alaw_sample(byte) - ulaw_sample(told)) <= max(16, abs(alaw_sample(byte)) // 16)


def test_the_laws_are_those_of_the_standard() -> None:
    assert [ulaw_sample(byte) for byte in (0x00, 0x80, 0x7F, 0xFF, 0x0F, 0xA3)] == [-32124, 32124, 0, 0, -16764, 7164]
    assert [alaw_sample(byte) for byte in (0xD5, 0x55, 0xAA, 0x2A, 0xD4)] == [8, -8, 32256, -32256, 24]
    assert convert(b"\xff\x7f", "ulaw", "ulaw") == b"\xff\x7f"
    loud = bytes(byte for byte in range(256) if byte not in (0x7F,))
    there = convert(loud, "ulaw", "alaw")
    assert all(
        abs(ulaw_sample(a) - alaw_sample(b)) <= max(16, abs(ulaw_sample(a)) // 16)
        for a, b in zip(loud, there, strict=True)
    )


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (rtp(1, 2, b"abc"), b"abc"),
        (rtp(1, 2, b"abc", first=0x82, middle=b"12345678"), b"abc"),
        (rtp(1, 2, b"abc", first=0x90, middle=b"\xbe\xde\x00\x01ext4"), b"abc"),
        (rtp(1, 2, b"abc\0\0\3", first=0xA0), b"abc"),
        (rtp(1, 2, b"abc", kind=0x80), b"abc"),
    ],
)
def test_headers(data: bytes, expected: bytes) -> None:
    assert parse(data) == Packet(0, 1, 2, 7, expected)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        rtp(1, 2, b"")[:11],
        rtp(1, 2, b"abc", first=0x40),
        rtp(1, 2, b"abc", kind=200),
        rtp(1, 2, b"abc", first=0x8F),
        rtp(1, 2, b"abc", first=0x90),
        rtp(1, 2, b"abcd", first=0x90, middle=b"\xbe\xde\x00\xff"),
        rtp(1, 2, b"\x09", first=0xA0),
        rtp(1, 2, b"abc\0", first=0xA0),
    ],
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(RtpError):
        parse(data)
    one = receiver()
    assert one.feed(data, HOME, 0.0) == []
    assert one.counts["malformed"] == 1


@given(st.lists(st.tuples(st.binary(max_size=40), st.floats(0, 2)), max_size=30))
def test_any_datagrams_are_taken_or_counted(data: list[tuple[bytes, float]]) -> None:
    one, now_s, out = receiver(), 0.0, []
    for tail, pause in data:
        now_s += pause
        out += one.feed(b"\x80\0" + tail, HOME, now_s)
        out += one.flush(now_s)
    out += one.drain()

    assert sum(isinstance(piece, Sound) for piece in out) + sum(one.counts.values()) - one.counts[
        "out of order"
    ] >= len(data)
    assert sum(piece.samples for piece in out if isinstance(piece, Hole)) <= (now_s + 2 * len(data) + 2) * RATE
