"""How many subjects a core scores in a second by a whole regulation, beside general rule engines; and loading one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from qa.bench.forty import flat, forty_conditions, forty_pack
from qa.bench.pairs import cpu_seconds, in_turn
from qa.bench.rows import Row, alone, compared, missing
from qa.bench.rule_engines import Conditions, Flat, Run, business_rules, rule_engine, zen
from qa.bench.subjects import subjects
from qa.site import demo_overlay
from scoring.engine import score
from scoring.facts import Facts
from scoring.load import load_overlay, load_pack, pack_from_files, shipped
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.scorecard import Outcome

SUBJECTS, QUICK_SUBJECTS = 5_000, 300
PAIRS, QUICK_PAIRS = 11, 2
LOADS, QUICK_LOADS = 11, 2
UNIT = "calls/s/core"
GOAL = 2.0  # times each of the others
PEERS: dict[str, Callable[[Conditions, Sequence[Flat]], Run | None]] = {
    "zen-engine": zen,
    "rule-engine": rule_engine,
    "business-rules": business_rules,
}


def rows(name: str, quick: bool) -> Iterator[Row]:
    """Forty rules on the same calls beside three engines, then a whole regulation by itself."""
    many = [one for one in subjects(QUICK_SUBJECTS if quick else SUBJECTS) if one.call is not None]
    pack, overlay, pairs = forty_pack(), Overlay(), QUICK_PAIRS if quick else PAIRS

    def ours() -> None:
        for one in many:
            score(pack, overlay, one, None)

    numbers, rules = [flat(one) for one in many], forty_conditions()
    said = _said(pack, overlay, many)
    for peer, make in PEERS.items():
        yield _beside(f"{name}-{peer}", peer, ours, make(rules, numbers), len(many), pairs, said)
    yield _regulation(f"{name}-bes", subjects(QUICK_SUBJECTS if quick else SUBJECTS), pairs)
    yield _loading(f"{name}-load", shipped("bes"), QUICK_LOADS if quick else LOADS)


def _said(pack: Pack, overlay: Overlay, many: Sequence[Facts]) -> str:
    """How many lines came out how."""
    lines = [line.outcome for one in many for line in score(pack, overlay, one, None).lines]
    counts = {outcome: lines.count(outcome) for outcome in Outcome}
    return ", ".join(f"{found} {outcome.value}" for outcome, found in counts.items() if found)


def _beside(name: str, peer: str, ours: Callable[[], None], ready: Run | None, size: int, pairs: int, said: str) -> Row:
    if ready is None:
        rates = [size / cpu_seconds(ours) for _ in range(pairs)]
        return missing(name, UNIT, f"{peer} is not installed; make bench installs it", rates)
    seconds = in_turn(ours, ready, pairs)
    ours_rates, peer_rates = ([size / one for one in side] for side in seconds)
    note = f"40 rules on {size} calls, lines with evidence: {said}; peer: {peer}, numbers only, {ready()} hold"
    return compared(name, UNIT, ours_rates, peer_rates, GOAL, note, more=True)


def _regulation(name: str, many: Sequence[Facts], runs: int) -> Row:
    """Every clause of the broadband regulation that calls and absences decide."""
    pack = load_pack(shipped("bes"))
    overlay = load_overlay(demo_overlay(), [pack])

    def ours() -> None:
        for one in many:
            score(pack, overlay, one, None)

    ours()
    rates = [len(many) / cpu_seconds(ours) for _ in range(runs)]
    return alone(name, UNIT, rates, f"the broadband regulation on {len(many)} calls and absences, aim 10,000; no peer")


def _loading(name: str, folder: Path, loads: int) -> Row:
    """Every fault looked for, each number with its line; the peer only reads the same texts."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    fresh = count(1)

    def ours() -> None:
        """The loader parses the same text once in a process: a comment makes it new."""
        mark = f"\n# {next(fresh)}\n"
        pack_from_files({name: text + mark for name, text in texts.items()})

    bare = plain_yaml(list(texts.values()))
    note = "loading and checking the BES pack from new texts, as at a start"
    if bare is None:
        seconds = [cpu_seconds(ours) for _ in range(loads)]
        return alone(name, "CPU s", seconds, f"{note}; peer not run: PyYAML is not installed; make bench installs it")
    sides = in_turn(ours, bare, loads)
    return compared(name, "CPU s", *sides, note=f"{note}; peer: PyYAML's C loader, nothing checked, no lines; no goal")


def plain_yaml(texts: Sequence[str]) -> Callable[[], Any] | None:
    """The files read and nothing else; None when PyYAML is not installed."""
    try:
        yaml: Any = import_module("yaml")
    except ImportError:
        return None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return lambda: [yaml.load(text, loader) for text in texts]
