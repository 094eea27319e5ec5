"""Months as cards, and the closing of a month: what is frozen, and what later news adjusts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from scoring.facts import Unknown
from scoring.pack import Pack, Rule
from scoring.period.card import Adjustment, Card, Recommendation
from scoring.period.evaluate import Evaluator, Shelves
from scoring.period.findings import Finding
from scoring.period.judge import ORDER
from scoring.period.month import Month
from scoring.period.news import News
from scoring.period.world import SITE, Stood, Who, World
from scoring.records.period import Period
from scoring.scorecard import ZERO, Outcome
from scoring.values import Known

CENT = Decimal("0.01")


class Closing:
    """Cards of one world; everything is computed once."""

    def __init__(self, world: World, shelves: Shelves | None = None) -> None:
        self.world = world
        self.evaluator = Evaluator(world, shelves)
        self._cards: dict[tuple[str, Who, Period], Card] = {}
        self._reopened: dict[tuple[int, Period], Closing] = {}
        self._news: dict[tuple[int, int], News] = {}
        self._stood: dict[tuple[int, Who, Period], Stood] = {}

    def card(self, who: Who, period: Period, pack: str | None = None) -> Card:
        """One result; ``pack`` None = the active one of that person in that month."""
        name = pack or self._pack(who, period)
        key = (name, who, period)
        if key not in self._cards:
            make = self._month if period.kind == "month" else self._span
            self._cards[key] = make(name, who, period)
        return self._cards[key]

    def _pack(self, who: Who, period: Period) -> str:
        world = self.world.as_of(period)
        return world.pack_of(who.name, period.last) if who.kind == "person" else world.pack

    def _month(self, pack: str, who: Who, period: Period) -> Card:
        month = self.evaluator.month(pack, who, period)
        card = _card_of(month, period in self.world.closed)
        shadow: dict[str, Decimal] = {}
        for other in self.world.shadow:
            if other != pack and other in self.world.packs:
                shade = self.evaluator.month(other, who, period)
                shadow.update(
                    {rule: shade.line(rule) for rule in shade.program.rules if shade.program.rules[rule].scores}
                )
        decided = tuple(_with_state(self.world, card, one) for one in card.recommendations)
        adjusted = self.adjustment(who, period)
        ledger = None if card.ledger is None else card.ledger + adjusted.pay  # a correction is an entry of its own
        return replace(card, shadow=shadow, adjusted=adjusted, ledger=ledger, recommendations=decided)

    def _span(self, pack: str, who: Who, period: Period) -> Card:
        """A year or quarter: sums of its months, and what a rule computes over them."""
        cards = [self.card(who, month, pack) for month in period.months()]
        last = self.evaluator.month(pack, who, period.months()[-1])
        values: dict[str, Any] = {}
        for rule, ready in last.program.rules.items():
            if "year" in ready.parts and last.on(ready):
                scope = last.month_scope(ready)
                values[rule] = last.guarded("year", rule, partial(ready.parts["year"], scope))
        head = last.pack.head
        return Card(
            who, period, pack,
            score=values.get(head.year) if head.year else None,
            pay=_sum_known(one.pay for one in cards),
            fine=_sum_known(one.fine for one in cards),
            ledger=_sum_known(one.ledger for one in cards),
            money=_added([one.money for one in cards]),
            lines=_added([one.lines for one in cards]),
            count=_added([one.count for one in cards]),
            value=values,
            outcome=_first_outcomes(cards),
            unknown=_union(one.unknown for one in cards),
            assumed=_union(one.assumed for one in cards),
            alarms=_union(one.alarms for one in cards),
            review=_waiting_in(one.review for one in cards),
            recommendations=tuple(rec for one in cards for rec in one.recommendations),
            findings=tuple(found for one in cards for found in one.findings),
            closed=all(one.closed for one in cards),
        )  # fmt: skip

    def adjustment(self, who: Who, period: Period) -> Adjustment:
        """What became known of closed months after the closing before this month's, against what stood then."""
        closed = self.world.closed
        earlier = sorted(one for one in closed if one < period)
        if not earlier or (period not in closed and period > earlier[-1].next()):
            return Adjustment()
        then, now = closed[earlier[-1]], closed.get(period, self.world)
        points, pay, months = ZERO, ZERO, []
        for month in earlier:
            if not self._concerned(then, now, who, month):
                continue
            before = then.stood.get((who, month)) or self._stands(then, who, month)
            after = self._stands(now, who, month)
            if before != after:
                months.append(month)
            points, pay = points + after.points - before.points, pay + after.pay - before.pay
        return Adjustment(points, pay, tuple(months))

    def standing(self, cards: Iterable[Card]) -> dict[tuple[Who, Period], Stood]:
        """What a closing knows of its own month and of those before, for the next one to compare with.

        What was not computed is left out: it stands as it did, and is computed when news of it comes.
        """
        now = self.world
        found: dict[tuple[Who, Period], Stood] = {}
        for card in cards:
            earlier = sorted(one for one in now.closed if one < card.period)
            then = now.closed[earlier[-1]] if earlier else now
            for month in earlier:
                key = (id(now.closed.get(card.period, now)), card.who, month)
                known = self._stood.get(key) or then.stood.get((card.who, month))
                if known is not None:
                    found[card.who, month] = known
            found[card.who, card.period] = _stood_of(card, now.packs[card.pack])
        return found

    def _concerned(self, then: World, now: World, who: Who, month: Period) -> bool:
        """Whether what became known in between could change that month."""
        key = (id(then), id(now))
        if key not in self._news:
            self._news[key] = News(self.evaluator.of_world(then), self.evaluator.of_world(now))
        opened = self._reopen(now, month)
        pack = opened.world.as_of(month).packs[opened._pack(who, month)]
        return self._news[key].concerns(pack, who, month)

    def _stands(self, world: World, who: Who, month: Period) -> Stood:
        """The month as that world would decide it, were it still open, at the moment it was closed: news changes a
        closed month, time that passes does not.
        """
        key = (id(world), who, month)
        if key not in self._stood:
            opened = self._reopen(world, month)
            found = opened.evaluator.month(opened._pack(who, month), who, month)
            self._stood[key] = _stood_of(_card_of(found, False), found.pack)
        return self._stood[key]

    def _reopen(self, world: World, month: Period) -> Closing:
        """That world with the month and all after it open again."""
        key = (id(world), month)
        if key not in self._reopened:
            left = {one: kept for one, kept in world.closed.items() if one < month}
            clock = self.world.closed[month].now
            self._reopened[key] = Closing(replace(world, closed=left, now=clock), self.evaluator.shelves)
        return self._reopened[key]


