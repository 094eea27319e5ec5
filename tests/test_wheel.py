"""What the wheel holds: every module, query, regulation, model and recording, the built screens; not their sources."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("qa", "ingest", "scoring", "speech")
STATIC = ROOT / "qa" / "web" / "static"
NOT_SHIPPED = ("qa/web/ui/", "qa/web/static/")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def in_tree(*suffixes: str) -> set[str]:
    """Files of the packages with these endings, all files when none is named."""
    found = (path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file())
    named = {path.relative_to(ROOT).as_posix() for path in found if not {"__pycache__", "node_modules"} & {*path.parts}}
    return {name for name in named if not name.startswith(NOT_SHIPPED) and (not suffixes or name.endswith(suffixes))}


def test_every_file_of_the_packages_is_shipped(names: set[str]) -> None:
    assert in_tree() - names == set()


@pytest.mark.parametrize("suffix", [".py", ".sql", ".yaml"])
def test_there_is_something_to_ship_of_each_kind(names: set[str], suffix: str) -> None:
    assert in_tree(suffix)
    assert in_tree(suffix) <= names


def test_the_regulation_the_model_and_the_demo_are_inside(names: set[str]) -> None:
    folders = ("scoring/packs/bes/", "scoring/lexicons/", "speech/fixture/", "qa/demo/", "qa/store/migrations/")

    assert [folder for folder in folders if not any(name.startswith(folder) for name in names)] == []


def test_sources_of_the_screens_stay_at_home(names: set[str]) -> None:
    assert [name for name in names if name.startswith("qa/web/ui/")] == []


@pytest.mark.skipif(not (STATIC / "index.html").exists(), reason="the screens are not built: make ui")
def test_the_built_screens_are_inside(names: set[str]) -> None:
    built = {path.relative_to(ROOT).as_posix() for path in STATIC.rglob("*") if path.is_file()}

    assert built <= names


def test_nothing_else_comes_along(names: set[str]) -> None:
    """Tests, deploy scripts and locks belong to the source tree."""
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == set(PACKAGES)


def test_the_licence_and_the_command_are_inside(names: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert any(name.endswith(".dist-info/entry_points.txt") for name in names)
