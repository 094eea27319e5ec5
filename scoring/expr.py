"""The expressions of packs: a small closed language in Python's own syntax, read by ``ast`` and never executed.

Three values decide: true, false, and ``Unknown`` with its cause, which spreads unless the other side decides alone.
Numbers are decimals, moments are local to the site, lengths of time are milliseconds. ``None`` is a value that is not
given (or 0/0): arithmetic keeps it, a comparison with it is unknown. What an expression read is kept as a trace, which
becomes the evidence of a finding. This module knows no records and no rules; a context supplies them.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any, Protocol

from scoring.facts import Cause, Unknown

Fn = Callable[["Scope"], Any]
MISSING = Unknown(Cause.MISSING)
MAX_LENGTH = 1200


class ExprError(ValueError):
    """An expression that cannot be read: what, and what to write instead."""


class Context(Protocol):
    """What stands around an expression: names and functions that need records, rules or other months."""

    def name(self, name: str, scope: Scope) -> Any: ...


class Fields(Protocol):
    """A subject: something with named fields."""

    def get(self, name: str) -> Any: ...


@dataclass(slots=True)
class Scope:
    """One evaluation: the subject whose fields are names, the finding's subject (``it``), and what was read so far."""

    subject: Any
    context: Any
    local: dict[str, Any] = field(default_factory=dict)
    trace: list[tuple[str, Any]] = field(default_factory=list)
    it: Any = None
    within: str | None = None
    home: Scope | None = None

    def inner(self, subject: Any) -> Scope:
        """The scope of one row inside an aggregate; named parts keep the value they have outside."""
        outer = self.subject if self.it is None else self.it
        return Scope(subject, self.context, self.local, [], outer, self.within, self.home or self)


