"""A month for the terminal: people by team with score, grade, rank and pay, then what is open or undecided. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qa.period_print import signed
from qa.period_sheet import Json, evidence_text, waiting_points

MOST = 12  # undecided clauses named for a person


def text(head: Mapping[str, Any], found: Sequence[Json], details: bool = False) -> str:
    """The whole of it; ``details``: every line with its evidence."""
    rows = _head(head)
    for kind in ("person", "team", "site"):
        own = [one for one in found if one["kind"] == kind]
        if own:
            rows += ["", *_table(head, own, kind)]
    for one in found:
        about = _about(one, head["money"] != "off", details)
        if about:
            rows += ["", f"{_named(one)}", *(f"  {line}" for line in about)]
    waiting = sum(one["waiting"] for one in found)
    undecided = sum(one["open_recommendations"] for one in found)
    rows += ["", f"waiting: {waiting} findings for a reviewer, {undecided} recommendations for approval"]
    if not any(one["kind"] == "person" for one in found):
        rows.append("nobody here has a month like this; import people and records first, or correct --team or --agent")
    return "\n".join(rows)


def _head(head: Mapping[str, Any]) -> list[str]:
    closed = head["closed"]
    if closed is None:
        state = "open: the figures may still change"
    else:
        state = f"closed {str(closed['at']).replace('T', ' ')} by {closed['by']}, cards {closed['cards_sha'][:16]}"
    money = "money is off" if head["money"] == "off" else f"money: {head['money']}"
    skips = ", ".join(head["skips"])
    left = [f"{skips} were never closed, and cannot be once {head['month']} is"] if skips else []
    return [f"{head['month']} · {state} · {money}", *left]


def _named(one: Json) -> str:
    return f"{one['who']} ({one['team']})" if one["kind"] == "person" else f"{one['kind']} {one['who']}"


def _table(head: Mapping[str, Any], found: Sequence[Json], kind: str) -> list[str]:
    paid = head["money"] != "off"
    names = [kind, *(("team", "pack", "rank") if kind == "person" else ()), "score", "grade",
             *(("pay", "fines") if paid else ()), "reviews", "unknown", "assumed", "state"]  # fmt: skip
    rows = [names]
    for one in found:
        place = [one["team"], one["pack"], one["rank"]] if kind == "person" else []
        money = [signed(one["pay"], "en"), one["fine"]] if paid else []
        counts = [one["waiting"], len(one["unknown"]), len(one["assumed"])]
        rows.append([one["who"], *place, one["score"], one["grade"], *money, *counts, one["state"].replace("_", " ")])
    return _aligned([[_cell(value) for value in row] for row in rows])


def _cell(value: Any) -> str:
    return "–" if value is None else str(value)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Columns under one another, wide characters too."""
    widths = [max(_width(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(one + " " * (width - _width(one)) for one, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _about(one: Json, paid: bool, details: bool) -> list[str]:
    rows = [line for each in one["lines"] for line in _line(each, paid, details)]
    rows += [f"{each['cite']} {each['rule']}: {signed(each['amount'], 'en')} yuan" for each in one["money"]]
    rows += [
        f"ladder {each['cite']} {each['rule']}: {each['count']} this month, counted within {each['window']}"
        for each in one["ladders"]
    ]
    rows += [line for each in one["recommendations"] for line in _recommendation(each)]
    rows += _adjusted(one)
    unknown = [f"{each['rule']} ({', '.join(each['causes'])})" for each in one["unknown"]]
    if unknown:
        more = f" and {len(unknown) - MOST} more" if len(unknown) > MOST and not details else ""
        rows.append(f"undecided: {', '.join(unknown if details else unknown[:MOST])}{more}")
    if one["assumed"]:
        rows.append(f"assumed numbers: {', '.join(each['rule'] for each in one['assumed'])}")
    if one["alarms"]:
        rows.append(f"alarms: {', '.join(each['rule'] for each in one['alarms'])}")
    return rows


def _line(each: Json, paid: bool, details: bool) -> Iterable[str]:
    assumed = " (assumed number)" if each["assumed"] else ""
    waits = [one for one in each["findings"] if one["state"] == "waits"]
    title = each["title"].get("en") or each["title"].get("zh") or ""
    points = signed(each["points"], "en")
    yield f"{points:>6}  {each['cite']} {each['rule']} {title}{assumed}{_waits(waits)}"
    if details:
        yield f"        «{each['quote']}»"
        for one in each["findings"]:
            money = "".join(
                f", {signed(one[name], 'en')} yuan" for name in ("fine", "amount") if paid and one[name] != "0"
            )
            yield (f"        {one['day']} {one['kind']} {one['subject']}: {one['state']}, {signed(one['points'], 'en')}"
                   f"{money}, by {one['decided_by'] or 'machine'}")  # fmt: skip
            yield from (f"          {evidence_text(proof)}" for proof in one["evidence"])


def _waits(waits: Sequence[Json]) -> str:
    if not waits:
        return ""
    points = waiting_points(waits)
    return f" · {len(waits)} wait, {'points to be set' if points is None else signed(points, 'en')}"


def _recommendation(each: Json) -> Iterable[str]:
    law = f"; mind {', '.join(each['caution'])}" if each["caution"] else ""
    clauses = ", ".join(f"{rule['cite']} {rule['rule']}" for rule in each["clauses"])
    yield f"recommended: {each['kind'].replace('_', ' ')}, {each['state']} ({clauses}{law})"
    yield from (f"  {step['state']} by {step['by']} on {step['at'][:10]}: {step['reason']}" for step in each["steps"])


def _adjusted(one: Json) -> list[str]:
    late = one["adjusted"]
    rows = []
    if late["points"] != "0" or late["pay"] not in ("0", None):
        pay = "" if late["pay"] is None else f", {signed(late['pay'], 'en')} yuan"
        rows.append(f"late news of closed months: {signed(late['points'], 'en')} points{pay}")
    for each in one["adjustments"]:
        pay = "" if each["pay"] is None else f", {signed(each['pay'], 'en')} yuan"
        rows.append(
            f"adjusted for {each['month']}, carried in {each['carried']}: {signed(each['points'], 'en')} points{pay}, "
            f"by {each['by']}: {each['reason']}"
        )
    return rows
