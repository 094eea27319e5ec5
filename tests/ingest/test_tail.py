"""The tailer carries every committed row, in order, at least once, whatever the sink does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest import spool
from ingest.errors import SinkAway
from ingest.rows import event_row
from ingest.shell.tail import QUIET_ROWS, Tailer
from ingest.shell.writer import Spool, SpoolLimits
from ingest.sink import SpoolRow
from tests.ingest.test_spool import audio, nothing, start, written
from tests.ingest.values import event


class Kept:
    """A sink in memory: rows and cursor change together, and it can be away."""

    def __init__(self) -> None:
        self.cursors: dict[str, int] = {}
        self.rows: list[SpoolRow] = []
        self.away = 0

    async def cursor(self, spool_id: str) -> int:
        return self.cursors.get(spool_id, 0)

    async def take(self, spool_id: str, upto: int, rows: Sequence[SpoolRow]) -> None:
        if self.away:
            self.away -= 1
            raise SinkAway("sink: is away; it comes back")
        assert upto > self.cursors.get(spool_id, 0)
        self.rows += rows
        self.cursors[spool_id] = upto


def events(count: int, first: int = 0) -> list[object]:
    return [event_row(event("held", number, id=f"e{number}")) for number in range(first, first + count)]


async def test_events_and_leg_rows_are_carried_audio_is_passed(tmp_path: Path) -> None:
    sink = Kept()
    file = written(tmp_path, start(), audio(1, 0), *events(3), audio(2, 2))  # type: ignore[arg-type]
    tailer = Tailer(tmp_path, sink)

    assert await tailer.once()
    assert [row.kind for row in sink.rows] == ["start", "event", "event", "event"]
    assert sink.rows[1].payload.startswith(b'{"at":"2026-03-01T09:00:00+00:00"')
    assert sink.cursors == {file.spool_id: 6}
    tailer.close()
    file.close()


async def test_a_long_backlog_is_carried_in_batches(tmp_path: Path) -> None:
    sink = Kept()
    file = written(tmp_path, *events(1203))  # type: ignore[arg-type]
    tailer = Tailer(tmp_path, sink)
    await tailer.once()

    assert [row.rowid for row in sink.rows] == list(range(1, 1204))
    tailer.close()
    file.close()


async def test_a_sink_that_is_away_gets_everything_once_it_is_back(tmp_path: Path) -> None:
    sink = Kept()
    sink.away = 2
    file = written(tmp_path, *events(3))  # type: ignore[arg-type]
    tailer = Tailer(tmp_path, sink)

    assert [await tailer.once() for _ in range(3)] == [False, False, True]
    assert len(sink.rows) == 3
    assert not tailer.away
    tailer.close()
    file.close()


async def test_another_error_of_the_sink_ends_the_tailer(tmp_path: Path) -> None:
    class Broken(Kept):
        async def take(self, spool_id: str, upto: int, rows: Sequence[SpoolRow]) -> None:
            raise ValueError("a defect")

    file = written(tmp_path, *events(1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a defect"):
        await Tailer(tmp_path, Broken()).run()
    file.close()


async def test_a_new_tailer_goes_on_at_the_sinks_cursor(tmp_path: Path) -> None:
    sink = Kept()
    file = written(tmp_path, *events(3))  # type: ignore[arg-type]
    for _ in range(2):
        tailer = Tailer(tmp_path, sink)
        await tailer.once()
        tailer.close()
    file.append(events(2, 3), (), nothing)  # type: ignore[arg-type]
    tailer = Tailer(tmp_path, sink)
    await tailer.once()

    assert [row.rowid for row in sink.rows] == [1, 2, 3, 4, 5]
    tailer.close()
    file.close()


async def test_long_stretches_of_audio_move_the_cursor_now_and_then(tmp_path: Path) -> None:
    sink = Kept()
    rows = [audio(n + 1, 2 * n, call=f"c{n}") for n in range(QUIET_ROWS)]
    file = written(tmp_path, *rows)
    tailer = Tailer(tmp_path, sink)
    await tailer.once()

    assert sink.cursors == {file.spool_id: QUIET_ROWS}
    tailer.close()
    file.close()


async def test_files_are_passed_in_order_and_only_when_they_grow_no_more(tmp_path: Path) -> None:
    sink, passed = Kept(), []
    first = written(tmp_path, *events(2), audio(1, 0))  # type: ignore[arg-type]
    second = spool.create(tmp_path)
    tailer = Tailer(tmp_path, sink, passed.append)
    await tailer.once()
    assert passed == []

    first.append(events(1, 2), (), nothing)  # type: ignore[arg-type]
    second.append(events(1, 3), (), nothing)  # type: ignore[arg-type]
    await tailer.once()
    assert passed == [first.spool_id]
    assert [row.rowid for row in sink.rows] == [1, 2, 4, 1]
    assert sink.cursors[first.spool_id] == 4
    tailer.close()
    first.close()
    second.close()


async def test_the_tailer_follows_a_writer_that_rotates(tmp_path: Path) -> None:
    sink, durable = Kept(), threading.Semaphore(0)
    spooler = Spool(tmp_path, SpoolLimits(rotate_bytes=2000))
    spooler.open()
    tailer = Tailer(tmp_path, sink)
    running = asyncio.create_task(tailer.run())
    for number in range(40):
        spooler.put(events(5, number * 5), durable.release)  # type: ignore[arg-type]
        assert await asyncio.to_thread(durable.acquire, timeout=20)
        tailer.wake()
    spooler.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    last = Tailer(tmp_path, sink)
    await last.once()
    last.close()

    assert len(spool.files(tmp_path)) > 2
    ids = [row.payload.split(b'"id":"')[1].split(b'"')[0] for row in sink.rows]
    assert ids == [b"e%d" % number for number in range(200)]
