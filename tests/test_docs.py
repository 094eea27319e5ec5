"""The documents against the product: commands, settings, words, and what no document may name."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer.main

from qa.cli import app
from qa.connections import PbxTable, SiprecTable, SourceTable, WatchTable
from qa.settings import PREFIX, Settings
from scoring.pack import CHOICES, DATED, Check, Rule
from scoring.period.program import functions

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "deploy" / "seatwatch.toml.example").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "deploy").rglob("*.md"), ROOT / "deploy/seatwatch.toml.example"])
WORDS = ROOT / "qa" / "web" / "ui" / "src" / "words"

OWN_HOSTS = {"127.0.0.1", "localhost", "example.org", "example.com", "…"}
ON_SCREEN = ("clear", "breach", "met", "unknown", "na")


def commands() -> list[str]:
    """Every command as it is typed, groups unfolded."""
    names: list[str] = []
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names += [f"{name} {sub}" for sub in inner] if inner else [name]
    return names


def table_rows(text: str) -> list[list[str]]:
    lines = (line.strip() for line in text.splitlines())
    rows = (re.split(r"(?<!\\)\|", line)[1:-1] for line in lines if line.startswith("|"))
    return [[cell.strip() for cell in row] for row in rows]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert re.search(rf"^\| `seatwatch {command}[ `]", README, re.MULTILINE)


def test_the_readme_names_no_command_that_is_not_there() -> None:
    shown = [row[0].strip("`") for row in table_rows(README) if row[0].startswith("`seatwatch ")]
    real = [f"seatwatch {name}" for name in commands()]

    assert [line for line in shown if not any(f"{line} ".startswith(f"{name} ") for name in real)] == []


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    written = {row[0].strip("`") for row in table_rows(README) if row[0].startswith(f"`{PREFIX}")}

    assert written == {PREFIX + name.upper() for name in Settings.model_fields} | {PREFIX + "SETTINGS"}


def test_the_readme_shows_the_defaults() -> None:
    shown = {row[0].strip("`"): row[1].strip("`") for row in table_rows(README)}
    plain = {PREFIX + name.upper(): _shown(field.default) for name, field in Settings.model_fields.items()}

    assert {name: shown[name] for name in plain if plain[name]} == {name: text for name, text in plain.items() if text}


def _shown(default: object) -> str:
    """As a person writes it; empty where the table may say it in words."""
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, str | int) else ""


def test_the_settings_example_is_the_settings() -> None:
    """Every line taken out of its comment is TOML, and every key is a setting."""
    lines = [line.removeprefix("# ") for line in EXAMPLE.splitlines() if re.match(r"# ([a-z_]+ = |\[)", line)]
    told = tomllib.loads("\n".join(lines))

    assert told.keys() == Settings.model_fields.keys() - {"fault"}
    for name, table in {"sources": SourceTable, "pbx": PbxTable}.items():
        assert told[name][0].keys() <= table.model_fields.keys()
    assert told["siprec"].keys() == SiprecTable.model_fields.keys()
    assert told["watch"].keys() == WatchTable.model_fields.keys()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_no_foreign_host(path: Path) -> None:
    """Where packages, models and texts come from is the reader's decision."""
    hosts = set(re.findall(r"\w+://([^\s/:)\"'`]+)", path.read_text(encoding="utf-8")))

    assert hosts <= OWN_HOSTS


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_nobodys_home(path: Path) -> None:
    assert not re.search(r"/(home|root|Users|work|tmp)/", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_make_targets_in_documents_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    written = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)

    assert set(re.findall(r"`make ([a-z][a-z-]*)`", written)) <= targets


def test_every_word_stands_in_three_languages() -> None:
    rows = [row for row in table_rows(GLOSSARY) if len(row) >= 3 and row[0] != "word" and not row[0].startswith("---")]

    assert len(rows) > 50
    assert [row[0] for row in rows if not all(row[:3])] == []
    assert [row[0] for row in rows if not re.search(r"[\u4e00-\u9fff]", row[1])] == []
    assert [row[0] for row in rows if not re.search(r"[\uac00-\ud7a3]", row[2])] == []


@pytest.mark.parametrize(("catalogue", "column"), [("zh-CN", 1), ("ko", 2)])
def test_outcomes_are_called_the_same_on_screen(catalogue: str, column: int) -> None:
    screen = json.loads((WORDS / f"{catalogue}.json").read_text(encoding="utf-8"))
    outcomes = table_rows(GLOSSARY.partition("**Outcomes**")[2].partition("**How")[0])
    glossary = {row[0]: row[column] for row in outcomes}

    assert {name: glossary[name] for name in ON_SCREEN} == {name: screen[f"outcome.{name}"] for name in ON_SCREEN}


@pytest.mark.parametrize("path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_locks_carry_hashes_and_name_no_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and not line.startswith(" ")]

    assert "://" not in text
    assert not [line for line in text.splitlines() if re.match(r"\s*-(?!-hash=sha256:)", line)]
    assert pins and all(re.match(r"[a-z0-9][a-z0-9._-]*==\S+ .*\\$", line) for line in pins)


def test_the_screens_lock_names_no_host() -> None:
    lock = json.loads((ROOT / "qa/web/ui/package-lock.json").read_text(encoding="utf-8"))

    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []


def test_help_comes_at_once() -> None:
    """Slow imports wait for the command that needs them."""
    command = [sys.executable, "-X", "importtime", "-m", "qa.cli", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    slow = {"numpy", "av", "faster_whisper", "sqlalchemy", "aiohttp", "asyncpg", "pydantic_settings", "rich.progress"}

    assert shown.returncode == 0
    assert not {line.rpartition("|")[2].strip() for line in shown.stderr.splitlines()} & slow


def test_every_word_of_the_pack_language_is_explained() -> None:
    text = (ROOT / "docs" / "packs.md").read_text(encoding="utf-8")
    keys = {*Rule.model_fields, *Check.model_fields} - {*DATED, *CHOICES, "that", "each", "phrases", "settings"}

    assert [name for name in functions() if f"`{name}" not in text] == []
    assert [key for key in sorted(keys) if f"`{key}" not in text and f"{key}:" not in text] == []
