from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from speech.measures import joined, measure, overlap
from speech.transcript import Role, Speech

SPLIT: tuple[Role, ...] = ("customer", "agent")


def spoken(channel: int, start_ms: int, end_ms: int, level_db: float = -25.0) -> Speech:
    return Speech(channel, start_ms, end_ms, level_db)


def test_silence_talk_over_and_share_of_a_short_call() -> None:
    found = measure([spoken(1, 0, 4000), spoken(0, 3000, 5000), spoken(1, 8000, 10_000)], SPLIT, 0, 12_000)

    assert (found.silence_ms, found.talk_over_ms, found.agent_share) == (5000, 1000, Decimal("0.75"))


def test_only_what_lies_in_the_window_counts() -> None:
    found = measure([spoken(1, 0, 4000), spoken(0, 3000, 5000)], SPLIT, 3500, 6000)

    assert (found.silence_ms, found.talk_over_ms, found.agent_share) == (1000, 500, Decimal("0.25"))


def test_a_mix_has_silence_and_nothing_else() -> None:
    found = measure([spoken(0, 0, 4000)], ("unknown",), 0, 5000)

    assert (found.silence_ms, found.talk_over_ms, found.agent_share, found.loudness_rise_db) == (1000, None, None, None)


def test_nobody_spoke() -> None:
    found = measure([], SPLIT, 0, 5000)

    assert (found.silence_ms, found.talk_over_ms, found.agent_share) == (5000, 0, None)


def test_loudness_rises_above_the_median_of_the_agents_longer_stretches() -> None:
    calm = [spoken(1, at, at + 1000, -30.0) for at in (0, 2000, 4000)]
    shout = spoken(1, 6000, 7000, -21.5)
    cough, customer = spoken(1, 8000, 8200, -5.0), spoken(0, 9000, 10_000, -3.0)

    assert measure([*calm, shout, cough, customer], SPLIT, 0, 10_000).loudness_rise_db == Decimal("8.5")
    assert measure([*calm[:2], cough], SPLIT, 0, 10_000).loudness_rise_db is None


SPANS = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 30)).map(lambda one: (one[0], one[0] + one[1])))


@given(SPANS, SPANS)
def test_overlap_equals_counting_every_millisecond(ours: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> None:
    one = {at for start, end in ours for at in range(start, end)}
    two = {at for start, end in theirs for at in range(start, end)}

    assert overlap(joined(ours), joined(theirs)) == len(one & two)
