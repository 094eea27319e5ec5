"""The durable spool on disk: SQLite files in WAL mode, written by one writer, read by anyone. Runs no threads itself.

A folder of one ingest process holds ``<spool_id>.db`` files in the order of their names, a ``lock`` and, when a row
or a file could not be read, ``quarantine/``. COMMIT under ``synchronous=FULL`` is what an acknowledgement rests on.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import IO, Any

from ingest.errors import SpoolError, SpoolFailed, SpoolFull, SpoolGone, SpoolLocked
from ingest.legs import LegAudio
from ingest.pieces import Uses, Written, uses
from ingest.rows import Admit, Row, content_key, crc, event_key, moment
from ingest.sink import SpoolRow

LegName = tuple[str, str]  # call, leg
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_HEAD = 100  # bytes of a database's head; of them
_FORMAT, _NO_LOG = slice(18, 20), b"\1\1"  # say that it is written without a write-ahead log, and
_VERSION, _COPY = slice(60, 64), b"\0\0\0\1"  # (the application's own) that it was handed over
_SPOILT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SPOILT_READ = (sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS)
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0")
_SCHEMA = """BEGIN;
CREATE TABLE rows(rowid INTEGER PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL, call TEXT NOT NULL,
  leg TEXT NOT NULL, seq INTEGER NOT NULL, at_us INTEGER NOT NULL, mono_us INTEGER NOT NULL, sample INTEGER NOT NULL,
  samples INTEGER NOT NULL, epoch INTEGER NOT NULL, name TEXT NOT NULL, key_id TEXT, crc INTEGER NOT NULL,
  payload BLOB NOT NULL);
CREATE TABLE admitted(id TEXT PRIMARY KEY, state TEXT NOT NULL, until_us INTEGER NOT NULL, call TEXT NOT NULL,
  leg TEXT NOT NULL, role TEXT NOT NULL);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
