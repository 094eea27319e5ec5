"""The month of a site: looked at, closed, decided about and adjusted. What it is worth is decided in scoring/period.

Closing writes a card for everybody, every team and the site as a run of the ledger with the subject
``month:2026-10/person/Wang``, its amounts as entries where money is on, and shuts the period, all in one transaction.
What is told later of a closed month becomes an adjustment of the next one. Amounts stand in the evidence of an entry:
its points are those of the calls and records, and count where they arose.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from qa.period_world import ClosedWorlds, Seen, local, phrases_sha, see, site_json, stood_json
from qa.runs import pack_body
from qa.site import SiteRules
from qa.store import choices, ledger, months, packs, periods
from qa.store.ledger import NewEntry, NewRun
from qa.store.months import Adjusted, Decided, NewClosing
from qa.store.months import Closing as Closed
from qa.store.pool import Store, Tx
from scoring import overlay as overlays
from scoring.canonical import canonical, digest
from scoring.engine import ENGINE
from scoring.errors import ScoringError
from scoring.pack import Pack
from scoring.period import attempt
from scoring.period.card import Card, to_json
from scoring.period.close import Closing, names
from scoring.period.rows import Rows
from scoring.period.world import Who, World
from scoring.records.period import Period
from scoring.scorecard import Outcome

Step = Callable[[int, int, str], None]
Verb = Literal["review", "approve", "reject"]
VERBS: tuple[Verb, ...] = ("review", "approve", "reject")
ZERO = Decimal(0)
MOST_REASON = 2000


def silent(done: int, total: int, what: str) -> None:
    """No progress is shown."""


class MonthRefused(ScoringError):
    """What was asked for does not fit the month as it stands; ``word`` names the reason."""

    def __init__(self, word: str, why: str) -> None:
        self.word = word
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class View:
    """A month as it is shown: cards in their plain form, and what people decided and adjusted beside them."""

    month: Period
    money: str
    cards: tuple[Mapping[str, Any], ...]
    packs: Mapping[str, Pack]
    decisions: tuple[Decided, ...]
    adjustments: tuple[Adjusted, ...]
    closed: Closed | None
    closed_at: datetime | None
    signed_off_by: str | None
    skips: tuple[Period, ...] = ()  # earlier months with calls or records that closing this one leaves open for good

    def card(self, kind: str, name: str) -> Mapping[str, Any] | None:
        return next((one for one in self.cards if one["kind"] == kind and one["who"] == name), None)


def month_of(text: str) -> Period:
    """A month from its text, or the reason why it is none."""
    try:
        found = Period(text)
    except ValueError:
        found = None
    if found is None or found.kind != "month":
        raise MonthRefused("not_applicable", f"{text[:40]!r} is no month; write it like 2026-10")
    return found


class Months:
    """The months of one site, for one person who asks; ``now`` is local to the site."""

    def __init__(self, store: Store, rules: SiteRules, actor: str, now: datetime) -> None:
        self.store, self.rules, self.actor, self.now = store, rules, actor, now

    async def seen(self) -> Seen:
        return await see(self.store, self.rules, self.actor, self.now)

    async def view(self, month: Period, only: Only | None = None, step: Step = silent) -> View:
        """The month as it was closed, or as it stands while it is open."""
        async with self.store.site(self.rules.id, self.actor) as tx:
            closed = next((one for one in await months.closings(tx) if one.month == str(month)), None)
            if closed is not None:
                return await self._frozen(tx, month, closed, only or Only())
        seen = await self.seen()
        world = seen.world.as_of(month)
        cards = await asyncio.to_thread(_cards, Closing(world), month, only or Only(), step)
        return View(
            month, world.site.money, tuple(plain(card, world) for card in cards), world.packs,
            seen.decisions, seen.adjustments, None, None, world.site.signed_off_by, _skips(seen, month),
        )  # fmt: skip

    async def _frozen(self, tx: Tx, month: Period, closed: Closed, only: Only) -> View:
        bodies = {name: await packs.get(tx, sha) for name, sha in closed.packs.items()}
        stands = [json.loads(body) for _, body in await months.cards(tx, closed.month)]
        return View(
            month,
            str(closed.site["money"]),
            tuple(card for card in stands if only.card(card)),
            await asyncio.to_thread(lambda: {name: _pack_of(one.body) for name, one in bodies.items()}),
            await months.decisions(tx),
            await months.adjustments(tx),
            closed,
            local(closed.made_at, self.rules),
            closed.site.get("signed_off_by"),
        )

    async def close(self, month: Period, only: Only | None = None, step: Step = silent) -> View:
        """Freeze the month as it stands now, for everybody; ``only`` says whose cards come back."""
        seen = await self.seen()
        _may_close(seen, month, self.now)
        frozen, world = _closed_world(seen.world.as_of(month), month)
        closing = Closing(world)
        cards = await asyncio.to_thread(_cards, closing, month, Only(), step)
        if not any(card.who.kind == "person" for card in cards):
            raise MonthRefused("not_applicable", f"nobody worked here in {month}; import people and records first")
        bodies = [canonical(plain(card, frozen)) for card in cards]
        async with self.store.site(self.rules.id, self.actor) as tx:
            await months.lock(tx)
            if any(one.month == str(month) for one in await months.closings(tx)):
                raise MonthRefused("duplicate", f"{month} was closed by somebody else just now; show it")
            await self._write(tx, seen, month, frozen, list(zip(cards, bodies, strict=True)), step)
            await months.stand(tx, str(month), stood_json(closing.standing(cards)))
        return replace(await self.view(month, only), skips=_skips(seen, month))

    async def _write(
        self, tx: Tx, seen: Seen, month: Period, world: World, cards: list[tuple[Card, bytes]], step: Step
    ) -> None:
        pins = seen.pins
        overlay = packs.Overlay(world.overlay.sha, overlays.dump(world.overlay))
        kept = {name: packs.Pack(one.sha, one.id, one.version, pack_body(one)) for name, one in world.packs.items()}
        for one in kept.values():
            await packs.put(tx, one)
        await packs.put_overlay(tx, overlay)
        await periods.add(tx, str(month), month.first, month.last)
        known = {"month": str(month), "records": pins.records, "pointers": pins.pointers, "decisions": pins.decisions}
        basis = canonical({**known, "now": self.now.isoformat()})
        hand = [one for one in await months.adjustments(tx) if one.carried == str(month)]
        for number, (card, body) in enumerate(sorted(cards, key=lambda one: subject(one[0].who, month)), 1):
            await ledger.record(tx, _run(month, card, body, kept[card.pack], overlay, basis, world, hand))
            step(number, len(cards), f"{card.who.name} written")
        told = {**site_json(world.site), "phrases": phrases_sha()}
        await months.add(
            tx,
            NewClosing(
                month=str(month), now=self.now, engine=ENGINE, site=told, pack=world.pack,
                packs={name: one.sha for name, one in kept.items()}, shadow=world.shadow, overlay=overlay.sha,
                records=pins.records, pointers=pins.pointers, decisions=pins.decisions,
                cards_sha=cards_sha((subject(card.who, month), body) for card, body in cards), cards=len(cards),
            ),
        )  # fmt: skip
        await periods.close(tx, str(month))

    async def adjust(
        self, month: Period, only: Only, points: Decimal, pay: Decimal, reason: str
    ) -> tuple[Adjusted, ...]:
        """Points or money for a closed month, carried in the next open one, with the reason and who signs for it."""
        reason = _reason(reason)
        if not (points or pay):
            raise MonthRefused("not_applicable", "the adjustment changes nothing; give points or pay, with their sign")
        async with self.store.site(self.rules.id, self.actor) as tx:
            await months.lock(tx)
            closings = await months.closings(tx)
            if all(one.month != str(month) for one in closings):
                told = "correct its records instead; only a closed month is adjusted"
                raise MonthRefused("not_applicable", f"{month} is open: {told}")
            cards = [json.loads(body) for _, body in await months.cards(tx, str(month))]
            agents = [str(card["who"]) for card in cards if card["kind"] == "person" and only.card(card)]
            if self.actor in agents:
                told = "nobody adjusts their own month; ask somebody else"
                raise MonthRefused("own_call", f"{self.actor} cannot sign for {self.actor}: {told}")
            if not agents:
                told = f"`period show {month}` lists everybody"
                raise MonthRefused("not_applicable", f"{only.agent or only.team} has no card in {month}; {told}")
            carried = Period(closings[-1].month).next()
            for agent in agents:
                await months.adjust(tx, str(month), str(carried), agent, points, pay, reason)
            return (await months.adjustments(tx))[-len(agents) :]

    async def undo(self, month: Period, agent: str, n: int, reason: str) -> tuple[Adjusted, ...]:
        """Takes an adjustment back by its opposite: both stand, and together they come to nothing."""
        async with self.store.site(self.rules.id, self.actor) as tx:
            known = await months.adjustments(tx)
        one = next((one for one in known if (one.n, one.month, one.agent) == (n, str(month), agent)), None)
        if one is None:
            told = "the sheet lists those that are"
            raise MonthRefused("not_applicable", f"{agent} has no adjustment {n} for {month}; {told}")
        return await self.adjust(month, Only(agent=agent), -one.points, -one.pay, reason)

    async def decide(self, month: Period, agent: str, kind: str, verb: Verb, reason: str) -> tuple[str, ...]:
        """Review, approve or reject a recommendation; the laws that a person should think of before it is used."""
        reason = _reason(reason)
        if agent == self.actor:
            raise MonthRefused("own_call", f"{agent} cannot decide about their own month; ask somebody else")
        seen = await self.seen()
        world, answer = await asyncio.to_thread(
            attempt.decide, seen.world, verb, agent, month, kind, self.actor, self.now
        )
        if isinstance(answer, attempt.Refused):
            raise MonthRefused(answer.word, answer.why)
        state = world.decisions[(agent, month, kind)][-1].state
        async with self.store.site(self.rules.id, self.actor) as tx:
            await months.lock(tx)
            if (await months.pins(tx)).decisions != seen.pins.decisions:
                raise MonthRefused("stage_order", "somebody else decided something just now; look again, then decide")
            await months.decide(tx, str(month), agent, kind, state, reason)
        card = await asyncio.to_thread(Closing(seen.world).card, Who("person", agent), month)
        return next((one.caution for one in card.recommendations if one.kind == kind), ())


@dataclass(frozen=True, slots=True)
class Only:
    """Which cards are wanted; None asks nothing."""

    team: str | None = None
    agent: str | None = None

    def who(self, who: Who, team: str) -> bool:
        if self.agent is not None:
            return who == Who("person", self.agent)
        return self.team is None or (team if who.kind == "person" else who.name) == self.team

    def card(self, card: Mapping[str, Any]) -> bool:
        return self.who(Who(card["kind"], card["who"]), str(card["team"]))


def subject(who: Who, month: Period) -> str:
    return f"month:{month}/{who.kind}/{who.name}"


def plain(card: Card, world: World) -> dict[str, Any]:
    """A card as it is frozen and shown: with the team of the month's last day and the version of its pack."""
    team = world.book.team(card.who.name, card.period.last) if card.who.kind == "person" else card.who.name
    return {**to_json(card), "team": team, "pack_version": world.packs[card.pack].version}


