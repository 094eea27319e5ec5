"""Three general rule engines on the same forty rules and calls, each made ready once. They give no evidence.

All get the facts already flattened to numbers, with -1 for what is unknown: none of them knows an unknown, a citation,
evidence or a date, so they do less of the work than the scorer does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Flat = dict[str, Any]
Conditions = Mapping[str, Sequence[tuple[str, float]]]  # rule -> what must all hold: a name, greater than a number
Run = Callable[[], int]


def zen(rules: Conditions, subjects: Sequence[Flat]) -> Run | None:
    """zen-engine: one decision table that collects every rule that holds; None when it is not installed."""
    try:
        from zen import ZenEngine
    except ImportError:
        return None
    names = list(dict.fromkeys(name for one in rules.values() for name, _ in one))
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "field": name} for name in names],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": [_table_row(rule, conditions) for rule, conditions in rules.items()],
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


def rule_engine(rules: Conditions, subjects: Sequence[Flat]) -> Run | None:
    """rule-engine: one compiled expression for each rule; None when it is not installed."""
    try:
        from rule_engine import Rule
    except ImportError:
        return None
    told = [Rule(" and ".join(f"{name} > {value}" for name, value in conditions)) for conditions in rules.values()]

    def run() -> int:
        return sum(rule.matches(one) for one in subjects for rule in told)

    return run


def business_rules(rules: Conditions, subjects: Sequence[Flat]) -> Run | None:
    """business-rules: a list of conditions with an action each; None when it is not installed."""
    try:
        from business_rules.actions import BaseActions, rule_action
        from business_rules.engine import run_all
        from business_rules.fields import FIELD_TEXT
        from business_rules.variables import BaseVariables, numeric_rule_variable
    except ImportError:
        return None
    names = dict.fromkeys(name for one in rules.values() for name, _ in one)

    def variable(name: str) -> Any:
        return numeric_rule_variable(lambda self: self.values[name])

    variables = type("Variables", (BaseVariables,), {name: variable(name) for name in names})

    class Actions(BaseActions):  # type: ignore[misc]  # the peer carries no types
        def __init__(self) -> None:
            self.hits: list[str] = []

        @rule_action(params={"rule": FIELD_TEXT})  # type: ignore[untyped-decorator]
        def breach(self, rule: str) -> None:
            self.hits.append(rule)

    told = [_rule_of(rule, conditions) for rule, conditions in rules.items()]

    def run() -> int:
        found = 0
        for one in subjects:
            facts, actions = variables(), Actions()
            facts.values = one
            run_all(told, facts, actions)
            found += len(actions.hits)
        return found

    return run


def _rule_of(rule: str, conditions: Sequence[tuple[str, float]]) -> dict[str, Any]:
    tests = [{"name": name, "operator": "greater_than", "value": value} for name, value in conditions]
    return {"conditions": {"all": tests}, "actions": [{"name": "breach", "params": {"rule": rule}}]}
