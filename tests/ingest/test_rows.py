"""Rows: joined per leg in order, and a checksum that sees every column."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest.legs import Builder
from ingest.rows import JOINED_BYTES, Row, body, coalesce, crc, micros, moment
from tests.ingest.values import T0

START = body({"role": "agent", "rate": 8000, "encoding": "slin", "at": T0.isoformat(), "epoch": 1})


def audio(leg: str, seq: int, sample: int, payload: bytes = b"abcd", **own: int) -> Row:
    return Row("audio", "stream", "c1", leg, micros(T0), payload, seq, sample, len(payload) // 2, **own)


def test_adjoining_frames_of_one_leg_become_one_row() -> None:
    rows = [audio("a", 1, 0), audio("b", 1, 0), audio("a", 2, 2), audio("b", 2, 2), audio("a", 3, 4)]
    joined = coalesce(rows)

    assert [(row.leg, row.seq, row.sample, row.samples, len(row.payload)) for row in joined] == [
        ("a", 3, 0, 6, 12),
        ("b", 2, 0, 4, 8),
    ]


def test_a_hole_another_epoch_or_another_kind_is_never_joined_over() -> None:
    gap = Row("gap", "stream", "c1", "a", 0, b"{}", 2, 2, 2)

    assert len(coalesce([audio("a", 1, 0), audio("a", 2, 4)])) == 2
    assert len(coalesce([audio("a", 1, 0), audio("a", 3, 2)])) == 2
    assert len(coalesce([audio("a", 1, 0), audio("a", 2, 2, epoch=2)])) == 2
    assert len(coalesce([audio("a", 1, 0), gap, audio("a", 3, 4)])) == 3


def test_a_row_grows_to_a_limit_only() -> None:
    big = bytes(JOINED_BYTES // 2)
    rows = coalesce([audio("a", n, n * len(big) // 2, big) for n in range(5)])

    assert [len(row.payload) for row in rows] == [JOINED_BYTES, JOINED_BYTES, JOINED_BYTES // 2]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 8), st.booleans()), max_size=30))
def test_joining_never_changes_what_a_leg_holds(steps: list[tuple[str, int, bool]]) -> None:
    rows, at = [], {"a": (0, 0), "b": (0, 0)}
    for leg, samples, jump in steps:
        seq, sample = at[leg]
        sample += 5 if jump else 0
        rows.append(audio(leg, seq + 1, sample, bytes([seq % 256]) * samples * 2))
        at[leg] = (seq + 1, sample + samples)

    for leg in "ab":
        assert build(leg, rows) == build(leg, coalesce(rows))


def build(leg: str, rows: list[Row]) -> object:
    builder = Builder()
    for row in rows:
        if row.leg == leg:
            builder.take(row, True)
    return builder.build()


def test_every_column_counts_for_the_checksum() -> None:
    row = audio("a", 1, 0)
    changed = [
        replace(row, kind="gap"), replace(row, source="x"), replace(row, call="x"), replace(row, leg="x"),
        replace(row, seq=2), replace(row, sample=1), replace(row, samples=9), replace(row, epoch=9),
        replace(row, at_us=1), replace(row, payload=b"abce"), replace(row, name="x"),
    ]  # fmt: skip

    assert crc(row) not in {crc(other) for other in changed}


def test_instants_keep_their_microseconds() -> None:
    at = T0.replace(microsecond=123456)

    assert moment(micros(at)) == at


def test_a_leg_is_put_together_with_its_gaps() -> None:
    builder = Builder()
    gap = body({"start_sample": 2, "samples": 3, "cause": "loss"})
    for kind, payload, sample, samples in (
        ("start", START, 0, 0), ("audio", b"abcd", 0, 2), ("gap", gap, 2, 3), ("audio", b"efgh", 5, 2),
        ("audio", b"ijkl", 9, 2), ("end", body({"samples": 11, "cause": "eof"}), 11, 0),
    ):  # fmt: skip
        builder.take(Row(kind, "s", "c1", "a", 0, payload, 1, sample, samples), True)
    leg = builder.build()

    assert leg.segments == [(0, b"abcd"), (5, b"efgh"), (9, b"ijkl")]
    assert leg.gaps == [(2, 3, "loss"), (7, 2, "missing")]
    assert (leg.rate, leg.encoding, leg.role, leg.started_at, leg.ended, leg.samples) == (
        8000, "slin", "agent", T0, "eof", 11,
    )  # fmt: skip


def gap(sample: int, samples: int, cause: str = "loss", **more: int) -> Row:
    said = body({"start_sample": sample, "samples": samples, "cause": cause, **more})
    return Row("gap", "s", "c1", "a", 0, said, 1, sample, samples)


def test_a_hole_that_was_noticed_late_lies_where_it_began() -> None:
    """In the middle of what was stored as one row; what followed it sounded later, and so did a hole behind it."""
    builder = Builder()
    rows = [audio("a", 1, 0, b"abcdef"), gap(3, 1, "overrun"), audio("a", 2, 4, b"gh"), gap(5, 4, since=2),
            audio("a", 3, 9, b"ij"), gap(10, 7, since=10)]  # fmt: skip
    for row in rows:
        builder.take(row, True)
    leg = builder.build()

    assert leg.segments == [(0, b"abcd"), (6, b"ef"), (8, b"ghij")]
    assert leg.gaps == [(2, 4, "loss"), (7, 1, "overrun"), (10, 7, "loss")]
    assert (leg.samples, builder.heard) == (17, 10)


def test_two_holes_that_were_noticed_together_lie_apart() -> None:
    """The second is told by where it lies once the first is put in."""
    builder = Builder()
    for row in (audio("a", 1, 0, b"abcdef"), gap(3, 5, since=1), gap(8, 2, since=7), audio("a", 2, 10, b"gh")):
        builder.take(row, True)
    leg = builder.build()

    assert leg.segments == [(0, b"ab"), (6, b"cd"), (9, b"efgh")]
    assert leg.gaps == [(1, 5, "loss"), (7, 2, "loss")]


def test_a_row_that_lies_becomes_a_gap() -> None:
    builder = Builder()
    builder.take(audio("a", 1, 0), True)
    builder.take(audio("a", 2, 999), False)
    builder.take(audio("a", 3, 4), True)

    assert builder.build().gaps == [(2, 2, "corrupt")]
    assert builder.build().segments == [(0, b"abcd"), (4, b"abcd")]


def test_audio_that_is_stored_twice_is_heard_once() -> None:
    builder = Builder()
    for row in (audio("a", 1, 0, b"abcdef"), audio("a", 2, 2, b"efgh"), audio("a", 3, 0, b"ab")):
        builder.take(row, True)

    assert builder.build().segments == [(0, b"abcdefgh")]