COMMIT;
"""
_COLUMNS = "kind, source, call, leg, at_us, payload, seq, sample, samples, epoch, name, mono_us, key_id, crc"
_INSERT = f"INSERT INTO rows({_COLUMNS}) VALUES({', '.join('?' * 14)})"
_ADMIT = "INSERT OR REPLACE INTO admitted VALUES(?, ?, ?, ?, ?, ?)"
_AFTER = f"SELECT rowid, {_COLUMNS} FROM rows WHERE rowid > ? AND rowid <= ? AND kind <> 'audio' ORDER BY rowid LIMIT ?"
_LEG = f"SELECT rowid, {_COLUMNS} FROM rows WHERE call = ? AND (leg = ? OR ? = '') AND kind <> 'event' ORDER BY rowid"
_LAST = """SELECT call, leg, source, max(seq), max(sample + samples), max(epoch), max(at_us),
  max(mono_us) FROM rows
  WHERE kind IN ('audio', 'gap') GROUP BY call, leg"""
_LAST_OF = f"SELECT * FROM ({_LAST}) WHERE call = ? AND leg = ?"
_TOLD_OF = f"SELECT {_COLUMNS} FROM rows WHERE kind IN ('start', 'end') AND call = ? AND leg = ? ORDER BY rowid"
_ADMITTED = "SELECT id, state, until_us, call, leg, role FROM admitted WHERE id = ?"
_TOLD = f"SELECT {_COLUMNS} FROM rows WHERE kind IN ('start', 'end') ORDER BY rowid"
_KEYS = "SELECT source, name, payload FROM rows WHERE kind = 'event' ORDER BY rowid"
_NAMED = f"SELECT rowid, {_COLUMNS} FROM rows WHERE kind = 'event' AND call = ? AND leg = ? ORDER BY rowid"


@dataclass(slots=True)
class LegTrace:
    """How far a leg had come when its files were last written."""

    call: str
    leg: str
    source: str
    seq: int = 0
    samples: int = 0
    epoch: int = 0
    at_us: int = 0
    mono_us: int = 0  # by the clock that nobody sets; 0 when the machine has started anew since
    start: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] | None = None


@dataclass(slots=True)
class Recovered:
    """What a new process must know of the files that it found."""

    legs: dict[LegName, LegTrace] = field(default_factory=dict)
    keys: dict[bytes, bytes] = field(default_factory=dict)  # event key -> content key
    admitted: dict[str, Admit] = field(default_factory=dict)
    quarantined: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Contents:
    """What must have been passed before a file may go."""

    last_rowid: int
    retired: bool
    legs: frozenset[LegName]  # legs with audio, gaps, starts or ends in this file


class SpoolFile:
    """One file as its writer holds it. Not shared between threads at the same time."""

    def __init__(self, path: Path) -> None:
        self.path, self.spool_id = path, path.stem
        self.bytes = self.rows = 0
        with _told(path):
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            with _told(path):
                for pragma in _PRAGMAS:
                    self._db.execute(f"PRAGMA {pragma}").fetchall()
                self._db.execute("SELECT 1 FROM meta").fetchall()  # opens the log now: later no descriptor may be left
            self.check()
        except SpoolError:
            self._db.close()
            raise

    def check(self) -> None:
        """Read the settings back on this very connection: an acknowledgement means nothing without them."""
        with _told(self.path):
            found = [self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        if found != ["wal", 2]:
            raise SpoolFailed(f"{self.path}: journal_mode and synchronous read back as {found}, not wal and 2 (FULL); "
                              "put the spool on a local disk")  # fmt: skip

    def append(self, rows: Sequence[Row], admits: Sequence[Admit], point: Callable[[str], None]) -> None:
        """All or nothing, durable on return. SpoolFull leaves nothing behind; after SpoolFailed nobody knows."""
        with _told(self.path):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(_INSERT, (_values(row) for row in rows))
                self._db.executemany(_ADMIT, ((a.id, a.state, a.until_us, a.call, a.leg, a.role) for a in admits))
                point("before-commit")
                self._db.execute("COMMIT")
            except sqlite3.Error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        self.bytes += sum(row.size for row in rows)
        self.rows += len(rows)

    def retire(self) -> None:
        """Say that nothing will be added, make reading by leg quick, and fold the WAL into the file."""
        with _told(self.path):
            self._db.execute("CREATE INDEX IF NOT EXISTS by_leg ON rows(call, leg)")
            self._db.execute("INSERT OR REPLACE INTO meta VALUES('retired', '1')")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.close()

    def close(self) -> None:
        self._db.close()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What a write met, as one of our errors: full, or failed."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if _is_full(error):
            raise SpoolFull(f"{path}: the disk is full; make room, writing goes on by itself") from error
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        raise SpoolFailed(
            f"{path}: {name}: {error}; whether the last rows are on disk is unknown. Nothing more is acknowledged: "
            "check the disk and start again, the files will tell"
        ) from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """What a reader met: SpoolFailed when the file is spoilt, another SpoolError when it may be read later."""
    try:
        yield
    except sqlite3.Error as error:
        if _is_full(error):
            raise SpoolFull(f"{path}: the disk is full, not even reading goes on; make room") from error
        name, code = getattr(error, "sqlite_errorname", type(error).__name__), getattr(error, "sqlite_errorcode", None)
        if code is None or code & 0xFF in _SPOILT or code in _SPOILT_READ:
            raise SpoolFailed(f"{path}: is spoilt: {name}: {error}; the next start sets it aside") from error
        raise SpoolError(f"{path}: cannot be read now: {name}: {error}; it is tried again") from error


def _is_full(error: sqlite3.Error | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    code = getattr(error, "sqlite_errorcode", None) or 0
    return code & 0xFF == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE


def _values(row: Row) -> tuple[object, ...]:
    return (row.kind, row.source, row.call, row.leg, row.at_us, row.payload, row.seq, row.sample, row.samples,
            row.epoch, row.name, row.mono_us, row.key_id, crc(row))  # fmt: skip


def create(folder: Path) -> SpoolFile:
    """A new file that sorts after all others, whatever the clock did."""
    with _told(folder):
        names = [path.stem for path in files(folder)]
    now_ms = time.time_ns() // 1_000_000
    last_ms = max((int(name.partition("-")[0], 16) for name in names), default=0)
    path = folder / f"{max(now_ms, last_ms + 1):012x}-{secrets.token_hex(8)}.db"
    made = path.with_suffix(".new")
    try:
        with _told(made):
            with closing(sqlite3.connect(made, isolation_level=None)) as db:
                db.executescript(_SCHEMA)
                db.execute("INSERT INTO meta VALUES('boot', ?)", (_boot(),))
            made.rename(path)  # a reader sees a file with its tables, or none
        return SpoolFile(path)
    except SpoolError:
        for half in (made, made.with_name(f"{made.name}-journal")):
            half.unlink(missing_ok=True)
        remove(path)
        raise


def _boot() -> str:
    """Since when the clock that nobody sets counts: another word after each start of the machine."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return secrets.token_hex(8)  # not to be known here: no file fits another


