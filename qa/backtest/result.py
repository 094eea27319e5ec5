"""A finished backtest for people and for programs: clauses, agents, examples, rates. It computes nothing but sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from qa.backtest.months import Months, months_text
from qa.backtest.tally import Effect, Person, Tally
from scoring.canonical import decimal_text
from scoring.pack import Pack, Rule

SHOWN_AGENTS = 15  # for a terminal; all are in --json
SHOWN_EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Against:
    """What the draft is held against: a pack from a day on."""

    since: date
    pack: Pack


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a backtest found."""

    draft: Mapping[str, Any]
    against: tuple[Against, ...]
    after: Pack | None
    first: date | None
    last: date | None
    tally: Tally
    seconds: float
    processes: int
    resumed: int
    months: Months | None = None

    @property
    def changed(self) -> bool:
        return any(one.gained or one.lost or one.changed for one in self.tally.rules.values())

    def as_dict(self) -> dict[str, Any]:
        tally, people = self.tally, sorted(self.tally.people.items())
        return {
            "draft": dict(self.draft),
            "against": [{"from": _day(one.since), "pack": one.pack.id, "version": one.pack.version, "sha": one.pack.sha}
                        for one in self.against],
            "from": _day(self.first), "to": _day(self.last),
            "calls": tally.calls, "absences": tally.subjects - tally.calls, "scored": tally.scored,
            "unreadable": tally.unreadable,
            "rules": [self._rule(name, one) for name, one in self._ordered()],
            "agents": [{"agent": name, "subjects": one.subjects, "gained": one.gained, "lost": one.lost, **_sums(one)}
                       for name, one in people],
            "total": {
                "gained": sum(one.gained for one in tally.rules.values()),
                "lost": sum(one.lost for one in tally.rules.values()),
                "changed": sum(one.changed for one in tally.rules.values()),
                **_sums(self._everybody()),
            },
            "months": None if self.months is None else self.months.as_dict(),
            "rate": self._rate(),
        }  # fmt: skip

    def _everybody(self) -> Person:
        everybody = Person()
        for one in self.tally.people.values():
            everybody.add(one)
        return everybody

    def _ordered(self) -> list[tuple[str, Effect]]:
        """Clauses that something happens to, in the order of the regulation."""
        packs = [one.pack for one in self.against] + ([self.after] if self.after else [])
        order = {rule: at for at, rule in enumerate(dict.fromkeys(rule for pack in packs for rule in pack.rules))}
        return sorted(self.tally.rules.items(), key=lambda one: (order.get(one[0], len(order)), one[0]))

    def _clause(self, rule: str) -> Rule | None:
        packs = [*([self.after] if self.after else []), *(one.pack for one in reversed(self.against))]
        return next((pack.rules[rule] for pack in packs if rule in pack.rules), None)

    def _rule(self, name: str, one: Effect) -> dict[str, Any]:
        clause = self._clause(name)
        return {
            "rule": name,
            "cite": clause.cite if clause else None,
            "title": clause.title.model_dump() if clause else None,
            "gained": one.gained, "lost": one.lost, "changed": one.changed,
            "points": {"before": decimal_text(one.points_before), "after": decimal_text(one.points_after)},
            "unknown": {"before": one.unknown_before, "after": one.unknown_after, "causes": one.causes},
            "examples": {kind: [example for _, example in one.examples.get(kind, ())]
                         for kind in ("gained", "lost", "changed")},
        }  # fmt: skip

    def _rate(self) -> dict[str, Any]:
        tally = self.tally
        matched = tally.match_seconds / max(1, self.processes)
        return {
            "seconds": round(self.seconds, 2),
            "subjects_a_second": round(tally.subjects / self.seconds, 1) if self.seconds and not self.resumed else None,
            "processes": self.processes,
            "memory_mb": round(tally.memory_mb, 1) or None,
            "resumed_stretches": self.resumed,
            "rematched": tally.rematched,
            "rematched_a_second": round(tally.rematched / matched, 1) if matched else None,
        }

    def as_text(self) -> str:
        """For a terminal: what happens to each clause, to each agent, and a few calls to listen to."""
        told = self.as_dict()
        draft = told["draft"]
        version = f" {draft['version']}" if draft["version"] else ""
        rows = [
            f"draft {draft['kind']} {draft['name']}{version}, "
            f"over {told['calls']} calls and {told['absences']} absences"
            + (f" from {told['from'] or 'the first'} to {told['to'] or 'the last'}" if self.first or self.last else "")
        ]
        rows += [line for one in told["rules"] for line in _rule_lines(one)]
        if not self.changed:
            rows.append("no finding would come, go or change")
        rows += _agent_lines(told["agents"])
        total = told["total"]
        rows.append(
            f"points that count: {total['points']['before']} → {total['points']['after']}; "
            f"with what waits for a person: "
            f"{total['automatic']['before']} → {total['automatic']['after']}; "
            f"money of findings: {total['money']['before']} → {total['money']['after']}"
        )
        rows += [f"{told['unreadable']} subjects cannot be read any more; see `seatwatch verify`"] * bool(
            told["unreadable"]
        )
        rows += months_text(self.months) if self.months is not None else []
        rate = told["rate"]
        speed = f", {rate['subjects_a_second']:,.0f} a second" if rate["subjects_a_second"] else ""
        again = f"; phrases looked for again in {rate['rematched']} calls, {rate['rematched_a_second']:,.0f} a second" \
            if rate["rematched_a_second"] else ""  # fmt: skip
        rows.append(f"{rate['seconds']} s{speed}{again}")
        return "\n".join(rows)


