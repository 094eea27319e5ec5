"""One event, one effect: of clauses declared to overlap only the heaviest keeps the event. It finds no breach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.scorecard import ZERO, Line, Outcome, Span, Superseded


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Clauses of which one event may take only one; ``per`` utterance compares turns, ``event`` the whole subject."""

    rules: frozenset[str]
    per: str


def settle_overlaps(lines: Sequence[Line], groups: Sequence[Exclusive]) -> list[Line]:
    """The lines after every group has left each event to its heaviest clause; equal ones go by the pack's order."""
    settled = list(lines)
    for group in groups:
        members = [at for at, line in enumerate(settled) if line.rule in group.rules and line.takes_effect]
        members.sort(key=lambda at: (-abs(settled[at].points), at))
        taken: set[int] = set()
        for rank, at in enumerate(members):
            if rank:
                settled[at] = _without(settled[at], taken, group, settled[members[0]].rule)
            taken |= _turns(settled[at])
    return settled


def _turns(line: Line) -> set[int]:
    return {one.turn for one in line.evidence if isinstance(one, Span) and one.turn is not None}


def _without(line: Line, taken: set[int], group: Exclusive, heavier: str) -> Line:
    """The line less what a heavier clause took; nothing left means that it does not apply."""
    own = _turns(line)
    if group.per == "utterance" and (not own & taken):
        return line
    if group.per == "utterance" and own - taken:
        kept = tuple(one for one in line.evidence if not (isinstance(one, Span) and one.turn in taken))
        return line._replace(evidence=(*kept, Superseded(heavier, group.per)))
    note = (*line.evidence, Superseded(heavier, group.per))
    return line._replace(outcome=Outcome.NA, counts=False, points=ZERO, assumed=False, evidence=note)
