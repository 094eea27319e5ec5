"""What the switchboard itself says of the lab's calls: its queue_log, its call records, its news. Read plainly."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.lab.ami import Block

SEATS = ("1001", "1002", "1003")


@dataclass(frozen=True, slots=True)
class Logged:
    """One call by queue_log: whole seconds, as its lines have them."""

    outcome: str = "–"
    seat: str | None = None
    ring_s: int | None = None
    talk_s: int | None = None
    offers_unanswered: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call by Master.csv: what its rows say of it, and how long it was billed for."""

    rows: int
    answered: bool
    billed_s: int


def logged(lines: Iterable[str]) -> dict[str, Logged]:
    """Calls by their Uniqueid."""
    found: dict[str, Logged] = {}
    for line in filter(None, lines):
        _, call, _, member, verb, *values = line.split("|")
        one = found.get(call, Logged())
        seat, talk = one.seat, one.talk_s
        if verb == "CONNECT":
            one = Logged("answered", member.removeprefix("Seat "), int(values[2]), None, one.offers_unanswered)
        elif verb.startswith("COMPLETE"):
            one = Logged("answered", seat, one.ring_s, int(values[1]), one.offers_unanswered)
        elif verb in ("BLINDTRANSFER", "ATTENDEDTRANSFER"):
            one = Logged("answered", seat, one.ring_s, int(values[3]), one.offers_unanswered)
        elif verb == "ABANDON":
            one = Logged("abandoned", seat, None, talk, one.offers_unanswered)
        elif verb == "RINGNOANSWER":
            one = Logged(one.outcome, seat, one.ring_s, talk, one.offers_unanswered + 1)
        elif verb != "ENTERQUEUE":
            continue
        found[call] = one
    return found


_SAYS = {  # what a line of the log says that the seat does from then on
    "CONNECT": "talking", "COMPLETECALLER": "ready", "COMPLETEAGENT": "ready", "BLINDTRANSFER": "ready",
    "RINGNOANSWER": "ready", "RINGCANCELED": "ready", "PAUSEALL": "busy", "UNPAUSEALL": "ready",
}  # fmt: skip


def said(lines: Iterable[str]) -> Iterator[tuple[str, int, str, str]]:
    """Seat, second, the state that this line of the log puts it in, and the line's own word."""
    for line in filter(None, lines):
        second, _, _, member, verb, *values = line.split("|")
        if (state := _SAYS.get(verb)) is not None:
            yield member.removeprefix("Seat "), int(second), state, f"{verb} {values[0]}".strip()


def recorded(text: str) -> dict[str, Recorded]:
    """Calls by their Linkedid, the last but one of all columns."""
    found: dict[str, Recorded] = {}
    for row in csv.reader(text.splitlines()):
        call, answered, billed = row[-2], row[14] == "ANSWERED" and bool(row[6]), int(row[13])
        before = found.get(call, Recorded(0, False, 0))
        found[call] = Recorded(before.rows + 1, before.answered or answered, max(before.billed_s, billed))
    return found


def linked(events: Iterable[Block], number: str, by: str = "customer") -> list[str]:
    """Linkedids of the calls that phones of that name made to that number, in order."""
    return [
        block["Linkedid"]
        for block in events
        if block.get("Event") == "Newchannel"
        and block.get("Exten") == number
        and block["Channel"].startswith(f"PJSIP/{by}-")
    ]


def changes(events: Iterable[Block]) -> Iterator[tuple[str, str, float]]:
    """Seat, the state that this piece of news puts it in, and the switchboard's own time of it."""
    away: set[str] = set()
    for block in events:
        name = block.get("Channel") or block.get("Interface") or block.get("Device") or ""
        seat = next((one for one in SEATS if name.startswith(f"PJSIP/seat{one}")), None)
        if seat is None:
            continue
        if (state := _state(block, seat in away)) is not None:
            (away.add if state == "unreachable" else away.discard)(seat)
            yield seat, state, float(block["Timestamp"])


def _state(block: Block, away: bool) -> str | None:
    match block.get("Event"):
        case "Newstate":
            return {"Ringing": "ringing", "Up": "talking"}.get(block["ChannelStateDesc"])
        case "Hold":
            return "hold"
        case "Unhold":
            return "talking"
        case "Hangup":
            return "ready"
        case "QueueMemberPause" if block["Queue"] == ("complaints" if block["Paused"] == "1" else "broadband"):
            return "busy" if block["Paused"] == "1" else "ready"  # busy once in its last queue, ready from the first on
        case "DeviceStateChange" if block["State"] == "UNAVAILABLE":
            return "unreachable"
        case "DeviceStateChange" if away and block["State"] == "NOT_INUSE":
            return "ready"
    return None
