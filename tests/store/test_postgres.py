"""The embedded server: starts, recovers, is adopted, is shared, refuses, and says in one line what is wrong."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest

from qa.store import pidfile, programs
from qa.store.errors import ServerTooOld, StoreError
from qa.store.faults import explain
from qa.store.pool import Store
from qa.store.postgres import SETTINGS, Embedded
from qa.store.programs import UNSHARED, Way
from qa.store.source import database

QUICK = {"fsync": "off"}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root must run the server as somebody else")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder name as people have them."""
    return tmp_path_factory.mktemp("坐席 data") / "seat watch"


async def ask(dsn: str, question: str) -> object:
    conn = await asyncpg.connect(dsn)
    try:
        return await conn.fetchval(question)
    finally:
        await conn.close()


def note_of(server: Embedded) -> pidfile.Note:
    note = pidfile.read(server.folder)
    assert note is not None
    return note


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while pidfile.alive(pid):  # noqa: ASYNC110 - a process that is not ours ends; no event tells
            await asyncio.sleep(0.01)


async def test_it_starts_in_any_folder_and_keeps_what_was_committed(data: Path) -> None:
    data.parent.chmod(0o750)
    async with Embedded(data, settings=QUICK) as server:
        assert server.folder == data / "postgres-18" and not server.adopted
        assert await ask(server.dsn, "SHOW listen_addresses") == ""
        locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
        assert await ask(server.dsn, locale) == "bC.UTF-8"
        assert await ask(server.dsn, "SELECT lower('À坐')") == "à坐"
        assert await ask(server.dsn, "SHOW data_checksums") == "on"
        assert await ask(server.dsn, "SELECT current_user") == "seatwatch"
        assert (data / "run").stat().st_mode & 0o077 == 0
        await ask(server.dsn, "CREATE TABLE kept AS SELECT 1 AS n")
        pid = note_of(server).pid
    await gone(pid)
    assert pidfile.read(server.folder) is None
    assert data.parent.stat().st_mode & 0o777 == 0o750, "a folder that is not ours keeps its permissions"
    async with Embedded(data, settings=QUICK) as server:
        assert await ask(server.dsn, "SELECT n FROM kept") == 1


def test_what_is_committed_is_on_the_disk() -> None:
    assert (SETTINGS["fsync"], SETTINGS["synchronous_commit"]) == ("on", "on")


async def test_killed_with_all_its_children_it_recovers_every_committed_row(data: Path) -> None:
    async with Embedded(data, settings=QUICK) as server:
        await ask(server.dsn, "CREATE TABLE IF NOT EXISTS rows (n int)")
        await ask(server.dsn, "INSERT INTO rows SELECT generate_series(1, 100)")
        pid = note_of(server).pid
        os.killpg(pid, signal.SIGKILL)
        await gone(pid)
        assert (server.folder / "postmaster.pid").exists()
        async with Embedded(data, settings=QUICK) as again:
            assert not again.adopted
            assert await ask(again.dsn, "SELECT count(*) FROM rows") == 100


async def test_a_killed_postmaster_whose_children_linger_is_followed_by_a_new_one(data: Path) -> None:
    async with Embedded(data, settings=QUICK) as server:
        conn = await asyncpg.connect(server.dsn)
        pid = note_of(server).pid
        os.kill(pid, signal.SIGKILL)
        async with Embedded(data, settings=QUICK) as again:
            assert await ask(again.dsn, "SELECT 1") == 1
            assert note_of(again).pid != pid
        conn.terminate()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("zombie", [False, True])
async def test_a_pid_that_is_now_a_strangers_stands_in_nobodys_way(
    data: Path, stranger: subprocess.Popen[bytes], zombie: bool
) -> None:
    async with Embedded(data, settings=QUICK) as server:
        pid = note_of(server).pid
        os.killpg(pid, signal.SIGKILL)
        await gone(pid)
    place = data / "postgres-18/postmaster.pid"
    place.write_text(place.read_text().replace(str(pid), str(stranger.pid), 1))
    if zombie:
        stranger.kill()
    async with Embedded(data, settings=QUICK) as server:
        assert await ask(server.dsn, "SELECT 1") == 1 and not server.adopted
    assert zombie or stranger.poll() is None, "the stranger was left alone"


