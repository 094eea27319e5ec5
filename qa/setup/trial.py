"""Tries the answers of a step on the real thing, before anything is written; the same for terminal and page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from qa.settings import Settings
from qa.setup import lines, looks
from qa.setup.answers import Stands
from qa.setup.looks import Finding
from qa.setup.plan import switchboard
from qa.setup.questions import Step

Clock = Callable[[], datetime]


async def tried(step: Step, answers: Mapping[str, Any], there: Stands, now: Clock) -> list[Finding]:
    """What is found when these answers are taken at their word; a step without anything to try finds nothing."""
    settings = meant(answers, there)
    match step:
        case "site":
            return [*looks.folders(settings), *looks.ports(settings)]
        case "model":
            return await looks.model_loads(settings)
        case "pbx":
            pbx = switchboard(answers, there)
            return [] if pbx is None else await lines.switchboard(settings, pbx, now)
        case "recording":
            return list(looks.recording(settings))
        case _:
            return []


async def one_call(answers: Mapping[str, Any], there: Stands, seconds: float) -> list[Finding]:
    """Wait so long for a call, and for the audio of one of its legs."""
    pbx = switchboard(answers, there)
    return [] if pbx is None else await lines.one_call(meant(answers, there), pbx, seconds)


def meant(answers: Mapping[str, Any], there: Stands) -> Settings:
    """The settings in force with what the answers say of this machine."""
    told = {name: answers.get(name) for name in ("site", "model", "announcement", "retention_days") if name in answers}
    if "model" not in answers:
        told["model"] = None
    return there.settings.model_copy(update=told)
