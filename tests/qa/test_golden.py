"""The runner of golden scenarios: what it reads, what it refuses, what it says; and every shipped scenario itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.golden import Report, run, run_files
from qa.scenario import scenarios
from scoring.errors import PackError
from scoring.load import parse_yaml

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
RINGS = """
title: rings
scenarios:
- id: R-1
  system: BES
  rules: [BES-16]
  why: answered after 15 s = ring 4, one more than three
  pack: bes
  people: [{agent: Wang}]
  given:
  - {kind: call, id: k1, agent: Wang, direction: in, offered_at: 2026-03-02T09:00:00,
     answered_at: 2026-03-02T09:00:15, ended_at: 2026-03-02T09:01:00}
  - {kind: figure, agent: Wang, period: 2026-03, name: answered_in_three_rings, value: "399", of: "400"}
  close: 2026-03
  expect:
    people:
      Wang: {2026-03: {score: "99.50", lines: {BES-16: "-0.5"}, count: {BES-16: 1}, assumed: [BES-16], review: {}}}
    calls: {k1: {metrics: {ring_count: 4, answer_seconds: 15}, outcome: {BES-16: breach}, lines: {BES-16: "-0.5"}}}
"""


def played(text: str) -> Report:
    return run(scenarios(parse_yaml("rings.yaml", text)))


def faults(text: str) -> list[str]:
    (one,) = played(text).failures
    return list(one.faults)


def test_a_scenario_passes_when_every_expectation_holds() -> None:
    report = played(RINGS)

    assert report.as_text() == "1 passed, 0 failed"
    assert report.clean


def test_a_wrong_expectation_is_named_by_its_path_with_the_clause_and_its_facts() -> None:
    report = played(RINGS.replace('score: "99.50"', 'score: "100"').replace("BES-16: breach", "BES-16: clear"))
    text = report.as_text()

    assert "R-1 people.Wang.2026-03.score: 100, 99.5" in text
    assert "R-1 calls.k1.outcome.BES-16: clear, breach" in text
    assert "BES-16 第二节 16 「来电响铃三次以内不能接听的,一次扣分」" in text
    assert "ring_count = 4" in text
    assert text.splitlines()[-1] == "0 passed, 1 failed"
    assert not report.clean


def test_amounts_are_exact_and_lists_are_complete() -> None:
    report = played(RINGS.replace('"-0.5"}, count', '"-0.51"}, count').replace("assumed: [BES-16]", "assumed: []"))
    found = [".".join(one.path) for one in report.failures[0].differences]

    assert found == ["people.Wang.2026-03.lines.BES-16", "people.Wang.2026-03.assumed"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("close: 2026-03", "closed: 2026-03", "rings.yaml:14: closed: the key is unknown"),
        ("score:", "scores:", "people.Wang.2026-03.scores: the key is unknown"),
        ('"99.50"', "99.5", "99.5 is no quoted number"),
        ("outcome: {BES-16: breach}", "outcome: {BES-16: broken}", "'broken' is no outcome"),
        ("pack: bes", "pack: BES", "'BES' is no pack"),
        ("close: 2026-03", "close: March", "'March' is no month"),
        ("Wang: {2026-03:", "Wang: {2026/03:", "'2026/03' is no period"),
        ("close: 2026-03", "site: {money: maybe}", "site.money: 'maybe' is unknown"),
        ("close: 2026-03", "site: {cadence: now}", "cadence 'now' is unknown"),
        ("close: 2026-03", "do: [{id: d1, at: 2026-04-01T09:00, by: Ma, role: x}]", "exactly one of add, approve"),
        ("close: 2026-03", "do: [{id: d1, at: today, by: Ma, role: x, close: 2026-03}]", "'today' is no moment"),
        ("close: 2026-03", "do: [{id: d1, at: 2026-04-01T09:00, by: Ma, role: x, export: all}]", "write payroll"),
    ],
)
def test_a_form_that_is_not_known_fails_the_scenario_with_its_line(old: str, new: str, says: str) -> None:
    assert any(says in one for one in faults(RINGS.replace(old, new)))


def test_an_id_that_stands_twice_is_refused() -> None:
    twice = RINGS + RINGS[RINGS.index("- id: R-1") :]
    second = played(twice).failures

    assert [one.faults for one in second] == [("rings.yaml:19: id: 'R-1' stands twice; give this one its own",)]


def test_a_refused_line_fails_the_scenario_with_field_and_reason() -> None:
    (said,) = faults(RINGS.replace("direction: in", "direction: up"))

    assert said.startswith("rings.yaml:11: given.0: direction: 'up' is not known here")


def test_a_pack_that_is_not_there_fails_the_scenario() -> None:
    (said,) = faults(RINGS.replace("pack: bes", "pack: nosuch"))

    assert "there is no pack 'nosuch'" in said


def test_a_setting_that_no_rule_has_fails_the_scenario_with_its_line() -> None:
    (said,) = faults(RINGS.replace("close: 2026-03", 'site: {overlay: {BES-16.pints: "-1"}}'))

    assert said.startswith("rings.yaml:14: BES-16.pints")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- id: x", "this is no file of scenarios"),
        ("scenarios: []\nnote: x", "key 'note' is unknown"),
        ("scenarios: [", "this is no YAML 1.2"),
    ],
)
def test_a_file_that_is_none_of_scenarios_is_refused(text: str, says: str) -> None:
    with pytest.raises(PackError, match=says):
        played(text)


def test_one_scenario_can_be_run_alone(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(RINGS + RINGS[RINGS.index("- id: R-1") :].replace("R-1", "R-2"), encoding="utf-8")

    assert run_files([file], "R-2").passed == ("R-2",)
    with pytest.raises(PackError, match="there is no scenario R-3"):
        run_files([file], "R-3")


def test_scenarios_never_see_one_another() -> None:
    both = RINGS + RINGS[RINGS.index("- id: R-1") :].replace("R-1", "R-2")

    assert played(both).passed == ("R-1", "R-2")


def test_text_rules_wait_for_a_reviewer_where_nothing_is_trusted() -> None:
    talk = (
        RINGS.replace(
            "ended_at: 2026-03-02T09:01:00}",
            "ended_at: 2026-03-02T09:01:00, hung_up_by: agent, "
            "turns: [{role: agent, start_ms: 300, end_ms: 9000, text: 喂?, confidence: '0.9'}]}",
        )
        .replace("review: {}", 'review: {BES-13a: "-0.5"}')
        .replace("rules: [BES-16]", "rules: [BES-16, BES-13a]")
        .replace("assumed: [", "assumed: [BES-13a, ")
    )

    assert (
        played(talk.replace("close: 2026-03", "close: 2026-03\n  site: {trust: none}")).as_text()
        == "1 passed, 0 failed"
    )


def test_a_ring_lasts_as_long_as_the_site_says() -> None:
    longer = RINGS.replace("close: 2026-03", 'close: 2026-03\n  site: {cadence: "2/4"}')

    assert played(longer).failures[0].differences[0].found == "100"  # 15 s of 6 s each is ring 3


def test_talk_is_measured_by_the_times_that_turns_carry() -> None:
    talk = RINGS.replace(
        "ended_at: 2026-03-02T09:01:00}",
        "ended_at: 2026-03-02T09:01:00, turns: [{role: agent, start_ms: 0, end_ms: 9000, text: 您好}, "
        "{role: customer, start_ms: 8000, end_ms: 11000, text: 我想查一下话费}]}",
    ).replace(
        "answer_seconds: 15}", "answer_seconds: 15, silence_seconds: 34.0, talk_over_seconds: 1, agent_share: 0.75}"
    )

    assert played(talk).as_text() == "1 passed, 0 failed"


ATTEMPTS = """
title: attempts
scenarios:
- id: T-1
  system: BES
  rules: [BES-11]
  why: an observation stands for two people; one without a reason is refused; a month is closed once
  pack: bes
  people: [{agent: Wang}, {agent: Li}]
  do:
  - {id: d1, at: 2026-03-05T09:00, by: Zhao, role: assessor, add: {kind: observation, agent: [Wang, Li], rule: BES-11, reason: read a novel}}
  - {id: d2, at: 2026-03-06T09:00, by: Zhao, role: assessor, add: {kind: observation, agent: Wang, rule: BES-11}}
  - {id: d3, at: 2026-04-01T09:00, by: Zhao, role: assessor, close: 2026-03}
  - {id: d4, at: 2026-04-02T09:00, by: Zhao, role: assessor, close: 2026-03}
  expect:
    do: {d1: {accepted: true, caution: []}, d2: {refused: reason_missing}, d3: {accepted: true}, d4: {refused: duplicate}}
    people: {Wang: {2026-03: {count: {BES-11: 1}}}, Li: {2026-03: {lines: {BES-11: "-1"}}}}
"""  # noqa: E501


def test_attempts_are_made_in_order_and_answered_with_a_word() -> None:
    assert played(ATTEMPTS).as_text() == "1 passed, 0 failed"


def test_an_answer_that_was_not_expected_says_why() -> None:
    (one,) = played(ATTEMPTS.replace("d2: {refused: reason_missing}", "d2: {accepted: true}")).failures

    assert one.differences[0].as_text().startswith("do.d2.accepted: true, reason_missing (reason: ")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_scenarios_come_out_as_they_say(path: Path) -> None:
    report = run_files([path])

    assert report.clean, report.as_text()
