"""The phrase lists put to the test: their own sentences, and dialogues from files. It decides no points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.dialogues import Dialogue, dialogues
from qa.heard import MS_A_CHARACTER
from scoring.errors import PackError
from scoring.load import load_lexicons, read_yaml
from speech.errors import LexiconError
from speech.lexicon import Lexicon, lexicons
from speech.phrases import Hit, Matcher, TurnText


@dataclass(frozen=True, slots=True)
class Failure:
    """A dialogue that did not go as it says, or whose form is wrong."""

    id: str
    why: str
    wrong: tuple[str, ...]

    def as_text(self) -> str:
        return f"{self.id}{f' ({self.why})' if self.why else ''}: {'; '.join(self.wrong)}"


@dataclass(frozen=True, slots=True)
class Report:
    """How many dialogues went as they say, and each that did not."""

    passed: int
    failures: tuple[Failure, ...]

    @property
    def failed(self) -> int:
        return len(self.failures)

    @property
    def clean(self) -> bool:
        return not self.failures

    def as_text(self) -> str:
        return "\n".join((*(one.as_text() for one in self.failures), f"{self.passed} passed, {self.failed} failed"))

    def as_dict(self) -> dict[str, Any]:
        failures = [{"id": one.id, "why": one.why, "wrong": list(one.wrong)} for one in self.failures]
        return {"passed": self.passed, "failed": self.failed, "failures": failures}


def shipped_matcher() -> Matcher:
    """The shipped lists, compiled; a list that fails its own sentences is refused."""
    return matcher_of(load_lexicons())


def chat_matcher() -> Matcher:
    """The shipped lists with those of written chats; their own sentences are tried on the voice line."""
    try:
        return Matcher(lexicons(load_lexicons()), "chat")
    except LexiconError as error:
        raise PackError(list(error.faults)) from None


def matcher_of(trees: Iterable[dict[str, Any]]) -> Matcher:
    """Lists as plain values, compiled and tried on their own sentences; PackError names every fault."""
    try:
        lists = lexicons(trees)
    except LexiconError as error:
        raise PackError(list(error.faults)) from None
    matcher = Matcher(lists)
    faults = own_faults(lists, matcher)
    if faults:
        raise PackError(faults)
    return matcher


def own_faults(lists: Sequence[Lexicon], matcher: Matcher) -> list[str]:
    """The sentences that a list brings along and that do not come out as it says."""
    faults = []
    for one in lists:
        for example in one.examples:
            hits = matcher.find([TurnText(example.role, 0, MS_A_CHARACTER * len(example.text), example.text)])
            found = [hit for hit in hits if hit.category == one.category]
            if sorted(hit.entry for hit in found) != sorted(example.entries):
                wanted = ", ".join(example.entries) or "nothing"
                faults.append(
                    f"{one.category}.tests: {example.text!r} ({example.why}) must give {wanted}, gives {_said(found)}; "
                    "correct the entry or the sentence"
                )
    return faults


def run_files(paths: Iterable[Path]) -> Report:
    """The dialogues of some files; PackError if one of them is no YAML list."""
    cases = [case for path in paths for case in dialogues(read_yaml(path))]
    return run(cases, shipped_matcher())


def run(cases: Iterable[Dialogue], matcher: Matcher) -> Report:
    """Each dialogue: what is missing, what should not be there. Only what the agent surely said is a hit here; a
    scorecard also sees what an unknown speaker said, to say that it cannot tell."""
    passed, failures = 0, []
    for case in cases:
        wrong = case.faults or _wrong(case, [hit for hit in matcher.find(case.turns) if hit.role == "agent"])
        passed += not wrong
        failures += [Failure(case.id, case.why, tuple(wrong))] if wrong else []
    return Report(passed, tuple(failures))


def _wrong(case: Dialogue, hits: Sequence[Hit]) -> list[str]:
    wrong = []
    for wanted in case.hit:
        own = [hit for hit in hits if hit.category == wanted.category]
        if not any(wanted.turn in (None, hit.turn) for hit in own):
            where = "" if wanted.turn is None else f" in turn {wanted.turn}"
            wrong.append(f"{wanted.category}{where} is not hit, found {_said(own or hits)}")
    for category in case.miss:
        own = [hit for hit in hits if hit.category == category]
        if own:
            wrong.append(f"{category} must not be hit, found {_said(own)}")
    return wrong


def _said(hits: Sequence[Hit]) -> str:
    return ", ".join(f"{hit.entry} “{hit.text}” ({hit.how}, turn {hit.turn})" for hit in hits) or "nothing"
