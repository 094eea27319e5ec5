"""One card of a month as a sheet: every line with its clause, quote, day, evidence and who decided it. Pure.

The card is in its plain form, frozen or fresh; the words come from its pack, the decisions and adjustments from people.
Amounts are shown only where money is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from qa.period import View
from scoring.canonical import decimal_text
from scoring.facts import Cause
from scoring.pack import Pack, Rule

Json = dict[str, Any]
FINAL = ("approved", "rejected")
ZERO = Decimal(0)
SHOWN = ("breach", "met")
NOTHING = ("0", None)
OWN = ("who", "kind", "team", "pack", "pack_version", "score", "raw", "grade", "rank", "state")


def sheets(view: View) -> list[Json]:
    """Every card of the month as a sheet: people by team, rank and name, then teams, then the site."""
    return sorted((sheet(view, card) for card in view.cards), key=_place)


def _place(one: Json) -> tuple[Any, ...]:
    rank = int(one["rank"]) if str(one["rank"] or "").isdigit() else 10**6
    return ("person", "team", "site").index(one["kind"]), one["team"], rank, one["who"]


def head(view: View) -> Json:
    """What is said of the month itself."""
    closed = view.closed
    return {
        "month": str(view.month),
        "money": view.money,
        "signed_off_by": view.signed_off_by,
        "skips": [str(one) for one in view.skips],
        "closed": None
        if closed is None
        else {
            "by": closed.actor,
            "at": _minute(view.closed_at),
            "cards_sha": closed.cards_sha,
            "engine": closed.engine,
        },
    }


def sheet(view: View, card: Mapping[str, Any]) -> Json:
    """One person's, team's or the site's month."""
    pack = view.packs[card["pack"]]
    paid = view.money != "off"
    own = [rule for rule in pack.rules if card["kind"] in pack.rules[rule].of]  # a team's sheet: clauses about teams
    named = {name: [rule for rule in card[name] if rule in own] for name in ("unknown", "assumed", "alarms")}
    amounts = {rule: one for rule, one in card["money"].items() if paid and rule in own and one not in NOTHING}
    values = {rule: one for rule, one in card["value"].items() if one is not None and _shows(rule, own, pack, paid)}
    advice = [one for one in card["recommendations"] if {*one["rules"]} & {*own}]
    advised = {rule for one in card["recommendations"] for rule in one["rules"]}
    rows = [_row(rule, pack.rules[rule], card, paid, rule in advised) for rule in own]
    found = {
        **{name: card[name] for name in OWN},
        "pack_title": pack.head.title.model_dump(),
        **{name: card[name] if paid else None for name in ("pay", "pay_note", "fine", "ledger")},
        "money": [_amount(rule, pack, value) for rule, value in amounts.items()],
        "lines": [one for one in rows if one["findings"] or one["points"] not in NOTHING],
        "values": [_value(rule, pack, value) for rule, value in values.items()],
        "unknown": [_unknown(rule, pack, card) for rule in named["unknown"]],
        "assumed": [_named(rule, pack) for rule in named["assumed"]],
        "alarms": [_named(rule, pack) for rule in named["alarms"]],
        "ladders": [_ladder(rule, pack, card) for rule in own if _climbed(rule, pack, card)],
        "recommendations": [_recommendation(one, view, card, pack) for one in advice],
        "adjusted": {"points": card["adjusted"]["points"], "pay": card["adjusted"]["pay"] if paid else None},
        "adjustments": [_by_hand(one, paid) for one in view.adjustments if _concerns(one, view, card)],
        "shadow": {rule: value for rule, value in card["shadow"].items() if value != "0"},
    }  # fmt: skip
    waiting = sum(
        one["state"] == "waits" and one["outcome"] in SHOWN and one["rule"] in own for one in card["findings"]
    )
    open_ones = sum(one["state"] not in FINAL for one in found["recommendations"])
    return {**found, "waiting": waiting, "open_recommendations": open_ones}


def _named(rule: str, pack: Pack) -> Json:
    clause = pack.rules.get(rule)
    title = clause.title.model_dump() if clause is not None else {}
    return {"rule": rule, "cite": clause.cite if clause is not None else "", "title": title}


def _shows(rule: str, own: list[str], pack: Pack, paid: bool) -> bool:
    """Figures of this sheet; where money is off, neither the pay nor what repeats it."""
    pay = pack.head.pay
    clause = pack.rules.get(rule)
    repeats = (
        pay not in (None, pack.head.score) and clause is not None and (rule == pay or f"'{pay}'" in str(clause.value))
    )
    return rule in own and (paid or not repeats)