def cards_sha(found: Iterable[tuple[str, bytes]]) -> str:
    """One fingerprint over all cards of a month."""
    return digest(canonical([[name, digest(body)] for name, body in sorted(found)]))


def _pack_of(body: bytes) -> Pack:
    from qa.runs import pack_of

    return pack_of(body)


def _cards(closing: Closing, month: Period, only: Only, step: Step) -> list[Card]:
    world = closing.world
    wanted = [who for who in names(world, month) if only.who(who, world.book.team(who.name, month.last))]
    found = []
    for number, who in enumerate(wanted, 1):
        card = closing.card(who, month)
        if who.kind != "site" or _says_something(card, world.packs[card.pack]):
            found.append(card)
        step(number, len(wanted), who.name)
    return found


def _says_something(card: Card, pack: Pack) -> bool:
    """Whether the card of the whole site is worth a sheet: a clause about sites found something."""
    return any(
        one.outcome in (Outcome.BREACH, Outcome.MET) and "site" in pack.rules[one.rule].of for one in card.findings
    )


def _closed_world(world: World, month: Period) -> tuple[World, World]:
    """The world a month is frozen in, and the one that holds it as closed; as ``close`` does, but lazily."""
    before = world.closed

    def made(one: Period) -> World:
        return world if one == month else before[one]

    return world, replace(world, closed=ClosedWorlds(made, (*sorted(before), month)))


