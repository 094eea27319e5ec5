"""`seatwatch init`: answers from a person or a file, tried, shown, and written once agreed to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from qa.admin import actor_name
from qa.services import now, opened_store
from qa.settings import load_settings, settings_target
from qa.setup import people
from qa.setup.answers import Stands, judged, read_file, stands
from qa.setup.apply import apply
from qa.setup.dialogue import Talk, converse
from qa.setup.faults import Fault, Refused
from qa.setup.looks import Finding
from qa.setup.plan import Change, Plan, overridden, planned
from qa.setup.questions import STEPS
from qa.setup.trial import one_call, tried

NOTHING = "nothing was written"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. ``wait_s`` 0: nothing is tried; None: tried, but no call is waited for."""

    answers: Path | None = None
    given: Sequence[str] = ()
    people: Path | None = None
    yes: bool = False
    anyway: bool = False
    wait_s: float | None = None
    actor: str | None = None


@dataclass(slots=True)
class Outcome:
    """What came of it, for people and programs."""

    path: Path
    done: bool = False
    written: bool = False
    changes: Sequence[Change] = ()
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        changes = [one.as_dict() for one in self.changes]
        found = [one.as_dict() for one in self.findings]
        return {"written": self.written, "file": str(self.path), "changes": changes, "findings": found,
                "notes": self.notes}  # fmt: skip

    def as_text(self) -> str:
        told = [one.as_text() for one in self.findings]
        told += [f"  {one}" for one in self.changes]
        return "\n".join([*told, *self.notes])


def write_template(path: Path) -> str:
    """An empty table of people; never over one that is there."""
    try:
        with path.open("xb") as file:
            file.write(people.template())
    except FileExistsError:
        raise Refused([Fault("template", "no_file", {"value": str(path), "why": "it is there already"})]) from None
    roles = ", ".join(people.ROLES)
    return (
        f"{path}: one person a line; id is the code by which calls name an agent, role one of {roles} (empty: agent), "
        "hired and probation_until days like 2026-12-01; empty cells say nothing"
    )


def run_init(options: Options, talk: Talk | None) -> Outcome:
    """The whole of it; without anybody to talk to, what is not given is as it stands or as is usual."""
    settings = load_settings(to_be_written=True)
    if settings.site == "demo":
        settings = settings.model_copy(update={"site": "main"})
    there = stands(settings, settings_target())
    today = now().astimezone(settings.zone).date()
    raw = _given(options)
    if talk is not None:
        raw = _talked(talk, options, raw, there, today)
    answers = judged(raw, there, today)
    return asyncio.run(_carried_out(planned(answers, there), answers, there, options, talk))


def _talked(talk: Talk, options: Options, raw: dict[str, Any], there: Stands, today: date) -> dict[str, Any]:
    standing = f"{there.path} is there; what you do not change stays" if there.text else f"{there.path} will be made"
    talk.say(f"First set-up. An empty line takes what stands in [brackets], a hyphen means none.\n{standing}.")
    wait_s = 60.0 if options.wait_s is None else options.wait_s
    return converse(talk, raw, there, today, now, wait_s)


def _given(options: Options) -> dict[str, Any]:
    """Answers of the file, then those of the command line."""
    raw = read_file(options.answers) if options.answers else {}
    if options.answers and isinstance(raw.get("people"), str) and raw["people"]:
        raw["people"] = str(options.answers.parent / Path(raw["people"]).expanduser())
    for one in options.given:
        name, equals, value = one.partition("=")
        if not equals:
            raise Refused([Fault(one, "settings", {"why": "write --set NAME=VALUE"})])
        raw[name] = value
    return raw | ({"people": str(options.people)} if options.people else {})


async def _carried_out(
    plan: Plan, answers: Mapping[str, Any], there: Stands, options: Options, talk: Talk | None
) -> Outcome:
    """Try (a person has seen it tried already), show, ask, write."""
    outcome = Outcome(plan.path, changes=plan.changes)
    if talk is None and options.wait_s != 0:
        outcome.findings = await _tried(answers, there, options.wait_s)
        if any(one.bad for one in outcome.findings) and not options.anyway:
            outcome.notes.append(f"{NOTHING}: put right what is marked !!, or say it again with --anyway")
            return outcome
    async with opened_store(plan.settings) as store:
        if not _agreed(plan, there, options, talk, outcome):
            return outcome
        done = await apply(plan, store, actor_name(options.actor))
    outcome.done, outcome.written, outcome.changes = True, bool(done.changes), done.changes
    outcome.notes += [f"{one} is set and wins over the file; unset it" for one in overridden(plan)]
    outcome.notes += _next(plan, done.changes)
    return outcome


async def _tried(answers: Mapping[str, Any], there: Stands, wait_s: float | None) -> list[Finding]:
    found = [one for step in STEPS for one in await tried(step, answers, there, now)]
    return [*found, *(await one_call(answers, there, wait_s) if wait_s else [])]


def _agreed(plan: Plan, there: Stands, options: Options, talk: Talk | None, outcome: Outcome) -> bool:
    """A file that is there is changed only by somebody who agrees."""
    if options.yes or not plan.changes:
        return True
    if talk is None:
        if not there.text:
            return True
        outcome.notes.append(f"{NOTHING}: {plan.path} is there already; say it again with --yes to change it so")
        return False
    talk.say(f"\nThis will stand in {plan.path}:")
    for one in plan.changes:
        talk.say(f"  {one}")
    if talk.agrees("Write it?"):
        return True
    outcome.changes = ()
    outcome.notes.append(NOTHING)
    return False


def _next(plan: Plan, changes: Sequence[Change]) -> list[str]:
    if not changes:
        return [f"nothing is new; {plan.path} stays as it is"]
    told = [f"written: {plan.path}", "next: seatwatch serve all (start it again if it runs), and seatwatch doctor"]
    if plan.settings.model is None:
        told.append("no speech model yet: `seatwatch serve ingest` and `web` run without one, the worker does not")
    return told


def faults_as_dict(refused: Refused) -> dict[str, Any]:
    """What was wrong, for a program."""
    return {"written": False, "faults": [one.as_dict() for one in refused.found]}
