"""The bundled calls and empty seats as values: what is played, when, what must come out. Plays nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from scoring.load import read_yaml

FOLDER = Path(str(files("qa.demo")))
SOURCE = "demo"


@dataclass(frozen=True, slots=True)
class DemoCall:
    """One call: how it rings, by which socket its audio comes, how it ends."""

    id: str
    title: Mapping[str, str]
    via: Literal["audiosocket", "stream", "events"]
    agent: str
    seat: str
    ring: timedelta
    direction: str
    hung_up_by: str
    mixed: bool
    gap: Mapping[str, Any] | None
    known_customer: bool | None
    audio: Path | None
    ms: int
    expect: Mapping[str, str]

    @property
    def length(self) -> timedelta:
        return timedelta(milliseconds=self.ms)


@dataclass(frozen=True, slots=True)
class DemoSeat:
    """One seat that nobody sits at for a while."""

    id: str
    title: Mapping[str, str]
    seat: str
    agent: str
    events: tuple[Mapping[str, Any], ...]
    expect: Mapping[str, str]

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=max(one["after_s"] for one in self.events))


def calls() -> list[DemoCall]:
    return [_call(raw) for raw in read_yaml(FOLDER / "calls.yaml").value]


def _call(raw: Mapping[str, Any]) -> DemoCall:
    audio = FOLDER / "audio" / f"{raw['id']}.flac" if raw.get("lines") else None
    told = json.loads(audio.with_suffix(".lines.json").read_text(encoding="utf-8")) if audio else {"ms": 0}
    return DemoCall(
        id=raw["id"],
        title=raw["title"],
        via=raw["via"],
        agent=raw["agent"],
        seat=raw["seat"],
        ring=timedelta(microseconds=int(Decimal(raw["ring_s"]) * 1_000_000)),
        direction=raw.get("direction", "in"),
        hung_up_by=raw["hung_up_by"],
        mixed=raw.get("mixed", False),
        gap=raw.get("gap"),
        known_customer=raw.get("known_customer"),
        audio=audio,
        ms=told["ms"],
        expect=raw["expect"],
    )


def seats() -> list[DemoSeat]:
    return [
        DemoSeat(raw["id"], raw["title"], raw["seat"], raw["agent"], tuple(raw["events"]), raw["expect"])
        for raw in read_yaml(FOLDER / "seats.yaml").value
    ]


class Events:
    """Events of one call or seat in the form of POST /events, with ids that a second run does not repeat."""

    def __init__(self, run: str, name: str, **common: Any) -> None:
        self._stem, self._common, self._count = f"{run}/{name}", common, 0

    def make(self, kind: str, at: datetime, **own: Any) -> dict[str, Any]:
        self._count += 1
        head = {"source": SOURCE, "id": f"{self._stem}/{self._count}", "at": at.isoformat(), "type": kind}
        return head | self._common | {key: value for key, value in own.items() if value is not None}


def seat_events(one: DemoSeat, run: str, end: datetime) -> list[dict[str, Any]]:
    """A seat's whole story, moved so that it ends at ``end``."""
    make = Events(run, one.id, seat=one.seat, agent=one.agent).make
    begin = end - one.length
    told = []
    for event in one.events:
        own = {key: value for key, value in event.items() if key not in ("after_s", "type")}
        told.append(make(event["type"], begin + timedelta(seconds=event["after_s"]), **own))
    return told
