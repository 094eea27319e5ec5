"""What a predicate found: an outcome, its evidence, and a cause where it could not decide. It carries no points."""

from __future__ import annotations

from dataclasses import dataclass, fields

from scoring.facts import Cause
from scoring.scorecard import Evidence, Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """``review``: a person must look whatever the rule's class says."""

    outcome: Outcome
    evidence: tuple[Evidence, ...] = ()
    cause: Cause | None = None
    review: bool = False


NA = Finding(Outcome.NA)
CLEAR = Finding(Outcome.CLEAR)


_new = object.__new__
_outcome, _evidence, _cause, _review = (getattr(Finding, one.name).__set__ for one in fields(Finding))


def made(outcome: Outcome, evidence: tuple[Evidence, ...], review: bool = False) -> Finding:
    """A finding without a cause; a frozen value's own way of making itself takes three times as long."""
    one = _new(Finding)
    _outcome(one, outcome)
    _evidence(one, evidence)
    _cause(one, None)
    _review(one, review)
    return one


def clear(evidence: tuple[Evidence, ...]) -> Finding:
    return made(Outcome.CLEAR, evidence)


def breach(evidence: tuple[Evidence, ...], review: bool = False) -> Finding:
    return made(Outcome.BREACH, evidence, review)


def unknown(cause: Cause, evidence: tuple[Evidence, ...]) -> Finding:
    return Finding(Outcome.UNKNOWN, evidence, cause)