def _stood_of(card: Card, pack: Pack) -> Stood:
    return Stood(_points_of(card, pack), _pay_of(card))


def _points_of(card: Card, pack: Pack) -> Decimal:
    """The score, nothing while a part of it is missing; where nothing is totalled the sum of the lines."""
    total = pack.head.score
    if total is not None and card.who.kind in pack.rules[total].of:
        return card.score if isinstance(card.score, Decimal) else ZERO
    return sum(card.lines.values(), ZERO)


def _pay_of(card: Card) -> Decimal:
    return (card.pay or ZERO) + sum((one or ZERO for one in card.money.values()), ZERO)


def _card_of(month: Month, closed: bool) -> Card:
    rules = month.program.rules
    settled = {rule: month.settled(rule) for rule in rules}
    flat = tuple(one for found in settled.values() for one in found)
    lines = {rule: month.line(rule) for rule, ready in rules.items() if ready.scores}
    values = {rule: month.value(rule) for rule, ready in rules.items() if _has_value(month, rule)}
    score, _ = month.score
    assumed = _assumed(month, flat, values)
    pay, note = _pay(month, flat, lines)
    money, fine = _money(month)
    pay = _kept_lawful(month, pay)
    head = month.pack.head
    return Card(
        month.who, month.period, month.pack.id,
        score=_known(score), raw=_known(month.raw), grade=_known(month.grade), rank=_known(month.rank),
        state=_state(month, score, pay, note), pay=pay, pay_note=note, fine=fine,
        ledger=_ledger(month, money, pay, closed), money=money, lines=lines,
        count={rule: Decimal(sum(one.counts for one in found)) for rule, found in settled.items()},
        value=_values_of(values, head.score, score),
        outcome={rule: outcome for rule in rules if (outcome := month.outcome(rule)) is not None},
        unknown=tuple(
            rule
            for rule, found in settled.items()
            if any(one.outcome is Outcome.UNKNOWN for one in found) or month.unheard(rule)
        ),
        assumed=assumed,
        alarms=tuple(rule for rule, found in settled.items() if any(one.alarm for one in found)),
        review={rule: waiting for rule, found in settled.items() if (waiting := _waiting(found)) is not _NOTHING},
        recommendations=_recommendations(month, flat),
        findings=flat, closed=closed,
    )  # fmt: skip


