"""Our supervisor of an embedded PostgreSQL: makes, starts, adopts, recovers and stops one server in one data folder.

It touches no permission outside its own folder and never deletes ``postmaster.pid``. Several processes may share the
server; the last one out stops it. A process that was killed leaves it running; the next start adopts it. A server
that was killed is started again by a process that watches it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

import asyncpg
import structlog

from qa.store import locks, pidfile, programs
from qa.store.errors import DRIVER, StoreError
from qa.store.faults import explain, tail
from qa.store.pidfile import Note
from qa.store.programs import ENVIRONMENT, Programs, Way

log = structlog.get_logger(__name__)
PORT = 5432
SOCKET_BYTES = 107  # what a Unix socket's address can hold
QUIET_SECONDS = 60.0  # a start that logs nothing for so long has failed; a recovery logs
LOG_BYTES = 5_000_000
PAUSE_S = 0.02
WATCH_S = 0.25  # how often a process that works with the server looks whether it lives
LONGEST_S = 10.0
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "shared_buffers": "48MB",
    "maintenance_work_mem": "32MB",
    "min_wal_size": "32MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "log_startup_progress_interval": "2s",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Embedded:
    """``async with Embedded(data) as server:`` connect to ``server.dsn``."""

    def __init__(self, data: Path, pg_bin: Path | None = None, *, settings: Mapping[str, str] | None = None) -> None:
        self._data = data.expanduser().resolve()
        self._bin = pg_bin
        self._settings = {**SETTINGS, **(settings or {})}
        self._programs = Programs(Path(), 0)
        self._way = Way()
        self._users: locks.Users | None = None
        self._sockets = Path()
        self.adopted = False

    @property
    def folder(self) -> Path:
        """The cluster; its name holds the major version."""
        return self._data / f"postgres-{self._programs.major}"

    @property
    def dsn(self) -> str:
        """Where the service connects; the role is no superuser, so the walls between sites hold."""
        return self.url("seatwatch", "seatwatch")

    def url(self, user: str, database: str) -> str:
        return f"postgresql://{user}@/{database}?host={quote(str(self._sockets), safe='')}&port={PORT}"

    async def __aenter__(self) -> Self:
        self._prepare()
        async with locks.alone(self._beside("start")):
            self._users = locks.Users(self._beside("users"))
            try:
                await self._up()
                await self._furnish()
            except BaseException:
                await asyncio.shield(self._leave())
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(self._exit())

    async def _exit(self) -> None:
        async with locks.alone(self._beside("start")):
            await self._leave()

    async def _leave(self) -> None:
        users, self._users = self._users, None
        if users is not None and users.leave():
            await self._down()

    async def watch(self) -> None:
        """Start the server again whenever it has died; until cancelled. Of several processes one does it."""
        pause = WATCH_S
        while True:
            await asyncio.sleep(pause)
            note = pidfile.read(self.folder)
            if note is not None and pidfile.serves(note.pid, self.folder) is not False:
                continue
            try:
                async with locks.alone(self._beside("start")):
                    await self._up()
                log.warning("postgres.runs_again", folder=str(self.folder), adopted=self.adopted)
                pause = WATCH_S
            except (StoreError, OSError) as error:
                pause = min(pause * 2, LONGEST_S)
                log.error("postgres.away", says=str(error), again_in_seconds=pause)

    # -- before

    def _prepare(self) -> None:
        try:
            self._data.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"{self._data}: cannot be made ({error.strerror}); choose another data folder") from error
        self._entered(self._data)
        self._programs = programs.find(self._bin)
        self._refuse_others()
        owned = self.folder if self.folder.exists() else self._data
        self._programs, self._way = programs.choose(self._programs, self._data, programs.ways(self._entered(owned)))

    def _entered(self, folder: Path) -> os.stat_result:
        found = folder.stat()
        if os.geteuid() not in (0, found.st_uid):
            raise StoreError(
                f"{folder}: belongs to user {found.st_uid}; run as that one, or choose another data folder"
            )
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StoreError(f"{folder}: we may not write there; give it back to the user who runs seatwatch")
        return found

    def _refuse_others(self) -> None:
        """A folder of another major version is not opened, and not passed over in silence."""
        ours = self._programs.major
        if self.folder.exists():
            version = self.folder / "PG_VERSION"
            found = version.read_text(encoding="ascii").strip() if version.exists() else "nothing"
            if found != str(ours):
                raise StoreError(f"{self.folder}: holds version {found}, not {ours}; move the folder away")
            return
        others = sorted(self._data.glob("postgres-[0-9]*/PG_VERSION"))
        if others:
            other = others[-1].parent.name.removeprefix("postgres-")
            raise StoreError(
                f"{others[-1].parent}: was made by PostgreSQL {other}, these programs are {ours}; move it with: "
                f"SEATWATCH_PG_BIN=/path/to/postgresql-{other}/bin seatwatch backup move.tar && "
                f"mv '{others[-1].parent}' '{self._data}/old-{other}' && seatwatch restore move.tar"
            )

    def _beside(self, what: str) -> Path:
        return self._data / f"{self.folder.name}.{what}"

    # -- up

    async def _up(self) -> None:
        note = await self._running()
        if note is not None and note.sockets is not None:
            self._sockets, self.adopted = note.sockets, True
            return
        if not self.folder.exists():
            await asyncio.to_thread(self._make)
        for last in (*(False,) * 20, True):
            if await self._start(give_up=last):
                return
            await asyncio.sleep(0.5)  # children of a killed server have not ended yet

    async def _running(self) -> Note | None:
        """A server of ours that answers, waited for while it starts or stops."""
        since = time.monotonic()
        while (note := pidfile.read(self.folder)) is not None:
            if pidfile.serves(note.pid, self.folder) is False:
                return None
            if note.status == "ready" and await self._answers(note):
                return note
            if note.status == "ready" and time.monotonic() - since > _patience(note):
                if pidfile.serves(note.pid, self.folder) is None:
                    return None
                await self._end(note.pid)  # alive, ours, and its socket is gone
            await asyncio.sleep(PAUSE_S)
        return None

    async def _answers(self, note: Note) -> bool:
        if note.sockets is None:
            return False
        try:
            conn = await asyncpg.connect(host=str(note.sockets), port=note.port, user="postgres", timeout=5)
        except (*DRIVER, TimeoutError):
            return False
        try:
            serves = Path(await conn.fetchval("SHOW data_directory"))
            return os.path.realpath(serves) == os.path.realpath(self.folder)
        finally:
            await conn.close()

    def _make(self) -> None:
        """initdb beside the place, then one rename: a killed one leaves no half cluster."""
        fresh = self._data / f"{self.folder.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._own_folder(fresh)
        made = self._way.run(
            *(self._programs.initdb, "--pgdata", str(fresh), "--username=postgres", "--auth=trust"),
            *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *("--data-checksums", "--no-instructions"),
            *(["--no-sync"] if self._settings["fsync"] == "off" else []),
        )
        if made.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise StoreError(explain(self._data, made.stderr or made.stdout))
        fresh.rename(self.folder)

    def _own_folder(self, folder: Path) -> None:
        """A folder of ours, 0700, that the server's user owns."""
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise StoreError(explain(self._data, str(error))) from error
        if self._way.uid is not None and self._way.gid is not None:
            os.chown(folder, self._way.uid, self._way.gid)
            if self._data.stat().st_uid != self._way.uid:
                self._data.chmod(self._data.stat().st_mode | 0o011)

    def _socket_folder(self) -> Path:
        """Inside the data folder if the name is short and plain, else a private one under the system's temp folder."""
        inside = self._data / "run"
        address = os.fsencode(inside / f".s.PGSQL.{PORT}")
        if len(address) <= SOCKET_BYTES and re.fullmatch(r"[\w/. -]+", str(inside)):
            if not inside.exists():
                self._own_folder(inside)
            return inside
        note = pidfile.read(self.folder)
        if note and note.sockets and note.sockets.is_dir() and os.access(note.sockets, os.W_OK):
            return note.sockets  # of the server that was killed; one is enough
        fresh = Path(tempfile.mkdtemp(prefix="seatwatch-"))
        if len(os.fsencode(fresh / f".s.PGSQL.{PORT}")) > SOCKET_BYTES:
            fresh.rmdir()
            fresh = Path(tempfile.mkdtemp(prefix="seatwatch-", dir="/tmp"))
        if self._way.uid is not None and self._way.gid is not None:
            os.chown(fresh, self._way.uid, self._way.gid)
        return fresh

    async def _start(self, *, give_up: bool) -> bool:
        """Start and wait until it is ready; False when a little later may do."""
        self._sockets = self._socket_folder()
        log = self._beside("log")
        begins = _rotate(log)
        child = self._spawn(log)
        seen, since = begins, time.monotonic()
        while True:
            note = pidfile.read(self.folder)
            if note is not None and note.pid == child.pid and note.status == "ready":
                return True
            if child.poll() is not None:
                said = tail(log, begins)
                if "still in use" in said and not give_up:
                    return False
                raise StoreError(explain(self.folder, said, log))
            if (size := log.stat().st_size) != seen:
                seen, since = size, time.monotonic()  # it tells that it recovers: no limit while it does
            if time.monotonic() - since > QUIET_SECONDS:
                await self._end(child.pid)
                raise StoreError(explain(self.folder, tail(log, begins), log))
            await asyncio.sleep(PAUSE_S)

    def _spawn(self, log: Path) -> subprocess.Popen[bytes]:
        note = pidfile.read(self.folder)
        stale = {"PG_GRANDPARENT_PID": str(note.pid)} if note is not None and pidfile.alive(note.pid) else {}
        options = {**self._settings, "unix_socket_directories": str(self._sockets), "port": str(PORT)}
        set_up = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with os.fdopen(locks.handle(log, os.O_APPEND), "ab") as out:
            child = subprocess.Popen(
                [*self._way.prefix, self._programs.postgres, "-D", str(self.folder), *set_up],
                user=self._way.uid,
                group=self._way.gid,
                extra_groups=self._way.groups,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                env={**ENVIRONMENT, **stale},
                start_new_session=True,  # the terminal's Ctrl-C is for us, not for the server
            )
        threading.Thread(target=child.wait, daemon=True, name="postgres").start()  # reaps it, whenever it ends
        return child

    async def _furnish(self) -> None:
        """The service's role and database, once per cluster."""
        conn = await asyncpg.connect(self.url("postgres", "postgres"), timeout=30)
        try:
            if await conn.fetchval("SELECT 1 FROM pg_database WHERE datname = 'seatwatch'"):
                return
            for role, login in (("seatwatch", "LOGIN"), ("seatwatch_app", "NOLOGIN")):
                if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                    await conn.execute(f"CREATE ROLE {role} {login}")
            await conn.execute("GRANT seatwatch_app TO seatwatch WITH SET TRUE, INHERIT FALSE")
            await conn.execute("CREATE DATABASE seatwatch OWNER seatwatch")
        finally:
            await conn.close()

    # -- down

    async def _down(self) -> None:
        note = pidfile.read(self.folder)
        if note is not None and pidfile.serves(note.pid, self.folder) is not False:
            await self._end(note.pid)
        if self._sockets != self._data / "run" and self._sockets.name.startswith("seatwatch-"):
            shutil.rmtree(self._sockets, ignore_errors=True)

    async def _end(self, pid: int) -> None:
        """Fast stop: sessions are cut, everything is written; after a minute at once, and the next start recovers."""
        for sign, patience in ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0)):
            since = time.monotonic()
            try:
                os.kill(pid, sign)
                while pidfile.alive(pid) and time.monotonic() - since < patience:
                    if pidfile.read(self.folder) is None and pidfile.serves(pid, self.folder) is False:
                        return
                    await asyncio.sleep(PAUSE_S)
            except ProcessLookupError:
                return
            if not pidfile.alive(pid):
                return


def _patience(note: Note) -> float:
    """How long a ready server may be mute; without its socket it will never answer."""
    swept = note.sockets is not None and not (note.sockets / f".s.PGSQL.{note.port}").exists()
    return 0.5 if swept else 5.0


def _rotate(log: Path) -> int:
    """Where the log continues; a long one is put aside first."""
    if not log.exists():
        return 0
    size = log.stat().st_size
    if size < LOG_BYTES:
        return size
    log.replace(log.with_suffix(".log.old"))
    return 0
