"""Entries and reversals as values: what a scorecard enters, what takes it back, and what stands. It stores nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from scoring.errors import ScoringError
from scoring.scorecard import ZERO, Scorecard


class LedgerError(ScoringError):
    """The entries contradict one another: an entry reversed twice, or a reversal without its entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger, never changed. ``reverses``: the run whose entry of this rule and event it takes back."""

    run: str
    rule: str
    event: str
    agent: str | None
    points: Decimal
    counts: bool
    assumed: bool
    reverses: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.run, self.rule, self.event)


def entries_of(card: Scorecard, run: str) -> tuple[Entry, ...]:
    """What a run enters: one entry for each line that takes effect, whether it counts yet or waits."""
    return tuple(
        Entry(run, line.rule, line.event, card.agent, line.points, line.counts, line.assumed)
        for line in card.lines
        if line.takes_effect
    )


def reversals(entries: Iterable[Entry], old: str, run: str) -> tuple[Entry, ...]:
    """What takes back the entries of the old run that still stand; entered by the new run."""
    kept = standing(entries)
    mine = (one for one in kept if one.run == old)
    return tuple(replace(one, run=run, points=-one.points if one.points else ZERO, reverses=old) for one in mine)


def standing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries that nothing took back; refuses a second reversal."""
    kept: dict[tuple[str, str, str], Entry] = {}
    gone: set[tuple[str, str, str]] = set()
    for one in entries:
        if one.reverses is None:
            if one.key in kept or one.key in gone:
                raise LedgerError(f"run {one.run}: {one.rule} on {one.event} is entered twice; enter it once")
            kept[one.key] = one
            continue
        target = (one.reverses, one.rule, one.event)
        if target in gone:
            raise LedgerError(f"run {one.reverses}: {one.rule} on {one.event} is reversed twice; drop the second")
        if target not in kept:
            raise LedgerError(f"run {one.reverses}: {one.rule} on {one.event} was never entered; check the run's name")
        gone.add(target)
        del kept[target]
    return tuple(kept.values())


def total(entries: Iterable[Entry]) -> Decimal:
    """The plain sum of all entries and reversals that count; equal to the sum of what stands."""
    return sum((one.points for one in entries if one.counts), ZERO)
