"""Reads the whole ledger of an installation and works it out again, with nothing but its own rows and sums."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.acceptance.house import House

_TWICE = {
    "current runs of a subject": "SELECT subject FROM current_run GROUP BY site_id, subject HAVING count(*) > 1",
    "runs of the same inputs": "SELECT subject FROM run GROUP BY site_id, subject, inputs HAVING count(*) > 1",
    "entries of a run, rule and event":
        "SELECT run FROM entry WHERE reverses IS NULL GROUP BY site_id, run, rule, event HAVING count(*) > 1",
    "reversals of an entry":
        "SELECT reverses FROM entry WHERE reverses IS NOT NULL GROUP BY reverses HAVING count(*) > 1",
    "runs without a current one": "SELECT subject FROM run WHERE subject NOT IN (SELECT subject FROM current_run)",
    "jobs that were given up": "SELECT id FROM pgqueuer WHERE status = 'failed'",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audit:
    """What was counted."""

    runs: int
    entries: int
    points: Decimal


async def audit(house: House) -> Audit:
    """Nothing twice, no number missing in the chain, and every subject's points are those of its current card."""
    for what, sql in _TWICE.items():
        assert await house.ask(sql) == [], what
    seqs = [row["seq"] for row in await house.ask("SELECT seq FROM run UNION ALL SELECT seq FROM entry ORDER BY seq")]
    assert seqs == list(range(1, len(seqs) + 1))
    entries = await house.ask("SELECT subject, run, rule, event, points, reverses, depth FROM entry")
    cards = await house.ask("SELECT c.subject, r.id, r.card FROM current_run c JOIN run r ON r.id = c.run")
    expected = {row["subject"]: _lines(row["card"]) for row in cards}
    for subject, lines in expected.items():
        mine = [row for row in entries if row["subject"] == subject]
        assert _in_force(mine) == lines, subject
        assert sum((row["points"] for row in mine), Decimal(0)) == sum(
            (points * many for (_, points), many in lines.items()), Decimal(0)
        ), subject
    assert {row["subject"] for row in entries} <= expected.keys()
    outbox = await house.ask("SELECT body ->> 'run' AS run FROM outbox")
    runs: int = await house.one("SELECT count(*) FROM run")
    assert len(outbox) >= runs == len({row["run"] for row in outbox})
    return Audit(runs, len(entries), sum((row["points"] for row in entries), Decimal(0)))


def _lines(card: bytes) -> Counter[tuple[str, Decimal]]:
    """Rule and points of every line of a card that takes effect."""
    told: dict[str, Any] = json.loads(card)
    return Counter(
        (line["rule"], Decimal(line["points"])) for line in told["lines"] if line["outcome"] in ("breach", "met")
    )


def _in_force(rows: list[dict[str, Any]]) -> Counter[tuple[str, Decimal]]:
    """What is left of a subject's entries when every reversal is set against what it reverses."""
    left: Counter[tuple[str, Decimal]] = Counter()
    for row in rows:
        sign = -1 if row["depth"] % 2 else 1
        left[(row["rule"], row["points"] * sign)] += sign
    return Counter({key: many for key, many in left.items() if many})
