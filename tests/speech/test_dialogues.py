from __future__ import annotations

from pathlib import Path

import pytest

from qa.dialogues import dialogues
from qa.phrases import matcher_of, run, run_files, shipped_matcher
from scoring.errors import PackError
from scoring.load import parse_yaml, read_yaml

MATCHER = shipped_matcher()
FILES = sorted((Path(__file__).parent / "dialogues").glob("*.yaml"))
CASES = [case for path in FILES for case in dialogues(read_yaml(path))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_dialogue_is_heard_as_it_says(case: object) -> None:
    report = run([case], MATCHER)  # type: ignore[list-item]

    assert report.clean, report.as_text()


def test_a_report_names_the_case_and_what_was_found_and_closes_with_the_count(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(
        "- {id: A, why: polite, turns: [{role: agent, text: 您好}], hit: [greeting, thanks], miss: [stiff]}\n"
        "- {id: B, turns: [{role: customer, text: 您好}], miss: [greeting]}\n",
        encoding="utf-8",
    )
    *failures, last = run_files([path]).as_text().splitlines()

    assert last == "1 passed, 1 failed"
    assert failures == [
        "A (polite): thanks is not hit, found REQU-15 “您” (exact, turn 0), GREE-01 “您好” (exact, turn 0)"
    ]


def test_a_pinned_turn_must_be_that_turn() -> None:
    text = (
        "- {id: A, turns: [{role: agent, text: 喂}, {role: agent, text: 您好}], hit: [{category: greeting, turn: 0}]}"
    )

    assert "greeting in turn 0 is not hit" in run(dialogues(parse_yaml("d", text)), MATCHER).as_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {id: A, turns: [{role: agent, text: x}], hits: [greeting]}", "key 'hits' is unknown"),
        ("- {id: A, turns: [{role: agent, text: x}], hit: [polite]}", "category 'polite' is unknown"),
        ("- {id: A, turns: [{role: agent, text: x}], miss: [{category: greeting, turn: 0}]}", "is unknown"),
        ("- {id: A, turns: [{role: agent, text: x}], hit: [{category: greeting, turn: 1}]}", "turn 1 is not there"),
        ("- {id: A, turns: [{role: agent, text: x}], hit: greeting}", "hit is no list"),
        ("- {id: A, turns: [{role: boss, text: x}]}", "a turn needs role"),
        ("- {id: A, turns: [{role: agent, text: x, at: 3}]}", "key 'at' is unknown"),
        ("- {id: A, turns: [{role: agent, text: x, start_ms: 5, end_ms: 4}]}", "not before the start"),
        ("- {id: A, turns: []}", "no turns"),
        ("- {turns: [{role: agent, text: x}]}", "lacks an id"),
        ("- {id: A, lang: en, turns: [{role: agent, text: x}]}", "language 'en' is unknown"),
        ("- letter", "this is no dialogue"),
    ],
)
def test_a_wrong_form_is_refused_with_its_line(text: str, says: str) -> None:
    (case,) = dialogues(parse_yaml("d.yaml", text))

    assert says in case.faults[0]
    assert case.faults[0].startswith("d.yaml:1: ")


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(PackError, match=r"d\.yaml:1: this is no list"):
        dialogues(parse_yaml("d.yaml", "id: A"))


def test_an_id_may_stand_once() -> None:
    one, two = dialogues(parse_yaml("d.yaml", "- {id: A, turns: [{role: agent, text: x}]}\n" * 2))

    assert not one.faults
    assert two.faults == ("d.yaml:2: id 'A' stands twice; give this one its own",)


def test_a_case_of_wrong_form_fails_by_name_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(
        "- {id: A, turns: [{role: agent, text: 您好}], hits: [greeting]}\n"
        "- {id: B, turns: [{role: agent, text: 您好}], miss: [rude]}\n"
        "- {turns: [{role: agent, text: 您好}]}\n"
        "- {id: D, lang: zh-CN, turns: [{role: agent, text: 您好}], hit: [greeting]}\n"
        "- {id: E, lang: ko-KR, turns: [{role: agent, text: 안녕하세요}], hit: [greeting]}\n",
        encoding="utf-8",
    )
    report = run_files([path])
    *failures, last = report.as_text().splitlines()

    assert last == "2 passed, 3 failed"
    assert [line.split(":")[0] for line in failures] == ["A", "B", "case 3"]
    assert report.as_dict()["failures"][1]["id"] == "B"
    assert "category 'rude' is unknown" in report.as_dict()["failures"][1]["wrong"][0]


def test_what_an_unknown_speaker_said_is_no_hit_of_the_agent() -> None:
    text = (
        "- {id: A, turns: [{role: unknown, text: 这个不归我管}], miss: [evading]}\n"
        "- {id: B, turns: [{role: unknown, text: 这个不归我管}], hit: [evading]}"
    )
    report = run(dialogues(parse_yaml("d", text)), MATCHER)

    assert [one.id for one in report.failures] == ["B"]


def test_a_list_that_fails_its_own_sentences_is_refused() -> None:
    tree = {
        "category": "stiff",
        "mode": "forbidden",
        "entries": [{"id": "S", "zh": "你必须"}],
        "tests": {
            "must_hit": [{"text": "您必须先交钱", "entries": ["S"], "why": "polite"}],
            "must_not_hit": [{"text": "你必须看", "why": "a wish"}],
        },
    }
    with pytest.raises(PackError) as error:
        matcher_of([tree])

    assert [fault.split(";")[0] for fault in error.value.faults] == [
        "stiff.tests: '您必须先交钱' (polite) must give S, gives nothing",
        "stiff.tests: '你必须看' (a wish) must give nothing, gives S “你必须” (exact, turn 0)",
    ]


def test_a_list_that_is_no_list_is_a_letter_too() -> None:
    with pytest.raises(PackError, match="category"):
        matcher_of([{"category": "rude"}])
