"""A played scenario beside its expectations: every difference by path, and what the clauses concerned rested on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from qa import compare
from qa.compare import Difference, Path
from qa.play import Played
from qa.report import metrics
from qa.scenario import Scenario
from scoring.pack import Pack
from scoring.period import attempt as attempts
from scoring.period.card import Card
from scoring.period.findings import Finding
from scoring.period.judge import ORDER
from scoring.period.world import SITE, CallItem, Who
from scoring.records.period import Period
from scoring.scorecard import Outcome

MAX_FACTS = 6  # findings shown for a clause


def differences_of(scenario: Scenario, played: Played) -> Iterator[Difference]:
    """Everything that came out otherwise than expected."""
    expect = scenario.expect
    refused = expect.get("overlay", {}).get("refused")
    if refused != played.overlay_refused:
        yield Difference(("overlay", "refused"), compare.shown(refused), compare.shown(played.overlay_refused))
    for part in ("people", "teams"):
        for name, periods in expect.get(part, {}).items():
            for period, wanted in periods.items():
                who = _who(part, str(name))
                yield from _card_differences(scenario, played, (part, str(name), period), who, Period(period), wanted)
    for name, wanted in expect.get("cases", {}).items():
        yield from _case_differences(scenario, played, ("cases", str(name)), wanted)
    for name, wanted in expect.get("calls", {}).items():
        yield from _call_differences(scenario, played, ("calls", str(name)), wanted)
    for name, wanted in expect.get("do", {}).items():
        yield from _answer_differences(("do", str(name)), wanted, played.answers.get(str(name)))


def _who(part: str, name: str) -> Who:
    if part == "people":
        return Who("person", name)
    kind: Literal["team", "site"] = "site" if name == SITE else "team"
    return Who(kind, name)


def pack_of(played: Played, rule: str) -> Pack | None:
    """The pack that a rule belongs to, by its prefix; the longest wins."""
    own = [pack for pack in played.world.packs.values() if rule in pack.rules]
    return own[0] if own else None


class _Lookup:
    """One card of every pack that is asked for, by rule."""

    def __init__(self, played: Played, who: Who, period: Period) -> None:
        self.played, self.who, self.period = played, who, period
        self.own = played.closing.card(who, period)

    def of(self, rule: str) -> Card | None:
        pack = pack_of(self.played, rule)
        if pack is None:
            return None
        return self.own if pack.id == self.own.pack else self.played.closing.card(self.who, self.period, pack.id)

    def get(self, rule: str, name: str, otherwise: Any) -> Any:
        card = self.of(rule)
        return compare.NOTHING if card is None else getattr(card, name).get(rule, otherwise)


def _card_differences(
    scenario: Scenario, played: Played, path: Path, who: Who, period: Period, wanted: Mapping[str, Any]
) -> Iterator[Difference]:
    look = _Lookup(played, who, period)
    card = look.own
    for key, value in wanted.items():
        here = (*path, key)
        match key:
            case "ledger":  # nothing entered is nothing, whether it is written as null or as 0
                entered = card.ledger if card.ledger is not None or value is None else compare.ZERO
                yield from compare.amount_at(here, value, entered)
            case "score" | "raw" | "pay" | "fine":
                yield from compare.amount_at(here, value, getattr(card, key), _head_rule(played, card, key))
            case "rank":
                yield from compare.amount_at(here, value, card.rank, _head_rule(played, card, key))
            case "grade" | "state":
                yield from compare.plain_at(here, value, getattr(card, key), _head_rule(played, card, key))
            case "lines" | "money":
                yield from compare.amounts(here, value, lambda rule, name=key: look.get(rule, name, compare.ZERO))  # type: ignore[misc]
            case "count":
                yield from compare.amounts(here, value, lambda rule: look.get(rule, "count", compare.ZERO))
            case "value":
                yield from compare.values(here, value, lambda rule: look.get(rule, "value", None))
            case "outcome":
                yield from compare.plains(here, value, lambda rule: look.get(rule, "outcome", None))
            case "unknown" | "assumed" | "alarms":
                found = [rule for one in _cards(look, scenario, value) for rule in getattr(one, key)]
                yield from compare.complete(here, value, found, scenario.rules)
            case "review":
                waiting = {rule: points for one in _cards(look, scenario, value) for rule, points in one.review.items()}
                yield from compare.complete_map(here, value, waiting, scenario.rules)
            case "recommendations":
                yield from compare.recommendations(here, value, _recommended(card, scenario))
            case "shadow":
                yield from compare.amounts(here, value, lambda rule: card.shadow.get(rule, compare.ZERO))
            case "adjusted":
                for name, amount in value.items():
                    yield from compare.amount_at((*here, name), amount, getattr(card.adjusted, name))


def _head_rule(played: Played, card: Card, key: str) -> str | None:
    head = played.world.packs[card.pack].head
    return {"score": head.score, "raw": head.score, "grade": head.grade, "pay": head.pay}.get(key)


def _cards(look: _Lookup, scenario: Scenario, wanted: Iterable[str]) -> list[Card]:
    """The person's card, and those of other packs that the scenario is about."""
    found = {look.own.pack: look.own}
    for rule in (*scenario.rules, *wanted):
        card = look.of(rule)
        if card is not None:
            found[card.pack] = card
    return list(found.values())


