"""A flood is counted, not written out; and what is written is one line, whoever chose its words."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from ingest.quiet import BURST, Quiet, spelt
from tests.ingest import lab


def test_a_flood_of_one_kind_is_some_lines_and_then_one_a_second() -> None:
    quiet = Quiet()
    assert [quiet.left_out("key", 0.0) for _ in range(BURST + 5)] == [0] * BURST + [None] * 5
    assert quiet.left_out("pcm", 0.0) == 0
    assert quiet.left_out("key", 1.0) == 5
    assert quiet.left_out("key", 1.5) is None
    assert quiet.left_out("key", 100.0) == 1


@pytest.mark.parametrize("char", ["\n", "\r", "\x1b", "\x85", "\u2028", "\u202e", "\u200b", "\ud800", "\0"])
def test_what_cannot_be_printed_is_spelt_out(char: str) -> None:
    assert spelt(f"坐席{char}1").isprintable()
    assert spelt("x" * 1000) == "x" * 300


async def test_refusals_are_counted_each_and_logged_some(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with lab.running(tmp_path) as ingest:
        ingest.core.mono = lambda: 5.0
        with caplog.at_level(logging.WARNING, "seatwatch.ingest"):
            for number in range(50):
                ingest.core.refuse("pcm", f"a\u202eb\n{number}")
        assert ingest.core.counts["pcm"] == 50
    assert len(caplog.messages) == BURST
    assert caplog.messages[0] == r"pcm refused: a\u202eb\n0"


async def test_bytes_that_are_no_http_are_one_line_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with lab.running(tmp_path) as ingest:
        for _ in range(BURST + 3):
            reader, writer = await asyncio.open_connection("127.0.0.1", ingest.http_port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer canary\x01\r\n\r\n")
            assert b" 400 " in await reader.readline()
            await lab.hang_up(writer)
        assert ingest.core.counts["http"] == BURST + 3
    told = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert len(told) == BURST
    assert all(one.exc_info is None and "canary" not in one.getMessage() for one in told)
