"""Spool files on their way to the folder that all machines of a site share, so that any of them can assemble a call.

One mover a process: it copies each file that is complete and carried, says so in Postgres, and takes its own copy away
when the call's assembler has released the file. Ingest neither waits for it nor knows of it.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest import spool
from ingest.errors import SpoolError
from qa.store import choices, spools
from qa.store.errors import StoreAway, StoreBusy, StoreFull
from qa.store.pool import Store

ACTOR = "handover"
ROUND_SECONDS = 1.0
AWAY_SECONDS = 5.0
ROTATE_SECONDS = 10.0  # a call is whole on the other machines about this long after its end
MARK = "seatwatch-folder"  # says which folder this is: an empty mount point looks like one, too
POINTS = ("copied", "renamed", "recorded", "taken-away")
log = structlog.get_logger(__name__)


class WrongFolder(Exception):
    """A folder that is not the one that the site's machines share."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a process finds spool files: its machine's own, and those that were handed over (None: there is but one
    machine)."""

    own: Path
    shared: Path | None = None
    machine: str = ""

    def processes(self) -> dict[str, list[Path]]:
        """Files by process. One that lies in both places is read once, here."""
        found = spool.by_process(self.own, self.machine)
        if self.shared is None:
            return found
        here = {path.stem for paths in found.values() for path in paths}
        for process, paths in spool.by_process(self.shared, None).items():
            fresh = [path for path in paths if path.stem not in here]
            found[process] = sorted([*found.get(process, []), *fresh], key=lambda path: path.name)
        return found

    def of(self, files: Mapping[str, Sequence[Path]], holding: Collection[str]) -> dict[str, list[Path]]:
        """Those that have to be read for a call: what is in a file is known from when it was handed over."""
        needed = {
            process: [path for path in paths if path.stem in holding or path.is_relative_to(self.own)]
            for process, paths in files.items()
        }
        return {process: paths for process, paths in needed.items() if paths}


async def _nobody(_: str) -> None:
    """Nobody watches the steps."""


@dataclass(slots=True)
class Mover:
    """The files of one process. ``folder`` is where it writes them, ``shared`` the site's place in the shared folder,
    ``home`` MACHINE/PROCESS: the folder below it."""

    store: Store
    site: str
    folder: Path
    shared: Path
    home: str
    step: Callable[[str], Awaitable[None]] = _nobody
    away: str = ""  # why nothing moves now

    async def run(self) -> None:
        """Until cancelled. Whatever is away is waited for, and said once."""
        while True:
            try:
                await self.once()
            except (OSError, SpoolError, WrongFolder, StoreAway, StoreBusy, StoreFull) as error:
                if str(error) != self.away:
                    log.warning("handover.waits", says=str(error))
                    self.away = str(error)
                await asyncio.sleep(AWAY_SECONDS)
            else:
                if self.away:
                    log.info("handover.goes_on", folder=str(self.shared))
                    self.away = ""
            await asyncio.sleep(ROUND_SECONDS)

    async def once(self) -> int:
        """Hand over what is complete and take away what was released; how many files were handed over."""
        stored = await asyncio.to_thread(spool.files, self.folder)
        async with self.store.site(self.site, ACTOR) as tx:
            stands = await spools.handed(tx, [path.stem for path in stored])
        moved = 0
        for path in stored:
            if path.stem not in stands:
                moved += await self._hand(path)
            elif stands[path.stem].released:
                await asyncio.to_thread(spool.remove, path)
                await self.step("taken-away")
        return moved

    async def _hand(self, path: Path) -> bool:
        """One file; False when it is not complete, not carried to its end yet, or not to be read now."""
        try:
            if not await self._carried(path):
                return False
            held = await asyncio.to_thread(spool.contents, path)
            await self._right_folder()
            fresh = self.place / f"{path.stem}.new"
            await asyncio.to_thread(_copied, path, fresh)
        except SpoolError as error:  # this one has to wait, the others go
            log.debug("handover.later", says=str(error))
            return False
        await self.step("copied")
        await asyncio.to_thread(_named, fresh, self.place / path.name)
        await self.step("renamed")
        await self._right_folder()  # still: what lies under an empty mount point is nowhere
        async with self.store.site(self.site, ACTOR) as tx:
            await spools.hand(tx, path.stem, self.home, held.legs)
        await self.step("recorded")
        return True

    async def _right_folder(self) -> None:
        await check(self.store, self.site, "handover", self.shared)

    async def _carried(self, path: Path) -> bool:
        last = await asyncio.to_thread(spool.last_row, path)
        if last is None:
            return False
        async with self.store.site(self.site, ACTOR) as tx:
            return await spools.cursor(tx, path.stem) >= last

    @property
    def place(self) -> Path:
        """Where this process's files go."""
        return self.shared / self.home


def _copied(path: Path, fresh: Path) -> None:
    fresh.parent.mkdir(parents=True, exist_ok=True)
    try:
        spool.copied(path, fresh)
    except OSError:
        fresh.unlink(missing_ok=True)  # half a file would keep a full folder full
        raise


def _named(fresh: Path, path: Path) -> None:
    """Under its own name, and that on the disk."""
    fresh.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


async def check(store: Store, site: str, name: str, folder: Path) -> None:
    """WrongFolder unless this is the one that the site's other machines use; the first of them marks it."""
    if not await asyncio.to_thread(folder.parent.is_dir):
        raise WrongFolder(f"{name}: {folder.parent} is no folder here; mount it, all files wait on their own disks")
    async with store.site(site, ACTOR) as tx:
        known = await choices.get(tx, f"folder.{name}")
    if known is None:
        mark = await asyncio.to_thread(_marked, folder)
        async with store.site(site, ACTOR) as tx:
            known = await choices.first(tx, f"folder.{name}", mark)
    if await asyncio.to_thread(_mark, folder) != known:
        raise WrongFolder(
            f"{name}: {folder} is not the folder that this site's machines share ({MARK} in it is missing or another's"
            "); mount the right one, all files wait on their own disks"
        )


async def same_key(store: Store, site: str, secret: bytes) -> bool:
    """Whether the key that signs UUIDs and tokens is that of the site's other machines; the first one's stands."""
    print_of = hmac.digest(secret, b"seatwatch machines", "sha256").hex()
    async with store.site(site, ACTOR) as tx:
        stands: str = await choices.first(tx, "token_key", print_of)
    return stands == print_of


def _marked(folder: Path) -> str:
    """Say which folder this is, unless that is said."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with (folder / MARK).open("x", encoding="ascii") as file:
            file.write(secrets.token_hex(16))
    except FileExistsError:
        log.debug("handover.marked_before", folder=str(folder))
    mark = _mark(folder)
    if not mark:
        raise WrongFolder(f"{folder}: its file {MARK} is empty; take it away, it is made again")
    return mark


def _mark(folder: Path) -> str | None:
    try:
        return (folder / MARK).read_text(encoding="ascii")
    except FileNotFoundError:
        return None
