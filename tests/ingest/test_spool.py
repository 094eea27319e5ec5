"""The spool on disk: settings read back, checksums believed, files released in the right order only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import spool
from ingest.errors import SpoolError, SpoolFailed, SpoolLocked
from ingest.rows import Admit, Row, body, event_row, micros
from tests.ingest.values import T0, event

START = body({"role": "agent", "rate": 8000, "encoding": "slin", "at": T0.isoformat(), "epoch": 1})


def nothing(point: str) -> None:
    """No fault."""


def start(call: str = "c1", leg: str = "agent", epoch: int = 1) -> Row:
    return Row("start", "stream", call, leg, micros(T0), START, epoch=epoch)


def audio(seq: int, sample: int, payload: bytes = b"abcd", call: str = "c1", leg: str = "agent") -> Row:
    return Row("audio", "stream", call, leg, micros(T0), payload, seq, sample, len(payload) // 2, 1)


def end(samples: int, call: str = "c1", leg: str = "agent") -> Row:
    return Row("end", "stream", call, leg, micros(T0), body({"samples": samples, "cause": "end"}), 9, samples)


def written(folder: Path, *rows: Row, admits: tuple[Admit, ...] = ()) -> spool.SpoolFile:
    folder.mkdir(exist_ok=True)
    file = spool.create(folder)
    file.append(rows, admits, nothing)
    return file


def spoil(path: Path, statement: str) -> None:
    db = sqlite3.connect(path)
    with db:
        db.execute(statement)
    db.close()


def test_the_writer_commits_to_a_synchronous_log(tmp_path: Path) -> None:
    file = written(tmp_path)
    live = file._db

    assert live.execute("PRAGMA synchronous").fetchone() == (2,)
    assert live.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert live.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    live.execute("PRAGMA synchronous=NORMAL")
    with pytest.raises(SpoolFailed, match="not wal and 2"):
        file.check()
    file.close()


def test_rows_of_a_leg_come_back_over_all_files(tmp_path: Path) -> None:
    for rows in ([start(), audio(1, 0, b"abcd")], [audio(2, 2, b"efgh"), audio(1, 0, call="c2")], [end(4)]):
        written(tmp_path / "p0", *rows).retire()
    leg = spool.read_leg(tmp_path, "c1", "agent")

    assert (leg.segments, leg.gaps, leg.ended, leg.role) == ([(0, b"abcdefgh")], [], "end", "agent")
    assert spool.read_leg(tmp_path / "p0", "c2", "agent").segments == [(0, b"abcd")]


def test_a_leg_that_nobody_stored_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="holds nothing of leg 'agent'"):
        spool.read_leg(tmp_path, "c1", "agent")


def test_audio_under_a_uuid_is_found_by_the_leg_event_that_binds_it(tmp_path: Path) -> None:
    ident = "0f8f0e52-8a39-4d1c-9d0e-6a8f7a3f1b11"
    late = event_row(event("leg", audio={"audiosocket": ident}))
    written(tmp_path / "p0", start(ident, "audiosocket"), audio(1, 0, call=ident, leg="audiosocket")).retire()

    assert spool.read_leg(tmp_path, "c1", "agent", aliases=[ident]).segments == [(0, b"abcd")]
    written(tmp_path / "p1", late).retire()
    assert spool.read_leg(tmp_path, "c1", "agent").segments == [(0, b"abcd")]


def test_a_flipped_bit_becomes_a_gap_and_the_row_is_kept_aside(tmp_path: Path) -> None:
    file = written(tmp_path, start(), audio(1, 0), audio(2, 2), audio(3, 4))
    file.retire()
    spoil(file.path, "UPDATE rows SET payload = x'61626300' WHERE seq = 2")
    leg = spool.read_leg(tmp_path, "c1", "agent")

    assert leg.gaps == [(2, 2, "corrupt")]
    assert leg.segments == [(0, b"abcd"), (4, b"abcd")]
    assert [kept.read_bytes()[-4:] for kept in (tmp_path / "quarantine").iterdir()] == [b"abc\0"]


def test_a_spoiled_event_is_not_carried_but_kept_aside(tmp_path: Path) -> None:
    file = written(tmp_path, event_row(event("offered")), event_row(event("ringing", 1)))
    spoil(file.path, "UPDATE rows SET source = 'forged' WHERE rowid = 1")
    reader = spool.Reader(file.path)
    upto, rows = reader.after(0)

    assert (upto, [row.rowid for row in rows]) == (2, [2])
    assert len(list((tmp_path / "quarantine").iterdir())) == 1
    reader.close()
    file.close()


def test_a_file_that_cannot_be_read_is_set_aside_and_the_start_goes_on(tmp_path: Path) -> None:
    good = written(tmp_path, start(), audio(1, 0))
    good.retire()
    bad = tmp_path / "000000000001-00000000000000aa.db"
    bad.write_bytes(b"this is no database, " * 400)
    found = spool.recover(tmp_path)

    assert found.quarantined == [bad.stem]
    assert list(found.legs) == [("c1", "agent")]
    assert (tmp_path / "quarantine" / bad.name).exists()


def test_a_file_that_cannot_be_read_now_stays_where_it_is(tmp_path: Path) -> None:
    """It is not spoilt: what it holds was acknowledged, and the next start may find it readable."""
    file = written(tmp_path, start(), audio(1, 0))
    file.retire()
    log = tmp_path / f"{file.path.name}-wal"
    log.mkdir()
    with pytest.raises(SpoolError, match="cannot be read now"):
        spool.recover(tmp_path)
    assert file.path.exists() and not (tmp_path / "quarantine").exists()

    log.rmdir()
    assert list(spool.recover(tmp_path).legs) == [("c1", "agent")]


def test_recovery_knows_legs_events_and_tokens(tmp_path: Path) -> None:
    admit = Admit("tok", "used", 1, "c1", "agent", "agent")
    written(tmp_path, start(), audio(1, 0), audio(2, 2), event_row(event("offered")), admits=(admit,)).close()
    written(tmp_path, start("c2"), audio(1, 0, call="c2"), end(2, "c2")).retire()
    found = spool.recover(tmp_path)

    leg = found.legs["c1", "agent"]
    assert (leg.seq, leg.samples, leg.epoch, leg.start["rate"], leg.end) == (2, 4, 1, 8000, None)
    assert found.legs["c2", "agent"].end == {"samples": 2, "cause": "end"}
    assert len(found.keys) == 1
    assert found.admitted == {"tok": admit}


def test_recovery_removes_empty_files_and_half_made_ones(tmp_path: Path) -> None:
    written(tmp_path).close()
    (tmp_path / "0-half.new").write_bytes(b"")
    spool.recover(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_names_sort_in_the_order_of_writing_when_the_clock_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(tmp_path)
    monkeypatch.setattr("ingest.spool.time.time_ns", lambda: 10**15)
    second = written(tmp_path)

    assert spool.files(tmp_path) == [first.path, second.path]
    first.close()
    second.close()


def test_a_folder_has_one_writing_process(tmp_path: Path) -> None:
    held = spool.lock(tmp_path)

    with pytest.raises(SpoolLocked, match="another ingest process writes here"):
        spool.lock(tmp_path)
    held.close()
    spool.lock(tmp_path).close()


@pytest.mark.parametrize(
    ("ready", "cursor", "assembled", "says"),
    [
        (lambda file: file.close(), 3, [("c1", "agent")], "still being written"),
        (lambda file: file.retire(), 2, [("c1", "agent")], "tailer stands at row 2 of 3"),
        (lambda file: file.retire(), 3, [("c2", "agent")], "leg 'agent' of call 'c1' is not assembled"),
    ],
)
def test_a_file_goes_only_after_tailer_and_assembler(
    tmp_path: Path, ready: Callable[[spool.SpoolFile], None], cursor: int, assembled: list[tuple[str, str]], says: str
) -> None:
    file = written(tmp_path, start(), audio(1, 0), end(2))
    ready(file)

    with pytest.raises(SpoolError, match=says):
        spool.release(file.path, cursor, assembled)
    assert file.path.exists()


def test_a_file_that_both_have_passed_goes_with_its_log(tmp_path: Path) -> None:
    file = written(tmp_path, start(), audio(1, 0), end(2))
    file.retire()
    spool.release(file.path, 3, [("c1", "agent"), ("c2", "agent")])

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SpoolError, match="was released"):
        spool.contents(file.path)


def test_a_write_that_fails_is_never_tried_again(tmp_path: Path) -> None:
    file = written(tmp_path, start())
    spoil(file.path, "CREATE TRIGGER broken BEFORE INSERT ON rows BEGIN SELECT RAISE(ABORT, 'disk on fire'); END")

    with pytest.raises(SpoolFailed, match=r"whether the last rows are on disk is unknown.*start again"):
        file.append([audio(1, 0)], (), nothing)
    file.close()


def test_the_fault_point_lies_before_the_commit(tmp_path: Path) -> None:
    file, seen = written(tmp_path), []

    def look(point: str) -> None:
        reader = spool.Reader(file.path)
        seen.append((point, reader.begun()))
        reader.close()

    file.append([start()], (), look)
    assert seen == [("before-commit", False)]
    file.close()
