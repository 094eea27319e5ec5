"""The forms in which first set-up speaks over HTTP. No settings are read here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from qa.setup.questions import Kind, Step
from qa.web.models import Shape

Value = str | int | bool | list[str] | dict[str, str] | None
MOST_TABLE = 4 * 1024 * 1024


class SetupQuestion(Shape):
    """One question with what stands, or what is usual; of a secret only whether it is set."""

    name: str
    kind: Kind
    need: bool
    choices: list[str]
    value: Value
    set: bool


class SetupStep(Shape):
    step: Step
    questions: list[SetupQuestion]


class SetupState(Shape):
    """What is asked, and where the answers go; `records`: whether calls may be recorded as things stand."""

    file: str
    exists: bool
    records: bool
    countries: Annotated[dict[str, list[str]], Field(description="time zone: its cadence and language")]
    steps: list[SetupStep]


class SetupFault(Shape):
    """Why an answer is not taken: the question or the column, and a code whose words the screens know."""

    field: str
    code: str
    values: dict[str, Any]
    text: str
    line: int | None = None


class SetupFinding(Shape):
    """One thing that was tried; `advice` is null where all is well."""

    check: str
    code: str
    what: str
    found: str
    seen: str
    values: dict[str, Any]
    advice: str | None
    bad: bool


class SetupChange(Shape):
    what: str
    new: str
    old: str | None


class Answers(Shape):
    """Raw answers by the names of the questions; `people` is the table itself, as text."""

    model_config = ConfigDict(extra="forbid")

    answers: dict[str, Value]
    people: Annotated[str, Field(max_length=MOST_TABLE)] | None = None


class Trial(Answers):
    """Try one step, or wait for a call."""

    step: Literal["site", "rules", "model", "pbx", "people", "recording", "sources", "call"]
    seconds: Annotated[float, Field(ge=1, le=120)] = 30


class Tried(Shape):
    faults: list[SetupFault]
    findings: list[SetupFinding]
    people: int = Field(0, description="people in the table, where it can be read")


class Writing(Answers):
    """What is to be written; without `write` it is only said what would change."""

    write: bool = False


class Wrote(Shape):
    """What changes or has changed; `overridden`: variables that win over the file."""

    written: bool
    faults: list[SetupFault]
    changes: list[SetupChange]
    overridden: list[str] = Field(default_factory=list)
