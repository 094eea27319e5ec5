"""The functions of the pack language that look around: at records, other rules, other people and other months.

Each is compiled from its call and asks the context (``month.RuleContext``) when it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from scoring.expr import MISSING, Compiler, ExprError, Fn, Function, Scope
from scoring.facts import Unknown
from scoring.functions import form
from scoring.period import case as cases
from scoring.period.aggregates import AGGREGATES, WHOSE, mean, note
from scoring.period.others import OTHERS
from scoring.period.subjects import Row


def _of_month(method: str, keywords: tuple[str, ...] = ()) -> Callable[[Compiler, ast.Call], Fn]:
    """A call into the context with plain words as arguments."""

    def build(compiler: Compiler, node: ast.Call) -> Fn:
        compiler.only(node, *keywords)
        words = [compiler.word(node, at, "a rule or a name, in quotes") for at in range(len(node.args))]
        options = {name: compiler.option(node, name, WHOSE, "") or None for name in keywords}

        def run(scope: Scope) -> Any:
            value = getattr(scope.context, method)(scope, *words, **options)
            return note(scope, node, value)

        return run

    return build


def _figure(ask: str) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """figure('name', otherwise?): the figure delivered for this month, percent where it has a denominator."""
        return _figure_call(compiler, node, ask)

    return build


def _figure_call(compiler: Compiler, node: ast.Call, ask: str) -> Fn:
    compiler.only(node, "whose")
    name = compiler.word(node, 0, "the name of a figure, in quotes")
    otherwise = compiler.compile(node.args[1]) if len(node.args) > 1 else None
    whose = compiler.option(node, "whose", WHOSE, "") or None

    def run(scope: Scope) -> Any:
        value = getattr(scope.context, ask)(scope, name, whose)
        if value is MISSING and otherwise is not None:
            return otherwise(scope)
        return note(scope, node, value)

    return run


def _answers(compiler: Compiler, node: ast.Call) -> tuple[dict[str, Decimal], Fn | None]:
    """Numbers for words (satisfied=10), or an expression over ``item`` and ``answer``."""
    words = {}
    for one in node.keywords:
        if one.arg is None or not isinstance(one.value, ast.Constant | ast.UnaryOp | ast.Name):
            raise ExprError(f"{ast.unparse(node)}: write words with their numbers, like satisfied=10")
        words[one.arg] = compiler.compile(one.value)
    args = [one for one in node.args if not (isinstance(one, ast.Name) and one.id == "items")]
    what = compiler.within(compiler.names.with_local(["item", "answer"])).compile(args[0]) if args else None
    return words, what  # type: ignore[return-value]


def _items(finish: Callable[[list[Any]], Any]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """items_mean/least/most(items, word=number …): over the answers of a form; a word without number is unknown."""
        words, what = _answers(compiler, node)

        def number(scope: Scope, name: str, answer: Any) -> Any:
            if what is not None:
                local = {**scope.local, "item": name, "answer": answer}
                return what(Scope(scope.subject, scope.context, local, [], scope.it))
            return words[answer](scope) if answer in words else answer  # type: ignore[operator]

        def run(scope: Scope) -> Any:
            answers = scope.subject.get("items")
            if not answers:
                return None
            found = [number(scope, name, answer) for name, answer in answers.items()]
            if any(not isinstance(one, Decimal) for one in found):
                return next((one for one in found if isinstance(one, Unknown)), MISSING)
            return note(scope, node, finish(found))

        return run

    return build


def _mark(compiler: Compiler, node: ast.Call) -> Fn:
    """mark(items, 'csat'): one answer of a form; None when it is absent."""
    name = compiler.word(node, len(node.args) - 1, "the name of an item, in quotes")
    return lambda scope: note(scope, node, (scope.subject.get("items") or {}).get(name))


def _word_in(compiler: Compiler, node: ast.Call) -> Fn:
    """word_in(items, 'neutral', …): one of the answers is one of these words; None without answers."""
    words = {compiler.word(node, at, "a word, in quotes") for at in range(1, len(node.args))}

    def run(scope: Scope) -> Any:
        answers = scope.subject.get("items")
        return None if not answers else note(scope, node, bool(words & {str(one) for one in answers.values()}))

    return run


def _days_for(compiler: Compiler, node: ast.Call) -> Fn:
    """days_for(word): the days that were set for that class or stage; None without."""
    (word,) = compiler.arguments(node, 1, 1)

    def run(scope: Scope) -> Any:
        value = word(scope)
        return value if value is None or isinstance(value, Unknown) else scope.context.days_for(scope, str(value))

    return run


def _case_of(scope: Scope) -> Row | None:
    subject = scope.subject
    if isinstance(subject, Row) and subject.kind == "case" and "steps" in subject.fields:
        return subject
    outer = scope.it
    if isinstance(outer, Row) and outer.kind == "case" and "steps" in outer.fields:
        return outer
    found: Row | None = scope.context.name("case", scope)
    return found


def _at_stage(compiler: Compiler, node: ast.Call) -> Fn:
    """at_stage('accepted'): when the case first reached that stage; None when it has not."""
    stage = compiler.word(node, 0, "a stage, in quotes")

    def run(scope: Scope) -> Any:
        row = _case_of(scope)
        return note(scope, node, None if row is None else cases.at_stage(row, stage))

    return run


def _by_stage(compiler: Compiler, node: ast.Call) -> Fn:
    """by_stage('approved', 'by'): a field as the record of that stage said it."""
    stage, name = compiler.word(node, 0, "a stage, in quotes"), compiler.word(node, 1, "a field, in quotes")

    def run(scope: Scope) -> Any:
        row = _case_of(scope)
        return note(scope, node, None if row is None else cases.by_stage(row, stage, name))

    return run


def _stages(compiler: Compiler, node: ast.Call) -> Fn:
    """stages(): the stages the case has reached, in order."""

    def run(scope: Scope) -> Any:
        row = _case_of(scope)
        return () if row is None else cases.stages(row)

    return run


def _on_leave(compiler: Compiler, node: ast.Call) -> Fn:
    """on_leave(at, until?, 'approved'|'told'|'any'): the register of leave covers that moment, day or stretch."""
    how, moments = "approved", list(node.args)
    if moments and isinstance(moments[-1], ast.Constant):
        how = str(ast.literal_eval(moments.pop()))
    if how not in ("approved", "told", "any") or not 1 <= len(moments) <= 2:
        raise ExprError(f"{ast.unparse(node)}: write a moment, perhaps its end, then 'approved', 'told' or 'any'")
    parts = [compiler.compile(one) for one in moments]

    def run(scope: Scope) -> Any:
        values = [part(scope) for part in parts]
        at = values[0]
        if at is None or isinstance(at, Unknown):
            return MISSING if at is None else at
        until = values[1] if len(values) > 1 and not isinstance(values[1], Unknown) else None
        return note(scope, node, scope.context.on_leave(scope, at, until, f"{how}_at"))

    return run


def _calendar(method: str, least: int) -> Function:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        parts = compiler.arguments(node, least, least)

        def run(scope: Scope) -> Any:
            values = [part(scope) for part in parts]
            if any(one is None or isinstance(one, Unknown) for one in values):
                return next((one for one in values if isinstance(one, Unknown)), None)
            return getattr(scope.context, method)(*values)

        return run

    return Function(build, f"{method}(…): by the work calendar")


FORMS: dict[str, Function] = {
    **AGGREGATES,
    **OTHERS,
    "figure": form(_figure("figure")),
    "figure_target": form(_figure("figure_target")),
    "figure_of": form(_figure("figure_of")),
    "value": form(_of_month("value_of")),
    "points": form(_of_month("points_of")),
    "breaches": form(_of_month("breaches_of")),
    "distinct": form(_of_month("distinct_of")),
    "outcome": form(_of_month("outcome_of")),
    "money": form(_of_month("money_of")),
    "fines": form(_of_month("fines_of")),
    "setting": form(_of_month("setting_of")),
    "earned": form(_of_month("earned_of")),
    "observed": form(_of_month("observed_of")),
    "given": form(_of_month("given_of")),
    "noted": form(_of_month("noted_of")),
    "items_mean": form(_items(mean)),
    "items_least": form(_items(lambda values: min(values, default=None))),
    "items_most": form(_items(lambda values: max(values, default=None))),
    "mark": form(_mark),
    "word_in": form(_word_in),
    "days_for": form(_days_for),
    "has_days": form(_of_month("has_days")),
    "at_stage": form(_at_stage),
    "by_stage": form(_by_stage),
    "stages": form(_stages),
    "on_leave": form(_on_leave),
    "in_register": form(_of_month("in_register")),
    "add_workdays": _calendar("add_workdays", 2),
    "last_workday": _calendar("last_workday", 1),
    "is_workday": _calendar("is_workday", 1),
}