def files(folder: Path) -> list[Path]:
    """Every spool file of one process, in the order of writing."""
    return sorted(path for path in folder.glob("*.db") if _is_ours(path.stem))


def _is_ours(stem: str) -> bool:
    head, _, tail = stem.partition("-")
    return len(head) == 12 and len(tail) == 16 and not set(head + tail) - set("0123456789abcdef")


def all_files(root: Path) -> list[Path]:
    """The files of every process under *root* (or of the one process whose folder it is)."""
    folders = {path.parent for path in root.rglob("*.db") if path.parent.name != "quarantine"}
    return [path for folder in sorted(folders) for path in files(folder)]


def by_process(root: Path, machine: str | None = "") -> dict[str, list[Path]]:
    """The files under *root* by the process that wrote them, MACHINE/PROCESS, each in the order of writing; without a
    *machine* its folder is one level more."""
    found: dict[str, list[Path]] = {}
    for path in all_files(root):
        folder = path.parent.relative_to(root).as_posix()
        found.setdefault(folder if machine is None else f"{machine}/{folder}", []).append(path)
    return found


def lock(folder: Path) -> IO[str]:
    """One process a folder, for as long as the returned file stays open."""
    folder.mkdir(parents=True, exist_ok=True)
    held = (folder / "lock").open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise SpoolLocked(f"{folder}: another ingest process writes here; stop it, or give this one its own "
                          "spool folder") from None  # fmt: skip
    return held


class Reader:
    """One file as the tailer reads it: short read transactions, so that the WAL is never held open."""

    def __init__(self, path: Path) -> None:
        self.path, self.spool_id = path, path.stem
        with _reading(path):
            self._db = _open(path)

    def after(self, rowid: int, limit: int = 500) -> tuple[int, list[SpoolRow]]:
        """Up to *limit* rows that are no audio, and the rowid up to which everything was passed."""
        with _reading(self.path):
            self._db.execute("BEGIN")
            try:
                (last,) = self._db.execute("SELECT coalesce(max(rowid), 0) FROM rows").fetchone()
                found = self._db.execute(_AFTER, (rowid, last, limit)).fetchall()
            finally:
                if self._db.in_transaction:
                    self._db.execute("COMMIT")
        upto = found[-1][0] if len(found) == limit else last
        rows = [(ident, *_row(values)) for ident, *values in found]
        for ident, row, sound in rows:
            if not sound:
                quarantine_row(self.path, ident, row)
        return upto, [_spool_row(ident, row) for ident, row, sound in rows if sound]

    def begun(self) -> bool:
        """Whether it holds a row. The writer only goes forward, so then no earlier file will grow any more."""
        with _reading(self.path):
            return self._db.execute("SELECT 1 FROM rows LIMIT 1").fetchone() is not None

    def close(self) -> None:
        self._db.close()


