"""Expressions over one call, one chat or one absence: their fields as names, and what was said as functions.

A phrase is certainly missing only where nothing could hide it (see ``phrasing``); otherwise the answer is unknown.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from scoring.canonical import decimal_text
from scoring.expr import COMPARES, MISSING, Compiler, Fn, Function, Names, Scope, compile_expression, truth
from scoring.facts import AwayFacts, CallFacts, Cause, Facts, Hit, Unknown
from scoring.finding import NA, Finding, unknown
from scoring.functions import FUNCTIONS, form
from scoring.pack import Check
from scoring.phrasing import spans
from scoring.scorecard import Evidence, Outcome, Signal, Span
from scoring.values import Known, Settings

_OWN = ("turns", "hits", "gaps")
CALL_FIELDS = frozenset(
    {one.name for one in fields(CallFacts)} - {*_OWN} | {"at", "conversation", "agent", "seat", "id", "tail_ms"}
)
AWAY_FIELDS = frozenset({one.name for one in fields(AwayFacts)} | {"length", "agent", "seat", "id"})
NAMES = frozenset({
    "points", "amount", "fine", "limit", "grace", "cap", "weight", "target", "confidence", "sample", "base", "floor",
    "days", "mode", "rounding",
})  # fmt: skip


def written(value: object) -> object:
    """A field as the language knows it: whole numbers are decimals."""
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


class CallSubject:
    """The fields of a call (or a chat) under their names; ``conversation``: an answered incoming call."""

    __slots__ = ("call", "facts", "found", "numbers", "values")

    def __init__(self, facts: Facts, call: CallFacts) -> None:
        self.facts, self.call = facts, call
        self.values = _Values(facts, call)  # many rules ask for the same field
        self.numbers = _Numbers(self.values)
        self.found: dict[Test, Finding] = {}

    @property
    def body(self) -> CallFacts:
        return self.call

    def get(self, name: str) -> Any:
        return self.values[name]


class _Values(dict[str, Any]):
    """Fields by name, each worked out when it is first asked for.

    It knows the facts and not the subject: a circle of references would keep every call until garbage is collected.
    """

    __slots__ = ("_call", "_facts")

    def __init__(self, facts: Facts, call: CallFacts) -> None:
        self._facts, self._call = facts, call

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._made(name)
        return value

    def _made(self, name: str) -> Any:
        call, facts = self._call, self._facts
        if name == "conversation":
            return _conversation(call)
        if name == "tail_ms":
            return _tail(call)
        if name == "id":
            return facts.subject.partition(":")[2]
        if name in ("agent", "seat"):
            return getattr(facts, name)
        if name == "at":
            return None if facts.at is None else datetime.fromisoformat(facts.at).replace(tzinfo=None)
        return written(getattr(call, name))


class _Numbers(dict[str, tuple[Decimal, Signal] | None]):
    """Fields that are known numbers, with their evidence: several rules rest on the same one. None: it is none."""

    __slots__ = ("_values",)

    def __init__(self, values: _Values) -> None:
        self._values = values

    def __missing__(self, name: str) -> tuple[Decimal, Signal] | None:
        value = self._values[name]
        held = self[name] = (value, Signal(name, decimal_text(value))) if type(value) is Decimal else None
        return held


def _conversation(call: CallFacts) -> bool | Unknown:
    if call.direction in ("out", "internal") or (not isinstance(call.end, Unknown) and call.end != "answered"):
        return False
    for value in (call.direction, call.end):
        if isinstance(value, Unknown):
            return value
    return True


def _tail(call: CallFacts) -> Decimal | Unknown | None:
    """Milliseconds from the last word to the end of the call; None when nobody spoke."""
    if call.text == "none":
        return Unknown(Cause.NO_TEXT)
    last = max((one.end_ms for one in call.turns), default=None)
    if last is None or isinstance(call.talk_ms, Unknown):
        return None if last is None else call.talk_ms  # type: ignore[return-value]
    return Decimal(max(0, call.talk_ms - last))


class AwaySubject:
    """The fields of an absence; ``length`` in milliseconds; what was only inferred is not known."""

    __slots__ = ("away", "facts", "found")

    def __init__(self, facts: Facts, away: AwayFacts) -> None:
        self.facts, self.away = facts, away
        self.found: dict[Test, Finding] = {}

    @property
    def body(self) -> AwayFacts:
        return self.away

    def get(self, name: str) -> Any:
        if name in ("length", "ready_ms") and self.away.source == "inferred":
            return MISSING
        if name == "length":
            return written(self.away.away_ms)
        if name == "id":
            return self.facts.subject.partition(":")[2]
        if name in ("agent", "seat"):
            return getattr(self.facts, name)
        if name in ("at", "until"):
            value = getattr(self.away, name)
            return value if isinstance(value, Unknown) else datetime.fromisoformat(value).replace(tzinfo=None)
        return written(getattr(self.away, name))


@dataclass(frozen=True, slots=True)
class _Context:
    """The settings of one rule, for one day."""

    settings: Settings

    def name(self, name: str, scope: Scope) -> Any:
        if name in self.settings.words:
            return self.settings.words[name]
        known = self.settings.numbers[name]
        scope.trace.append((name, known))
        return known.number


Subject = CallSubject | AwaySubject
Test = Callable[[Any], Finding]  # of a subject


def expression_test(check: Check, settings: Settings) -> Test:
    """The test as a function of a subject; the settings of its day are bound."""
    names = names_for(check.each, frozenset({*settings.numbers, *settings.words}))
    let, names = compile_let(check.let, names)
    parts = {key: compile_expression(text, names) for key, text in _parts(check).items()}
    verdict = next(key for key in ("breach", "met", "keep", "tell", "alarm") if key in parts)
    where, na, decides, context = parts.get("where"), parts.get("na"), parts[verdict], _Context(settings)

    def test(subject: Subject) -> Finding:
        scope = Scope(subject, context, dict(let))
        if where is not None and truth(where(scope)) is not True:
            return NA
        if na is not None and truth(na(scope)) is True:
            return NA
        return judged(verdict, truth(decides(scope)), evidence(scope.trace))

    return _plain(check, settings, verdict, test) or once(test)


def once(test: Test) -> Test:
    """The same test asked again of the same subject, as by a pack and its draft, is not gone through again."""

    def told(subject: Subject) -> Finding:
        finding = subject.found.get(test)
        if finding is None:
            finding = subject.found[test] = test(subject)
        return finding

    return told


def _plain(check: Check, settings: Settings, verdict: str, general: Test) -> Test | None:
    """The commonest test of all, one number of a call held against a setting, without the steps between.

    It answers only where both are known numbers, with what ``general`` would say; all else is left to that.
    """
    form = ast.parse(" ".join(getattr(check, verdict).split()), mode="eval").body
    if check.each != "call" or check.let or check.na or (check.where is not None and check.where not in CALL_FIELDS):
        return None
    if not (isinstance(form, ast.Compare) and len(form.ops) == 1 and type(form.ops[0]) in COMPARES):
        return None
    left, right = form.left, form.comparators[0]
    if not (isinstance(left, ast.Name) and isinstance(right, ast.Name) and left.id in CALL_FIELDS):
        return None
    known = None if right.id in CALL_FIELDS else settings.numbers.get(right.id)
    if known is None or known.number is None or left.id == check.where:
        return None
    compare, field, where, number = COMPARES[type(form.ops[0])], left.id, check.where, known.number
    asked_for = None if where is None else Signal(where, say(True))
    setting, (false, true), new = known.evidence(), _findings(verdict), tuple.__new__

    def test(subject: CallSubject) -> Finding:
        if where is not None:
            asked = subject.values[where]
            if asked is False:
                return NA
            if asked is not True:
                return general(subject)
        held = subject.numbers[field]
        if held is None:
            return general(subject)
        value, signal = held
        shown = (signal, setting) if asked_for is None else (asked_for, signal, setting)
        return new(Finding, (true if compare(value, number) else false, shown, None, False))

    return test


_last: list[Any] = []  # asked about last: its rules, and those of a draft, come one after the other


def call_subject(facts: Facts, call: CallFacts) -> CallSubject:
    """The call as rules ask it; the one that was asked about last is not taken apart again."""
    if _last and (held := _last[0]).facts is facts and held.body is call:
        return held  # type: ignore[no-any-return]
    subject = CallSubject(facts, call)
    _last[:] = [subject]
    return subject


def away_subject(facts: Facts, away: AwayFacts) -> AwaySubject:
    """The same for an absence."""
    if _last and (held := _last[0]).facts is facts and held.body is away:
        return held  # type: ignore[no-any-return]
    subject = AwaySubject(facts, away)
    _last[:] = [subject]
    return subject


def judged(verdict: str, value: bool | Unknown, shown: tuple[Evidence, ...]) -> Finding:
    if isinstance(value, Unknown):
        return unknown(value.cause, shown)
    return Finding(_findings(verdict)[value], shown)


def _findings(verdict: str) -> tuple[Outcome, Outcome]:
    """What a verdict that is false comes to, and one that is true."""
    if verdict == "keep":
        return Outcome.BREACH, Outcome.CLEAR
    return Outcome.CLEAR, Outcome.MET if verdict in ("met", "tell") else Outcome.BREACH


def _parts(check: Check) -> dict[str, str]:
    keys = ("where", "na", "breach", "met", "keep", "tell", "alarm", "times")
    return {key: getattr(check, key) for key in keys if getattr(check, key) is not None}


def names_for(each: str, settings: frozenset[str]) -> Names:
    own = CALL_FIELDS if each in ("call", "chat") else AWAY_FIELDS
    return Names(own, frozenset(), settings, {}, {**FUNCTIONS, **CALL_FUNCTIONS})


def compile_let(let: Mapping[str, str], names: Names) -> tuple[dict[str, Fn], Names]:
    """Named parts in their order; each may use the ones before it."""
    found: dict[str, Fn] = {}
    for name, text in let.items():
        found[name] = compile_expression(text, names)
        names = names.with_local([name])
    return found, names


def evidence(trace: list[tuple[str, Any]]) -> tuple[Evidence, ...]:
    """What the expression read, each once: fields as signals, settings with their source, hits as spans."""
    shown: list[Evidence] = []
    for name, value in trace:
        kind = type(value)
        if kind is Known:
            shown.append(value.evidence())
        elif kind is Span:
            shown.append(value)
        elif kind in _PLAIN:
            shown.append(_signal(name, value))
        elif value is not None:
            shown.append(Signal(name, say(value)))
    return tuple(shown) if len({name for name, _ in trace}) == len(trace) else tuple(dict.fromkeys(shown))


_PLAIN = frozenset({Decimal, bool, str})


@lru_cache(maxsize=8192, typed=True)
def _signal(name: str, value: Any) -> Signal:
    """Numbers and words come again and again; their spelling does not change."""
    return Signal(name, say(value))


def say(value: object) -> str:
    if isinstance(value, Unknown):
        return f"unknown ({value.cause})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, tuple):
        return ", ".join(say(one) for one in value)
    if isinstance(value, Mapping):  # in one order, however it was stored
        return ", ".join(f"{key} {say(one)}" for key, one in sorted(value.items()))
    return str(value)


def _call_of(scope: Scope) -> CallFacts | None:
    subject = scope.subject if scope.it is None else scope.it
    return getattr(subject, "call", None)


def _wanted(compiler: Compiler, node: ast.Call) -> frozenset[str]:
    return frozenset(
        compiler.word(node, at, "a category, an entry or a part, in quotes") for at in range(len(node.args))
    )


def _matching(call: CallFacts, wanted: frozenset[str], role: str) -> list[Hit]:
    return [
        hit
        for hit in call.hits
        if (hit.category in wanted or hit.entry in wanted or hit.part in wanted) and hit.role == role
    ]


def _window(call: CallFacts, first: Decimal | None, last: Decimal | None) -> tuple[int, int] | Unknown:
    talk = call.talk_ms
    if last is not None:
        return talk if isinstance(talk, Unknown) else (max(0, talk - int(last)), max(talk, 0))
    if first is not None:
        return 0, int(first)
    end = max((one.end_ms for one in call.turns), default=0)
    return 0, end if isinstance(talk, Unknown) else max(end, talk)


def _said(compiler: Compiler, node: ast.Call) -> Fn:
    """said('greeting', first=ms, last=ms, but='part'): the agent said it in a turn that starts, or ends, there."""
    compiler.only(node, "first", "last", "role", "but")
    wanted = _wanted(compiler, node)
    role = compiler.option(node, "role", ("agent", "customer"), "agent")
    bounds = {one.arg: compiler.compile(one.value) for one in node.keywords if one.arg in ("first", "last", "but")}
    limit = compiler.compile(ast.Name("confidence")) if "confidence" in compiler.names.general else None

    def run(scope: Scope) -> bool | Unknown:
        call = _call_of(scope)
        if call is None:
            return MISSING
        if call.text == "none":
            return Unknown(Cause.NO_TEXT)
        first, last = (bounds[key](scope) if key in bounds else None for key in ("first", "last"))
        window = _window(call, first, last)
        if isinstance(window, Unknown):
            return window
        but = bounds["but"](scope) if "but" in bounds else None
        hits = [
            hit for hit in _matching(call, wanted, role) if hit.part != but and _inside(call, hit, window, first, last)
        ]
        sure = [hit for hit in hits if not _doubted(call, hit)]
        if sure and call.channels != "mixed":
            scope.trace += [("said", one) for one in spans(sure[:1])]
            return True
        cause = hidden(call, hits, window, limit(scope) if limit is not None else None, role)
        scope.trace.append(
            ("said", Span(role, *window, f"no {'/'.join(sorted(wanted))}" if cause is None else str(cause)))
        )
        return False if cause is None else Unknown(cause)

    return run


def _inside(call: CallFacts, hit: Hit, window: tuple[int, int], first: Any, last: Any) -> bool:
    if last is not None:
        return hit.end_ms >= window[0]
    if first is not None:
        turn = call.turns[hit.turn].start_ms if 0 <= hit.turn < len(call.turns) else hit.start_ms
        return turn <= window[1]
    return True


def _doubted(call: CallFacts, hit: Hit) -> bool:
    return 0 <= hit.turn < len(call.turns) and call.turns[hit.turn].doubted


def hidden(call: CallFacts, hits: list[Hit], window: tuple[int, int], limit: Decimal | None, role: str) -> Cause | None:
    """What could hide a phrase in the window; the first of these causes that stands."""
    start, end = window
    turns = [one for one in call.turns if one.start_ms <= end and one.end_ms >= start]
    if call.channels == "mixed" or "unknown" in {*(one.role for one in turns), *(one.role for one in hits)}:
        return Cause.MIXED
    other = "customer" if role == "agent" else "agent"
    if any(gap.role != other and gap.start_ms <= end and gap.end_ms >= start for gap in call.gaps):
        return Cause.GAP
    own = [one for one in turns if one.role == role]
    if any(one.doubted for one in own):
        return Cause.DOUBTED
    if limit is not None and any(one.confidence is not None and one.confidence < limit for one in own):
        return Cause.CONFIDENCE
    return None


def _lists(compiler: Compiler, node: ast.Call) -> tuple[frozenset[str], str]:
    """Which phrase lists are asked for, and of which party."""
    compiler.only(node, "role")
    return _wanted(compiler, node), compiler.option(node, "role", ("agent", "customer"), "agent")


def _heard(compiler: Compiler, node: ast.Call) -> Fn:
    """heard('insulting', …): the agent said something of these lists (low severity left out); false when not heard."""
    wanted, role = _lists(compiler, node)

    def run(scope: Scope) -> bool | Unknown:
        call = _call_of(scope)
        if call is None:
            return MISSING
        hits = [hit for hit in call.hits if hit.category in wanted or hit.entry in wanted or hit.part in wanted]
        strong = [hit for hit in hits if hit.severity != "low"]
        sure = [hit for hit in strong if hit.role == role and not _doubted(call, hit)]
        if sure:
            scope.trace += [("heard", one) for one in spans(sure)]
            return True
        if call.text == "none":
            return Unknown(Cause.NO_TEXT)
        if any(hit.role == "unknown" for hit in strong):
            return Unknown(Cause.MIXED)
        return Unknown(Cause.DOUBTED) if any(hit.role == role for hit in strong) else False

    return run


def _hits(compiler: Compiler, node: ast.Call) -> Fn:
    """hits('thanks', …): how many of the agent's hits are of these lists."""
    wanted, role = _lists(compiler, node)

    def run(scope: Scope) -> Decimal | Unknown:
        call = _call_of(scope)
        if call is None:
            return MISSING
        return Unknown(Cause.NO_TEXT) if call.text == "none" else Decimal(len(_matching(call, wanted, role)))

    return run


