"""`seatwatch rings`: the rings that are heard in a recording, with their times. It scores nothing.

The count is what the caller heard; the seat's own ringing is told by signalling, and that always wins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qa.paths import no_file
from qa.ringing import beat
from qa.score import Usage
from qa.settings import load_settings
from speech.audio import flowing
from speech.rings import Rings, hear


def rings_command(path: Path, name: str | None) -> dict[str, Any]:
    """The object of one recording; raises AudioError or Usage."""
    settings = load_settings()
    name = name or settings.cadence
    try:
        wanted = beat(name, settings.cadences.get(name))
    except ValueError as error:
        own = f"; the settings name {', '.join(settings.cadences)}" if settings.cadences else ""
        raise Usage(f"--cadence {name}: {error}{own}") from None
    if wrong := no_file(path, "give a recording"):
        raise Usage(wrong)
    with flowing(path) as flow:
        return told(hear(flow, wanted), name)


def told(found: Rings, name: str) -> dict[str, Any]:
    """In the form that programs read."""
    bursts = [{"start_ms": one.start_ms, "end_ms": one.end_ms} for one in found.bursts]
    heard = {"count": found.count, "unknown": found.unknown, "bursts": bursts, "cadence": name}
    return heard | {"seconds": found.ms / 1000 if found.bursts else None, "channel": found.channel}


def text(result: dict[str, Any]) -> str:
    """The same for people."""
    rows = [f"  {one['start_ms'] / 1000:8.2f} – {one['end_ms'] / 1000:.2f} s" for one in result["bursts"]]
    where = "" if result["channel"] is None else f", channel {result['channel']}"
    head = (
        f"unknown: {result['unknown']}"
        if result["count"] is None
        else f"{result['count']} rings, {result['seconds']:.1f} s"
    )
    return "\n".join([f"{head} (cadence {result['cadence']}{where})", *rows])