def _recommended(card: Card, scenario: Scenario) -> list[dict[str, str]]:
    """Recommendations that rest on a rule of the scenario; the rule shown is the one it names."""
    rows = []
    for one in card.recommendations:
        named = [rule for rule in one.rules if rule in scenario.rules]
        if named or not scenario.rules:
            rows.append({"kind": one.kind, "state": one.state, "rules": one.rules})
    return rows  # type: ignore[return-value]


# --- cases and other records with a deadline


def _case_differences(
    scenario: Scenario, played: Played, path: Path, wanted: Mapping[str, Any]
) -> Iterator[Difference]:
    card = played.cases.get(path[-1])
    if card is None:
        yield Difference(path, "a case", "nothing")
        return
    for key, value in wanted.items():
        here = (*path, key)
        match key:
            case "due":
                for stage, until in value.items():
                    yield from compare.due_at((*here, stage), until, card.due.get(stage))
            case "in_time":
                yield from compare.plains(here, value, card.in_time.get, rules=False)
            case "state" | "approver":
                yield from compare.plain_at(here, value, getattr(card, key))
            case "outcome":
                yield from compare.plains(here, value, card.outcome.get)
            case "value":
                yield from compare.values(here, value, card.value.get)


# --- calls


def _call_differences(
    scenario: Scenario, played: Played, path: Path, wanted: Mapping[str, Any]
) -> Iterator[Difference]:
    item = played.world.calls.get(path[-1])
    if item is None:
        yield Difference(path, "a call", "nothing")
        return
    found = list(_findings_of(played, item))
    rules = scenario.rules
    for key, value in wanted.items():
        here = (*path, key)
        match key:
            case "metrics":
                known = metrics(item.facts.call) if item.facts.call is not None else {}
                yield from compare.metrics(here, value, known)
            case "hits":
                call = item.facts.call
                entries = [hit.entry for hit in call.hits if hit.role == "agent"] if call is not None else []
                yield from compare.hits(here, value, entries)
            case "lines":
                yield from compare.amounts(here, value, lambda rule: sum_of(one for one in found if one.rule == rule))
            case "outcome":
                yield from compare.plains(here, value, lambda rule: _first(one for one in found if one.rule == rule))
            case "unknown":
                doubtful = [one.rule for one in found if one.outcome is Outcome.UNKNOWN]
                yield from compare.complete(here, value, doubtful, rules)
            case "assumed":
                lost = [one.rule for one in found if one.assumed]
                yield from compare.complete(here, value, lost, rules)
            case "review":
                waiting = {one.rule: _proposed(found, one.rule) for one in found if one.waits}
                yield from compare.complete_map(here, value, waiting, rules)


