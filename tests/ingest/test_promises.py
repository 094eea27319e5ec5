"""How `make promises` judges: a slow machine proves nothing; what is said is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.test_all_kinds_killed import Tally
from tests.promises import _KILLED, Machine, Verdict, calibrated


@pytest.mark.parametrize(
    ("held", "doubtful", "word"),
    [(True, False, "pass"), (False, False, "fail"), (True, True, "inconclusive"), (False, True, "inconclusive")],
)
def test_a_line_says_one_word(held: bool, doubtful: bool, word: str) -> None:
    assert Verdict("P3", held, "ack p99 80 ms", doubtful).text().split() == ["P3", word, "ack", "p99", "80", "ms"]


def test_a_slow_disk_or_a_busy_processor_is_a_slow_machine() -> None:
    assert [Machine(8, 0.01).slow, Machine(80, 0.01).slow, Machine(8, 0.5).slow] == [False, True, True]


def test_the_machine_is_measured_first(tmp_path: Path) -> None:
    machine = calibrated(tmp_path, seconds=0.2)
    assert machine.sync_ms > 0 and 0 <= machine.stolen < 1


def test_what_the_kills_say_is_read() -> None:
    tally = Tally("gathered", kills=6, acked=88_800, missing=0, phones=18, worst_ms=156, own_ms=120)
    assert _KILLED.findall(tally.text()) == [("6", "0", "88800", "156", "120")]
