"""What the build of the screens rests on: a lock that names no host, and a budget that holds."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "qa" / "web"
UI, STATIC = WEB / "ui", WEB / "static"


def test_the_lock_names_no_host_and_pins_every_package() -> None:
    lock = json.loads((UI / "package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}

    assert packages
    assert not [name for name, one in packages.items() if "resolved" in one]
    assert not [name for name, one in packages.items() if not one.get("integrity", "").startswith("sha512-")]
    assert "omit-lockfile-registry-resolved=true" in (UI / ".npmrc").read_text()


def test_the_linter_of_the_template_is_gone() -> None:
    assert "oxlint" not in (UI / "package.json").read_text() + (UI / "package-lock.json").read_text()


def test_build_and_check_are_the_commands_that_make_starts() -> None:
    scripts = json.loads((UI / "package.json").read_text())["scripts"]

    assert scripts["build"] == "tsc --noEmit && vite build"
    assert scripts["check"] == "tsc --noEmit"


def test_the_built_screens_keep_their_budget() -> None:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the screens are not built; `make ui` builds them")
    budget = int(re.findall(r"BUDGET_KB = (\d+)", (UI / "vite.config.ts").read_text())[0])
    files = [path for path in STATIC.rglob("*") if path.suffix in (".js", ".css", ".html", ".svg")]

    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < budget * 1000


def test_the_page_takes_everything_from_here() -> None:
    text = (UI / "index.html").read_text() + (UI / "src" / "styles.css").read_text()

    assert not re.findall(r"https?://", text)
    assert "STYLE_NONCE" in text
