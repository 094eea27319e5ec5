"""Golden scenarios run: records in, attempts in order, months closed, results compared. Opens no database.

The joining code only: records are admitted by the code of ``import records``, facts come from qa's pure functions, the
months from the period engine. What a month is worth is decided there, and nowhere here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any

from qa.compare import Difference
from qa.outcome import differences_of, facts_of
from qa.play import Played, Refused, play
from qa.scenario import Scenario, scenarios
from scoring.errors import PackError
from scoring.load import read_yaml


@dataclass(frozen=True, slots=True)
class Failure:
    """A scenario that did not come out as it says; ``facts`` are the clauses concerned and what they rested on."""

    id: str
    why: str
    faults: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    facts: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        rows = [f"{self.id} {fault}" for fault in self.faults]
        rows += [f"{self.id} {one.as_text()}" for one in self.differences]
        rows += [f"  why: {self.why}"] if self.why else []
        return rows + [f"  {fact}" for fact in self.facts]

    def as_dict(self) -> dict[str, Any]:
        wrong = [{"path": ".".join(one.path), "expected": one.expected, "found": one.found} for one in self.differences]
        return {
            "id": self.id, "why": self.why, "faults": list(self.faults), "differences": wrong, "facts": list(self.facts)
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """How many scenarios came out as they say, and each that did not."""

    passed: tuple[str, ...]
    failures: tuple[Failure, ...]

    @property
    def clean(self) -> bool:
        return not self.failures

    def as_text(self) -> str:
        rows = [line for one in self.failures for line in one.lines()]
        return "\n".join([*rows, f"{len(self.passed)} passed, {len(self.failures)} failed"])

    def as_dict(self) -> dict[str, Any]:
        found = [one.as_dict() for one in self.failures]
        return {"passed": len(self.passed), "failed": len(self.failures), "failures": found}


def run_files(paths: Iterable[Path], only: str | None = None) -> Report:
    """The scenarios of some files, or one of them; PackError if a file is no file of scenarios."""
    found = [one for path in paths for one in scenarios(read_yaml(path))]
    if only is not None and only not in {one.id for one in found}:
        raise PackError([f"there is no scenario {only}; these files have {', '.join(one.id for one in found)}"])
    return run([one for one in found if only in (None, one.id)])


def run(found: Iterable[Scenario]) -> Report:
    """Each scenario by itself; scenarios never see one another."""
    passed: list[str] = []
    failures: list[Failure] = []
    for scenario in found:
        failure = tried(scenario)
        if failure is None:
            passed.append(scenario.id)
        else:
            failures.append(failure)
    return Report(tuple(passed), tuple(failures))


def tried(scenario: Scenario, played: Played | None = None) -> Failure | None:
    """What is wrong with a scenario (as it was played, if it was); None when it came out as it says."""
    if scenario.faults:
        return Failure(scenario.id, scenario.why, scenario.faults)
    try:
        played = played or play(scenario)
        differences = tuple(differences_of(scenario, played))
        facts = tuple(facts_of(scenario, played, differences)) if differences else ()
    except (Refused, PackError) as error:
        return Failure(scenario.id, scenario.why, tuple(error.faults))
    except Exception as error:  # noqa: BLE001 - a defect of ours in one scenario must not hide what the others say
        return Failure(scenario.id, scenario.why, (_defect(error),))
    return Failure(scenario.id, scenario.why, (), differences, facts) if differences else None


def _defect(error: Exception) -> str:
    """Where our own code broke, in one line."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{Path(place.filename).name}:{place.lineno}: {type(error).__name__}: {error}; this is a defect of seatwatch"
