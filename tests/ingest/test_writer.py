"""The writing thread: acknowledged after COMMIT only, rotated in time, stopped by a failure."""

from __future__ import annotations

import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ingest import spool
from ingest.errors import SpoolFailed, SpoolFull
from ingest.rows import Admit
from ingest.shell.faults import Faults
from ingest.shell.writer import Spool, SpoolLimits
from ingest.waiting import Done, Ticket, Waiting
from tests.ingest.test_spool import audio, end, spoil, start

WAIT_S = 20.0


def put(spooler: Spool, *rows: object) -> threading.Event:
    durable = threading.Event()
    spooler.put(rows, durable.set)  # type: ignore[arg-type]
    return durable


def until(ready: Callable[[], bool]) -> None:
    """What another thread makes true."""
    end_s = time.monotonic() + WAIT_S
    while not ready():
        assert time.monotonic() < end_s
        threading.Event().wait(0.01)


def live(spooler: Spool) -> Path:
    return spooler.folder / f"{spooler.live_id}.db"


def test_an_acknowledgement_comes_after_its_commit_has_returned(tmp_path: Path) -> None:
    order: list[str] = []
    done = threading.Event()

    def publish(calls: Sequence[Done]) -> None:
        db = sqlite3.connect(live(spooler))
        order.append(f"ack with {db.execute('SELECT count(*) FROM rows').fetchone()[0]} row on disk")
        db.close()
        done.set()

    spooler = Spool(tmp_path, point=order.append, publish=publish)
    spooler.open()
    spooler.put([start()], lambda: None)

    assert done.wait(WAIT_S)
    assert order == ["before-commit", "after-commit-before-ack", "ack with 1 row on disk"]
    spooler.close()


def test_the_live_writer_has_full_sync(tmp_path: Path) -> None:
    spooler = Spool(tmp_path)
    spooler.open()

    assert spooler._file._db.execute("PRAGMA synchronous").fetchone() == (2,)
    spooler.close()


def test_frames_of_one_commit_are_one_row(tmp_path: Path) -> None:
    spooler = Spool(tmp_path)
    spooler.open()
    first = put(spooler, start(), *(audio(n + 1, 2 * n) for n in range(50)))

    assert first.wait(WAIT_S)
    spooler.close()
    (path,) = spool.files(tmp_path)
    db = sqlite3.connect(path)
    assert db.execute("SELECT kind, seq, samples FROM rows").fetchall() == [("start", 0, 0), ("audio", 50, 100)]
    db.close()


def test_closing_stores_what_waits_and_retires_the_file(tmp_path: Path) -> None:
    spooler = Spool(tmp_path)
    spooler.open()
    waiting = [put(spooler, start(call=f"c{n}")) for n in range(20)]
    spooler.close()

    assert all(one.is_set() for one in waiting)
    (path,) = spool.files(tmp_path)
    assert spool.contents(path).retired
    with pytest.raises(SpoolFailed, match="is closed"):
        spooler.put([start()])


def test_rotation_swaps_to_a_prepared_file_and_loses_nothing(tmp_path: Path) -> None:
    swapped = threading.Semaphore(0)
    spooler = Spool(
        tmp_path,
        SpoolLimits(rotate_bytes=1000),
        point=lambda name: swapped.release() if name == "during-rotate" else None,
        carry=lambda: [Admit("tok", "used", 1 << 60, "c1", "agent", "agent")],
    )
    spooler.open()
    assert put(spooler, start()).wait(WAIT_S)
    sent = 0
    while len(spool.files(tmp_path)) < 5:
        sent += 1
        assert put(spooler, audio(sent, 2 * (sent - 1), b"ab" * 2)).wait(WAIT_S)
        if sent % 8 == 0:
            assert swapped.acquire(timeout=WAIT_S)
    spooler.close()

    leg = spool.read_leg(tmp_path, "c1", "agent")
    assert (leg.samples, leg.gaps) == (2 * sent, [])
    found = spool.recover(tmp_path)
    assert found.admitted["tok"].state == "used"
    assert found.legs["c1", "agent"].seq == sent


def test_an_idle_writer_rotates_only_a_file_that_holds_rows(tmp_path: Path) -> None:
    swapped = threading.Event()
    limits = SpoolLimits(rotate_seconds=0.3)
    spooler = Spool(tmp_path, limits, point=lambda name: swapped.set() if name == "during-rotate" else None)
    spooler.open()

    assert not swapped.wait(0.9)
    assert put(spooler, start()).wait(WAIT_S)
    assert swapped.wait(WAIT_S)
    spooler.close()


