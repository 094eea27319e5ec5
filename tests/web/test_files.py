"""Files are opened below their folder and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qa.web.files import OutsideFolder, open_below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_bytes(b"secret")
    inside = tmp_path / "inside"
    (inside / "deep").mkdir(parents=True)
    (inside / "deep" / "file").write_bytes(b"open")
    (inside / "link").symlink_to(tmp_path / "secret")
    (inside / "up").symlink_to(tmp_path)
    return inside


def test_a_file_below_is_opened(folder: Path) -> None:
    with open_below(folder, "deep/file") as file:
        assert file.read() == b"open"


@pytest.mark.parametrize(
    "path", ["", ".", "..", "../secret", "deep/../../secret", "/etc/passwd", "a/b\0c", "deep\\file", "deep"]
)
def test_a_path_that_is_none_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(OutsideFolder):
        open_below(folder, path)


@pytest.mark.parametrize("path", ["link", "up/secret", "deep/nothing", "nothing/file"])
def test_links_and_missing_files_are_not_opened(folder: Path, path: str) -> None:
    with pytest.raises(OSError):
        open_below(folder, path)


@given(st.lists(st.sampled_from(["..", ".", "", "deep", "up", "link", "secret", "file", "~", "%2e%2e"]), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_reaches_what_lies_outside(folder: Path, parts: list[str]) -> None:
    try:
        with open_below(folder, "/".join(parts)) as file:
            assert file.read() == b"open"
    except (OutsideFolder, OSError):
        return
