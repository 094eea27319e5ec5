"""What the loader refuses, and that it says file, line, place, what is wrong and what to do - all at once."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from scoring.errors import PackError
from scoring.load import load_lexicons, load_overlay, load_pack, pack_from_files, parse_yaml, read_yaml, shipped
from scoring.pack import Lost

HEAD = """\
id: tst
version: "1"
title: {zh: 测, ko: 시험, en: Test}
prefix: TST-
score: TST-1
sources:
- {file: x.txt, sha256: "%s", line: 1}
sections:
- {file: a.yaml, title: one}
""" % ("0" * 64)
RULE = """\
TST-1:
  cite: "1"
  quote: 来电响铃三次以内
  title: {zh: 测, ko: 시험, en: Test}
  decide: auto
  per: call
  needs: [call]
  tests:
  - {that: answered_too_late}
  mode: {of: [next_onset], default: next_onset, why: a reading}
  limit: {unit: ring, values: {0001-01-01: "3"}}
  points: {unit: point, values: {0001-01-01: "-1"}}
"""
LETTER = re.compile(r"^(\S+\.yaml:\d+): .+[;:] .+", re.DOTALL)


def faults(rule: str = RULE, head: str = HEAD, **more: str) -> tuple[str, ...]:
    files = {"pack.yaml": head, "a.yaml": rule, **{name.replace("_", "."): text for name, text in more.items()}}
    with pytest.raises(PackError) as caught:
        pack_from_files(files)
    for fault in caught.value.faults:
        assert LETTER.match(fault), fault
    return caught.value.faults


def test_the_small_pack_that_the_others_spoil_is_whole() -> None:
    assert list(pack_from_files({"pack.yaml": HEAD, "a.yaml": RULE}).rules) == ["TST-1"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('"-1"', "-1", 12, 'write the number as a quoted string: "-1"'),
        ('"-1"', "-0.5", 12, 'write the number as a quoted string: "-0.5"'),
        ('"-1"', '"minus one"', 12, "is no number"),
        ('"-1"', '"NaN"', 12, "is no number"),
        ('"-1"', '"1e400"', 12, "is no number"),
        ('"-1"', "{lost: true, assumed: -0.5, why: lost}", 12, 'write the number as a quoted string: "-0.5"'),
        ('"-1"', '{lost: true, assumed: "-0.5"}', 12, "lacks 'why'"),
        ("0001-01-01: \"-1\"", "since: \"-1\"", 12, "date"),
        ('"3"', '"3.5"', 11, "no whole number"),
        ("unit: ring", "unit: rings", 11, "write one of"),
        ("unit: ring", "unit: duration", 11, "is no duration"),
        ("answered_too_late", "answers_too_late", 9, "there is no predicate 'answers_too_late'; write one of"),
        ("per: call", "pre: call", 6, "unknown key"),
        ("per: call", "", 1, "lacks 'per'"),
        ("decide: auto", "decide: maybe", 5, "write one of"),
        ("decide: auto", "decide: norm", 1, "has no tests"),
        ("needs: [call]", "needs: [calls]", 7, "write one of"),
        ('cite: "1"', "cite: 13", 2, 'write it in quotes: "13"'),
        ("quote: 来电响铃三次以内", "quote: 来", 3, "quote the decisive piece"),
        ("per: call", "per: call\n  on: false", 1, "on: false needs a why"),
        ("per: call", "per: call\n  also: [TST-9]", 7, "there is no rule TST-9"),
        ("TST-1:", "OTHER-1:", 1, "does not start with TST-"),
        ("  limit: {unit: ring", "  grace: {unit: ring", 9, "needs the number limit (in ring)"),
        ("unit: point", "unit: yuan", 12, "write unit: point"),
        ("next_onset]", "next_onset, sometime]", 9, "does not know mode 'sometime'"),
        ("of: [next_onset], default: next_onset", "of: [onset], default: next_onset", 10, "is none of"),
        ("{that: answered_too_late}", "{that: answered_too_late, phrases: {x: [y]}}", 9, "knows no phrase list x"),
        ("  mode:", "  - {that: private_call}\n  mode:", 8, "two tests on one call"),
        ("ko: 시험", "ko: 시험, ja: x", 4, "unknown key"),
        ("  per: call", "  per: call\n  per: call", 7, "the key stands twice"),
        ("TST-1:\n", "%YAML 1.1\n---\nTST-1:\n", 1, "remove that line"),
        ("TST-1:\n", "TST-1: [\n", 3, "this is no YAML 1.2"),
    ],
)  # fmt: skip
def test_a_spoilt_rule_is_refused_with_its_line_and_what_to_do(old: str, new: str, line: int, says: str) -> None:
    assert old in RULE
    found = faults(RULE.replace(old, new, 1))

    assert any(says in one and one.startswith(f"a.yaml:{line}:") for one in found), found


def test_all_faults_come_at_once() -> None:
    found = faults(RULE.replace('"-1"', "-1").replace("per: call", "pre: call").replace('cite: "1"', "cite: 13"))

    assert {one.split(": ")[1].removeprefix("TST-1.") for one in found} >= {"points.values.0001-01-01", "pre", "cite"}


def test_the_same_rule_in_two_files_is_refused() -> None:
    found = faults(head=HEAD + "- {file: b.yaml, title: two}\n", b_yaml=RULE)

    assert found == ("b.yaml:1: TST-1: the id stands already in a.yaml:1; rename one of them",)


def test_files_and_sections_must_agree() -> None:
    found = faults(head=HEAD + "- {file: b.yaml, title: two}\n", c_yaml="X-1: {}\n")

    assert found[0] == "pack.yaml:10: sections: there is no file b.yaml; add it or remove the line"
    assert found[1].startswith("c.yaml:1: the file is in no section")


def test_a_group_and_the_score_name_rules_that_exist() -> None:
    head = HEAD.replace("score: TST-1", "score: TST-7") + "groups:\n- {per: shift, rules: [TST-1, TST-8]}\n"

    assert [one.split(": ", 1)[1] for one in faults(head=head)] == [
        "score: there is no rule TST-7; correct the id",
        "groups.0: there is no rule TST-8; correct the id",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff%YAML 1.1\n", "a: &x [*x]\n", "[" * 200, "a: [&a [x, x, x], " + "[*a, *a], " * 9 + "]\n",
        "{", "\x00", "- \t- a",
    ],
    ids=["directive", "loop", "deep", "aliases", "open", "control", "tab"],
)  # fmt: skip
def test_strange_yaml_is_read_or_refused_by_a_pack_error(text: str) -> None:
    try:
        parse_yaml("x.yaml", text)
    except PackError as error:
        assert all(LETTER.match(fault) for fault in error.faults), error.faults


def test_aliases_cannot_grow_without_end() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

    with pytest.raises(PackError, match="too deep or too large"):
        parse_yaml("x.yaml", "\n".join(rows))


def test_words_that_look_like_something_else_stay_words() -> None:
    document = parse_yaml("x.yaml", "on: 5:00\nno: 19:00\nd: 2026-03-01\nn: '1.50'\nt: 2026-03-01T10:00\n")

    assert document.value["on"] == "5:00"
    assert document.value["no"] == "19:00"
    assert document.value["d"] == date(2026, 3, 1)
    assert document.value["n"] == "1.50"
    assert document.line("n") == 4


def test_a_file_that_is_not_there_or_no_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="no such file"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "gbk.yaml").write_bytes("a: 1\nb: 您好\n".encode("gbk"))
    with pytest.raises(PackError, match=r"gbk.yaml:2: byte \d+ is not UTF-8; save the file as UTF-8"):
        read_yaml(tmp_path / "gbk.yaml")
    with pytest.raises(PackError, match=r"there is no pack.yaml; give the folder of a pack"):
        load_pack(tmp_path)
    with pytest.raises(PackError, match=r"there is no pack '\.\./bes'; shipped are a80, as1"):
        shipped("../bes")


def test_a_pack_read_back_from_its_stored_files_has_the_same_name() -> None:
    pack = load_pack(shipped("bes"))

    assert pack_from_files(pack.files).sha == pack.sha
    changed = {**pack.files, "pack.yaml": pack.files["pack.yaml"].replace('version: "1"', 'version: "2"')}
    assert pack_from_files(changed).sha != pack.sha


def test_a_lost_number_keeps_its_reason() -> None:
    rule = load_pack(shipped("bes")).rules["BES-16"]

    assert rule.points is not None
    lost = rule.points.values[date(1, 1, 1)]
    assert isinstance(lost, Lost)
    assert (lost.assumed, lost.why) == ("-0.5", "the source lost the number after 扣")


def _overlay(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PackError) as caught:
        load_overlay(path, (load_pack(shipped("bes")),))
    for fault in caught.value.faults:
        assert LETTER.match(fault), fault
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("BES-99.points: '-1'\n", "site.yaml:1: BES-99.points: there is no rule BES-99; existing are"),
        ("A80-L01.points: '-1'\n", "there is no rule A80-L01"),
        ("BES-16.grace: '0:30'\n", "the rule has no such number; it has points, limit, mode, on"),
        ("BES-16.points: -1\n", 'write the number as a quoted string: "-1"'),
        ("BES-16.points: {2026-02-01: -0.5}\n", 'write it as a quoted string: "-0.5"'),
        ("BES-16.points: {soon: '-1'}\n", "is no day"),
        ("BES-16.points: null\n", "null takes only a cap away"),
        ("BES-17.grace: '30'\n", "is no duration"),
        ("BES-16:\n  points: {unit: yuan, values: {2026-02-01: '-1'}}\n", "unit 'yuan' does not fit"),
        ("BES-16:\n  points: {unit: point, value: {}, values: {2026-02-01: '-1'}}\n", "unknown key"),
        ("BES-16.points: '-1'\nBES-16:\n  points: '-2'\n", "is set twice"),
        ("BES-16.mode: never\n", "write one of next_onset, onset, burst_end"),
        ("BES-17.mode: onset\n", "the rule has no mode"),
        ("BES-16.points: true\n", "takes no true or false"),
        ("trust: some\n", "write all, none, or a list of rule ids"),
        ("trust: [BES-13]\n", "there is no rule BES-13"),
        ("synthetic_ok: yes\n", "write true or false"),
        ("BES-16: 3\n", "is no setting"),
        ("- BES-16\n", "this is no overlay"),
    ],
)
def test_an_overlay_that_does_not_fit_is_refused_with_what_exists(tmp_path: Path, text: str, says: str) -> None:
    found = _overlay(tmp_path, text)

    assert any(says in one for one in found), found


def test_an_overlay_may_switch_a_rule_on_and_take_a_cap_away(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(
        "BES-09b.on: true\nBES-O3.cap: null\nBES-27.rounding: ceil\nBES-25.limit: '10:00'\n", encoding="utf-8"
    )

    overlay = load_overlay(path, (load_pack(shipped("bes")),))

    assert overlay.switches == {"BES-09b.on": True}
    assert overlay.numbers["BES-O3.cap"].values[0][1] is None


def test_no_overlay_and_an_empty_one_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing decided yet\n", encoding="utf-8")

    assert load_overlay(None).sha == load_overlay(tmp_path / "empty.yaml").sha


def test_lexicons_come_as_plain_values(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("category: closing\n", encoding="utf-8")
    (tmp_path / "a.yaml").write_text("category: greeting\n", encoding="utf-8")

    assert load_lexicons(tmp_path) == ({"category": "greeting"}, {"category": "closing"})
    (tmp_path / "c.yaml").write_text("- x\n", encoding="utf-8")
    with pytest.raises(PackError, match="this is no lexicon"):
        load_lexicons(tmp_path)
