"""Letters of refused records in three languages: every one that a bad record earns is said again, with its values."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from qa.web.letters import LETTERS, said, wanted
from scoring.records.admit import parse
from scoring.records.book import Book
from scoring.records.kinds import FIELDS
from scoring.records.record import Record
from tests.scoring.records.build import SOUND, raw, record

ZONE = ZoneInfo("Asia/Shanghai")
HAN, HANGUL = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\uac00-\ud7af]")
STRANGE: tuple[Any, ...] = (
    1.5,
    "x" * 20_000,
    "",
    " x ",
    "a\nb",
    ["a"],
    {"a": 1},
    True,
    7,
    "2026-13-01",
    "2026-02-30T25:00",
    "\ud800",
    [{}],
    [1],
)


def reasons() -> set[str]:
    """What every kind says of every field when something strange stands in it, or nothing."""
    found: list[Any] = [parse(one, ZONE) for one in (7, {}, {"kind": "lunch"})]
    for kind in SOUND:
        for name in FIELDS[kind]:
            if name != "kind":
                found += [parse(raw(kind, **{name: strange}), ZONE) for strange in (None, *STRANGE)]
        found += [parse(raw(kind, **more), ZONE) for more in MORE]
    told = {why.reason for one in found if not isinstance(one, Record) for why in one}
    books = [Book().take(list(pair))[1] for pair in PAIRS]
    return told | {why.reason for refused in books for _, _, why in refused}


MORE: tuple[dict[str, Any], ...] = (
    {"colour": 1}, {"until": "2020-01-01T00:00"}, {"supersedes": "r0"}, {"void": True}, {"team": "T", "agent": "Lin"},
    {"source": "person"}, {"at": "2026-03-02T09:00", "day": "2026-03-02", "period": "2026-03"}, {"name": "lunch"},
    {"name": "faults_in_time", "of": None}, {"of": "-1"}, {"case_type": "lunch"}, {"stage": "lunch"}, {"n": 0},
    {"stage": "lunch", "case_type": None}, {"items": {"a": "lunch"}}, {"period": "2026-99"},
    {"turns": [{"role": "cat"}]},
)  # fmt: skip
void = {"kind": "exam", "void": True, "reason": "x", "source": "exam"}
PAIRS = (
    (record("exam"), record("exam", score="1")),
    (record("exam", supersedes="nobody", reason="x"),),
    (record("exam"), record("exam", "r2"), record("exam", "r2", supersedes="r1", reason="x")),
    (
        record("exam"),
        record("exam", "r2", supersedes="r1", reason="x"),
        record("exam", "r3", supersedes="r1", reason="y"),
    ),
    (record("exam"), record("order", "r2", supersedes="r1", reason="x")),
    (record("case", case_type=None),),
    (record("case"), record("case", "r2", case_type="loss", stage="found")),
    (
        record("exam"),
        *(
            one
            for one in (
                parse({**void, "id": "v1", "supersedes": "r1"}, ZONE),
                parse({**void, "id": "v2", "supersedes": "v1"}, ZONE),
            )
            if isinstance(one, Record)
        ),
    ),
)


def test_every_letter_is_said_in_three_languages() -> None:
    told = reasons()

    assert len(told) > 200
    lost = sorted(one[:160] for one in told if not HAN.search(said(one, "zh")) or not HANGUL.search(said(one, "ko")))
    assert lost == []
    assert all(said(one, "en") == one for one in told)


@pytest.mark.parametrize(("english", "chinese", "korean"), LETTERS)
def test_each_letter_matches_itself_with_its_values(english: str, chinese: str, korean: str) -> None:
    count = english.count("…")
    filled = english.replace("an? ", "a ")
    for n in range(count):
        filled = filled.replace("…", f"«{n}»", 1)

    for language, form in (("zh", chinese), ("ko", korean)):
        assert said(filled, language) == form.format(*(f"«{n}»" for n in range(count)))  # type: ignore[arg-type]
    assert not HANGUL.search(chinese) and not HAN.search(korean)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN", "zh"),
        ("ko", "ko"),
        ("fr, ko;q=0.8, en", "ko"),
        ("en-GB,zh", "en"),
        ("", "en"),
        ("*", "en"),
        ("tlh", "en"),
    ],
)
def test_the_first_language_that_is_spoken_here_is_taken(header: str, language: str) -> None:
    assert wanted(header) == language
