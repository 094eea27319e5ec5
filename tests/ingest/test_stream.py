"""The messages of /stream and the progress of one leg: resent, lost and fenced, it is stored as sent or as a gap."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import StreamError
from ingest.legs import Builder
from ingest.rows import Row
from ingest.stream import (
    FENCED,
    OVER,
    PAYLOAD_BYTES,
    PROTOCOL,
    Finish,
    Hello,
    Hole,
    Message,
    Piece,
    read_message,
    write_finish,
    write_hello,
    write_hole,
    write_piece,
)
from ingest.streamleg import LegState, StreamLeg
from tests.ingest.values import T0

HELLO = Hello("c1", "agent", "agent", 8000, "slin", 1, "token", T0)
SAID = json.loads(write_hello(HELLO))

LONGEST = 4 * 3600 * 8000


def test_messages_come_back_as_they_were_written() -> None:
    assert read_message(write_hello(HELLO)) == HELLO
    assert read_message(write_piece(Piece(7, 800, b"ab"))) == Piece(7, 800, b"ab")
    assert read_message(write_hole(Hole(8, 160, "loss"))) == Hole(8, 160, "loss")
    assert read_message(write_finish(8)) == Finish(8)


def test_a_piece_is_two_numbers_and_audio() -> None:
    assert write_piece(Piece(1, 256, b"\x01\x02")) == bytes.fromhex("0000000000000001 0000000000000100 0102")


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("x", "no JSON"),
        ("[]", "must be an object"),
        ("{}", "type: is missing"),
        ('{"type": "bye"}', "must be one of hello, gap, end"),
        ("[" * 4000, "nested too deeply"),
        (" " * 5000, "at most 4096"),
        (json.dumps(SAID | {"v": 2}), "v: must be 1"),
        (json.dumps(SAID | {"rate": 11025}), "rate: must be one of 8000"),
        (json.dumps(SAID | {"encoding": "mp3"}), "encoding: must be one of slin, ulaw, alaw"),
        (json.dumps(SAID | {"epoch": 0}), "epoch: counts from 1"),
        (json.dumps(SAID | {"role": "boss"}), "role: must be one of"),
        (json.dumps(SAID | {"at": "today"}), "at: must be date, time and offset"),
        (json.dumps(SAID | {"token": None}), "token: is missing"),
        ('{"type": "gap", "seq": 0, "samples": 1, "cause": "loss"}', "seq: counts from 1"),
        ('{"type": "gap", "seq": 1, "samples": 0, "cause": "loss"}', "samples: counts from 1"),
        ('{"type": "gap", "seq": 1, "samples": 1, "cause": "tea"}', "cause: must be one of"),
        ('{"type": "end", "seq": -1}', "seq: must be a whole number"),
        (b"", "0 bytes"),
        (bytes(16), "16 bytes"),
        (bytes(8) + bytes(8) + b"ab", "seq 0"),
        (b"\xff" * 16 + b"ab", "seq 18446744073709551615"),
        (bytes(7) + b"\x01" + bytes(8) + bytes(PAYLOAD_BYTES + 1), "binary message"),
    ],
)
def test_what_cannot_be_read_is_named(message: str | bytes, says: str) -> None:
    with pytest.raises(StreamError, match=says) as caught:
        read_message(message)
    assert caught.value.code == PROTOCOL


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_message_is_read_or_refused_with_the_documented_error(message: str | bytes) -> None:
    try:
        assert isinstance(read_message(message), Hello | Piece | Hole | Finish)
    except StreamError as error:
        assert error.code == PROTOCOL


def opened(hello: Hello = HELLO) -> tuple[StreamLeg, list[Row]]:
    leg = StreamLeg(hello)
    return leg, leg.greet(hello)


def test_a_leg_from_hello_to_end() -> None:
    leg, rows = opened()
    rows += leg.piece(Piece(1, 0, b"abcd")) + leg.hole(Hole(2, 10, "pause")) + leg.piece(Piece(3, 12, b"efgh"))
    rows += leg.finish(Finish(3))
    leg.committed(3)
    leg.ended()

    assert [(row.kind, row.seq, row.sample, row.samples) for row in rows] == [
        ("start", 0, 0, 0), ("audio", 1, 0, 2), ("gap", 2, 2, 10), ("audio", 3, 12, 2), ("end", 3, 14, 0),
    ]  # fmt: skip
    assert (leg.state, leg.durable) == (LegState.OVER, 3)


def test_a_jump_of_the_start_sample_is_a_declared_gap() -> None:
    leg, _ = opened()
    rows = leg.piece(Piece(1, 800, b"abcd"))

    assert [json.loads(row.payload) for row in rows if row.kind == "gap"] == [
        {"start_sample": 0, "samples": 800, "cause": "declared"}
    ]


def test_what_was_taken_before_is_ignored() -> None:
    leg, _ = opened()
    leg.piece(Piece(1, 0, b"abcd"))
    leg.hole(Hole(2, 5, "loss"))

    assert leg.piece(Piece(1, 0, b"abcd")) == []
    assert leg.hole(Hole(2, 5, "loss")) == []
    assert (leg.taken, leg.sample) == (2, 7)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda leg: leg.piece(Piece(1, 0, b"xxxx")), "sent before with other bytes"),
        (lambda leg: leg.piece(Piece(1, 9, b"abcd")), "sent before with other bytes"),
        (lambda leg: leg.piece(Piece(3, 2, b"abcd")), "follows 1; send without holes"),
        (lambda leg: leg.piece(Piece(2, 1, b"abcd")), "before 2; never go back"),
        (lambda leg: leg.piece(Piece(2, 2, b"abc")), "no whole samples"),
        (lambda leg: leg.piece(Piece(2, 1 << 50, b"ab")), "longer than 4 hours"),
        (lambda leg: leg.hole(Hole(2, 1 << 50, "loss")), "longer than 4 hours"),
        (lambda leg: [leg.hole(Hole(seq, LONGEST // 2, "loss")) for seq in (2, 3)], "longer than 4 hours"),
        (lambda leg: leg.finish(Finish(0)), "the last one here is 1; send what is missing"),
        (lambda leg: leg.finish(Finish(5)), "the last one here is 1"),
    ],
)
def test_a_sender_that_breaks_the_rules_hears_which(act: Callable[[StreamLeg], object], says: str) -> None:
    leg, _ = opened()
    leg.piece(Piece(1, 0, b"abcd"))

    with pytest.raises(StreamError, match=says) as caught:
        act(leg)
    assert caught.value.code == PROTOCOL


def test_a_newer_epoch_takes_over_and_an_older_one_is_fenced() -> None:
    leg, _ = opened()
    leg.piece(Piece(1, 0, b"abcd"))
    rows = leg.greet(replace(HELLO, epoch=2))

    assert [(row.kind, row.epoch) for row in rows] == [("start", 2)]
    with pytest.raises(StreamError, match="epoch 1 is over, epoch 2 writes") as caught:
        leg.greet(HELLO)
    assert caught.value.code == FENCED


def test_the_same_epoch_resumes_without_a_new_start() -> None:
    leg, _ = opened()
    leg.lost()

    assert leg.state is LegState.AWAY
    assert leg.greet(HELLO) == []
    assert leg.state is LegState.OPEN


def test_rate_encoding_and_role_stay() -> None:
    leg, _ = opened()

    with pytest.raises(StreamError, match="they stay"):
        leg.greet(replace(HELLO, rate=16000))


def test_nobody_comes_back() -> None:
    leg, _ = opened()
    leg.piece(Piece(1, 0, b"abcd"))
    leg.lost()
    (row,) = leg.reap("disconnected")

    assert json.loads(row.payload) == {"samples": 2, "cause": "disconnected"}
    leg.greet(HELLO)
    with pytest.raises(StreamError, match="nothing more is taken") as caught:
        leg.piece(Piece(2, 2, b"abcd"))
    assert caught.value.code == OVER
    assert leg.finish(Finish(1)) == []


def test_a_final_acknowledgement_that_got_lost_can_be_asked_for_again() -> None:
    leg, _ = opened()
    leg.finish(Finish(0))
    leg.lost()
    leg.ended()
    leg.greet(HELLO)

    assert leg.finish(Finish(0)) == []
    assert leg.state is LegState.OVER


class Line:
    """A sender with everything it ever sent, a server with a disk, and a connection that may break."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.truth = b""
        self.disk: list[Row] = []
        self.queue: list[Row] = []
        self.connect()

    def connect(self) -> None:
        """As after a restart: the leg is what the disk says, the sender goes on behind what is durable."""
        audio = [row for row in self.disk if row.kind in ("audio", "gap")]
        seq = max((row.seq for row in audio), default=0)
        sample = max((row.sample + row.samples for row in audio), default=0)
        self.leg = StreamLeg(HELLO, LegState.AWAY if self.disk else LegState.FRESH, seq, seq, sample)
        self.queue = self.leg.greet(HELLO)
        self.at = seq

    def commit(self) -> None:
        self.disk += self.queue
        self.queue = []
        self.leg.committed(self.leg.taken)

    def speak(self, size: int, skip: int) -> None:
        start = len(self.truth) // 2 + skip
        self.truth += bytes(2 * skip) + bytes([len(self.sent) % 255 + 1]) * (2 * size)
        self.sent.append(Piece(len(self.sent) + 1, start, self.truth[2 * start :]))

    def pause(self, samples: int) -> None:
        self.truth += bytes(2 * samples)
        self.sent.append(Hole(len(self.sent) + 1, samples, "pause"))

    def transmit(self, back: int) -> None:
        """Send what comes next, after *back* messages once more."""
        for message in self.sent[max(0, self.at - back) : self.at + 2]:
            self.queue += self.leg.piece(message) if isinstance(message, Piece) else self.leg.hole(message)  # type: ignore[arg-type]
        self.at = self.leg.taken


