"""The watched folder: complete recordings are taken in, then lie in done/ or, with a letter, in refused/.

What is being taken lies in .taking/; a process that died there leaves it to the next one. Nothing outside the folder is
ever opened: no link is followed, and stored files have names of our own. Decoding runs in a child process.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing import get_context
from pathlib import Path
from uuid import uuid4

import structlog

from qa.connections import WatchTable
from qa.deliveries import Report
from qa.intake.arrivals import MOST_FILES, Arrival, Arrivals, Seen
from qa.intake.command import fold, take
from qa.intake.plan import plan
from qa.intake.sound import Part, Sound, convert
from qa.services import Services
from qa.settings import SettingsError
from qa.store.duty import Duty
from qa.store.errors import StoreError
from qa.tables import TableError
from speech.errors import AudioError

ACTOR = "watch"
LOOK_SECONDS = 1.0
NAME_BYTES = 240  # of 255, without an ending and a number
MEMORY_BYTES = 4 << 30  # address space of the child
LONGEST_SECONDS = 3600.0  # of one conversion
DONE, REFUSED, TAKING = "done", "refused", ".taking"
log = structlog.get_logger(__name__)


class Child:
    """A process that decodes strangers' files: one that it dies of is refused, and the next one gets a new process."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def convert(self, parts: Sequence[Part], roles: tuple[str, ...] | None, target: Path) -> Sound:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), _bounded)
        work = asyncio.get_running_loop().run_in_executor(self._pool, convert, parts, roles, target)
        try:
            return await asyncio.wait_for(work, LONGEST_SECONDS)
        except (BrokenProcessPool, TimeoutError):
            self.close()
            raise AudioError(str(parts[0].path), "it could not be decoded", "convert it to plain WAV") from None

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)


def _bounded() -> None:
    """In the child: a file that wants more than this is a bomb."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(19)


@dataclass(slots=True)
class Watch:
    """One folder of one site."""

    services: Services
    table: WatchTable
    arrivals: Arrivals = field(init=False)
    child: Child = field(default_factory=Child)

    def __post_init__(self) -> None:
        self.arrivals = Arrivals(self.table.settle_seconds, self.table.sidecar_seconds)

    @property
    def folder(self) -> Path:
        return self.table.folder

    def check(self) -> None:
        if not self.folder.is_dir():
            raise SettingsError([f"watch.folder: no folder {self.folder}; make it, or take [watch] out"])

    def open(self) -> None:
        """Make its shelves, and put back what an earlier process was taking."""
        for name in (DONE, REFUSED, TAKING):
            (self.folder / name).mkdir(exist_ok=True)
        for left in [one for one in (self.folder / TAKING).rglob("*") if not one.is_dir() or one.is_symlink()]:
            _move(left, self.folder)
        for left in (self.folder / TAKING).iterdir():
            shutil.rmtree(left, ignore_errors=True)

    async def turn(self, now: float) -> int:
        """Look once and take what is complete; how many calls were dealt with."""
        entries = await asyncio.to_thread(_listing, self.folder)
        done = 0
        for arrival in self.arrivals.look(entries, now):
            done += await self._deal(arrival)
        if done:
            await fold(self.services)
        return done

    async def _deal(self, arrival: Arrival) -> bool:
        """One call. What cannot be stored now stays, and is tried again at the next turn."""
        room = self.folder / TAKING / uuid4().hex[:12]
        try:
            await asyncio.to_thread(_claim, self.folder, arrival, room)
            faults = [arrival.fault] if arrival.fault else await self._take(room)
        except (StoreError, OSError) as error:
            log.warning("watch.later", call=arrival.call, says=str(error))
            await asyncio.to_thread(_give_back, room, self.folder)
            return False
        await asyncio.to_thread(_away, room, self.folder / (REFUSED if faults else DONE), arrival.call, faults)
        log.info("watch.refused" if faults else "watch.taken", call=arrival.call, files=len(arrival.names))
        return True

    async def _take(self, room: Path) -> list[str]:
        """Why it is refused, line by line; nothing when it was taken or known already."""
        try:
            found = plan([room], self.services.settings.zone)
        except TableError as error:
            return error.faults
        report: Report = await take(
            self.services, found, _quiet, name=room.name, partial=False, actor=ACTOR, make=self.child.convert
        )
        return [f"{one.file}: {one.field}: {one.reason}" for one in report.refused]


def _quiet(done: int, total: int, what: str) -> None:
    """Nobody watches the progress."""


def _listing(folder: Path) -> list[Seen]:
    """What lies in the folder itself; its own shelves and other folders are not looked into."""
    found: list[Seen] = []
    with os.scandir(folder) as entries:
        for entry in islice(entries, MOST_FILES):
            told = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(told.st_mode):
                found.append(Seen(entry.name, told.st_size, told.st_mtime_ns, stat.S_ISREG(told.st_mode)))
    return found


def _claim(folder: Path, arrival: Arrival, room: Path) -> None:
    """Move the files where nobody else touches them; a link that took a file's place meanwhile is no file."""
    room.mkdir(parents=True)
    for name in arrival.names:
        (folder / name).rename(room / name)
    if arrival.fault is None and any(not stat.S_ISREG((room / name).lstat().st_mode) for name in arrival.names):
        raise OSError(f"{arrival.call}: a file became a link while it was taken")


def _give_back(room: Path, folder: Path) -> None:
    if room.is_dir():
        for path in list(room.iterdir()):
            _move(path, folder)
        room.rmdir()


def _away(room: Path, shelf: Path, call: str, faults: Sequence[str]) -> None:
    for path in sorted(room.iterdir()):
        _move(path, shelf)
    room.rmdir()
    if faults:
        letter = _free(shelf / f"{_short(call, NAME_BYTES)}.txt")
        letter.write_text("\n".join([*faults, ""]), encoding="utf-8", errors="backslashreplace")


def _move(path: Path, folder: Path) -> None:
    path.rename(_free(folder / path.name))


def _free(path: Path) -> Path:
    """The same name with a number, where one lies there already."""
    if not os.path.lexists(path):
        return path
    stem = _short(path.stem, NAME_BYTES - len(os.fsencode(path.suffix)))
    names = (path.with_name(f"{stem}-{n}{path.suffix}") for n in count(2))
    return next(one for one in names if not os.path.lexists(one))


def _short(name: str, room: int) -> str:
    """As many characters as have room: a name with a number behind it must not be longer than a name can be."""
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name


def start_watching(services: Services, table: WatchTable) -> None:
    """From now on what another system drops there is taken in. Raises SettingsError where there is no such folder."""
    watch = Watch(services, table)
    watch.check()
    services.tasks.append(asyncio.create_task(watching(watch), name="watch"))
    services.status["watch"] = str(table.folder)


async def watching(watch: Watch) -> None:
    """Until cancelled; of several workers one watches."""
    duty = Duty(watch.services.store.dsn, watch.services.site, "watch")
    clock, opened = asyncio.get_running_loop().time, False
    try:
        while True:
            try:
                if await duty.mine():
                    if not opened:
                        await asyncio.to_thread(watch.open)
                        opened = True
                    await watch.turn(clock())
            except (StoreError, OSError) as error:
                log.warning("watch.waits", says=str(error))
                opened = False
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        watch.child.close()
        duty.close()
