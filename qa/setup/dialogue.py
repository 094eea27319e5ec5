"""First set-up as a conversation: a question at a time, a wrong answer asked again, each step tried on the real thing.

It reads from and writes to whoever is handed in; terminals are the command line's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from qa.setup.answers import Stands, answer, standing_for
from qa.setup.faults import Fault, Refused, Wrong
from qa.setup.looks import Finding
from qa.setup.people import read
from qa.setup.questions import STEPS, Question, Step, asked, of_step, offered
from qa.setup.trial import Clock, one_call, tried

NONE = "-"
TITLES: Mapping[Step, str] = {
    "site": "The site", "rules": "Its rules", "model": "Speech model", "pbx": "Asterisk", "people": "People",
    "recording": "Recording", "sources": "Other senders",
}  # fmt: skip


class Talk(Protocol):
    """Whoever answers."""

    def say(self, line: str) -> None: ...

    def ask(self, text: str, default: str, hidden: bool) -> str: ...

    def agrees(self, text: str) -> bool: ...


def converse(
    talk: Talk, given: Mapping[str, Any], there: Stands, today: date, now: Clock, wait_s: float
) -> dict[str, Any]:
    """Raw answers to all questions; what was *given* beforehand is not asked. ``wait_s`` 0: nothing is tried."""
    raw, answers = dict(given), dict[str, Any]()
    for number, step in enumerate(STEPS, 1):
        talk.say(f"\n[{number}/{len(STEPS)}] {TITLES[step]}")
        while True:
            for question in of_step(step):
                _one(talk, question, raw, answers, given, there, today)
            if not wait_s or not _again(talk, step, answers, there, now, wait_s):
                break
            for question in of_step(step):  # asked once more, with what was just said as the default
                raw.pop(question.name, None) if question.name not in given else None
    return raw


def _one(
    talk: Talk, question: Question, raw: dict[str, Any], answers: dict[str, Any], given: Mapping[str, Any],
    there: Stands, today: date,
) -> None:  # fmt: skip
    """Until it is answered; the faults of what came from a file are said, and then it is asked too."""
    name, before = question.name, answers.pop(question.name, None)
    if not asked(question, answers):
        return
    silent = name in given
    while True:
        if not silent:
            _ask(talk, question, raw, before, answers, there, today)
        silent = False
        try:
            value = answer(question, raw, answers, there, today)
            if question.kind == "people" and value is not None:
                talk.say(f"    {len(_people(value))} people")
        except Wrong as wrong:
            talk.say(f"    {wrong.of(question.label).text}")
        except Refused as refused:
            for fault in refused.faults:
                talk.say(f"    {fault}")
        else:
            if value is not None:
                answers[name] = value
            return


def _ask(
    talk: Talk, question: Question, raw: dict[str, Any], before: Any, answers: Mapping[str, Any], there: Stands,
    today: date,
) -> None:  # fmt: skip
    """An empty line takes the default, a hyphen means none."""
    hidden = question.kind == "secret"
    default = before if before is not None else offered(question.name, answers, standing_for(answers, there), today)
    if question.hint:
        talk.say(f"    ({question.hint})")
    text = question.label + (f" ({' '.join(question.choices)})" if 0 < len(question.choices) < 5 else "")
    shown = "" if default is None else "stays as it is" if hidden else _typed(default)
    said = talk.ask(text, shown, hidden)
    raw.pop(question.name, None)
    if said == NONE:
        raw[question.name] = ""
    elif said and said != shown:
        raw[question.name] = said
    elif default is not None:
        raw[question.name] = default


def _typed(value: Any) -> str:
    """A value as one would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={one}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _people(path: str) -> Any:
    try:
        return read(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise Refused([Fault("people", "no_file", {"value": path, "why": error.strerror or str(error)})]) from None


def _again(talk: Talk, step: Step, answers: Mapping[str, Any], there: Stands, now: Clock, wait_s: float) -> bool:
    """Try what the step said; whether a person wants to answer it once more."""
    found = asyncio.run(tried(step, answers, there, now))
    _tell(talk, found)
    if any(one.bad for one in found):
        return talk.agrees("Answer this step again?")
    if step == "pbx" and found and talk.agrees(f"Make a test call now, and wait {wait_s:.0f} s for it?"):
        try:
            _tell(talk, asyncio.run(one_call(answers, there, wait_s)))
        except KeyboardInterrupt:
            talk.say("    skipped")
    return False


def _tell(talk: Talk, found: list[Finding]) -> None:
    for one in found:
        talk.say(f"  {one.as_text()}")
