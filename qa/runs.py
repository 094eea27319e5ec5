"""A scorecard as a run of the ledger, and back: everything that replays it travels with it. Opens no database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from qa.site import SiteRules
from qa.store import packs as stored
from qa.store.ledger import NewEntry, NewRun
from qa.store.runs import Run
from scoring import overlay as overlays
from scoring.canonical import canonical
from scoring.engine import ENGINE, run_inputs, score
from scoring.errors import ScoringError
from scoring.facts import Facts
from scoring.facts import dump as dump_facts
from scoring.facts import load as load_facts
from scoring.load import pack_from_files
from scoring.overlay import Overlay
from scoring.pack import Pack
from scoring.scorecard import Line, Scorecard
from scoring.scorecard import dump as dump_card


def pack_body(pack: Pack) -> bytes:
    """All files of a pack in one piece, as the store keeps it."""
    return canonical(dict(pack.files))


@lru_cache(maxsize=16)
def pack_of(body: bytes) -> Pack:
    files: Mapping[str, str] = json.loads(body)
    return pack_from_files(files)


@lru_cache(maxsize=64)
def overlay_of(body: bytes) -> Overlay:
    return overlays.load(body)


def new_run(rules: SiteRules, facts: Facts, day: date | None) -> tuple[NewRun, Scorecard]:
    """Score the facts and wrap the result for the ledger; lines that take effect become entries."""
    card = score(rules.pack, rules.overlay, facts, day)
    run = NewRun(
        subject=facts.subject,
        inputs=run_inputs(rules.pack, rules.overlay, facts, day),
        engine=ENGINE,
        day=day,
        pack=stored.Pack(rules.pack.sha, rules.pack.id, rules.pack.version, pack_body(rules.pack)),
        overlay=stored.Overlay(rules.overlay.sha, overlays.dump(rules.overlay)),
        facts=dump_facts(facts),
        card=dump_card(card),
        automatic=card.automatic,
        counted=card.counted,
        assumed=card.assumed,
        unknown=card.unknown,
        flagged=sum(line.takes_effect for line in card.lines),
        at=datetime.fromisoformat(facts.at) if facts.at else None,
        agent=facts.agent,
        seat=facts.seat,
        entries=tuple(_entry(line) for line in card.lines if line.takes_effect),
    )
    return run, card


def _entry(line: Line) -> NewEntry:
    return NewEntry(
        rule=line.rule,
        event=line.event,
        cite=line.cite,
        outcome=str(line.outcome),
        decide=line.decide,
        counts=line.counts,
        points=line.points,
        assumed=line.assumed,
        evidence=tuple(one.to_json() for one in line.evidence),
    )


SPOILT = (ValueError, TypeError, KeyError, AttributeError, ScoringError)  # what reading changed bytes may end in


def replay(run: Run, pack_bytes: bytes, overlay_bytes: bytes) -> str | None:
    """Score the stored inputs again; the difference in words, or None when every byte is the same."""
    try:
        pack, overlay, facts = pack_of(pack_bytes), overlay_of(overlay_bytes), load_facts(run.facts)
        named = run_inputs(pack, overlay, facts, run.day)
        again = dump_card(score(pack, overlay, facts, run.day))
    except SPOILT as error:
        return f"its stored inputs cannot be read any more ({error})"
    if named != run.inputs:
        return "its stored inputs do not give its name"
    return None if again == run.card else _difference(run.card, again)


def _difference(stands: bytes, again: bytes) -> str:
    try:
        before, after = dict(json.loads(stands)), dict(json.loads(again))
    except SPOILT as error:
        return f"its stored card cannot be read any more ({error})"
    names = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    return f"the replay differs in {', '.join(names) or 'its bytes'}"