def _values_of(values: dict[str, Any], total: str | None, score: Any) -> dict[str, Any]:
    found = {rule: _known(value) for rule, (value, _) in values.items()}
    return found if total is None else {**found, total: _known(score)}


def _has_value(month: Month, rule: str) -> bool:
    ready = month.program.rules[rule]
    return "value" in ready.parts or ready.rule.item is not None


def _known(value: Any) -> Any:
    return None if isinstance(value, Unknown) else value


def _assumed(month: Month, flat: tuple[Finding, ...], values: dict[str, Any]) -> tuple[str, ...]:
    found = {one.rule for one in flat if one.assumed and (one.counts or one.waits or one.outcome is Outcome.CLEAR)}
    found |= {rule for rule, (_, read) in values.items() if _read_lost(read)}
    score = month.pack.head.score
    if score is not None and _read_lost(month.score[1]):
        found.add(score)
    found |= {rule for rule, ready in month.program.rules.items() if ready.rule.at_most and month.cap_assumed(ready)}
    return tuple(rule for rule in month.program.rules if rule in found)


def _read_lost(read: Iterable[tuple[str, Any]]) -> bool:
    return any(isinstance(one, Known) and one.assumed for _, one in read)


def _pay(month: Month, flat: tuple[Finding, ...], lines: dict[str, Decimal]) -> tuple[Decimal | None, str | None]:
    """The pay rule's result; an assumed number never reaches it, an undecided part leaves it open."""
    rule = month.pack.head.pay
    if rule is None or month.who.kind != "person":
        return None, None
    value, read = month.pay()
    if not isinstance(value, Decimal):
        return None, "undecided" if isinstance(value, Unknown) else None
    if _read_lost(read):
        return None, "assumed"
    left_out = any(one.assumed and one.counts and lines.get(one.rule, ZERO) != 0 for one in flat)
    return value.quantize(CENT, ROUND_HALF_UP), "without_assumed" if left_out else None


def _money(month: Month) -> tuple[dict[str, Decimal | None], Decimal | None]:
    """Money by rule and the sum of fines; what rests on an assumed number is left out, what the law forbids is cut."""
    money: dict[str, Decimal | None] = {}
    for rule in month.program.rules:
        value, assumed = month.money(rule)
        if value is None:
            money[rule] = None
            continue
        ready = month.program.rules[rule]
        if not assumed and (
            value or "money" in ready.parts or ready.rule.fine or ready.rule.amount or ready.rule.ladder
        ):
            money[rule] = value.quantize(CENT, ROUND_HALF_UP)
    left = [one for _, one in month.fined]
    if None in left:
        return money, None
    fined = sum((one for one in left if one is not None), ZERO)
    for rule, ready in month.program.rules.items():
        taken = -(money.get(rule) or ZERO)
        if ready.rule.counts_as is None or "money" not in ready.parts or taken <= 0:
            continue
        if ready.rule.counts_as == "cut":
            cut = month.cuts([taken], fined)
            if cut is None:
                return money, None
            taken = cut[0]
            money[rule] = -taken
        fined += taken
    return money, fined


def _kept_lawful(month: Month, pay: Decimal | None) -> Decimal | None:
    """The month's pay effect of a points rule is one cut where the law of Korea holds."""
    rule = month.pack.head.pay
    if pay is None or rule is None or pay >= 0:
        return pay
    cut = month.cuts([-pay])
    return None if cut is None else -cut[0]


def _ledger(month: Month, money: Mapping[str, Decimal | None], pay: Decimal | None, closed: bool) -> Decimal | None:
    """What was entered at the closing; nothing while money is off."""
    if month.world.site.money == "off" or not closed:
        return None
    return sum((one or ZERO for one in money.values()), ZERO) + (pay or ZERO)


def _state(month: Month, score: Any, pay: Decimal | None, note: str | None) -> str:
    """The state of the total; where a pack has none, of the pay. A part left open leaves the month undecided."""
    head = month.pack.head
    if head.score is not None:
        return "complete" if isinstance(score, Decimal) else "incomplete"
    if any(not isinstance(month.value(rule)[0], Decimal) for rule in head.open):
        return "not_decided"
    return "not_decided" if head.pay is not None and pay is None and note == "undecided" else "complete"


