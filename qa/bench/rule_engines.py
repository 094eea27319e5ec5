"""Two general rule engines on the numeric part of the same rules, each made ready once. They give no evidence.

Both get the facts already flattened to numbers, with null or -1 for what is unknown: neither knows an unknown, a
citation, evidence, a date or two clauses on one event, so they do less of the work than the scorer does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from scoring.facts import Facts, Hit, Unknown

UNKNOWN = -1
UNANSWERED = ("abandoned", "no_answer", "redirected")
Flat = dict[str, Any]
Run = Callable[[], int]

# rule -> the conditions that must all hold: a fact, and what it must be greater than
RULES: dict[str, tuple[tuple[str, float], ...]] = {
    "BES-16": (("incoming", 0), ("conversation_or_given_up", 0), ("ring_count", 3)),
    "BES-17-call": (("incoming", 0), ("given_up", 0), ("was_ready", 0), ("ring_count", 3)),
    "BES-17": (("observed", 0), ("ready_ms", 30_000)),
    "BES-08": (("observed", 0), ("away_ms", 300_000), ("denied", 0)),
    "BES-10": (("outgoing", 0), ("strange", 0)),
    "BES-13a-opening": (("talked_in", 0), ("greeting_ms", 5_000)),
    "BES-13a-closing": (("talked_in", 0), ("closing_before_end_ms", 20_000)),
    "BES-14": (("talk_over_ms", 3_000), ("loudness_rise_db", 5.99)),
    "BES-14-words": (("forbidden", 0),),
    "BES-15": (("evading", 0), ("not_transferred", 0)),
}


def flat(facts: Facts) -> Flat:
    """Facts of one subject as numbers, every field in every subject."""
    values: Flat = dict.fromkeys((name for rule in RULES.values() for name, _ in rule), UNKNOWN)
    call, away = facts.call, facts.away
    if away is not None:
        values |= {"observed": int(away.source != "inferred"), "ready_ms": _number(away.ready_ms)}
        values |= {"away_ms": _number(away.away_ms), "denied": int(away.approved is False)}
    if call is None:
        return values
    talk, end = _number(call.talk_ms), call.end
    values |= {
        "incoming": int(call.direction == "in"),
        "outgoing": int(call.direction == "out"),
        "given_up": int(end in UNANSWERED),
        "conversation_or_given_up": int(end == "answered" or end in UNANSWERED),
        "talked_in": int(call.direction == "in" and end == "answered"),
        "ring_count": _number(call.ring_count),
        "was_ready": int(call.seat_was_ready is True),
        "strange": int(call.known_customer is False),
        "talk_over_ms": _number(call.talk_over_ms),
        "loudness_rise_db": _number(call.loudness_rise_db),
        "not_transferred": int(call.transfers == 0),
        "greeting_ms": min((hit.start_ms for hit in _of(call.hits, "greeting")), default=10**9),
        "closing_before_end_ms": talk - max((hit.end_ms for hit in _of(call.hits, "closing")), default=-(10**9)),
        "forbidden": len(_of(call.hits, "arguing")) + len(_of(call.hits, "insulting")),
        "evading": len(_of(call.hits, "evading")),
    }
    return values


def _number(value: Any) -> float:
    return UNKNOWN if isinstance(value, Unknown) else float(value)


def _of(hits: Sequence[Hit], category: str) -> list[Hit]:
    return [hit for hit in hits if hit.category == category and hit.severity != "low"]


def zen(subjects: Sequence[Flat]) -> Run | None:
    """zen-engine: one decision table that collects every rule that holds; None when it is not installed."""
    try:
        from zen import ZenEngine
    except ImportError:
        return None
    names = list(dict.fromkeys(name for rule in RULES.values() for name, _ in rule))
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "field": name} for name in names],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": [_table_row(rule, conditions) for rule, conditions in RULES.items()],
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode"},
        {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
        {"id": "out", "name": "out", "type": "outputNode"},
    ]
    edges = [("in", "table"), ("table", "out")]
    graph = {"nodes": nodes, "edges": [{"id": f"{a}-{b}", "sourceId": a, "targetId": b} for a, b in edges]}
    decision = ZenEngine().create_decision(json.dumps(graph))

    def run() -> int:
        return sum(len(decision.evaluate(one)["result"]) for one in subjects)

    return run


def _table_row(rule: str, conditions: Sequence[tuple[str, float]]) -> dict[str, str]:
    tests = {name: f"> {value}" for name, value in conditions}
    return {"_id": rule, "rule": f'"{rule}"', **tests}


def business_rules(subjects: Sequence[Flat]) -> Run | None:
    """business-rules: a list of conditions with an action each; None when it is not installed."""
    try:
        from business_rules.actions import BaseActions, rule_action
        from business_rules.engine import run_all
        from business_rules.fields import FIELD_TEXT
        from business_rules.variables import BaseVariables, numeric_rule_variable
    except ImportError:
        return None
    names = dict.fromkeys(name for rule in RULES.values() for name, _ in rule)

    def variable(name: str) -> Any:
        return numeric_rule_variable(lambda self: self.values[name])

    variables = type("Variables", (BaseVariables,), {name: variable(name) for name in names})

    class Actions(BaseActions):  # type: ignore[misc]  # the peer carries no types
        def __init__(self) -> None:
            self.hits: list[str] = []

        @rule_action(params={"rule": FIELD_TEXT})  # type: ignore[untyped-decorator]
        def breach(self, rule: str) -> None:
            self.hits.append(rule)

    rules = [_rule_of(rule, conditions) for rule, conditions in RULES.items()]

    def run() -> int:
        found = 0
        for one in subjects:
            facts, actions = variables(), Actions()
            facts.values = one
            run_all(rules, facts, actions)
            found += len(actions.hits)
        return found

    return run


def _rule_of(rule: str, conditions: Sequence[tuple[str, float]]) -> dict[str, Any]:
    tests = [{"name": name, "operator": "greater_than", "value": value} for name, value in conditions]
    return {"conditions": {"all": tests}, "actions": [{"name": "breach", "params": {"rule": rule}}]}
