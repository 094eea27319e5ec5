"""A part of a conversation has its own agent's sound and the customer's, while it had the customer, and no other."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.callvalue import Call, Hold, Offer, Part
from ingest.legs import LegAudio
from qa.windows import NOT_TOLD_APART, clipped, of_part, silenced
from tests.ingest.values import T0, moment

RATE = 8000


def leg(begins: float, seconds: float, value: int = 7, **other: object) -> LegAudio:
    samples = int(seconds * RATE)
    data = np.full(samples, value, "<i2").tobytes()
    told = {"rate": RATE, "encoding": "slin", "started_at": moment(begins), "segments": [(0, data)], "gaps": [],
            "ended": "eof", "role": "agent", "samples": samples}  # fmt: skip
    return LegAudio(**{**told, **other})  # type: ignore[arg-type]


def sounds(one: LegAudio) -> list[tuple[float, float]]:
    """From when until when there is sound, in seconds after T0."""
    assert one.started_at is not None
    begin = (one.started_at - T0) / timedelta(seconds=1)
    return [(begin + start / one.rate, begin + (start + len(data) // 2) / one.rate) for start, data in one.segments]


def part(seat: str, met: float | None, left: float | None, **own: object) -> Part:
    return Part(
        Offer(seat, None, answered_at=moment(met or 0)), moment(met or 0), None if met is None else moment(met),
        None if left is None else moment(left), **own,  # type: ignore[arg-type]
    )  # fmt: skip


def call(*parts: Part, **seats: str) -> Call:
    return Call("c1", parts=parts, leg_seats=seats)


def test_a_leg_is_cut_at_both_ends_and_keeps_its_place_in_time() -> None:
    cut = clipped(leg(10, 20, gaps=[(0, RATE, "loss"), (15 * RATE, RATE, "loss")]), moment(14), moment(26))

    assert (cut.started_at, cut.samples, cut.ended) == (moment(14), 12 * RATE, "end")
    assert sounds(cut) == [(14, 26)]
    assert cut.gaps == [(11 * RATE, RATE, "loss")]


def test_a_window_beside_a_leg_holds_nothing_and_one_around_it_everything() -> None:
    whole = leg(10, 5)

    assert clipped(whole, moment(20), moment(30)).samples == 0
    assert clipped(whole, moment(0), moment(60)) is whole
    assert clipped(whole, None, None) is whole


def test_what_is_silenced_is_a_gap_only_with_a_cause() -> None:
    whole, stretch = leg(0, 10), [Hold(moment(2), moment(4))]

    assert (sounds(silenced(whole, stretch)), silenced(whole, stretch).gaps) == ([(0, 2), (4, 10)], [])
    assert silenced(whole, stretch, "why").gaps == [(2 * RATE, 2 * RATE, "why")]
    assert sounds(silenced(whole, [Hold(moment(8))])) == [(0, 8)]


def test_a_call_with_one_part_keeps_all_as_it_came() -> None:
    legs = {"a": ("agent", leg(0, 60)), "c": ("customer", leg(0, 60))}

    assert of_part(call(part("s1", 5, 20)), 1, legs) == legs


def test_each_part_has_its_own_phone_and_the_customer_while_it_had_him() -> None:
    told = call(part("s1", 5, 20), part("s2", 30, 50), a1="s1", a2="s2")
    legs = {"a1": ("agent", leg(0, 60)), "a2": ("agent", leg(22, 38)), "c": ("customer", leg(0, 60))}
    one, two = of_part(told, 1, legs), of_part(told, 2, legs)

    assert {name: sounds(leg) for name, (_, leg) in one.items()} == {"a1": [(0, 20)], "c": [(0, 20)]}
    assert {name: sounds(leg) for name, (_, leg) in two.items()} == {"a2": [(30, 50)], "c": [(30, 50)]}


def test_what_is_said_to_a_colleague_is_no_talk_with_the_customer() -> None:
    told = call(part("s1", 5, 40, asides=(Hold(moment(20), moment(30)),)), part("s2", None, 30), a1="s1", a2="s2")
    legs = {"a1": ("agent", leg(5, 35)), "a2": ("agent", leg(20, 10)), "c": ("customer", leg(5, 35))}

    assert of_part(told, 2, legs) == {}
    assert {name: sounds(one) for name, (_, one) in of_part(told, 1, legs).items()} == {
        "a1": [(5, 20), (30, 40)], "c": [(5, 40)],
    }  # fmt: skip


def test_one_leg_for_all_agents_is_whose_turn_it_is_and_nobodys_in_a_conference() -> None:
    told = call(part("s1", 5, 30), part("s2", 20, 50))
    one, two = (of_part(told, number, {"a": ("agent", leg(0, 60))})["a"][1] for number in (1, 2))

    assert (sounds(one), sounds(two)) == ([(0, 20)], [(30, 50)])
    assert [cause for *_, cause in (*one.gaps, *two.gaps)] == [NOT_TOLD_APART] * 2


SECONDS = st.integers(0, 60)


@st.composite
def conversations(draw: st.DrawFn) -> Call:
    """Parts with windows of any kind, in the order of their answers."""
    windows = sorted(sorted((draw(SECONDS), draw(SECONDS))) for _ in range(draw(st.integers(2, 4))))
    return call(*(part(f"s{number}", met, left) for number, (met, left) in enumerate(windows)))


@given(conversations())
def test_no_second_of_a_leg_without_a_seat_is_given_to_two_agents(told: Call) -> None:
    shared = {"a": ("agent", leg(0, 60))}
    parts = [of_part(told, number, shared)["a"][1] for number in range(1, len(told.parts) + 1)]
    found = sorted(span for one in parts for span in sounds(one))

    assert all(before[1] <= after[0] for before, after in pairwise(found))


@pytest.mark.parametrize("encoding", ["ulaw", "alaw"])
def test_a_leg_of_one_byte_a_sample_is_cut_at_the_same_place(encoding: str) -> None:
    data = bytes(range(250)) * 320
    cut = clipped(leg(0, 10, encoding=encoding, segments=[(0, data)]), moment(1), moment(2))

    assert cut.segments == [(0, data[RATE : 2 * RATE])]