def _open(path: Path) -> sqlite3.Connection:
    """For reading only; waits for a writer's short lock. A copy that was handed over never changes: nothing is locked
    or shared for it, which a network folder could not be trusted with."""
    try:
        how = "mode=ro&immutable=1" if _is_copy(path) else "mode=rw"
    except FileNotFoundError:
        raise SpoolGone(f"{path}: is not there; it was released or moved away") from None
    uri = f"{path.resolve().as_uri()}?{how}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10)


def _is_copy(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_HEAD)[_VERSION] == _COPY


def _row(values: Sequence[Any]) -> tuple[Row, bool]:
    """A row and whether its checksum fits."""
    row = Row(*values[:-1])
    return row, crc(row) == values[-1]


def _spool_row(rowid: int, row: Row) -> SpoolRow:
    return SpoolRow(rowid, row.kind, row.source, row.call, row.leg, row.seq, moment(row.at_us), row.payload)


def quarantine_row(path: Path, rowid: int, row: Row) -> Path:
    """Keep what cannot be trusted where a person can look at it; nothing is deleted."""
    folder = path.parent / "quarantine"
    folder.mkdir(exist_ok=True)
    kept = folder / f"{path.stem}-{rowid}.bin"
    kept.write_bytes(f"{row.kind} {row.call!r} {row.leg!r} seq {row.seq} sample {row.sample}\n".encode() + row.payload)
    return kept


def quarantine_file(path: Path) -> None:
    """Move a file that SQLite cannot read aside, with its WAL, and go on."""
    folder = path.parent / "quarantine"
    folder.mkdir(exist_ok=True)
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(folder / part.name)


class Left:
    """A file of an earlier process that is read and still open: closing it folds its log in, which takes seconds."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def retire(self) -> None:
        self._db.close()

    close = retire


def recover(folder: Path, later: list[Left] | None = None) -> Recovered:
    """Read what earlier processes left, and retire their files. A spoilt file never stops the start; a disk that is
    full or away does, and leaves every file where it is. *later* takes what is to be closed once the ports are open.
    """
    found = Recovered()
    for half in folder.glob("*.new*"):  # its maker died before anything was in it
        half.unlink()
    for path in files(folder):
        try:
            with _reading(path), ExitStack() as stack:
                db = stack.enter_context(closing(_open(path)))
                empty = not _scan(db, found)
                if later is not None and not empty:
                    stack.pop_all()
                    later.append(Left(db))
        except SpoolFailed:
            quarantine_file(path)
            found.quarantined.append(path.stem)
            continue
        if empty:
            remove(path)
    return found


def _scan(db: sqlite3.Connection, found: Recovered) -> bool:
    """Take in what one file says, and mark it retired; whether it holds a row.

    The mark's COMMIT syncs the whole log: what a killed process had written, but not synced, is told to senders as
    durable from here on.
    """
    for pragma in _PRAGMAS:
        db.execute(f"PRAGMA {pragma}").fetchall()
    boot = db.execute("SELECT value FROM meta WHERE key = 'boot'").fetchone()
    last = db.execute(_LAST) if boot == (_boot(),) else ((*row[:-1], 0) for row in db.execute(_LAST))
    _trace(last, db.execute(_TOLD), found.legs)
    for source, name, payload in db.execute(_KEYS):
        found.keys[event_key(source, name)] = content_key(payload)
    for values in db.execute("SELECT id, state, until_us, call, leg, role FROM admitted"):
        found.admitted[values[0]] = Admit(*values)
    db.execute("INSERT OR REPLACE INTO meta VALUES('retired', '1')")
    return db.execute("SELECT 1 FROM rows LIMIT 1").fetchone() is not None


def _trace(last: Iterable[Any], told: Iterable[Any], legs: dict[LegName, LegTrace]) -> None:
    """Further what is known of legs, by one file's last rows and what it tells of starts and ends."""
    for call, leg, source, seq, samples, epoch, at_us, mono_us in last:
        trace = legs.setdefault((call, leg), LegTrace(call, leg, source))
        trace.seq, trace.samples = max(trace.seq, seq), max(trace.samples, samples)
        trace.epoch, trace.at_us, trace.end = max(trace.epoch, epoch), max(trace.at_us, at_us), None
        trace.mono_us = max(trace.mono_us, mono_us)
    for values in told:
        row, sound = _row(values)
        if not sound:
            continue
        trace = legs.setdefault((row.call, row.leg), LegTrace(row.call, row.leg, row.source))
        trace.at_us = max(trace.at_us, row.at_us)
        if row.kind == "start":
            trace.start, trace.end, trace.epoch = json.loads(row.payload), None, max(trace.epoch, row.epoch)
        else:
            trace.end = json.loads(row.payload)