HOLDER = """
import asyncio, sys
from pathlib import Path
from qa.store.postgres import SETTINGS, Embedded
async def main():
    async with Embedded(Path(sys.argv[1]), settings={"fsync": "off"}) as server:
        print(server.adopted, flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


def holder(data: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.first = process.stdout.readline().strip()  # type: ignore[attr-defined]
    return process


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


async def test_a_server_whose_process_was_killed_is_adopted_and_the_last_one_out_stops_it(data: Path) -> None:
    first = await asyncio.to_thread(holder, data)
    first.kill()
    end(first)
    async with Embedded(data, settings=QUICK) as server:
        assert server.adopted
        pid = note_of(server).pid
        second = await asyncio.to_thread(holder, data)
        assert second.first == "True"  # type: ignore[attr-defined]
    assert pidfile.alive(pid), "the second one still works with it"
    await asyncio.to_thread(end, second)
    await gone(pid)


async def test_many_that_start_at_once_share_one_server(data: Path) -> None:
    @asynccontextmanager
    async def one() -> AsyncIterator[int]:
        async with Embedded(data, settings=QUICK) as server:
            yield note_of(server).pid

    together = asyncio.Barrier(4)

    async def use() -> int:
        async with one() as pid:
            await together.wait()
            return pid

    assert len(set(await asyncio.gather(*(use() for _ in range(4))))) == 1
    assert pidfile.read(data / "postgres-18") is None


async def test_a_live_server_whose_socket_was_swept_away_is_replaced(data: Path) -> None:
    first = await asyncio.to_thread(holder, data)
    first.kill()
    end(first)
    for socket in (data / "run").iterdir():
        socket.unlink()
    async with Embedded(data, settings=QUICK) as server:
        assert await ask(server.dsn, "SELECT 1") == 1 and not server.adopted


async def test_a_long_folder_name_gets_a_short_private_socket_that_is_removed(tmp_path: Path) -> None:
    place = tmp_path / ("很长的名字" * 6) / "data, with a comma"
    async with Embedded(place, settings=QUICK) as server:
        sockets = note_of(server).sockets
        assert sockets is not None and sockets.stat().st_mode & 0o777 == 0o700
        assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 107
        store = await Store.open(server.dsn)
        await store.close()
    assert not sockets.exists()


async def test_a_folder_of_another_version_is_refused_with_the_command_that_moves_it(tmp_path: Path) -> None:
    (tmp_path / "postgres-17").mkdir()
    (tmp_path / "postgres-17/PG_VERSION").write_text("17\n")
    with pytest.raises(StoreError, match=r"SEATWATCH_PG_BIN=.* seatwatch backup .* seatwatch restore"):
        async with Embedded(tmp_path):
            raise AssertionError("unreachable")
    (tmp_path / "postgres-17").rename(tmp_path / "postgres-18")
    with pytest.raises(StoreError, match="holds version 17"):
        async with Embedded(tmp_path):
            raise AssertionError("unreachable")


async def test_a_data_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another data folder") as told:
        async with Embedded(tmp_path / "file/data"):
            raise AssertionError("unreachable")
    assert "\n" not in str(told.value)


@AS_ROOT
async def test_a_full_disk_is_one_line_and_leaves_no_half_cluster(tmp_path: Path) -> None:
    mounted = await asyncio.to_thread(subprocess.run, ["mount", "-t", "tmpfs", "-o", "size=12m", "none", tmp_path])
    if mounted.returncode:
        pytest.skip("mount is refused here")
    try:
        with pytest.raises(StoreError, match="disk is full; free space"):
            async with Embedded(tmp_path / "data"):
                raise AssertionError("unreachable")
        assert not (tmp_path / "data/postgres-18").exists()
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", tmp_path], check=True)


@AS_ROOT
def test_a_folder_of_somebody_else_is_one_line(tmp_path: Path) -> None:
    """Asked as an ordinary user, in a process of its own."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from qa.store.postgres import Embedded\n"
        "os.setegid(65534); os.seteuid(65534)\n"
        "try:\n    Embedded(Path(sys.argv[1]))._prepare()\n"
        "except Exception as error:\n    print(type(error).__name__, error)"
    )
    with tempfile.TemporaryDirectory(prefix="seatwatch") as name:
        Path(name).chmod(0o755)
        (Path(name) / "data").mkdir(mode=0o755)
        told = subprocess.run(
            [sys.executable, "-c", code, f"{name}/data"], capture_output=True, text=True, check=True
        ).stdout.strip()
    assert told.startswith("StoreError") and "belongs to user 0" in told and "\n" not in told


