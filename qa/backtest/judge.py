"""Stored subjects before and after a draft: scored by the function that scores live, compared line by line. Pure.

What the ledger has already reckoned with the same pack is not reckoned again: before is what stands there, after is
that with the difference of the clauses that can come out otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from qa.backtest.sides import Pair, Side, pair
from qa.backtest.tally import ZERO, Tally
from qa.heard import hits_of
from qa.store.facts import Stored
from scoring.canonical import decimal_text
from scoring.engine import ENGINE, score
from scoring.errors import FactsError
from scoring.facts import Facts, Hit
from scoring.scorecard import Line, Outcome, Scorecard
from scoring.stored import read
from scoring.values import Undated, settle
from speech.phrases import Matcher

UNREADABLE = "unreadable"  # the cause where stored facts cannot be read: every clause concerned is unknown


@dataclass(frozen=True, slots=True)
class Held:
    """Which pack holds from which day on; the first one from ever."""

    sides: tuple[tuple[date, Side], ...]

    def at(self, day: date | None) -> Side:
        """The one of that day; without a day the last."""
        found = [side for since, side in self.sides if day is None or since <= day]
        return found[-1] if found else self.sides[0][1]


@dataclass(slots=True)
class Judge:
    """Compares subjects under what holds and under the draft: another side for every day, or other phrases."""

    held: Held
    after: Callable[[Side], Side]
    matcher: Matcher | None = None
    chat: Matcher | None = None
    _pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)

    def pair_at(self, day: date | None) -> Pair:
        before = self.held.at(day)
        key = (before.pack.sha, before.overlay.sha)
        if key not in self._pairs:
            self._pairs[key] = pair(before, self.after(before), hits_move=self.matcher is not None)
        return self._pairs[key]

    @property
    def needs_facts(self) -> bool:
        """False when no clause can come out otherwise on any day: then totals say it all."""
        return self.matcher is not None or any(not self.pair_at(since).same for since, _ in self.held.sides)

    def tally(self, rows: Iterable[Stored]) -> Tally:
        found = Tally()
        for row in rows:
            self.one(row, found)
        return found

    def one(self, row: Stored, found: Tally) -> None:
        """One subject, added to what was found so far."""
        two = self.pair_at(row.day)
        found.subjects += 1
        found.calls += not row.subject.startswith("away:")
        person = found.person(row.agent)
        person.subjects += 1
        stands = row.engine == ENGINE and (row.pack_sha, row.overlay_sha) == (
            two.before.pack.sha,
            two.before.overlay.sha,
        )
        if row.body is None or (two.same and stands):
            self._totals(found, row, row.counted, row.automatic, ZERO, ZERO)
            return
        try:
            facts = read(row.body, two.text or not stands)
        except FactsError:
            _unreadable(found, row, two)
            return
        if stands:
            counted, automatic = row.counted, row.automatic
        else:
            found.rescored += 1
            whole = score(two.before.pack, two.before.overlay, facts, row.day)
            counted, automatic = whole.counted, whole.automatic
        other = facts if self.matcher is None else self._rematched(facts, found)
        if self.matcher is not None and other == facts and not two.money:
            self._totals(found, row, counted, automatic, ZERO, ZERO)
            return
        found.scored += 1
        before = score(two.cut_before.pack, two.cut_before.overlay, facts, row.day)
        after = score(two.cut_after.pack, two.cut_after.overlay, other, row.day)
        self._totals(found, row, counted, automatic, after.counted - before.counted, after.automatic - before.automatic)
        _compare(found, row, before, after)
        if two.money:
            person.money_before += _money_of(two.cut_before, before)
            person.money_after += _money_of(two.cut_after, after)

    def _totals(
        self, found: Tally, row: Stored, counted: Decimal, automatic: Decimal, more: Decimal, more_automatic: Decimal
    ) -> None:
        person = found.person(row.agent)
        person.counted_before += counted
        person.automatic_before += automatic
        person.counted_after += counted + more
        person.automatic_after += automatic + more_automatic

    def _rematched(self, facts: Facts, found: Tally) -> Facts:
        """The facts with the phrases that the draft's lists find in the stored turns.

        Phrases that another system found without sending the words cannot be looked for again: then there is no text.
        """
        call = facts.call
        if call is None or self.matcher is None:
            return facts
        began = time.thread_time()  # of this thread alone: what else the machine does says nothing of the lists
        matcher = self.chat if self.chat is not None and facts.kind == "chat" else self.matcher
        hits: tuple[Hit, ...] = hits_of(matcher, call.turns)
        found.match_seconds += time.thread_time() - began
        found.rematched += 1
        if not call.turns and call.hits:
            return replace(facts, call=replace(call, hits=(), text="none"))
        return facts if hits == call.hits else replace(facts, call=replace(call, hits=hits))


def _unreadable(found: Tally, row: Stored, two: Pair) -> None:
    """Nothing is known any more of what it rested on: the ledger's totals stay, the clauses concerned are unknown."""
    found.unreadable += 1
    person = found.person(row.agent)
    person.counted_before += row.counted
    person.counted_after += row.counted
    person.automatic_before += row.automatic
    person.automatic_after += row.automatic
    for rule in two.changed:
        effect = found.rule(rule)
        effect.unknown_before += 1
        effect.unknown_after += 1
        effect.causes[UNREADABLE] = effect.causes.get(UNREADABLE, 0) + 1