def _row(rule: str, clause: Rule, card: Mapping[str, Any], paid: bool, advised: bool) -> Json:
    """A clause that found something: what counts, waits, was dismissed, gave way, or leads to a recommendation."""
    shown = [one for one in card["findings"] if one["rule"] == rule and one["outcome"] in SHOWN]
    shown = [one for one in shown if one["state"] != "told" or one["alarm"] or advised]
    return {
        "rule": rule,
        "cite": clause.cite,
        "title": clause.title.model_dump(),
        "quote": clause.quote,
        "decide": clause.decide,
        "points": card["lines"].get(rule),
        "count": card["count"].get(rule, "0"),
        "assumed": rule in card["assumed"],
        "findings": [_finding(one, paid) for one in shown],
    }


def _finding(one: Mapping[str, Any], paid: bool) -> Json:
    names = ("subject", "kind", "day", "outcome", "state", "points", "assumed", "alarm", "decided_by", "evidence")
    money = {name: one[name] if paid else None for name in ("fine", "amount")}
    return {**{name: one[name] for name in names}, **money}


def _amount(rule: str, pack: Pack, value: str) -> Json:
    return {**_named(rule, pack), "amount": value}


def _value(rule: str, pack: Pack, value: Any) -> Json:
    return {**_named(rule, pack), "value": value}


def _unknown(rule: str, pack: Pack, card: Mapping[str, Any]) -> Json:
    """A clause that the facts could not decide, by cause; without any finding its register is not connected."""
    causes: dict[str, int] = {}
    for one in card["findings"]:
        if one["rule"] == rule and one["outcome"] == "unknown":
            cause = str(one["cause"] or "missing")
            causes[cause] = causes.get(cause, 0) + 1
    return {**_named(rule, pack), "causes": causes or {str(Cause.REGISTER): 1}}


def _climbed(rule: str, pack: Pack, card: Mapping[str, Any]) -> bool:
    return pack.rules[rule].ladder is not None and card["count"].get(rule, "0") != "0"


def _ladder(rule: str, pack: Pack, card: Mapping[str, Any]) -> Json:
    """How often a clause with steps took effect this month, and within which window the steps are counted."""
    ladder = pack.rules[rule].ladder
    steps = max(ladder.values.items())[1] if ladder is not None else ()
    said = [one.model_dump(exclude_none=True, mode="json") for one in steps]
    return {
        **_named(rule, pack),
        "window": ladder.window if ladder is not None else "",
        "count": card["count"][rule],
        "steps": said,
    }


def _recommendation(one: Mapping[str, Any], view: View, card: Mapping[str, Any], pack: Pack) -> Json:
    """With the steps that people took; the last one is where it stands."""
    mine = (str(view.month), card["who"], one["kind"])
    steps = [
        each for each in view.decisions if (each.month, each.agent, each.kind) == mine and card["kind"] == "person"
    ]
    told = [
        {"state": each.state, "by": each.actor, "at": each.made_at.isoformat(), "reason": each.reason} for each in steps
    ]
    state = told[-1]["state"] if told else one["state"]
    clauses = [_named(rule, pack) for rule in one["rules"]]
    return {**one, "state": state, "clauses": clauses, "steps": told}


def _concerns(one: Any, view: View, card: Mapping[str, Any]) -> bool:
    """An adjustment stands on the sheet of the month it is for and of the one that carries it."""
    return card["kind"] == "person" and one.agent == card["who"] and str(view.month) in (one.month, one.carried)


def _by_hand(one: Any, paid: bool) -> Json:
    return {
        "n": one.n,
        "month": one.month,
        "carried": one.carried,
        "points": decimal_text(one.points),
        "pay": decimal_text(one.pay) if paid else None,
        "reason": one.reason,
        "by": one.actor,
        "at": one.made_at.isoformat(),
    }


def _minute(at: Any) -> str | None:
    return None if at is None else at.isoformat(timespec="minutes")


def evidence_text(one: Mapping[str, Any]) -> str:
    """One piece of evidence as a short line that needs no translation: names of facts, values, seconds."""
    match one.get("kind"):
        case "span":
            text = f" «{one['text']}»" if one.get("text") else ""
            return f"{one['start_ms'] / 1000:.1f}–{one['end_ms'] / 1000:.1f} s {one['role']}{text} ({one['why']})"
        case "setting":
            return f"{one['name']} = {one['value']} {one['unit']} ({one['source']})"
        case "group":
            return f"→ {one['rule']} ({one['per']})"
        case _:
            return f"{one.get('fact')}: {one.get('value')}"


def decimal(text: Any) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def waiting_points(found: Iterable[Mapping[str, Any]]) -> str | None:
    """The points that wait for a reviewer in one line; None where a person has to set them."""
    points = [one["points"] for one in found if one["state"] == "waits"]
    return None if None in points else decimal_text(sum((Decimal(one) for one in points), ZERO))
