from __future__ import annotations

from typing import Any

import pytest

from scoring.load import load_lexicons
from speech.errors import LexiconError
from speech.lexicon import CATEGORIES, lexicons

TREES = load_lexicons()


def faults(**entry: Any) -> str:
    tree = {"category": "stiff", "mode": "forbidden", "entries": [{"id": "S", "zh": "你必须", **entry}]}
    with pytest.raises(LexiconError) as error:
        lexicons([tree])
    return str(error.value)


def test_the_shipped_lists_are_the_fifteen_categories_with_every_entry() -> None:
    lists = lexicons(TREES)

    assert sorted(one.category for one in lists) == sorted(CATEGORIES)
    assert sum(len(one.entries) for one in lists) == 238


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: str(tree["category"]))
def test_every_list_has_chinese_and_korean_sentences_that_must_and_must_not_hit(tree: dict[str, Any]) -> None:
    for kind in ("must_hit", "must_not_hit"):
        texts = [one["text"] for one in tree["tests"][kind]]
        assert any("\u4e00" <= char <= "\u9fff" for text in texts for char in text)
        assert any("\uac00" <= char <= "\ud7a3" for text in texts for char in text)


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: str(tree["category"]))
def test_every_entry_has_both_languages_and_a_gloss(tree: dict[str, Any]) -> None:
    for entry in tree["entries"]:
        assert entry["zh"] and entry["ko"] and entry["en"]


def test_what_a_set_formula_is_stands_in_the_list() -> None:
    formulas = {one.category for one in lexicons(TREES) if one.entries[0].formula}

    assert formulas == {"greeting", "request_honorific", "thanks", "closing"}


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"zhh": "x"}, "key 'zhh' is unknown"),
        ({"exclude": "你必须说"}, "stiff.S.exclude"),
        ({"exclude": ["…"]}, "stiff.S.exclude"),
        ({"match": "whole"}, "stiff.S.match"),
        ({"severity": "critical"}, "stiff.S.severity"),
        ({"ko": "○○일"}, "add ko_pattern or ko_match"),
        ({"zh": "。"}, "empty after folding"),
        ({"zh_pattern": "你(必须"}, "pattern"),
        ({"zh_pattern": "你.*必须"}, "pattern"),
        ({"zh_pattern": ".{1,8}"}, "pattern"),
        ({"zh_pattern": "你|我"}, "pattern"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place(entry: dict[str, Any], says: str) -> None:
    assert says in faults(**entry)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(LexiconError) as error:
        lexicons(
            [
                {"category": "rude", "mode": "banned", "entries": [{"id": "A", "zh": "滚"}, {"id": "A", "zh": "滚"}]},
                {"category": "stiff", "mode": "forbidden", "entries": [], "colour": "red"},
            ]
        )

    assert len(error.value.faults) == 5


def test_an_example_that_contradicts_itself_is_refused() -> None:
    tree = {
        "category": "stiff",
        "mode": "forbidden",
        "entries": [{"id": "S", "zh": "你必须"}],
        "tests": {"must_hit": [{"text": "你必须"}], "must_not_hit": [{"text": "好", "entries": ["S"]}, {"word": "好"}]},
    }
    with pytest.raises(LexiconError) as error:
        lexicons([tree])

    assert len(error.value.faults) == 3
