"""The functions of the pack language that look around: at records, other rules, other people and other months.

Each is compiled from its call and asks the context (``month.RuleContext``) when it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from scoring.expr import MISSING, Compiler, ExprError, Fn, Function, Scope, truth
from scoring.facts import Unknown
from scoring.functions import form
from scoring.period import case as cases
from scoring.period.subjects import KINDS, Row

WITHIN = ("month", "quarter", "week", "day", "year", "all", "shift")
WHOSE = ("person", "team", "site")
AMONG = ("team", "pack", "site")


class _Rows:
    """The rows an aggregate runs over, as written: kind, window and whose."""

    def __init__(self, compiler: Compiler, node: ast.Call, extra: tuple[str, ...] = ()) -> None:
        compiler.only(node, "within", "whose", *extra)
        self.kind = compiler.word(node, 0, "a kind of record, or a list field of the subject")
        self.field = self.kind not in KINDS and self.kind in compiler.names.fields
        if self.kind not in KINDS and not self.field:
            raise ExprError(f"there is no kind {self.kind!r}; known are {', '.join(sorted(KINDS))}")
        window = next((one.value for one in node.keywords if one.arg == "within"), None)
        if window is None:
            self.within: str | None = None
        elif isinstance(window, ast.Constant) and (window.value in WITHIN or str(window.value).isdigit()):
            self.within = str(window.value)
        else:
            raise ExprError(f"within is one of {', '.join(WITHIN)} or a number of days; correct it")
        self.whose = compiler.option(node, "whose", WHOSE, "") or None
        names = compiler.names
        self.inner = compiler.within(names.part() if self.field else names.row(self.kind))

    def part(self, node: ast.Call, at: int) -> Fn | None:
        return self.inner.compile(node.args[at]) if at < len(node.args) else None

    def among(self, scope: Scope) -> Iterable[Any] | Unknown | None:
        if self.field:
            return _parts_of(scope.subject.get(self.kind))
        found: Iterable[Row] | Unknown = scope.context.select(self.kind, self.within or scope.within, self.whose, scope)
        return found


def _parts_of(value: Any) -> Iterable[Any] | Unknown | None:
    """The parts of a list field; of a mapping field pairs with ``key`` and ``value``; None when it is not given."""
    if value is None or isinstance(value, Unknown):
        return value
    if isinstance(value, Mapping):
        return [{"key": key, "value": one} for key, one in value.items()]
    return [one if isinstance(one, Mapping) else {"value": one} for one in value]


def _judged(rows: _Rows, cond: Fn | None, scope: Scope) -> list[tuple[Any, Scope, bool | Unknown]] | Unknown | None:
    found = rows.among(scope)
    if found is None or isinstance(found, Unknown):
        return found
    out = []
    for row in found:
        inner = scope.inner(row)
        out.append((row, inner, True if cond is None else truth(cond(inner))))
    return out


@lru_cache(maxsize=65_536)
def _written(node: ast.Call) -> str:
    """The call as the pack has it; a node is written out once."""
    return ast.unparse(node)


def _note(scope: Scope, node: ast.Call, value: Any) -> Any:
    scope.trace.append((_written(node), value))
    return value


def _count(compiler: Compiler, node: ast.Call) -> Fn:
    """count(kind, condition?): how many; unknown while one that could count is undecided."""
    rows = _Rows(compiler, node)
    cond = rows.part(node, 1)

    def run(scope: Scope) -> Any:
        judged = _judged(rows, cond, scope)
        if judged is None or isinstance(judged, Unknown):
            return judged
        doubt = next((value for _, _, value in judged if isinstance(value, Unknown)), None)
        return doubt if doubt is not None else _note(scope, node, Decimal(sum(v is True for _, _, v in judged)))

    return run


def _exists(compiler: Compiler, node: ast.Call) -> Fn:
    """exists(kind, condition?): at least one."""
    rows = _Rows(compiler, node)
    cond = rows.part(node, 1)

    def run(scope: Scope) -> Any:
        judged = _judged(rows, cond, scope)
        if judged is None or isinstance(judged, Unknown):
            return judged
        if any(value is True for _, _, value in judged):
            return _note(scope, node, True)
        return next((value for _, _, value in judged if isinstance(value, Unknown)), _note(scope, node, False))

    return run


def _every(compiler: Compiler, node: ast.Call) -> Fn:
    """every(kind, condition): all of them; true when there is none."""
    rows = _Rows(compiler, node)
    cond = rows.part(node, 1)

    def run(scope: Scope) -> Any:
        judged = _judged(rows, cond, scope)
        if judged is None or isinstance(judged, Unknown):
            return judged
        if any(value is False for _, _, value in judged):
            return _note(scope, node, False)
        return next((value for _, _, value in judged if isinstance(value, Unknown)), _note(scope, node, True))

    return run


def _values(finish: Callable[[list[Any]], Any], keep_none: bool = False) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """total/mean/least/most/first/last/same(kind, expression, condition?): over the rows for which it holds."""
        rows = _Rows(compiler, node)
        what, cond = rows.part(node, 1), rows.part(node, 2)
        if what is None:
            raise ExprError(f"{ast.unparse(node)}: say what to take of each; write a second argument")

        def run(scope: Scope) -> Any:
            judged = _judged(rows, cond, scope)
            if judged is None or isinstance(judged, Unknown):
                return judged
            found = []
            for _, inner, value in judged:
                if isinstance(value, Unknown):
                    return value
                if value:
                    one = what(inner)
                    if isinstance(one, Unknown):
                        return one
                    if one is not None or keep_none:
                        found.append(one)
            return _note(scope, node, finish(found))

        return run

    return build


def _mean(values: list[Any]) -> Any:
    return sum(values, Decimal(0)) / len(values) if values else None


def _share(compiler: Compiler, node: ast.Call) -> Fn:
    """share(kind, condition, among?): percent of the rows for which it holds; no value without rows."""
    rows = _Rows(compiler, node)
    cond, among = rows.part(node, 1), rows.part(node, 2)

    def run(scope: Scope) -> Any:
        judged = _judged(rows, among, scope)
        if judged is None or isinstance(judged, Unknown):
            return judged
        if cond is None:
            raise ExprError(f"{ast.unparse(node)}: say which part of them; write a second argument")
        whole = part = 0
        for _, inner, value in judged:
            if isinstance(value, Unknown):
                return value
            if not value:
                continue
            whole += 1
            held = truth(cond(inner))
            if isinstance(held, Unknown):
                return held
            part += held
        return _note(scope, node, None if whole == 0 else Decimal(part) * 100 / whole)

    return run


def _of_month(method: str, keywords: tuple[str, ...] = ()) -> Callable[[Compiler, ast.Call], Fn]:
    """A call into the context with plain words as arguments."""

    def build(compiler: Compiler, node: ast.Call) -> Fn:
        compiler.only(node, *keywords)
        words = [compiler.word(node, at, "a rule or a name, in quotes") for at in range(len(node.args))]
        options = {name: compiler.option(node, name, WHOSE, "") or None for name in keywords}

        def run(scope: Scope) -> Any:
            value = getattr(scope.context, method)(scope, *words, **options)
            return _note(scope, node, value)

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
        return _note(scope, node, value)

    return run


def _people(finish: Callable[[Any, list[Any]], Any]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """rank/rank_from_last/tied/people(expression): this person among those of the team (or pack, or site)."""
        compiler.only(node, "among")
        among = compiler.option(node, "among", AMONG, "team")
        what = compiler.compile(node.args[0]) if node.args else None

        def run(scope: Scope) -> Any:
            own = what(scope) if what is not None else Decimal(0)
            if own is None or isinstance(own, Unknown):
                return MISSING if own is None else own
            others = []
            for other in scope.context.colleagues(among):
                value = what(other.scope(scope)) if what is not None else Decimal(0)
                if value is not None and not isinstance(value, Unknown):
                    others.append(value)
            return _note(scope, node, finish(own, others))

        return run

    return build


def _everyone(compiler: Compiler, node: ast.Call) -> Fn:
    """everyone(condition): it holds for all people of the team (or pack, or site)."""
    compiler.only(node, "among")
    among = compiler.option(node, "among", AMONG, "team")
    (cond,) = compiler.arguments(node, 1, 1)

    def run(scope: Scope) -> Any:
        doubt: Unknown | None = None
        for other in scope.context.colleagues(among):
            value = truth(cond(other.scope(scope)))
            if value is False:
                return _note(scope, node, False)
            if isinstance(value, Unknown):
                doubt = doubt or value
        return _note(scope, node, True) if doubt is None else doubt

    return run


def _over_people(finish: Callable[[list[Any]], Any]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """people_mean/people_sum(expression): over the people of the team (or pack, or site)."""
        compiler.only(node, "among")
        among = compiler.option(node, "among", AMONG, "team")
        (what,) = compiler.arguments(node, 1, 1)

        def run(scope: Scope) -> Any:
            found = []
            for other in scope.context.colleagues(among):
                value = what(other.scope(scope))
                if isinstance(value, Unknown):
                    return value
                if value is not None:
                    found.append(value)
            return _note(scope, node, finish(found))

        return run

    return build


def _previous(compiler: Compiler, node: ast.Call) -> Fn:
    """previous(expression, n=1): the same, n months ago."""
    what = compiler.compile(node.args[0])
    back = compiler.compile(node.args[1]) if len(node.args) > 1 else None

    def run(scope: Scope) -> Any:
        number = int(back(scope)) if back is not None else 1
        other = scope.context.month_back(number)
        if other is None:
            return _note(scope, node, None)
        return _note(scope, node, what(other.scope(scope)))

    return run


def _streak(compiler: Compiler, node: ast.Call) -> Fn:
    """streak(condition): for how many months in a row, this one included, it has held."""
    (cond,) = compiler.arguments(node, 1, 1)

    def run(scope: Scope) -> Any:
        number, context = 0, scope.context
        while context is not None:
            inner = context.scope(scope) if number else scope
            value = truth(cond(inner))
            if number == 0 and isinstance(value, Unknown):
                return value
            if value is not True:
                break
            number += 1
            context = scope.context.month_back(number)
        return _note(scope, node, Decimal(number))

    return run


def _months(finish: Callable[[list[Any]], Any]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """months_mean/months_sum/months_known(expression): over the months of the year, up to this one."""
        (what,) = compiler.arguments(node, 1, 1)

        def run(scope: Scope) -> Any:
            found = []
            for other in scope.context.months():
                value = what(other.scope(scope))
                if value is not None and not isinstance(value, Unknown):
                    found.append(value)
            return _note(scope, node, finish(found))

        return run

    return build


def _weeks(finish: Callable[[list[Any]], Any]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """weeks_mean/weeks_sum(expression): over the ISO weeks that begin in the month; one unknown leaves it open."""
        if len(node.args) != 1:
            raise ExprError(f"{ast.unparse(node)}: takes one argument; correct it")
        what = compiler.within(compiler.names.row("week")).compile(node.args[0])

        def run(scope: Scope) -> Any:
            found = []
            for row in scope.context.select("week", "month", None, scope):
                inner = Scope(row, scope.context, scope.local, [], None, "week")
                value = what(inner)
                if isinstance(value, Unknown):
                    return value
                if value is not None:
                    found.append(value)
            return _note(scope, node, finish(found))

        return run

    return build


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
            return _note(scope, node, finish(found))

        return run

    return build


def _mark(compiler: Compiler, node: ast.Call) -> Fn:
    """mark(items, 'csat'): one answer of a form; None when it is absent."""
    name = compiler.word(node, len(node.args) - 1, "the name of an item, in quotes")
    return lambda scope: _note(scope, node, (scope.subject.get("items") or {}).get(name))


def _word_in(compiler: Compiler, node: ast.Call) -> Fn:
    """word_in(items, 'neutral', …): one of the answers is one of these words; None without answers."""
    words = {compiler.word(node, at, "a word, in quotes") for at in range(1, len(node.args))}

    def run(scope: Scope) -> Any:
        answers = scope.subject.get("items")
        return None if not answers else _note(scope, node, bool(words & {str(one) for one in answers.values()}))

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
        return _note(scope, node, None if row is None else cases.at_stage(row, stage))

    return run


def _by_stage(compiler: Compiler, node: ast.Call) -> Fn:
    """by_stage('approved', 'by'): a field as the record of that stage said it."""
    stage, name = compiler.word(node, 0, "a stage, in quotes"), compiler.word(node, 1, "a field, in quotes")

    def run(scope: Scope) -> Any:
        row = _case_of(scope)
        return _note(scope, node, None if row is None else cases.by_stage(row, stage, name))

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
        return _note(scope, node, scope.context.on_leave(scope, at, until, f"{how}_at"))

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


def _first(values: list[Any]) -> Any:
    return values[0] if values else None


def _last(values: list[Any]) -> Any:
    return values[-1] if values else None


def _sum(values: list[Any]) -> Decimal:
    return sum(values, Decimal(0))


def _rank(own: Any, others: list[Any]) -> Decimal:
    return Decimal(1 + sum(one > own for one in others))


def _rank_from_last(own: Any, others: list[Any]) -> Decimal:
    return Decimal(1 + sum(one < own for one in others))


FORMS: dict[str, Function] = {
    "count": form(_count),
    "exists": form(_exists),
    "every": form(_every),
    "share": form(_share),
    "total": form(_values(_sum)),
    "mean": form(_values(_mean)),
    "least": form(_values(lambda values: min(values, default=None))),
    "most": form(_values(lambda values: max(values, default=None))),
    "first": form(_values(_first, keep_none=True)),
    "last": form(_values(_last, keep_none=True)),
    "same": form(_values(lambda values: tuple(sorted(set(values))))),
    "sequence": form(_values(tuple)),
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
    "rank": form(_people(_rank)),
    "rank_from_last": form(_people(_rank_from_last)),
    "tied": form(_people(lambda own, others: Decimal(sum(one == own for one in others)))),
    "people": form(_people(lambda own, others: Decimal(len(others)))),
    "everyone": form(_everyone),
    "people_mean": form(_over_people(_mean)),
    "people_sum": form(_over_people(_sum)),
    "previous": form(_previous),
    "streak": form(_streak),
    "months_mean": form(_months(_mean)),
    "months_sum": form(_months(_sum)),
    "months_known": form(_months(lambda values: Decimal(len(values)))),
    "weeks_mean": form(_weeks(_mean)),
    "weeks_sum": form(_weeks(_sum)),
    "items_mean": form(_items(_mean)),
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