def test_a_failed_commit_ends_the_acknowledgements(tmp_path: Path) -> None:
    failures: list[SpoolFailed] = []
    failed = threading.Event()

    def fail(error: SpoolFailed) -> None:
        failures.append(error)
        failed.set()

    spooler = Spool(tmp_path, failed=fail)
    spooler.open()
    spoil(live(spooler), "CREATE TRIGGER broken BEFORE INSERT ON rows BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")
    durable = put(spooler, start())

    assert failed.wait(WAIT_S)
    assert not durable.is_set()
    assert "disk on fire" in str(failures[0])
    with pytest.raises(SpoolFailed, match="Start ingest again"):
        spooler.put([start()])
    spooler.close()
    assert spooler.state == "failed"


def test_a_full_queue_refuses_but_never_what_was_read_already() -> None:
    queue = Waiting(limit=1000)
    ticket = Ticket([audio(1, 0, bytes(700))], None)
    queue.put(ticket)

    with pytest.raises(SpoolFull, match="send again later"):
        queue.put(ticket)
    queue.put(ticket, force=True)
    assert queue.fill > 1
    queue.stored(queue.take(0))
    assert queue.fill == 0


def test_no_new_call_is_let_in_when_the_queue_is_nearly_full(tmp_path: Path) -> None:
    hold = threading.Event()
    spooler = Spool(tmp_path, SpoolLimits(queue_bytes=10_000), point=lambda name: hold.wait(WAIT_S) and None)
    spooler.open()
    assert spooler.roomy
    spooler.put([audio(1, 0, bytes(9_000))])

    assert not spooler.roomy
    hold.set()
    spooler.close()


def test_a_fault_counts_its_point_only() -> None:
    hits: list[str] = []
    faults = Faults("after-ack", 2, lambda: hits.append("hit"))
    for point in ("before-commit", "after-ack", "after-ack", "after-ack"):
        faults(point)

    assert hits == ["hit"]


def test_end_rows_are_stored_once_each(tmp_path: Path) -> None:
    spooler = Spool(tmp_path)
    spooler.open()
    assert put(spooler, start(), audio(1, 0), end(2)).wait(WAIT_S)
    spooler.close()

    assert spool.read_leg(tmp_path, "c1", "agent").ended == "end"


def test_a_batch_that_a_full_disk_never_took_is_followed_by_nothing(tmp_path: Path) -> None:
    """The spool closes while the disk is full for much, and has room for the little that came after."""
    acked: list[str] = []
    spooler = Spool(tmp_path)
    spooler.open()
    assert put(spooler, start()).wait(WAIT_S)
    spooler._file._db.execute("PRAGMA max_page_count=1")  # what a full disk is to SQLite
    spooler.put([audio(1, 0, bytes(60_000))], lambda: acked.append("first"))
    until(lambda: spooler.state == "full")
    spooler.put([audio(2, 30_000)], lambda: acked.append("second"))
    spooler.close()

    assert acked == []
    assert spool.read_leg(tmp_path, "c1", "agent").segments == []


def test_a_next_file_that_cannot_be_made_now_is_made_later(tmp_path: Path) -> None:
    """No descriptor is left: rows go on into the old file, and no half of a file stays."""
    swapped = threading.Semaphore(0)
    spooler = Spool(
        tmp_path,
        SpoolLimits(rotate_bytes=1000),
        point=lambda name: swapped.release() if name == "during-rotate" else None,
    )
    spooler.open()
    until(spooler._next.full)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        assert put(spooler, audio(1, 0, bytes(2000))).wait(WAIT_S)
        assert swapped.acquire(timeout=WAIT_S)  # to the one that was prepared
        for seq in range(2, 8):
            assert put(spooler, audio(seq, 1000 * (seq - 1), bytes(2000))).wait(WAIT_S)
        assert not swapped.acquire(timeout=0) and spooler.state == "ok"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert list(tmp_path.glob("*.new*")) == []
    while not swapped.acquire(timeout=0.1):
        assert put(spooler, audio(8, 7000, b"abcd")).wait(WAIT_S)
    spooler.close()
    assert spooler.state == "closed"
    assert spool.read_leg(tmp_path, "c1", "agent").gaps == []


def test_a_file_that_cannot_be_closed_now_is_closed_later(tmp_path: Path) -> None:
    """Its index found no room; until it is retired nobody may release it, and the disk would stay full."""
    swapped, files = threading.Event(), []

    def point(name: str) -> None:
        if name == "during-rotate":
            files[0]._db.execute("PRAGMA max_page_count=1")  # what a full disk is to SQLite
            swapped.set()

    spooler = Spool(tmp_path, SpoolLimits(rotate_bytes=1000), point=point)
    spooler.open()
    files.append(spooler._file)
    until(spooler._next.full)
    assert put(spooler, start(), audio(1, 0, bytes(2000))).wait(WAIT_S)
    assert swapped.wait(WAIT_S)
    assert not spool.contents(files[0].path).retired
    files[0]._db.execute("PRAGMA max_page_count=1000000")
    until(lambda: spool.contents(files[0].path).retired)
    spooler.close()