def _skips(seen: Seen, month: Period) -> tuple[Period, ...]:
    """The first month to be closed may be any: what lies before it is never closed then, and that is said."""
    if seen.closings:
        return ()
    period, found = Rows(seen.world).first, []
    while period < month:
        found.append(period)
        period = period.next()
    return tuple(found)


def _may_close(seen: Seen, month: Period, now: datetime) -> None:
    closed = seen.closings.get(month)
    if closed is not None:
        raise MonthRefused(
            "duplicate", f"{month} was closed by {closed.actor}; what is told later becomes an adjustment of the next"
        )
    if now.date() <= month.last:
        after = month.last + timedelta(days=1)
        raise MonthRefused("not_applicable", f"{month} is not over; close it from {after} on")
    if seen.next_open is not None and month != seen.next_open:
        raise MonthRefused("stage_order", f"months are closed in order, and {seen.next_open} is the next; close it")


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise MonthRefused("reason_missing", "nobody decides without a reason; give it")
    if len(reason) > MOST_REASON:
        raise MonthRefused("reason_missing", f"the reason has more than {MOST_REASON} characters; shorten it")
    return reason


def _run(
    month: Period, card: Card, body: bytes, pack: packs.Pack, overlay: packs.Overlay, basis: bytes, world: World,
    hand: list[Adjusted],
) -> NewRun:  # fmt: skip
    named = [ENGINE, pack.sha, overlay.sha, digest(basis), str(month), list(card.who)]
    own = [one for one in hand if card.who == Who("person", one.agent)]
    return NewRun(
        subject=subject(card.who, month), inputs=digest(canonical(named)), engine=ENGINE, day=month.last, pack=pack,
        overlay=overlay, facts=basis, card=body, automatic=ZERO, counted=ZERO, assumed=bool(card.assumed),
        unknown=len(card.unknown), flagged=sum(one.waits for one in card.findings),
        agent=card.who.name if card.who.kind == "person" else None,
        entries=tuple(_entries(month, card, world, own)) if world.site.money != "off" else (),
    )  # fmt: skip


