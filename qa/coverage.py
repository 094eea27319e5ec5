"""The coverage map: every clause, how it is decided, from what, whether that arrives here, and what nobody is checking.

What a clause waits for follows what its tests and figures read, not only what the pack says that it needs: a kind of
facts arrives when some have come in, a register when the owner has connected it. It scores nothing.
"""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from qa.settings import Settings, load_settings
from qa.site import DEMO, arriving_kinds
from scoring.load import load_pack, shipped, shipped_names
from scoring.pack import Check, Pack, Rule
from scoring.period.subjects import KINDS
from scoring.predicates import PREDICATES

ALWAYS_HERE = frozenset({"pack", "none", "calendar"})  # the pack itself; work days are built in
DERIVED = "derived"  # what follows from other clauses arrives when one of those is really decided
REGISTERS = frozenset({"leave"})  # of use only when connected: what is not in it did not happen
MADE_OF = {
    "away": "seat_status", "call_record": "call", "question": "chat", "candidate": "exam", "stretch": "attendance",
    "week": None, "day": None, "month": None,
}  # fmt: skip
_FUNCTIONS = {
    "figure": "figure", "figure_of": "figure", "figure_target": "figure", "observed": "observation",
    "given": "observation", "noted": "observation", "on_leave": "leave", "in_register": "leave",
}  # fmt: skip
_TEXT = frozenset({"said", "heard", "hits", "first_hit", "last_hit", "said_at", "last_word", "mentions"})
_PERSON = frozenset({"person", "employed_month", "served_ms"})
_DECIDING = ("where", "breach", "met", "keep", "tell", "alarm", "value")
_STATES = {
    "watched": "checked", "partly": "partly", "waits": "waits", "off": "off", "norm": "nothing to score",
}  # fmt: skip


def coverage(pack: Pack | str | None, arriving: Iterable[str], *, heard: bool = True) -> dict[str, Any]:
    """All clauses of one pack or of all that are shipped. ``arriving``: kinds of facts; ``heard``: they have text."""
    here = frozenset(arriving) | ALWAYS_HERE
    names = [pack] if pack is not None else list(shipped_names())
    chosen = [load_pack(shipped(one)) if isinstance(one, str) else one for one in names]
    return {
        "packs": [
            {
                "id": one.id,
                "version": one.version,
                "title": one.head.title.model_dump(),
                "clauses": _clauses(one, here, heard),
            }
            for one in chosen
        ],
        "arriving": sorted(here - ALWAYS_HERE),
        "heard": heard,
    }


def _clauses(pack: Pack, here: frozenset[str], heard: bool) -> list[dict[str, Any]]:
    first = [_clause(*row, here, heard) for row in pack.rules.items()]
    decided = any(one["covered"] and one["reads"] and one["state"] not in ("off", "norm") for one in first)
    return [_clause(*row, here | {DERIVED}, heard) for row in pack.rules.items()] if decided else first


def _clause(rule_id: str, rule: Rule, here: frozenset[str], heard: bool) -> dict[str, Any]:
    ways = list(_ways(rule))
    lacking = [sorted(way - here) for way in ways]
    covered = any(not one for one in lacking)
    deaf = covered and rule.needs_text and not heard
    state = _state(rule, covered and not deaf, all(not one for one in lacking) and not deaf)
    waits = list(dict.fromkeys([kind for one in lacking for kind in one] + (["text"] if deaf else [])))
    return {
        "rule": rule_id,
        "cite": rule.cite,
        "title": rule.title.model_dump(),
        "decide": rule.decide,
        "on": rule.on,
        "needs": list(rule.needs),
        "reads": sorted({kind for way in ways for kind in way} - ALWAYS_HERE - {DERIVED}),
        "covered": covered,
        "tested": rule.on and bool(rule.tests or _figures(rule)),
        "waits_for": waits,
        "state": state,
        "nobody_checks": state in ("waits", "off"),
        "why_off": None if rule.on else rule.why,
    }