@AS_ROOT
async def test_in_a_users_folder_root_runs_it_as_that_user() -> None:
    with tempfile.TemporaryDirectory(prefix="seat watch ") as name:
        place = Path(name)
        place.chmod(0o755)
        mine = place / "data"
        mine.mkdir(mode=0o700)
        os.chown(mine, 65534, 65534)
        async with Embedded(mine, settings=QUICK) as server:
            assert server.folder.stat().st_uid == 65534
            assert Path(f"/proc/{note_of(server).pid}").stat().st_uid == 65534
            assert {path.stat().st_uid for path in mine.iterdir()} == {65534}
        assert place.stat().st_mode & 0o777 == 0o755


@AS_ROOT
def test_as_root_it_is_unshared_then_nobody_then_a_copy_in_our_folder(tmp_path: Path) -> None:
    found = programs.find()
    refused = Way(("false",))
    assert programs.ways(tmp_path.stat()) == [UNSHARED, programs.nobody()]
    assert programs.choose(found, tmp_path, [refused, Way()]) == (found, Way())
    with tempfile.TemporaryDirectory(prefix="seatwatch") as name:
        hidden = Path(name) / "hidden"
        open_to_all = Path(name) / "data"
        Path(name).chmod(0o711)
        hidden.mkdir(mode=0o700)
        open_to_all.mkdir(mode=0o700)
        (hidden / "pg").symlink_to(found.folder.parent)
        inside = programs.Programs(hidden / "pg/bin", found.major)
        copied, way = programs.choose(inside, open_to_all, [refused, programs.nobody()])
        assert way == programs.nobody() and copied.folder.is_relative_to(open_to_all)
        assert hidden.stat().st_mode & 0o777 == 0o700


def test_programs_that_are_not_there_or_too_old_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="has no postgres that runs"):
        programs.find(tmp_path)
    old = programs.find().folder.parents[1] / "pginstall/bin"
    if not old.exists():
        pytest.skip("the wheel holds no older version")
    with pytest.raises(StoreError, match="is PostgreSQL 16; seatwatch needs 17"):
        programs.find(old)


async def test_an_external_server_that_is_too_old_is_refused_and_a_new_one_serves(
    tmp_path: Path, cluster: Embedded
) -> None:
    async with database(cluster.dsn, tmp_path / "unused") as named:
        assert not named.embedded
        store = await Store.open(named.dsn)
        assert await store.migrate()
        await store.close()
    assert not (tmp_path / "unused").exists()
    old = programs.find().folder.parents[1] / "pginstall/bin"
    if not old.exists():
        pytest.skip("the wheel holds no older version")
    way = programs.choose(programs.Programs(old, 16), tmp_path, programs.ways(tmp_path.stat()))[1]
    made = way.run(str(old / "initdb"), "-D", str(tmp_path / "old"), "--no-sync", "--username=postgres", "--auth=trust")
    assert made.returncode == 0, made.stderr
    with tempfile.TemporaryDirectory() as sockets, _serving(way, old, tmp_path, sockets):
        async with asyncio.timeout(30):
            while (note := pidfile.read(tmp_path / "old")) is None or note.status != "ready":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        with pytest.raises(ServerTooOld, match="is PostgreSQL 16; seatwatch needs 17"):
            await Store.open(f"postgresql://postgres@/postgres?host={sockets}")


@contextmanager
def _serving(way: Way, programs_folder: Path, place: Path, sockets: str) -> Iterator[None]:
    postgres = str(programs_folder / "postgres")
    command = [*way.prefix, postgres, "-D", str(place / "old"), "-h", "", "-k", sockets]
    with (
        (place / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, user=way.uid, group=way.gid) as server,
    ):
        yield
        server.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ('FATAL:  could not write lock file "postmaster.pid": No space left on device', "the disk is full"),
        ("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use", "wait a few seconds"),
        ("PANIC:  could not locate a valid checkpoint record", "seatwatch restore"),
        ('FATAL:  could not open file "x": Permission denied', "give it back"),
        ("LOG:  a\nFATAL:  something new", "FATAL:  something new; more in"),
        ("", "it said nothing"),
    ],
)
def test_what_the_server_prints_becomes_one_line(printed: str, says: str) -> None:
    line = explain(Path("/data/postgres-18"), printed, Path("/data/log"))
    assert says in line and line.startswith("/data/postgres-18: ") and "\n" not in line
