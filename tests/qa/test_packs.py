"""`packs check` and `show`: quotes are proved, or it is said that they were not."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from qa.packs import check, show, show_text
from scoring.errors import PackError
from scoring.load import load_pack, shipped
from scoring.predicates import PREDICATES


def _sources(folder: Path, text: str) -> Path:
    """A stand-in for the regulation's text: the quotes themselves, on the line the pack names."""
    folder.mkdir()
    (folder / "004_35d35421d57e5352.txt").write_text("\n" * 10 + text, encoding="utf-8")
    return folder


def _pack(tmp_path: Path, text: str) -> tuple[Path, Path]:
    pack = tmp_path / "bes"
    shutil.copytree(shipped("bes"), pack)
    sources = _sources(tmp_path / "sources", text)
    old = load_pack(shipped("bes")).head.sources[0].sha256
    new = sha256((sources / "004_35d35421d57e5352.txt").read_bytes()).hexdigest()
    head = pack / "pack.yaml"
    head.write_text(head.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return pack, sources


def _all_quotes() -> str:
    return "。".join(rule.quote for rule in load_pack(shipped("bes")).rules.values())


def test_without_the_texts_the_check_says_that_quotes_were_not_compared() -> None:
    report = check()

    assert report.clean
    assert report.as_dict()["clean"] is True
    assert report.as_text().endswith("no fault")
    assert report.quotes == 0
    assert "not shipped" in report.notes[0]


def test_quotes_are_found_white_space_aside(tmp_path: Path) -> None:
    text = _all_quotes().replace("响铃", "响 \t铃")

    report = check(*_pack(tmp_path, text))

    assert report.faults == ()
    assert report.quotes == 61
    assert report.notes == ()


def test_a_misquoted_clause_is_named_with_its_line(tmp_path: Path) -> None:
    report = check(*_pack(tmp_path, _all_quotes().replace("未设臵成", "未设置成")))

    assert not report.clean
    (fault,) = report.faults
    assert fault.startswith("deductions.yaml:")
    assert "BES-17.quote: does not stand in the source; copy it verbatim, misprints included" in fault


def test_a_phrase_list_that_no_lexicon_has_is_named(tmp_path: Path) -> None:
    pack, _ = _pack(tmp_path, _all_quotes())
    rules = pack / "deductions.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace("[greeting]", "[greting]"), encoding="utf-8")

    (fault,) = check(pack).faults

    assert "BES-13a.tests: no lexicon has 'greting'" in fault


def test_another_text_or_none_is_not_taken_for_the_source(tmp_path: Path) -> None:
    sources = _sources(tmp_path / "sources", _all_quotes())

    assert any("SHA-256 differs" in fault for fault in check(shipped("bes"), sources).faults)
    assert "there is no source 004_35d35421d57e5352.txt" in check(shipped("bes"), tmp_path).faults[0]
    assert check(None, sources).quotes == 0


def test_a_broken_pack_is_reported_and_not_raised(tmp_path: Path) -> None:
    report = check(tmp_path)

    assert not report.clean
    assert "there is no pack.yaml" in report.faults[0]


def test_a_rule_is_explained_with_its_quote_its_settings_and_what_is_assumed() -> None:
    shown = show("BES-16")
    text = show_text(shown)

    assert shown["tests"][0]["says"] == PREDICATES["answered_too_late"].says
    assert "来电响铃三次以内不能接听的,一次扣分" in text
    assert "BES-16.points = -0.5 point [assumed: number lost]" in text
    assert "BES-16.limit = 3 ring" in text
    assert "separate from" not in text
    assert "off: rules on looks" in show_text(show("BES-09b"))
    assert "one utterance takes effect under one of BES-14, BES-15" in show_text(show("BES-15"))


def test_every_rule_can_be_shown() -> None:
    pack = load_pack(shipped("bes"))

    assert all(show_text(show(rule_id, [pack])) for rule_id in pack.rules)


def test_an_unknown_rule_is_answered_with_those_near_it() -> None:
    with pytest.raises(PackError, match=r"there is no rule BES-13; near it are BES-13a, BES-13b"):
        show("BES-13")