def _hit_at(pick: Callable[[list[int]], int]) -> Callable[[Compiler, ast.Call], Fn]:
    def build(compiler: Compiler, node: ast.Call) -> Fn:
        """first_hit/last_hit('hold_transfer', …): milliseconds from the answer, None when there is none."""
        wanted, role = _lists(compiler, node)

        def run(scope: Scope) -> Any:
            call = _call_of(scope)
            if call is None:
                return MISSING
            found = _matching(call, wanted, role)
            return Decimal(pick([hit.start_ms for hit in found])) if found else None

        return run

    return build


def _said_at(compiler: Compiler, node: ast.Call) -> Fn:
    """said_at('hold_transfer', …): end of the agent's first turn with such a hit, ms from the answer; None if none."""
    wanted = _wanted(compiler, node)

    def run(scope: Scope) -> Any:
        call = _call_of(scope)
        if call is None:
            return MISSING
        if call.text == "none":
            return Unknown(Cause.NO_TEXT)
        found = sorted(_matching(call, wanted, "agent"), key=lambda hit: (hit.start_ms, hit.end_ms))
        scope.trace += [("said", one) for one in spans(found[:1])]
        if not found:
            return None
        turn = found[0].turn
        return Decimal(call.turns[turn].end_ms if 0 <= turn < len(call.turns) else found[0].end_ms)

    return run