def _entries(month: Period, card: Card, world: World, hand: list[Adjusted]) -> Iterable[NewEntry]:
    """What the closing enters in money: each clause's amount, the pay effect, what late news and people adjusted."""
    pack = world.packs[card.pack]
    for rule, amount in card.money.items():
        yield from _entry(pack, rule, "money", amount)
    if card.pay is not None and pack.head.pay is not None:
        yield from _entry(pack, pack.head.pay, "pay", card.pay)
    if card.adjusted.pay and card.adjusted.months:
        yield from _entry(pack, "late", ", ".join(map(str, card.adjusted.months)), card.adjusted.pay)
    for one in hand:
        yield from _entry(pack, "by_hand", f"{one.month} {one.n}", one.pay, one.reason)


def _entry(pack: Pack, rule: str, event: str, amount: Decimal | None, why: str = "") -> Iterable[NewEntry]:
    clause = pack.rules.get(rule)
    decide = clause.decide if clause is not None and clause.decide in ("auto", "review", "manual") else "manual"
    if not amount:
        return
    yield NewEntry(
        rule=rule, event=event, cite=clause.cite if clause is not None else "", decide=decide, counts=True,
        outcome="breach" if amount < 0 else "met", points=ZERO,
        evidence=({"kind": "amount", "value": format(amount, "f"), "unit": "yuan", "why": why},),
    )  # fmt: skip


def _again(now: World, month: Period, step: Step) -> dict[str, bytes]:
    """A closed month's cards, made again from the world that it was closed in."""
    frozen, world = _closed_world(now.closed[month], month)
    return {
        subject(card.who, month): canonical(plain(card, frozen)) for card in _cards(Closing(world), month, Only(), step)
    }


async def replay(
    store: Store, rules: SiteRules, actor: str, step: Step = silent
) -> tuple[int, dict[int, int], list[str]]:
    """Every closed month closed again: how many cards came out to the byte, cards by another engine, differences."""
    seen = await see(store, rules, actor, datetime.combine(date.min, time()), anew=True)
    same, older, wrong = 0, dict[int, int](), list[str]()
    for month, closed in sorted(seen.closings.items()):
        if closed.engine != ENGINE:
            older[closed.engine] = older.get(closed.engine, 0) + closed.cards
            continue
        async with store.site(rules.id, actor) as tx:
            stands = dict(await months.cards(tx, str(month)))
        if cards_sha(stands.items()) != closed.cards_sha:
            wrong.append(f"{month}: its cards are not those that its closing vouches for")
        again = await asyncio.to_thread(_again, seen.world, month, step)
        differing = sorted(name for name in again.keys() | stands.keys() if again.get(name) != stands.get(name))
        same += len(again.keys() & stands.keys()) - len(differing)
        why = "" if closed.site.get("phrases") == phrases_sha() else "; the phrases have changed since"
        wrong += [f"{name}: closing it again gives another card{why}" for name in differing]
    return max(same, 0), older, wrong


async def money_of(store: Store, site: str, actor: str) -> dict[str, Any]:
    """How far money is on at this site, and who signed for it."""
    async with store.site(site, actor) as tx:
        return {"money": await choices.get(tx, "money", "off"), "signed_off_by": await choices.get(tx, "signed_off_by")}


async def set_money(store: Store, site: str, actor: str, mode: str, signed_off_by: str | None) -> None:
    """Turn money on or off; paying out needs somebody's signature."""
    if mode == "payroll_export" and not signed_off_by:
        raise MonthRefused("sign_off_missing", "payroll_export needs a signature; add --signed-off-by NAME")
    async with store.site(site, actor) as tx:
        await choices.put(tx, "money", mode)
        await choices.put(tx, "signed_off_by", signed_off_by)
