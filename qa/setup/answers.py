"""Raw answers (a file, options, a form, a terminal) against the questions: values, or every fault at once.

An answer that is not given means what stands in the settings, else what is usual; one that is empty means none, but a
secret that is left empty stays as it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from qa.settings import Settings
from qa.setup import checks
from qa.setup.faults import Fault, Refused, Wrong
from qa.setup.questions import BY_NAME, QUESTIONS, Question, asked, offered
from scoring.errors import PackError
from scoring.load import load_overlay

TOP = ("site", "timezone", "language", "start_day", "pack", "cadence", "model", "announcement", "retention_days")
PBX = tuple(one.name.partition(".")[2] for one in QUESTIONS if one.step == "pbx")


@dataclass(frozen=True, slots=True)
class Stands:
    """What is set already: settings as they are in force, and their file as it is written."""

    settings: Settings
    path: Path  # of the settings file, whether it is there or not
    text: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)  # by the names of the questions

    @property
    def data(self) -> dict[str, Any]:
        """The file's own values, without variables and defaults."""
        return tomllib.loads(self.text)


def stands(settings: Settings, path: Path) -> Stands:
    """Look at what there is. Nothing is written."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    values = {name: getattr(settings, name) for name in TOP if name in settings.model_fields_set}
    values |= _pbx(settings) | _policy(settings)
    if settings.sources:
        values["sources"] = tuple(one.name for one in settings.sources)
    return Stands(settings, path, text, {name: value for name, value in values.items() if value is not None})


def _pbx(settings: Settings) -> dict[str, Any]:
    if not settings.pbx:
        return {}
    table = settings.pbx[0]
    found = {f"pbx.{name}": getattr(table, name) for name in PBX if getattr(table, name) not in (None, {})}
    return {name: one.get_secret_value() if hasattr(one, "get_secret_value") else one for name, one in found.items()}


def _policy(settings: Settings) -> dict[str, Any]:
    """The reading that the site's overlay has chosen, where it has."""
    try:
        overlay = load_overlay(settings.overlay)
        rules = checks.counting(checks.opened(settings.pack))
    except (PackError, Wrong):
        return {}  # said when the pack is asked for
    chosen = [overlay.words[f"{id}.mode"] for id in rules if f"{id}.mode" in overlay.words]
    return {"ring_policy": chosen[0]} if chosen else {}


def flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A file of answers has one table, ``[pbx]``; here its keys stand beside the others."""
    pbx = raw.get("pbx")
    rest = {name: value for name, value in raw.items() if name != "pbx"}
    return rest | ({f"pbx.{name}": value for name, value in pbx.items()} if isinstance(pbx, Mapping) else {})


def read_file(path: Path) -> dict[str, Any]:
    """A TOML file of answers."""
    try:
        return flat(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refused([Fault("answers", "no_file", {"value": str(path), "why": why})]) from None


def judged(raw: Mapping[str, Any], there: Stands, today: date) -> dict[str, Any]:
    """Every answer read; raises Refused with every fault. Questions that do not apply have no answer."""
    answers, faults = weighed(raw, there, today)
    if faults:
        raise Refused(faults)
    return answers


def weighed(raw: Mapping[str, Any], there: Stands, today: date) -> tuple[dict[str, Any], list[Fault]]:
    """The answers that can be taken, and what is wrong with the others."""
    known = ", ".join(BY_NAME)
    faults = [Fault(name, "no_question", {"known": known}) for name in raw if name not in BY_NAME]
    answers: dict[str, Any] = {}
    for question in QUESTIONS:
        if not asked(question, answers):
            if question.name == "ring_policy" and raw.get("ring_policy"):
                faults.append(Fault("ring_policy", "no_rings", {"value": answers.get("pack")}))
            continue
        try:
            value = answer(question, raw, answers, there, today)
        except Wrong as wrong:
            faults.append(wrong.of(question.name))
            continue
        if value is not None:
            answers[question.name] = value
    return answers, [*faults, *_together(answers)]


def answer(question: Question, raw: Mapping[str, Any], given: Mapping[str, Any], there: Stands, today: date) -> Any:
    """One answer; None where there is none and none is needed."""
    name, standing = question.name, standing_for(given, there)
    said = raw.get(name)
    if said is not None and not (isinstance(said, str) and not said.strip()):
        if name == "cadence" and said in there.settings.cadences:
            return said
        return question.read(said)
    if said is None or question.kind == "secret":
        value = offered(name, given, standing, today)
        if value is not None:
            return question.read(value) if name in ("model", "pack") else value
    if question.need:
        raise Wrong("needed_to_record" if question.step == "recording" else "needed")
    return None


def standing_for(given: Mapping[str, Any], there: Stands) -> Mapping[str, Any]:
    """What stands, as far as it is about the same switchboard."""
    if given.get("pbx.name", there.values.get("pbx.name")) == there.values.get("pbx.name"):
        return there.values
    return {name: value for name, value in there.values.items() if not name.startswith("pbx.")}


def _together(answers: Mapping[str, Any]) -> list[Fault]:
    if "pbx.ari_url" not in answers:
        return []
    lacking = [name for name in ("pbx.ari_user", "pbx.ari_secret") if name not in answers]
    return [Fault(name, "together", {"other": "pbx.ari_url"}) for name in lacking]
