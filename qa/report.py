"""Scorecards for people and programs: the JSON object of one call and its printed form. No files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from scoring.facts import AwayFacts, CallFacts, Facts, Unknown


def seconds(value: Decimal | int | Unknown | None, scale: int = 1) -> float | None:
    """A number of seconds for JSON; what is unknown is null."""
    if value is None or isinstance(value, Unknown):
        return None
    return float(Decimal(value) / scale)


def metrics(call: CallFacts) -> dict[str, Any]:
    """The metrics of one call under their fixed names."""
    return {
        "ring_count": None if isinstance(call.ring_count, Unknown) else call.ring_count,
        "ring_seconds": seconds(call.ring_seconds),
        "answer_seconds": seconds(call.answer_seconds),
        "talk_seconds": seconds(call.talk_ms, 1000),
        "hold_seconds": seconds(call.hold_ms, 1000),
        "silence_seconds": seconds(call.silence_ms, 1000),
        "talk_over_seconds": seconds(call.talk_over_ms, 1000),
        "agent_share": seconds(call.agent_share),
        "hung_up_by": call.hung_up_by,
        "ring_source": call.ring_source,
    }


def _turns(call: CallFacts) -> list[dict[str, Any]]:
    return [
        {
            "role": turn.role,
            "start_ms": turn.start_ms,
            "end_ms": turn.end_ms,
            "text": turn.text,
            "confidence": None if turn.confidence is None else str(turn.confidence),
            "doubted": turn.doubted,
        }
        for turn in call.turns
    ]


def _hits(call: CallFacts) -> list[dict[str, Any]]:
    return [
        {
            "category": hit.category,
            "entry": hit.entry,
            "role": hit.role,
            "start_ms": hit.start_ms,
            "end_ms": hit.end_ms,
            "text": hit.text,
            "how": hit.how,
            "confidence": None if hit.confidence is None else str(hit.confidence),
        }
        for hit in call.hits
    ]


def _away(away: AwayFacts) -> dict[str, Any]:
    return {
        "away_seconds": seconds(away.away_ms, 1000),
        "ready_seconds": seconds(away.ready_ms, 1000),
        "status": away.status,
        "source": away.source,
    }


def scored(
    name: str,
    facts: Facts,
    card: dict[str, Any],
    warnings: list[str],
    beside: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """One line of `score --json` and `demo --json`; ``card`` is what scoring.scorecard.to_json gives, ``beside`` are
    measures that no rule asks for."""
    call = facts.call
    subject = {
        "metrics": metrics(call) | {"queue_seconds": None, "wrap_up_seconds": None, **beside}
        if call
        else dict.fromkeys(METRICS) | (_away(facts.away) if facts.away else {}),
        "turns": _turns(call) if call else [],
        "hits": _hits(call) if call else [],
    }
    return {
        "call": name,
        "agent": facts.agent,
        "seat": facts.seat,
        **{key: card[key] for key in ("pack", "pack_version", "engine", "day")},
        **subject,
        "lines": card["lines"],
        "total": card["total"],
        "synthetic": call is not None and call.text == "synthetic",
        "warnings": warnings,
    }


UNSAID = ("word", "duration")  # units that their values show by themselves
METRICS = (
    "ring_count",
    "ring_seconds",
    "answer_seconds",
    "talk_seconds",
    "hold_seconds",
    "silence_seconds",
    "talk_over_seconds",
    "agent_share",
    "hung_up_by",
)  # the fixed names; null where a subject has no such thing
_MARK = {"breach": "✗", "met": "✓", "clear": "·", "unknown": "?", "na": "–"}


def _evidence(item: dict[str, Any]) -> str:
    if item["kind"] == "span":
        said = f" “{item['text']}”" if item.get("text") else ""
        stretch = f"{item['start_ms'] / 1000:.2f}–{item['end_ms'] / 1000:.2f} s"
        return f"{item['role']} {stretch}{said} ({item['why']})"
    if item["kind"] == "group":
        return f"the same {item['per']} takes effect under {item['rule']}"
    if item["kind"] == "setting":
        unit = "" if item["unit"] in UNSAID else f" {item['unit']}"
        return f"{item['name']}: {item['value']}{unit} ({item['source']})"
    return f"{item['fact']} = {item['value']}"


def _line(line: dict[str, Any], verbose: bool) -> Iterator[str]:
    effect = line["outcome"] in ("breach", "met")
    states: list[str] = []
    if effect:
        states = [line["decide"], "counts" if line["counts"] else "waits for a reviewer"]
        states += ["assumed"] if line["assumed"] else []
    points = line["points"] if effect else ""
    why = f" [{line['cause']}]" if line.get("cause") else ""
    said = f"{line['cite']} 「{line['quote']}」 {', '.join(states)}"
    yield f"  {_MARK[line['outcome']]} {line['rule']:<8} {points:>6}  {line['outcome']}{why}  {said}".rstrip()
    if verbose or effect or line["outcome"] == "unknown":
        yield from (f"           {_evidence(item)}" for item in line["evidence"])


LENGTHS = (("queue", "queue_seconds"), ("ring", "ring_seconds"), ("talk", "talk_seconds"), ("hold", "hold_seconds"),
           ("wrap-up", "wrap_up_seconds"))  # fmt: skip


def _lengths(figures: Mapping[str, Any]) -> Iterator[str]:
    """Waiting, ringing, talking, holding and what comes after are five measures; what nobody told is left out."""
    told = [f"{word} {figures[name]:.1f} s" for word, name in LENGTHS if figures.get(name) is not None]
    if told:
        yield f"  {', '.join(told)}"


def text(result: dict[str, Any], title: str = "", verbose: bool = False) -> str:
    """The printed scorecard of one call or empty seat: each finding with citation, quote and evidence."""
    if "error" in result:
        return f"{result['call']}\n  not scored: {result['error']}"
    total, figures = result["total"], result["metrics"]
    rings = (
        f"rings {figures['ring_count']} ({figures['ring_seconds']} s)  "
        if figures.get("ring_seconds") is not None
        else ""
    )
    head = f"{result['call']}  {title}  agent {result['agent'] or '?'}  {rings}day {result['day'] or 'unknown'}"
    lines = [head.rstrip(), *_lengths(figures)]
    for turn in result["turns"]:
        lines.append(f"    {turn['start_ms'] / 1000:6.2f} {turn['role']:<8} {turn['text']}")
    for line in result["lines"]:
        lines.extend(_line(line, verbose))
    assumed = ", some values assumed" if total["assumed"] else ""
    lines.append(f"  automatic {total['automatic']}  counted {total['counted']}  unknown {total['unknown']}{assumed}")
    lines.extend(f"  note: {warning}" for warning in result["warnings"])
    return "\n".join(lines)