STEPS = st.lists(
    st.tuples(st.just("speak"), st.integers(1, 5), st.sampled_from([0, 0, 0, 3]))
    | st.tuples(st.just("pause"), st.integers(1, 5), st.just(0))
    | st.tuples(st.just("transmit"), st.integers(0, 4), st.just(0))
    | st.tuples(st.sampled_from(["commit", "crash", "lost"]), st.just(0), st.just(0)),
    max_size=60,
)


@settings(max_examples=200)
@given(STEPS)
def test_whatever_breaks_stored_is_what_was_sent_or_a_declared_gap(steps: list[tuple[str, int, int]]) -> None:
    line, acked = Line(), 0
    for step, number, skip in steps:
        if step == "speak":
            line.speak(number, skip)
        elif step == "pause":
            line.pause(number)
        elif step == "transmit":
            line.transmit(number)
        elif step == "commit":
            line.commit()
            acked = line.leg.durable
        elif step == "crash":
            line.connect()
            assert line.leg.durable == acked
        else:
            line.leg.lost()
            line.leg.greet(HELLO)
    while line.leg.taken < len(line.sent):
        line.transmit(0)
    line.queue += line.leg.finish(Finish(len(line.sent)))
    line.commit()

    check(line)


def check(line: Line) -> None:
    builder = Builder()
    for row in line.disk:
        builder.take(row, True)
    leg = builder.build()
    told = bytearray(len(line.truth))
    covered = [*((start, len(data) // 2) for start, data in leg.segments), *((at, size) for at, size, _ in leg.gaps)]
    for start, data in leg.segments:
        told[2 * start : 2 * start + len(data)] = data
    assert bytes(told) == line.truth
    assert sum(size for _, size in covered) == leg.samples == len(line.truth) // 2
    assert leg.ended == "end"
