"""Asterisk's manager events and its queue_log under half a minute of variations each: taken, or refused as said."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ingest.ami import BLOCK_BYTES, AmiParser
from ingest.ami_calls import AmiCalls
from ingest.ami_names import AmiConfig
from ingest.ami_talk import MOST_CALLS, MOST_CHANNELS
from ingest.errors import AmiError
from ingest.events import Event, Refusal, parse_event
from ingest.queue_log import MOST_OPEN, LogLine, QueueLog, read_line
from ingest.taps import Tap
from tests.ingest.fuzz import mutants
from tests.ingest.values import T0

pytestmark = pytest.mark.slow
RECORDINGS = Path(__file__).parent / "recordings"
CONFIG = AmiConfig("lab", "127.0.0.1", "u", "s", seats={"seat1001": "1001", "Seat 1001": "1001"}, wrap_up_seconds=3)


def test_manager_events() -> None:
    """One switchboard for all of it: what one variation leaves behind is there when the next one comes."""
    whole = [(RECORDINGS / name).read_text() for name in ("queue.ami", "attended.ami")]
    blocks = [text + "\r\n\r\n" for one in whole for text in one.split("\r\n\r\n")]
    corpus = ["".join(blocks[at : at + 12]) for at in range(0, len(blocks), 12)]
    met: Counter[str] = Counter()
    calls = AmiCalls(CONFIG)
    for text in mutants(corpus, seed=5):
        parser = AmiParser()
        try:
            for block in parser.feed(text.encode("utf-8", "replace")):
                for told in calls.feed(block, T0):
                    assert isinstance(told, Tap) or isinstance(parse_event(told), Event), told
                    met["told"] += 1
        except AmiError as error:
            assert str(error).startswith(("AMI", "first line"))
            met["refused"] += 1
            continue
        assert parser.rest <= BLOCK_BYTES + 20_000
        assert len(calls._memory.channels) <= MOST_CHANNELS and len(calls._memory.calls) <= MOST_CALLS
    assert met["told"] > 1000 and met["refused"] > 10, met


def test_lines_of_a_log() -> None:
    met: Counter[str] = Counter()
    log = QueueLog(CONFIG)
    for text in mutants((RECORDINGS / "queue_log").read_text().splitlines(), seed=6):
        line = read_line(text)
        if isinstance(line, Refusal):
            assert line.field and line.reason
            met["refused"] += 1
        elif isinstance(line, LogLine):
            for told in log.feed(line):
                assert isinstance(parse_event(told), Event), told
                met["told"] += 1
        log.done.clear()
        assert len(log.unfinished) <= MOST_OPEN
    assert met["told"] > 100 and met["refused"] > 100, met
