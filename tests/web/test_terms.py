"""Every kind, field and word of the contract has its word on the screens, in three languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scoring.records.contract import kind_form, part_forms
from scoring.records.kinds import CASE_TYPES, FIELDS, FIGURES

FOLDER = Path(__file__).parents[2] / "qa" / "web" / "ui" / "src" / "records"
CATALOGUES = {name: json.loads((FOLDER / f"contract.{name}.json").read_text()) for name in ("zh-CN", "ko", "en")}
FORMS = [field for kind in FIELDS for field in kind_form(kind).fields] + [
    field for fields in part_forms().values() for field in fields
]


@pytest.mark.parametrize("language", CATALOGUES)
def test_the_contract_has_its_words(language: str) -> None:
    words = CATALOGUES[language]
    values = {(one.name, value) for one in FORMS for value in one.values}
    values |= {("level", value) for one in CASE_TYPES.values() for value in one.levels}
    values |= {("class", value) for one in CASE_TYPES.values() for value in one.classes}

    assert set(words["kinds"]) == set(FIELDS)
    assert set(words["fields"]) >= {one.name for one in FORMS} - {"kind"}
    assert not [one for one in values if one[1] not in words["values"] and ".".join(one) not in words["values"]]
    assert set(words["units"]) == set(FIGURES.values())


@pytest.mark.parametrize("language", ["zh-CN", "ko"])
def test_the_catalogues_have_the_same_words(language: str) -> None:
    english = CATALOGUES["en"]

    assert {family: set(words) for family, words in CATALOGUES[language].items()} == {
        family: set(words) for family, words in english.items()
    }
    assert all(text.strip() for words in CATALOGUES[language].values() for text in words.values())
