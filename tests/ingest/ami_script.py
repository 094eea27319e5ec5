"""Manager events of a made-up PBX, written short: who calls whom, when. Channels are named; their numbers come here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ingest.ami import Block
from ingest.ami_calls import AmiCalls
from ingest.ami_names import AmiConfig
from ingest.events import Event, parse_event
from ingest.session import Call, fold_call
from ingest.taps import Tap
from tests.ingest.values import T0

# name -> channel, Uniqueid, Linkedid
CHANNELS = {
    "cust": ("PJSIP/trunk-0000000a", "100.1", "100.1"),
    "s1": ("PJSIP/1001-0000000b", "100.2", "100.1"),
    "s2": ("PJSIP/1002-0000000c", "100.3", "100.1"),
    "s1soft": ("PJSIP/soft1-0000000d", "100.4", "100.1"),
    "l1": ("Local/1001@from-queue-00000001;1", "100.5", "100.1"),
    "l2": ("Local/1001@from-queue-00000001;2", "100.6", "100.1"),
    "ask": ("PJSIP/1001-0000000e", "200.1", "200.1"),  # seat 1 calls out: a second talk of its own
    "asked": ("PJSIP/1002-0000000f", "200.2", "200.1"),
    "far": ("PJSIP/trunk-00000010", "200.3", "200.1"),
    "snoop": ("Snoop/100.2-00000011", "300.1", "300.1"),
    "sock": ("AudioSocket/127.0.0.1:9092-x", "300.2", "300.2"),
}
STATES = {"Ring": "4", "Ringing": "5", "Up": "6"}
CONFIG = AmiConfig("pbx", "127.0.0.1", "u", "s", seats={"1001": "1", "soft1": "1", "1002": "2"})


def block(line: str) -> Block:
    """``7.5 Newstate s1 Ringing``, ``0.5 DialBegin cust>s1``, ``1 QueueMemberPause - Queue=q Paused=1``."""
    at, event, who, *more = line.split()
    out = {"Event": event, "Timestamp": f"{(T0 + timedelta(seconds=float(at))).timestamp():.6f}"}
    for side, name in zip(("", "Dest"), who.split(">"), strict=False):
        if name != "-":
            channel, uid, linked = CHANNELS[name]
            out |= {f"{side}Channel": channel, f"{side}Uniqueid": uid, f"{side}Linkedid": linked}
    for word in more:
        if word in STATES:
            out["ChannelState"] = STATES[word]
        else:
            key, _, value = word.partition("=")
            out[key] = value.replace("_", " ")
    return out


def script(text: str) -> list[Block]:
    return [block(line) for line in text.strip().splitlines() if line.strip() and not line.strip().startswith("#")]


def tell(blocks: list[Block], config: AmiConfig = CONFIG) -> tuple[list[dict[str, Any]], list[Tap], AmiCalls]:
    """All events, each of them a good one, and all taps."""
    calls, events, taps = AmiCalls(config), [], []
    for one in blocks:
        for told in calls.feed(one, T0):
            if isinstance(told, Tap):
                taps.append(told)
            else:
                assert isinstance(parse_event(told), Event), told
                events.append(told)
    return events, taps, calls


def fold(events: list[dict[str, Any]], name: str = "pbx-100.1") -> Call:
    good = [parse_event(one) for one in events if one.get("call") == name]
    return fold_call(one for one in good if isinstance(one, Event))


def brief(events: list[dict[str, Any]], *types: str) -> list[str]:
    """``7.5 ringing 1``: seconds, type, seat or who, and what is said beside."""
    out = []
    for one in sorted(events, key=lambda one: one["at"]):
        if one["type"] in types or (not types and one["type"] not in ("seat", "leg")):
            beside = [one.get(key) for key in ("status", "reason", "to", "how", "by", "cause") if one.get(key)]
            words = [f"{_since(one):g}", one["type"], one.get("seat") or "-", *map(str, beside)]
            out.append(" ".join(words))
    return out


def _since(one: dict[str, Any]) -> float:
    event = parse_event(one)
    assert isinstance(event, Event)
    return (event.at - T0).total_seconds()
