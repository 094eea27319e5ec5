"""The states of a seat as one table: which change is usual, which one leaps over a step, which one may be inferred.

What a source saw is taken as told, whatever was before: a leap says that a step between was not told, and is counted.
An inference never takes the place of what was seen, but where what was seen is over by itself (a call that ended) or
where it says less (unknown). The pictures of ``docs/seats.md`` are drawn from here. It folds no events.
"""

from __future__ import annotations

from typing import Literal

from ingest.events import STATES

Change = Literal["same", "usual", "leap"]
NO_STATE = "unknown"  # what is known of a seat before anything was told

STEPS: dict[tuple[str, str], str] = {
    ("offline", "ready"): "logs on",
    ("offline", "busy"): "logs on, not ready",
    ("ready", "offline"): "logs off",
    ("ready", "busy"): "sets busy",
    ("ready", "ringing"): "a call rings",
    ("ready", "talking"): "calls out, or answers by itself",
    ("ready", "off_hook"): "lifts the handset",
    ("ready", "unreachable"): "the phone is lost",
    ("busy", "busy"): "another reason",
    ("busy", "ready"): "is back",
    ("busy", "offline"): "logs off",
    ("busy", "ringing"): "is called directly",
    ("busy", "talking"): "calls out",
    ("busy", "off_hook"): "lifts the handset",
    ("busy", "unreachable"): "the phone is lost",
    ("ringing", "talking"): "answers",
    ("ringing", "ready"): "stops ringing",
    ("ringing", "busy"): "is set busy after no answer",
    ("ringing", "unreachable"): "the phone is lost",
    ("talking", "hold"): "holds",
    ("talking", "wrap_up"): "the call ends",
    ("talking", "ready"): "the call ends",
    ("talking", "busy"): "the call ends, busy was asked for",
    ("talking", "offline"): "the call ends, logs off",
    ("hold", "talking"): "resumes",
    ("hold", "wrap_up"): "the call ends",
    ("hold", "ready"): "the call ends",
    ("wrap_up", "ready"): "is done",
    ("wrap_up", "busy"): "sets busy",
    ("wrap_up", "offline"): "logs off",
    ("wrap_up", "ringing"): "a call rings",
    ("wrap_up", "talking"): "calls out",
    ("off_hook", "ready"): "hangs up",
    ("off_hook", "busy"): "hangs up",
    ("off_hook", "talking"): "the call is ours",
    ("unreachable", "ready"): "the phone is back",
    ("unreachable", "busy"): "the phone is back",
    ("unreachable", "offline"): "logs off",
}

# While the state at the left was seen, these may be inferred; unknown says less, and may follow anything.
MAY_INFER: dict[str, frozenset[str]] = {
    "ready": frozenset({"unreachable"}),  # called, and it never rang
    "ringing": frozenset({"ready", "unreachable"}),  # the call was seen to go elsewhere
    "talking": frozenset({"wrap_up"}),  # the call was seen to end
    "hold": frozenset({"wrap_up"}),
}


def change(before: str | None, after: str) -> Change:
    """What kind of step it is; everything may become unknown, and anything may follow it."""
    if before == after and (before, after) not in STEPS:
        return "same"
    if NO_STATE in (before or NO_STATE, after) or (before, after) in STEPS:
        return "usual"
    return "leap"


def admits(before: str | None, seen: bool, after: str, inferred: bool) -> bool:
    """Whether a state is taken while another one holds; ``seen``: that one was observed, or stood in a snapshot."""
    if not inferred or not seen or before in (None, NO_STATE) or after == NO_STATE:
        return True
    return after in MAY_INFER.get(before or NO_STATE, frozenset())


def diagram() -> str:
    """The usual steps as a Mermaid state diagram; unknown stands for itself, with no arrow to everything."""
    lines = ["stateDiagram-v2", f"    [*] --> {NO_STATE}"]
    lines += [f"    {before} --> {after}: {why}" for (before, after), why in STEPS.items()]
    return "\n".join(lines)


def matrix() -> str:
    """Every change as a Markdown table: from the row to the column."""
    rows = [["from \\ to", *STATES], ["---"] * (len(STATES) + 1)]
    rows += [[f"**{before}**", *(_cell(before, after) for after in STATES)] for before in STATES]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(before: str, after: str) -> str:
    mark = {"same": "=", "usual": "→", "leap": "⇢"}[change(before, after)]
    return f"{mark} i" if before != after and admits(before, True, after, True) else mark
