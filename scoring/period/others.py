"""The functions of the pack language that look at other people, and at other months and weeks."""

from __future__ import annotations

import ast
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from scoring.expr import MISSING, Compiler, ExprError, Fn, Function, Scope, truth
from scoring.facts import Unknown
from scoring.functions import form
from scoring.period.aggregates import mean, note, total

AMONG = ("team", "pack", "site")


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
            return note(scope, node, finish(own, others))

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
                return note(scope, node, False)
            if isinstance(value, Unknown):
                doubt = doubt or value
        return note(scope, node, True) if doubt is None else doubt

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
            return note(scope, node, finish(found))

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
            return note(scope, node, None)
        return note(scope, node, what(other.scope(scope)))

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
        return note(scope, node, Decimal(number))

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
            return note(scope, node, finish(found))

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
            return note(scope, node, finish(found))

        return run

    return build


def _rank(own: Any, others: list[Any]) -> Decimal:
    return Decimal(1 + sum(one > own for one in others))


def _rank_from_last(own: Any, others: list[Any]) -> Decimal:
    return Decimal(1 + sum(one < own for one in others))


OTHERS: dict[str, Function] = {
    "rank": form(_people(_rank)),
    "rank_from_last": form(_people(_rank_from_last)),
    "tied": form(_people(lambda own, others: Decimal(sum(one == own for one in others)))),
    "people": form(_people(lambda own, others: Decimal(len(others)))),
    "everyone": form(_everyone),
    "people_mean": form(_over_people(mean)),
    "people_sum": form(_over_people(total)),
    "previous": form(_previous),
    "streak": form(_streak),
    "months_mean": form(_months(mean)),
    "months_sum": form(_months(total)),
    "months_known": form(_months(lambda values: Decimal(len(values)))),
    "weeks_mean": form(_weeks(mean)),
    "weeks_sum": form(_weeks(total)),
}
