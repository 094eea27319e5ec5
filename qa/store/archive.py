"""One backup file: a tar of named parts with a manifest of their hashes, checked whole before anything is restored.

It knows files and hashes, no database.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

from qa.store.errors import StoreError

FORMAT = 1
MANIFEST = "manifest.json"
_CHUNK = 1 << 20


class Writer:
    """Writes beside the place and renames at the end, so that a stopped backup leaves no file that looks whole."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._partial = place.with_name(place.name + ".partial")
        self._files: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # it holds secrets
        except OSError as error:
            raise StoreError(f"{self._place}: cannot be written ({error.strerror}); choose another place") from error
        self._file = os.fdopen(handle, "wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)
        return self

    def add(self, name: str, path: Path) -> None:
        """Put a file in under a name."""
        self._files[name] = _digest(path)
        self._tar.add(path, name, recursive=False)

    def add_folder(self, name: str, folder: Path) -> int:
        """Put in every regular file of a folder; how many there were."""
        found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
        for path in found:
            self.add(f"{name}/{path.relative_to(folder).as_posix()}", path)
        return len(found)

    def close(self, told: dict[str, Any]) -> None:
        """The manifest, the bytes on the disk, the name."""
        body = json.dumps({"format": FORMAT, "files": self._files, **told}, ensure_ascii=False, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(body), 0o600
        self._tar.addfile(info, io.BytesIO(body))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.replace(self._place)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()
        self._partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StoreError(f"{self._place}: backup failed ({error.strerror or error}); free space there") from error


class Reader:
    """A backup that was found whole."""

    def __init__(self, place: Path) -> None:
        self._place = place
        try:
            self._tar = tarfile.open(place, mode="r:")  # noqa: SIM115 - closed in __exit__
        except FileNotFoundError as error:
            raise StoreError(f"{place}: no such file; name a backup") from error
        except (tarfile.TarError, OSError) as error:
            raise StoreError(f"{place}: is no backup of seatwatch ({error}); name one") from error

    def __enter__(self) -> Self:
        try:
            self._members = {one.name: one for one in self._tar if one.isreg()}
            self.manifest: dict[str, Any] = json.loads(self._read(MANIFEST))
            self._check()
        except (KeyError, ValueError, tarfile.TarError, OSError) as error:
            self._tar.close()
            raise StoreError(f"{self._place}: is cut off or no backup of seatwatch; take another copy") from error
        except StoreError:
            self._tar.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._tar.close()

    def names(self, folder: str) -> list[str]:
        """Names of the parts below a folder, without it."""
        lead = folder + "/"
        return [name.removeprefix(lead) for name in self.manifest["files"] if name.startswith(lead)]

    def extract(self, name: str, to: Path) -> None:
        """One part as a file, readable by its owner only."""
        to.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        source = self._tar.extractfile(self._members[name])
        assert source is not None  # it is a regular file
        fresh = to.with_name(to.name + ".partial")
        with source, os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            shutil.copyfileobj(source, out, _CHUNK)
        fresh.replace(to)

    def extract_folder(self, folder: str, to: Path) -> int:
        """All parts below a folder; how many."""
        found = self.names(folder)
        for name in found:
            self.extract(f"{folder}/{name}", to / name)
        return len(found)

    def _check(self) -> None:
        if self.manifest.get("format") != FORMAT:
            raise StoreError(f"{self._place}: format {self.manifest.get('format')}; use the release that wrote it")
        for name, sha in self.manifest["files"].items():
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or name not in self._members:
                raise StoreError(f"{self._place}: part {name!r} is missing or leads outside; take another copy")
            if self._sha(name) != sha:
                raise StoreError(f"{self._place}: part {name!r} is damaged; take another copy")

    def _sha(self, name: str) -> str:
        digest = hashlib.sha256()
        for chunk in self._chunks(name):
            digest.update(chunk)
        return digest.hexdigest()

    def _read(self, name: str) -> bytes:
        return b"".join(self._chunks(name))

    def _chunks(self, name: str) -> Iterator[bytes]:
        source = self._tar.extractfile(self._members[name])
        assert source is not None  # it is a regular file
        with source:
            while chunk := source.read(_CHUNK):
                yield chunk


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
