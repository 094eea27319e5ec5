"""Faults put into a copy of the product one at a time: each has to be caught by the test that guards against it.

A fault that no longer fits the code fails here, too, and so does a guard that is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
COPIED = ("ingest", "tests/ingest", "tests/store", "qa/store")
LINKED = ("speech", "scoring", "deploy", "pyproject.toml")
CAUGHT = 1  # what pytest says when tests failed; everything else is another trouble
SECONDS = 120


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is put instead of what (file, old, new), and who has to notice."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    guard: str


def listed() -> list[Mutant]:
    told = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text(encoding="utf-8"))["mutant"]
    return [Mutant(one["name"], tuple((c["file"], c["old"], c["new"]) for c in one["change"]), one["guard"])
            for one in told]  # fmt: skip


MUTANTS = listed()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that may be spoilt; what no fault is put into is the real thing."""
    folder = tmp_path_factory.mktemp("mutants")
    skipped = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    for path in (*(ROOT / "tests").glob("*.py"), *(ROOT / "tests").glob("qa"), *(ROOT / "qa").iterdir()):
        copy = folder / path.relative_to(ROOT)
        if not copy.exists() and path.name != "__pycache__":
            copy.symlink_to(path)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(house: Path, *guards: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *guards]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(house)}
    return subprocess.run(
        command, cwd=house, env=env, capture_output=True, text=True, timeout=SECONDS * len(guards), check=False
    )


def test_every_guard_passes_where_nothing_is_wrong(house: Path) -> None:
    guards = sorted({one.guard for one in MUTANTS})
    told = run(house, *guards)
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-1000:]


@pytest.mark.parametrize("one", MUTANTS, ids=[one.name for one in MUTANTS])
def test_a_fault_is_caught(house: Path, one: Mutant, record_property: Callable[[str, object], None]) -> None:
    before = {file: (house / file).read_text(encoding="utf-8") for file, _, _ in one.changes}
    try:
        for file, old, new in one.changes:
            text = (house / file).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{file}: the place of this fault is there {text.count(old)} times"
            (house / file).write_text(text.replace(old, new), encoding="utf-8")
        told = run(house, one.guard)
        caught, said = told.returncode == CAUGHT, told.stdout[-2000:] + told.stderr[-500:]
    except subprocess.TimeoutExpired:
        caught, said = True, ""  # a guard that waits for ever has noticed, too
    finally:
        for file, text in before.items():
            (house / file).write_text(text, encoding="utf-8")
    assert caught, f"{one.name}: not caught by {one.guard}\n{said}"
    record_property("summary", f"mutant: {one.name}: caught by {one.guard.rpartition('::')[2]}")