def _state(rule: Rule, covered: bool, whole: bool) -> str:
    if rule.decide == "norm":
        return "norm"
    if not rule.on:
        return "off"
    return "watched" if whole else "partly" if covered else "waits"


def _figures(rule: Rule) -> list[str]:
    return [one for one in (rule.value, rule.raw, rule.year, rule.money, rule.pay) if one is not None]


def _ways(rule: Rule) -> Iterator[frozenset[str]]:
    """What each way of deciding the clause reads. Without a test or a figure: all that the pack says it rests on.

    A person may report any clause that is theirs to judge; tests that find it too are other ways.
    """
    shared = frozenset(kind for text in rule.let.values() for kind in _kinds(text))
    ways = [_of_check(check, rule) for check in rule.tests]
    ways += [frozenset(_kinds(text)) | shared for text in _figures(rule)]
    ways = [one for one in ways if one] or ([frozenset()] if ways else [])
    if not ways or ways == [frozenset()]:
        yield frozenset(rule.needs)
        return
    yield from ways
    if rule.decide == "manual" and "observation" in rule.needs:
        yield frozenset({"observation"})


def _of_check(check: Check, rule: Rule) -> frozenset[str]:
    """What a test has to see before it can say anything; what only excuses (`na`) is not asked for."""
    if check.that is not None:
        predicate = PREDICATES[check.that]
        return frozenset({"call" if predicate.subject == "call" else "seat_status"}) | (
            {"leave"} if "leave" in predicate.reads else frozenset()
        )
    own = MADE_OF.get(check.each, check.each)
    kinds = {own} if own is not None else set()
    used = [getattr(check, name) for name in _DECIDING]
    used += [check.due.at, check.due.done] if check.due is not None else []
    texts = [one for one in used if one is not None]
    names = {name for text in texts for name in _names(text)}
    texts += [one for name, one in {**rule.let, **check.let}.items() if name in names]
    for text in texts:
        kinds |= _kinds(text)
    return frozenset(kinds) | frozenset(check.needs_register)


@cache
def _tree(text: str) -> ast.AST:
    return ast.parse(" ".join(text.split()), mode="eval")


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(_tree(text)) if isinstance(node, ast.Name)}


def _kinds(text: str) -> set[str]:
    """The kinds of records that an expression looks at."""
    found: set[str] = set()
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found |= _of_call(node, node.func.id)
        elif isinstance(node, ast.Name) and node.id in _PERSON:
            found.add("person")
    return found


def _of_call(node: ast.Call, name: str) -> set[str]:
    if name in _FUNCTIONS:
        return {_FUNCTIONS[name]}
    if name in _TEXT:
        return set()  # what was said belongs to the call or the chat that the test is about
    first = node.args[0] if node.args else None
    word = first.id if isinstance(first, ast.Name) else first.value if isinstance(first, ast.Constant) else None
    if name in _AGGREGATES and word in KINDS:
        kind = MADE_OF.get(str(word), str(word))
        return set() if kind is None else {kind}
    return set()


_AGGREGATES = frozenset({
    "count", "exists", "every", "total", "mean", "share", "least", "most", "first", "last", "same", "sequence",
    "items_mean", "items_least", "items_most",
})  # fmt: skip


# --- this site


def coverage_command(pack: str | None) -> dict[str, Any]:
    """The map of this installation's site, from what its database holds."""
    settings = load_settings()
    if pack is not None:
        shipped(pack)  # a wrong name is said before a database is opened
    kinds, heard, seen = asyncio.run(_arriving(settings)) if _has_database(settings) else _nothing(settings)
    return {"site": settings.site, **coverage(pack, kinds, heard=heard), "seen": seen}


def _has_database(settings: Settings) -> bool:
    """Whether anything can have come in; a map is no reason to make a database."""
    return settings.database_url is not None or any(settings.data.glob("postgres-*/PG_VERSION"))