def _compare(found: Tally, row: Stored, before: Scorecard, after: Scorecard) -> None:
    old, new = _by_finding(before, found, "unknown_before"), _by_finding(after, found, "unknown_after")
    for key in old.keys() | new.keys():
        was, now = old.get(key), new.get(key)
        effect = found.rule(key[0])
        if was is not None:
            effect.points_before += was.points
        if now is not None:
            effect.points_after += now.points
        kind = _kind(was, now)
        if kind is None:
            continue
        setattr(effect, kind, getattr(effect, kind) + 1)
        if kind != "changed":
            person = found.person(row.agent)
            setattr(person, kind, getattr(person, kind) + 1)
        if effect.wants(kind, row.seq):
            effect.show(kind, row.seq, _example(row, was, now))


def _by_finding(card: Scorecard, found: Tally, unknown: str) -> dict[tuple[str, str, int], Line]:
    """Lines that take effect, by clause, event and number; what is unknown is only counted."""
    lines: dict[tuple[str, str, int], Line] = {}
    for line in card.lines:
        if line.takes_effect:
            number = 0
            while (line.rule, line.event, number) in lines:
                number += 1
            lines[line.rule, line.event, number] = line
        elif line.outcome is Outcome.UNKNOWN:
            effect = found.rule(line.rule)
            setattr(effect, unknown, getattr(effect, unknown) + 1)
            if unknown == "unknown_after" and line.cause is not None:
                effect.causes[line.cause] = effect.causes.get(line.cause, 0) + 1
    return lines


def _kind(was: Line | None, now: Line | None) -> str | None:
    if was is None:
        return "gained"
    if now is None:
        return "lost"
    same = (was.outcome, was.points, was.decide, was.counts) == (now.outcome, now.points, now.decide, now.counts)
    return None if same else "changed"


def _example(row: Stored, was: Line | None, now: Line | None) -> Mapping[str, Any]:
    """The call, the clause as printed, and the evidence with its second of audio."""
    line = now or was
    assert line is not None
    kind, _, name = row.subject.partition(":")
    return {
        kind: name, "agent": row.agent, "day": row.day.isoformat() if row.day else None, "rule": line.rule,
        "cite": line.cite, "quote": line.quote, "outcome": str(line.outcome), "decide": line.decide,
        "points": {
            "before": None if was is None else decimal_text(was.points),
            "after": None if now is None else decimal_text(now.points),
        },
        "evidence": [one.to_json() for one in line.evidence],
    }  # fmt: skip


def _money_of(side: Side, card: Scorecard) -> Decimal:
    """Fines and amounts of what counts, signed from the person's side; an assumed amount never reaches money."""
    return sum((one for line in card.lines if line.counts for one in _amounts(side, line, card.day)), ZERO)


def _amounts(side: Side, line: Line, day: date | None) -> Iterator[Decimal]:
    rule = side.pack.rules[line.rule]
    try:
        known = settle(line.rule, rule, side.overlay, day) or {}
    except Undated:
        return
    for name in ("fine", "amount"):
        one = known.get(name)
        if one is not None and one.number is not None and not one.assumed:
            yield -abs(one.number) if name == "fine" else one.number