def _proposed(found: Iterable[Finding], rule: str) -> Any:
    """The points that wait for a reviewer; None where a person has to set them."""
    points = [one.points for one in found if one.rule == rule and one.waits]
    return None if None in points else sum_of_points(points)


def sum_of_points(points: Iterable[Any]) -> Any:
    return sum(points, compare.ZERO)


def sum_of(found: Iterable[Finding]) -> Any:
    return sum((one.points or compare.ZERO for one in found if one.counts), compare.ZERO)


def _first(found: Iterable[Finding]) -> str | None:
    have = {one.outcome for one in found}
    return next((str(one) for one in ORDER if one in have), None)


def _findings_of(played: Played, item: CallItem) -> Iterator[Finding]:
    """Everything that was found about one call, under every pack of the scenario."""
    period = Period.of(item.day, "month")
    who = Who("person", item.agent) if item.agent is not None else Who("site", SITE)
    for name in played.world.packs:
        for one in played.closing.card(who, period, name).findings:
            if one.subject == item.id:
                yield one


# --- attempts


def _answer_differences(path: Path, wanted: Mapping[str, Any], answer: attempts.Outcome | None) -> Iterator[Difference]:
    if answer is None:
        yield Difference(path, "an attempt", "nothing")
        return
    refused = answer if isinstance(answer, attempts.Refused) else None
    told = "accepted" if refused is None else f"{refused.word} ({refused.why})"
    if "accepted" in wanted and refused is not None:
        yield Difference((*path, "accepted"), "true", told)
    if "refused" in wanted and (refused is None or refused.word != wanted["refused"]):
        yield Difference((*path, "refused"), str(wanted["refused"]), told)
    if "caution" in wanted and isinstance(answer, attempts.Accepted):
        yield from compare.complete((*path, "caution"), wanted["caution"], answer.caution, answer.caution)


# --- what the clauses concerned rested on


def facts_of(scenario: Scenario, played: Played, wrong: Iterable[Difference]) -> Iterator[str]:
    """For every clause that a difference names: citation, quote, and the findings with the facts they used."""
    shown: set[tuple[str, Path]] = set()
    for one in wrong:
        rules = [one.rule] if one.rule is not None else list(scenario.rules)
        for rule in rules:
            if (rule, one.path[:3]) in shown:
                continue
            shown.add((rule, one.path[:3]))
            yield from _clause(played, rule, one.path)


def _clause(played: Played, rule: str, path: Path) -> Iterator[str]:
    pack = pack_of(played, rule)
    if pack is None:
        yield f"{rule}: no pack of this scenario has it"
        return
    clause = pack.rules[rule]
    yield f"{rule} {clause.cite} 「{clause.quote}」"
    if path[0] in ("people", "teams") and len(path) > 2:
        found = played.closing.card(_who(path[0], path[1]), Period(path[2]), pack.id).findings
    elif path[0] == "calls" and (item := played.world.calls.get(path[1])) is not None:
        found = tuple(_findings_of(played, item))
    else:
        found = ()
    own = [one for one in found if one.rule == rule]
    for one in own[:MAX_FACTS]:
        yield f"  {_told(one)}"
    if len(own) > MAX_FACTS:
        yield f"  and {len(own) - MAX_FACTS} more"


def _told(one: Finding) -> str:
    points = "" if one.points is None else f" {compare.shown(one.points)}"
    read = ", ".join(_said(item.to_json()) for item in one.evidence)
    cause = f" ({one.cause})" if one.cause else ""
    return f"{one.day} {one.kind} {one.subject}: {one.outcome}{cause} {one.state}{points}; {read}"


def _said(item: Mapping[str, Any]) -> str:
    if item["kind"] == "signal":
        return f"{item['fact']} = {item['value']}"
    if item["kind"] == "setting":
        return f"{item['name']} = {item['value']} {item['unit']}"
    if item["kind"] == "span":
        return f"{item['role']} {item['start_ms']}-{item['end_ms']} ms {item.get('text') or item['why']}"
    return str(item.get("rule", item["kind"]))