_NOTHING = object()


def _waiting(found: tuple[Finding, ...]) -> Any:
    waiting = [one for one in found if one.waits]
    if not waiting:
        return _NOTHING
    return None if any(one.points is None for one in waiting) else sum((one.points or ZERO for one in waiting), ZERO)


def _recommendations(month: Month, flat: tuple[Finding, ...]) -> tuple[Recommendation, ...]:
    """One for each kind and event: several clauses may lead to the same."""
    found: dict[str, list[str]] = {}
    for one in flat:
        if one.counts or (one.state == "told" and one.outcome in (Outcome.BREACH, Outcome.MET)):
            for kind in one.recommends:
                own = month.program.rules[one.rule].rule.recommend
                also = [rule for each in own if each.kind == kind for rule in each.also]
                found.setdefault(kind, []).extend([one.rule, *also])
    out = []
    for kind, rules in found.items():
        caution = [law for rule in rules for law in _cautions(month.program.rules[rule].rule, kind)]
        out.append(Recommendation(kind, "proposed", tuple(dict.fromkeys(rules)), tuple(dict.fromkeys(caution))))
    return tuple(out)


def _cautions(rule: Rule, kind: str) -> list[str]:
    steps = [step for found in (rule.ladder.values.values() if rule.ladder else ()) for step in found]
    own = [law for one in rule.recommend if one.kind == kind for law in one.caution]
    return own + [law for step in steps if step.recommend == kind for law in step.caution]


def _with_state(world: World, card: Card, one: Recommendation) -> Recommendation:
    """What people decided about it, also after the month was closed."""
    decided = world.decisions.get((card.who.name, card.period, one.kind), ())
    return replace(one, state=decided[-1].state) if decided else one


def _sum_known(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [one for one in values if one is not None]
    return sum(known, ZERO) if known else None


def _added(maps: list[Any]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for one in maps:
        for rule, value in one.items():
            total[rule] = total.get(rule, ZERO) + (value or ZERO)
    return total


def _first_outcomes(cards: list[Card]) -> dict[str, Outcome]:
    """The first outcome that occurs in a span; a silent month says nothing beside one that says something."""
    found: dict[str, set[Outcome]] = {}
    silent: set[str] = set()
    for one in cards:
        heard = {each.rule for each in one.findings} | set(one.unknown)
        for rule, outcome in one.outcome.items():
            if outcome is Outcome.UNKNOWN and rule not in heard:
                silent.add(rule)
            else:
                found.setdefault(rule, set()).add(outcome)
    first = {rule: next(one for one in ORDER if one in have) for rule, have in found.items()}
    return {**dict.fromkeys(silent, Outcome.UNKNOWN), **first}


def _waiting_in(maps: Iterable[Mapping[str, Decimal | None]]) -> dict[str, Decimal | None]:
    """What waits in a span, with the points proposed; none where a person has to set some of them."""
    total: dict[str, Decimal | None] = {}
    for one in maps:
        for rule, points in one.items():
            before = total.get(rule, ZERO)
            total[rule] = None if before is None or points is None else before + points
    return total


def _union(rows: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for row in rows for one in row))


def month_card(world: World, who: Who, period: Period, pack: str | None = None) -> Card:
    """One result of one world; to ask for many, keep a ``Closing``."""
    return Closing(world).card(who, period, pack)


def close(world: World, period: Period) -> World:
    """Freeze the month as it stands: from now on later news becomes an adjustment of the next open month."""
    if period in world.closed:
        return world
    frozen = replace(world.as_of(period), closed=dict(world.closed))
    return replace(world, closed={**world.closed, period: frozen})


def names(world: World, period: Period) -> tuple[Who, ...]:
    """Everybody and every team with a result in that period, the whole site last."""
    evaluator = Evaluator(world)
    people = [one for month in period.months() for one in evaluator.people(month)]
    teams = {world.book.team(one, _last(period)) for one in people} - {SITE}
    found = [Who("person", one) for one in sorted(set(people))]
    return (*found, *(Who("team", one) for one in sorted(teams)), Who("site", SITE))


def _last(period: Period) -> date:
    return period.last