def trace(paths: Iterable[Path], call: str, leg: str) -> LegTrace | None:
    """How far one leg has come in these files; None when they hold nothing of it."""
    found: dict[LegName, LegTrace] = {}
    for path in paths:
        try:
            with _reading(path), closing(_open(path)) as db:
                last, told = db.execute(_LAST_OF, (call, leg)).fetchall(), db.execute(_TOLD_OF, (call, leg)).fetchall()
        except SpoolFailed:
            continue  # spoilt: its own process sets it aside
        if last or told:
            _settle(path)
            _trace(last, told, found)
    return found.get((call, leg))


def _settle(path: Path) -> None:
    """Sync the log of a file that another process writes, or wrote until it was killed: what is read here is told to
    a sender as durable."""
    try:
        log = os.open(f"{path}-wal", os.O_RDONLY)
    except FileNotFoundError:
        return  # folded in, and synced by that
    try:
        with _told(path):
            os.fsync(log)
    finally:
        os.close(log)


def admitted(paths: Iterable[Path], ident: str) -> Admit | None:
    """What these files know of a UUID or token; a use weighs more than a registration."""
    found: list[Admit] = []
    for path in paths:
        try:
            with _reading(path), closing(_open(path)) as db:
                found += [Admit(*values) for values in db.execute(_ADMITTED, (ident,))]
        except SpoolFailed:
            continue  # spoilt: its own process sets it aside
    return max(found, key=lambda one: one.state == "used", default=None)


def contents(path: Path) -> Contents:
    """What is in a file, for deciding whether it may go."""
    with _reading(path), closing(_open(path)) as db:
        (last,) = db.execute("SELECT coalesce(max(rowid), 0) FROM rows").fetchone()
        legs = db.execute("SELECT DISTINCT call, leg FROM rows WHERE kind <> 'event'").fetchall()
        retired = db.execute("SELECT 1 FROM meta WHERE key = 'retired'").fetchone() is not None
    return Contents(last, retired, frozenset(map(tuple, legs)))


def last_row(path: Path) -> int | None:
    """The last row of a file that will not grow any more; None while it may."""
    with _reading(path), closing(_open(path)) as db:
        if db.execute("SELECT 1 FROM meta WHERE key = 'retired'").fetchone() is None:
            return None
        (last,) = db.execute("SELECT coalesce(max(rowid), 0) FROM rows").fetchone()
    return int(last)


def release(path: Path, cursor: int, assembled: Iterable[LegName]) -> None:
    """Unlink a retired file once the tailer's cursor and the assembler have both passed it; refuses otherwise."""
    held = contents(path)
    if not held.retired:
        raise SpoolError(f"{path}: is still being written; wait for its rotation")
    if cursor < held.last_rowid:
        raise SpoolError(f"{path}: the tailer stands at row {cursor} of {held.last_rowid}; wait for it")
    if left := held.legs - set(assembled):
        call, leg = min(left)
        raise SpoolError(f"{path}: leg {leg!r} of call {call!r} is not assembled (and {len(left) - 1} more); wait")
    remove(path)