def _rule_lines(one: Mapping[str, Any]) -> list[str]:
    if not (one["gained"] or one["lost"] or one["changed"] or one["unknown"]["after"] != one["unknown"]["before"]):
        return []
    unknown = one["unknown"]
    rows = [
        f"  {one['rule']:<12} {one['cite']}: {one['gained']} gained, {one['lost']} lost, {one['changed']} changed; "
        f"points {one['points']['before']} → {one['points']['after']}; "
        f"cannot tell {unknown['before']} → {unknown['after']}"
    ]
    for kind in ("gained", "lost", "changed"):
        for example in one["examples"][kind][:SHOWN_EXAMPLES]:
            subject = example.get("call") or example.get("away") or example.get("chat")
            spans = [each for each in example["evidence"] if each["kind"] == "span"]
            where = f", {spans[0]['role']} {spans[0]['start_ms'] / 1000:.1f} s" if spans else ""
            rows.append(
                f"    {kind}: {subject} of {example['agent'] or '-'} on {example['day'] or 'an unknown day'}{where}"
            )
    return rows


def _agent_lines(agents: list[dict[str, Any]]) -> list[str]:
    moved = [one for one in agents if one["gained"] or one["lost"] or any(
        one[name]["before"] != one[name]["after"] for name in ("points", "automatic", "money"))]  # fmt: skip
    moved.sort(
        key=lambda one: (-abs(Decimal(one["automatic"]["after"]) - Decimal(one["automatic"]["before"])), one["agent"])
    )
    rows = [
        f"  {one['agent']:<12} {one['points']['before']} → {one['points']['after']} points"
        f" ({one['automatic']['before']} → {one['automatic']['after']} with what waits); "
        f"{one['gained']} gained, {one['lost']} lost"
        for one in moved[:SHOWN_AGENTS]
    ]
    return rows + [f"  and {len(moved) - SHOWN_AGENTS} more agents; --json has them all"] * (len(moved) > SHOWN_AGENTS)


def _sums(one: Person) -> dict[str, Any]:
    return {
        "points": _both(one.counted_before, one.counted_after),
        "automatic": _both(one.automatic_before, one.automatic_after),
        "money": _both(one.money_before, one.money_after),
    }


def _both(before: Decimal, after: Decimal) -> dict[str, str]:
    return {"before": decimal_text(before), "after": decimal_text(after), "change": decimal_text(after - before)}


def _day(day: date | None) -> str | None:
    return None if day is None or day == date.min else day.isoformat()
