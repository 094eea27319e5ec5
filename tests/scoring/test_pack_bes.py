"""The shipped regulation: all its clauses, in their order, each with what the catalogue of records decides it from."""

from __future__ import annotations

from datetime import date
from itertools import combinations

from scoring.load import load_pack, shipped, shipped_names
from scoring.pack import Lost
from scoring.predicates import PREDICATES

PACK = load_pack(shipped("bes"))
ALWAYS = date(1, 1, 1)
LOST = {
    "BES-O3.cap": "105", "BES-I1.target": "95", "BES-I2.target": "100", "BES-I3.target": "100", "BES-I4.target": "100",
    "BES-I5.target": "95", "BES-R01.points": "-1", "BES-01.points": "0.5", "BES-07.points": "-0.5",
    "BES-08.points": "-0.5", "BES-09a.points": "-0.5", "BES-09b.points": "-0.5", "BES-10.points": "-0.5",
    "BES-13a.points": "-0.5", "BES-13b.points": "-0.5", "BES-16.points": "-0.5", "BES-17.points": "-0.5",
    "BES-19.points": "-0.5", "BES-22.weight": "5", "BES-24.weight": "10", "BES-27.points": "-0.5", "BES-27.cap": "10",
}  # fmt: skip


def test_all_sixty_one_clauses_stand_in_the_order_of_the_text() -> None:
    ids = list(PACK.rules)
    numbered = [int(one[4:6]) for one in ids if one[4:6].isdigit() and one != "BES-00"]

    assert len(ids) == 61
    assert ids[0] == "BES-00"
    assert ids[-2:] == ["BES-END", "BES-APP"]
    assert numbered == sorted(numbered)
    assert [PACK.rules[one].cite for one in ("BES-05", "BES-06", "BES-16")] == ["第一节 5", "第二节 6", "第二节 16"]


def test_the_numbers_that_the_text_lost_are_these_and_no_others() -> None:
    found = {
        f"{rule_id}.{name}": value.assumed
        for rule_id, rule in PACK.rules.items()
        for name, dated in rule.dated().items()
        for value in dated.values.values()
        if isinstance(value, Lost)
    }

    assert found == LOST


def test_misprints_are_quoted_as_they_stand() -> None:
    assert "未设臵成" in PACK.rules["BES-17"].quote


def test_only_the_rule_on_looks_is_off_and_says_why() -> None:
    off = {rule_id: rule.why for rule_id, rule in PACK.rules.items() if not rule.on}

    assert list(off) == ["BES-09b"]
    assert "L8" in str(off["BES-09b"])


def test_deductions_are_negative_and_bonuses_positive() -> None:
    for rule_id, rule in PACK.rules.items():
        if rule.points is not None:
            value = rule.points.values[ALWAYS]
            text = value.assumed if isinstance(value, Lost) else str(value)
            assert text.startswith("-") == (not rule.cite.startswith("第一节")), rule_id


def test_clauses_whose_tests_share_a_fact_say_how_they_stand_to_one_another() -> None:
    """Two clauses that one event can hit are grouped, exclude one another, or are declared separate."""
    reads = {
        rule_id: {
            (PREDICATES[test.that].subject, fact)
            for test in rule.tests
            if test.that
            for fact in PREDICATES[test.that].reads
        }
        for rule_id, rule in PACK.rules.items()
        if any(test.that for test in rule.tests)
    }
    context = {("call", "direction"), ("call", "end")}  # every rule on calls asks these first; no event by themselves
    grouped = [set(group.rules) for group in PACK.head.groups]
    for one, other in combinations(reads, 2):
        if (reads[one] & reads[other]) - context:
            first, second = PACK.rules[one], PACK.rules[other]
            declared = {*first.also, *first.not_with} | ({one} if one in {*second.also, *second.not_with} else set())
            assert other in declared or one in declared or any({one, other} <= group for group in grouped), (one, other)


def test_every_predicate_is_used() -> None:
    packs = [load_pack(shipped(name)) for name in shipped_names()]
    used = {test.that for pack in packs for rule in pack.rules.values() for test in rule.tests if test.that}

    assert used == set(PREDICATES)
