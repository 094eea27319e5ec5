"""Files hold what people said; whoever else works on the machine cannot read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.private import keep_private


@pytest.fixture
def before() -> Iterator[None]:
    mask = os.umask(0o022)
    yield
    os.umask(mask)


@pytest.mark.usefixtures("before")
@pytest.mark.parametrize(("mask", "file", "folder"), [(0o022, 0o640, 0o750), (0o077, 0o600, 0o700), (0, 0o660, 0o770)])
def test_nothing_that_is_written_is_for_others(tmp_path: Path, mask: int, file: int, folder: int) -> None:
    os.umask(mask)
    keep_private()
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"audio")
    assert (tmp_path / "file").stat().st_mode & 0o777 == file
    assert (tmp_path / "folder").stat().st_mode & 0o777 == folder