def _mentions(compiler: Compiler, node: ast.Call) -> Fn:
    """mentions(('色差', '颜色'), role='customer'): one of these words stands in what that party said or wrote."""
    compiler.only(node, "role")
    words = compiler.compile(node.args[0])
    role = compiler.option(node, "role", ("agent", "customer"), "agent")

    def run(scope: Scope) -> bool | Unknown:
        call = _call_of(scope)
        if call is None:
            return MISSING
        if call.text == "none":
            return Unknown(Cause.NO_TEXT)
        given = words(scope)
        wanted = (given,) if isinstance(given, str) else given
        for at, turn in enumerate(call.turns):
            if turn.role == role and not turn.doubted and any(word in turn.text for word in wanted):
                scope.trace.append(("said", Span(role, turn.start_ms, turn.end_ms, "mentions", turn.text, None, at)))
                return True
        end = max((one.end_ms for one in call.turns), default=0)
        cause = hidden(call, [], (0, end), None, role)
        return False if cause is None else Unknown(cause)

    return run


def _last_turn(compiler: Compiler, node: ast.Call) -> Fn:
    """last_word('customer'): milliseconds from the answer at which that party last spoke; None when it never did."""
    role = compiler.word(node, 0, "agent, customer or any")

    def run(scope: Scope) -> Any:
        call = _call_of(scope)
        if call is None:
            return MISSING
        if call.text == "none":
            return Unknown(Cause.NO_TEXT)
        ends = [one.end_ms for one in call.turns if role in ("any", one.role)]
        return Decimal(max(ends)) if ends else None

    return run


CALL_FUNCTIONS: dict[str, Function] = {
    "said": form(_said),
    "heard": form(_heard),
    "hits": form(_hits),
    "first_hit": form(_hit_at(min)),
    "last_hit": form(_hit_at(max)),
    "last_word": form(_last_turn),
    "said_at": form(_said_at),
    "mentions": form(_mentions),
}