def _nothing(settings: Settings) -> tuple[frozenset[str], bool, dict[str, Any]]:
    demo = settings.site == DEMO
    return (arriving_kinds(DEMO) if demo else frozenset()), demo, {}


async def _arriving(settings: Settings) -> tuple[frozenset[str], bool, dict[str, Any]]:
    from qa.services import opened
    from qa.store import facts, records

    async with (
        opened(settings, settings.site, settings.site, scores=False) as services,
        services.store.site(settings.site, "coverage") as tx,
    ):
        seen, registers = await facts.kinds(tx), await records.registers(tx)
    kinds, heard = arriving(seen, registers)
    if settings.site == DEMO:
        kinds, heard = kinds | arriving_kinds(DEMO), True
    told = {
        name: {"count": one.count, "last": one.last.isoformat() if one.last else None} for name, one in seen.items()
    }
    return kinds, heard, {"facts": told, "registers": {name: since.isoformat() for name, since in registers.items()}}


def arriving(seen: Mapping[str, object], registers: Mapping[str, date]) -> tuple[frozenset[str], bool]:
    """Kinds of facts that have come in or whose register is connected; whether speech has come in."""
    return frozenset(({*seen} - {"text"} - REGISTERS) | {*registers}), "text" in seen


# --- for a terminal


def coverage_text(found: Mapping[str, Any], *, one: bool) -> str:
    """Counts for each pack; of ``one`` pack every clause too, with what it waits for. Closes with the totals."""
    rows: list[str] = []
    for pack in found["packs"]:
        rows += _pack_lines(pack, one)
    if not one:
        rows += _unchecked(found["packs"])
    arriving = ", ".join(found["arriving"]) or "nothing"
    rows.append(f"arriving at this site: {arriving}{'' if found['heard'] else '; no speech has been recognised'}")
    clauses = sum(len(pack["clauses"]) for pack in found["packs"])
    systems = len(found["packs"])
    return "\n".join([*rows, f"{systems} system{'s' * (systems != 1)}, {clauses} clauses"])


def _pack_lines(pack: Mapping[str, Any], whole: bool) -> list[str]:
    clauses = pack["clauses"]
    states = [one["state"] for one in clauses]
    decided = {name: sum(one["decide"] == name for one in clauses) for name in ("auto", "review", "manual", "norm")}
    counts = ", ".join(f"{states.count(name)} {says}" for name, says in _STATES.items() if states.count(name))
    how = ", ".join(f"{count} {name}" for name, count in decided.items() if count)
    rows = [f"{pack['id']:<6} {len(clauses):>3} clauses ({how}): {counts}"]
    if whole:
        for one in clauses:
            waits = f"  waits for {', '.join(one['waits_for'])}" if one["waits_for"] and one["state"] != "off" else ""
            off = f"  {one['why_off']}" if one["state"] == "off" else ""
            rows.append(f"  {one['rule']:<12} {one['decide']:<7} {_STATES[one['state']]:<17} {one['cite']}{waits}{off}")
    return rows


def _unchecked(packs: Iterable[Mapping[str, Any]]) -> list[str]:
    """What would have to arrive so that most clauses more are checked."""
    missing: dict[str, int] = {}
    unchecked = off = 0
    for pack in packs:
        for one in pack["clauses"]:
            off += one["state"] == "off"
            unchecked += one["state"] == "waits"
            for kind in one["waits_for"] if one["state"] == "waits" else ():
                missing[kind] = missing.get(kind, 0) + 1
    most = sorted(missing.items(), key=lambda one: (-one[1], one[0]))
    lacking = ", ".join(f"{kind} ({count})" for kind, count in most)
    return [
        f"nobody checks {unchecked} clauses that are on" + (f"; they wait for {lacking}" if lacking else ""),
        f"{off} clauses are switched off; `seatwatch packs coverage PACK` says why",
    ]
