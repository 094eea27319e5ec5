"""The functions of the pack language that run over records, or over a list that a record holds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from scoring.expr import Compiler, ExprError, Fn, Function, Scope, truth
from scoring.facts import Unknown
from scoring.functions import form
from scoring.period.subjects import KINDS, Row

WITHIN = ("month", "quarter", "week", "day", "year", "all", "shift")
WHOSE = ("person", "team", "site")


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
def written_as(node: ast.Call) -> str:
    """The call as the pack has it; a node is written out once."""
    return ast.unparse(node)


def note(scope: Scope, node: ast.Call, value: Any) -> Any:
    scope.trace.append((written_as(node), value))
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
        return doubt if doubt is not None else note(scope, node, Decimal(sum(v is True for _, _, v in judged)))

    return run


def _until(stop: bool) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """exists/every(kind, condition): at least one; all of them (true when there is none)."""
        rows = _Rows(compiler, node)
        cond = rows.part(node, 1)

        def run(scope: Scope) -> Any:
            judged = _judged(rows, cond, scope)
            if judged is None or isinstance(judged, Unknown):
                return judged
            if any(value is stop for _, _, value in judged):
                return note(scope, node, stop)
            doubt = next((value for _, _, value in judged if isinstance(value, Unknown)), None)
            return note(scope, node, not stop) if doubt is None else doubt

        return run

    return build


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
            return note(scope, node, finish(found))

        return run

    return build


def mean(values: list[Any]) -> Any:
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
        return note(scope, node, None if whole == 0 else Decimal(part) * 100 / whole)

    return run


def _first(values: list[Any]) -> Any:
    return values[0] if values else None


def _last(values: list[Any]) -> Any:
    return values[-1] if values else None


def total(values: list[Any]) -> Decimal:
    return sum(values, Decimal(0))


AGGREGATES: dict[str, Function] = {
    "count": form(_count),
    "exists": form(_until(True)),
    "every": form(_until(False)),
    "share": form(_share),
    "total": form(_values(total)),
    "mean": form(_values(mean)),
    "least": form(_values(lambda values: min(values, default=None))),
    "most": form(_values(lambda values: max(values, default=None))),
    "first": form(_values(_first, keep_none=True)),
    "last": form(_values(_last, keep_none=True)),
    "same": form(_values(lambda values: tuple(sorted(set(values))))),
    "sequence": form(_values(tuple)),
}