class _AnyName(frozenset[str]):
    """Every name is a field."""

    def __contains__(self, name: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Names:
    """What may stand as a name: fields of the subject, of the finding's subject, and names of the context."""

    fields: frozenset[str]
    outer: frozenset[str]
    general: frozenset[str]
    rows: Mapping[str, frozenset[str]]  # kind -> fields, for aggregates
    functions: Mapping[str, Function]
    local: frozenset[str] = frozenset()

    def row(self, kind: str) -> Names:
        outer = self.outer or self.fields
        return Names(self.rows[kind], outer, self.general, self.rows, self.functions, self.local)

    def part(self) -> Names:
        """Names inside a list or mapping of the subject, whose parts are named freely."""
        return Names(_AnyName(), self.outer or self.fields, self.general, self.rows, self.functions, self.local)

    def with_local(self, names: Iterable[str]) -> Names:
        local = self.local | frozenset(names)
        return Names(self.fields, self.outer, self.general, self.rows, self.functions, local)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language: ``build`` compiles a call (it sees the syntax tree); ``says`` is its help."""

    build: Callable[[Compiler, ast.Call], Fn]
    says: str = ""


_FIELD_WORDS = {"class_": "class", "from_": "from"}
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARES: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def compile_expression(text: str, names: Names) -> Fn:
    """The expression as a function of a scope; refuses (ExprError) what the language or the subject does not have."""
    if len(text) > MAX_LENGTH:
        raise ExprError(f"the expression has {len(text)} characters; split it with let")
    line = " ".join(text.split())
    try:
        tree = ast.parse(line, mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        says = getattr(error, "msg", "too deep")
        raise ExprError(f"{text!r} cannot be read ({says}); write it like: closed_at > due_at") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            _kept_whole(ast.get_source_segment(line, node) or "", node.value)
    return Compiler(names).compile(tree.body)


def _kept_whole(written: str, value: float) -> None:
    """Python reads a fraction as a float: one that would lose digits on the way is refused."""
    if not math.isfinite(value) or Decimal(written.replace("_", "")) != Decimal(repr(value)):
        raise ExprError(f"{written}: not all of its digits can be kept; write at most 15, or divide whole numbers")


class Compiler:
    """One walk over the syntax tree; every node becomes a closure."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def within(self, names: Names) -> Compiler:
        return Compiler(names)

    def compile(self, node: ast.expr) -> Fn:
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.Attribute(value=ast.Name(id=owner), attr=attr):
                return self._attribute(owner, attr)
            case ast.BoolOp():
                return self._bool(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BinOp() if type(node.op) in _OPERATORS:
                return _binary(_OPERATORS[type(node.op)], self.compile(node.left), self.compile(node.right))
            case ast.Compare():
                return self._compare(node)
            case ast.IfExp():
                return _choose(self.compile(node.test), self.compile(node.body), self.compile(node.orelse))
            case ast.Call():
                return self._call(node)
            case ast.Tuple() | ast.List():
                parts = [self.compile(one) for one in node.elts]
                return lambda scope: tuple(part(scope) for part in parts)
        raise ExprError(f"{ast.unparse(node)!r} is not part of the language; write names, numbers and functions")

    def _constant(self, node: ast.Constant) -> Fn:
        value = node.value
        if isinstance(value, bool) or value is None or isinstance(value, str):
            return lambda scope: value
        if isinstance(value, int | float):
            number = Decimal(ast.unparse(node))
            return lambda scope: number
        raise ExprError(f"{ast.unparse(node)} is no number, word, True, False or None; correct it")

    def _name(self, node: ast.Name) -> Fn:
        name = _FIELD_WORDS.get(node.id, node.id)
        names = self.names
        if name in names.fields and not (isinstance(names.fields, _AnyName) and self._elsewhere(name)):
            return _field(name)
        if name in names.local:
            return lambda scope: _settled(scope.local[name], scope.home or scope)
        if name in names.general:
            return lambda scope: scope.context.name(name, scope)
        known = ", ".join(sorted(names.fields)[:40]) or "none"
        raise ExprError(f"there is no name {node.id!r} here; fields are {known}")

    def _elsewhere(self, name: str) -> bool:
        return name in self.names.local or name in self.names.general

    def _attribute(self, owner: str, attr: str) -> Fn:
        attr = _FIELD_WORDS.get(attr, attr)
        if owner == "it":
            if attr not in (self.names.outer or self.names.fields):
                raise ExprError(f"it.{attr}: the finding's subject has no such field; correct it")
            return lambda scope: _read(scope, f"it.{attr}", (scope.subject if scope.it is None else scope.it).get(attr))
        if owner in self.names.general:
            return lambda scope: _part(scope.context.name(owner, scope), owner, attr, scope)
        raise ExprError(f"{owner}.{attr}: only it, person, case and new have parts; correct it")

    def _bool(self, node: ast.BoolOp) -> Fn:
        parts = [self.compile(one) for one in node.values]
        stop = isinstance(node.op, ast.Or)
        return lambda scope: _decided(stop, parts, scope)

    def _unary(self, node: ast.UnaryOp) -> Fn:
        inner = self.compile(node.operand)
        if isinstance(node.op, ast.Not):
            return lambda scope: _not(inner(scope))
        if isinstance(node.op, ast.USub):
            return lambda scope: _negative(inner(scope))
        raise ExprError(f"{ast.unparse(node)!r} is not part of the language; write not or -")

    def _compare(self, node: ast.Compare) -> Fn:
        steps = [self.compile(one) for one in (node.left, *node.comparators)]
        links = [_link(op, steps[at], steps[at + 1], node.comparators[at]) for at, op in enumerate(node.ops)]
        return links[0] if len(links) == 1 else lambda scope: _decided(False, links, scope)

    def _call(self, node: ast.Call) -> Fn:
        if not isinstance(node.func, ast.Name) or node.func.id not in self.names.functions:
            called = ast.unparse(node.func)
            raise ExprError(f"there is no function {called!r}; known are {', '.join(sorted(self.names.functions))}")
        return self.names.functions[node.func.id].build(self, node)

    def word(self, node: ast.Call, at: int, what: str) -> str:
        """An argument that must be written out: a 'word', or the bare name of a kind."""
        if at < len(node.args):
            one = node.args[at]
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                return one.value
            if isinstance(one, ast.Name):
                return one.id
        raise ExprError(f"{ast.unparse(node)}: argument {at + 1} must be {what}; write it out")

    def option(self, node: ast.Call, name: str, allowed: tuple[str, ...], default: str) -> str:
        for one in node.keywords:
            if one.arg == name:
                if isinstance(one.value, ast.Constant) and one.value.value in allowed:
                    return str(one.value.value)
                raise ExprError(f"{ast.unparse(node)}: {name} must be one of {', '.join(allowed)}; correct it")
        return default

    def only(self, node: ast.Call, *keywords: str) -> None:
        for one in node.keywords:
            if one.arg not in keywords:
                known = ", ".join(keywords) or "none"
                raise ExprError(f"{ast.unparse(node)}: there is no option {one.arg!r}; known are {known}")

    def arguments(self, node: ast.Call, least: int, most: int | None = None) -> list[Fn]:
        count = len(node.args)
        if count < least or (most is not None and count > most):
            wanted = f"{least}" if most == least else f"{least} to {most}" if most is not None else f"at least {least}"
            raise ExprError(f"{ast.unparse(node)}: takes {wanted} arguments, not {count}; correct it")
        return [self.compile(one) for one in node.args]


def truth(value: Any) -> bool | Unknown:
    """A value as a condition: what is not given is unknown, everything but True and False is a mistake of the pack."""
    if value is True or value is False or isinstance(value, Unknown):
        return value
    if value is None:
        return MISSING
    raise ExprError(f"{value!r} is no condition; compare it with something")


def _settled(value: Any, scope: Scope) -> Any:
    """A let that was not computed yet is computed when it is first read."""
    return value(scope) if callable(value) else value


def _field(name: str) -> Fn:
    def read(scope: Scope) -> Any:
        value = scope.subject.get(name)
        scope.trace.append((name, value))
        return value

    return read


def _read(scope: Scope, name: str, value: Any) -> Any:
    scope.trace.append((name, value))
    return value


def _part(owner: Any, name: str, attr: str, scope: Scope) -> Any:
    if owner is None or isinstance(owner, Unknown):
        return owner
    return _read(scope, f"{name}.{attr}", owner.get(attr))


def _decided(stop: bool, parts: list[Fn], scope: Scope) -> bool | Unknown:
    """``and`` stops at False, ``or`` at True; what is unknown decides only where no part stops it."""
    doubt: Unknown | None = None
    for part in parts:
        value = truth(part(scope))
        if value is stop:
            return stop
        if isinstance(value, Unknown):
            doubt = doubt or value
    return not stop if doubt is None else doubt


def _not(value: Any) -> bool | Unknown:
    value = truth(value)
    return value if isinstance(value, Unknown) else not value


def _negative(value: Any) -> Any:
    if value is None or isinstance(value, Unknown):
        return value
    if not isinstance(value, Decimal):
        raise ExprError(f"-{value!r} cannot be computed; use a number")
    return -value


def _choose(test: Fn, then: Fn, otherwise: Fn) -> Fn:
    def choose(scope: Scope) -> Any:
        value = truth(test(scope))
        if isinstance(value, Unknown):
            return value
        return then(scope) if value else otherwise(scope)

    return choose


def _binary(op: Callable[[Any, Any], Any], left: Fn, right: Fn) -> Fn:
    def compute(scope: Scope) -> Any:
        a, b = left(scope), right(scope)
        if isinstance(a, Unknown):
            return a
        if isinstance(b, Unknown):
            return b
        if a is None or b is None:
            return None
        return combine(op, a, b)

    return compute


def combine(op: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """Arithmetic over decimals, moments and lengths in milliseconds; a day plus a number counts days."""
    try:
        return _combined(op, a, b)
    except (DivisionByZero, InvalidOperation):
        return None
    except (TypeError, ArithmeticError):
        raise ExprError(f"{a!r} and {b!r} cannot be computed together; use numbers, days or moments") from None


def _combined(op: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    if isinstance(a, datetime) and isinstance(b, datetime) and op is operator.sub:
        return milliseconds(a - b)
    if isinstance(a, datetime) and isinstance(b, Decimal) and op in (operator.add, operator.sub):
        return op(a, timedelta(milliseconds=float(b)))
    if isinstance(a, date) and isinstance(b, date) and op is operator.sub:
        return Decimal((a - b).days)
    if isinstance(a, date) and isinstance(b, Decimal) and op in (operator.add, operator.sub):
        return op(a, timedelta(days=int(b)))
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return op(a, b)
    raise TypeError


def milliseconds(length: timedelta) -> Decimal:
    return Decimal(length.days * 86_400_000 + length.seconds * 1000) + Decimal(length.microseconds) / 1000


def _link(op: ast.cmpop, left: Fn, right: Fn, written: ast.expr) -> Fn:
    if isinstance(op, ast.Is | ast.IsNot):
        if not (isinstance(written, ast.Constant) and written.value in (None, True, False)):
            raise ExprError("is compares with None, True or False only; write == for other values")
        wanted, yes = written.value, isinstance(op, ast.Is)
        return lambda scope: _is(left(scope), wanted, yes)
    if isinstance(op, ast.In | ast.NotIn):
        inside = isinstance(op, ast.In)
        return lambda scope: _in(left(scope), right(scope), inside)
    compare = COMPARES[type(op)]
    return lambda scope: _compared(compare, left(scope), right(scope))


def _is(value: Any, wanted: Any, yes: bool) -> bool | Unknown:
    if isinstance(value, Unknown):
        return value
    return (value is wanted) == yes


def _in(value: Any, rows: Any, inside: bool) -> bool | Unknown:
    if isinstance(value, Unknown) or isinstance(rows, Unknown):
        return value if isinstance(value, Unknown) else rows
    if value is None or rows is None:
        return MISSING
    try:
        return (value in rows) == inside
    except TypeError:
        raise ExprError(f"{value!r} in {rows!r} cannot be compared; give a list") from None


def _compared(compare: Callable[[Any, Any], Any], a: Any, b: Any) -> bool | Unknown:
    if isinstance(a, Unknown):
        return a
    if isinstance(b, Unknown):
        return b
    if a is None or b is None:
        return MISSING
    if isinstance(a, datetime) != isinstance(b, datetime) and isinstance(a, date) and isinstance(b, date):
        a, b = _same_kind(compare, a, b)
    try:
        return bool(compare(a, b))
    except TypeError:
        raise ExprError(f"{a!r} and {b!r} cannot be compared; use values of one kind") from None


def _same_kind(compare: Callable[[Any, Any], Any], a: date, b: date) -> tuple[date, date]:
    """A day beside a moment stands for the whole of it: the moment is compared by its day."""
    return (a.date() if isinstance(a, datetime) else a), (b.date() if isinstance(b, datetime) else b)
