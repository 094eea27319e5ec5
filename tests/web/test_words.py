"""Every word of the screens stands in three catalogues with the same keys, and nowhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ingest.events import PRESENT, STATES
from qa.board_alarms import CHECKS
from qa.store.screens import OUTCOMES, STAGES
from scoring.facts import Cause
from speech.lexicon import CATEGORIES

UI = Path(__file__).parents[2] / "qa" / "web" / "ui"
SOURCES = sorted((UI / "src").rglob("*.ts*"))
CATALOGUES = {name: json.loads((UI / "src" / "words" / f"{name}.json").read_text()) for name in ("zh-CN", "ko", "en")}
PLACES = re.compile(r"\{\w+\}")
HAN = re.compile(r"[\u4e00-\u9fff\uac00-\ud7af]")


@pytest.mark.parametrize("language", ["zh-CN", "ko"])
def test_catalogues_have_the_same_keys_and_the_same_places(language: str) -> None:
    one, english = CATALOGUES[language], CATALOGUES["en"]

    assert set(one) == set(english)
    for key, text in one.items():
        assert text.strip(), key
        assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(english[key])), key


def test_the_file_has_no_key_twice() -> None:
    for name in CATALOGUES:
        text = (UI / "src" / "words" / f"{name}.json").read_text()
        keys = re.findall(r'^  "([^"]+)":', text, re.MULTILINE)
        assert len(keys) == len(set(keys)) == len(CATALOGUES[name])


def test_english_and_chinese_are_not_mixed_up() -> None:
    assert not [key for key, text in CATALOGUES["en"].items() if HAN.search(text)]
    same = [key for key, text in CATALOGUES["zh-CN"].items() if text == CATALOGUES["en"][key]]
    assert set(same) <= {"app.name", "none"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_key_that_a_component_names_is_in_the_catalogue(path: Path) -> None:
    for key in re.findall(r'\bt\("([\w.]+)"', path.read_text()):
        assert key in CATALOGUES["en"], f"{path.name}: {key}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_component_holds_words_of_its_own(path: Path) -> None:
    """Names of languages, written in themselves, are the one exception."""
    text = re.sub(r"//.*|/\*[\s\S]*?\*/", "", path.read_text())
    if path.name != "words.tsx":
        assert not HAN.search(text), path.name
    between_tags = re.findall(r"(?<![=-])>\s*([A-Za-z][a-z]+ [a-z ]+)<", text)
    attributes = re.findall(r'(?:title|label|placeholder|alt|aria-label)="([^"]+)"', text)
    assert not between_tags and not attributes, (path.name, between_tags, attributes)


@pytest.mark.parametrize(
    "family, members",
    [
        ("seat", STATES),
        ("alarm", CHECKS),
        ("alarm", [f"{kind}.text" for kind in CHECKS]),
        ("board.present", PRESENT),
        ("cause", [str(cause) for cause in Cause]),
        ("state", STAGES),
        ("outcome", [*OUTCOMES, "na"]),
        ("why", CATEGORIES),
        ("end", ["answered", "abandoned", "no_answer", "redirected", "voicemail", "probe"]),
        ("warning", ["clock_doubted", "out_of_turn", "failed", "no_signalling", "no_media", "adopted", "unended"]),
        ("offer", ["answered", "lost", "no_answer", "cancelled"]),
        ("missing", ["no_signalling", "no_media", "unended"]),
        ("event", ["offered", "ringing", "answered", "redirected", "held", "resumed", "transferred", "ended", "leg"]),
    ],
)
def test_every_member_of_a_family_has_its_word(family: str, members: list[str]) -> None:
    assert not [member for member in members if f"{family}.{member}" not in CATALOGUES["en"]]
