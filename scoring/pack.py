"""The form of a pack: strict models of rules, dated values and scores. It reads no file and decides no outcome.

A value is printed in the regulation (a quoted number), lost by its text (``lost`` with what is assumed: it scores, is
marked, and never reaches pay) or a reading of the clause that a site may change (``reading``: a setting, not marked).
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

Unit = Literal["point", "ring", "duration", "percent", "ratio", "decibel", "count", "day", "yuan"]
Decide = Literal["auto", "review", "manual", "norm"]
Per = Literal[
    "call", "utterance", "occurrence", "shift", "proposal", "case", "incident", "exam", "day", "month", "year", "none",
]  # fmt: skip
Kind = Literal[
    "person", "shift", "attendance", "leave", "calendar", "call", "chat", "seat_status", "work_order", "order", "case",
    "rating", "exam", "report", "event", "observation", "figure", "audit", "derived", "pack", "none",
]  # fmt: skip
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Quote = Annotated[str, StringConstraints(min_length=4, max_length=80)]
RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,5}-[A-Za-z0-9][A-Za-z0-9-]*$")]

_CLOCK = re.compile(r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]\d(?:\.\d{1,3})?)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,6})?", re.ASCII)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _quoted(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str):
        raise ValueError(f'write the number as a quoted string: "{value}"')
    return value


Number = Annotated[str, BeforeValidator(_quoted)]


class Lost(Strict):
    """A number the source lost; *assumed* scores points, and may not reach pay."""

    lost: Literal[True]
    assumed: Number
    why: Sentence


class Reading(Strict):
    """A number the clause does not print, read into it; a setting that every site may change."""

    reading: Number
    why: Sentence


Value = Annotated[Number | Lost | Reading | None, Field(union_mode="left_to_right")]


def exact(text: str, unit: Unit) -> Decimal:
    """A quoted number as a decimal; a duration ("m:ss", "h:mm:ss", with up to three decimals) in milliseconds."""
    if unit == "duration":
        clock = _CLOCK.fullmatch(text)
        if clock is None:
            raise ValueError(f'"{text}" is no duration; write "m:ss" or "h:mm:ss"')
        hours, minutes, seconds = clock.groups()
        return (int(hours or 0) * 3600 + int(minutes) * 60) * Decimal(1000) + Decimal(seconds) * 1000
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f'"{text}" is no number; write it like "-0.5"')
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f'"{text}" is no number; write it like "-0.5"') from None
    if unit in ("ring", "count", "day") and value != value.to_integral_value():
        raise ValueError(f'"{text}" is no whole number of {unit}s')
    return value


def text_of(value: str | Lost | Reading | None) -> str | None:
    if isinstance(value, Lost):
        return value.assumed
    return value.reading if isinstance(value, Reading) else value


class Dated(Strict):
    """A value keyed by the day it starts on; 0001-01-01 = the text does not say since when."""

    unit: Unit
    values: Annotated[dict[date, Value], Field(min_length=1)]
    reference: Sentence | None = None

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        for value in self.values.values():
            text = text_of(value)
            if text is not None:
                exact(text, self.unit)
        return self


class Choice(Strict):
    """One of several readings of a clause."""

    of: Annotated[tuple[str, ...], Field(min_length=1)]
    default: str
    why: Sentence

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        return _tuples(raw, "of")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.default not in self.of:
            raise ValueError(f"{self.default!r} is none of {', '.join(self.of)}")
        return self


def _tuples(raw: Any, *names: str) -> Any:
    """YAML knows lists; the models hold tuples."""
    if not isinstance(raw, dict):
        return raw
    return {key: tuple(value) if key in names and isinstance(value, list) else value for key, value in raw.items()}


class Title(Strict):
    zh: Sentence
    ko: Sentence
    en: Sentence


class Check(Strict):
    """One test of a rule: a predicate by name, the phrase lists it asks for, and who decides if not as the rule."""

    that: str
    decide: Literal["auto", "review"] | None = None
    phrases: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or not isinstance(raw.get("phrases"), dict):
            return raw
        return {**raw, "phrases": _tuples(raw["phrases"], *raw["phrases"])}


DATED = (
    "points", "amount", "fine", "limit", "grace", "cap", "weight", "target", "confidence", "sample", "base", "floor",
)  # fmt: skip
CHOICES = ("mode", "rounding")


class Rule(Strict):
    """One clause: where it stands, what it says, who decides it, from which records, and what it costs or earns."""

    cite: str
    quote: Quote
    title: Title
    decide: Decide
    per: Per
    needs: Annotated[tuple[Kind, ...], Field(min_length=1)]
    needs_text: bool = False
    tests: tuple[Check, ...] = ()
    points: Dated | None = None
    amount: Dated | None = None
    fine: Dated | None = None
    limit: Dated | None = None
    grace: Dated | None = None
    cap: Dated | None = None
    weight: Dated | None = None
    target: Dated | None = None
    confidence: Dated | None = None
    sample: Dated | None = None
    base: Dated | None = None
    floor: Dated | None = None
    mode: Choice | None = None
    rounding: Choice | None = None
    settings: dict[str, Dated] = {}
    on: bool = True
    why: Sentence | None = None
    also: tuple[RuleId, ...] = ()
    not_with: tuple[RuleId, ...] = ()
    note: Sentence | None = None

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        return _tuples(raw, "needs", "tests", "also", "not_with")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.on and self.why is None:
            raise ValueError("on: false needs a why; say who switched it off and for what reason")
        if self.tests and self.decide in ("manual", "norm"):
            raise ValueError(f"a {self.decide} rule has no tests; drop them or make it auto or review")
        clash = sorted(self.settings.keys() & {*DATED, *CHOICES, "on"})
        if clash:
            raise ValueError(f"settings.{clash[0]} is a key of the rule itself; move it out of settings")
        return self

    def dated(self) -> dict[str, Dated]:
        """Every number that a site may set, by its flat name."""
        own = {name: getattr(self, name) for name in DATED}
        return {name: value for name, value in {**own, **self.settings}.items() if value is not None}

    def choices(self) -> dict[str, Choice]:
        own = {name: getattr(self, name) for name in CHOICES}
        return {name: value for name, value in own.items() if value is not None}


class Group(Strict):
    """Clauses that one event can meet together: only the heaviest takes effect."""

    per: Literal["utterance", "shift", "proposal", "case", "incident"]
    rules: Annotated[tuple[RuleId, ...], Field(min_length=2)]

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        return _tuples(raw, "rules")


class Source(Strict):
    """The regulation's text, which is not shipped: file name, SHA-256 of its bytes, and the line it stands on."""

    file: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    line: Annotated[int, Field(ge=1)]
    note: Sentence | None = None


class Section(Strict):
    file: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+\.yaml$")]
    title: Sentence


class Head(Strict):
    """``pack.yaml``: what the pack is, where it comes from, and its sections in the regulation's order."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,8}$")]
    version: str
    title: Title
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,5}-$")]
    score: RuleId
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    groups: tuple[Group, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        return _tuples(raw, "sources", "sections", "groups")


class Pack:
    """A loaded pack. ``sha`` names its files byte for byte; ``files`` are those bytes, to replay a run."""

    __slots__ = ("files", "head", "rules", "section_of", "sha")

    def __init__(
        self, head: Head, rules: dict[str, Rule], section_of: dict[str, str], files: dict[str, str], sha: str
    ) -> None:
        self.head, self.rules, self.section_of, self.files, self.sha = head, rules, section_of, files, sha

    @property
    def id(self) -> str:
        return self.head.id

    @property
    def version(self) -> str:
        return self.head.version