def remove(path: Path) -> None:
    """Unlink a file with its WAL; the caller has made sure that nobody needs it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def copied(path: Path, to: Path) -> None:
    """A retired file with its log folded in, for other machines: synced, and needing no log. SpoolError while that
    cannot be done. *to* counts for nothing until this has returned.
    """
    with _reading(path), closing(_open(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        db.execute("BEGIN")  # while this reads past an empty log, nobody folds anything into the file
        retired = db.execute("SELECT 1 FROM meta WHERE key = 'retired'").fetchone() is not None
        log = path.with_name(f"{path.name}-wal")
        if not retired or (log.exists() and log.stat().st_size):
            raise SpoolError(f"{path}: is still being written or read; it is handed over later")
        with path.open("rb") as source, to.open("wb") as target:
            head = bytearray(source.read(_HEAD))
            head[_FORMAT], head[_VERSION] = _NO_LOG, _COPY
            target.write(head)
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())
        db.execute("COMMIT")


def read_leg(stored: Path | Mapping[str, Sequence[Path]], call: str, leg: str, aliases: Iterable[str] = ()) -> LegAudio:
    """All that is stored of a leg, as ``read_uses`` finds it; what came elsewhere under the same name is left out."""
    audio = read_uses(stored, call, leg, aliases).audio
    if audio is None:
        where = stored if isinstance(stored, Path) else f"{sum(map(len, stored.values()))} files of the spool"
        raise SpoolError(f"{where}: holds nothing of leg {leg!r} of call {call!r}; look at the call's leg events")
    return audio


def read_uses(
    stored: Path | Mapping[str, Sequence[Path]],
    call: str,
    leg: str,
    aliases: Iterable[str] = (),
    met: Callable[[Path], None] = lambda path: None,
) -> Uses:
    """All that is stored of a leg over every file and process, checksums verified; *met* hears of each file with rows.

    *stored* is a folder, or files by process (MACHINE/PROCESS). *aliases* are UUIDs that are bound to this leg by
    events that the caller knows; those of leg events that lie in the same files are found here.
    """
    processes = by_process(stored) if isinstance(stored, Path) else stored
    paths = [path for own in processes.values() for path in own]
    names = {call: leg} | dict.fromkeys([*aliases, *_aliases(paths, call, leg)], "")
    pieces: dict[Written, list[tuple[Row, bool]]] = {}
    for process, own in processes.items():
        for path, (name, which) in product(own, names.items()):
            rows = list(_rows_of(path, name, which))
            if rows:
                met(path)
                pieces.setdefault((process, name), []).extend(rows)
    return uses(pieces)


def _rows_of(path: Path, name: str, which: str) -> Iterator[tuple[Row, bool]]:
    for rowid, row, sound in _readable(path, _LEG, (name, which, which)):
        if not sound:
            quarantine_row(path, rowid, row)
        yield row, sound


def _readable(path: Path, query: str, values: tuple[str, ...]) -> Iterator[tuple[int, Row, bool]]:
    """What can be read of a file; where SQLite cannot go on, the audio is missing and shows as a gap."""
    try:
        with closing(_open(path)) as db:
            for rowid, *found in db.execute(query, values):
                yield rowid, *_row(found)
    except sqlite3.DatabaseError:
        return


def _aliases(paths: Iterable[Path], call: str, leg: str) -> list[str]:
    found: list[str] = []
    for path in paths:
        for _, row, sound in _readable(path, _NAMED, (call, leg)):
            audio = json.loads(row.payload).get("audio", {}) if sound else {}
            found += [audio["audiosocket"]] if "audiosocket" in audio else []
    return found
