"""What a predicate found: an outcome, its evidence, and a cause where it could not decide. It carries no points."""

from __future__ import annotations

from typing import NamedTuple

from scoring.facts import Cause
from scoring.scorecard import Evidence, Outcome


class Finding(NamedTuple):
    """``review``: a person must look whatever the rule's class says."""

    outcome: Outcome
    evidence: tuple[Evidence, ...] = ()
    cause: Cause | None = None
    review: bool = False


NA = Finding(Outcome.NA)
CLEAR = Finding(Outcome.CLEAR)


def clear(evidence: tuple[Evidence, ...]) -> Finding:
    return Finding(Outcome.CLEAR, evidence)


def breach(evidence: tuple[Evidence, ...], review: bool = False) -> Finding:
    return Finding(Outcome.BREACH, evidence, None, review)


def unknown(cause: Cause, evidence: tuple[Evidence, ...]) -> Finding:
    return Finding(Outcome.UNKNOWN, evidence, cause)
