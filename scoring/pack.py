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

Unit = Literal["point", "month", "ring", "duration", "percent", "ratio", "decibel", "count", "day", "yuan"]
Decide = Literal["auto", "review", "manual", "norm"]
Per = Literal[
    "call", "utterance", "occurrence", "shift", "proposal", "case", "incident", "exam", "item", "order", "chat",
    "question", "day", "week", "month", "quarter", "year", "campaign", "none",
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
Expression = Annotated[str, BeforeValidator(lambda value: _written(value)), StringConstraints(min_length=1)]


def _written(value: object) -> object:
    """An expression; a bare true, false or number is one too."""
    if isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, int | float) else value


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


class Due(Strict):
    """A deadline: which stage or paper it is for, until when, and, where it is no usual field, when it was done."""

    stage: str
    at: Expression
    done: Expression | None = None
    not_before: bool = False  # a notice: the day is the earliest one
    right: bool = False  # nobody has to do it: shown, and no breach when it is not done


VERDICTS = ("breach", "met", "keep", "tell")


class Check(Strict):
    """One test of a rule: a predicate by name with its phrase lists, or expressions over what it is about (``each``).

    ``keep`` is a breach when it is false; ``tell`` has an outcome and no effect; ``alarm`` is a notice without points.
    """

    that: str | None = None
    decide: Literal["auto", "review"] | None = None
    phrases: dict[str, tuple[str, ...]] = {}
    each: str = "month"
    where: Expression | None = None
    let: dict[str, Expression] = {}
    na: Expression | None = None
    breach: Expression | None = None
    met: Expression | None = None
    keep: Expression | None = None
    tell: Expression | None = None
    alarm: Expression | None = None
    due: Due | None = None
    at: Expression | None = None
    points: Expression | None = None
    times: Expression | None = None
    event: Expression | None = None
    value: Expression | None = None
    approver: Expression | None = None
    needs_register: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        raw = _tuples(raw, "needs_register")
        if not isinstance(raw, dict) or not isinstance(raw.get("phrases"), dict):
            return raw
        return {**raw, "phrases": _tuples(raw["phrases"], *raw["phrases"])}

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        said = [name for name in VERDICTS if getattr(self, name) is not None]
        if self.that is not None:
            if said or self.alarm is not None or self.due is not None:
                raise ValueError("a test names a predicate or has expressions, not both; drop one")
        elif len(said) + (self.due is not None) > 1:
            raise ValueError(f"one verdict a test, not {', '.join(said)}; write a second test")
        elif not said and self.due is None and self.alarm is None:
            raise ValueError("a test needs that, breach, met, keep, tell, alarm or due; add one")
        return self


class Range(Strict):
    """What the clause prints as "2 to 5": a person sets the number inside it, with a reason."""

    min: Number
    max: Number


class Item(Strict):
    """An item of an assessment sheet: it starts full and loses, or starts from nothing and is given."""

    weight: Number
    starts: Literal["nothing", "full"]
    zero_if: Expression | None = None


class Step(Strict):
    """What the n-th finding of a ladder costs or brings."""

    fine: Number | None = None
    amount: Number | None = None
    points: Number | None = None
    recommend: str | None = None
    caution: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        return _tuples(raw, "caution")


class Ladder(Strict):
    """Steps by occurrence within a window: the calendar month or year, or so many days before; the last one repeats."""

    window: Annotated[str, StringConstraints(pattern=r"^(month|year|\d{1,4})$")]
    values: Annotated[dict[date, tuple[Step, ...]], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or not isinstance(raw.get("values"), dict):
            return raw
        return {**raw, "values": _tuples(raw["values"], *raw["values"])}


class Recommend(Strict):
    """An effect on pay or employment that only a person can approve."""

    kind: str
    caution: tuple[str, ...] = ()
    when: Expression | None = None
    also: tuple[RuleId, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        return _tuples(raw, "caution", "also")


class Refuse(Strict):
    """An attempt that the clause forbids: the word it is refused with, and when."""

    word: str
    when: Expression
    each: str | None = None


class Caution(Strict):
    """An attempt that is taken, with a warning of the law."""

    law: str
    when: Expression
    each: str | None = None


DATED = (
    "points", "amount", "fine", "limit", "grace", "cap", "weight", "target", "confidence", "sample", "base", "floor",
    "days",
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
    days: Dated | None = None
    mode: Choice | None = None
    rounding: Choice | None = None
    settings: dict[str, Dated] = {}
    quote_ko: Quote | None = None
    of: tuple[Literal["person", "team", "site"], ...] = ("person",)
    range: tuple[Range, ...] = ()
    let: dict[str, Expression] = {}
    pay: Expression | None = None
    counts_as: Literal["fine", "cut"] | None = None
    admits: Expression | None = None
    never: bool = False
    days_by_word: bool = False
    item: Item | None = None
    at_most: str | None = None
    once: Literal["month"] | None = None
    ladder: Ladder | None = None
    recommend: tuple[Recommend, ...] = ()
    value: Expression | None = None
    raw: Expression | None = None
    year: Expression | None = None
    money: Expression | None = None
    refuses: tuple[Refuse, ...] = ()
    cautions: tuple[Caution, ...] = ()
    overlay_faults: tuple[Refuse, ...] = ()
    on: bool = True
    why: Sentence | None = None
    also: tuple[RuleId, ...] = ()
    not_with: tuple[RuleId, ...] = ()
    note: Sentence | None = None

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        raw = _tuples(raw, "needs", "tests", "also", "not_with", "recommend", "refuses", "cautions", "overlay_faults")
        raw = _tuples(raw, "of", "range")
        if not isinstance(raw, dict):
            return raw
        alone = {key: (raw[key],) for key in ("recommend", "range", "of") if isinstance(raw.get(key), dict | str)}
        return {**raw, **alone}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.never and self.on:
            raise ValueError("never: true needs on: false and a why; add them")
        if not self.on and self.why is None:
            raise ValueError("on: false needs a why; say who switched it off and for what reason")
        if self.tests and self.decide == "norm":
            raise ValueError("a norm has no tests; drop them or make it auto, review or manual")
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
    last: Annotated[int, Field(ge=1)] | None = None
    language: Literal["zh", "ko"] = "zh"
    strip: Literal["pinyin"] | None = None
    note: Sentence | None = None


class Section(Strict):
    file: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+\.yaml$")]
    title: Sentence


class Ranking(Strict):
    """Among whom the score is ranked; the best is 1, equal scores share a rank."""

    among: Literal["team", "pack"] = "team"


class Head(Strict):
    """``pack.yaml``: what the pack is, where it comes from, and its sections in the regulation's order."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{2,8}$")]
    version: str
    title: Title
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,5}-$")]
    score: RuleId | None = None
    grade: RuleId | None = None
    pay: RuleId | None = None
    year: RuleId | None = None
    open: tuple[RuleId, ...] = ()  # while one of these has no value, the month is not decided
    approver: RuleId | None = None
    rank: Ranking | None = None
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    groups: tuple[Group, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, raw: Any) -> Any:
        return _tuples(raw, "sources", "sections", "groups", "open")


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
